"""Text in, mentions out: who is named where, in one Aho-Corasick pass over hostile text. Pure."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

import ahocorasick_rs

from include.newswatch.scoring.codebook import Name, Phrase, Surface

# Zero-width characters, bidirectional controls, soft hyphens and combining accents (Russian stress marks) hide names.
_INVISIBLE = [
    *(0xAD, 0x61C, 0x180E, 0xFEFF),
    *range(0x300, 0x370),
    *range(0x200B, 0x2010),
    *range(0x202A, 0x202F),
    *range(0x2060, 0x2070),
    *range(0xFE00, 0xFE10),
]
_CONTROLS = [code for code in (*range(0x20), 0x7F) if chr(code) not in "\t\n\r"]
_DROPPED = re.compile(f"[{''.join(re.escape(chr(code)) for code in (*_INVISIBLE, *_CONTROLS))}]+|(?<= ) +")
_COMPATIBLE = re.compile("[\u2100-\u214f\ufb00-\ufb06\U0001d400-\U0001d7ff]")
_MIXED_SCRIPT = re.compile("[a-z][\u0430-\u0451]|[\u0430-\u0451][a-z]")
_WORD_OF_BOTH = re.compile("[a-z\u0430-\u0451]+")
_CYRILLIC_LETTERS = frozenset(map(chr, range(0x400, 0x460)))
_LATIN, _CYRILLIC = "aceopxyukbhmt", "асеорхуикьнмт"
_TO_CYRILLIC = str.maketrans(_LATIN, _CYRILLIC)
_TO_LATIN = str.maketrans(_CYRILLIC, _LATIN)
_SAME_LENGTH = {
    **{code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)},  # full-width ASCII
    **dict.fromkeys(map(ord, "\n\r\t\u00a0\u2002\u2003\u2009\u202f\u3000"), " "),
    **dict.fromkeys(map(ord, "‐‑‒–—―−"), "-"),
    **dict.fromkeys(map(ord, "‘’ʼ`´"), "'"),
    ord("ё"): "е",
    ord("Ё"): "Е",
}
SHORT_NAME = 3  # names up to this length are common words too ("Mao", "Xi", "У И")
# East Asian scripts are written without spaces: their characters never belong to a neighbouring word.
_FIRST_EAST_ASIAN = "\u2e80"


@dataclass(frozen=True, slots=True)
class Normal:
    """Text as it is matched. lower and cased have one length; original(i) is an offset in the text they come from."""

    lower: str
    cased: str
    is_caseless: bool
    breaks: tuple[tuple[int, int], ...]

    def original(self, at: int) -> int:
        if not self.breaks:
            return at
        position, source = self.breaks[max(0, bisect_right(self.breaks, (at, 1 << 60)) - 1)]
        return source + at - position


@dataclass(frozen=True, slots=True)
class Mention:
    """A surface found in a text. start, end: offsets into the original text."""

    start: int
    end: int
    owner: Name | Phrase


class Normalizer:
    """Brings a text into the one spelling that is matched; offsets are kept.

    Few characters of a text need a change, so each of those is replaced in turn: five times as fast as a translation
    that looks up every character.
    """

    def __init__(self, han_variants: dict[int, str]) -> None:
        self._table = _settled({chr(code): to for code, to in {**_SAME_LENGTH, **han_variants}.items()})
        self._dropping = {**self._table, **{chr(code): "" for code in (*_INVISIBLE, *_CONTROLS)}}

    def __call__(self, text: str) -> Normal:
        chars = set(text)
        cased = _replaced(text, chars, self._dropping)
        breaks: tuple[tuple[int, int], ...] = ()
        if len(cased) != len(text) or "  " in cased:
            cased, breaks = _without_dropped(_replaced(text, chars, self._table))
        if cased.isascii():
            lower = cased.lower()
            return Normal(lower, cased, is_caseless=lower == cased, breaks=breaks)
        if any(map(_COMPATIBLE.match, chars)):
            cased = "".join(_compatible(char) for char in cased)
        lower = cased.lower()
        if len(lower) != len(cased):  # a few letters grow when lowered
            lower = "".join(char.lower() if len(char.lower()) == 1 else char for char in cased)
        if not chars.isdisjoint(_CYRILLIC_LETTERS) and _MIXED_SCRIPT.search(lower):
            lower = _WORD_OF_BOTH.sub(_in_one_script, lower)
        return Normal(lower, cased, is_caseless=lower == cased, breaks=breaks)


def _settled(table: dict[str, str]) -> dict[str, str]:
    """No replacement may itself need one: then their order is of no matter."""
    while any(to in table for to in table.values()):
        table = {char: table.get(to, to) for char, to in table.items() if char != to}
    return table


def _replaced(text: str, chars: set[str], table: dict[str, str]) -> str:
    for char in chars & table.keys():
        text = text.replace(char, table[char])
    return text


def _without_dropped(text: str) -> tuple[str, tuple[tuple[int, int], ...]]:
    pieces: list[str] = []
    breaks: list[tuple[int, int]] = []
    length = start = 0
    for match in _DROPPED.finditer(text):
        breaks.append((length, start))
        pieces.append(text[start : match.start()])
        length += match.start() - start
        start = match.end()
    breaks.append((length, start))
    pieces.append(text[start:])
    return "".join(pieces), tuple(breaks)


def _compatible(char: str) -> str:
    plain = unicodedata.normalize("NFKC", char)
    return plain if len(plain) == 1 else char


def _in_one_script(match: re.Match[str]) -> str:
    word = match[0]
    n_cyrillic = sum(char > "z" for char in word)
    if n_cyrillic in (0, len(word)):
        return word
    return word.translate(_TO_CYRILLIC if 2 * n_cyrillic >= len(word) else _TO_LATIN)


class Matcher:
    """Finds many surfaces at once; of those that overlap the leftmost, then the longest wins: traps hide names."""

    def __init__(self, surfaces: Iterable[Surface], normalizer: Normalizer) -> None:
        by_pattern: dict[str, list[Surface]] = {}
        for surface in surfaces:
            by_pattern.setdefault(normalizer(surface.text).lower, []).append(surface)
        self._surfaces = list(by_pattern.values())
        self._automaton = ahocorasick_rs.AhoCorasick(
            list(by_pattern), matchkind=ahocorasick_rs.MatchKind.Standard, store_patterns=False
        )

    def find_all(self, normal: Normal) -> list[tuple[int, int, Surface]]:
        """Every allowed occurrence, also overlapping ones; offsets into `normal`."""
        lower = normal.lower
        found = []
        for index, start, end in self._automaton.find_matches_as_indexes(lower, overlapping=True):
            if start and is_word(lower[start]) and is_word(lower[start - 1]):
                continue  # within a word
            word_end = _word_end(lower, end)
            for surface in self._surfaces[index]:
                if (surface.is_prefix or word_end == end) and _has_its_case(surface.text, normal, start, end):
                    found.append((start, word_end, surface))
                    break
        return found

    def find(self, normal: Normal) -> list[tuple[int, int, Surface]]:
        """The occurrences that remain when overlaps are settled."""
        return settle_overlaps(self.find_all(normal))


def settle_overlaps(found: list[tuple[int, int, Surface]]) -> list[tuple[int, int, Surface]]:
    kept: list[tuple[int, int, Surface]] = []
    reach = -1
    for item in sorted(found, key=lambda item: (item[0], -item[1])):
        if item[0] >= reach:
            kept.append(item)
            reach = item[1]
    return kept


def is_word(char: str) -> bool:
    return char < _FIRST_EAST_ASIAN and (char.isalnum() or char == "_")


def _word_end(lower: str, end: int) -> int:
    """Where the word ends that reaches up to `end`: the mention of a stem covers all of it."""
    while end < len(lower) and is_word(lower[end]) and is_word(lower[end - 1]):
        end += 1
    return end


def _has_its_case(written: str, normal: Normal, start: int, end: int) -> bool:
    """Names with a capital need one in the text, abbreviations and short names ("Wu Yi") all of theirs.

    A text without any capital may name names, but no abbreviations.
    """
    if not written[0].isupper():
        return True
    cased = normal.cased[start:end]
    if written.isupper() and len(written) > 1 and written[0] < _FIRST_EAST_ASIAN:
        return cased.isupper()
    if normal.is_caseless:
        return len(written) > SHORT_NAME
    if len(written) <= SHORT_NAME and len(written) == len(cased):
        return all(have.isupper() for have, wanted in zip(cased, written, strict=True) if wanted.isupper())
    return cased[0].isupper()


class MentionFinder:
    """Names, traps, words for the pair and words that refer back, of one codebook."""

    def __init__(self, surfaces: Iterable[Surface], normalizer: Normalizer) -> None:
        self._matcher = Matcher(surfaces, normalizer)
        self._normalizer = normalizer

    def find(self, text: str) -> tuple[Mention, ...]:
        """The mentions of a text in order. Traps are found and left out."""
        normal = self._normalizer(text)
        return tuple(
            Mention(normal.original(start), normal.original(end - 1) + 1, surface.owner)
            for start, end, surface in self._matcher.find(normal)
            if not (isinstance(surface.owner, Phrase) and surface.owner.role == "trap")
        )
