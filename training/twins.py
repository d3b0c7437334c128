"""Relevant items in, irrelevant twins out: the same marked text with a third country in the place of one side.

Whoever learns from articles on the two alone takes every deal of one of them for a deal of the two. Russian names stand
in any case here, for marks have none.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from include.newswatch.scoring.codebook import THIRD, Codebook, Name
from include.newswatch.scoring.marking import MARKS, MarkedText
from training.corpus import Item

SHARE = 0.15  # of the train items
# Whom the two deal with in the news, and how often: ids of countries.csv.
# fmt: off
PARTNERS = {
    "US": 6, "UA": 3, "JP": 3, "KR": 2, "KP": 2, "IN": 2, "EU": 2, "KZ": 2, "IR": 2, "TR": 2, "DE": 2, "FR": 1, "GB": 1,
    "BR": 1, "PK": 1, "VN": 1, "MN": 1, "TW": 1,
}
# fmt: on
_SIDES = tuple(re.compile("|".join(re.escape(mark) for mark in MARKS[side::2])) for side in (0, 1))


def make_twins(
    items: Sequence[Item], marked: Sequence[MarkedText], codebook: Codebook, seed: int
) -> list[tuple[Item, MarkedText]]:
    """Twins of items in which both sides are marked; the same seed makes the same twins."""
    rng = random.Random(seed)
    names = third_names(codebook)
    related = [pair for pair in zip(items, marked, strict=True) if pair[0].relevance and _has_both(pair[1])]
    return [
        _twin(item, text, names[item.lang], rng)
        for item, text in rng.sample(related, min(len(related), int(SHARE * len(items))))
    ]


def third_names(codebook: Codebook) -> dict[str, dict[str, list[str]]]:
    """By language and country its names, capitals and leaders, in Russian in all cases."""
    found: dict[str, dict[str, list[str]]] = {}
    for surface in codebook.names:
        owner = surface.owner
        if isinstance(owner, Name) and owner.side == THIRD and not surface.is_prefix and len(surface.text) > 1:
            country = owner.id.removeprefix("third-")
            if country in PARTNERS:
                found.setdefault(surface.language, {}).setdefault(country, []).append(surface.text)
    return found


def _has_both(text: MarkedText) -> bool:
    whole = " ".join(sentence.text for sentence in text.sentences)
    return all(side.search(whole) for side in _SIDES)


def _twin(item: Item, text: MarkedText, names: dict[str, list[str]], rng: random.Random) -> tuple[Item, MarkedText]:
    country = rng.choices(list(PARTNERS), list(PARTNERS.values()))[0]
    side = rng.choice(_SIDES)
    gap = "" if item.lang == "zh" else "-"
    twin = replace(item, relevance=0, direction=None, events=(), themes=(), evidence=(), capability="third_party")
    sentences = (
        replace(s, text=side.sub(lambda _: rng.choice(names[country]), s.text.replace("][", f"]{gap}[")))
        for s in text.sentences
    )
    return twin, MarkedText(tuple(sentences))


def unzip(pairs: Iterable[tuple[Item, MarkedText]]) -> tuple[list[Item], list[MarkedText]]:
    pairs = list(pairs)
    return [item for item, _ in pairs], [text for _, text in pairs]
