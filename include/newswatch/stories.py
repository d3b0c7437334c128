"""Reports in, the copies and the stories among them out. No database and no clock: the caller brings the reports.

Within a language the words of title and lead decide; across languages what is written alike in all of them: who acted
and where, as the codebook names them, what they did, the themes, and the numbers.

The stories of the days in question are formed anew every time and then given back the ids that they had. So a report
that arrives late changes what it must and nothing else, and whatever merges or splits is seen and told.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from include.newswatch.model import Language, Side

HALF_DAY = timedelta(hours=12)  # from noon, where a day alone is put, to its end
COPY_WINDOW = timedelta(hours=96)  # find_story_articles.sql brings as many days
SHINGLE_WORDS, SHINGLE_CHARACTERS = 5, 7
MIN_SHINGLES = 8  # shorter texts are formulas that any two outlets share
MIN_COPY_SHARE = 0.7
MIN_FULLER_SHARE = 0.35  # of a later text that takes an earlier one in: with less it only quotes it

WINDOW = timedelta(hours=72)  # reports further apart tell of different happenings
LEAD_CHARACTERS: Mapping[Language, int] = {"en": 300, "ru": 300, "zh": 100}
STEM_LETTERS = 5  # the beginning of a word stands for its forms: Путина, Путину, Путиным
MIN_WORD_LETTERS = 4  # shorter ones are mostly grammar
# Tuned on the first half of tests/data/stories.jsonl; benchmarks/stories.py prints the figures of both halves.
WORD_WEIGHT = 0.7  # the rest is the concepts'
ACTOR_WEIGHT, PLACE_WEIGHT, NUMBER_WEIGHT = 0.4, 1.0, 1.0  # the same few people act every day, elsewhere
EVENT_WEIGHT, THEME_WEIGHT = 0.5, 0.5
MIN_SAME_LANGUAGE = 0.35
MIN_ACROSS_LANGUAGES = 0.45
MIN_SHARED_CONCEPTS = 2
N_CLOSEST = 2  # of a story's reports: one alone may be a near miss that would bridge two stories
TIME_COST = 0.2  # of similarity, over the whole window
LOYALTY = 0.1  # reports that were one story stay together, and those of two stories apart, unless they clearly differ

HEADLINE_CHARACTERS = range(12, 160)
OPENING_CHARACTERS = 80  # of a text without a title, in the place of one
AGENCY_MARK = re.compile(
    r"^(?:update \d+|rpt|wrapup \d+|exclusive|breaking(?: news)?|срочно|молния|快讯|突发)\s*[-–—:：|]\s*", re.IGNORECASE
)
HEADLINE_LANGUAGES: tuple[Language, ...] = ("en", "ru", "zh")  # the brief is English

NUMBER = re.compile(
    r"(?P<digits>\d{1,3}(?:[ ,\u00a0]\d{3})+(?!\d)|\d+(?:[.,]\d+)?)[ \u00a0-]?"
    r"(?P<unit>thousand|million|billion|trillion|bn|тыс|млн|миллион|млрд|миллиард|трлн|万亿|亿|万)?",
    re.IGNORECASE,
)
THOUSANDS = re.compile(r"(?<=\d)[ ,\u00a0](?=\d{3}(?:\D|$))")
POWERS = {
    "": 0, "thousand": 3, "тыс": 3, "万": 4, "million": 6, "млн": 6, "миллион": 6, "亿": 8, "billion": 9, "bn": 9,
    "млрд": 9, "миллиард": 9, "trillion": 12, "трлн": 12, "万亿": 12,
}  # fmt: skip
WORD = re.compile(r"\w+")
HASH_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # odd, its bits well mixed: 2^64 over the golden ratio


@dataclass(frozen=True, slots=True)
class StoryArticle:
    """A report about the relation, with what its current score found.

    reported_at: aware, UTC. has_time: False where that is a day alone, put at noon. relevance: 0..1. direction:
    Goldstein -10..10. actors, places: ids of the codebook. events: types. story_id: None until it has one. copy_of: the
    original's id; None for an independent text. is_changed: its text is new to us. heads_story: its article_id is the
    id of a story, which need not be its own any more.
    """

    article_id: int
    score_id: int
    outlet: str
    side: Side
    language: Language
    title: str
    text: str
    reported_at: datetime
    relevance: float
    direction: float | None
    actors: tuple[str, ...]
    events: tuple[str, ...]
    themes: tuple[str, ...]
    places: tuple[str, ...]
    story_id: int | None = None
    copy_of: int | None = None
    has_time: bool = True
    is_changed: bool = True
    heads_story: bool = False


@dataclass(frozen=True, slots=True)
class SideCounts:
    """A number for each side."""

    china_state: int = 0
    russia_state: int = 0
    china_independent: int = 0
    russia_independent: int = 0
    third: int = 0


@dataclass(frozen=True, slots=True)
class Story:
    """What the table stories says of a story. n_texts: independent texts; direction: their mean, Goldstein -10..10."""

    story_id: int
    headline: str
    representative_article_id: int
    representative_score_id: int
    first_report_at: datetime
    last_report_at: datetime
    n_reports: int
    n_texts: int
    n_outlets: int
    n_outlets_by_side: SideCounts
    languages: tuple[str, ...]
    relevance: float
    direction: float | None


@dataclass(frozen=True, slots=True)
class StoryChange:
    """What happened to a story that existed before. merged_into: the story that took all of its reports, if one did."""

    story_id: int
    merged_into: int | None
    change_note: str


@dataclass(frozen=True, slots=True)
class Membership:
    """A report, its story and its original. copy_share: share of its word sequences that stand there, 0..1."""

    article_id: int
    story_id: int
    copy_of: int | None
    copy_share: float | None


@dataclass(frozen=True, slots=True)
class Told:
    """All of the reports that were brought, placed; their stories; and what became of earlier ones."""

    memberships: tuple[Membership, ...]
    stories: tuple[Story, ...]
    changes: tuple[StoryChange, ...]


def tell_stories(articles: Sequence[StoryArticle], day: date) -> Told:
    """Find the copies and stories among reports: the new ones, their neighbours in time, and all of their stories.

    day: of the run, for the notes on changes.
    """
    ordered = sorted(articles, key=_by_time)
    copies = find_copies(sorted(articles, key=_by_latest_time))
    texts = [article for article in ordered if article.article_id not in copies]
    clusters = group_reports(texts)
    cluster_of = {article.article_id: cluster for cluster in clusters for article in cluster}
    for article in ordered:
        if article.article_id in copies:
            cluster_of[copies[article.article_id][0]].append(article)
    story_ids = _give_back_ids(clusters)
    memberships = tuple(
        Membership(article.article_id, story_id, *copies.get(article.article_id, (None, None)))
        for story_id, cluster in zip(story_ids, clusters, strict=True)
        for article in cluster
    )
    stories = (_summarise(story_id, cluster, copies) for story_id, cluster in zip(story_ids, clusters, strict=True))
    return Told(memberships, tuple(stories), tuple(_explain_changes(clusters, story_ids, day)))


def _by_time(article: StoryArticle) -> tuple[datetime, int]:
    return article.reported_at, article.article_id


def _by_latest_time(article: StoryArticle) -> tuple[datetime, int]:
    """By when it was published at the latest: a day alone is no ground to call it the original of what has a time."""
    return article.reported_at + (timedelta(0) if article.has_time else HALF_DAY), article.article_id


# ── copies ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def find_copies(articles: Sequence[StoryArticle]) -> dict[int, tuple[int, float]]:
    """Reprints by article_id: the original, and the share of the reprint that stands in it.

    A text is a copy of an earlier one if most of it stands there (a reprint, whole or cut), or if it takes most of the
    earlier one in and is less than three times as long (the fuller version of the same copy). The earliest of a chain
    is the original of all. Pairs of texts that are both known keep what was found before.

    Args:
        articles: by the time at which they were out at the latest, the earliest first.
    """
    position = {article.article_id: at for at, article in enumerate(articles)}
    numbers: dict[str, int] = {}
    shingles = [_shingles(article, numbers) for article in articles]
    groups = list(range(len(articles)))  # of each article, the earliest that it is tied to

    def root(at: int) -> int:
        while groups[at] != at:
            at = groups[at]
        return at

    for one, other in [*_known_copies(articles, position), *_matching_texts(articles, shingles)]:
        first, second = sorted((root(one), root(other)))
        groups[second] = first
    return {
        article.article_id: (
            articles[root(at)].article_id,
            float(np.isin(shingles[at], shingles[root(at)], assume_unique=True).mean()) if len(shingles[at]) else 0.0,
        )
        for at, article in enumerate(articles)
        if root(at) != at
    }


def _known_copies(articles: Sequence[StoryArticle], position: Mapping[int, int]) -> Iterable[tuple[int, int]]:
    for at, article in enumerate(articles):
        original = position.get(article.copy_of) if article.copy_of is not None else None
        if original is not None and not article.is_changed and not articles[original].is_changed:
            yield original, at


def _matching_texts(
    articles: Sequence[StoryArticle], shingles: Sequence[NDArray[np.uint64]]
) -> Iterable[tuple[int, int]]:
    """Pairs (earlier, later) of positions whose texts are the same copy; at least one of each pair is changed.

    Every shingle of every text lies in one sorted list, so that the exact overlap of a text with all others is a
    search and a count.
    """
    lengths = np.array([len(found) for found in shingles], dtype=np.int64)
    owners = np.repeat(np.arange(len(articles)), lengths)
    hashes = np.concatenate([*shingles, np.empty(0, dtype=np.uint64)])
    order = np.argsort(hashes, kind="stable")
    hashes, owners = hashes[order], owners[order]
    windows = np.array([article.reported_at.timestamp() for article in articles]) / COPY_WINDOW.total_seconds()
    positions = np.arange(len(articles))
    for at, article in enumerate(articles):
        if not article.is_changed or lengths[at] < MIN_SHINGLES:
            continue
        starts, ends = (np.searchsorted(hashes, shingles[at], side=side) for side in ("left", "right"))
        holders = owners[_ranges(starts, ends)]
        n_shared = np.bincount(holders, minlength=len(articles))
        share, share_of_other = n_shared / lengths[at], n_shared / np.maximum(lengths, 1)
        of_later = np.where(positions > at, share_of_other, share)
        of_earlier = np.where(positions > at, share, share_of_other)
        is_same = (of_later >= MIN_COPY_SHARE) | ((of_earlier >= MIN_COPY_SHARE) & (of_later >= MIN_FULLER_SHARE))
        is_near = (lengths >= MIN_SHINGLES) & (abs(windows - windows[at]) <= 1) & (positions != at)
        for other in np.flatnonzero(is_same & is_near):
            yield min(at, int(other)), max(at, int(other))


def _ranges(starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """All numbers of all ranges [start, end)."""
    sizes = ends - starts
    shifts = np.repeat(starts - np.concatenate(([0], sizes.cumsum()[:-1])), sizes)
    return shifts + np.arange(sizes.sum())


def _shingles(article: StoryArticle, numbers: dict[str, int]) -> NDArray[np.uint64]:
    """Hashes of the runs of five words (of seven characters in Chinese), each once, sorted. New words are numbered."""
    words = WORD.findall(article.text.lower())
    if article.language == "zh":
        units = np.frombuffer("".join(words).encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
        size = SHINGLE_CHARACTERS
    else:
        units = np.array([numbers.setdefault(word, len(numbers)) for word in words], dtype=np.uint64)
        size = SHINGLE_WORDS
    n_shingles = max(len(units) - size + 1, 0)
    hashes = np.zeros(n_shingles, dtype=np.uint64)
    for shift in range(size):
        hashes = (hashes ^ units[shift : shift + n_shingles]) * HASH_FACTOR  # wraps at 64 bits
        hashes ^= hashes >> np.uint64(29)
    return np.unique(hashes)


# ── stories ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Index:
    """Vectors of length 1, stored by term as well, so that one's products with all others are a look-up and a count."""

    def __init__(self, documents: Sequence[Mapping[str, float]]) -> None:
        n_documents = Counter(term for document in documents for term in document)
        numbers = {term: number for number, term in enumerate(n_documents)}
        # As if a hundred reports of other things had been there before: among three, every word would be rare.
        rarity = np.log1p((len(documents) + 100) / (np.array(list(n_documents.values()), dtype=np.float64) + 1))
        self._terms = [np.array([numbers[term] for term in document], dtype=np.int64) for document in documents]
        self._weights: list[NDArray[np.float64]] = []
        for terms, document in zip(self._terms, documents, strict=True):
            weights = rarity[terms] * np.array(list(document.values()), dtype=np.float64)
            self._weights.append(weights / (math.sqrt(weights @ weights) or 1.0))
        by_document = np.concatenate([*self._terms, np.empty(0, dtype=np.int64)])
        order = np.argsort(by_document, kind="stable")
        self._starts = np.searchsorted(by_document[order], np.arange(len(numbers) + 1))
        self._owners = np.repeat(np.arange(len(documents)), [len(terms) for terms in self._terms])[order]
        self._owner_weights = np.concatenate([*self._weights, np.empty(0)])[order]

    def compare(self, at: int) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """The products of one document with all, and how many terms they share."""
        terms, n_documents = self._terms[at], len(self._terms)
        starts, ends = self._starts[terms], self._starts[terms + 1]
        places = _ranges(starts, ends)
        products = np.repeat(self._weights[at], ends - starts) * self._owner_weights[places]
        owners = self._owners[places]
        found: NDArray[np.float64] = np.bincount(owners, products, n_documents).astype(np.float64)
        return found, np.bincount(owners, minlength=n_documents)


class _Likeness:
    """How alike reports are, each beside those before it."""

    def __init__(self, articles: Sequence[StoryArticle]) -> None:
        self._words = _Index([_words(article) for article in articles])
        self._concepts = _Index([_concepts(article) for article in articles])
        self._languages = np.array([article.language for article in articles])
        self._windows = np.array([article.reported_at.timestamp() for article in articles]) / WINDOW.total_seconds()
        self._stories = np.array([article.story_id or 0 for article in articles], dtype=np.int64)

    def margins(self, at: int) -> NDArray[np.float64]:
        """How far the likeness to each report of the window before lies above what its kind of pair must reach.

        The last stands for the report just before; -1 where there is no likeness.
        """
        start = int(np.searchsorted(self._windows, self._windows[at] - 1))
        before = slice(start, at)
        (by_words, _), (by_concepts, n_shared) = self._words.compare(at), self._concepts.compare(at)
        is_same = self._languages[before] == self._languages[at]
        by_both = WORD_WEIGHT * by_words + (1 - WORD_WEIGHT) * by_concepts
        likeness = np.where(is_same, by_both[before], by_concepts[before])
        needed = np.where(is_same, MIN_SAME_LANGUAGE, MIN_ACROSS_LANGUAGES)
        apart = self._windows[at] - self._windows[before]
        known, own = self._stories[before], self._stories[at]
        loyal = np.where((known == 0) | (own == 0), 0, np.where(known == own, LOYALTY, -LOYALTY))
        found = (likeness - TIME_COST * apart + loyal - needed) / (1 - needed)
        found[~is_same & (n_shared[before] < MIN_SHARED_CONCEPTS)] = -1.0
        return np.asarray(np.maximum(found, -1.0), dtype=np.float64)


def group_reports(articles: Sequence[StoryArticle]) -> list[list[StoryArticle]]:
    """The reports of each happening, by time of the first.

    Each report joins the story whose closest reports it is most like, if it is alike enough. A report that is like two
    stories joins them, if on the whole they are alike as well.

    Args:
        articles: independent texts by time, the earliest first.
    """
    likeness = _Likeness(articles)
    stories: dict[int, list[int]] = {}  # positions of the reports, by that of the first
    story_of: list[int] = []
    margins: dict[int, NDArray[np.float64]] = {}  # of the reports in the window
    for at in range(len(articles)):
        margins[at] = likeness.margins(at)
        start = at - len(margins[at])
        while (oldest := next(iter(margins))) < start:
            del margins[oldest]
        alike = []
        for story in {story_of[start + other] for other in np.flatnonzero(margins[at] >= 0)}:
            closest = sorted((margins[at][m - start] for m in stories[story] if m >= start), reverse=True)[:N_CLOSEST]
            if sum(closest) >= 0:
                alike.append((sum(closest) / len(closest), -story))  # of two equally close ones the earlier
        alike.sort(reverse=True)
        story_of.append(-alike[0][1] if alike else at)
        stories.setdefault(story_of[at], []).append(at)
        for _, other in alike[1:]:
            if _mean_margin(margins, stories[story_of[at]], stories[-other]) >= 0:
                kept, lost = sorted((story_of[at], -other))
                stories[kept] = sorted(stories[kept] + stories.pop(lost))
                for member in stories[kept]:
                    story_of[member] = kept
    return [[articles[at] for at in members] for _, members in sorted(stories.items())]


def _mean_margin(margins: Mapping[int, NDArray[np.float64]], ones: Iterable[int], others: Sequence[int]) -> float:
    """Between the reports of two stories that lie within the window of each other; -1 if none do."""
    found = [
        margins[later][earlier - later]  # counted from the end: the row of a report ends with the one before it
        for one in ones
        for other in others
        for earlier, later in [sorted((one, other))]
        if later in margins and later - earlier <= len(margins[later])
    ]
    return sum(found) / len(found) if found else -1.0


def _opening(article: StoryArticle) -> str:
    return f"{article.title}\n{article.text[: LEAD_CHARACTERS[article.language]]}".lower()


def _words(article: StoryArticle) -> dict[str, float]:
    """Marked with the language, since only words of one language are compared."""
    found = WORD.findall(_opening(article))
    if article.language == "zh":
        return {f"zh {''.join(pair)}": 1.0 for word in found for pair in pairwise(word)}
    stems = (word[:STEM_LETTERS] for word in found if len(word) >= MIN_WORD_LETTERS or word.isdigit())
    return {f"{article.language} {stem}": 1.0 for stem in stems}


def _concepts(article: StoryArticle) -> dict[str, float]:
    return {
        **dict.fromkeys((f"actor {actor}" for actor in article.actors), ACTOR_WEIGHT),
        **dict.fromkeys((f"place {place}" for place in article.places), PLACE_WEIGHT),
        **dict.fromkeys((f"event {event}" for event in article.events), EVENT_WEIGHT),
        **dict.fromkeys((f"theme {theme}" for theme in article.themes), THEME_WEIGHT),
        **dict.fromkeys(map(_amount, NUMBER.finditer(_opening(article))), NUMBER_WEIGHT),
    }


def _amount(found: re.Match[str]) -> str:
    """34.5 billion, 34,5 млрд and 345亿 are one amount."""
    digits = THOUSANDS.sub("", found["digits"]).replace(",", ".")
    return f"number {float(digits) * 10 ** POWERS[(found['unit'] or '').lower()]:g}"


# ── ids that stay ───────────────────────────────────────────────────────────────────────────────────────────────────


def _give_back_ids(clusters: Sequence[Sequence[StoryArticle]]) -> list[int]:
    """The id of each cluster: that of the story that most of its reports were in, or that of its first free report."""
    claims = Counter(
        (article.story_id, at) for at, cluster in enumerate(clusters) for article in cluster if article.story_id
    )
    ids: dict[int, int] = {}
    for (story_id, at), _ in sorted(claims.items(), key=lambda claim: (-claim[1], claim[0][1], claim[0][0])):
        if at not in ids and story_id not in ids.values():
            ids[at] = story_id
    taken = {story_id for story_id, _ in claims}
    for at, cluster in enumerate(clusters):
        free = (a.article_id for a in cluster if not a.heads_story and a.article_id not in taken)
        ids.setdefault(at, next(free, -cluster[0].article_id))  # of a part of a part no report may be free
    return [ids[at] for at in range(len(clusters))]


def _explain_changes(
    clusters: Sequence[Sequence[StoryArticle]], story_ids: Sequence[int], day: date
) -> Iterable[StoryChange]:
    """What moved between stories, told by both of them."""
    moves = Counter(
        (article.story_id, story_id)
        for story_id, cluster in zip(story_ids, clusters, strict=True)
        for article in cluster
        if article.story_id is not None and article.story_id != story_id
    )
    for (source, target), n_reports in sorted(moves.items()):
        reports = f"{n_reports} report{'s' if n_reports > 1 else ''}"
        if source in story_ids:
            yield StoryChange(source, None, f"{day}: {reports} went to story {target}")
            yield StoryChange(target, None, f"{day}: {reports} came from story {source}")
        else:
            # A story that fell into several others is merged into the one that took most of it.
            heir = max((n, -other) for (one, other), n in moves.items() if one == source)
            yield StoryChange(source, -heir[1], f"{day}: merged, {reports} into story {target}")
            yield StoryChange(target, None, f"{day}: took {reports} of story {source}")


# ── summaries ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _summarise(story_id: int, cluster: Sequence[StoryArticle], copies: Mapping[int, tuple[int, float]]) -> Story:
    """One row of the table stories from all of a story's reports."""
    texts = [article for article in cluster if article.article_id not in copies]
    head = _representative(texts)
    directions = [article.direction for article in texts if article.direction is not None]
    outlets = {article.outlet: article.side for article in cluster}
    return Story(
        story_id,
        readable_headline(head.title or f"{head.text[:OPENING_CHARACTERS]} …", head.outlet),
        head.article_id,
        head.score_id,
        min(article.reported_at for article in cluster),
        max(article.reported_at for article in cluster),
        n_reports=len(cluster),
        n_texts=len(texts),
        n_outlets=len(outlets),
        n_outlets_by_side=SideCounts(**Counter[str](outlets.values())),
        languages=tuple(sorted({article.language for article in cluster})),
        relevance=max(article.relevance for article in cluster),
        direction=math.fsum(directions) / len(directions) if directions else None,
    )


def _representative(texts: Sequence[StoryArticle]) -> StoryArticle:
    """The earliest of the most relevant texts, in English if there is one, with a title of usual length."""
    return min(
        texts,
        key=lambda text: (
            len(text.title) not in HEADLINE_CHARACTERS,
            -round(text.relevance, 1),
            HEADLINE_LANGUAGES.index(text.language),
            _by_time(text),
        ),
    )


def readable_headline(title: str, outlet: str) -> str:
    """A title on one line, without the marks of agencies and the name of the outlet that pages put behind it."""
    line = AGENCY_MARK.sub("", " ".join(title.split()))
    return re.sub(rf"\s*[-–—|_]\s*{re.escape(outlet)}$", "", line, flags=re.IGNORECASE) or line
