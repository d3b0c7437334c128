"""The SQL is sound, the tables explain themselves, the file has one writer."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from include.newswatch import archive, warehouse
from include.newswatch.alerts import Finding
from include.newswatch.model import Entry, ExtractedPage, Feed, Fetch, ScoredArticle
from include.newswatch.schedule import FeedState
from include.newswatch.stories import Copy, Membership, Story

QUERIES = sorted(path.stem for path in warehouse.SQL_DIR.glob("*.sql") if not path.stem.startswith("migrate_"))
PARAMETERS = {
    "run_id": "one",
    "key": "https://a.example/1",
    "seen_at": datetime(2026, 2, 16, tzinfo=UTC),
    "started_at": datetime(2026, 2, 16, tzinfo=UTC),
    "finished_at": datetime(2026, 2, 16, tzinfo=UTC),
    "now": datetime(2026, 2, 16, tzinfo=UTC),
    "day": date(2026, 2, 16),
    "n_backlog": 0,
    "is_network_down": False,
    "free_bytes": 0,
    "database_bytes": 0,
    "judged": ["disk_low"],
    "checks": [{"name": "x", "is_ok": True, "detail": ""}],
}


@pytest.fixture
def connection(tmp_path: Path) -> warehouse.Connection:
    with warehouse.open_published(tmp_path / "absent.duckdb") as empty:
        for name, kind in (
            ("new_feeds", Feed), ("new_fetches", Fetch), ("new_entries", Entry), ("new_extractions", ExtractedPage),
            ("new_scores", ScoredArticle), ("new_states", FeedState),
            ("new_copies", Copy), ("new_findings", Finding), ("new_story_ids", Membership), ("new_stories", Story),
        ):  # fmt: skip
            empty.register(name, archive.to_table([], kind))
        yield empty


@pytest.mark.parametrize("name", QUERIES)
def test_every_sql_file_is_valid(connection: warehouse.Connection, name: str) -> None:
    sql = warehouse.read_sql(name)
    connection.execute(sql, {key: value for key, value in PARAMETERS.items() if f"${key}" in sql})


def test_every_table_and_column_says_what_it_holds(connection: warehouse.Connection) -> None:
    silent = connection.execute(
        """
        select table_name, column_name from duckdb_columns()
        where comment is null and table_name <> 'migrations' and not internal and table_name not like 'new_%'
        union all
        select table_name, null from duckdb_tables() where comment is null and table_name <> 'migrations'
        union all
        select view_name, null from duckdb_views() where comment is null and not internal and view_name not like 'new_%'
        """
    ).fetchall()
    assert silent == []


def test_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    with warehouse.open_warehouse(path) as first:
        before = first.execute("select * from migrations").fetchall()
    with warehouse.open_warehouse(path) as second:
        assert second.execute("select * from migrations").fetchall() == before


def test_a_second_writer_is_told_who_holds_the_file(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    with warehouse.open_warehouse(path):
        pass
    code = f"import duckdb, sys; c = duckdb.connect({str(path)!r}); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(warehouse.WarehouseBusyError, match=str(holder.pid)), warehouse.open_warehouse(path):
            pass
        holder.communicate("")
