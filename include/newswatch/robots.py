"""A robots.txt in, what it lets us do out (RFC 9309). Pure: politeness.py fetches and keeps the file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from protego import Protego

from include.newswatch.model import NewsError

MAX_ROBOTS_BYTES = 500 * 1024  # RFC 9309, 2.5: at least this much must be read
FRESH_S = 24 * 3600  # RFC 9309, 2.4: not used for longer, unless it cannot be had
RETRY_S = 600  # after a failure: long enough not to hammer a sick server
STALE_S = 30 * 24 * 3600  # RFC 9309, 2.3.1.4: "a reasonably long period"

# With these the page cannot be had either: the honest outcome is this word, not robots_denied.
_NO_SERVER = frozenset({"dns_error", "connect_error", "tls_error", "blocked_address", "rate_limited", "bot_wall"})


@dataclass(frozen=True, slots=True)
class RobotsFile:
    """What an origin said, in a form that can be kept.

    text: its rules, empty when everything is allowed. forbidden_because: why nothing is allowed for now, else empty.
    read_at, fresh_until: Unix seconds; read_at is when the server last gave an answer that counts.
    """

    text: str
    read_at: float
    fresh_until: float
    forbidden_because: str = ""

    def allows(self, url: str, user_agent: str) -> bool:
        return not self.forbidden_because and parse_robots(self.text).can_fetch(url, user_agent)

    def crawl_delay_s(self, user_agent: str) -> float:
        delay_s = parse_robots(self.text).crawl_delay(user_agent)
        return delay_s if delay_s is not None and delay_s > 0 else 0.0  # "nan" is a number to the parser


def robots_from_body(body: bytes, now_s: float) -> RobotsFile:
    """The rules of an answer. A BOM would hide the first group from the parser, a bad byte must not hide the others."""
    text = body[:MAX_ROBOTS_BYTES].decode("utf-8-sig", errors="replace")
    return RobotsFile(text, read_at=now_s, fresh_until=now_s + FRESH_S)


def robots_from_failure(error: NewsError, known: RobotsFile | None, now_s: float) -> RobotsFile:
    """What holds when robots.txt could not be had: 4xx allow all, the rest forbids all until it can be had again.

    Rules read before stay in force while the server is sick, for at most 30 days.

    Raises:
        NewsError: the same error, when there is no server to be polite to.
    """
    answered_no = error.status is not None and 400 <= error.status < 500 and error.status != 429
    if answered_no or error.outcome == "too_many_redirects":
        return RobotsFile("", read_at=now_s, fresh_until=now_s + FRESH_S)
    if error.outcome in _NO_SERVER:
        raise error
    if known and not known.forbidden_because and now_s - known.read_at < STALE_S:
        return RobotsFile(known.text, read_at=known.read_at, fresh_until=now_s + RETRY_S)
    because = f"robots.txt cannot be had ({error.outcome})"
    return RobotsFile("", read_at=now_s, fresh_until=now_s + RETRY_S, forbidden_because=because)


def named_sitemaps(text: str) -> list[str]:
    """What its Sitemap lines name, in their order."""
    return list(parse_robots(text).sitemaps)


@lru_cache(maxsize=128)
def parse_robots(text: str) -> Protego:
    """The parsed rules; kept, because the same few files are asked before every page."""
    return Protego.parse(text)
