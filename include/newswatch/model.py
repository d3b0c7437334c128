"""The things that travel the road, its expected errors and its outcome words. Standard library only.

feed ─ poll ─► entry ─ fetch ─► page ─ extract ─► article ─ score ─► score
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

Side = Literal["china_state", "russia_state", "china_independent", "russia_independent", "third"]
FeedKind = Literal["rss", "atom", "rdf", "json_feed", "news_sitemap", "list_page"]
Language = Literal["en", "ru", "zh"]
PublishedAtSource = Literal["feed", "page", "url"]

# Every attempt at a feed or page, and every article on its way to a score, ends in exactly one of these words.
Outcome = Literal[
    "fetched",  # bytes arrived and were kept
    "not_modified",  # the server says that nothing changed (304)
    "robots_denied",  # robots.txt forbids the address to us
    "blocked_address",  # the address is not public, the port or scheme is not allowed
    "dns_error",
    "tls_error",
    "connect_error",
    "network_down",  # nothing answers anywhere: our own network, not the server
    "timeout",
    "too_large",  # more bytes, headers or elements than the limits allow
    "too_many_redirects",
    "rate_limited",  # 429, or 503 with Retry-After
    "http_error",  # any other status of 400 and above
    "gone",  # 410
    "host_down",  # not asked: the host had failed several times in this run
    "too_old",  # an entry older than the limit when it was first seen; not asked for
    "bot_wall",  # a challenge page instead of content
    "not_a_feed",
    "not_html",
    "no_text",  # the page holds no article text
    "other_language",  # neither English, Russian nor Chinese
    "parse_error",
    "parse_timeout",  # the parser was killed after its time limit
    "parse_memory",  # the parser was killed at its memory limit
    "scored",
]
OUTCOMES: tuple[str, ...] = get_args(Outcome)


class NewsError(Exception):
    """An error that the open web is expected to cause: it becomes an outcome row, never a failed run.

    status: the HTTP status, where a server answered. retry_after_s: how long the server asks us to stay away.
    """

    outcome: Outcome

    def __init__(
        self, outcome: Outcome, detail: str, *, status: int | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(outcome, detail)  # unpickling calls the class with these and restores the rest
        self.outcome = outcome
        self.detail = detail
        self.status = status
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        return f"{self.outcome}: {self.detail}"


class SettingsError(ValueError):
    """The operator's own files are wrong (feeds.csv, settings, codebook); the message says where."""


@dataclass(frozen=True, slots=True)
class Feed:
    """One monitored address, a line of feeds.csv.

    country: ISO 3166 alpha-2 of the outlet. time_zone: IANA name for dates that carry none.
    article_pattern: regular expression that links of a list page must match.
    """

    url: str
    outlet: str
    language: str
    country: str
    side: Side
    kind: FeedKind
    section: str = ""
    time_zone: str = "UTC"
    article_pattern: str = ""
    enabled: bool = True
    note: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One item of a feed, as the publisher announced it.

    url: canonical. published_at: aware, UTC; None when the feed gives no usable date; published_raw is what it said.
    """

    feed_url: str
    url: str
    title: str
    published_at: datetime | None = None
    published_raw: str = ""
    guid: str = ""
    summary: str = ""


@dataclass(frozen=True, slots=True)
class FeedDocument:
    """A parsed feed: its entries and what it says of its own rhythm (minutes, from ttl or sy:updatePeriod)."""

    kind: FeedKind
    entries: tuple[Entry, ...]
    ttl_minutes: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of a web server, decompressed. fetched_at: aware, UTC. url: as asked, final_url: after redirects.

    headers: names in lower case. permanent_url: where url now lives for good (301, 308), else None.
    """

    url: str
    final_url: str
    status: int
    headers: dict[str, str]
    body: bytes
    fetched_at: datetime
    elapsed_ms: int = 0
    permanent_url: str | None = None


@dataclass(frozen=True, slots=True)
class Article:
    """The readable text of a page. Plain text throughout, nothing of it is markup.

    url: canonical identity. published_at: aware, UTC, None when unknown. has_time: False where the publisher gives a
    day alone; published_at is then noon at the outlet, or the moment of the fetch if that was earlier. language: en, ru
    or zh (ISO 639-1). canonical_url: what the page itself calls its address (rel=canonical), where that can be trusted,
    else empty. modified_at: when the page says that it was last changed, aware, UTC.
    """

    url: str
    title: str
    text: str
    language: str
    published_at: datetime | None = None
    published_at_source: PublishedAtSource | None = None
    author: str = ""
    canonical_url: str = ""
    modified_at: datetime | None = None
    has_time: bool = True


@dataclass(frozen=True, slots=True)
class Event:
    """A PLOVER event between the two sides.

    goldstein: -10..10. sentence_no: from 0, None when it rests on the title.
    """

    type: str
    quad: str
    goldstein: float
    source: str
    target: str
    sentence_no: int | None


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, institution or firm of the codebook. side: the codebook's id of its side."""

    id: str
    name: str
    side: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence that shows the judgement. sentence_no: from 0, the title is left out."""

    sentence_no: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Score:
    """What an article says of the relation.

    relevance: probability 0..1 that it is about the relation at all; relevance_class: 0 no, 1 touches it, 2 mainly.
    direction: Goldstein -10..10, direction_class: -2..2; both None at class 0, where there are no events, themes and
    evidence either. places: ids of the places and third countries that the opening names.
    """

    relevance: float
    relevance_class: int
    direction: float | None
    direction_class: int | None
    events: tuple[Event, ...]
    themes: tuple[str, ...]
    actors: tuple[Actor, ...]
    evidence: tuple[Evidence, ...]
    scorer_version: str
    places: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fetch:
    """One attempt at a feed or page and how it ended: the row of the ledger.

    kind: feed or page. n_bytes: decompressed. warc_file and warc_offset say where the archived answer lies; None when
    nothing was kept. next_attempt_at: None when the outcome is final.
    """

    kind: Literal["feed", "page"]
    url: str
    feed_url: str
    host: str
    outcome: Outcome
    fetched_at: datetime
    elapsed_ms: int = 0
    http_status: int | None = None
    n_bytes: int = 0
    final_url: str | None = None
    warc_file: str | None = None
    warc_offset: int | None = None
    n_attempts: int = 1
    next_attempt_at: datetime | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class PageTask:
    """A page that is due, with what its feed knows of it."""

    entry: Entry
    outlet: str
    language: str
    time_zone: str
    n_attempts: int = 0


@dataclass(frozen=True, slots=True)
class ExtractedPage:
    """What became of one fetched page: an article, or an outcome that says why there is none."""

    entry_url: str
    feed_url: str
    outcome: Outcome
    detail: str
    fetched_at: datetime
    article: Article | None = None
    text_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class ScoredArticle:
    """A score and the article text it belongs to."""

    url: str
    text_sha256: str
    scored_at: datetime
    score: Score
