"""Focus sentences in, judgements out, by the codebook's word lists: themes, acts, who did them, and in what mode. Pure.

Themes and the parties of an event stay with these lists when a trained encoder judges the acts.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import ahocorasick_rs

from include.newswatch.scoring.codebook import BOTH, Codebook, Name, Phrase, Surface
from include.newswatch.scoring.gate import TITLE_NO, Focus, Passage, Reading
from include.newswatch.scoring.judge import ASSERTED, EventGuess, Modality, SentenceJudgement, logistic
from include.newswatch.scoring.mentions import Mention, Normal, Normalizer, is_word

# Parts of one phrase must stand this near each other: about ten words, or half a Chinese sentence.
MAX_GAP_CHARS = {"en": 70, "ru": 80, "zh": 24}
# No sentence of news is longer; what is, is text without full stops, and is judged by its beginning.
MAX_SENTENCE_CHARS = 2000
SPOKEN_ROLES = ("theme", "event", "marker")
PART_SEPARATOR = "+"
_MODES: tuple[tuple[str, Modality], ...] = (("denial", "denied"), ("hypothetical", "hypothetical"), ("past", "past"))


@dataclass(frozen=True, slots=True)
class Hit:
    """A phrase found in a passage. start, end: offsets into the passage."""

    start: int
    end: int
    phrase: Phrase
    surface: str


@dataclass(frozen=True, slots=True)
class _Pattern:
    surface: Surface
    phrase: Phrase
    parts: tuple[str, ...]


class PhraseFinder:
    """Finds the phrases of the codebook, also those whose parts stand apart (`sign* + agreement*`)."""

    def __init__(self, surfaces: Iterable[Surface], normalizer: Normalizer) -> None:
        self._normalizer = normalizer
        self._by_part: dict[str, list[_Pattern]] = {}
        for surface in surfaces:
            if isinstance(surface.owner, Phrase) and surface.owner.role in SPOKEN_ROLES:
                self._add(surface, surface.owner)
        stems = sorted({part.removesuffix("*") for part in self._by_part})
        self._stems = stems
        self._automaton = ahocorasick_rs.AhoCorasick(
            stems, matchkind=ahocorasick_rs.MatchKind.Standard, store_patterns=False
        )

    def _add(self, surface: Surface, phrase: Phrase) -> None:
        parts = [part.strip() for part in surface.text.split(PART_SEPARATOR) if part.strip()]
        # A `*` within a phrase ("снял* запрет*") is a part of its own: the words may be inflected, never far apart.
        words = [piece.strip() for part in parts for piece in _pieces(part)]
        pattern = _Pattern(surface, phrase, tuple(self._normalizer(word).lower for word in words))
        for part in dict.fromkeys(pattern.parts):
            self._by_part.setdefault(part, []).append(pattern)

    def find(self, text: str) -> list[Hit]:
        """All phrases of a passage; of two that overlap within one role the longer stays."""
        normal = self._normalizer(text)
        places = self._places(normal)
        hits: dict[tuple[int, int, str], Hit] = {}
        for pattern in {id(p): p for part in places for p in self._by_part[part]}.values():
            for start, end in _joined(pattern, places):
                hit = Hit(normal.original(start), normal.original(end - 1) + 1, pattern.phrase, pattern.surface.text)
                hits.setdefault((start, end, pattern.phrase.id), hit)
        return _without_hidden(sorted(hits.values(), key=lambda hit: (hit.start, -hit.end, hit.phrase.id)))

    def _places(self, normal: Normal) -> dict[str, list[tuple[int, int]]]:
        lower = normal.lower
        places: dict[str, list[tuple[int, int]]] = {}
        for index, start, end in self._automaton.find_matches_as_indexes(lower, overlapping=True):
            stem = self._stems[index]
            if start and is_word(lower[start - 1]) and is_word(lower[start]):
                continue
            goes_on = end < len(lower) and is_word(lower[end]) and is_word(lower[end - 1])
            if not goes_on and stem in self._by_part:
                places.setdefault(stem, []).append((start, end))
            if stem + "*" in self._by_part:
                while goes_on and end < len(lower) and is_word(lower[end]):
                    end += 1
                places.setdefault(stem + "*", []).append((start, end))
        return places


def _pieces(part: str) -> list[str]:
    pieces = part.replace("* ", "*\n").split("\n")
    return [piece for piece in pieces if piece.strip()]


def _joined(pattern: _Pattern, places: dict[str, list[tuple[int, int]]]) -> Iterable[tuple[int, int]]:
    """Where all parts of a pattern stand near each other: the span they cover."""
    if any(part not in places for part in pattern.parts):
        return
    gap = MAX_GAP_CHARS[pattern.surface.language]
    for start, end in places[pattern.parts[0]]:
        low, high = start, end
        for part in pattern.parts[1:]:
            near = _nearest(places[part], high)
            if near[0] - high > gap or low - near[1] > gap:
                break
            low, high = min(low, near[0]), max(high, near[1])
        else:
            yield low, high


def _nearest(places: list[tuple[int, int]], at: int) -> tuple[int, int]:
    """The place that starts nearest to an offset; places are in the order of the text."""
    i = bisect_left(places, (at, 0))
    return min(places[max(0, i - 1) : i + 1], key=lambda place: (abs(place[0] - at), place[0]))


def _without_hidden(hits: Sequence[Hit]) -> list[Hit]:
    """Drop acts inside an `ignore` phrase ("de-escalation") or inside a longer act. hits: by start, longest first.

    One pass: of the spans that begin no later, only the one that reaches furthest can cover the next.
    """
    kept = []
    ignored_end = act_end = 0
    act_span = (0, 0)
    for hit in hits:
        if hit.phrase.label == "ignore":
            ignored_end = max(ignored_end, hit.end)
        elif hit.phrase.role != "event":
            kept.append(hit)
        elif hit.end > ignored_end and (hit.end > act_end or (hit.start, hit.end) == act_span):
            kept.append(hit)
            act_end, act_span = hit.end, (hit.start, hit.end)
    return kept


class LexiconJudge:
    """Judges every focus sentence by the words in it."""

    def __init__(self, codebook: Codebook, normalizer: Normalizer) -> None:
        self._sides = codebook.sides
        self._event_words = codebook.event_words
        self._weights = codebook.weights["tie"]
        self._finder = PhraseFinder(codebook.phrases, normalizer)

    @property
    def version(self) -> str:
        return "lexicon-1"

    def use_tie_weights(self, weights: dict[str, float]) -> None:
        """Judge ties by other weights from now on: for the fitting of the models that stand on top of them."""
        self._weights = weights

    def judge(self, reading: Reading) -> tuple[SentenceJudgement, ...]:
        return tuple(self._judge(focus) for focus in reading.focuses)

    def _judge(self, focus: Focus) -> SentenceJudgement:
        passage = focus.passage
        hits = self._finder.find(passage.text[:MAX_SENTENCE_CHARS])
        markers = frozenset(hit.phrase.label for hit in hits if hit.phrase.role == "marker")
        events = self._events(hits, passage)
        modality = modality_of(markers, bool(events))
        return SentenceJudgement(
            no=focus.no,
            tie=logistic(tie_inputs(focus, markers, bool(events)), self._weights),
            direction=direction_of_acts(events) if modality in ASSERTED else 0.0,
            modality=modality,
            events=events,
            themes=themes_of(hits, passage),
            markers=markers,
            notes=tuple(f"{hit.phrase.label}: {passage.text[hit.start : hit.end]}" for hit in hits),
        )

    def _events(self, hits: Sequence[Hit], passage: Passage) -> tuple[EventGuess, ...]:
        """One guess a type; more words for a type make it likelier, and so do words of several parts."""
        found: dict[str, EventGuess] = {}
        for hit in hits:
            if hit.phrase.role != "event":
                continue
            word = self._event_words[hit.phrase.id]
            source, target = parties_of(hit, passage, self._sides)
            probability = 0.5 + 0.2 * (PART_SEPARATOR in hit.surface) + 0.1 * (abs(word.step) == 2)
            known = found.get(word.type)
            if known and known.probability >= probability:
                found[word.type] = replace(known, probability=min(0.95, known.probability + 0.1))
            else:
                found[word.type] = EventGuess(
                    word.type, word.quad, word.goldstein, word.step, source, target, probability
                )
        return tuple(found.values())


def parties_of(hit: Hit, passage: Passage, sides: tuple[str, str]) -> tuple[str, str]:
    """Who acts on whom: the side named last before the act is its source, the other one its target.

    Both sides before the act, a pair word, or no side at all (the two countries): they act together.
    """
    before = [side for mention in passage.mentions if mention.end <= hit.start for side in _sides_of(mention, sides)]
    after = [side for mention in passage.mentions if mention.start >= hit.start for side in _sides_of(mention, sides)]
    if len(set(before)) == 1:
        source = before[-1]
    elif not before and len(set(after)) == 1:
        source = _other(after[0], sides)
    else:
        return BOTH, BOTH
    return source, _other(source, sides)


def _sides_of(mention: Mention, sides: tuple[str, str]) -> tuple[str, ...]:
    if isinstance(mention.owner, Name):
        return (mention.owner.side,) if mention.owner.side in sides else ()
    return sides if mention.owner.role == "pair" else ()


def _other(side: str, sides: tuple[str, str]) -> str:
    return sides[1] if side == sides[0] else sides[0]


def modality_of(markers: frozenset[str], has_act: bool) -> Modality:
    """In what mode a sentence speaks; a denial outweighs a condition, a condition outweighs the past."""
    for marker, modality in _MODES:
        if marker in markers:
            return modality
    if "figures" in markers and not has_act:
        return "figures"
    return "alleged" if "alleged" in markers else "asserted"


def themes_of(hits: Sequence[Hit], passage: Passage) -> dict[str, float]:
    """Each theme with its weight: the number of different words and names for it, counted up to three."""
    words: dict[str, set[str]] = {}
    for hit in hits:
        if hit.phrase.role == "theme":
            words.setdefault(hit.phrase.label, set()).add(hit.surface)
    for mention in passage.mentions:
        if isinstance(mention.owner, Name):
            for theme in mention.owner.themes:
                words.setdefault(theme, set()).add(mention.owner.id)
    return {theme: float(min(3, len(found))) for theme, found in words.items()}


def tie_inputs(focus: Focus, markers: frozenset[str], has_act: bool) -> dict[str, float]:
    """The named numbers that the tie of one sentence rests on."""
    passage = focus.passage
    inputs = {f"bond.{focus.bond}": 1.0, "thirds": float(min(3, passage.n_thirds))}
    inputs |= {f"marker.{marker}": 1.0 for marker in markers}
    inputs |= {
        "pair": float(passage.is_pair),
        "reference": float(passage.is_reference),
        "act": float(has_act),
        "length": math.log1p(len(passage.text)),
        "is_title": float(passage.no == TITLE_NO),
    }
    return inputs


def direction_of_acts(events: Sequence[EventGuess]) -> float:
    """The mean step of the acts of one sentence, by their probability."""
    total = sum(event.probability for event in events)
    return sum(event.step * event.probability for event in events) / total if total else 0.0
