"""Status, headers and first bytes of an HTTP answer in, what it means for us out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from include.newswatch.model import NewsError

MAX_RETRY_AFTER_S = 24 * 3600.0  # a server that asks for a year has a typing error
REDIRECTS = frozenset({301, 302, 303, 307, 308})
PERMANENT = frozenset({301, 308})
WALL_BYTES = 64 * 1024  # of a body, where bot walls leave their marks
# Statuses that challenge pages come with; their bodies are worth a look.
CHALLENGED = frozenset({202, 401, 403, 405, 429, 503})

# Names that the makers of bot walls leave in their answers. Each is enough by itself, with a status of CHALLENGED.
_WALL_HEADERS = ("cf-mitigated", "x-amzn-waf-action", "x-datadome", "x-dd-b")
_WALL_MARKS = re.compile(
    rb"_cf_chl_opt|/cdn-cgi/challenge-platform/|<title>Just a moment\.\.\.</title>"  # Cloudflare
    rb"|<title>DDoS-Guard</title>|/\.well-known/ddos-guard/"
    rb"|_Incapsula_Resource|captcha-delivery\.com|px-captcha|awsWafCookieDomainList"
    rb"|acw_sc__v2|/_waf_|__qrator|<title>StormWall|variti",  # the walls of Chinese and Russian hosters
    re.IGNORECASE,
)


def error_of_answer(url: str, status: int, headers: Mapping[str, str], body: bytes, now: datetime) -> NewsError | None:
    """The error that an answer stands for; None when it is content or 304.

    Args:
        url: for the message, without credentials.
        headers: names in lower case.
        body: its first bytes, decompressed; only looked at for the marks of a bot wall.
        now: aware, to read a Retry-After that is a date.
    """
    retry_after_s = parse_retry_after(headers.get("retry-after", ""), now)
    if status in CHALLENGED and is_bot_wall(headers, body[:WALL_BYTES]):
        return NewsError("bot_wall", f"{url} answered {status} with a challenge", status=status)
    if status == 429 or (status == 503 and retry_after_s is not None):
        return NewsError("rate_limited", f"{url} answered {status}", status=status, retry_after_s=retry_after_s)
    if status == 410:
        return NewsError("gone", f"{url} answered 410", status=status)
    if not (200 <= status < 300 or status == 304):
        return NewsError("http_error", f"{url} answered {status}", status=status, retry_after_s=retry_after_s)
    return None


def is_bot_wall(headers: Mapping[str, str], body: bytes) -> bool:
    """Whether an answer is a challenge that wants a browser: by its headers, or by what its page loads."""
    return any(name in headers for name in _WALL_HEADERS) or _WALL_MARKS.search(body) is not None


def parse_retry_after(value: str, now: datetime) -> float | None:
    """Seconds to wait, from seconds or an HTTP date; None when there is none that can be read. At most a day."""
    value = value.strip()
    if re.fullmatch(r"\d{1,10}(\.\d{1,6})?", value, re.ASCII):
        return min(float(value), MAX_RETRY_AFTER_S)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:  # "-0000": UTC, of unknown origin
        moment = moment.replace(tzinfo=UTC)
    return min(max((moment - now).total_seconds(), 0.0), MAX_RETRY_AFTER_S)
