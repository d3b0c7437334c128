"""The operator's work beside the road: import, backfill, rescore, re-extract, try a feed, tidy up.

The first four make a run of their own: a plan writes its batches where those of `fetch` or `extract` would lie, and the
steps of the road do the rest. A plan that exists already is kept and a batch that is done is not done again, so a run
that died goes on where it stopped. All are safe beside `monitor`: only its pool's one slot opens the warehouse.
"""

from __future__ import annotations

import hashlib
import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import chain, islice
from typing import Any, TypeVar
from urllib.parse import urljoin

from upath import UPath

from include.newswatch import archive, warehouse
from include.newswatch.answers import error_of_answer
from include.newswatch.discover import confirm_source, render_lines
from include.newswatch.feeds import parse_feed, parse_sitemap
from include.newswatch.model import (
    Article,
    Entry,
    ExtractedPage,
    Feed,
    Fetch,
    NewsError,
    Page,
    PageTask,
    SettingsError,
)
from include.newswatch.pipeline import (
    LOADED_TEXTS,
    Counts,
    Progress,
    Run,
    beside,
    extract_pages,
    no_progress,
    open_run,
    open_sandbox,
    open_web,
    outcome_counts,
    run_folder,
    write_run,
)
from include.newswatch.robots import named_sitemaps
from include.newswatch.scoring import load_scorer
from include.newswatch.settings import Settings
from include.newswatch.sources import CHOICES, feed_of_line, line_problems, load_feeds
from include.newswatch.urls import canonical_url, host_of, redact_url, registrable_domain
from include.newswatch.web import Web

LOGGER = logging.getLogger(__name__)
Item = TypeVar("Item")

PAGES_PER_BATCH = 500  # about ten minutes of extraction on one core at worst, and 10 MB of archive
ARTICLES_PER_BATCH = 1000
MAX_SITEMAPS = 200  # of one outlet in one backfill; at two seconds each they take seven minutes
SHOWN_ENTRIES = 10
# The columns of feeds.csv that a trial asks for.
TRIAL_COLUMNS = {
    "url": "address of the feed, news sitemap or list page",
    "outlet": "name of the publisher",
    "language": "en, ru or zh",
    "country": "two capital letters, ISO 3166-1",
    "side": f"one of {', '.join(CHOICES['side'])}",
    "kind": "list_page for an HTML index; anything else is seen from the document",
    "section": "section of the outlet",
    "time_zone": "IANA name, for dates that carry none",
    "article_pattern": "regular expression that links of a list page must match",
    "note": "whatever helps the next operator",
}


@dataclass(frozen=True, slots=True)
class Selection:
    """Which articles an operator means: days, UTC, both included; language: en, ru, zh, or empty for all."""

    first_day: date
    last_day: date
    language: str = ""

    def __post_init__(self) -> None:
        if self.last_day < self.first_day:
            raise SettingsError(f"the period ends on {self.last_day}, before it begins on {self.first_day}")


@dataclass(frozen=True, slots=True)
class ArchivedPage:
    """A page of the archive that is to be extracted again."""

    task: PageTask
    warc_file: str


def remaining(batches: Iterable[str], suffix: str) -> list[str]:
    """The batches whose result of a step is not there yet."""
    return [batch for batch in batches if not UPath(beside(batch, suffix)).exists()]


def _plan(settings: Settings, run_id: str, now: datetime, write: Callable[[Run], Counts]) -> tuple[Run, Counts]:
    """The run, its batches written by `write` unless that is done already."""
    run = Run(run_id, run_folder(settings, run_id), now)
    if UPath(f"{run.folder}/run.json").exists():
        run = open_run(run.folder)
        return run, {"continued": True}
    archive.write_rows(f"{run.folder}/feeds.parquet", load_feeds(settings.feeds_csv).feeds, Feed)
    counts = write(run)
    write_run(run)
    return run, counts


# ── import: pages of a foreign WARC file ────────────────────────────────────────────────────────────────────────────


def plan_import(settings: Settings, location: str, now: datetime) -> tuple[Run, Counts]:
    """Copy the pages of known outlets from a WARC file (CC-NEWS, our own elsewhere) into the archive, as batches.

    The run is named after the content of the file: the same file a second time is the same run, whatever its name.

    Returns:
        the run, and how many records ended in which word. Those of hosts that no line of feeds.csv stands for are
        counted as unknown_outlet and nothing else: an hour of CC-NEWS holds tens of thousands of them.

    Raises:
        BatchError: the file cannot be read.
    """
    run_id = f"import__{_digest(location)}"
    if all(_is_loaded(dyad, run_id) for dyad in settings.by_dyad()):
        return Run(run_id, run_folder(settings, run_id), now), {"already_loaded": True}
    with warehouse.open_newest(settings.published) as published:
        hosts = {row["host"]: row["feed_url"] for row in warehouse.find_rows(published, "find_hosts")}
    outlets = _Outlets(load_feeds(settings.feeds_csv).feeds, hosts)
    return _plan(settings, run_id, now, lambda run: _copy_pages(settings, run, location, outlets))


def _is_loaded(settings: Settings, run_id: str) -> bool:
    with warehouse.open_newest(settings.published) as published:
        return warehouse.has_run(published, run_id)


def _digest(location: str) -> str:
    try:
        digest = hashlib.sha256()
        with UPath(location).open("rb") as file:
            while piece := file.read(1 << 20):
                digest.update(piece)
        return digest.hexdigest()[:16]
    except OSError as error:
        raise archive.BatchError(f"{location} cannot be read: {error}") from error


class _Outlets:
    """Which line of feeds.csv stands for a page: by the host of its earlier pages, of its feed, or by the domain."""

    def __init__(self, feeds: Iterable[Feed], hosts: dict[str, str]) -> None:
        listed = list(feeds)
        by_url = {feed.url: feed for feed in listed}
        self._by_host = {host: by_url[url] for host, url in hosts.items() if url in by_url}
        self._by_domain: dict[str, Feed] = {}
        for feed in listed:
            self._by_host.setdefault(host_of(feed.url), feed)
            self._by_domain.setdefault(registrable_domain(feed.url), feed)

    def find(self, url: str) -> Feed | None:
        try:
            return self._by_host.get(host_of(url)) or self._by_domain.get(registrable_domain(url))
        except (NewsError, ValueError):
            return None


def _copy_pages(settings: Settings, run: Run, location: str, outlets: _Outlets) -> Counts:
    counts: Counter[str] = Counter()
    records = _foreign_pages(location, outlets, counts, run.started_at)
    for number, batch in enumerate(_in_batches(records, PAGES_PER_BATCH)):
        path = f"{run.folder}/pages/{number:03}.tasks.parquet"
        warc = archive.WarcFile(archive.warc_location(settings.archive_dir, run.folder, run.started_at, f"{number:03}"))
        fetches = [
            replace(row, warc_file=warc.location, warc_offset=warc.add(page)) if page else row for _, row, page in batch
        ]
        warc.save()
        archive.write_rows(beside(path, "fetches"), fetches, Fetch)
        archive.write_rows(path, [task for task, _, page in batch if page], PageTask)
    return dict(sorted(counts.items()))


def _foreign_pages(
    location: str, outlets: _Outlets, counts: Counter[str], now: datetime
) -> Iterator[tuple[PageTask, Fetch, Page | None]]:
    """The records of known outlets, each address once, as tasks and ledger rows; the page only where it is content."""
    seen: set[str] = set()
    for record in archive.read_pages(location):
        url = record.url
        if isinstance(record, archive.BrokenRecord) and not url:
            LOGGER.warning("%s: %s", location, record.error)
            counts[record.error.outcome] += 1
            continue
        feed = outlets.find(url) or (outlets.find(record.final_url) if isinstance(record, Page) else None)
        if feed is None:
            counts["unknown_outlet"] += 1
            continue
        try:
            url = canonical_url(url)
            if url in seen:
                counts["repeated"] += 1
                continue
            seen.add(url)
            page: Page | None = _content(record, now)
        except NewsError as error:
            page = None
            row = Fetch("page", url, feed.url, host_of(url), error.outcome, now, detail=error.detail)
        if page:
            row = Fetch("page", url, feed.url, host_of(url), "fetched", page.fetched_at, http_status=page.status,
                        n_bytes=len(page.body), final_url=page.final_url)  # fmt: skip
            page = replace(page, url=url)
        counts[row.outcome] += 1
        yield PageTask(Entry(feed.url, url, ""), feed.outlet, feed.language, feed.time_zone), row, page


def _content(record: Page | archive.BrokenRecord, now: datetime) -> Page:
    """The page of a record.

    Raises:
        NewsError: it is broken, an error page, a redirect, or from the future.
    """
    if isinstance(record, archive.BrokenRecord):
        raise record.error
    name = redact_url(record.final_url)
    error = error_of_answer(name, record.status, record.headers, record.body, record.fetched_at)
    if error or record.status == 304:
        raise error or NewsError("http_error", f"{name}: 304 without a page", status=304)
    if record.fetched_at > now + timedelta(days=1):
        raise NewsError("parse_error", f"{name}: fetched on {record.fetched_at:%Y-%m-%d}, which is in the future")
    return record


# ── backfill: an outlet's sitemaps for a period ─────────────────────────────────────────────────────────────────────


def plan_backfill(
    settings: Settings, run_id: str, feed_url: str, sitemap: str, period: Selection, max_pages: int, now: datetime
) -> tuple[Run, Counts]:
    """Find the pages of a period in an outlet's sitemaps and write them as batches for `fetch`.

    Args:
        feed_url: a line of feeds.csv; it says whose pages these are.
        sitemap: where to begin; empty: the sitemaps that the outlet's robots.txt names, and the feed if it is one.

    Raises:
        SettingsError: feeds.csv has no such line, or the outlet names no sitemap.
    """
    feed = next((feed for feed in load_feeds(settings.feeds_csv).feeds if feed.url == feed_url), None)
    if feed is None:
        raise SettingsError(f"{redact_url(feed_url)} is not in {settings.feeds_csv}")

    def write(run: Run) -> Counts:
        entries, counts = _walk_sitemaps(settings, feed, sitemap, period, now)
        with warehouse.open_newest(settings.published) as published:
            known = {row["url"] for row in warehouse.find_rows(published, "find_known_pages", feed_url=feed.url)}
        new = [entry for entry in entries if entry.url not in known]
        tasks = [PageTask(entry, feed.outlet, feed.language, feed.time_zone) for entry in new[:max_pages]]
        archive.write_rows(f"{run.folder}/feeds/000.entries.parquet", [task.entry for task in tasks], Entry)
        # One host is one batch, and a batch one archive file in memory, so that the pages lie in several.
        for part, some in enumerate(_in_batches(tasks, PAGES_PER_BATCH)):
            path = f"{run.folder}/pages/{part:03}.tasks.parquet"
            archive.write_rows(path, some, PageTask)
        return counts | {"n_found": len(entries), "n_known": len(entries) - len(new), "n_wanted": len(tasks)}

    return _plan(settings, run_id, now, write)


def _walk_sitemaps(
    settings: Settings, feed: Feed, sitemap: str, period: Selection, now: datetime
) -> tuple[list[Entry], Counts]:
    """The entries of a period, from the sitemaps of an outlet and those that they name."""
    entries: dict[str, Entry] = {}
    counts: Counter[str] = Counter()
    with open_web(settings) as web, open_sandbox(settings) as sandbox:
        waiting = [sitemap] if sitemap else _named_sitemaps(web, feed)
        if not waiting:
            raise SettingsError(f"{feed.outlet} names no sitemap in its robots.txt; say where to begin")
        asked: set[str] = set()
        while waiting and len(asked) < MAX_SITEMAPS:
            address = waiting.pop(0)
            if address in asked:
                continue
            asked.add(address)
            try:
                page = web.get(address)
                found = sandbox.call(
                    parse_sitemap,
                    page.body,
                    feed,
                    base=page.final_url,
                    now=now,
                    first=period.first_day,
                    last=period.last_day,
                )
            except NewsError as error:
                LOGGER.warning("sitemap %s: %s", redact_url(address), error)
                counts[f"sitemaps_{error.outcome}"] += 1
                continue
            counts["sitemaps_read"] += 1
            waiting += found.sitemaps
            entries |= {entry.url: entry for entry in found.entries if entry.url not in entries}
    return list(entries.values()), dict(counts) | {"sitemaps_left": len(waiting)}


def _named_sitemaps(web: Web, feed: Feed) -> list[str]:
    return [*([feed.url] if feed.kind == "news_sitemap" else []), *named_sitemaps(read_robots(web, feed.url))]


def read_robots(web: Web, url: str) -> str:
    """The site's robots.txt, for its Sitemap lines; empty where there is none."""
    try:
        return web.get(urljoin(url, "/robots.txt"), check_robots=False).body.decode("utf-8-sig", errors="replace")
    except NewsError:
        return ""  # a site without one announces no sitemap, which is no error


# ── rescore, re-extract ─────────────────────────────────────────────────────────────────────────────────────────────


def plan_rescore(settings: Settings, run_id: str, period: Selection, now: datetime) -> tuple[Run, Counts]:
    """Write the published articles of a period that the present scorer has not scored, as batches for `score`.

    A batch is scored for each dyad of the settings; an article that several have not scored stands in one batch only.
    """

    def write(run: Run) -> Counts:
        n_articles = 0
        for number, rows in enumerate(_in_batches(_find_unscored(settings, period), ARTICLES_PER_BATCH)):
            path = f"{run.folder}/pages/{number:03}.tasks.parquet"
            archive.write_rows(beside(path, LOADED_TEXTS), [_as_extracted(row) for row in rows], ExtractedPage)
            archive.write_rows(path, [], PageTask)  # nothing is fetched; the file stands for the batch
            n_articles += len(rows)
        versions = {f"scorer_of_{dyad}": load_scorer(dyad).version for dyad in settings.dyads}
        return {"n_articles": n_articles} | versions

    return _plan(settings, run_id, now, write)


def _find_unscored(settings: Settings, period: Selection) -> Iterator[dict[str, Any]]:
    """Each once, though several dyads lack its score."""
    seen: set[int] = set()
    for dyad in settings.by_dyad():
        version = load_scorer(dyad.dyad).version
        with warehouse.open_newest(dyad.published) as published:
            found = warehouse.find_in_batches(
                published, "find_unscored", ARTICLES_PER_BATCH, **asdict(period), scorer_version=version
            )
            for row in chain.from_iterable(found):
                if row["article_id"] not in seen:
                    seen.add(row["article_id"])
                    yield row


def _as_extracted(row: dict[str, Any]) -> ExtractedPage:
    article = Article(
        row["url"], row["title"], row["text"], row["language"], row["published_at"], row["published_at_source"],
        row["author"], has_time=row["has_time"],
    )  # fmt: skip
    return ExtractedPage(row["url"], row["feed_url"], "scored", "", row["fetched_at"], article, row["text_sha256"])


def plan_reextract(settings: Settings, run_id: str, period: Selection, now: datetime) -> tuple[Run, Counts]:
    """Write the archived pages that were fetched in a period, as batches for `reextract`; the newest fetch of each."""

    def write(run: Run) -> Counts:
        by_file: dict[str, list[PageTask]] = defaultdict(list)
        with warehouse.open_newest(settings.published) as published:
            for row in warehouse.find_rows(published, "find_archived_pages", **asdict(period)):
                entry = Entry(*(row[name] for name in ("feed_url", "url", "title", "published_at", "published_raw")))
                by_file[archive.relocated(row["warc_file"], settings.archive_dir)].append(
                    PageTask(entry, row["outlet"], row["language"], row["time_zone"])
                )
        there = [location for location in sorted(by_file) if UPath(location).exists()]
        pages = [ArchivedPage(task, location) for location in there for task in by_file[location]]
        for number, some in enumerate(_whole_files(pages)):
            path = f"{run.folder}/pages/{number:03}.tasks.parquet"
            archive.write_rows(beside(path, "archived"), some, ArchivedPage)
            archive.write_rows(path, [page.task for page in some], PageTask)
        return {"n_pages": len(pages), "n_files": len(there), "n_files_gone": len(by_file) - len(there)}

    return _plan(settings, run_id, now, write)


def _whole_files(pages: Iterable[ArchivedPage]) -> Iterator[list[ArchivedPage]]:
    """Batches of about PAGES_PER_BATCH pages; the pages of one file stay together, so that it is read once."""
    batch: list[ArchivedPage] = []
    for page in pages:
        if len(batch) >= PAGES_PER_BATCH and page.warc_file != batch[-1].warc_file:
            yield batch
            batch = []
        batch.append(page)
    if batch:
        yield batch


def reextract(settings: Settings, batch: str, progress: Progress = no_progress) -> Counts:
    """Extract a batch's archived pages again. Each page ends in one outcome; the ledger of fetches stays as it is."""
    pages = archive.read_rows(beside(batch, "archived"), ArchivedPage)
    tasks = {page.task.entry.url: page.task for page in pages}
    extracted = []
    for page in extract_pages(settings, {page.warc_file for page in pages}, tasks):
        extracted.append(page)
        progress(len(extracted), len(tasks))
    archive.write_rows(beside(batch, "extractions"), extracted, ExtractedPage)
    return outcome_counts(extracted)


# ── a feed on trial ─────────────────────────────────────────────────────────────────────────────────────────────────


def try_feed(settings: Settings, values: dict[str, str], now: datetime) -> dict[str, Any]:
    """Fetch and read a feed that is not in feeds.csv yet.

    Args:
        values: the columns of a line of feeds.csv; `kind` may be empty, it is seen from the document.

    Returns:
        kind, n_entries, n_dated, the first entries with their dates, and the line for feeds.csv.

    Raises:
        SettingsError: the line has problems, or feeds.csv has the address already.
        NewsError: it cannot be fetched, or is no feed; the outcome word says which.
    """
    values = dict.fromkeys(TRIAL_COLUMNS, "") | {"enabled": "yes"} | values
    values |= {"kind": values["kind"] or "rss", "time_zone": values["time_zone"] or "UTC"}
    problems = line_problems(values)
    if values["url"] in {feed.url for feed in load_feeds(settings.feeds_csv).feeds}:
        problems.append("the address stands in feeds.csv already")
    if problems:
        raise SettingsError("; ".join(problems))
    feed = feed_of_line(values)
    with open_web(settings) as web, open_sandbox(settings) as sandbox:
        page = web.get(feed.url)
        content_type = page.headers.get("content-type", "")
        document = sandbox.call(parse_feed, page.body, feed, content_type=content_type, now=now)
    confirmed = replace(confirm_source(feed, document), language=feed.language, note=values["note"])
    return {
        "kind": document.kind,
        "n_entries": len(document.entries),
        "n_dated": sum(entry.published_at is not None for entry in document.entries),
        "entries": [
            {"published_at": entry.published_at, "published_raw": entry.published_raw, "title": entry.title,
             "url": entry.url}
            for entry in document.entries[:SHOWN_ENTRIES]
        ],
        "line": render_lines([confirmed]).strip(),
        "permanent_url": page.permanent_url,
    }  # fmt: skip


def render_trial(found: dict[str, Any]) -> str:
    """What try_feed found, for a person."""
    lines = [f"{found['kind']}, {found['n_entries']} entries, {found['n_dated']} of them dated"]
    for entry in found["entries"]:
        day = entry["published_at"]
        lines += [
            f"{day:%Y-%m-%d %H:%M}  {entry['title']}" if day else f"no date: {entry['title']}",
            f"  {entry['url']}",
        ]
    if found["permanent_url"]:
        lines.append(f"It has moved for good to {found['permanent_url']}: use that address.")
    return "\n".join([*lines, "To add it, append this line to feeds.csv:", found["line"]])


# ── tidying up ──────────────────────────────────────────────────────────────────────────────────────────────────────


def tidy(settings: Settings, now: datetime) -> Counts:
    """Remove batch files of runs older than run_days, and months of the archive that ended archive_days ago."""
    runs_end, archive_end = now - timedelta(days=settings.run_days), now - timedelta(days=settings.archive_days)
    runs = [folder for folder in archive.list_folders(settings.runs_dir) if _run_is_older(folder, runs_end)]
    months = [
        month
        for year in archive.list_folders(settings.archive_dir)
        for month in archive.list_folders(year)
        if _month_end(month) <= archive_end
    ]
    return {
        "n_runs": len(runs),
        "n_months": len(months),
        "n_files": sum(archive.remove_folder(folder) for folder in (*runs, *months)),
    }


def _run_is_older(folder: str, end: datetime) -> bool:
    """Whether a run began before `end`; one that died in its plan has no note of it, but its list of feeds."""
    if UPath(f"{folder}/run.json").exists():
        return open_run(folder).started_at < end
    listed = UPath(f"{folder}/feeds.parquet")
    return listed.exists() and datetime.fromtimestamp(listed.stat().st_mtime, UTC) < end


def _month_end(folder: str) -> datetime:
    """The moment after the month that a folder …/YYYY/MM holds; any other folder never ends."""
    try:
        year, month = map(int, folder.rsplit("/", 2)[1:])
        return datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    except ValueError:
        return datetime.max.replace(tzinfo=UTC)


def compact(settings: Settings) -> Counts:
    """Give back the free blocks of the warehouse, where they are many."""
    return dict(warehouse.compact(settings.warehouse)) if settings.warehouse.exists() else {}


def check_integrity(settings: Settings, now: datetime) -> list[str]:
    """What is wrong with the published file and the archive it names, a sentence each; nothing if all is well."""
    with warehouse.open_published(settings.published) as published:
        faults = [
            f"{row['fault']}: {row['n']} (such as {row['example']})"
            for row in warehouse.find_rows(published, "find_faults")
            if row["n"]
        ]
        files = [
            archive.relocated(row["warc_file"], settings.archive_dir)
            for row in warehouse.find_rows(
                published, "find_archive_files", since=now - timedelta(days=settings.archive_days)
            )
        ]
    gone = [location for location in files if not UPath(location).exists()]
    if gone:
        faults.append(f"archive files that are gone: {len(gone)} (such as {gone[0]})")
    return faults


def _in_batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
