"""Sentence judgements in, the judgement of the article out, by a small model with named inputs. Pure.

Who judges the sentences is of no matter here: word lists or a trained encoder, both answer with SentenceJudgement.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from include.newswatch.scoring.gate import TITLE_NO, Reading

Modality = Literal["asserted", "denied", "hypothetical", "alleged", "past", "third_party", "toward_third", "figures"]


@dataclass(frozen=True, slots=True)
class EventGuess:
    """An act between the two sides in one sentence. step: -2..2; goldstein: -10..10; probability: 0..1."""

    type: str
    quad: str
    goldstein: float
    step: int
    source: str
    target: str
    probability: float = 1.0


@dataclass(frozen=True, slots=True)
class SentenceJudgement:
    """What one sentence says of the two.

    tie: 0..1, how likely it asserts or asks about a tie between them. direction: -2..2, what its acts make of the
    relation, 0 when nothing is asserted. markers: labels of markers.csv found in it. notes: what it rests on.
    """

    no: int
    tie: float
    direction: float
    modality: Modality
    events: tuple[EventGuess, ...] = ()
    themes: tuple[str, ...] = ()
    markers: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


class SentenceJudge(Protocol):
    """Judges the focus sentences of one article together, in order."""

    @property
    def version(self) -> str: ...

    def judge(self, reading: Reading) -> tuple[SentenceJudgement, ...]: ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgement of an article. inputs: the named numbers it was made of, for the explanation."""

    relevance: float
    relevance_class: int
    direction_class: int | None
    direction: float | None
    events: tuple[tuple[EventGuess, int], ...]
    evidence: tuple[int, ...]
    inputs: dict[str, float]


def judge_article(
    reading: Reading, judgements: Sequence[SentenceJudgement], weights: dict[str, dict[str, float]]
) -> Verdict:
    """Weigh the sentences of an article whose gate is open.

    weights: the rows of weights.csv by model: `touches` and `mains` are logistic models over the named inputs.
    """
    inputs = relevance_inputs(reading, judgements)
    touches = logistic(inputs, weights["touches"])
    mains = logistic(inputs, weights["mains"])
    relevance_class = 0 if touches < 0.5 else 2 if mains >= 0.5 else 1
    if not relevance_class:
        return Verdict(touches, 0, None, None, (), (), inputs)
    direction = direction_inputs(judgements)
    inputs |= direction
    value = direction["direction.mean"]
    direction_class = direction_step(value)
    ranked = sorted(judgements, key=lambda j: (-(j.tie + 0.3 * (j.direction * direction_class > 0)), j.no))
    evidence = tuple(sorted(j.no for j in ranked if j.no != TITLE_NO)[:1])
    events = [
        (event, judgement.no)
        for judgement in judgements
        if judgement.modality in ("asserted", "alleged")
        for event in judgement.events
        if event.step == 0 or event.step * direction_class > 0
    ]
    return Verdict(touches, relevance_class, direction_class, goldstein_of(direction_class, events), tuple(events), evidence, inputs)


def logistic(inputs: dict[str, float], weights: dict[str, float]) -> float:
    """Probability by a logistic model; inputs that have no weight do not count."""
    total = weights.get("intercept", 0.0) + sum(weights.get(name, 0.0) * value for name, value in inputs.items())
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, total))))


def relevance_inputs(reading: Reading, judgements: Sequence[SentenceJudgement]) -> dict[str, float]:
    """The named numbers that relevance rests on."""
    body = [judgement for judgement in judgements if judgement.no != TITLE_NO]
    bonds = {focus.no: focus.bond for focus in reading.focuses}
    ties = sorted((judgement.tie for judgement in judgements), reverse=True)
    n_sentences = max(1, len(reading.sentences))
    strong = [judgement for judgement in body if bonds[judgement.no] in ("sentence", "carried")]
    return {
        "tie.best": ties[0] if ties else 0.0,
        "tie.second": ties[1] if len(ties) > 1 else 0.0,
        "tie.share": min(1.0, sum(ties) / n_sentences),
        "strong.share": len(strong) / n_sentences,
        "title.both": float(bool(reading.title.sides) and bonds.get(TITLE_NO) == "sentence"),
        "title.pair": float(reading.title.is_pair),
        "lead.both": float(bonds.get(0) in ("sentence", "carried")),
        "pair.words": math.log1p(sum(passage.is_pair for passage in reading.sentences)),
        "references": math.log1p(sum(passage.is_reference for passage in reading.sentences)),
        "strong.count": math.log1p(len(strong)),
        "sentences": math.log1p(n_sentences),
        "thirds": math.log1p(sum(passage.n_thirds for passage in reading.sentences)),
    }


def direction_inputs(judgements: Sequence[SentenceJudgement]) -> dict[str, float]:
    """The named numbers that the direction rests on."""
    weighted = [(judgement.tie, judgement.direction) for judgement in judgements if judgement.direction]
    total = sum(weight for weight, _ in weighted)
    return {"direction.mean": sum(weight * value for weight, value in weighted) / total if total else 0.0}


def direction_step(value: float) -> int:
    """The class of a mean direction: beyond ±.25 it has a sign, beyond ±1.35 it is strong."""
    size = 2 if abs(value) >= 1.35 else 1 if abs(value) >= 0.25 else 0
    return size if value > 0 else -size


def goldstein_of(direction_class: int, events: Sequence[tuple[EventGuess, int]]) -> float:
    """The mean Goldstein value of the events that carry the direction; the middle of the class when there are none."""
    if not direction_class:
        return 0.0
    values = [event.goldstein for event, _ in events if event.goldstein * direction_class > 0]
    return round(sum(values) / len(values), 2) if values else 4.0 * direction_class
