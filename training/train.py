"""The corpus in, the weights of the pipeline out: `python -m training.train [--real FILE ...] [--events FILE]`.

1. the base encoder's weights are read and its vocabulary is cut;
2. the encoder learns from the train part and texts composed of it by rule, each also with its sides swapped;
3. with --real: it learns a little more from labelled real texts, with --events also from real sentences with an act
   between two given parties, mixed with some of the train part. Five times without a fifth of them, which it then
   judges: what is said of real texts, here and at step 5, is of texts unseen;
4. it is exported to include/newswatch/scoring/weights/DYAD;
5. the exported encoder judges the dev part, and the models that weigh its word are fitted on that and on step 3.
"""

from __future__ import annotations

import argparse
import copy
import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from tokenizers import Tokenizer

from include.newswatch.scoring import CODEBOOKS, ENCODERS, Scorer
from include.newswatch.scoring.codebook import read_codebook
from include.newswatch.scoring.encoder import Encoder as ExportedEncoder
from include.newswatch.scoring.encoder import Judgement
from include.newswatch.scoring.gate import Passage, Reading
from include.newswatch.scoring.marking import MARKS, MarkedText, mark_reading
from training.base_weights import read_base_weights
from training.combine import (
    N_FOLDS,
    Judged,
    fit_combination,
    fold_of,
    judge_items,
    read_items,
    weigh_item,
    write_combination,
)
from training.compose import Mixture, compose
from training.corpus import Item, load_corpus
from training.evaluate import cross_fitted, print_report
from training.events import EventSentence, print_event_report, read_event_sentences
from training.examples import make_event_examples, make_examples
from training.export import export
from training.learn import ADAPTATION, Recipe, judge, learn, prepare
from training.model import Encoder
from training.twins import make_twins, unzip
from training.vocabulary import cut_vocabulary

N_THREADS = 2
UNKNOWN_NAMES = 0.06  # the share of mentions that the encoder learns to do without
# Of each half of the corpus; how often a real text, and a sentence with an act, counts.
N_REPLAYED, REAL_WEIGHT, EVENT_WEIGHT = 400, 2, 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--real", nargs="*", type=Path, default=[], metavar="FILE")
    parser.add_argument("--events", type=Path, metavar="FILE", help="goes with --real")
    parser.add_argument("--dyad", default="china_russia")
    parser.add_argument("--folder", type=Path, help="where the weights go instead")
    arguments = parser.parse_args()
    torch.set_num_threads(N_THREADS)
    scorer = Scorer(read_codebook(CODEBOOKS, arguments.dyad))
    folder = arguments.folder or ENCODERS / arguments.dyad
    corpus = load_corpus()
    real = [item for path in arguments.real for item in read_items(path)]
    sentences = read_event_sentences(arguments.events) if arguments.events else ()
    encoder, tokenizer = train(corpus, scorer, Recipe())
    judged, told = adapt(encoder, tokenizer, corpus, real, sentences, scorer) if real else ([], [])
    export(encoder, tokenizer, folder)
    dev = judge_items((item for item in corpus if item.part == "dev"), scorer, ExportedEncoder.load(folder))
    write_combination(folder / "combination.csv", fit_combination(dev, judged, scorer.codebook))
    if real:
        print_report("real texts, cross-fitted", cross_fitted(real, dev, judged, scorer), has_details=False)
    if told:
        print_event_report(told, scorer.codebook.event_types)


def train(corpus: Sequence[Item], scorer: Scorer, recipe: Recipe) -> tuple[Encoder, Tokenizer]:
    """Learn from the train part."""
    base = read_base_weights()
    written = [item for item in corpus if item.part == "train"]
    items = [*written, *compose(written, Mixture(), recipe.seed)]
    vocabulary = cut_vocabulary(base.pieces, (text for item in items for text in (item.title, item.text)))
    torch.manual_seed(recipe.seed)
    encoder = Encoder(base, vocabulary.old_ids, MARKS, recipe.n_frozen_layers)
    plain, marked = mark_items(items, scorer, random.Random(recipe.seed))
    twins, twin_texts = unzip(make_twins(items, marked, scorer.codebook, recipe.seed))
    variants = [
        make_examples([*items, *twins], [*plain, *twin_texts], vocabulary.tokenizer, are_swapped=False),
        make_examples([*items, *twins], [*marked, *twin_texts], vocabulary.tokenizer, are_swapped=True),
    ]
    learn(encoder, prepare(encoder, variants), recipe)
    return encoder, vocabulary.tokenizer


def adapt(
    encoder: Encoder,
    tokenizer: Tokenizer,
    corpus: Sequence[Item],
    real: Sequence[Item],
    sentences: Sequence[EventSentence],
    scorer: Scorer,
) -> tuple[list[Judged], list[tuple[EventSentence, Judgement]]]:
    """Learn from real texts and sentences in place. Returns what encoders that had not seen them say of them."""
    rng = random.Random(ADAPTATION.seed)
    written = [item for item in corpus if item.part == "train"]
    natural = [item for item in written if item.is_natural]
    others = [item for item in written if not item.is_natural]
    items = [*real, *rng.sample(natural, N_REPLAYED), *rng.sample(others, N_REPLAYED)]
    plain, marked = mark_items(items, scorer, rng)
    acts = make_event_examples(sentences, tokenizer, are_swapped=False)
    swapped_acts = make_event_examples(sentences, tokenizer, are_swapped=True)
    lesson = prepare(
        encoder,
        [
            [*make_examples(items, plain, tokenizer, are_swapped=False), *acts],
            [*make_examples(items, marked, tokenizer, are_swapped=True), *swapped_acts],
        ],
    )
    replayed = range(len(real), len(items))

    def without(fold: int | None) -> list[int]:
        texts = [i for i, item in enumerate(real) if fold_of(item.story) != fold]
        told = [i for i, sentence in enumerate(sentences, len(items)) if fold_of(sentence.id) != fold]
        return [*texts * REAL_WEIGHT, *told * EVENT_WEIGHT, *replayed]

    judged: list[Judged] = []
    told: list[tuple[EventSentence, Judgement]] = []
    for fold in range(N_FOLDS):
        pupil = copy.deepcopy(encoder)
        learn(pupil, lesson.part(without(fold)), ADAPTATION)
        judged += judge_in_torch([item for item in real if fold_of(item.story) == fold], pupil, tokenizer, scorer)
        unseen = [i for i, sentence in enumerate(sentences) if fold_of(sentence.id) == fold]
        told += zip([sentences[i] for i in unseen], judge(pupil, [acts[i] for i in unseen]), strict=True)
    learn(encoder, lesson.part(without(None)), ADAPTATION)
    return judged, told


def judge_in_torch(items: Sequence[Item], encoder: Encoder, tokenizer: Tokenizer, scorer: Scorer) -> list[Judged]:
    found = [(item, scorer.gate.read(item.title, item.text, item.lang)) for item in items]
    opened = [(item, reading) for item, reading in found if reading.is_open]
    marked = [mark_reading(reading, scorer.codebook.sides) for _, reading in opened]
    examples = make_examples([item for item, _ in opened], marked, tokenizer, are_swapped=False)
    return [
        weigh_item(item, reading, judgement, scorer)
        for (item, reading), judgement in zip(opened, judge(encoder, examples), strict=True)
    ]


def mark_items(items: Iterable[Item], scorer: Scorer, rng: random.Random) -> tuple[list[MarkedText], list[MarkedText]]:
    """The texts that the encoder learns from, with some names forgotten, and with all of them."""
    readings = [read_item(item, scorer) for item in items]
    plain = [mark_reading(forget_names(reading, rng), scorer.codebook.sides) for reading in readings]
    return plain, [mark_reading(reading, scorer.codebook.sides) for reading in readings]


def read_item(item: Item, scorer: Scorer) -> Reading:
    """An item with its sentences, also where the gate is shut: a missing name must not cost a training example."""
    reading = scorer.gate.read(item.title, item.text, item.lang)
    return reading if reading.sentences else replace(reading, sentences=scorer.gate.passages(item.text))


def forget_names(reading: Reading, rng: random.Random) -> Reading:
    """Some mentions go unmarked, as names do that the codebook does not know: the encoder must live with it."""
    return replace(
        reading,
        title=_forget(reading.title, rng),
        sentences=tuple(_forget(passage, rng) for passage in reading.sentences),
    )


def _forget(passage: Passage, rng: random.Random) -> Passage:
    return replace(passage, mentions=tuple(m for m in passage.mentions if rng.random() >= UNKNOWN_NAMES))


if __name__ == "__main__":
    main()
