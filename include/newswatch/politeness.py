"""The manners of the crawler: turns at each host, and what each robots.txt said.

They live in files, so that all processes of a machine keep them together; a lock dies with the process that held it.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from random import SystemRandom
from threading import BoundedSemaphore, Lock
from typing import Any, BinaryIO

from include.newswatch.model import NewsError, Page
from include.newswatch.robots import RobotsFile, robots_from_body, robots_from_failure

JITTER = 0.25  # share of the interval that is added at random, so that runs do not beat in step
POLL_S = 0.05  # how often a process looks whether another one has left the host
# A refusal speaks of its address; so many at the same time speak of the host. Reddit and Tumblr count per host,
# RSSHub per address (FreshRSS#8925, #7870).
REFUSALS_OF_A_HOST = 3
DEFAULT_REFUSAL_S = 60.0  # 429 without Retry-After

_chance = SystemRandom()  # no state that forked workers would share


class HostQueue:
    """Turns at hosts: so many connections at a time, so long between two requests, whoever asks on this machine."""

    def __init__(self, directory: Path, max_connections: int) -> None:
        self._directory = directory
        self._max_connections = max_connections
        self._lock = Lock()
        # Threads of this process wait here, where the next is woken at once; only other processes are polled for.
        self._waiting: dict[str, BoundedSemaphore] = defaultdict(lambda: BoundedSemaphore(max_connections))

    @contextmanager
    def turn(self, host: str, interval_s: float) -> Iterator[None]:
        """Wait for a connection and for the interval since the last request, then hold the connection.

        Raises:
            NewsError: rate_limited, when the host has asked us to stay away and the time is not over.
        """
        with self._lock:
            waiting = self._waiting[host]
        with waiting, self._slot(host):
            wait_s = self._reserve(host, interval_s)
            if wait_s > 0:
                time.sleep(wait_s)
            yield

    def refused(self, host: str, url: str, retry_after_s: float | None) -> None:
        """Keep in mind that the host refused an address for so long (429, 503 with Retry-After)."""
        until = time.time() + (DEFAULT_REFUSAL_S if retry_after_s is None else retry_after_s)
        with _locked(self._file(host, "json")) as file:
            state = _read_json(file)
            state["refused"] = {**_alive(state), sha256(url.encode()).hexdigest()[:16]: until}
            _write_json(file, state)

    def _reserve(self, host: str, interval_s: float) -> float:
        """Take the next free moment of the host; seconds until then."""
        with _locked(self._file(host, "json")) as file:
            state, now = _read_json(file), time.time()
            refused = sorted(_alive(state).values(), reverse=True)
            if len(refused) >= REFUSALS_OF_A_HOST:
                left_s = refused[REFUSALS_OF_A_HOST - 1] - now
                raise NewsError("rate_limited", f"{host} asked us to stay away", retry_after_s=max(left_s, 0.0))
            last_at = float(state.get("last_at", 0.0))
            # Counted from the last request with the interval of this one: a clock set back must not block the host.
            wait_s = min(last_at + interval_s * _chance.uniform(1.0, 1.0 + JITTER) - now, self._longest(interval_s))
            wait_s = max(wait_s, 0.0)
            _write_json(file, {**state, "last_at": now + wait_s})
        return wait_s

    def _longest(self, interval_s: float) -> float:
        return interval_s * (1.0 + JITTER) * (self._max_connections + 1)

    @contextmanager
    def _slot(self, host: str) -> Iterator[None]:
        while True:
            for number in range(self._max_connections):
                with self._file(host, f"slot{number}").open("ab") as file:
                    try:
                        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    except BlockingIOError:
                        continue
                    try:
                        yield
                    finally:
                        _unlock(file)
                    return
            time.sleep(POLL_S * _chance.uniform(0.5, 1.5))

    def _file(self, host: str, kind: str) -> Path:
        return self._directory / f"{_file_name(host)}.{kind}"


class RobotsBook:
    """What each origin's robots.txt said, fetched once a day for all processes together."""

    def __init__(self, directory: Path, fetch: Callable[[str], Page]) -> None:
        """fetch: the address of a robots.txt → its page; raises NewsError."""
        self._directory = directory
        self._fetch = fetch

    def look_up(self, origin: str) -> RobotsFile:
        """The rules of an origin (scheme, host and port).

        Raises:
            NewsError: the origin cannot be reached at all.
        """
        # The lock is held while we fetch: whoever asks at the same time waits for this one answer.
        with _locked(self._directory / f"{_file_name(origin)}.robots") as file:
            known = _known_robots(_read_json(file))
            now_s = time.time()
            if known and now_s < known.fresh_until:
                return known
            try:
                page = self._fetch(f"{origin}/robots.txt")
            except NewsError as error:
                robots = robots_from_failure(error, known, now_s)
            else:
                robots = robots_from_body(page.body, now_s)
            _write_json(file, asdict(robots))
            return robots


def _known_robots(kept: dict[str, Any]) -> RobotsFile | None:
    try:
        return RobotsFile(**kept)
    except TypeError:  # nothing is kept, or a version of ours kept it that had other fields
        return None


def _alive(state: dict[str, Any]) -> dict[str, float]:
    now = time.time()
    return {url: until for url, until in state.get("refused", {}).items() if until > now}


def _file_name(name: str) -> str:
    """Readable for whoever looks into the folder, and different for different names."""
    return f"{re.sub(r'[^a-z0-9.-]+', '_', name.lower())[:80]}-{sha256(name.encode()).hexdigest()[:8]}"


@contextmanager
def _locked(path: Path) -> Iterator[BinaryIO]:
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o644), "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield file
        finally:
            _unlock(file)


def _unlock(file: BinaryIO) -> None:
    """By name: closing does not unlock while a child that was forked in between still has the file open."""
    fcntl.flock(file, fcntl.LOCK_UN)


def _read_json(file: BinaryIO) -> dict[str, Any]:
    """What the file holds; nothing when it is new, or when its last writer was killed half-way."""
    file.seek(0)
    try:
        value = json.loads(file.read() or b"{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _write_json(file: BinaryIO, value: dict[str, Any]) -> None:
    old_size = file.seek(0, os.SEEK_END)
    file.seek(0)
    n_bytes = file.write(json.dumps(value).encode())
    if n_bytes < old_size:  # cutting a file to nothing first makes ext4 flush it: 1 ms a page
        file.truncate(n_bytes)
    file.flush()
