"""Real sentences with one act between two given parties: read, marked, and what the encoder says of those unseen.

A file has lines of id, text, plover, source_actor, target_actor; both actors are words of the text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from include.newswatch.scoring.codebook import EventWord
from include.newswatch.scoring.encoder import Judgement
from include.newswatch.scoring.marking import STATE_MARKS
from training.evaluate import f1


@dataclass(frozen=True, slots=True)
class EventSentence:
    """text: with the mark of the first side before the source's words, that of the second before the target's."""

    id: str
    text: str
    type: str


def read_event_sentences(path: Path) -> tuple[EventSentence, ...]:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return tuple(
        EventSentence(row["id"], mark_actors(row["text"], row["source_actor"], row["target_actor"]), row["plover"])
        for row in rows
    )


def mark_actors(text: str, source: str, target: str) -> str:
    """Who acts keeps its words, unlike in an article: that it is the police or a crowd is half of what the act is."""
    places = sorted(
        ((text.find(words), mark) for words, mark in zip((source, target), STATE_MARKS, strict=True)), reverse=True
    )
    for at, mark in places:
        if at >= 0:
            text = f"{text[:at]}{mark} {text[at:]}"
    return text


def print_event_report(told: Iterable[tuple[EventSentence, Judgement]], event_types: dict[str, EventWord]) -> None:
    """Macro-F1 of the quad classes, and of cooperation against conflict; the class with most of the probability."""
    pairs = [(event_types[sentence.type].quad, likeliest_quad(judgement, event_types)) for sentence, judgement in told]
    sides = [(gold.split("_")[1], said.split("_")[1]) for gold, said in pairs]
    for name, labels in (("quad class", pairs), ("cooperation or conflict", sides)):
        classes = sorted({gold for gold, _ in labels})
        macro_f1 = sum(f1((gold == kind, said == kind) for gold, said in labels) for kind in classes) / len(classes)
        print(f"events between given parties, {len(labels)} sentences, {name}: macro-F1 {macro_f1:.3f}")


def likeliest_quad(judgement: Judgement, event_types: dict[str, EventWord]) -> str:
    sums: dict[str, float] = {}
    for kind, probability in judgement.events.items():
        quad = event_types[kind].quad
        sums[quad] = sums.get(quad, 0.0) + probability
    return max(sums, key=lambda quad: sums[quad])
