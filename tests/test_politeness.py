import os
import time
from datetime import UTC, datetime

import pytest

from include.newswatch.model import NewsError, Page
from include.newswatch.politeness import HostQueue, RobotsBook

ORIGIN = "https://outlet.example"


class Outlet:
    """The robots.txt of an outlet, and how often it was fetched."""

    def __init__(self, body=b"User-agent: *\nDisallow: /private\n"):
        self.body = body
        self.n_fetched = 0

    def fetch(self, url):
        assert url == f"{ORIGIN}/robots.txt"
        self.n_fetched += 1
        if isinstance(self.body, NewsError):
            raise self.body
        return Page(url, url, 200, {}, self.body, datetime.now(UTC))


def kept_files(directory, kind):
    return list(directory.glob(f"*.{kind}"))


def seconds_of_turn(queue, host, interval_s):
    started_at = time.monotonic()
    with queue.turn(host, interval_s):
        return time.monotonic() - started_at


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\x00" * 100, b'{"refused": {}, "last_at": 1e99}'])
def test_a_state_that_was_cut_short_or_is_from_the_future_stops_nobody(tmp_path, body):
    queue = HostQueue(tmp_path, 2)
    with queue.turn("outlet.example", 0.0):
        pass
    (state,) = kept_files(tmp_path, "json")
    state.write_bytes(body)

    assert seconds_of_turn(queue, "outlet.example", 0.05) < 1


def test_names_that_look_alike_in_a_folder_are_different_hosts(tmp_path):
    queue = HostQueue(tmp_path, 1)

    with queue.turn("outlet.example/a", 5.0), queue.turn("outlet.example:a", 5.0):
        assert len(kept_files(tmp_path, "json")) == 2
    assert all(path.parent == tmp_path for path in tmp_path.rglob("*"))


def test_a_turn_ends_though_a_forked_child_still_has_the_file(tmp_path):
    queue = HostQueue(tmp_path, 1)
    with queue.turn("outlet.example", 0.0):
        child = os.fork()
        if child == 0:
            time.sleep(5)
            os._exit(0)
    try:
        assert seconds_of_turn(HostQueue(tmp_path, 1), "outlet.example", 0.0) < 1
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)


def test_a_turn_that_fails_is_given_back(tmp_path):
    queue = HostQueue(tmp_path, 1)
    for _ in range(3):
        with pytest.raises(NewsError), queue.turn("outlet.example", 0.0):
            raise NewsError("timeout", "x")

    assert seconds_of_turn(queue, "outlet.example", 0.0) < 1


def test_refusals_are_forgotten_when_their_time_is_over(tmp_path):
    queue = HostQueue(tmp_path, 2)
    for number in range(3):
        queue.refused("outlet.example", f"{ORIGIN}/{number}", 0.2)

    with pytest.raises(NewsError) as caught, queue.turn("outlet.example", 0.0):
        pass
    assert caught.value.outcome == "rate_limited"
    time.sleep(0.25)
    assert seconds_of_turn(queue, "outlet.example", 0.0) < 1


def test_rules_are_fetched_once_and_shared(tmp_path):
    outlet = Outlet()
    for _ in range(2):
        book = RobotsBook(tmp_path, outlet.fetch)
        assert not book.look_up(ORIGIN).allows(f"{ORIGIN}/private/1", "newswatch")
        assert book.look_up(ORIGIN).allows(f"{ORIGIN}/a", "newswatch")
    assert outlet.n_fetched == 1


@pytest.mark.parametrize("body", [b"", b"{", b'{"text": "", "of another version": 1}'])
def test_rules_that_cannot_be_read_back_are_fetched_again(tmp_path, body):
    outlet = Outlet()
    book = RobotsBook(tmp_path, outlet.fetch)
    book.look_up(ORIGIN)
    (kept,) = kept_files(tmp_path, "robots")
    kept.write_bytes(body)

    assert not book.look_up(ORIGIN).allows(f"{ORIGIN}/private/1", "newswatch")
    assert outlet.n_fetched == 2


def test_old_rules_hold_while_the_server_is_sick(tmp_path):
    outlet = Outlet()
    book = RobotsBook(tmp_path, outlet.fetch)
    fresh = book.look_up(ORIGIN)
    (kept,) = kept_files(tmp_path, "robots")
    kept.write_text(kept.read_text().replace(str(fresh.fresh_until), "0.0"))
    outlet.body = NewsError("http_error", "x", status=500)

    stale = book.look_up(ORIGIN)
    assert stale.allows(f"{ORIGIN}/a", "newswatch") and not stale.allows(f"{ORIGIN}/private/1", "newswatch")
    assert outlet.n_fetched == 2


def test_a_server_that_is_not_there_is_asked_again_the_next_time(tmp_path):
    outlet = Outlet(NewsError("dns_error", "x"))
    book = RobotsBook(tmp_path, outlet.fetch)
    with pytest.raises(NewsError):
        book.look_up(ORIGIN)
    outlet.body = b""

    assert book.look_up(ORIGIN).allows(f"{ORIGIN}/private/1", "newswatch")
