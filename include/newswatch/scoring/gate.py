"""Title and text in; out comes which sentences bring the two sides together, if any do. Pure and cheap.

The gate would rather let an irrelevant article pass than lose a relevant one: what it lets through is judged later.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from include.newswatch.scoring.codebook import THIRD, Name, Phrase
from include.newswatch.scoring.mentions import Mention, MentionFinder
from include.newswatch.scoring.sentences import Sentence, split_sentences

Bond = Literal["sentence", "carried", "neighbour", "title", "distant"]
TITLE_NO = -1
# Long articles are judged by their strongest bonds; 40 sentences hold the matter of a 500-word article many times over.
MAX_FOCUSES = 40
_RANK: dict[Bond, int] = {"sentence": 0, "carried": 1, "neighbour": 2, "title": 3, "distant": 4}
_MARKS = ("[A]", "[B]")


@dataclass(frozen=True, slots=True)
class Passage:
    """The title (no is TITLE_NO) or a sentence, with what is named in it. Mentions carry offsets into `text`."""

    no: int
    text: str
    mentions: tuple[Mention, ...]
    sides: frozenset[str]
    n_thirds: int
    is_pair: bool
    is_reference: bool


@dataclass(frozen=True, slots=True)
class Focus:
    """A passage that brings the sides together, and by what bond. context: the sentence before it, if any.

    carried_sides: the sides that the passage itself names or that were carried into it.
    """

    passage: Passage
    bond: Bond
    context: Passage | None = None

    @property
    def no(self) -> int:
        return self.passage.no


@dataclass(frozen=True, slots=True)
class Reading:
    """An article as the gate saw it. focuses: in the order of the text, the title first."""

    title: Passage
    sentences: tuple[Passage, ...]
    focuses: tuple[Focus, ...]
    names: tuple[Name, ...]
    sides: frozenset[str]

    @property
    def is_open(self) -> bool:
        return bool(self.focuses)


class Gate:
    """Opens for articles in which both sides are somehow brought together."""

    def __init__(self, finder: MentionFinder, sides: tuple[str, str]) -> None:
        self._finder = finder
        self._sides = frozenset(sides)

    def read(self, title: str, text: str) -> Reading:
        """Read an article. Sentences are split only when both sides occur: most of a news stream stops before that."""
        in_title, in_text = self._finder.find(title), self._finder.find(text)
        names = _names((*in_title, *in_text))
        sides = self._sides_of((*in_title, *in_text))
        head = self._passage(TITLE_NO, title, in_title)
        if sides != self._sides:
            return Reading(head, (), (), names, sides)
        passages = self._passages(split_sentences(text), in_text)
        return Reading(head, passages, self._focuses(head, passages), names, sides)

    def _sides_of(self, mentions: Iterable[Mention]) -> frozenset[str]:
        sides: set[str] = set()
        for mention in mentions:
            owner = mention.owner
            if isinstance(owner, Name):
                sides.add(owner.side)
            elif owner.role == "pair":
                return self._sides
        return frozenset(sides & self._sides)

    def _passage(self, no: int, text: str, mentions: tuple[Mention, ...]) -> Passage:
        owners = [mention.owner for mention in mentions]
        return Passage(
            no=no,
            text=text,
            mentions=mentions,
            sides=self._sides_of(mentions),
            n_thirds=len({owner.id for owner in owners if isinstance(owner, Name) and owner.side == THIRD}),
            is_pair=any(isinstance(owner, Phrase) and owner.role == "pair" for owner in owners),
            is_reference=any(isinstance(owner, Phrase) and owner.role == "reference" for owner in owners),
        )

    def _passages(self, sentences: Sequence[Sentence], mentions: Sequence[Mention]) -> tuple[Passage, ...]:
        passages = []
        i = 0
        for sentence in sentences:
            inside = []
            while i < len(mentions) and mentions[i].start < sentence.end:
                mention = mentions[i]
                inside.append(Mention(mention.start - sentence.start, mention.end - sentence.start, mention.owner))
                i += 1
            passages.append(self._passage(sentence.no, sentence.text, tuple(inside)))
        return tuple(passages)

    def _focuses(self, title: Passage, passages: Sequence[Passage]) -> tuple[Focus, ...]:
        found: list[Focus] = []
        known: frozenset[str] = title.sides
        if title.sides == self._sides:
            found.append(Focus(title, "sentence"))
        for i, passage in enumerate(passages):
            before = passages[i - 1] if i else None
            bond = self._bond(title, passage, before, known)
            if bond:
                found.append(Focus(passage, bond, before))
            known |= passage.sides
        found = found or [Focus(passage, "distant") for passage in passages if passage.sides] or [Focus(title, "distant")]
        strongest = sorted(found, key=lambda focus: (_RANK[focus.bond], focus.no))[:MAX_FOCUSES]
        return tuple(sorted(strongest, key=lambda focus: focus.no))

    def _bond(self, title: Passage, passage: Passage, before: Passage | None, known: frozenset[str]) -> Bond | None:
        if passage.sides == self._sides:
            return "sentence"
        if passage.is_reference and (known | passage.sides) == self._sides:
            return "carried"
        if passage.sides:
            if before and before.sides and (before.sides | passage.sides) == self._sides:
                return "neighbour"
            if title.sides and (title.sides | passage.sides) == self._sides:
                return "title"
        return None


def _names(mentions: Iterable[Mention]) -> tuple[Name, ...]:
    """The distinct names in the order of their first mention."""
    return tuple(dict.fromkeys(mention.owner for mention in mentions if isinstance(mention.owner, Name)))


def mask_parties(passage: Passage, sides: tuple[str, str]) -> str:
    """The text of a passage with every party replaced by [A] or [B] (pair words by both), so that no name can be learned."""
    pieces = []
    start = 0
    for mention in passage.mentions:
        mark = _mark(mention.owner, sides)
        if mark:
            pieces += [passage.text[start : mention.start], mark]
            start = mention.end
    return "".join([*pieces, passage.text[start:]])


def _mark(owner: Name | Phrase, sides: tuple[str, str]) -> str:
    if isinstance(owner, Phrase):
        return "-".join(_MARKS) if owner.role == "pair" else ""
    return _MARKS[sides.index(owner.side)] if owner.side in sides else ""
