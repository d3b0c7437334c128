"""Train items in, texts made of them by rule out: what real news has and written items lack. Never used for evaluation.

- digests: several irrelevant items in a row are one long irrelevant text;
- mentions: a relevant item among irrelevant ones is a text that touches the relation (relevance 1);
- lowered: English without capitals and points, as old collections and careless sites have it;
- headlines: a single sentence without a title, relevant or not, stands as the title of an empty text.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from include.newswatch.scoring.sentences import CLOSERS, split_sentences
from training.corpus import Item

ENDINGS = (".", "!", "?", "…", "。", "！", "？")
MAX_SENTENCES = 4
_POINTS = re.compile(r"[.,;:!?\"“”()]+")


@dataclass(frozen=True, slots=True)
class Mixture:
    """How many texts of each kind, as shares of the number of items."""

    digests: float = 0.04
    mentions: float = 0.04
    headlines: float = 0.05
    lowered: float = 0.03


def compose(items: Sequence[Item], mixture: Mixture, seed: int) -> tuple[Item, ...]:
    """Make texts of each language's items; the same seed makes the same texts."""
    rng = random.Random(seed)
    made: list[Item] = []
    for language in sorted({item.lang for item in items}):
        own = [item for item in items if item.lang == language]
        short = [item for item in own if _is_short(item)]
        idle = [item for item in own if not item.relevance and _is_whole(item)]
        related = [item for item in short if item.relevance and not item.title]
        lone = [item for item in short if not item.title and len(split_sentences(item.text)) == 1]
        made += [_join(rng.sample(idle, rng.randint(2, 5)), None) for _ in range(int(mixture.digests * len(own)))]
        for _ in range(int(mixture.mentions * len(own))):
            held = rng.choice(related)
            around = rng.sample(idle, rng.randint(1, 4))
            around.insert(rng.randint(0, len(around)), held)
            made.append(_join(around, held))
        if language == "en":
            made += [_lowered(item) for item in rng.sample(own, int(mixture.lowered * len(own)))]
        chosen = rng.sample(lone, min(len(lone), int(mixture.headlines * len(own))))
        made += [replace(item, title=item.text.rstrip(".。"), text="", evidence=()) for item in chosen]
    return tuple(made)


def _is_short(item: Item) -> bool:
    return _is_whole(item) and len(split_sentences(item.text)) <= MAX_SENTENCES


def _is_whole(item: Item) -> bool:
    """Ends like a sentence and begins like one, so that it splits as it did alone."""
    text = item.text.strip()
    begins = text[:1].isupper() or text[:1].isdigit() or "\u3400" <= text[:1] <= "\u9fff"
    return begins and text.rstrip(CLOSERS).endswith(ENDINGS)


def _lowered(item: Item) -> Item:
    """All of its text is one sentence then."""
    title, text = (_POINTS.sub(" ", part.lower()) for part in (item.title, item.text))
    return replace(item, title=title, text=text, evidence=(0,) if item.relevance and text else ())


def _join(parts: Sequence[Item], held: Item | None) -> Item:
    """One text of several. held: the part that is about the two, whose labels the text takes on."""
    before = 0
    for part in parts:
        if part is held:
            break
        before += len(split_sentences(part.text))
    text = " ".join(part.text.strip() for part in parts)
    title = next((part.title for part in parts if part.title), "")
    if held is None:
        return replace(parts[0], title=title, text=text, capability="list")
    evidence = tuple(no + before for no in held.evidence)
    return replace(held, title=title, text=text, relevance=1, evidence=evidence)
