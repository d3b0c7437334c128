"""An article as the gate read it in; out comes the text that the encoder sees: parties marked, long articles cut. Pure.

The encoder must judge the act, not the names: whoever stands for a side is replaced by a mark of that side. Third
parties keep their names, they matter for what the two do together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from include.newswatch.scoring.codebook import Name, Phrase
from include.newswatch.scoring.gate import TITLE_NO, Passage, Reading

# For each side: the state and its places, a person, a body (ministry, firm, bank, force, ...).
STATE_MARKS, PERSON_MARKS, BODY_MARKS = ("[A]", "[B]"), ("[A:person]", "[B:person]"), ("[A:body]", "[B:body]")
MARKS = (*STATE_MARKS, *PERSON_MARKS, *BODY_MARKS)
PERSON_KINDS = frozenset({"leader", "person"})
BODY_KINDS = frozenset({"institution", "ministry", "force", "firm", "bank", "university", "media"})
_ANY_MARK = re.compile("|".join(map(re.escape, MARKS)))

# A sentence of news has 60 to 250 characters; what is longer is a list or has no full stops.
MAX_SENTENCE_CHARS = 600
CHARS_BEFORE_MARK = 150
MAX_SENTENCES = 48  # more never fit the encoder's window


@dataclass(frozen=True, slots=True)
class MarkedSentence:
    """no: from 0, TITLE_NO for the title. rank: 0 is kept first when the article is too long for the encoder."""

    no: int
    text: str
    rank: int


@dataclass(frozen=True, slots=True)
class MarkedText:
    """The sentences of one article that may matter, in the order of the text, the title first if there is one."""

    sentences: tuple[MarkedSentence, ...]


def mark_reading(reading: Reading, sides: tuple[str, str]) -> MarkedText:
    """Mark the parties and rank the sentences: title and focus first, then lead, conclusion, neighbours, the rest."""
    ranks = _ranks(reading)
    kept = sorted(sorted(ranks, key=lambda no: (ranks[no], no))[:MAX_SENTENCES])
    passages = {passage.no: passage for passage in (reading.title, *reading.sentences)}
    marked = (MarkedSentence(no, mark_passage(passages[no], sides), ranks[no]) for no in kept)
    return MarkedText(tuple(sentence for sentence in marked if sentence.text))


def mark_passage(passage: Passage, sides: tuple[str, str]) -> str:
    """The text with every party replaced by its mark, cut around the first mark where it is overlong."""
    pieces: list[str] = []
    start = 0
    for mention in passage.mentions:
        mark = _mark(mention.owner, sides)
        if mark:
            pieces += [passage.text[start : mention.start], mark]
            start = mention.end
    return _cut("".join([*pieces, passage.text[start:]]).strip())


def swap_sides(text: str) -> str:
    """Every mark of one side becomes that of the other."""
    return _ANY_MARK.sub(lambda match: MARKS[MARKS.index(match[0]) ^ 1], text)


def _mark(owner: Name | Phrase, sides: tuple[str, str]) -> str:
    if isinstance(owner, Phrase):
        return "".join(STATE_MARKS) if owner.role == "pair" else ""
    if owner.side not in sides:
        return ""
    side = sides.index(owner.side)
    if owner.kind in PERSON_KINDS:
        return PERSON_MARKS[side]
    return BODY_MARKS[side] if owner.kind in BODY_KINDS else STATE_MARKS[side]


def _cut(text: str) -> str:
    if len(text) <= MAX_SENTENCE_CHARS:
        return text
    first = _ANY_MARK.search(text)
    start = max(0, first.start() - CHARS_BEFORE_MARK) if first else 0
    return text[start : start + MAX_SENTENCE_CHARS]


def _ranks(reading: Reading) -> dict[int, int]:
    """Sentence number to rank. A later, weaker reason never overrides a stronger one."""
    n_sentences = len(reading.sentences)
    strong = [focus.no for focus in reading.focuses if focus.bond in ("sentence", "carried")]
    weak = [focus.no for focus in reading.focuses if focus.bond not in ("sentence", "carried")]
    context = [focus.context.no for focus in reading.focuses if focus.context]
    reasons: tuple[Iterable[int], ...] = (
        [TITLE_NO],
        strong,
        [0, n_sentences - 1] if n_sentences else [],
        weak,
        context,
        range(n_sentences),
    )
    ranks: dict[int, int] = {}
    for rank, numbers in enumerate(reasons):
        for no in numbers:
            ranks.setdefault(no, rank)
    return ranks
