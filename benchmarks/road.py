"""The whole road in a real Airflow beside a bare script with the same libraries, over the same feeds, in one run.

    python -m benchmarks.road FEEDS.csv --ports 8765

The feeds must be served on loopback. Prints the seconds of each, their ratio, and what each of them found; then the
Dag a second time, which must add nothing.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import feedparser
import httpx2
import trafilatura

from include.newswatch.scoring import load_scorer
from tests.demo import demo_environment, open_airflow


def walk_bare(feeds: Path, database: Path) -> dict[str, int]:
    """Poll, fetch, extract, score, load: no robots, no limits, no ledger, one thing after the other."""
    scorer, links, rows = load_scorer(), {}, []
    with httpx2.Client(timeout=30, follow_redirects=True) as client:
        for feed in csv.DictReader(feeds.open(encoding="utf-8")):
            found = feedparser.parse(io.BytesIO(client.get(feed["url"]).content), sanitize_html=False)
            links |= {e["link"]: e.get("title", "") for e in found.entries if "127.0.0." in e.get("link", "")}
        for url, title in links.items():
            text = trafilatura.extract(client.get(url).content, favor_precision=True) or ""
            if text:
                score = scorer.score(title, text)
                rows.append((url, title, text, score.relevance, score.direction))
    with duckdb.connect(str(database)) as connection:
        connection.execute("create table articles (url text primary key, title text, t text, r double, d double)")
        connection.executemany("insert or ignore into articles values (?, ?, ?, ?, ?)", rows)
    return {"pages": len(links), "articles": len(rows)}


def run_states(environment: dict[str, str]) -> list[dict[str, Any]]:
    command = ["airflow", "dags", "list-runs", "monitor", "--output", "json"]
    listed = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    start = listed.stdout.find("[{")  # log lines may stand before it, and nothing while the Dag has not been read yet
    return list(json.loads(listed.stdout[start:])) if start >= 0 else []


def wait_for_runs(environment: dict[str, str], n_runs: int, timeout_s: int = 1200) -> list[dict[str, Any]]:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        ended = [run for run in run_states(environment) if run["state"] in ("success", "failed")]
        if len(ended) >= n_runs:
            return sorted(ended, key=lambda run: str(run["start_date"]))
        time.sleep(2)
    sys.exit(f"{n_runs} runs did not end in {timeout_s} s")


def duration_s(run: dict[str, Any]) -> float:
    return (datetime.fromisoformat(run["end_date"]) - datetime.fromisoformat(run["start_date"])).total_seconds()


def counts(database: Path) -> dict[str, int]:
    with duckdb.connect(str(database), read_only=True) as published:
        names = ("feeds", "entries", "articles", "scores", "fetches")
        return {name: published.sql(f"select count(*) from {name}").fetchone()[0] for name in names}  # noqa: S608


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("feeds", type=Path)
    parser.add_argument("--ports", required=True)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        started = time.monotonic()
        print("bare script", walk_bare(args.feeds, home / "bare.duckdb"), end=" ")
        bare_s = time.monotonic() - started
        print(f"{bare_s:.1f} s", flush=True)
        environment = demo_environment(home, 0) | {
            "NEWSWATCH_FEEDS_CSV": str(args.feeds.resolve()),
            "NEWSWATCH_ALLOW_PORTS": args.ports,
            "NEWSWATCH_MAX_AGE_DAYS": "36500",
        }
        published = home / "data" / "relations.duckdb"
        with (home / "airflow.log").open("wb") as log, open_airflow(environment, log):
            (first,) = wait_for_runs(environment, 1)
            print(f"Airflow     {first['state']} {duration_s(first):.1f} s, ratio {duration_s(first) / bare_s:.2f}")
            before = counts(published)
            print(before, flush=True)
            subprocess.run(["airflow", "dags", "trigger", "monitor"], env=environment, check=True, capture_output=True)
            second = wait_for_runs(environment, 2)[-1]
            print(f"again       {second['state']} {duration_s(second):.1f} s")
            print(counts(published))


if __name__ == "__main__":
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    main()
