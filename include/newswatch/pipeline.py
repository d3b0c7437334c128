"""The road into the warehouse, one function a step: plan, poll, select, fetch, extract, score, load.

Steps hand each other paths and counts; what they found lies in batch files below the run's folder:

    feeds/NNN.tasks   ─poll─►    feeds/NNN.fetches, .polls, .entries
    pages/NNN.tasks   ─fetch─►   pages/NNN.fetches, archive/…/RUN-NNN.warc.gz
                      ─extract─► pages/NNN.extractions  ─score─►  pages/NNN.DYAD.scores

A dyad is a pair of countries. Steps up to `score` serve all dyads of the settings at once, `load` one. What is
made of a warehouse: outputs.py.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import shutil
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
from upath import UPath

from include.newswatch import archive, warehouse
from include.newswatch.alerts import (
    DayIndex,
    FeedHealth,
    Finding,
    Rule,
    RunResult,
    Situation,
    judge,
    load_rules,
)
from include.newswatch.articles import extract_article
from include.newswatch.feeds import parse_feed
from include.newswatch.model import (
    Article,
    Entry,
    ExtractedPage,
    Feed,
    FeedDocument,
    Fetch,
    NewsError,
    Outcome,
    Page,
    PageTask,
    ScoredArticle,
)
from include.newswatch.sandbox import Sandbox
from include.newswatch.schedule import (
    ANSWERED,
    NOT_REACHED,
    UNREACHABLE,
    FeedState,
    Poll,
    address_to_ask,
    has_moved,
    is_due,
    may_ask_conditionally,
    network_is_down,
    network_went_down,
    next_attempt_at,
    next_state,
    spread_over_batches,
)
from include.newswatch.scoring import load_scorer
from include.newswatch.settings import Settings
from include.newswatch.sources import load_feeds
from include.newswatch.stories import Membership, Story, StoryChange, tell_stories
from include.newswatch.urls import host_of
from include.newswatch.web import Web, WebSettings

LOGGER = logging.getLogger(__name__)
Item = TypeVar("Item")
Counts = dict[str, Any]
Progress = Callable[[int, int], None]  # done, of how many

VERSION = "0.1"
# Texts to score that the warehouse has already, in place of extractions. No load brings them in: by then it may hold
# better ones.
LOADED_TEXTS = "loaded_texts"
HOST_DOWN_AFTER = 3  # unreachable pages in a row: the rest of the host waits for a later attempt


def no_progress(done: int, total: int) -> None:
    """For callers that show none."""


@dataclass(frozen=True, slots=True)
class FeedTask:
    """A feed that is due, with its state."""

    feed: Feed
    state: FeedState


@dataclass(frozen=True, slots=True)
class Run:
    """A run and where its batch files lie."""

    run_id: str
    folder: str
    started_at: datetime

    def batches(self, room: str, suffix: str) -> list[str]:
        """Batch files of a step, e.g. batches("pages", "scores")."""
        return archive.list_files(f"{self.folder}/{room}", f"*.{suffix}.parquet")


# ── plan ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def plan(settings: Settings, run_id: str, now: datetime) -> tuple[Run, list[str], Counts]:
    """Choose the feeds that are due and write them as batches; a plan that exists already is kept.

    Returns:
        the run, the batches for `poll`, and counts with the problems of feeds.csv.
    """
    run = Run(run_id, run_folder(settings, run_id), now)
    listed = load_feeds(settings.feeds_csv)
    for problem in listed.problems:
        LOGGER.warning("feeds.csv: %s", problem)
    if not UPath(f"{run.folder}/run.json").exists():
        archive.write_rows(f"{run.folder}/feeds.parquet", listed.feeds, Feed)
        with warehouse.open_newest(settings.published) as published:
            states = warehouse.load_feed_states(published)
        tasks = [FeedTask(feed, states.get(feed.url, FeedState(feed.url))) for feed in listed.feeds if feed.enabled]
        for task in tasks:
            if has_moved(task.state, now):
                LOGGER.warning(
                    "feeds.csv: %s has moved to %s, where it is asked", task.feed.url, task.state.permanent_url
                )
        due = [task for task in tasks if is_due(task.state, now)]
        write_batches(settings, run, "feeds", due, FeedTask, [host_of(task.feed.url) for task in due])
        write_run(run)
    run = open_run(run.folder)
    batches = run.batches("feeds", "tasks")
    return run, batches, {"n_feeds": len(listed.feeds), "n_batches": len(batches), "problems": list(listed.problems)}


def run_folder(settings: Settings, run_id: str) -> str:
    return f"{settings.runs_dir}/{re.sub(r'[^A-Za-z0-9._-]', '_', run_id)}"


def _listed_feeds(settings: Settings, run: Run) -> Sequence[Feed]:
    """feeds.csv as it was when the run was planned; as it is now, should that file be broken."""
    try:
        return archive.read_rows(f"{run.folder}/feeds.parquet", Feed)
    except archive.BatchError as error:
        LOGGER.error("set aside: %s", error)
        return load_feeds(settings.feeds_csv).feeds


def write_run(run: Run) -> None:
    """Note the run in its folder, last of all: a folder with this note holds a whole plan."""
    noted = {"run_id": run.run_id, "started_at": run.started_at.isoformat()}
    archive.write_whole(f"{run.folder}/run.json", json.dumps(noted).encode())


def open_run(folder: str) -> Run:
    """The run of a folder that `plan` made.

    Raises:
        BatchError: there is no such run, or its note is broken.
    """
    note = f"{folder}/run.json"
    try:
        noted = json.loads(UPath(note).read_bytes())
        return Run(noted["run_id"], folder, datetime.fromisoformat(noted["started_at"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise archive.BatchError(f"{note} cannot be read: {error}") from error


def write_batches(
    settings: Settings, run: Run, room: str, tasks: Sequence[Item], kind: type[Item], hosts: Sequence[str]
) -> list[str]:
    batches = (
        spread_over_batches(hosts, batch_size=settings.batch_size, max_batches=settings.max_batches) if tasks else []
    )
    paths = [f"{run.folder}/{room}/{number:03}.tasks.parquet" for number in range(len(batches))]
    for path, positions in zip(paths, batches, strict=True):
        archive.write_rows(path, [tasks[position] for position in positions], kind)
    return paths


# ── poll ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def poll(settings: Settings, batch: str, progress: Progress = no_progress) -> Counts:
    """Ask the feeds of a batch and read their entries. Each feed ends in one outcome."""
    tasks = archive.read_rows(batch, FeedTask)
    polls: list[Poll] = []
    fetches: list[Fetch] = []
    entries: list[Entry] = []
    with open_web(settings) as web, open_sandbox(settings) as sandbox:
        for task, page in _each_by_host(settings, tasks, lambda task: task.feed.url, lambda task: _ask_feed(web, task)):
            document, fetch = _read_feed(sandbox, task, page)
            polls.append(_poll_of(task, page, document, fetch))
            fetches.append(fetch)
            entries.extend(document.entries if document else ())
            progress(len(polls), len(tasks))
    _write_beside(batch, "polls", polls, Poll)
    _write_beside(batch, "entries", entries, Entry)
    _write_beside(batch, "fetches", fetches, Fetch)
    return outcome_counts(fetches) | {"n_entries": len(entries)}


def _ask_feed(web: Web, task: FeedTask) -> Page:
    state, now = task.state, datetime.now(UTC)
    address = address_to_ask(state, now)
    if may_ask_conditionally(state, now):
        page = web.get(address, etag=state.etag, last_modified=state.last_modified)
    else:
        page = web.get(address)
    # Asked at its new address the feed says nothing of a move, but is no less moved.
    return replace(page, permanent_url=page.permanent_url or (address if address != task.feed.url else None))


def _read_feed(sandbox: Sandbox, task: FeedTask, page: Page | NewsError) -> tuple[FeedDocument | None, Fetch]:
    feed, document = task.feed, None
    if isinstance(page, Page) and page.status != 304:
        try:
            document = sandbox.call(
                parse_feed, page.body, feed, content_type=page.headers.get("content-type", ""), now=page.fetched_at
            )
        except NewsError as error:
            return None, replace(
                _fetch_row("feed", feed.url, feed.url, page), outcome=error.outcome, detail=error.detail
            )
    return document, _fetch_row("feed", feed.url, feed.url, page)


def _poll_of(task: FeedTask, page: Page | NewsError, document: FeedDocument | None, fetch: Fetch) -> Poll:
    """What the scheduler of polls wants to know of this one."""
    base = Poll(task.feed.url, fetch.host, fetch.outcome, fetch.fetched_at, elapsed_ms=fetch.elapsed_ms)
    if isinstance(page, NewsError):
        return replace(base, retry_after_s=page.retry_after_s)
    return replace(
        base,
        conditional=may_ask_conditionally(task.state, fetch.fetched_at),
        etag=page.headers.get("etag"),
        last_modified=page.headers.get("last-modified"),
        body_sha256=hashlib.sha256(page.body).hexdigest() if page.status != 304 else None,
        n_entries=len(document.entries) if document else 0,
        ttl_minutes=max(_max_age_minutes(page), (document.ttl_minutes if document else None) or 0),
        permanent_url=page.permanent_url,
    )


def _max_age_minutes(page: Page) -> float:
    found = re.search(r"max-age=(\d{1,9})", page.headers.get("cache-control", ""))
    return int(found[1]) / 60 if found else 0.0


# ── select ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def select(settings: Settings, folder: str) -> tuple[list[str], Counts]:
    """Choose the pages to fetch: what the polls announced, and what waits since earlier runs; write them as batches."""
    run = open_run(folder)
    feeds = _listed_feeds(settings, run)
    entries, _ = _gather(run.batches("feeds", "entries"), Entry)
    with warehouse.open_newest(settings.published) as published:
        due = warehouse.find_due_pages(published, entries, feeds, run.started_at)
    oldest = run.started_at - timedelta(days=settings.max_age_days)
    old = [task for task in due if task.entry.published_at is not None and task.entry.published_at < oldest]
    is_old = {task.entry.url for task in old}
    wanted = [task for task in due if task.entry.url not in is_old][: settings.max_pages_per_run]
    skipped = [
        _skipped(task, "too_old", f"published {task.entry.published_at:%Y-%m-%d}", run.started_at) for task in old
    ]
    archive.write_rows(f"{run.folder}/pages/skipped.fetches.parquet", skipped, Fetch)
    batches = write_batches(settings, run, "pages", wanted, PageTask, [host_of(task.entry.url) for task in wanted])
    counts = {"n_wanted": len(wanted), "n_too_old": len(old), "n_waiting": len(due) - len(old) - len(wanted)}
    return batches, counts


def _skipped(task: PageTask, outcome: Outcome, detail: str, at: datetime) -> Fetch:
    entry = task.entry
    return Fetch("page", entry.url, entry.feed_url, host_of(entry.url), outcome, at, n_attempts=0, detail=detail)


# ── fetch ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def fetch(settings: Settings, batch: str, progress: Progress = no_progress) -> Counts:
    """Fetch the pages of a batch into a WARC file. Each page ends in one outcome."""
    tasks = archive.read_rows(batch, PageTask)
    folder, number = _folder_and_number(batch)
    run = open_run(folder)
    warc = archive.WarcFile(archive.warc_location(settings.archive_dir, folder, run.started_at, number))
    fetches = []
    n_unreachable: Counter[str] = Counter()
    with open_web(settings) as web:

        def ask(task: PageTask) -> Page:
            host = host_of(task.entry.url)
            if n_unreachable[host] >= HOST_DOWN_AFTER:
                raise NewsError("host_down", f"{host} failed {HOST_DOWN_AFTER} times in this run")
            try:
                page = web.get(task.entry.url)
            except NewsError as error:
                n_unreachable[host] += error.outcome in UNREACHABLE
                raise
            n_unreachable[host] = 0
            return page

        for task, page in _each_by_host(settings, tasks, lambda task: task.entry.url, ask):
            fetches.append(_fetched_page(settings, task, page, warc))
            progress(len(fetches), len(tasks))
    warc.save()
    _write_beside(batch, "fetches", fetches, Fetch)
    return outcome_counts(fetches)


def _fetched_page(settings: Settings, task: PageTask, page: Page | NewsError, warc: archive.WarcFile) -> Fetch:
    row = _fetch_row("page", task.entry.url, task.entry.feed_url, page)
    n_attempts = task.n_attempts + 1
    if isinstance(page, Page):
        return replace(row, warc_file=warc.location, warc_offset=warc.add(page), n_attempts=n_attempts)
    later = next_attempt_at(row.outcome, n_attempts, settings.max_attempts, row.fetched_at)
    return replace(row, n_attempts=n_attempts, next_attempt_at=later)


# ── extract, score ──────────────────────────────────────────────────────────────────────────────────────────────────


def extract(settings: Settings, batch: str, progress: Progress = no_progress) -> Counts:
    """Extract the articles of a batch's archived pages. Each page ends in one outcome."""
    tasks = {task.entry.url: task for task in archive.read_rows(batch, PageTask)}
    fetches = archive.read_rows(beside(batch, "fetches"), Fetch)
    n_pages = sum(row.warc_file is not None for row in fetches)
    extracted = []
    for page in extract_pages(settings, {row.warc_file for row in fetches if row.warc_file}, tasks):
        extracted.append(page)
        progress(len(extracted), n_pages)
    _write_beside(batch, "extractions", extracted, ExtractedPage)
    return outcome_counts(extracted)


def extract_pages(settings: Settings, warc_files: Iterable[str], tasks: dict[str, PageTask]) -> Iterator[ExtractedPage]:
    """What becomes of the archived pages that the tasks name by URL; a record that is broken is left out and logged."""
    with open_sandbox(settings) as sandbox:
        for location in sorted(warc_files):
            for page in archive.read_pages(location):
                if isinstance(page, archive.BrokenRecord):
                    LOGGER.error("%s: %s %s", location, page.url, page.error)
                elif page.url in tasks:
                    yield extract_page(sandbox, page, tasks[page.url])


def extract_page(sandbox: Sandbox, page: Page, task: PageTask) -> ExtractedPage:
    """One page's article, or the outcome that says why there is none."""
    entry = task.entry
    try:
        article: Article = sandbox.call(
            extract_article, page, entry, time_zone=task.time_zone, language_hint=task.language
        )
    except NewsError as error:
        return ExtractedPage(entry.url, entry.feed_url, error.outcome, error.detail, page.fetched_at)
    article = replace(article, url=article.canonical_url or article.url)
    digest = hashlib.sha256(f"{article.title}\n{article.text}".encode()).hexdigest()
    return ExtractedPage(entry.url, entry.feed_url, "scored", "", page.fetched_at, article, digest)


def score(settings: Settings, batch: str, progress: Progress = no_progress) -> Counts:
    """Score the articles of a batch for each dyad.

    The first dyad's file is written last: its database says what is due again, so it must not have what others lack.
    """
    loaded = beside(batch, LOADED_TEXTS)
    extracted = archive.read_rows(loaded if UPath(loaded).exists() else beside(batch, "extractions"), ExtractedPage)
    counts: Counts = {}
    for number, dyad in enumerate(reversed(settings.dyads)):
        scorer = load_scorer(dyad)
        scored = []
        for done, page in enumerate(extracted, start=1):
            if page.article is not None and page.text_sha256 is not None:
                article = page.article
                day = article.published_at.date() if article.published_at else None
                found = scorer.score(article.title, article.text, article.language, day)
                scored.append(ScoredArticle(article.url, page.text_sha256, datetime.now(UTC), found))
            progress(number * len(extracted) + done, len(settings.dyads) * len(extracted))
        _write_beside(batch, f"{dyad}.scores", scored, ScoredArticle)
        counts |= {"n_scored": len(scored), f"n_{dyad}": sum(row.score.relevance_class > 0 for row in scored)}
    return counts


# ── load ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def load_all(settings: Settings, folders: Sequence[str]) -> Iterator[Counts]:
    """Bring runs into the warehouse of each dyad; a count a dyad and run.

    The first dyad comes last: its database says what is due again, so it must not have what others lack.
    """
    for dyad in reversed(settings.by_dyad()):
        for folder in folders:
            yield load(dyad, folder)


def load(settings: Settings, folder: str) -> Counts:
    """Bring a run's batch files into the warehouse, in one transaction; a run that is there already changes nothing."""
    run = open_run(folder)
    with warehouse.open_warehouse(settings.warehouse) as connection:
        if warehouse.has_run(connection, run.run_id):
            return {"already_loaded": True}
        connection.begin()
        counts = _load_run(connection, settings, run)
        connection.commit()
    return counts


def _load_run(connection: warehouse.Connection, settings: Settings, run: Run) -> Counts:
    poll_table, broken = _gather(run.batches("feeds", "polls"), Poll)
    polls = archive.to_rows(poll_table, Poll)
    asked = [(poll.host, poll.outcome) for poll in polls]
    is_down = network_is_down(asked)
    feeds = _listed_feeds(settings, run)
    warehouse.save_feeds(connection, archive.to_table(feeds, Feed))
    tables, bad = _gather_tables(run, settings.dyad)
    broken += bad
    pages = [(row.host, row.outcome) for row in archive.to_rows(tables["fetches"], Fetch) if row.kind == "page"]
    is_lost = is_down or network_went_down(asked, pages)
    if is_lost:
        tables["fetches"] = _blame_network(tables["fetches"])
    warehouse.load_tables(connection, run.run_id, run.started_at, warehouse.RunTables(**tables))
    _tell_stories(connection, run)
    if not is_down:
        _update_feed_states(connection, run, polls)
    rules, problems = load_rules(settings.alerts_csv)
    checks = run_checks(run, settings.dyad, polls, is_down=is_lost, broken=broken, problems=problems)
    future = [row["run_id"] for row in warehouse.find_rows(connection, "find_future_runs", now=run.started_at)]
    checks.append(_check("the clock is right", not future, f"in the future: {', '.join(future)}" if future else "yes"))
    warehouse.save_run(
        connection,
        run_id=run.run_id,
        started_at=run.started_at,
        finished_at=datetime.now(UTC),
        n_backlog=warehouse.count_backlog(connection),
        is_network_down=is_lost,
        free_bytes=shutil.disk_usage(settings.data_dir).free,
        database_bytes=settings.warehouse.stat().st_size,
        checks=checks,
    )
    if run.batches("feeds", "tasks"):  # an import or a new scoring says nothing of feeds, network and rhythm
        rejection = "its copy lies beside the published file" if warehouse.is_rejected(settings.published) else ""
        judge_alerts(connection, rules, run, polls, rejection)
    return {name: table.num_rows for name, table in tables.items()} | {
        "network_down": is_lost,
        "failed_checks": [check["name"] for check in checks if not check["is_ok"]],
    }


def _gather_tables(run: Run, dyad: str) -> tuple[dict[str, pa.Table], list[str]]:
    """What a run brought, by the names of RunTables, and a message for each batch file that cannot be read."""
    tables, broken = {}, []
    for name, rooms, kind in (
        ("fetches", ("feeds", "pages"), Fetch),
        ("entries", ("feeds",), Entry),
        ("extractions", ("pages",), ExtractedPage),
        (f"{dyad}.scores", ("pages",), ScoredArticle),
    ):
        table, bad = _gather([path for room in rooms for path in run.batches(room, name)], kind)
        tables[name.removeprefix(f"{dyad}.")] = table
        broken += bad
    # An article whose scores were lost would stay without them: its page is asked for again instead.
    texts = tables["extractions"]["text_sha256"]
    is_whole = pc.or_(pc.is_null(texts), pc.is_in(texts, value_set=tables["scores"]["text_sha256"].combine_chunks()))
    tables["extractions"] = tables["extractions"].filter(is_whole)
    return tables, broken


def judge_alerts(
    connection: warehouse.Connection, rules: Sequence[Rule], run: Run, polls: Sequence[Poll], rejection: str
) -> None:
    """Open and close alerts by what the warehouse holds now, the run included."""
    now = datetime.now(UTC)
    # After a clock that went wrong there may be runs in the future; this one is the newest of the others.
    runs = [row for row in warehouse.find_rows(connection, "find_last_runs") if row["started_at"] <= run.started_at]
    seen = Situation(
        now=now,
        feeds=_each_as(FeedHealth, warehouse.find_rows(connection, "find_feed_health", day=now.date())),
        runs=_each_as(RunResult, runs),
        days=_each_as(DayIndex, warehouse.find_rows(connection, "brief_index", last_day=now.date())),
        n_polled=len(polls),
        n_failed=_count_failed(polls),
        is_network_down=runs[0]["is_network_down"],
        free_bytes=runs[0]["free_bytes"],
        database_bytes=runs[0]["database_bytes"],
        rejection=rejection,
    )
    findings, judged = judge(rules, seen)
    warehouse.save_alerts(connection, archive.to_table(findings, Finding), judged, run.run_id, now)


def _tell_stories(connection: warehouse.Connection, run: Run) -> None:
    """Find the copies and stories among the newest reports and those of the days around them."""
    told = tell_stories(warehouse.find_story_articles(connection, run.started_at), run.started_at.date())
    warehouse.save_stories(
        connection,
        archive.to_table(told.memberships, Membership),
        archive.to_table(told.stories, Story),
        archive.to_table(told.changes, StoryChange),
    )


def _blame_network(fetches: pa.Table) -> pa.Table:
    """While our own network is down no host has failed, and no page has used up an attempt: it is due again at once."""
    rows = [_blamed(row) if row["outcome"] in NOT_REACHED else row for row in fetches.to_pylist()]
    return pa.Table.from_pylist(rows, schema=fetches.schema)


def _blamed(row: dict[str, Any]) -> dict[str, Any]:
    row |= {"outcome": "network_down"}
    if row["kind"] == "page":
        row |= {"n_attempts": max(0, row["n_attempts"] - 1), "next_attempt_at": row["fetched_at"]}
    return row


def _update_feed_states(connection: warehouse.Connection, run: Run, polls: Iterable[Poll]) -> None:
    states = warehouse.load_feed_states(connection)
    n_new = warehouse.count_new_entries(connection, run.started_at)
    changed = [
        next_state(states[poll.feed_url], replace(poll, n_new=n_new.get(poll.feed_url, 0)))
        for poll in polls
        if poll.feed_url in states
    ]
    warehouse.save_feed_states(connection, archive.to_table(changed, FeedState))


def run_checks(
    run: Run, dyad: str, polls: Sequence[Poll], *, is_down: bool, broken: Sequence[str], problems: Sequence[str]
) -> list[dict[str, Any]]:
    """The named checks of a run, each with what was seen."""
    planned, _ = _gather(run.batches("feeds", "tasks"), FeedTask)
    n_failed = _count_failed(polls)
    unfinished = sorted(
        set(map(_stem, run.batches("pages", "tasks"))) - set(map(_stem, run.batches("pages", f"{dyad}.scores")))
    )
    return [
        _check("network is up", not is_down, f"{len(polls)} feeds asked"),
        _check("every feed has one outcome", len(polls) == planned.num_rows, f"{len(polls)} of {planned.num_rows}"),
        _check("most feeds answer", n_failed * 2 <= len(polls), f"{n_failed} of {len(polls)} failed"),
        _check("every batch is scored", not unfinished, ", ".join(unfinished) or "all"),
        _check("batch files are whole", not broken, "; ".join(broken) or "all"),
        _check("alert rules are sound", not problems, "; ".join(problems) or "all"),
    ]


def _count_failed(polls: Iterable[Poll]) -> int:
    return sum(poll.outcome not in ANSWERED for poll in polls)


def _check(name: str, is_ok: bool, detail: str) -> dict[str, Any]:
    return {"name": name, "is_ok": is_ok, "detail": detail}


# ── doors and small helpers ─────────────────────────────────────────────────────────────────────────────────────────


def open_web(settings: Settings) -> Web:
    return Web(
        WebSettings(
            user_agent=f"newswatch/{VERSION} (+{settings.contact or 'research crawler, no contact set'})",
            allow_networks=settings.allow_networks,
            allow_ports=settings.allow_ports,
            min_interval_s=settings.min_interval_s,
            total_timeout_s=settings.request_timeout_s,
            politeness_dir=settings.data_dir / "politeness",
        )
    )


def open_sandbox(settings: Settings) -> Sandbox:
    return Sandbox(settings.parse_timeout_s, settings.parse_memory_mb)


def _each_by_host(
    settings: Settings, tasks: Iterable[Item], url_of: Callable[[Item], str], ask: Callable[[Item], Page]
) -> Iterator[tuple[Item, Page | NewsError]]:
    """Ask for every task, hosts side by side and each host in order.

    While an answer is used, its host is asked for the next one, and no further: two answers a thread are in memory.
    """
    by_host: dict[str, deque[Item]] = defaultdict(deque)
    for task in tasks:
        by_host[host_of(url_of(task))].append(task)
    waiting = deque(by_host.values())
    asked: dict[Future[Page], deque[Item]] = {}
    with ThreadPoolExecutor(max_workers=settings.threads, thread_name_prefix="host") as pool:
        while asked or waiting:
            while waiting and len(asked) < settings.threads:
                items = waiting.popleft()
                asked[pool.submit(ask, items[0])] = items
            for future in wait(asked, return_when=FIRST_COMPLETED).done:
                items = asked.pop(future)
                item = items.popleft()
                if items:
                    asked[pool.submit(ask, items[0])] = items
                error = future.exception()
                yield item, error if isinstance(error, NewsError) else future.result()


def _fetch_row(kind: Any, url: str, feed_url: str, page: Page | NewsError) -> Fetch:
    if isinstance(page, NewsError):
        return Fetch(
            kind,
            url,
            feed_url,
            host_of(url),
            page.outcome,
            datetime.now(UTC),
            http_status=page.status,
            detail=page.detail,
        )
    return Fetch(
        kind,
        url,
        feed_url,
        host_of(url),
        "not_modified" if page.status == 304 else "fetched",
        page.fetched_at,
        elapsed_ms=page.elapsed_ms,
        http_status=page.status,
        n_bytes=len(page.body),
        final_url=page.final_url,
    )


def _gather(paths: Iterable[str], kind: type[Any]) -> tuple[pa.Table, list[str]]:
    """The rows of all batch files that can be read, and a message for each file that cannot."""
    tables = [archive.to_table([], kind)]
    broken: list[str] = []
    for path in paths:
        try:
            tables.append(archive.read_table(path, kind))
        except archive.BatchError as error:
            LOGGER.error("set aside: %s", error)
            broken.append(str(error))
    return pa.concat_tables(tables), broken


def _write_beside(batch: str, suffix: str, rows: Sequence[Item], kind: type[Item]) -> None:
    archive.write_rows(beside(batch, suffix), rows, kind)


def beside(batch: str, suffix: str) -> str:
    return batch.replace(".tasks.parquet", f".{suffix}.parquet")


def _folder_and_number(batch: str) -> tuple[str, str]:
    folder, _, name = batch.rsplit("/", 2)
    return folder, name.split(".")[0]


def _stem(batch: str) -> str:
    return _folder_and_number(batch)[1]


def _each_as(kind: type[Item], rows: Iterable[Mapping[str, Any]]) -> list[Item]:
    """Rows of a query as things that have some of its columns."""
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    return [kind(**{name: row[name] for name in names}) for row in rows]


def outcome_counts(rows: Iterable[Fetch | ExtractedPage]) -> Counts:
    return dict(sorted(Counter(row.outcome for row in rows).items()))
