"""CPU seconds of each step of the road over served feeds, and of the start of a task: the input of docs/scaling.md.

    python -m benchmarks.steps FEEDS.csv --ports 8765 [--pages 150]

The feeds must be served on loopback. CPU time is that of this process and the children it has waited for (the parser),
and steadier than the clock on a busy machine. Starting is measured in processes of their own: the imports, and the
imports with the scorer loaded.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from include.newswatch import outputs, pipeline
from include.newswatch.settings import Settings

STARTS = {
    "start, imports": "import include.newswatch.pipeline",
    "start, imports and scorer": "from include.newswatch import pipeline; pipeline.load_scorer()",
    "start, imports and parser": "from include.newswatch import pipeline, settings\n"
    "with pipeline.open_sandbox(settings.Settings()) as sandbox: sandbox.call(len, 'x')",
}


def cpu_s(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def measured(step: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of a call, children included, and what it returned."""
    both = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    before = sum(map(cpu_s, both))
    result = step()
    return sum(map(cpu_s, both)) - before, result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("feeds", type=Path)
    parser.add_argument("--ports", required=True)
    parser.add_argument("--pages", type=int, default=150)
    args = parser.parse_args()
    for name, code in STARTS.items():
        seconds, _ = measured(lambda code=code: subprocess.run([sys.executable, "-c", code], check=True))
        print(f"{name:28} {seconds:6.2f} s", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            data_dir=Path(folder),
            feeds_csv=args.feeds,
            allow_networks=("127.0.0.0/8",),
            allow_ports=tuple(map(int, args.ports.split(","))),
            min_interval_s=0.0,
            max_pages_per_run=args.pages,
            max_age_days=36500,
            max_batches=1,
        )
        seconds, (run, batches, _) = measured(lambda: pipeline.plan(settings, "trial", datetime.now(UTC)))
        report("plan", seconds, 0)
        seconds, found = measured(lambda: pipeline.poll(settings, batches[0]))
        report("poll, a feed", seconds, sum(n for name, n in found.items() if name != "n_entries"))
        seconds, (pages, counts) = measured(lambda: pipeline.select(settings, run.folder))
        report("select", seconds, 0)
        for step in (pipeline.fetch, pipeline.extract, pipeline.score):
            seconds, found = measured(lambda step=step: step(settings, pages[0]))
            report(f"{step.__name__}, a page", seconds, counts["n_wanted"])
        for name, action in (
            ("load", lambda: pipeline.load(settings, run.folder)),
            ("publish", lambda: outputs.publish(settings, force=True)),
            ("report", lambda: outputs.report(settings, datetime.now(UTC).date())),
        ):
            seconds, _ = measured(action)
            report(name, seconds, 0)


def report(name: str, seconds: float, n: int) -> None:
    each = f"{1000 * seconds / n:8.1f} ms each of {n}" if n else ""
    print(f"{name:28} {seconds:6.2f} s {each}", flush=True)


if __name__ == "__main__":
    main()
