"""The labelled corpus: `corpus/*.jsonl` in, items and their part (train, dev, test) out. README.md describes it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

CORPUS = Path(__file__).parent / "corpus"
Part = Literal["train", "dev", "test"]


@dataclass(frozen=True, slots=True)
class Act:
    """A PLOVER event. source, target: CN, RU or BOTH."""

    type: str
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Item:
    """One labelled text. direction: None at relevance 0. evidence: sentence numbers from 0, the title left out."""

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
    story: str

    @property
    def part(self) -> Part:
        """By story, never by line: near-twins and retellings of one story stand on one side of the split."""
        share = int(hashlib.sha256(self.story.encode()).hexdigest()[:8], 16) / 16**8
        return "train" if share < 0.8 else "dev" if share < 0.9 else "test"


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
        story=row["story"],
    )
