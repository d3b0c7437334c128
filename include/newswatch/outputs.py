"""The warehouse in; out come the published file, its export, briefs, the feed of stories, what operators are told."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from upath import UPath

from include.newswatch import archive, warehouse
from include.newswatch.alerts import OF_ONE_DYAD, SEVERITIES, load_rules, render_digest
from include.newswatch.pipeline import VERSION, Counts, Run, judge_alerts
from include.newswatch.report import QUERIES, Period, render_brief, render_feed
from include.newswatch.scoring import relation_name
from include.newswatch.settings import Settings


def publish(settings: Settings, *, run_id: str = "", force: bool = False) -> Counts:
    """Replace the published file by the warehouse as it is now, if the checks hold, and say what it holds.

    Args:
        run_id: the run that publishes, if it is the newest: a refusal is its alert. Of any other refusal the alert is
            opened by the next run that polls, which tells it.
    """
    try:
        return dict(warehouse.publish(settings.warehouse, settings.published, force=force))
    except warehouse.PublicationRejectedError as error:
        _tell_of_rejection(settings, run_id, str(error))
        raise


def _tell_of_rejection(settings: Settings, run_id: str, rejection: str) -> None:
    """Open the alert at once; the load after a publication that holds closes it."""
    rules = [rule for rule in load_rules(settings.alerts_csv)[0] if rule.name == "gate_failed"]
    with warehouse.open_warehouse(settings.warehouse) as connection:
        for row in warehouse.find_rows(connection, "find_last_runs")[:1]:
            if row["run_id"] == run_id:
                judge_alerts(connection, rules, Run(run_id, "", row["started_at"]), [], rejection)


def render_alerts(settings: Settings, run_id: str) -> tuple[str, str] | None:
    """Title and text of what the operators must hear of a run; None when there is nothing.

    Among several dyads an alert of OF_ONE_DYAD bears its dyad's name, and any other is told once.
    """
    told: dict[tuple[Any, ...], dict[str, Any]] = {}
    for dyad in settings.by_dyad():
        with warehouse.open_warehouse(dyad.warehouse) as connection:
            if not warehouse.has_run(connection, run_id):
                return (
                    f"newswatch: the run {run_id} was not loaded",
                    "Open the log of its red task, mend the cause, clear it.",
                )
            alerts = warehouse.find_rows(connection, "find_run_alerts", run_id=run_id)
        for row in alerts:
            is_named = len(settings.dyads) > 1 and row["rule"] in OF_ONE_DYAD
            owner = f"{relation_name(dyad.dyad)}: " if is_named else ""
            key = (owner, row["rule"], row["subject"], row["is_opened"])
            told.setdefault(key, row | {"message": owner + row["message"]})
    worst_first = sorted(told.values(), key=lambda row: SEVERITIES.index(row["severity"]))
    return render_digest(worst_first) if told else None


def export(settings: Settings, now: datetime) -> Counts:
    """Write the published tables and views as Parquet below export/TIME, with a manifest; export/latest leads there.

    `latest` is turned over at once when all is written. Two exports are kept: somebody may still read the older.

    Raises:
        FileNotFoundError: nothing has been published yet.
    """
    if not settings.published.exists():
        raise FileNotFoundError(f"nothing to export: {settings.published} does not exist yet")
    folder, part = settings.export_dir / f"{now:%Y-%m-%dT%H-%M-%SZ}", settings.export_dir / "unfinished"
    shutil.rmtree(part, ignore_errors=True)
    try:
        files = warehouse.export_tables(settings.published, part)
        for row in files:
            row |= archive.measure(part / row["file"])
        manifest = {"exported_at": now.isoformat(), "newswatch": VERSION, "files": files}
        archive.write_whole(str(part / "manifest.json"), json.dumps(manifest, ensure_ascii=False, indent=1).encode())
        shutil.rmtree(folder, ignore_errors=True)
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)  # half an export would keep a full disk full
    latest, link = settings.export_dir / "latest", settings.export_dir / "latest.part"
    before = latest.resolve().name  # not by the names: a clock that ran ahead has named some after days to come
    link.unlink(missing_ok=True)
    link.symlink_to(folder.name, target_is_directory=True)
    link.replace(latest)
    for old in settings.export_dir.glob("????-??-??T*Z"):
        if old.name not in (folder.name, before):
            shutil.rmtree(old)
    return {"path": str(folder), "n_files": len(files), "n_bytes": sum(row["bytes"] for row in files)}


def report(settings: Settings, today: date) -> Counts:
    """Write the briefs of today and yesterday and of their weeks, the feed of stories, and latest.html.

    Yesterday's is written once more since late reports arrive. latest.html is today's as soon as there is a report.
    """
    yesterday = Period.of_day(today).shifted(-1)
    weeks = dict.fromkeys((Period.of_week(yesterday.last_day), Period.of_week(today)))  # one, but on a Monday
    found = {
        period.name: report_period(settings, period, today) for period in (*weeks, yesterday, Period.of_day(today))
    }
    latest = today if found[f"{today}"]["n_stories"] else yesterday.last_day
    page = UPath(settings.reports_dir / f"{latest}.html").read_bytes()
    archive.write_whole(str(settings.reports_dir / "latest.html"), page)
    recent = Period(today - timedelta(days=6), today)
    stories = _brief_rows(settings, recent, {"stories": QUERIES["stories"]})["stories"]
    feed = render_feed(relation_name(settings.dyad), stories, f"{settings.reports_url}latest.html", datetime.now(UTC))
    archive.write_whole(str(settings.reports_dir / "stories.atom"), feed)
    return {"n_stories": found[f"{latest}"]["n_stories"], "path": str(settings.reports_dir / f"{latest}.html")}


def report_period(settings: Settings, period: Period, today: date) -> Counts:
    """Write the brief of one day or week from the published file; one that is not over by `today` (UTC) says so."""
    rows = _brief_rows(settings, period, QUERIES)
    sql = {name: warehouse.read_sql(name) for name in QUERIES.values()}
    written = {path.stem for path in settings.reports_dir.glob("2*.html")}
    path = str(settings.reports_dir / f"{period.name}.html")
    html = render_brief(relation_name(settings.dyad), period, rows, sql, today, written)
    archive.write_whole(path, html.encode())
    return {"n_stories": len(rows["stories"]), "path": path}


def _brief_rows(settings: Settings, period: Period, queries: Mapping[str, str]) -> dict[str, list[dict[str, Any]]]:
    return warehouse.find_published(settings.published, queries, first_day=period.first_day, last_day=period.last_day)
