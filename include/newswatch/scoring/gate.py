"""Title and text in; out comes which sentences bring the two sides together, if any do. Pure and cheap.

The gate would rather let an irrelevant article pass than lose a relevant one: what it lets through is judged later.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from typing import Literal

from include.newswatch.scoring.codebook import THIRD, Name, Phrase
from include.newswatch.scoring.mentions import Mention, MentionFinder
from include.newswatch.scoring.sentences import Sentence, split_sentences

Bond = Literal["sentence", "carried", "neighbour", "title", "home", "distant"]
TITLE_NO = -1
# Long articles are judged by their strongest bonds; 40 sentences hold the matter of a 500-word article many times over.
MAX_FOCUSES = 40
_RANK: dict[Bond, int] = {"sentence": 0, "carried": 1, "neighbour": 2, "title": 3, "home": 4, "distant": 5}
_HAN, _CYRILLIC = re.compile("[\u4e00-\u9fff]+"), re.compile("[\u0400-\u04ff]+")
# A text is in the script that fills this share of its first characters; names in Latin letters may fill the rest.
SCRIPT_SHARE = 0.25
SCRIPT_SAMPLE_CHARS = 400
# A lead names one side and means the other by "the governor" or "the harbour": in so short a text one name is enough.
# By script, for a Chinese character says as much as three letters.
SHORT_TEXT_CHARS = {"en": 450, "ru": 450, "zh": 150}
# A longer text that names one side must say "the two countries" once in so many characters to mean the other by it.
CHARS_PER_REFERENCE = {"en": 1350, "ru": 1350, "zh": 450}


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

    sentence: it names both; carried: "the two countries" of a text that named them; neighbour: one here, the other in
    the sentence before; title: one here, the other in the title; home: one here, and the text is in the language of
    the other, whose press need not name it; distant: none of these.
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
    home: str | None

    @property
    def is_open(self) -> bool:
        return bool(self.focuses)


class Gate:
    """Opens for articles in which both sides are somehow brought together.

    home: by language, the side whose own press need not name it ("we", "the region", "customs").
    takes_hints: whether one named side is enough, in a short text or beside "the two countries".
    """

    def __init__(
        self, finder: MentionFinder, sides: tuple[str, str], home: dict[str, str], *, takes_hints: bool = True
    ) -> None:
        self._finder = finder
        self._sides = frozenset(sides)
        self._home = home
        self._takes_hints = takes_hints

    def read(self, title: str, text: str, language: str | None = None) -> Reading:
        """Read an article. Sentences are split only where both sides may be meant: most of a stream stops before."""
        in_title, in_text = self._finder.find(title), self._finder.find(text)
        mentions = (*in_title, *in_text)
        names, roles = _split(mentions)
        sides = self._sides_of(names, roles)
        head = self._passage(TITLE_NO, title, in_title)
        script = _language_of(text or title)
        home = self._home.get(language or script)
        is_short = self._takes_hints and len(title) + len(text) <= SHORT_TEXT_CHARS[script]
        n_references = sum(isinstance(m.owner, Phrase) and m.owner.role == "reference" for m in mentions)
        is_hinted = bool(sides or n_references)
        # Where the title names a third party, "the two countries" are that and the one side named.
        refers = (
            self._takes_hints
            and not head.n_thirds
            and len(title) + len(text) <= CHARS_PER_REFERENCE[script] * n_references
        )
        if not ((is_short and is_hinted) or self._may_be_both(sides, home, names, refers=refers)):
            return Reading(head, (), (), tuple(names), sides, home)
        passages = self._passages(split_sentences(text), in_text)
        return Reading(head, passages, self._focuses(head, passages, home), tuple(names), sides, home)

    def _may_be_both(self, sides: frozenset[str], home: str | None, names: Iterable[Name], *, refers: bool) -> bool:
        if sides == self._sides or (home and sides and sides != {home}):
            return True
        if any(name.kind == "crossing" for name in names):
            return True
        return refers and (bool(sides) or all(name.side != THIRD for name in names))

    def _sides_of(self, names: Iterable[Name], roles: Set[str]) -> frozenset[str]:
        return self._sides if "pair" in roles else self._sides.intersection(name.side for name in names)

    def _passage(self, no: int, text: str, mentions: tuple[Mention, ...]) -> Passage:
        names, roles = _split(mentions)
        return Passage(
            no=no,
            text=text,
            mentions=mentions,
            sides=self._sides_of(names, roles),
            n_thirds=len({name.id for name in names if name.side == THIRD}),
            is_pair="pair" in roles,
            is_reference="reference" in roles,
        )

    def passages(self, text: str) -> tuple[Passage, ...]:
        """The sentences of a text with their mentions, whatever the gate would say of it."""
        return self._passages(split_sentences(text), self._finder.find(text))

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

    def _focuses(self, title: Passage, passages: Sequence[Passage], home: str | None) -> tuple[Focus, ...]:
        found: list[Focus] = []
        known = title.sides | ({home} if home else frozenset())
        if title.sides == self._sides:
            found.append(Focus(title, "sentence"))
        for i, passage in enumerate(passages):
            before = passages[i - 1] if i else None
            bond = self._bond(title, passage, before, known) or _home_bond(passage, home)
            if bond:
                found.append(Focus(passage, bond, before))
            known |= passage.sides
        if not found:
            named = [passage for passage in passages if passage.sides or passage.is_reference] or [title]
            found = [Focus(passage, "distant") for passage in named]
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


def _home_bond(passage: Passage, home: str | None) -> Bond | None:
    return "home" if home and passage.sides and home not in passage.sides else None


def _language_of(text: str) -> str:
    """The language by script alone; English stands for everything in Latin letters."""
    sample = text[:SCRIPT_SAMPLE_CHARS]
    if sample.isascii():
        return "en"
    enough = SCRIPT_SHARE * len(sample)
    if len("".join(_HAN.findall(sample))) > enough:
        return "zh"
    return "ru" if len("".join(_CYRILLIC.findall(sample))) > enough else "en"


def _split(mentions: Iterable[Mention]) -> tuple[dict[Name, None], set[str]]:
    """The distinct names in the order of their first mention, and the roles of the other words."""
    names: dict[Name, None] = {}
    roles: set[str] = set()
    for mention in mentions:
        if isinstance(mention.owner, Name):
            names[mention.owner] = None
        else:
            roles.add(mention.owner.role)
    return names, roles
