"""Reports in, the copies and the stories among them out. No database and no clock: the caller brings the reports.

Within a language the words of title and lead decide; across languages what the scorer understood: who acted, what they
did, the themes, and the numbers, which every language writes alike.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from rensa import RMinHash

from include.newswatch.model import Language, Side

WINDOW = timedelta(hours=72)  # reports further apart tell of different happenings
N_PERMUTATIONS = 128
MIN_JACCARD = 0.35  # estimated; a copy cut to 60 % has .6
MIN_COPY_SHARE = 0.7
SHINGLE_WORDS, SHINGLE_CHARACTERS = 5, 7
LEAD_CHARACTERS: Mapping[Language, int] = {"en": 300, "ru": 300, "zh": 100}
STEM_LETTERS = 5  # the beginning of a word stands for its forms: Путина, Путину, Путиным
MIN_WORD_LETTERS = 4  # shorter ones are mostly grammar
WORD_WEIGHT = 0.7  # the rest is the concepts'
# Tuned on tests/data/stories.jsonl: from .30 and .50 on the pairwise F1 is 1.0 there, and with three in ten of the
# concepts lost .92, the best of thresholds .25 to .60.
MIN_SAME_LANGUAGE = 0.3
MIN_ACROSS_LANGUAGES = 0.5
MIN_SHARED_CONCEPTS = 2

NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class StoryArticle:
    """A report about the relation, with what its current score found.

    reported_at: aware, UTC. relevance: 0..1. direction: Goldstein -10..10. actors: ids. events: type and sides, e.g.
    CONSULT:CN>RU. story_id: None until it has one. copy_of: the original's id; None for an independent text.
    """

    article_id: int
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
    story_id: int | None = None
    copy_of: int | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """One row of the table stories. n_texts: independent texts; direction: their mean, Goldstein -10..10."""

    story_id: int
    headline: str
    representative_article_id: int
    first_report_at: datetime
    last_report_at: datetime
    n_reports: int
    n_texts: int
    n_outlets: int
    relevance: float
    direction: float | None
    merged_into: int | None = None
    change_note: str = ""


@dataclass(frozen=True, slots=True)
class Copy:
    """A reprint. copy_share: share of its word sequences that stand in the original, 0..1."""

    article_id: int
    copy_of: int
    copy_share: float


@dataclass(frozen=True, slots=True)
class Membership:
    """A report and its story."""

    article_id: int
    story_id: int


# ── copies ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def find_copies(new: Sequence[StoryArticle], recent: Sequence[StoryArticle]) -> dict[int, tuple[int, float]]:
    """Reprints, whole or cut, by article_id: the original's id and the share of the reprint that stands in it.

    The earliest report is the original, so that a recent one becomes a copy when its original arrives late. Recent
    copies stay as they are.
    """
    is_new = {article.article_id for article in new}
    shingles = {article.article_id: _shingles(article) for article in (*new, *recent)}
    hashes = {key: _min_hash(found) for key, found in shingles.items()}
    originals: dict[str, list[int]] = defaultdict(list)
    copies: dict[int, tuple[int, float]] = {}
    for article in sorted((*new, *recent), key=_by_time):
        key = article.article_id
        if article.copy_of is not None or not shingles[key]:
            continue
        shares = [
            (len(shingles[key] & shingles[other]) / len(shingles[key]), other)
            for other in originals[article.language]
            if (key in is_new or other in is_new) and hashes[key].jaccard(hashes[other]) >= MIN_JACCARD
        ]
        share, original = max(shares, default=(0.0, key), key=lambda found: found[0])
        if share >= MIN_COPY_SHARE:
            copies[key] = (original, share)
        else:
            originals[article.language].append(key)
    return copies


def _shingles(article: StoryArticle) -> frozenset[str]:
    words = WORD.findall(article.text.lower())
    if article.language == "zh":
        text = "".join(words)
        return frozenset(text[at : at + SHINGLE_CHARACTERS] for at in range(len(text) - SHINGLE_CHARACTERS + 1))
    return frozenset(" ".join(words[at : at + SHINGLE_WORDS]) for at in range(len(words) - SHINGLE_WORDS + 1))


def _min_hash(shingles: Iterable[str]) -> RMinHash:
    found = RMinHash(num_perm=N_PERMUTATIONS, seed=0)
    found.update(sorted(shingles))
    return found


# ── stories ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Sketch:
    """What a report is compared by: weights of length 1, of its words and of its concepts."""

    article: StoryArticle
    words: Mapping[str, float]
    concepts: Mapping[str, float]


def assign_stories(new: Sequence[StoryArticle], recent: Sequence[StoryArticle]) -> dict[int, int]:
    """The story of every new report: its original's, else that of the most similar report, else one of its own.

    Existing stories are never merged; a report between two of them joins the more similar one.
    """
    sketches = _sketch([*recent, *new])
    stories = {article.article_id: article.story_id for article in recent if article.story_id is not None}
    placed = [sketches[key] for key in stories]
    assigned: dict[int, int] = {}
    for article in sorted(new, key=_by_time):
        sketch = sketches[article.article_id]
        if article.copy_of in stories:
            story = stories[article.copy_of]
        else:
            closest = _closest(sketch, placed)
            story = article.article_id if closest is None else stories[closest]
        assigned[article.article_id] = stories[article.article_id] = story
        placed.append(sketch)
    return assigned


def _closest(sketch: _Sketch, placed: Iterable[_Sketch]) -> int | None:
    """The report most like this one within the window, if it is alike enough."""
    margins = (
        (_margin(sketch, other), other.article.article_id)
        for other in placed
        if abs(sketch.article.reported_at - other.article.reported_at) <= WINDOW
    )
    margin, key = max(margins, default=(-1.0, 0))
    return key if margin >= 0 else None


def _margin(one: _Sketch, other: _Sketch) -> float:
    """How far the similarity lies above what its kind of pair must reach, as a share of the way to 1."""
    concepts = _dot(one.concepts, other.concepts)
    if one.article.language == other.article.language:
        similarity = WORD_WEIGHT * _dot(one.words, other.words) + (1 - WORD_WEIGHT) * concepts
        return (similarity - MIN_SAME_LANGUAGE) / (1 - MIN_SAME_LANGUAGE)
    if len(one.concepts.keys() & other.concepts.keys()) < MIN_SHARED_CONCEPTS:
        return -1.0
    return (concepts - MIN_ACROSS_LANGUAGES) / (1 - MIN_ACROSS_LANGUAGES)


def _sketch(articles: Sequence[StoryArticle]) -> dict[int, _Sketch]:
    words = {article.article_id: _words(article) for article in articles}
    concepts = {article.article_id: _concepts(article) for article in articles}
    word_idf, concept_idf = _idf(words.values()), _idf(concepts.values())
    return {
        key: _Sketch(article, _weigh(words[key], word_idf), _weigh(concepts[key], concept_idf))
        for key, article in {article.article_id: article for article in articles}.items()
    }


def _idf(documents: Iterable[frozenset[str]]) -> dict[str, float]:
    found = list(documents)
    n_documents = Counter(term for terms in found for term in terms)
    return {term: math.log(1 + len(found) / n) for term, n in n_documents.items()}


def _weigh(terms: frozenset[str], idf: Mapping[str, float]) -> dict[str, float]:
    ordered = sorted(terms)  # sums of floats are the same in every process
    length = math.sqrt(sum(idf[term] ** 2 for term in ordered))
    return {term: idf[term] / length for term in ordered}


def _dot(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    return sum(weight * other[term] for term, weight in one.items() if term in other)


def _opening(article: StoryArticle) -> str:
    return f"{article.title}\n{article.text[: LEAD_CHARACTERS[article.language]]}".lower()


def _words(article: StoryArticle) -> frozenset[str]:
    found = WORD.findall(_opening(article))
    if article.language == "zh":
        return frozenset("".join(pair) for word in found for pair in pairwise(word))
    return frozenset(word[:STEM_LETTERS] for word in found if len(word) >= MIN_WORD_LETTERS or word.isdigit())


def _concepts(article: StoryArticle) -> frozenset[str]:
    numbers = {f"number {number.replace(',', '.')}" for number in NUMBER.findall(_opening(article))}
    return frozenset({*article.actors, *article.events, *(f"theme {theme}" for theme in article.themes), *numbers})


def _by_time(article: StoryArticle) -> tuple[datetime, int]:
    return article.reported_at, article.article_id


# ── summaries ───────────────────────────────────────────────────────────────────────────────────────────────────────


def tell_stories(articles: Sequence[StoryArticle]) -> tuple[list[StoryArticle], dict[int, tuple[int, float]]]:
    """All reports with their copies and stories; those that have a story keep it. The second value: find_copies'."""
    new = [article for article in articles if article.story_id is None]
    recent = [article for article in articles if article.story_id is not None]
    copies = find_copies(new, recent)
    originals = {key: original for key, (original, _) in copies.items()}
    new = [replace(article, copy_of=originals.get(article.article_id, article.copy_of)) for article in new]
    recent = [replace(article, copy_of=originals.get(article.article_id, article.copy_of)) for article in recent]
    assigned = assign_stories(new, recent)
    return [*recent, *(replace(article, story_id=assigned[article.article_id]) for article in new)], copies


def summarise_stories(members: Iterable[StoryArticle]) -> list[Story]:
    """One row a story, from all of its reports; the most relevant independent text heads it."""
    reports: dict[int, list[StoryArticle]] = defaultdict(list)
    for article in sorted(members, key=_by_time):
        if article.story_id is not None:
            reports[article.story_id].append(article)
    return [_summarise(story_id, found) for story_id, found in sorted(reports.items())]


def _summarise(story_id: int, reports: Sequence[StoryArticle]) -> Story:
    # The original of a reprint may lie outside the story; then the first report stands for it.
    texts = [article for article in reports if article.copy_of is None] or [reports[0]]
    head = max(texts, key=lambda article: article.relevance)
    directions = [article.direction for article in texts if article.direction is not None]
    return Story(
        story_id,
        head.title,
        head.article_id,
        reports[0].reported_at,
        reports[-1].reported_at,
        n_reports=len(reports),
        n_texts=len(texts),
        n_outlets=len({article.outlet for article in reports}),
        relevance=max(article.relevance for article in reports),
        direction=math.fsum(directions) / len(directions) if directions else None,
    )
