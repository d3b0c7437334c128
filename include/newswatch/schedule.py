"""What is due: the past of a feed or page in, when to ask again out. No clock: the caller hands in `now`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from include.newswatch.model import Outcome

FeedStanding = Literal["ok", "slow", "failing", "silent", "gone"]

MIN_INTERVAL = timedelta(minutes=10)
MAX_INTERVAL = timedelta(hours=24)  # back-off never ends in silence: every feed is asked at least once a day
FIRST_INTERVAL = timedelta(minutes=30)
UNCONDITIONAL_EVERY = timedelta(hours=24)  # servers lie in conditional GET; once a day the whole feed is read
GONE_AFTER = 3  # repeated 410; any other failure may heal
MUTED_INTERVAL = timedelta(days=30)
SILENT_AFTER = timedelta(days=7)  # of answers without anything new
MOVED_AFTER = timedelta(days=3)  # a permanent redirect that held so long is taken at its word
SLOW_MS = 10_000

# Failures weigh as in Media Cloud's scheduler: what often heals by itself delays the next try less.
FAILURE_WEIGHT: dict[str, float] = {
    "rate_limited": 0.5,
    "http_error": 0.5,
    "timeout": 0.25,
    "dns_error": 0.25,
    "connect_error": 0.25,
}

ANSWERED: frozenset[str] = frozenset({"fetched", "not_modified"})  # how a poll ends well
UNREACHABLE: frozenset[str] = frozenset({"dns_error", "connect_error", "timeout", "network_down"})
NOT_REACHED: frozenset[str] = UNREACHABLE | {"host_down"}
HOSTS_FOR_A_VERDICT = 3  # fewer say nothing about our own network
# Outcomes after which the same page is asked for again; all others are final.
RETRYABLE: frozenset[str] = NOT_REACHED | {
    "http_error",
    "rate_limited",
    "bot_wall",
    "tls_error",
    "parse_timeout",
}
RETRY_AFTER = (timedelta(minutes=30), timedelta(hours=6), timedelta(hours=24))


@dataclass(frozen=True, slots=True)
class FeedState:
    """What is remembered of one feed between runs. Moments are aware, UTC; None means never."""

    feed_url: str
    etag: str | None = None
    last_modified: str | None = None
    validators_untrusted: bool = False
    body_sha256: str | None = None
    last_polled_at: datetime | None = None
    last_ok_at: datetime | None = None
    last_new_at: datetime | None = None
    last_unconditional_at: datetime | None = None
    failing_since: datetime | None = None
    silent_since: datetime | None = None
    n_failures: int = 0
    n_gone: int = 0
    interval_minutes: float = FIRST_INTERVAL / timedelta(minutes=1)
    next_poll_at: datetime | None = None
    standing: FeedStanding = "ok"
    permanent_url: str | None = None
    permanent_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Poll:
    """How one poll of a feed went. n_new: entries never seen before. ttl_minutes: what server and feed ask for."""

    feed_url: str
    host: str
    outcome: Outcome
    polled_at: datetime
    conditional: bool = False
    elapsed_ms: int = 0
    etag: str | None = None
    last_modified: str | None = None
    body_sha256: str | None = None
    n_entries: int = 0
    n_new: int = 0
    ttl_minutes: float | None = None
    retry_after_s: float | None = None
    permanent_url: str | None = None


def is_due(state: FeedState, now: datetime) -> bool:
    """Whether the feed is to be asked; a state dated in the future is of a wrong clock and not heeded."""
    if state.next_poll_at is None or state.next_poll_at <= now:
        return True
    return state.last_polled_at is not None and state.last_polled_at > now


def has_moved(state: FeedState, now: datetime) -> bool:
    return (
        state.permanent_url is not None
        and state.permanent_since is not None
        and now - state.permanent_since >= MOVED_AFTER
    )


def address_to_ask(state: FeedState, now: datetime) -> str:
    """Where to ask for the feed: its new address once it has moved; after failures there, each of the two in turn."""
    if state.permanent_url is not None and has_moved(state, now) and state.n_failures % 2 == 0:
        return state.permanent_url
    return state.feed_url


def may_ask_conditionally(state: FeedState, now: datetime) -> bool:
    """Whether If-None-Match may be sent: never to a server caught lying, and not on the day's full read."""
    if state.validators_untrusted or state.last_unconditional_at is None:
        return False
    return timedelta(0) <= now - state.last_unconditional_at < UNCONDITIONAL_EVERY


def network_is_down(polls: Sequence[tuple[str, str]]) -> bool:
    """Whether (host, outcome) pairs say that our own network is down: three hosts or more, and none reachable."""
    return len({host for host, _ in polls}) >= HOSTS_FOR_A_VERDICT and all(
        outcome in UNREACHABLE for _, outcome in polls
    )


def network_went_down(polls: Sequence[tuple[str, str]], pages: Sequence[tuple[str, str]]) -> bool:
    """Whether the network was lost between polls and pages: three hosts or more answered, and none does now."""
    lost = {host for host, _ in pages} & {host for host, outcome in polls if outcome not in UNREACHABLE}
    return len(lost) >= HOSTS_FOR_A_VERDICT and all(outcome in NOT_REACHED for _, outcome in pages)


def next_state(state: FeedState, poll: Poll) -> FeedState:
    """The feed's state after one poll; a poll while our own network is down changes nothing."""
    if poll.outcome == "network_down":
        return state
    if poll.outcome in ANSWERED:
        return _after_success(state, poll)
    return _after_failure(state, poll)


def _after_success(state: FeedState, poll: Poll) -> FeedState:
    now = poll.polled_at
    fresh = poll.outcome == "fetched"
    # A full read that differs although the validators say "same" convicts the server.
    lied = (
        fresh
        and not poll.conditional
        and state.etag is not None
        and (poll.etag, poll.last_modified) == (state.etag, state.last_modified)
        and poll.body_sha256 != state.body_sha256
    )
    last_new_at = now if poll.n_new else state.last_new_at
    is_silent = last_new_at is not None and now - last_new_at >= SILENT_AFTER
    minutes = _interval_minutes(state, poll)
    return replace(
        state,
        etag=poll.etag or (None if fresh else state.etag),
        last_modified=poll.last_modified or (None if fresh else state.last_modified),
        validators_untrusted=state.validators_untrusted or lied,
        body_sha256=poll.body_sha256 or state.body_sha256,
        last_polled_at=now,
        last_ok_at=now,
        last_new_at=last_new_at,
        last_unconditional_at=state.last_unconditional_at if poll.conditional else now,
        failing_since=None,
        silent_since=(state.silent_since or last_new_at) if is_silent else None,
        n_failures=0,
        n_gone=0,
        interval_minutes=minutes,
        next_poll_at=now + timedelta(minutes=minutes),
        standing="silent" if is_silent else "slow" if poll.elapsed_ms >= SLOW_MS else "ok",
        permanent_url=poll.permanent_url,
        permanent_since=_permanent_since(state, poll),
    )


def _permanent_since(state: FeedState, poll: Poll) -> datetime | None:
    """Since when the redirect leads where it leads now; another target starts anew."""
    if poll.permanent_url is None:
        return None
    return state.permanent_since if poll.permanent_url == state.permanent_url else poll.polled_at


def _interval_minutes(state: FeedState, poll: Poll) -> float:
    """Shorter while most of what a feed shows is new, longer while nothing is, never below what the server asks for."""
    minutes = state.interval_minutes
    new_share = poll.n_new / poll.n_entries if poll.n_entries else 0.0
    if new_share > 1 / 3:
        minutes /= 2
    elif poll.n_new == 0:
        minutes *= 1.25
    wanted = timedelta(minutes=max(minutes, poll.ttl_minutes or 0))
    return min(max(wanted, MIN_INTERVAL), MAX_INTERVAL) / timedelta(minutes=1)


def _after_failure(state: FeedState, poll: Poll) -> FeedState:
    now = poll.polled_at
    n_failures = state.n_failures + 1
    n_gone = state.n_gone + 1 if poll.outcome == "gone" else 0
    back_off = FIRST_INTERVAL * (1 + n_failures * FAILURE_WEIGHT.get(poll.outcome, 1.0) * 2)
    wanted = min(max(back_off, timedelta(seconds=poll.retry_after_s or 0)), MAX_INTERVAL)
    is_gone = n_gone >= GONE_AFTER
    return replace(
        state,
        last_polled_at=now,
        failing_since=state.failing_since or now,
        n_failures=n_failures,
        n_gone=n_gone,
        next_poll_at=now + (MUTED_INTERVAL if is_gone else wanted),
        standing="gone" if is_gone else "failing",
    )


def next_attempt_at(outcome: str, n_attempts: int, max_attempts: int, now: datetime) -> datetime | None:
    """When to ask for a page again; None when its outcome is final or the attempts are used up."""
    if outcome not in RETRYABLE or n_attempts >= max_attempts:
        return None
    return now + RETRY_AFTER[min(n_attempts, len(RETRY_AFTER)) - 1]


def spread_over_batches(hosts: Sequence[str], *, batch_size: int, max_batches: int) -> list[list[int]]:
    """Positions of the items of each batch; one host stays in one batch, so that its politeness needs no coordination.

    Args:
        hosts: the host of each item.
    """
    by_host: dict[str, list[int]] = {}
    for position, host in enumerate(hosts):
        by_host.setdefault(host, []).append(position)
    n_batches = min(max_batches, max(1, -(-len(hosts) // batch_size)), max(1, len(by_host)))
    batches: list[list[int]] = [[] for _ in range(n_batches)]
    for _, positions in sorted(by_host.items(), key=lambda item: (-len(item[1]), item[0])):
        min(batches, key=len).extend(positions)
    return [batch for batch in batches if batch]
