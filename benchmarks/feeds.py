"""A ledger of feeds: each file of the folders through the parser, under the limits of the pipeline, one outcome each.

    python -m benchmarks.feeds FOLDER... [--timeout-s 20] [--memory-mb 1024]

Ends with 1 if a file cost more than its limits allow, or something other than an outcome. Memory is the peak of the
parsing child, which is reused, so far.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from include.newswatch.feeds import parse_feed
from include.newswatch.model import Feed, NewsError
from include.newswatch.sandbox import Sandbox

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
FEED = Feed("https://feeds.example/feed", "Example", "en", "GB", "third", "rss")
EMPTY = b'<rss version="2.0"><channel/></rss>'
GRACE_S = 3.0  # to kill the child, on a busy machine


def parse(sandbox: Sandbox, file: Path) -> tuple[str, str]:
    """The outcome of a file, with what was found or why nothing was."""
    try:
        document = sandbox.call(parse_feed, file.read_bytes(), FEED, now=NOW)
    except NewsError as error:
        return error.outcome, error.detail
    n_dated = sum(entry.published_at is not None for entry in document.entries)
    return "parsed", f"{document.kind}, {len(document.entries)} entries, {n_dated} dated"


def peak_mb(sandbox: Sandbox) -> int:
    child = sandbox._child
    if child is None:
        return 0
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{child.pid}/status").read_text())
    return int(found[1]) // 1024 if found else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--timeout-s", type=float, default=20)
    parser.add_argument("--memory-mb", type=int, default=1024)
    args = parser.parse_args()
    outcomes: Counter[str] = Counter()
    slowest_s, largest_mb, n_over = 0.0, 0, 0
    with Sandbox(args.timeout_s, args.memory_mb) as sandbox:
        for file in sorted(file for folder in args.folders for file in folder.rglob("*") if file.is_file()):
            sandbox.call(
                parse_feed, EMPTY, FEED, now=NOW
            )  # a fresh child imports for seconds, which is no file's fault
            started = time.perf_counter()
            outcome, detail = parse(sandbox, file)
            seconds, megabytes = time.perf_counter() - started, peak_mb(sandbox)
            is_over = seconds > args.timeout_s + GRACE_S or megabytes > args.memory_mb
            print(f"{outcome:14} {seconds:6.2f} s {megabytes:5} MB  {file.name:44} {detail[:90]}{' OVER' * is_over}")
            outcomes[outcome] += 1
            n_over += is_over
            slowest_s, largest_mb = max(slowest_s, seconds), max(largest_mb, megabytes)
    counts = ", ".join(f"{outcome} {n}" for outcome, n in outcomes.most_common())
    print(
        f"{outcomes.total()} files: {counts}; slowest {slowest_s:.2f} s, largest {largest_mb} MB, {n_over} over limits"
    )
    sys.exit(1 if n_over else 0)


if __name__ == "__main__":
    main()
