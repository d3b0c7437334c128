"""When feeds and pages are asked again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from include.newswatch.schedule import (
    FeedState,
    Poll,
    address_to_ask,
    is_due,
    may_ask_conditionally,
    network_is_down,
    network_went_down,
    next_attempt_at,
    next_state,
    spread_over_batches,
)

NOW = datetime(2026, 2, 16, 9, 0, tzinfo=UTC)
FEED = "https://a.example/feed"
OK = Poll(FEED, "a.example", "fetched", NOW, etag='"1"', body_sha256="x", n_entries=10)


def fail(outcome: str = "timeout", at: datetime = NOW, **more: object) -> Poll:
    return replace(Poll(FEED, "a.example", "timeout", at), outcome=outcome, **more)


def test_a_feed_never_polled_is_due() -> None:
    assert is_due(FeedState(FEED), NOW)


def test_after_a_success_the_feed_is_due_when_its_interval_is_over() -> None:
    state = next_state(FeedState(FEED), OK)
    assert not is_due(state, NOW + timedelta(minutes=5))
    assert is_due(state, NOW + timedelta(hours=1))


def test_a_feed_full_of_news_is_asked_more_often_and_an_unchanged_one_less() -> None:
    busy = next_state(FeedState(FEED), replace(OK, n_new=9))
    idle = next_state(FeedState(FEED), OK)
    assert busy.interval_minutes < FeedState(FEED).interval_minutes < idle.interval_minutes


def test_the_interval_stays_between_ten_minutes_and_a_day() -> None:
    busy = idle = FeedState(FEED)
    for _ in range(50):
        busy = next_state(busy, replace(OK, n_new=10))
        idle = next_state(idle, OK)
    assert busy.interval_minutes == 10
    assert idle.interval_minutes == 24 * 60


def test_what_the_server_asks_for_is_a_lower_bound() -> None:
    assert next_state(FeedState(FEED), replace(OK, n_new=9, ttl_minutes=120)).interval_minutes == 120


def test_failures_back_off_but_never_beyond_a_day() -> None:
    state = FeedState(FEED)
    waits = []
    for _ in range(200):
        state = next_state(state, fail("http_error"))
        assert state.next_poll_at is not None
        waits.append(state.next_poll_at - NOW)
    assert waits == sorted(waits)
    assert waits[-1] == timedelta(hours=24)
    assert state.standing == "failing"


def test_a_failing_feed_says_since_when_and_heals_with_the_first_answer() -> None:
    state = next_state(next_state(FeedState(FEED), fail()), fail(at=NOW + timedelta(hours=1)))
    assert state.failing_since == NOW
    healed = next_state(state, replace(OK, polled_at=NOW + timedelta(hours=2)))
    assert (healed.standing, healed.failing_since, healed.n_failures) == ("ok", None, 0)


def test_only_the_third_410_in_a_row_mutes_a_feed() -> None:
    state = next_state(next_state(FeedState(FEED), fail("gone")), fail("gone"))
    assert state.standing == "failing"
    assert next_state(state, fail("gone")).standing == "gone"
    assert next_state(next_state(state, fail("timeout")), fail("gone")).standing == "failing"


def test_retry_after_is_obeyed() -> None:
    state = next_state(FeedState(FEED), fail("rate_limited", retry_after_s=4 * 3600))
    assert state.next_poll_at == NOW + timedelta(hours=4)


def test_a_feed_without_news_for_a_week_is_silent_since_its_last_entry() -> None:
    state = next_state(FeedState(FEED), replace(OK, n_new=1))
    later = next_state(state, replace(OK, polled_at=NOW + timedelta(days=8)))
    assert (later.standing, later.silent_since) == ("silent", NOW)


def test_while_our_network_is_down_no_feed_loses_its_standing() -> None:
    state = next_state(FeedState(FEED), OK)
    assert next_state(state, fail("network_down", at=NOW + timedelta(hours=1))) == state


@pytest.mark.parametrize(
    ("polls", "is_down"),
    [
        ([("a", "dns_error"), ("b", "connect_error"), ("c", "timeout")], True),
        ([("a", "dns_error"), ("b", "connect_error"), ("c", "fetched")], False),
        ([("a", "dns_error"), ("b", "dns_error"), ("c", "http_error")], False),
        ([("a", "dns_error"), ("a", "dns_error"), ("a", "dns_error")], False),
        ([], False),
    ],
)
def test_the_network_is_down_when_three_hosts_and_all_are_unreachable(
    polls: list[tuple[str, str]], is_down: bool
) -> None:
    assert network_is_down(polls) is is_down


def test_one_read_a_day_is_unconditional() -> None:
    state = next_state(FeedState(FEED), OK)
    assert may_ask_conditionally(state, NOW + timedelta(hours=23))
    assert not may_ask_conditionally(state, NOW + timedelta(hours=25))


def test_a_server_that_lies_about_changes_is_never_asked_conditionally_again() -> None:
    state = next_state(FeedState(FEED), OK)
    changed = replace(OK, polled_at=NOW + timedelta(hours=25), body_sha256="y")
    state = next_state(state, changed)
    assert state.validators_untrusted
    assert not may_ask_conditionally(state, NOW + timedelta(hours=26))


def test_a_304_keeps_the_validators() -> None:
    state = next_state(FeedState(FEED), OK)
    again = next_state(state, Poll(FEED, "a.example", "not_modified", NOW + timedelta(hours=1), conditional=True))
    assert again.etag == '"1"'
    assert again.last_unconditional_at == NOW


def test_a_page_is_tried_again_hours_apart_and_not_for_ever() -> None:
    waits = [next_attempt_at("timeout", n, 4, NOW) for n in (1, 2, 3, 4)]
    assert waits == [NOW + timedelta(minutes=30), NOW + timedelta(hours=6), NOW + timedelta(hours=24), None]


def test_a_final_outcome_is_not_tried_again() -> None:
    assert next_attempt_at("robots_denied", 1, 4, NOW) is None


def test_batches_keep_a_host_together_and_hold_every_item_once() -> None:
    hosts = ["a"] * 50 + ["b"] * 20 + ["c"] * 20 + ["d"]
    batches = spread_over_batches(hosts, batch_size=30, max_batches=3)
    assert sorted(position for batch in batches for position in batch) == list(range(91))
    for host in set(hosts):
        assert sum(any(hosts[position] == host for position in batch) for batch in batches) == 1


MOVED = "https://new.example/feed"


def moved_since(days: float) -> FeedState:
    """A feed that has answered with a permanent redirect for so long."""
    state = next_state(FeedState(FEED), replace(OK, permanent_url=MOVED))
    later = NOW + timedelta(days=days)
    return next_state(state, replace(OK, permanent_url=MOVED, polled_at=later))


def test_a_permanent_redirect_is_acted_on_after_three_days() -> None:
    assert address_to_ask(moved_since(2), NOW + timedelta(days=2)) == FEED
    assert address_to_ask(moved_since(3), NOW + timedelta(days=3)) == MOVED


def test_a_redirect_to_another_target_begins_its_days_anew() -> None:
    later = NOW + timedelta(days=4)
    state = next_state(moved_since(4), replace(OK, permanent_url="https://third.example/feed", polled_at=later))
    assert state.permanent_since == later
    assert address_to_ask(state, later) == FEED


def test_a_new_address_that_fails_is_tried_in_turn_with_the_old_one() -> None:
    later = NOW + timedelta(days=4)
    once = next_state(moved_since(4), fail(at=later))
    assert address_to_ask(once, later) == FEED
    assert address_to_ask(next_state(once, fail(at=later)), later) == MOVED


def test_an_old_address_that_answers_for_itself_again_ends_the_move() -> None:
    later = NOW + timedelta(days=4)
    state = next_state(moved_since(4), replace(OK, polled_at=later))
    assert (state.permanent_url, address_to_ask(state, later)) == (None, FEED)


def test_a_state_from_a_clock_that_ran_ahead_does_not_keep_the_feed_waiting() -> None:
    ahead = next_state(FeedState(FEED), replace(OK, polled_at=NOW + timedelta(days=400)))
    assert is_due(ahead, NOW)
    assert not may_ask_conditionally(ahead, NOW)


def test_the_network_was_lost_when_hosts_that_had_answered_are_all_out_of_reach() -> None:
    polls = [(host, "fetched") for host in "abcd"]
    lost = [("a", "dns_error"), ("b", "host_down"), ("c", "timeout")]
    assert network_went_down(polls, lost)
    assert not network_went_down(polls, [*lost, ("d", "http_error")])
    assert not network_went_down(polls, lost[:2])
    assert not network_went_down([(host, "timeout") for host in "abc"], lost), "these hosts never answered"
