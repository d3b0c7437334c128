"""The only DuckDB: migrations, one idempotent load, a checked and published copy, and the pipeline's own questions.

One process at a time opens the warehouse, for moments: a task of the pool duckdb_writer, or its command. Everybody else
reads the published file, which is replaced whole: `publish` never waits for a reader and a reader never waits for a
load.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, fields
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb
import duckdb_extension_fts
import pyarrow as pa

from include.newswatch.dictionary import render_dictionary
from include.newswatch.model import Entry, Feed, PageTask
from include.newswatch.schedule import FeedState
from include.newswatch.stories import StoryArticle

Connection = duckdb.DuckDBPyConnection
FTS_EXTENSION = str(next(Path(duckdb_extension_fts.__file__).parent.rglob("*.duckdb_extension")))
SQL_DIR = Path(__file__).with_name("sql")
LOADS = (
    "save_fetches", "save_entries", "save_articles", "link_entries",
    "save_scores", "mark_current_scores", "save_events", "save_evidence", "save_actors", "save_places", "save_themes",
    "index_reports",
)  # fmt: skip


FREE_SHARE = 0.25  # of the file: below it, writing everything anew is not worth the time


class WarehouseBusyError(Exception):
    """Another process holds the warehouse file; the message says which."""


class PublishedFileError(Exception):
    """The published file is absent or cannot be read; the message says why and what helps."""


class PublicationRejectedError(Exception):
    """Checks of a publication did not hold; the message names them and where the rejected file is."""

    def __init__(self, rejected: Path, failed: Sequence[str]) -> None:
        super().__init__(
            f"not published, as checks did not hold: {'; '.join(failed)}. "
            f"The last publication stays; the refused one is {rejected}"
        )


@dataclass(frozen=True, slots=True)
class RunTables:
    """What a run brought, as Arrow tables in the shape of the batch files."""

    fetches: pa.Table
    entries: pa.Table
    extractions: pa.Table
    scores: pa.Table


def read_sql(name: str) -> str:
    return (SQL_DIR / f"{name}.sql").read_text(encoding="utf-8")


def connect(target: str, *, read_only: bool = False) -> Connection:
    """Open a database file, or ":memory:".

    Raises:
        WarehouseBusyError: another process has the file open; the message names it.
    """
    try:
        connection = duckdb.connect(target, read_only=read_only)
    except duckdb.IOException as error:
        if "Could not set lock" not in str(error):
            raise
        raise WarehouseBusyError(f"{target} is held by another process; close it and run again: {error}") from error
    connection.load_extension(FTS_EXTENSION)  # for stem(); of its index nothing is used
    connection.execute("set TimeZone = 'UTC'")  # as a setting of connect() it fails: icu is not loaded by then
    return connection


@contextmanager
def _disk_errors(path: Path) -> Iterator[None]:
    """DuckDB's errors of a disk that is full or broken, as an OSError that names the file."""
    try:
        yield
    except (duckdb.IOException, duckdb.FatalException, duckdb.TransactionException) as error:
        # The last two only where the disk was full at the commit itself: with one connection no transactions clash.
        raise OSError(f"{path}: {error}") from error


@contextmanager
def _scratch(*files: Path) -> Iterator[None]:
    """Files that are moved to their places or gone at the end: half a copy would keep a full disk full.

    What a killed process left goes at the beginning.
    """
    try:
        for file in files:
            file.unlink(missing_ok=True)
        yield
    finally:
        for file in files:
            file.unlink(missing_ok=True)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Nobody else makes this file meanwhile.

    Raises:
        WarehouseBusyError: somebody does.
    """
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise WarehouseBusyError(f"another process is writing {path}; run again when it is done") from error
        yield


def _with_log(path: Path) -> tuple[Path, Path]:
    return path, path.with_name(f"{path.name}.wal")


@contextmanager
def open_warehouse(path: Path) -> Iterator[Connection]:
    """The warehouse for writing, migrated to the newest tables; closing it folds the log into the file.

    Raises:
        WarehouseBusyError: another process has the file open.
        OSError: the disk is full or broken; nothing of an unfinished transaction stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _disk_errors(path):
        if not path.exists():
            _create_warehouse(path)
        with connect(str(path)) as connection:
            migrate(connection)
            yield connection


def _create_warehouse(path: Path) -> None:
    """Put a new file with all tables in place, whole: one whose first writes were cut short can never be opened."""
    new = path.with_name(f"{path.name}.new")
    with _alone(path), _scratch(*_with_log(new)):
        if path.exists():  # made by another process before we were alone
            return
        with connect(str(new)) as connection:
            migrate(connection)
        new.replace(path)


@contextmanager
def open_published(path: Path) -> Iterator[Connection]:
    """The published file for reading; before the first publication, the same tables without rows.

    Attached to a connection in memory: a direct one gets an old file back while this process still holds it open.
    """
    with connect(":memory:") as connection:
        if path.exists():
            connection.execute(f"attach '{_quoted(path)}' as published (read_only)")  # no parameter is allowed here
            connection.execute("use published")
        else:
            migrate(connection)
        yield connection


def find_published(path: Path, queries: Mapping[str, str], **params: Any) -> dict[str, list[dict[str, Any]]]:
    """What each query finds in the published file, by the key of `queries`, over one short connection.

    Raises:
        PublishedFileError: there is no such file yet, it is not whole, or other tables are in it than the queries name.
    """
    if not path.exists():
        raise PublishedFileError(f"{path.name} does not exist yet. The first run of the Dag monitor publishes it.")
    try:
        with open_published(path) as connection:
            return {key: find_rows(connection, name, **params) for key, name in queries.items()}
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        message = (
            f"{path.name} is of another version than this code; the next run of the Dag monitor publishes it anew."
        )
        raise PublishedFileError(f"{message} ({error})") from error
    except duckdb.Error as error:
        message = f"{path.name} cannot be read; the next run of the Dag monitor publishes it anew, nothing is lost."
        raise PublishedFileError(f"{message} ({error})") from error


def migrate(connection: Connection) -> None:
    """Bring the tables to the newest migration, each in a transaction, then make the views anew.

    A later migration must say `create type if not exists`: of a transaction that a kill cut short while it was written
    to the log, DuckDB 1.5.5 takes back tables and rows, but not types.
    """
    connection.execute("create table if not exists migrations (name text primary key, applied_at timestamptz not null)")
    done = {name for (name,) in connection.execute("select name from migrations").fetchall()}
    for file in sorted(SQL_DIR.glob("migrate_*.sql")):
        if file.stem not in done:
            connection.begin()
            connection.execute(file.read_text(encoding="utf-8"))
            connection.execute("insert into migrations values ($name, now())", {"name": file.stem})
            connection.commit()
    for file in sorted(SQL_DIR.glob("views_*.sql")):
        connection.execute(file.read_text(encoding="utf-8"))


def has_run(connection: Connection, run_id: str) -> bool:
    return connection.execute("select 1 from runs where run_id = $run_id", {"run_id": run_id}).fetchone() is not None


def save_feeds(connection: Connection, feeds: pa.Table) -> None:
    connection.register("new_feeds", feeds)
    _execute(connection, "save_feeds")
    _execute(connection, "retire_feeds")


def load_tables(connection: Connection, run_id: str, seen_at: datetime, tables: RunTables) -> None:
    """Bring in what a run found; the caller holds the transaction. Loading the same twice changes nothing."""
    for field in fields(RunTables):
        connection.register(f"new_{field.name}", getattr(tables, field.name))
    for name in LOADS:
        _execute(connection, name, run_id=run_id, seen_at=seen_at)


def load_feed_states(connection: Connection) -> dict[str, FeedState]:
    return {row["feed_url"]: FeedState(**row) for row in find_rows(connection, "find_feed_states")}


def save_feed_states(connection: Connection, states: pa.Table) -> None:
    connection.register("new_states", states)
    _execute(connection, "save_feed_states")


def count_new_entries(connection: Connection, seen_at: datetime) -> dict[str, int]:
    return dict(_execute(connection, "count_new_entries", seen_at=seen_at).fetchall())


def count_backlog(connection: Connection) -> int:
    row = _execute(connection, "find_backlog").fetchone()
    return int(row[0]) if row else 0


def find_due_pages(connection: Connection, entries: pa.Table, feeds: Sequence[Feed], now: datetime) -> list[PageTask]:
    """Pages to ask for, those never asked for first, newest first.

    Args:
        connection: the published file.
        entries: what this run's polls announced.
    """
    by_url = {feed.url: feed for feed in feeds}
    connection.register("new_entries", entries)
    found = _execute(connection, "find_due_pages", now=now).fetchall()
    return [
        PageTask(
            Entry(*entry), by_url[entry[0]].outlet, by_url[entry[0]].language, by_url[entry[0]].time_zone, n_attempts
        )
        for *entry, n_attempts in found
        if entry[0] in by_url
    ]


def find_rows(connection: Connection, name: str, **params: Any) -> list[dict[str, Any]]:
    """The rows of the query sql/NAME.sql, by column; parameters that it does not name are left out."""
    found = _execute(connection, name, **params)
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def find_in_batches(connection: Connection, name: str, size: int, **params: Any) -> Iterator[list[dict[str, Any]]]:
    """The rows of the query sql/NAME.sql, so many at a time."""
    found = _execute(connection, name, **params)
    names = [column[0] for column in found.description]
    while rows := found.fetchmany(size):
        yield [dict(zip(names, row, strict=True)) for row in rows]


def find_story_articles(connection: Connection, now: datetime) -> list[StoryArticle]:
    """Reports scored since a run began, at `now`, and what must be seen beside them.

    Articles whose new score finds nothing about the relation have left their stories by then.
    """
    _execute(connection, "drop_story_ids", now=now)
    rows = find_rows(connection, "find_story_articles", now=now)
    lists = ("actors", "events", "themes", "places")
    return [StoryArticle(**row | {name: tuple(row[name]) for name in lists}) for row in rows]


def save_stories(connection: Connection, memberships: pa.Table, stories: pa.Table, changes: pa.Table) -> None:
    connection.register("new_memberships", memberships)
    connection.register("new_stories", stories)
    connection.register("new_story_changes", changes)
    for name in ("save_memberships", "save_stories", "note_story_changes", "drop_stories"):
        _execute(connection, name)


def save_run(connection: Connection, **values: Any) -> None:
    _execute(connection, "save_run", **values)


def save_alerts(connection: Connection, findings: pa.Table, judged: list[str], run_id: str, now: datetime) -> None:
    """Open an alert for every finding that has none, and close those of judged rules that were not found any more."""
    connection.register("new_findings", findings)
    _execute(connection, "open_alerts", run_id=run_id, now=now)
    _execute(connection, "close_alerts", run_id=run_id, now=now, judged=judged)


def describe(connection: Connection) -> str:
    """The data dictionary, as Markdown, from the comments of the database."""
    return render_dictionary(find_rows(connection, "find_dictionary"), find_rows(connection, "find_vocabularies"))


# ── publish, export ─────────────────────────────────────────────────────────────────────────────────────────────────


def publish(warehouse: Path, published: Path, *, force: bool = False) -> dict[str, int]:
    """Replace the published file by a copy of the warehouse: copy, flush to disk, check, rename.

    Readers keep what they have open. The log of a load that died is folded in first.

    Args:
        force: publish whatever the checks say.

    Returns:
        rows by table.

    Raises:
        FileNotFoundError: nothing has been loaded yet.
        WarehouseBusyError: a load or another publication is under way.
        PublicationRejectedError: a check did not hold; the copy is kept aside, the last publication stays.
        OSError: the disk is full or broken; nothing of the copy stays.
    """
    if not warehouse.exists():
        raise FileNotFoundError(f"nothing to publish: {warehouse} does not exist yet; the first load makes it")
    if warehouse.with_name(f"{warehouse.name}.wal").exists():
        with open_warehouse(warehouse):  # opening and closing folds the log in
            pass
    candidate = published.with_name(f"{published.name}.candidate")
    with _alone(published), _scratch(candidate), _disk_errors(candidate):
        with connect(str(warehouse), read_only=True):  # while we copy nobody can write: a load would tear the copy
            shutil.copyfile(warehouse, candidate)
        _flush(candidate)
        counts, failed = _check_candidate(candidate, published)
        if failed and not force:
            raise PublicationRejectedError(candidate.replace(_rejected(published)), failed)
        # A stale log beside a replaced file would be replayed into it (DuckDB 1.5.5).
        published.with_name(f"{published.name}.wal").unlink(missing_ok=True)
        candidate.replace(published)
    return counts


def _rejected(published: Path) -> Path:
    return published.with_name(f"{published.stem}.rejected{published.suffix}")


def is_rejected(published: Path) -> bool:
    """Whether the newest attempt to publish was refused."""
    rejected = _rejected(published)
    if not rejected.exists():
        return False
    return not published.exists() or rejected.stat().st_mtime > published.stat().st_mtime


def open_newest(published: Path) -> AbstractContextManager[Connection]:
    """The newest whole copy of the warehouse: the refused one as long as the newest attempt to publish was refused.

    For the pipeline itself, which must know what has been loaded, and not for readers.
    """
    return open_published(_rejected(published) if is_rejected(published) else published)


def _check_candidate(candidate: Path, published: Path) -> tuple[dict[str, int], list[str]]:
    """Rows by table, and the checks that do not hold, each with what was seen."""
    with open_published(candidate) as connection:
        now = _execute(connection, "count_tables").to_arrow_table()
        connection.register("candidate_counts", now)
        connection.register("last_counts", _count_last(published, like=now))
        checks = find_rows(connection, "check_candidate")
    failed = [f"{check['name']} ({check['detail']})" for check in checks if not check["is_ok"]]
    return {row["name"]: row["n_rows"] for row in now.to_pylist()}, failed


def _count_last(published: Path, like: pa.Table) -> pa.Table:
    """What the last publication holds; one that is absent, cut or of older tables is no measure: no rows."""
    if published.exists():
        with suppress(duckdb.Error), open_published(published) as last:
            return _execute(last, "count_tables").to_arrow_table()
    return like.slice(0, 0)


def export_tables(published: Path, folder: Path) -> list[dict[str, Any]]:
    """Write each table and view as FOLDER/NAME.parquet.

    The index behind search() stays out.

    Returns:
        a row a file: name, kind, comment, rows, columns with type and comment.
    """
    folder.mkdir(parents=True)
    with _disk_errors(folder), open_published(published) as connection:
        exported = []
        for (kind, name), rows in groupby(
            find_rows(connection, "find_dictionary"), lambda row: (row["kind"], row["table_name"])
        ):
            columns = list(rows)
            if name.startswith("search_"):
                continue
            copied = connection.execute(
                f"copy {name} to '{_quoted(folder / name)}.parquet' (format parquet, compression zstd)"
            )
            exported.append(
                {
                    "name": name, "kind": kind, "file": f"{name}.parquet", "rows": (copied.fetchone() or (0,))[0],
                    "comment": columns[0]["table_comment"],
                    "columns": [
                        {"name": column["column_name"], "type": column["data_type"], "comment": column["comment"]}
                        for column in columns
                    ],
                }
            )  # fmt: skip
    return exported


def compact(warehouse: Path) -> dict[str, int]:
    """Write the warehouse anew without its free blocks, if they are worth it; n_bytes before and after.

    Raises:
        WarehouseBusyError: another process has the file open.
        OSError: the disk is full or broken; the warehouse is as it was.
    """
    candidate = warehouse.with_name(f"{warehouse.name}.candidate")
    with _scratch(*_with_log(candidate)), open_warehouse(warehouse) as connection:
        connection.execute("checkpoint")
        size = find_rows(connection, "find_size")[0]
        n_bytes = warehouse.stat().st_size
        if size["free_share"] < FREE_SHARE:
            return {"n_bytes_before": n_bytes, "n_bytes_after": n_bytes}
        connection.execute(f"attach '{_quoted(candidate)}' as compacted")
        connection.execute(f"copy from database {size['name']} to compacted (schema)")
        # Table by table as they were made: copied at once, children come before the parents that they refer to.
        for row in find_rows(connection, "find_tables"):
            connection.execute(f"insert into compacted.{row['name']} from {size['name']}.{row['name']}")
        connection.execute("detach compacted")
        _flush(candidate)
        # Before we let go of the old file: whoever opens the path from now on opens the new one.
        candidate.replace(warehouse)
    return {"n_bytes_before": n_bytes, "n_bytes_after": warehouse.stat().st_size}


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _execute(connection: Connection, name: str, **params: Any) -> Connection:
    """Run sql/NAME.sql with those of the parameters that it names; DuckDB refuses any others."""
    sql = read_sql(name)
    return connection.execute(sql, {key: value for key, value in params.items() if f"${key}" in sql})


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
