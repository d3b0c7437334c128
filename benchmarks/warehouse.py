"""The database at size: what a load, a publication, the brief and each question of docs/queries.md cost, in one run.

    python -m benchmarks.warehouse --articles 1000000 --folder /somewhere/with/20/GB

Fills a synthetic, seeded warehouse (tests/synthetic.py: texts of 2.3 KB on the mean, one article in twenty about the
relation), or takes the one that is in the folder. Prints seconds, processor seconds, ratios against copying the file,
size on disk and peak memory.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shutil
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from include.newswatch import archive, outputs, warehouse
from include.newswatch.model import Article, Entry, Evidence, ExtractedPage, Fetch, Score, ScoredArticle
from include.newswatch.settings import Settings
from tests.conftest import ROOT
from tests.synthetic import fill

UNTIL = datetime(2026, 6, 30, 20, tzinfo=UTC)


def timed(title: str, action: Callable[[], Any]) -> float:
    """Run it, print wall and processor seconds, return the wall seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    action()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{wall:9.2f} s {cpu:9.2f} s processor   {title}", flush=True)
    return wall


def copy_whole(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
    with target.open("rb") as file:
        os.fsync(file.fileno())
    target.unlink()


def new_run(n_articles: int) -> warehouse.RunTables:
    """A run that brings articles never seen before, all of them about the relation: the dearest case."""
    feed = "https://outlet1.example/feed"
    text = "Moscow and Beijing agreed to build a gas pipeline. " * 50
    urls = [f"https://outlet1.example/new/{time.time_ns()}-{number}" for number in range(n_articles)]
    pages = [
        ExtractedPage(url, feed, "scored", "", UNTIL, Article(url, f"Title {url}", text, "en", UNTIL, "feed"), url)
        for url in urls
    ]
    score = Score(0.9, 2, 2.5, 1, (), ("energy",), (), (Evidence(0, text[:50]),), "benchmark")
    return warehouse.RunTables(
        archive.to_table([Fetch("page", url, feed, "outlet1.example", "fetched", UNTIL) for url in urls], Fetch),
        archive.to_table([Entry(feed, url, f"Title {url}", UNTIL) for url in urls], Entry),
        archive.to_table(pages, ExtractedPage),
        archive.to_table([ScoredArticle(url, url, UNTIL, score) for url in urls], ScoredArticle),
    )


def load(path: Path, tables: warehouse.RunTables) -> None:
    with warehouse.open_warehouse(path) as connection:
        connection.begin()
        warehouse.load_tables(connection, "benchmark", UNTIL, tables)
        connection.commit()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=1000)
    parser.add_argument("--folder", type=Path, required=True)
    args = parser.parse_args()
    settings = Settings(data_dir=args.folder)
    if not settings.warehouse.exists():
        with warehouse.open_warehouse(settings.warehouse) as connection:
            timed("fill", lambda: fill(connection, args.articles, args.days, UNTIL))
    print(f"{settings.warehouse.stat().st_size / 1e6:9.0f} MB on disk")
    tables = new_run(500)
    timed("load of 500 new articles", lambda: load(settings.warehouse, tables))

    copied = timed("copy of the file", lambda: copy_whole(settings.warehouse, args.folder / "copy.duckdb"))
    published = timed("publish", lambda: outputs.publish(settings))
    print(f"{published / copied:9.2f} times the copy")
    with warehouse.open_published(settings.published) as connection:
        for question, sql in re.findall(
            r"^## (.+?)\n.*?```sql\n(.+?)```", (ROOT / "docs" / "queries.md").read_text("utf-8"), re.M | re.S
        ):
            timed(question, connection.sql(sql.strip().rstrip(";")).fetchall)
    timed("export", lambda: outputs.export(settings, UNTIL))
    timed("brief", lambda: outputs.report(settings, date(2026, 6, 30)))
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:9.0f} MB of memory at most")


if __name__ == "__main__":
    main()
