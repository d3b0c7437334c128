"""Texts that the encoder has not seen in, `combination.csv` out: how its word, the word lists' and the layout count.

The dev part of the corpus is balanced over hard cases; real news is not. Further labelled files (id, lang, title, text,
relevance, direction) bring in the base rates of real news, with as many votes in all as the dev part.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from include.newswatch.scoring import Scorer
from include.newswatch.scoring.encoded import MODELS, article_inputs
from include.newswatch.scoring.encoder import Encoder, Judgement
from include.newswatch.scoring.gate import Reading
from include.newswatch.scoring.judge import Weights
from include.newswatch.scoring.marking import mark_reading
from training.calibrate import fit_model
from training.corpus import Item

RELEVANCE_INPUTS = ("encoder.touches", "evidence.best", "words.touches", "title.both", "strong.share", "sentences")
INPUTS = {
    "touches": RELEVANCE_INPUTS,
    "mains": ("encoder.mains", "words.mains", "title.both", "strong.share", "sentences"),
    "positive": ("encoder.positive", "encoder.negative", "words.positive", "words.negative"),
    "negative": ("encoder.positive", "encoder.negative", "words.positive", "words.negative"),
    "strong": ("encoder.strong", "words.strong"),
}


@dataclass(frozen=True, slots=True)
class Judged:
    """A labelled text whose gate is open, with what the encoder says of it and the named inputs of the combination."""

    item: Item
    reading: Reading
    judgement: Judgement
    inputs: dict[str, float]


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
            words = scorer.judge.judge(reading)
            inputs = article_inputs(reading, words, scorer.codebook.weights, judgement)
            judged.append(Judged(item, reading, judgement, inputs))
    return judged


def fit_combination(dev: Sequence[Judged], real: Sequence[Judged]) -> Weights:
    """Five ridge logistic models; `dev` and `real` have equal votes in all."""
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
    return {
        model: fit_model(
            [({name: inputs[name] for name in INPUTS[model]}, label, vote) for inputs, label, vote in labels[model]]
        )
        for model in MODELS
    }


def write_combination(path: Path, weights: Weights) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("model", "input", "weight"))
        writer.writerows((model, name, value) for model, found in weights.items() for name, value in found.items())
