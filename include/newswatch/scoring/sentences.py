"""Text in, numbered sentences out: the reference splitter that evidence numbers refer to. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

CLOSERS = "\"'”’»›)]」』"
OPENERS = "\"'“„‘«‹([「『"
# Latin and Russian end a sentence only before a capital, a digit or an opening quote (so never before a dash);
# Chinese ends it at once, with the quotes that close there.
_BOUNDARY = re.compile(
    rf"[。！？]+[{re.escape(CLOSERS)}]*\s*|[.!?…]+[{re.escape(CLOSERS)}]*(?P<gap>\s+)(?=[{re.escape(OPENERS)}]|\d|[^\W\d_])"
)
_GUILLEMETS = re.compile("[«»]")
# A guillemet left open by mistake must not swallow the rest of the article.
MAX_QUOTE_CHARS = 600


@dataclass(frozen=True, slots=True)
class Sentence:
    """no: from 0. start, end: offsets into the text, without surrounding white space."""

    no: int
    start: int
    end: int
    text: str


def split_sentences(text: str) -> tuple[Sentence, ...]:
    """Split at `.!?…` and closing quotes before a capital, digit or opening quote, and at `。！？` and closing quotes.

    Nothing is split inside «» or before a dash. Offsets count characters of `text`.
    """
    quoted = _quoted_spans(text)
    ends = [m.end() for m in _BOUNDARY.finditer(text) if _is_boundary(text, m) and not _inside(quoted, m.start())]
    sentences: list[Sentence] = []
    start = 0
    for end in [*ends, len(text)]:
        piece = text[start:end]
        body = piece.strip()
        if body:
            first = start + len(piece) - len(piece.lstrip())
            sentences.append(Sentence(len(sentences), first, first + len(body), body))
        start = end
    return tuple(sentences)


def _is_boundary(text: str, match: re.Match[str]) -> bool:
    if match["gap"] is None:
        return True
    following = text[match.end()]
    return following in OPENERS or following.isdigit() or following.isupper() or _is_han(following)


def _is_han(char: str) -> bool:
    return "\u3400" <= char <= "\u9fff"


def _quoted_spans(text: str) -> list[tuple[int, int]]:
    """The outermost «…» of the text, in order; those left open or overlong are not quotes."""
    spans: list[tuple[int, int]] = []
    opened: list[int] = []
    for match in _GUILLEMETS.finditer(text):
        if match[0] == "«":
            if opened and match.start() - opened[0] > MAX_QUOTE_CHARS:
                opened.clear()
            opened.append(match.start())
        elif opened:
            start = opened.pop()
            if not opened and match.start() - start <= MAX_QUOTE_CHARS:
                spans.append((start, match.start()))
    return spans


def _inside(spans: list[tuple[int, int]], at: int) -> bool:
    low, high = 0, len(spans)
    while low < high:
        middle = (low + high) // 2
        if spans[middle][1] <= at:
            low = middle + 1
        else:
            high = middle
    return low < len(spans) and spans[low][0] < at
