"""Kills the road at random moments, lets it go on, and counts the rows that are lost or doubled: none may be.

    python -m tests.chaos --kills 100 --seed 1

Each round begins with nothing. The road is killed (SIGKILL) in the middle of each of its steps, again and again, and
each time goes on as Airflow would: what is done is not done again. In every second round the run is given up at some
step and a new one takes over. What the round leaves is compared with what a run that nobody disturbed leaves.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import duckdb

from include.newswatch import outputs, pipeline, upkeep
from include.newswatch.settings import Settings
from tests.conftest import ROOT
from tests.newsroom.serve import free_port

OUTLETS = 4  # of the newsroom: enough for several batches, few enough for a hundred kills in half an hour
KILLS_A_STEP = 4
STEPS = ("plan", "poll", "select", "fetch", "extract", "score", "load", "publish")
# What must be the same whatever happened; moments and numbers of runs may differ.
CONTENTS = {
    "articles": "select url, title, text_sha256, language, published_at, revised_at, copy_of, story_id from articles",
    "entries": "select feed_url, url, title, published_at, article_id from entries",
    "pages": "select distinct url, outcome, next_attempt_at from fetches where kind = 'page' and outcome = 'scored'",
    "scores": "select * exclude (scored_at) from scores",
    "events": "from events",
    "evidence": "from evidence",
    "actors": "from article_actors",
    "themes": "from article_themes",
    "stories": "select * exclude (first_report_at, last_report_at) from stories",
}


def walk(settings: Settings, run_id: str, now: datetime, enter: Callable[[str], None]) -> None:
    """The road from where it stopped; `enter` is told of each step before it begins."""
    enter("plan")
    run, batches, _ = pipeline.plan(settings, run_id, now)
    enter("poll")
    for batch in upkeep.remaining(batches, "fetches"):
        pipeline.poll(settings, batch)
    enter("select")
    pages, _ = pipeline.select(settings, run.folder)
    for step, result in ((pipeline.fetch, "fetches"), (pipeline.extract, "extractions"), (pipeline.score, "scores")):
        enter(step.__name__)
        for batch in upkeep.remaining(pages, result):
            step(settings, batch)
    enter("load")
    pipeline.load(settings, run.folder)
    enter("publish")
    outputs.publish(settings)


class Walker:
    """The road in a process of its own."""

    def __init__(self, settings: Settings, run_id: str, now: datetime) -> None:
        reader, writer = os.pipe()
        self.pid = os.fork()  # all is imported by now: a new interpreter would cost seconds a kill
        if self.pid == 0:
            os.close(reader)
            try:
                walk(settings, run_id, now, lambda step: void(os.write(writer, f"{step}\n".encode())))
            except BaseException:  # the parent reads it in the exit code
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        os.close(writer)
        self.steps = os.fdopen(reader)

    def finish(self) -> dict[str, float]:
        """Let it come to its end; seconds of each step."""
        entered = [(line.strip(), time.monotonic()) for line in self.steps]
        self._wait_for(0)
        ends = [at for _, at in entered[1:]] + [time.monotonic()]
        return {step: end - at for (step, at), end in zip(entered, ends, strict=True)}

    def kill_in(self, step: str, after_s: float) -> bool:
        """Kill it so long after it entered a step; whether it was still at it."""
        is_there = any(line.strip() == step for line in self.steps)
        if is_there:
            time.sleep(after_s)
        os.kill(self.pid, signal.SIGKILL)
        return self._wait_for(0, -signal.SIGKILL) != 0

    def _wait_for(self, *expected: int) -> int:
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        self.steps.close()
        if code not in expected:
            sys.exit(f"the road ended with {code} after a kill; see above")
        return code


def void(_: object) -> None:
    """Drop a value."""


def contents(published: Path) -> dict[str, Counter[tuple[object, ...]]]:
    with duckdb.connect(str(published), read_only=True) as database:
        return {name: Counter(map(hashable, database.sql(query).fetchall())) for name, query in CONTENTS.items()}


def hashable(row: tuple[object, ...]) -> tuple[object, ...]:
    return tuple(map(str, row))


@contextmanager
def newsroom(feeds: Path, port: int) -> Iterator[None]:
    """The newsroom in a process of its own: a process with threads is not to be forked."""
    command = [sys.executable, "-m", "tests.newsroom.serve", "--port", str(port), "--feeds", str(feeds)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    try:
        assert server.stdout is not None
        server.stdout.readline()  # it says when it is open
        listed = feeds.read_text(encoding="utf-8").splitlines(keepends=True)
        feeds.write_text("".join(listed[: 1 + OUTLETS]), encoding="utf-8")
        yield
    finally:
        server.kill()
        server.wait()


def trial(folder: Path, n_kills: int, seed: int, say: Callable[[str], None]) -> Counter[str]:
    """Kill n_kills times; kills by step, and under "lost" and "doubled" what must be 0."""
    chance = random.Random(seed)  # noqa: S311 - nothing is secret here
    port, found, started = free_port(), Counter[str](), datetime.now(UTC)
    with newsroom(folder / "feeds.csv", port):

        def settings_of(name: str) -> Settings:
            return Settings(
                data_dir=folder / name, feeds_csv=folder / "feeds.csv", allow_networks=("127.0.0.0/8",),
                allow_ports=(port,), min_interval_s=0.0, batch_size=2, max_batches=3,
            )  # fmt: skip

        lasts_s = Walker(settings_of("undisturbed"), "undisturbed", started).finish()
        expected = contents(settings_of("undisturbed").published)
        say("undisturbed: " + ", ".join(f"{step} {s:.1f} s" for step, s in lasts_s.items()))
        number = 0
        while sum(found[step] for step in STEPS) < n_kills:
            settings, run_id = settings_of(f"round{number}"), "killed"
            given_up_after = chance.choice(STEPS) if number % 2 else None
            for step in STEPS:
                for _ in range(KILLS_A_STEP):
                    after_s = chance.uniform(0, lasts_s[step])
                    found[step] += Walker(settings, run_id, started).kill_in(step, after_s)
                if step == given_up_after:
                    run_id = "new"
            Walker(settings, run_id, started + timedelta(minutes=number % 2)).finish()
            after = contents(settings.published)
            lost = sum((expected[name] - after[name]).total() for name in CONTENTS)
            doubled = sum((after[name] - expected[name]).total() for name in CONTENTS)
            found += Counter(lost=lost, doubled=doubled)
            for name in CONTENTS:
                for row in list((expected[name] - after[name]) + (after[name] - expected[name]))[:3]:
                    say(f"round {number}, {name}: {row}")
            say(f"round {number}: {sum(found[s] for s in STEPS)} kills so far, {lost} rows lost, {doubled} doubled")
            shutil.rmtree(settings.data_dir)
            number += 1
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    started_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="newswatch-chaos-") as folder:
        found = trial(Path(folder), args.kills, args.seed, partial(print, flush=True))
    print(
        f"kills by step: {', '.join(f'{step} {found[step]}' for step in STEPS)}; {time.monotonic() - started_s:.0f} s"
    )
    print(f"rows lost: {found['lost']}, rows doubled: {found['doubled']}")
    sys.exit(1 if found["lost"] or found["doubled"] else 0)


if __name__ == "__main__":
    main()
