"""What word lists and the trained encoder say of an article in, its verdict out, by five models with named inputs.

The encoder has read the article as a whole, but knows no base rates of real news and may be surer than it should be.
The models that weigh it (`combination.csv` beside its weights) were fitted on texts that it had not seen.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from include.newswatch.model import SettingsError
from include.newswatch.scoring.codebook import BOTH, EventWord
from include.newswatch.scoring.encoder import (
    DIRECTIONS,
    Encoder,
    EventProbability,
    Judgement,
    SentenceProbabilities,
)
from include.newswatch.scoring.gate import TITLE_NO, Reading
from include.newswatch.scoring.judge import (
    EventGuess,
    SentenceJudgement,
    Verdict,
    Weights,
    direction_inputs,
    direction_of,
    goldstein_of,
    logistic,
    relevance_inputs,
)
from include.newswatch.scoring.marking import mark_reading

Key = TypeVar("Key", int, str)
MODELS = ("touches", "mains", "positive", "negative", "strong")
# Fitted on the dev part of the corpus, for the best mean F1 of the sets: events .37 at .4, .54 at .15.
EVENT_PROBABILITY = 0.15
THEME_PROBABILITY = 0.3
EVIDENCE_PROBABILITY = 0.3
MAX_EVENTS, MAX_THEMES, MAX_EVIDENCE = 4, 4, 4


@dataclass(frozen=True, slots=True)
class EncoderJudge:
    """The encoder of one dyad with what weighs it. sides: in the codebook's order, they become [A] and [B]."""

    encoder: Encoder
    sides: tuple[str, str]
    combination: Weights
    event_types: dict[str, EventWord]

    @property
    def version(self) -> str:
        return f"encoder-{self.encoder.version}"

    def judge(
        self, reading: Reading, words: Sequence[SentenceJudgement], word_weights: Weights
    ) -> tuple[tuple[SentenceJudgement, ...], Verdict]:
        """Judge an article whose gate is open. words, word_weights: the word lists' judgements and their models.

        Returns the sentences as the encoder sees them, with modality and notes of the word lists, and the verdict.
        """
        judgement = self.encoder.judge([mark_reading(reading, self.sides)])[0]
        verdict = self.weigh(article_inputs(reading, words, word_weights, judgement), judgement)
        said = {judgement.no: judgement for judgement in words}
        return tuple(self._sentence(sentence, said.get(sentence.no)) for sentence in judgement.sentences), verdict

    def _sentence(self, sentence: SentenceProbabilities, words: SentenceJudgement | None) -> SentenceJudgement:
        words = words or SentenceJudgement(sentence.no, 0.0, 0.0, "asserted")
        mean = sum(step * share for step, share in zip(DIRECTIONS, sentence.direction, strict=True))
        events = tuple(self._guess(event) for event in sentence.events if event.probability >= EVENT_PROBABILITY)
        return replace(words, tie=sentence.evidence, direction=sentence.evidence * mean, events=events)

    def weigh(self, inputs: dict[str, float], judgement: Judgement) -> Verdict:
        relevance = logistic(inputs, self.combination["touches"])
        if relevance < 0.5:
            return Verdict(relevance, 0, inputs=inputs)
        direction_class = direction_of(inputs, self.combination)
        events = self._events(judgement)
        return Verdict(
            relevance=relevance,
            relevance_class=2 if logistic(inputs, self.combination["mains"]) >= 0.5 else 1,
            direction_class=direction_class,
            direction=goldstein_of(direction_class, events),
            events=events,
            themes=_likely(judgement.themes, THEME_PROBABILITY, MAX_THEMES),
            evidence=choose_evidence(judgement.sentences),
            inputs=inputs,
        )

    def _events(self, judgement: Judgement) -> tuple[tuple[EventGuess, int], ...]:
        """Each likely type once, with the sentence that it is likeliest in; the likeliest type first."""
        found = [(event, sentence.no) for sentence in judgement.sentences for event in sentence.events]
        likely = [(event, no) for event, no in found if event.probability >= EVENT_PROBABILITY]
        best: dict[str, tuple[EventGuess, int]] = {}
        for event, no in sorted(likely, key=lambda pair: (-pair[0].probability, pair[1])):
            best.setdefault(event.type, (self._guess(event), no))
        return tuple(best.values())[:MAX_EVENTS]

    def _guess(self, event: EventProbability) -> EventGuess:
        word = self.event_types[event.type]
        first, second = self.sides
        source, target = {"A>B": (first, second), "B>A": (second, first)}.get(event.way, (BOTH, BOTH))
        return EventGuess(event.type, word.quad, word.goldstein, word.step, source, target, event.probability)


def load_encoder_judge(folder: Path, sides: tuple[str, str], event_types: dict[str, EventWord]) -> EncoderJudge:
    """Load a folder of weights.

    Raises:
        SettingsError: a file is missing or wrong.
    """
    return EncoderJudge(Encoder.load(folder), sides, read_combination(folder / "combination.csv"), event_types)


def read_combination(path: Path) -> Weights:
    """Rows of model, input, weight; each of MODELS must be there."""
    if not path.is_file():
        raise SettingsError(f"{path}: missing")
    weights: Weights = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            weights.setdefault(row["model"], {})[row["input"]] = float(row["weight"])
    missing = [model for model in MODELS if model not in weights]
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
        "evidence.best": log_odds(max((sentence.evidence for sentence in judgement.sentences), default=0.0)),
        **{f"words.{model}": log_odds(logistic(said, word_weights[model])) for model in MODELS},
        "title.both": said["title.both"],
        "strong.share": said["strong.share"],
        "sentences": said["sentences"],
    }


def choose_evidence(sentences: Sequence[SentenceProbabilities]) -> tuple[int, ...]:
    """The sentences of the text that likely show the judgement; the likeliest one always."""
    body = {sentence.no: sentence.evidence for sentence in sentences if sentence.no != TITLE_NO}
    return tuple(sorted(_likely(body, EVIDENCE_PROBABILITY, MAX_EVIDENCE)))


def _likely(probabilities: dict[Key, float], least: float, most: int) -> tuple[Key, ...]:
    """The keys from a probability on, the likeliest first and always."""
    ranked = sorted(probabilities, key=lambda key: -probabilities[key])[:most]
    return tuple(key for i, key in enumerate(ranked) if i == 0 or probabilities[key] >= least)


def log_odds(probability: float) -> float:
    clipped = min(max(probability, 1e-4), 1 - 1e-4)
    return math.log(clipped / (1 - clipped))
