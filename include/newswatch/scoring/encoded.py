"""What word lists and the trained encoder say of an article in, its verdict out, by five models with named inputs.

The encoder has read the article as a whole, but knows no base rates of real news and may be surer than it should be.
The models that weigh it (`combination.csv` beside its weights) were fitted on texts that it had not seen.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from include.newswatch.model import SettingsError
from include.newswatch.scoring.codebook import BOTH, Codebook, EventWord
from include.newswatch.scoring.encoder import (
    DIRECTIONS,
    Encoder,
    EventProbability,
    Judgement,
    SentenceProbabilities,
)
from include.newswatch.scoring.gate import TITLE_NO, Reading
from include.newswatch.scoring.judge import (
    THEME_MODEL,
    EventGuess,
    SentenceJudgement,
    Verdict,
    Weights,
    direction_inputs,
    direction_of,
    goldstein_of,
    logistic,
    relevance_inputs,
    theme_inputs,
)
from include.newswatch.scoring.marking import mark_reading

Key = TypeVar("Key", int, str)
MODELS = ("touches", "mains", "positive", "negative", "strong")
# One model each for all types, all themes, all sentences; its row `threshold` says from which probability on.
SET_MODELS = ("event", "theme", "evidence")
THRESHOLD = "threshold"
# What the gate and the word lists saw of the article's build.
LAYOUT = ("title.both", "title.none", "both.named", "strong.share", "sentences", "thirds", "list.share")
SHOWN_PROBABILITY = 0.15  # of an act of one sentence, in explanations
MAX_EVENTS, MAX_THEMES, MAX_EVIDENCE = 4, 4, 4
NO_WORDS = {"intercept": -4.0}  # a theme that no fitting text had
Inputs = dict[str, float]


@dataclass(frozen=True, slots=True)
class EncoderJudge:
    """The encoder of one dyad with what weighs it. The codebook's sides, in its order, become [A] and [B]."""

    encoder: Encoder
    codebook: Codebook
    combination: Weights

    @property
    def version(self) -> str:
        return f"encoder-{self.encoder.version}"

    def judge(
        self, reading: Reading, words: Sequence[SentenceJudgement]
    ) -> tuple[tuple[SentenceJudgement, ...], Verdict]:
        """Judge an article whose gate is open. words: the word lists' judgements.

        Returns the sentences as the encoder sees them, with modality and notes of the word lists, and the verdict.
        """
        judgement = self.encoder.judge([mark_reading(reading, self.codebook.sides)])[0]
        verdict = weigh(reading, words, judgement, self.codebook, self.combination)
        said = {judgement.no: judgement for judgement in words}
        return tuple(self._sentence(sentence, said.get(sentence.no)) for sentence in judgement.sentences), verdict

    def _sentence(self, sentence: SentenceProbabilities, words: SentenceJudgement | None) -> SentenceJudgement:
        words = words or SentenceJudgement(sentence.no, 0.0, 0.0, "asserted")
        mean = sum(step * share for step, share in zip(DIRECTIONS, sentence.direction, strict=True))
        likely = (event for event in sentence.events if event.probability >= SHOWN_PROBABILITY)
        events = tuple(_guess(event, self.codebook) for event in likely)
        return replace(words, tie=sentence.evidence, direction=sentence.evidence * mean, events=events)


def weigh(
    reading: Reading, words: Sequence[SentenceJudgement], judgement: Judgement, codebook: Codebook, models: Weights
) -> Verdict:
    """What follows from the encoder's and the word lists' judgements by the models of a combination."""
    inputs = article_inputs(reading, words, codebook.weights, judgement)
    relevance = logistic(inputs, models["touches"])
    if relevance < 0.5:
        return Verdict(relevance, 0, inputs=inputs)
    direction_class = direction_of(inputs, models)
    types = choose(event_inputs(words, judgement, codebook.event_types, direction_class), models["event"], MAX_EVENTS)
    events = _events(types, judgement, codebook)
    return Verdict(
        relevance=relevance,
        relevance_class=2 if logistic(inputs, models["mains"]) >= 0.5 else 1,
        direction_class=direction_class,
        direction=goldstein_of(direction_class, events),
        events=events,
        themes=choose(themes_inputs(words, codebook.weights, judgement), models["theme"], MAX_THEMES, least=1),
        evidence=tuple(
            sorted(choose(evidence_inputs(reading, words, judgement), models["evidence"], MAX_EVIDENCE, least=1))
        ),
        inputs=inputs,
    )


def _events(types: Sequence[str], judgement: Judgement, codebook: Codebook) -> tuple[tuple[EventGuess, int], ...]:
    """Each type once, with the sentence that it is likeliest in."""
    found: dict[str, tuple[EventProbability, int]] = {}
    for sentence in judgement.sentences:
        for event in sentence.events:
            if event.type not in found or event.probability > found[event.type][0].probability:
                found[event.type] = event, sentence.no
    return tuple((_guess(found[kind][0], codebook), found[kind][1]) for kind in types)


def _guess(event: EventProbability, codebook: Codebook) -> EventGuess:
    word = codebook.event_types[event.type]
    first, second = codebook.sides
    source, target = {"A>B": (first, second), "B>A": (second, first)}.get(event.way, (BOTH, BOTH))
    return EventGuess(event.type, word.quad, word.goldstein, word.step, source, target, event.probability)


def load_encoder_judge(folder: Path, codebook: Codebook) -> EncoderJudge:
    """Load a folder of weights.

    Raises:
        SettingsError: a file is missing or wrong.
    """
    return EncoderJudge(_load_encoder(folder), codebook, read_combination(folder / "combination.csv"))


@lru_cache(maxsize=2)
def _load_encoder(folder: Path) -> Encoder:
    """Kept, since several dyads may share one, and it is most of a worker's memory."""
    return Encoder.load(folder)


def read_combination(path: Path) -> Weights:
    """Rows of model, input, weight; each of MODELS must be there."""
    if not path.is_file():
        raise SettingsError(f"{path}: missing")
    weights: Weights = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            weights.setdefault(row["model"], {})[row["input"]] = float(row["weight"])
    missing = [model for model in (*MODELS, *SET_MODELS) if model not in weights]
    if missing:
        raise SettingsError(f"{path}: no model {', '.join(missing)}")
    return weights


def article_inputs(
    reading: Reading, words: Sequence[SentenceJudgement], word_weights: Weights, judgement: Judgement
) -> dict[str, float]:
    """The named numbers that the verdict rests on. `encoder.` and `words.` are log odds of what each says by itself."""
    said = relevance_inputs(reading, words)
    said |= direction_inputs(reading, words)
    _, touches, mains = judgement.relevance
    direction = dict(zip(DIRECTIONS, judgement.direction, strict=True))
    return {
        "encoder.touches": log_odds(touches + mains),
        "encoder.mains": log_odds(mains / (touches + mains)),
        "encoder.positive": log_odds(direction[1] + direction[2]),
        "encoder.negative": log_odds(direction[-1] + direction[-2]),
        "encoder.strong": log_odds(direction[2] + direction[-2]),
        **_sentence_stances(judgement),
        "evidence.best": log_odds(max((sentence.evidence for sentence in judgement.sentences), default=0.0)),
        **{f"words.{model}": log_odds(logistic(said, word_weights[model])) for model in MODELS},
        **{f"trait.{trait}": probability for trait, probability in judgement.traits.items()},
        **{name: said[name] for name in LAYOUT},
        "headline": float(not reading.sentences),
    }


def _sentence_stances(judgement: Judgement) -> Inputs:
    """How good and how bad the sentences are for the two, each by the evidence that it is."""
    total = sum(sentence.evidence for sentence in judgement.sentences) or 1.0
    good = sum(sentence.evidence * sum(sentence.direction[3:]) for sentence in judgement.sentences)
    bad = sum(sentence.evidence * sum(sentence.direction[:2]) for sentence in judgement.sentences)
    return {"sentences.positive": good / total, "sentences.negative": bad / total}


def event_inputs(
    words: Sequence[SentenceJudgement], judgement: Judgement, event_types: dict[str, EventWord], direction_class: int
) -> dict[str, Inputs]:
    """For each type of event the named numbers that it rests on."""
    said: dict[str, float] = {}
    for sentence in words:
        for event in sentence.events:
            said[event.type] = max(said.get(event.type, 0.0), sentence.tie * event.probability)
    best: dict[str, float] = {}
    for probable in (event for sentence in judgement.sentences for event in sentence.events):
        best[probable.type] = max(best.get(probable.type, 0.0), probable.probability)
    top = max(map(log_odds, judgement.events.values()))
    return {
        kind: {
            "encoder.article": log_odds(probability),
            "behind.best": top - log_odds(probability),
            "encoder.sentence": log_odds(best.get(kind, 0.0)),
            "words.act": said.get(kind, 0.0),
            "agrees": float(math.copysign(1, event_types[kind].step * direction_class)) if direction_class else 0.0,
        }
        for kind, probability in judgement.events.items()
    }


def themes_inputs(words: Sequence[SentenceJudgement], word_weights: Weights, judgement: Judgement) -> dict[str, Inputs]:
    """For each theme the named numbers that it rests on: what encoder and word lists say, as log odds."""
    said = theme_inputs(words)
    top = max(map(log_odds, judgement.themes.values()))
    return {
        theme: {
            "encoder.theme": log_odds(probability),
            "behind.best": top - log_odds(probability),
            "words.theme": log_odds(logistic(said, word_weights.get(THEME_MODEL + theme, NO_WORDS))),
        }
        for theme, probability in judgement.themes.items()
    }


def evidence_inputs(reading: Reading, words: Sequence[SentenceJudgement], judgement: Judgement) -> dict[int, Inputs]:
    """For each sentence of the text that the encoder saw, the named numbers that it rests on as evidence."""
    ties = {sentence.no: sentence.tie for sentence in words}
    bonds = {focus.no: focus.bond for focus in reading.focuses}
    body = [sentence for sentence in judgement.sentences if sentence.no != TITLE_NO]
    best = max((log_odds(sentence.evidence) for sentence in body), default=0.0)
    return {
        sentence.no: {
            "encoder.evidence": log_odds(sentence.evidence),
            "behind.best": best - log_odds(sentence.evidence),
            "words.tie": ties.get(sentence.no, 0.0),
            "names.both": float(bonds.get(sentence.no) == "sentence"),
            "first": float(sentence.no == 0),
            "last": float(sentence.no == len(reading.sentences) - 1),
        }
        for sentence in body
    }


def choose(found: dict[Key, Inputs], model: dict[str, float], most: int, least: int = 0) -> tuple[Key, ...]:
    """The keys that a model gives its threshold and more, the likeliest first; `least` of them always."""
    probabilities = {key: logistic(inputs, model) for key, inputs in found.items()}
    ranked = sorted(probabilities, key=lambda key: -probabilities[key])[:most]
    return tuple(key for i, key in enumerate(ranked) if i < least or probabilities[key] >= model[THRESHOLD])


def log_odds(probability: float) -> float:
    clipped = min(max(probability, 1e-4), 1 - 1e-4)
    return math.log(clipped / (1 - clipped))
