"""The SQL is sound, the tables explain themselves, the file has one writer, and what is published has been checked."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from include.newswatch import archive, outputs, upkeep, warehouse
from include.newswatch.alerts import Finding
from include.newswatch.model import Entry, ExtractedPage, Feed, Fetch, Outcome, ScoredArticle
from include.newswatch.schedule import FeedState, next_attempt_at
from include.newswatch.settings import Settings
from include.newswatch.stories import Membership, Story, StoryChange
from tests.conftest import ROOT

QUERIES = sorted(path.stem for path in warehouse.SQL_DIR.glob("*.sql") if not path.stem.startswith("migrate_"))
PARAMETERS = {
    "run_id": "one",
    "key": "https://a.example/1",
    "seen_at": datetime(2026, 2, 16, tzinfo=UTC),
    "started_at": datetime(2026, 2, 16, tzinfo=UTC),
    "finished_at": datetime(2026, 2, 16, tzinfo=UTC),
    "now": datetime(2026, 2, 16, tzinfo=UTC),
    "day": date(2026, 2, 16),
    "first_day": date(2026, 2, 16),
    "last_day": date(2026, 2, 16),
    "n_backlog": 0,
    "since": datetime(2026, 2, 16, tzinfo=UTC),
    "language": "",
    "scorer_version": "v",
    "feed_url": "x",
    "is_network_down": False,
    "free_bytes": 0,
    "database_bytes": 0,
    "judged": ["disk_low"],
    "checks": [{"name": "x", "is_ok": True, "detail": ""}],
}


@pytest.fixture(scope="module")
def connection() -> Iterator[warehouse.Connection]:
    """The tables without rows, and without rows what a load and a publication bring along."""
    with warehouse.open_published(Path("absent.duckdb")) as empty:
        for name, kind in (
            ("new_feeds", Feed), ("new_fetches", Fetch), ("new_entries", Entry), ("new_extractions", ExtractedPage),
            ("new_scores", ScoredArticle), ("new_states", FeedState),
            ("new_findings", Finding), ("new_memberships", Membership), ("new_stories", Story),
            ("new_story_changes", StoryChange),
        ):  # fmt: skip
            empty.register(name, archive.to_table([], kind))
        for name in ("candidate_counts", "last_counts"):
            empty.register(name, empty.execute(warehouse.read_sql("count_tables")).to_arrow_table())
        yield empty


@pytest.mark.parametrize("name", QUERIES)
def test_every_sql_file_is_valid(connection: warehouse.Connection, name: str) -> None:
    sql = warehouse.read_sql(name)
    connection.execute(sql, {key: value for key, value in PARAMETERS.items() if f"${key}" in sql})


def test_every_table_and_column_says_what_it_holds(connection: warehouse.Connection) -> None:
    silent = connection.execute(
        """
        select table_name, column_name from duckdb_columns()
        where comment is null and not internal and database_name <> 'temp' and table_name <> 'migrations'
        union all
        select table_name, null from duckdb_tables()
        where comment is null and not temporary and table_name <> 'migrations'
        union all
        select view_name, null from duckdb_views() where comment is null and not internal and not temporary
        """
    ).fetchall()
    assert silent == []


def test_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    with warehouse.open_warehouse(path) as first:
        before = first.execute("select * from migrations").fetchall()
    with warehouse.open_warehouse(path) as second:
        assert second.execute("select * from migrations").fetchall() == before


def test_a_creation_that_was_cut_short_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    path.with_name("w.duckdb.new").write_bytes(bytes(4096))
    path.with_name("w.duckdb.new.wal").write_bytes(b"half a record")
    with warehouse.open_warehouse(path) as connection:
        assert connection.sql("select count(*) from runs").fetchone() == (0,)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["w.duckdb", "w.duckdb.lock"]


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


# ── what is due ─────────────────────────────────────────────────────────────────────────────────────────────────────


T0 = datetime(2026, 2, 16, 9, tzinfo=UTC)
FEED = Feed("https://a.example/feed", "A", "en", "FR", "third", "rss")
ENTRY = Entry(FEED.url, "https://a.example/1", "Title", T0)


@pytest.mark.parametrize("outcomes", [("timeout", "gone"), ("timeout", "timeout", "timeout", "timeout")])
def test_a_page_whose_last_attempt_is_final_is_not_due_again_whatever_an_earlier_one_said(
    tmp_path: Path, outcomes: tuple[Outcome, ...]
) -> None:
    entries = archive.to_table([ENTRY], Entry)
    nothing = archive.to_table([], ExtractedPage), archive.to_table([], ScoredArticle)
    with warehouse.open_warehouse(tmp_path / "w.duckdb") as opened:
        warehouse.save_feeds(opened, archive.to_table([FEED], Feed))
        for number, outcome in enumerate(outcomes):
            now = T0 + number * timedelta(days=2)
            (task,) = warehouse.find_due_pages(opened, entries, [FEED], now)
            n_attempts = task.n_attempts + 1
            later = next_attempt_at(outcome, n_attempts, len(outcomes), now)
            fetch = Fetch("page", ENTRY.url, FEED.url, "a.example", outcome, now, n_attempts=n_attempts,
                          next_attempt_at=later)  # fmt: skip
            tables = warehouse.RunTables(archive.to_table([fetch], Fetch), entries, *nothing)
            warehouse.load_tables(opened, str(number), now, tables)
            assert warehouse.count_backlog(opened) == (later is not None)
        assert warehouse.find_due_pages(opened, entries, [FEED], now + timedelta(days=9)) == []


# ── what is published ───────────────────────────────────────────────────────────────────────────────────────────────


ROWS = """
insert into feeds by name
select 'https://a.example/feed' as feed_url, 'A' as outlet, 'en' as "language", 'FR' as country,
    'third'::side as side, 'rss'::feed_kind as kind, '' as section, 'UTC' as time_zone, true as is_enabled,
    '' as note, 'ok'::standing as standing,
    false as validators_untrusted, 0 as n_failures, 0 as n_gone, 30 as interval_minutes;
insert into articles by name
select n as article_id, 'https://a.example/' || n as url, 'https://a.example/feed' as feed_url, 'A' as outlet,
    'FR' as country, 'third'::side as side, 'en' as "language", 'Title ' || n as title, 'Text' as "text", '' as author,
    $now as published_at, $now as first_seen_at, $now as fetched_at, n::text as text_sha256, null as story_id
from range(20) as r (n);
insert into scores by name
select article_id as score_id, article_id, 'v' as scorer_version, text_sha256, $now as scored_at, 0.9 as relevance,
    2 as relevance_class, 1 as direction, 1 as direction_class, true as is_current
from articles;
insert into runs by name
select 'one' as run_id, $now as started_at, $now as finished_at, 1 as n_feeds, 20 as n_entries, 20 as n_pages,
    20 as n_articles, 20 as n_relevant, 0 as n_backlog, false as is_network_down, 0 as free_bytes, 0 as database_bytes,
    [] as checks;
"""
NOW = datetime(2026, 2, 16, tzinfo=UTC)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A warehouse of twenty articles and its publication."""
    paths = tmp_path / "warehouse.duckdb", tmp_path / "relations.duckdb"
    change(paths[0], *ROWS.split(";"))
    warehouse.publish(*paths)
    return paths


def change(path: Path, *statements: str) -> None:
    with warehouse.open_warehouse(path) as connection:
        for sql in statements:
            connection.execute(sql, {"now": NOW} if "$now" in sql else None)


def n_articles(published: Path) -> int:
    with duckdb.connect(str(published), read_only=True) as database:
        row = database.sql("select count(*) from articles").fetchone()
    return row[0] if row else 0


@pytest.mark.parametrize(
    ("damage", "check"),
    [
        ("delete from scores where score_id > 3; delete from articles where article_id > 3", "no table lost rows"),
        ("update articles set text = '' where article_id = 7", "articles have a text"),
        ("update articles set title = '' where article_id > 2", "articles have a title"),
        ("update articles set published_at = '2036-01-01' where article_id < 9", "dates are possible"),
        ("update articles set story_id = 12345", "nothing is orphaned"),
        ("update articles set feed_url = 'https://gone.example/' where article_id = 3", "nothing is orphaned"),
        ("delete from runs", "no run is missing"),
        (
            "insert into scores values (99, 5, 'w', '5', '2026-02-17', 0.9, 2, 1, 1, true)",
            "no article has two current scores",
        ),
    ],
)
def test_a_damaged_warehouse_is_kept_aside_and_the_last_publication_stays(
    files: tuple[Path, Path], damage: str, check: str
) -> None:
    change(files[0], *damage.split(";"))
    with pytest.raises(warehouse.PublicationRejectedError, match=check) as refusal:
        warehouse.publish(*files)
    rejected = files[1].with_name("relations.rejected.duckdb")
    assert str(rejected) in str(refusal.value)
    assert rejected.exists()
    assert n_articles(files[1]) == 20
    assert not files[1].with_name("relations.duckdb.candidate").exists()


def test_an_operator_can_publish_what_the_checks_refuse(files: tuple[Path, Path]) -> None:
    change(files[0], "delete from scores", "delete from articles")
    assert warehouse.publish(*files, force=True)["articles"] == 0
    assert n_articles(files[1]) == 0


def test_a_few_rows_less_are_no_reason_to_refuse(files: tuple[Path, Path]) -> None:
    change(files[0], "delete from scores where score_id = 3", "delete from articles where article_id = 3")
    assert warehouse.publish(*files)["articles"] == 19


def test_a_first_publication_has_nothing_to_be_compared_with(tmp_path: Path) -> None:
    change(tmp_path / "w.duckdb")
    assert warehouse.publish(tmp_path / "w.duckdb", tmp_path / "p.duckdb")["articles"] == 0


def test_a_last_publication_that_cannot_be_read_is_replaced(files: tuple[Path, Path]) -> None:
    files[1].write_bytes(files[1].read_bytes()[:100])
    assert warehouse.publish(*files)["articles"] == 20


@pytest.mark.slow
def test_a_reader_sees_no_error_through_a_hundred_publications_and_a_fresh_one_sees_the_newest(
    files: tuple[Path, Path],
) -> None:
    with duckdb.connect(str(files[1]), read_only=True) as reader:
        for number in range(100):
            with duckdb.connect(str(files[0])) as writer:
                writer.execute("update articles set author = $author", {"author": str(number)})
            warehouse.publish(*files)
            assert reader.sql("select author, count(*) from articles group by all").fetchall() == [("", 20)]
            with warehouse.open_published(files[1]) as fresh:
                assert fresh.sql("select distinct author from articles").fetchall() == [(str(number),)]


@pytest.fixture
def full_disk() -> Iterator[None]:
    """No file may grow beyond 2 kB."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("step", [outputs.publish, upkeep.compact])
def test_a_copy_that_cannot_be_finished_is_taken_away(
    files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, step: Callable[..., Any]
) -> None:
    def no_space(path: Path) -> None:
        assert path.exists()
        raise OSError(f"No space left on device: {path}")

    monkeypatch.setattr(warehouse, "FREE_SHARE", -1.0)
    monkeypatch.setattr(warehouse, "_flush", no_space)
    with pytest.raises(OSError, match="No space left"):
        step(Settings(data_dir=files[0].parent))
    assert sorted(path.suffix for path in files[0].parent.iterdir()) == [".duckdb", ".duckdb", ".lock", ".lock"]
    assert n_articles(files[0]) == n_articles(files[1]) == 20


@pytest.mark.parametrize("step", [outputs.publish, lambda settings: outputs.export(settings, NOW)])
def test_what_meets_a_full_disk_is_named_and_takes_its_half_away(
    files: tuple[Path, Path], request: pytest.FixtureRequest, step: Callable[..., Any]
) -> None:
    folder = files[0].parent
    before = set(folder.iterdir())
    request.getfixturevalue("full_disk")
    with pytest.raises(OSError, match=str(folder)):
        step(Settings(data_dir=folder))
    assert set(folder.rglob("*")) - before <= {folder / "export"}
    assert n_articles(files[0]) == n_articles(files[1]) == 20


@pytest.mark.parametrize("kind", [duckdb.IOException, duckdb.FatalException, duckdb.TransactionException])
def test_every_error_by_which_duckdb_tells_of_a_full_disk_is_named_so(tmp_path: Path, kind: type[duckdb.Error]) -> None:
    path = tmp_path / "w.duckdb"
    with pytest.raises(OSError, match=str(path)), warehouse.open_warehouse(path):
        raise kind("Failed to commit: No space left on device")


def test_of_two_who_write_one_file_the_second_is_told_to_wait(files: tuple[Path, Path]) -> None:
    with warehouse._alone(files[1]), pytest.raises(warehouse.WarehouseBusyError, match=str(files[1])):
        warehouse.publish(*files)
    assert warehouse.publish(*files)["articles"] == 20
    new = files[0].with_name("new.duckdb")
    with warehouse._alone(new), pytest.raises(warehouse.WarehouseBusyError), warehouse.open_warehouse(new):
        pass


def test_an_export_after_a_clock_that_ran_ahead_is_kept_beside_the_one_before(files: tuple[Path, Path]) -> None:
    settings = Settings(data_dir=files[0].parent)
    for days in (400, 401, 0, 1):
        path = Path(outputs.export(settings, NOW + timedelta(days=days))["path"])
        assert (settings.export_dir / "latest").resolve() == path.resolve()
        assert (path / "manifest.json").exists()
    kept = sorted(path.name for path in settings.export_dir.iterdir() if not path.is_symlink())
    assert kept == [f"{NOW + timedelta(days=days):%Y-%m-%dT%H-%M-%SZ}" for days in (0, 1)]


# ── what the database says of itself ────────────────────────────────────────────────────────────────────────────────


def test_the_data_dictionary_is_what_the_database_says(connection: warehouse.Connection) -> None:
    written = (ROOT / "docs" / "data_dictionary.md").read_text(encoding="utf-8")
    assert written == warehouse.describe(connection), "run `make dictionary`"


def test_every_word_of_a_closed_vocabulary_and_every_macro_is_explained(connection: warehouse.Connection) -> None:
    for row in warehouse.find_rows(connection, "find_vocabularies"):
        assert row["comment"], row["name"]
        if row["kind"] == "type":
            explained = [line.partition(": ")[0] for line in row["comment"].split("\n")[1:]]
            assert explained == row["members"], row["name"]
