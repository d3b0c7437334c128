"""Text in, mentions out: who is named where, in one Aho-Corasick pass over hostile text. Pure."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import ahocorasick_rs
import numpy as np
import numpy.typing as npt

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
# Letters in another dress: blackboard, script and bold ones, and ligatures.
_COMPATIBLE = [*range(0x2100, 0x2150), *range(0xFB00, 0xFB07), *range(0x1D400, 0x1D800)]
_WORD_OF_BOTH = re.compile("[a-z\u0430-\u0451]+")
_LATIN, _CYRILLIC = "aceopxyukbhmt", "асеорхуикьнмт"
_LATIN_LETTERS, _CYRILLIC_LETTERS = "".join(map(chr, range(0x61, 0x7B))), "".join(map(chr, range(0x430, 0x452)))
_LATIN_SCRIPT, _CYRILLIC_SCRIPT = 1, 2  # beside 0 for the rest: only neighbours of two scripts add up to 3
_CODES = "utf-32-le"
_DROPPED, _SPACE = "\0", 0x20
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
_REST_OF_WORD = re.compile(f"[^\\W{_FIRST_EAST_ASIAN}-{chr(sys.maxunicode)}]*")


@dataclass(frozen=True, slots=True)
class Normal:
    """Text as it is matched. lower and cased have one length; original(i) is an offset in the text they come from.

    sources: the offsets of the characters kept, None if all were.
    """

    lower: str
    cased: str
    is_caseless: bool
    sources: npt.NDArray[np.intp] | None

    def original(self, at: int) -> int:
        return at if self.sources is None else int(self.sources[at])


class Mention(NamedTuple):
    """A surface found in a text. start, end: offsets into the original text.

    A tuple, for it is made in three times less time than a frozen class, and every text of a stream has some.
    """

    start: int
    end: int
    owner: Name | Phrase


class Normalizer:
    """Brings a text into the one spelling that is matched; offsets are kept.

    One look-up for each character, in arrays: this sees every text of a stream, and most of them see little else.
    """

    def __init__(self, han_variants: dict[int, str]) -> None:
        replaced = {**_SAME_LENGTH, **han_variants, **{code: _compatible(chr(code)) for code in _COMPATIBLE}}
        table = np.arange(sys.maxunicode + 1, dtype="<u4")
        table[[*replaced]] = [*map(ord, replaced.values())]
        self._table = table[table[table]]  # a replacement may itself need one
        self._table[[*_INVISIBLE, *_CONTROLS]] = ord(_DROPPED)
        self._scripts = np.zeros(sys.maxunicode + 1, np.uint8)
        for letters, script in ((_LATIN_LETTERS, _LATIN_SCRIPT), (_CYRILLIC_LETTERS, _CYRILLIC_SCRIPT)):
            self._scripts[[*map(ord, letters + letters.upper())]] = script

    def __call__(self, text: str) -> Normal:
        codes = self._table.take(np.frombuffer(text.encode(_CODES, "surrogatepass"), "<u4"))
        cased = codes.tobytes().decode(_CODES, "surrogatepass")
        sources = None
        if _DROPPED in cased or "  " in cased:
            dropped = codes == ord(_DROPPED)
            dropped[1:] |= (codes[1:] == _SPACE) & (codes[:-1] == _SPACE)
            sources = np.flatnonzero(~dropped)
            codes = codes[sources]
            cased = codes.tobytes().decode(_CODES, "surrogatepass")
        lower = cased.lower()
        if cased.isascii():
            return Normal(lower, cased, lower == cased, sources)
        if len(lower) != len(cased):  # a few letters grow when lowered
            lower = "".join(char.lower() if len(char.lower()) == 1 else char for char in cased)
        scripts = self._scripts.take(codes)
        if (scripts[1:] + scripts[:-1] == _LATIN_SCRIPT + _CYRILLIC_SCRIPT).any():
            lower = _WORD_OF_BOTH.sub(_in_one_script, lower)
        return Normal(lower, cased, lower == cased, sources)


def _compatible(char: str) -> str:
    plain = unicodedata.normalize("NFKC", char)
    return plain if len(plain) == 1 else char


def _in_one_script(match: re.Match[str]) -> str:
    word = match[0]
    n_cyrillic = len(word.encode()) - len(word)  # they take two bytes each, the Latin ones one
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
            if start and is_word(lower[start - 1]) and is_word(lower[start]):
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
    rest = _REST_OF_WORD.match(lower, end) if is_word(lower[end - 1]) else None
    return rest.end() if rest else end


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
