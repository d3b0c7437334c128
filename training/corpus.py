"""The labelled corpus: `corpus/*.jsonl` in, items and their part (train, dev, test) out. README.md describes it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

CORPUS = Path(__file__).parent / "corpus"
TRAIN_SHARE, DEV_SHARE = 0.8, 0.1
# More of the natural texts are dev: the models that weigh the encoder's word learn the base rates of news from them.
NATURAL, NATURAL_TRAIN_SHARE = "n-", 0.7
Part = Literal["train", "dev", "test"]


@dataclass(frozen=True, slots=True)
class Act:
    """A PLOVER event. source, target: CN, RU or BOTH."""

    type: str
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Item:
    """One labelled text. direction: None at relevance 0. evidence: sentence numbers from 0, the title left out.

    genre: begins with NATURAL where the text keeps to what a news stream brings and how often.
    """

    id: str
    lang: str
    date: str
    title: str
    text: str
    relevance: int
    direction: int | None
    events: tuple[Act, ...]
    themes: tuple[str, ...]
    actors: tuple[str, ...]
    evidence: tuple[int, ...]
    capability: str
    genre: str
    story: str

    @property
    def part(self) -> Part:
        """By story, never by line: near-twins and retellings of one story stand on one side of the split."""
        share = int(hashlib.sha256(self.story.encode()).hexdigest()[:8], 16) / 16**8
        n_train = NATURAL_TRAIN_SHARE if self.is_natural else TRAIN_SHARE
        return "train" if share < n_train else "dev" if share < TRAIN_SHARE + DEV_SHARE else "test"

    @property
    def has_details(self) -> bool:
        """Texts of others are labelled for relevance and direction alone."""
        return bool(self.capability)

    @property
    def is_natural(self) -> bool:
        return self.genre.startswith(NATURAL)


def load_corpus(folder: Path = CORPUS) -> tuple[Item, ...]:
    """All items, in the order of file names and lines."""
    return tuple(
        _read_item(json.loads(line))
        for path in sorted(folder.glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    )


def _read_item(row: dict[str, Any]) -> Item:
    return Item(
        id=row["id"],
        lang=row["lang"],
        date=row["date"],
        title=row["title"],
        text=row["text"],
        relevance=row["relevance"],
        direction=row["direction"],
        events=tuple(Act(event["type"], event["source"], event["target"]) for event in row["events"]),
        themes=tuple(row["themes"]),
        actors=tuple(actor["name"] for actor in row["actors"]),
        evidence=tuple(row["evidence"]),
        capability=row["capability"],
        genre=row["genre"],
        story=row["story"],
    )
