"""Texts that the encoder has not seen in, `combination.csv` out: how its word, the word lists' and the layout count.

The dev part of the corpus is balanced over hard cases; real news is not. Further labelled files (id, lang, title, text,
relevance, direction) bring in the base rates of real news, with as many votes in all as the dev part.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from include.newswatch.scoring import Scorer
from include.newswatch.scoring.codebook import Codebook
from include.newswatch.scoring.encoded import (
    MAX_EVENTS,
    MAX_EVIDENCE,
    MAX_THEMES,
    MODELS,
    THRESHOLD,
    Inputs,
    Key,
    article_inputs,
    choose,
    event_inputs,
    evidence_inputs,
    themes_inputs,
)
from include.newswatch.scoring.encoder import Encoder, Judgement
from include.newswatch.scoring.gate import Reading
from include.newswatch.scoring.judge import SentenceJudgement, Weights, direction_of
from include.newswatch.scoring.marking import mark_reading
from training.calibrate import fit_model
from training.corpus import NATURAL, Item

BUILD = ("title.both", "strong.share", "sentences", "both.named")
RELEVANCE_INPUTS = (
    "encoder.touches",
    "encoder.mains",
    "evidence.best",
    "words.touches",
    *BUILD,
    "headline",
    "thirds",
    "title.none",
)
DIRECTION_INPUTS = (
    *("encoder.positive", "encoder.negative", "words.positive", "words.negative"),
    *("sentences.positive", "sentences.negative"),
)
INPUTS = {
    "touches": RELEVANCE_INPUTS,
    "mains": ("encoder.mains", "words.mains", "evidence.best", *BUILD),
    "positive": DIRECTION_INPUTS,
    "negative": DIRECTION_INPUTS,
    "strong": ("encoder.strong", "words.strong"),
}
N_FOLDS = 5
THRESHOLDS = tuple(round(0.1 + 0.02 * step, 2) for step in range(26))


@dataclass(frozen=True, slots=True)
class Judged:
    """A labelled text whose gate is open, what word lists and encoder say, and the named inputs of the combination."""

    item: Item
    reading: Reading
    words: tuple[SentenceJudgement, ...]
    judgement: Judgement
    inputs: Inputs


def read_items(path: Path) -> tuple[Item, ...]:
    """Labelled texts of others: id, lang, title, text, relevance, direction. They have no story but themselves."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return tuple(
        Item(
            id=row["id"],
            lang=row["lang"],
            date=row.get("date", ""),
            title=row["title"],
            text=row["text"],
            relevance=row["relevance"],
            direction=row["direction"],
            events=(),
            themes=(),
            actors=(),
            evidence=(),
            capability="",
            genre=NATURAL,
            story=row["id"],
        )
        for row in rows
    )


def judge_items(items: Iterable[Item], scorer: Scorer, encoder: Encoder) -> list[Judged]:
    """Items whose gate is shut are left out: no encoder ever sees them."""
    judged = []
    for item in items:
        reading = scorer.gate.read(item.title, item.text, item.lang)
        if reading.is_open:
            judgement = encoder.judge([mark_reading(reading, scorer.codebook.sides)])[0]
            judged.append(weigh_item(item, reading, judgement, scorer))
    return judged


def weigh_item(item: Item, reading: Reading, judgement: Judgement, scorer: Scorer) -> Judged:
    words = scorer.judge.judge(reading)
    return Judged(item, reading, words, judgement, article_inputs(reading, words, scorer.codebook.weights, judgement))


def fold_of(key: str) -> int:
    """Which fifth a text belongs to, by its story, or a sentence, by its id."""
    return int(hashlib.sha256(key.encode()).hexdigest()[-6:], 16) % N_FOLDS


def fit_combination(dev: Sequence[Judged], real: Sequence[Judged], codebook: Codebook) -> Weights:
    """Ridge logistic models. `dev` and `real` have equal votes in all; what sets hold is labelled in `dev` alone."""
    share = len(dev) / len(real) if real else 1.0
    votes = [(found, 1.0) for found in dev] + [(found, share) for found in real]
    related = [(found, vote) for found, vote in votes if found.item.relevance]
    labels = {
        "touches": [(found.inputs, found.item.relevance > 0, vote) for found, vote in votes],
        "mains": [(found.inputs, found.item.relevance == 2, vote) for found, vote in related],
        "positive": [(found.inputs, (found.item.direction or 0) > 0, vote) for found, vote in related],
        "negative": [(found.inputs, (found.item.direction or 0) < 0, vote) for found, vote in related],
        "strong": [
            (found.inputs, abs(found.item.direction) == 2, vote) for found, vote in related if found.item.direction
        ],
    }
    models = {
        model: fit_model(
            [({name: inputs[name] for name in INPUTS[model]}, label, vote) for inputs, label, vote in labels[model]]
        )
        for model in MODELS
    }
    return models | fit_sets([found for found in dev if found.item.relevance], models, codebook)


def fit_sets(dev: Sequence[Judged], models: Weights, codebook: Codebook) -> Weights:
    """What decides on single events, themes and sentences, with the threshold of the best mean F1 of the sets."""
    types = codebook.event_types
    events = [
        (
            event_inputs(found.words, found.judgement, types, direction_of(found.inputs, models)),
            frozenset(act.type for act in found.item.events),
        )
        for found in dev
    ]
    themes = [
        (themes_inputs(found.words, codebook.weights, found.judgement), frozenset(found.item.themes)) for found in dev
    ]
    evidence = [
        (evidence_inputs(found.reading, found.words, found.judgement), frozenset(found.item.evidence))
        for found in dev
        if found.item.text
    ]
    return {
        "event": fit_set(events, MAX_EVENTS, 0),
        "theme": fit_set(themes, MAX_THEMES, 1),
        "evidence": fit_set(evidence, MAX_EVIDENCE, 1),
    }


def fit_set(texts: Sequence[tuple[dict[Key, Inputs], frozenset[Key]]], most: int, least: int) -> dict[str, float]:
    """texts: for each candidate of a text its inputs, and the right set. An empty set counts as one of its own kind."""
    model = fit_model([(found[key], key in right, 1.0) for found, right in texts for key in found])

    def mean_f1(threshold: float) -> float:
        tried = model | {THRESHOLD: threshold}
        return sum(set_f1(right, frozenset(choose(found, tried, most, least))) for found, right in texts) / len(texts)

    return model | {THRESHOLD: max(THRESHOLDS, key=mean_f1)}


def set_f1(right: frozenset[Key], said: frozenset[Key]) -> float:
    if not right and not said:
        return 1.0
    return 2 * len(right & said) / (len(right) + len(said))


def write_combination(path: Path, weights: Weights) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("model", "input", "weight"))
        writer.writerows((model, name, value) for model, found in weights.items() for name, value in found.items())
