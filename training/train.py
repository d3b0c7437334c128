"""The corpus in, the weights of the pipeline out: `python -m training.train [--real LABELLED.jsonl ...]`.

1. the base encoder's weights are read and its vocabulary is cut;
2. the encoder learns from the train part and texts composed of it by rule, each also with its sides swapped;
3. it is exported to include/newswatch/scoring/weights/DYAD;
4. the exported encoder judges the dev part, and the models that weigh its word are fitted on that.

Labelled real texts given with --real never train the encoder: they only bring in the base rates of real news at step 4.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from tokenizers import Tokenizer

from include.newswatch.scoring import CODEBOOKS, ENCODERS, Scorer
from include.newswatch.scoring.codebook import read_codebook
from include.newswatch.scoring.encoder import Encoder as ExportedEncoder
from include.newswatch.scoring.gate import Passage, Reading
from include.newswatch.scoring.marking import MARKS, mark_reading
from training.base_weights import read_base_weights
from training.combine import fit_combination, judge_items, read_items, write_combination
from training.compose import Mixture, compose
from training.corpus import Item, load_corpus
from training.examples import make_examples
from training.export import export
from training.learn import Recipe, learn
from training.model import Encoder
from training.twins import make_twins, unzip
from training.vocabulary import cut_vocabulary

N_THREADS = 2
UNKNOWN_NAMES = 0.06  # the share of mentions that the encoder learns to do without


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--real", nargs="*", type=Path, default=[], metavar="FILE")
    parser.add_argument("--dyad", default="china_russia")
    parser.add_argument("--folder", type=Path, help="where the weights go instead")
    arguments = parser.parse_args()
    torch.set_num_threads(N_THREADS)
    scorer = Scorer(read_codebook(CODEBOOKS, arguments.dyad))
    folder = arguments.folder or ENCODERS / arguments.dyad
    corpus = load_corpus()
    encoder, tokenizer = train(corpus, scorer, Recipe())
    export(encoder, tokenizer, folder)
    combine(corpus, scorer, folder, arguments.real)


def train(corpus: Sequence[Item], scorer: Scorer, recipe: Recipe) -> tuple[Encoder, Tokenizer]:
    """Learn from the train part."""
    base = read_base_weights()
    written = [item for item in corpus if item.part == "train"]
    items = [*written, *compose(written, Mixture(), recipe.seed)]
    vocabulary = cut_vocabulary(base.pieces, (text for item in items for text in (item.title, item.text)))
    torch.manual_seed(recipe.seed)
    encoder = Encoder(base, vocabulary.old_ids, MARKS, recipe.n_frozen_layers)
    readings = [read_item(item, scorer) for item in items]
    rng = random.Random(recipe.seed)
    plain = [mark_reading(forget_names(reading, rng), scorer.codebook.sides) for reading in readings]
    marked = [mark_reading(reading, scorer.codebook.sides) for reading in readings]
    twins, twin_texts = unzip(make_twins(items, marked, scorer.codebook, recipe.seed))
    variants = [
        make_examples([*items, *twins], [*plain, *twin_texts], vocabulary.tokenizer, are_swapped=False),
        make_examples([*items, *twins], [*marked, *twin_texts], vocabulary.tokenizer, are_swapped=True),
    ]
    learn(encoder, variants, recipe)
    return encoder, vocabulary.tokenizer


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


def combine(corpus: Iterable[Item], scorer: Scorer, folder: Path, real: Iterable[Path]) -> None:
    """Fit what weighs the encoder's word on texts that it has not seen."""
    encoder = ExportedEncoder.load(folder)
    dev = judge_items((item for item in corpus if item.part == "dev"), scorer, encoder)
    others = judge_items((item for path in real for item in read_items(path)), scorer, encoder)
    write_combination(folder / "combination.csv", fit_combination(dev, others, scorer.codebook))


if __name__ == "__main__":
    main()
