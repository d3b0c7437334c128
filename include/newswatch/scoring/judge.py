"""Sentence judgements in, the judgement of the article out, by a small model with named inputs. Pure.

Who judges the sentences is of no matter here: word lists or a trained encoder, both answer with SentenceJudgement.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
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
    relation, 0 when nothing is asserted. themes: with a weight each. markers: labels of markers.csv found in it.
    notes: the words it rests on.
    """

    no: int
    tie: float
    direction: float
    modality: Modality
    events: tuple[EventGuess, ...] = ()
    themes: dict[str, float] = field(default_factory=dict)
    markers: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


class SentenceJudge(Protocol):
    """Judges the focus sentences of one article together, in order."""

    @property
    def version(self) -> str: ...

    def judge(self, reading: Reading) -> tuple[SentenceJudgement, ...]: ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgement of an article. inputs: the named numbers it was made of, for the explanation.

    events: each with the number of its sentence. evidence: sentence numbers.
    """

    relevance: float
    relevance_class: int
    direction_class: int | None = None
    direction: float | None = None
    events: tuple[tuple[EventGuess, int], ...] = ()
    themes: tuple[str, ...] = ()
    evidence: tuple[int, ...] = ()
    inputs: dict[str, float] = field(default_factory=dict)


Weights = dict[str, dict[str, float]]
ASSERTED: tuple[Modality, ...] = ("asserted", "alleged", "figures")
MAX_EVENTS, MAX_THEMES, MAX_EVIDENCE = 3, 3, 3
# An event is reported when its probability comes this near to that of the likeliest one.
EVENT_SHARE = 0.6
# A theme is reported from this probability on; the likeliest one always, for every tie lies in some field.
THEME_PROBABILITY = 0.4
THEME_MODEL = "theme."


def judge_article(reading: Reading, judgements: Sequence[SentenceJudgement], weights: Weights) -> Verdict:
    """Weigh the sentences of an article whose gate is open.

    weights: weights.csv by model. `touches` and `mains` are logistic models of relevance 1 and 2, `positive`,
    `negative` and `strong` of the direction.
    """
    inputs = relevance_inputs(reading, judgements)
    relevance = logistic(inputs, weights["touches"])
    if relevance < 0.5:
        return Verdict(relevance, 0, inputs=inputs)
    inputs |= direction_inputs(reading, judgements)
    direction_class = direction_of(inputs, weights)
    events = choose_events(judgements, direction_class)
    return Verdict(
        relevance=relevance,
        relevance_class=2 if logistic(inputs, weights["mains"]) >= 0.5 else 1,
        direction_class=direction_class,
        direction=goldstein_of(direction_class, events),
        events=events,
        themes=choose_themes(theme_inputs(judgements), weights),
        evidence=choose_evidence(judgements, direction_class),
        inputs=inputs,
    )


def logistic(inputs: dict[str, float], weights: dict[str, float]) -> float:
    """Probability by a logistic model; inputs that have no weight do not count."""
    total = weights.get("intercept", 0.0) + sum(weights.get(name, 0.0) * value for name, value in inputs.items())
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, total))))


def relevance_inputs(reading: Reading, judgements: Sequence[SentenceJudgement]) -> dict[str, float]:
    """The named numbers that relevance rests on: shares are of the sentences, counts are logarithms."""
    bonds = {focus.no: focus.bond for focus in reading.focuses}
    body = [judgement for judgement in judgements if judgement.no != TITLE_NO]
    strong = [judgement for judgement in body if bonds[judgement.no] in ("sentence", "carried")]
    ties = [*sorted((judgement.tie for judgement in judgements), reverse=True), 0.0, 0.0]
    n_sentences = max(1, len(reading.sentences))
    n_thirds = sum(passage.n_thirds for passage in (reading.title, *reading.sentences))
    return {
        "tie.best": ties[0],
        "tie.second": ties[1],
        "tie.title": sum(judgement.tie for judgement in judgements if judgement.no == TITLE_NO),
        "tie.first": sum(judgement.tie for judgement in body if judgement.no == 0),
        "tie.share": min(1.0, sum(judgement.tie for judgement in body) / n_sentences),
        "strong.share": len(strong) / n_sentences,
        "strong.count": math.log1p(len(strong)),
        "title.both": float(bonds.get(TITLE_NO) == "sentence"),
        "title.none": float(not reading.title.sides),
        "pair.words": math.log1p(sum(passage.is_pair for passage in reading.sentences)),
        "both.named": float(len(reading.sides) == 2),
        "references": math.log1p(sum(passage.is_reference for passage in reading.sentences)),
        "sentences": math.log1p(n_sentences),
        "thirds": math.log1p(n_thirds),
        "acts.share": sum(bool(judgement.events) for judgement in strong) / n_sentences,
        "sport.share": sum("sport" in judgement.markers for judgement in body) / n_sentences,
        "list.share": sum("list" in judgement.markers for judgement in body) / n_sentences,
        "past.share": sum(judgement.modality == "past" for judgement in body) / n_sentences,
    }


def direction_inputs(reading: Reading, judgements: Sequence[SentenceJudgement]) -> dict[str, float]:
    """The named numbers that the direction rests on. Sentences count by their tie; the last one and the title twice."""
    total = sum(judgement.tie for judgement in judgements) or 1.0
    inputs = {
        "said.positive": sum(j.tie * max(0.0, j.direction) for j in judgements) / total,
        "said.negative": sum(j.tie * max(0.0, -j.direction) for j in judgements) / total,
    }
    for modality in ("denied", "hypothetical", "past", "figures", "alleged"):
        share = sum(judgement.tie for judgement in judgements if judgement.modality == modality) / total
        inputs[f"mode.{modality}"] = share
    places = {"title": judgements[:1] if reading.focuses[0].no == TITLE_NO else (), "last": judgements[-1:]}
    places["best"] = [max(judgements, key=lambda j: (j.tie, -j.no))]
    places["conclusion"] = [judgement for judgement in judgements if "conclusion" in judgement.markers][-1:]
    for place, found in places.items():
        direction = sum(judgement.direction for judgement in found)
        inputs[f"{place}.positive"], inputs[f"{place}.negative"] = max(0.0, direction), max(0.0, -direction)
    steps = [abs(event.step) for judgement in judgements for event in judgement.events]
    inputs["steps.strong"] = sum(step == 2 for step in steps) / max(1, len(steps))
    inputs["acts.none"] = float(not steps)
    return inputs


def direction_of(inputs: dict[str, float], weights: Weights) -> int:
    """The class -2..2 by three logistic models: is it positive, is it negative, is it strong."""
    positive, negative = logistic(inputs, weights["positive"]), logistic(inputs, weights["negative"])
    if max(positive, negative) < 0.5:
        return 0
    size = 2 if logistic(inputs, weights["strong"]) >= 0.5 else 1
    return size if positive >= negative else -size


def choose_events(judgements: Sequence[SentenceJudgement], direction_class: int) -> tuple[tuple[EventGuess, int], ...]:
    """The asserted acts that carry the story, the likeliest first: those that agree with the direction."""
    best: dict[str, tuple[float, EventGuess, int]] = {}
    for judgement in judgements:
        if judgement.modality not in ASSERTED:
            continue
        for event in judgement.events:
            weight = judgement.tie * event.probability
            if weight > best.get(event.type, (0.0,))[0]:
                best[event.type] = (weight, event, judgement.no)
    agreeing = [found for found in best.values() if found[1].step * direction_class > 0]
    ranked = sorted(agreeing, key=lambda found: (-found[0], found[1].type))
    top = ranked[0][0] if ranked else 0.0
    return tuple((event, no) for weight, event, no in ranked[:MAX_EVENTS] if weight >= EVENT_SHARE * top)


def theme_inputs(judgements: Sequence[SentenceJudgement]) -> dict[str, float]:
    """The named numbers that themes rest on: words of each theme, acts of each type, weighed by the ties."""
    totals: dict[str, float] = {}
    for judgement in judgements:
        for theme, weight in judgement.themes.items():
            totals[f"words.{theme}"] = totals.get(f"words.{theme}", 0.0) + judgement.tie * weight
        for event in judgement.events:
            totals[f"act.{event.type}"] = totals.get(f"act.{event.type}", 0.0) + judgement.tie * event.probability
    return {name: math.log1p(value) for name, value in totals.items()}


def choose_themes(inputs: dict[str, float], weights: Weights) -> tuple[str, ...]:
    """The likely themes, the likeliest first: one logistic model each (`theme.trade`, ...)."""
    likely = {
        model.removeprefix(THEME_MODEL): logistic(inputs, found)
        for model, found in weights.items()
        if model.startswith(THEME_MODEL)
    }
    ranked = sorted(likely, key=lambda theme: (-likely[theme], theme))[:MAX_THEMES]
    return tuple(theme for theme in ranked if theme == ranked[0] or likely[theme] >= THEME_PROBABILITY)


def choose_evidence(judgements: Sequence[SentenceJudgement], direction_class: int) -> tuple[int, ...]:
    """The smallest set of sentences that shows relevance and direction: the best tie, then those as good as it."""

    def worth(judgement: SentenceJudgement) -> float:
        return judgement.tie * (1.0 + 0.4 * (judgement.direction * direction_class > 0))

    body = sorted((j for j in judgements if j.no != TITLE_NO), key=lambda j: (-worth(j), j.no))
    near = [judgement.no for judgement in body[:MAX_EVIDENCE] if worth(judgement) >= 0.85 * worth(body[0])]
    return tuple(sorted(near))


def goldstein_of(direction_class: int, events: Sequence[tuple[EventGuess, int]]) -> float:
    """The mean Goldstein value of the events that carry the direction; the middle of the class when there are none."""
    if not direction_class:
        return 0.0
    values = [event.goldstein for event, _ in events if event.goldstein * direction_class > 0]
    return round(sum(values) / len(values), 2) if values else 4.0 * direction_class
