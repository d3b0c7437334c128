"""Each rule holds when it should and only then; an alert opens once and closes when it is over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from include.newswatch import archive, outputs, warehouse
from include.newswatch.alerts import (
    GB,
    RULES,
    SEVERITIES,
    DayIndex,
    FeedHealth,
    Finding,
    RunResult,
    Situation,
    judge,
    load_rules,
    render_digest,
)
from include.newswatch.model import ScoredArticle
from include.newswatch.settings import Settings

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
SHIPPED, _ = load_rules(Settings().alerts_csv)


def run(minutes_ago: float, took: float = 2, n_backlog: int = 0, **failed: str) -> RunResult:
    started_at = NOW - minutes_ago * MINUTE
    checks = [{"name": name.replace("_", " "), "is_ok": False, "detail": detail} for name, detail in failed.items()]
    return RunResult(started_at, started_at + took * MINUTE, n_backlog, checks)


def feed(name: str, standing: str = "ok", failing: timedelta | None = None, quiet: timedelta = HOUR) -> FeedHealth:
    since = NOW - failing if failing is not None else None
    return FeedHealth(f"https://{name}.example/feed", name.split(".")[-1], standing, since, NOW - quiet, "timeout")


def day(**changed: Any) -> DayIndex:
    return replace(DayIndex(NOW.date(), 12, 1.5, -1.0, 3.0, 0.4, 10.0, 0.6, True), **changed)


CALM = Situation(
    now=NOW,
    feeds=[feed("a"), feed("b")],
    runs=[run(2), run(32), run(62)],
    days=[day()],
    n_polled=10,
    n_failed=1,
    is_network_down=False,
    free_bytes=50 * GB,
    database_bytes=GB,
)


def found(seen: Situation) -> set[tuple[str, str]]:
    return {(finding.rule, finding.subject) for finding in judge(SHIPPED, seen)[0]}


def test_the_shipped_rules_are_sound_complete_and_say_what_to_do() -> None:
    rules, problems = load_rules(Settings().alerts_csv)
    assert problems == []
    assert {rule.name for rule in rules} == set(RULES)
    assert all(rule.advice for rule in rules)


def test_a_calm_day_raises_nothing() -> None:
    assert found(CALM) == set()


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"feeds": [feed("a", "failing", failing=25 * HOUR)]}, {("feed_failing", "https://a.example/feed")}),
        ({"feeds": [feed("a", "gone", failing=2 * HOUR)]}, {("feed_failing", "https://a.example/feed")}),
        ({"feeds": [feed("a", "failing", failing=23 * HOUR)]}, set()),
        ({"feeds": [feed("x.a", quiet=8 * DAY), feed("y.a", quiet=9 * DAY)]}, {("outlet_silent", "a")}),
        ({"feeds": [feed("x.a", quiet=8 * DAY), feed("y.a")]}, set()),
        ({"n_failed": 6}, {("most_feeds_failing", "polls")}),
        ({"n_failed": 5}, set()),
        ({"runs": [run(90, took=80), run(120)]}, {("run_late", "monitor")}),
        ({"runs": [run(2), run(102)]}, {("run_late", "monitor")}),
        ({"runs": [run(2, every_batch_is_scored="003")]}, {("check_failed", "every batch is scored")}),
        ({"runs": [run(2, most_feeds_answer="9 of 10 failed")]}, set()),
        ({"runs": [run(30 * n, n_backlog=100 - n) for n in range(13)]}, {("backlog_growing", "backlog")}),
        ({"runs": [run(30 * n, n_backlog=100 - n) for n in range(12)]}, set()),
        ({"rejection": "fewer articles"}, {("gate_failed", "publication")}),
        ({"free_bytes": 4 * GB}, {("disk_low", "data folder")}),
        ({"database_bytes": 26 * GB}, {("disk_low", "data folder")}),
        ({"days": [day(direction_z=-3.2)]}, {("index_burst", "direction")}),
        ({"days": [day(stories_z=3.0)]}, {("index_burst", "stories")}),
        ({"days": [day(stories_z=-4.0)]}, set()),
        ({"days": [day(direction_z=-3.2, is_claimed=False)]}, set()),
        ({"days": [day(direction_z=-3.2, report_date=(NOW - DAY).date())]}, set()),
    ],
)
def test_each_rule_holds_at_its_threshold_and_not_below(changed: dict[str, Any], expected: set[object]) -> None:
    assert found(replace(CALM, **changed)) == expected


def test_a_hundred_alerts_are_one_message_of_bounded_length() -> None:
    row = {"subject": "s", "severity": "warning", "message": "two\nlines " * 20, "detail": "d" * 90, "advice": "a" * 90}
    title, text = render_digest([row | {"is_opened": n < 90} for n in range(100)])
    assert title.startswith("newswatch: 90 opened, 10 over: two lines")
    assert (len(title), "\n" in title, len(text)) == (150, False, 4000)


def test_while_our_network_is_down_no_feed_is_blamed_and_none_is_cleared() -> None:
    seen = replace(CALM, is_network_down=True, n_failed=10, feeds=[feed("a", "failing", failing=30 * HOUR)])
    findings, judged = judge(SHIPPED, seen)
    assert {finding.rule for finding in findings} == {"network_down"}
    assert "feed_failing" not in judged


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("disk_high,1,GB,critical,x", "no rule is called 'disk_high'"),
        ("disk_low,five,GB,critical,x", "must be a number of 0 or more, not 'five'"),
        ("disk_low,-1,GB,critical,x", "must be a number"),
        ("disk_low,5,GB,urgent,x", f"severity must be one of {', '.join(SEVERITIES)}"),
        ("disk_low", "severity must be one of"),
    ],
)
def test_a_wrong_line_is_named_and_costs_no_other_rule(tmp_path: Path, line: str, reason: str) -> None:
    path = tmp_path / "alerts.csv"
    path.write_text(f"rule,threshold,unit,severity,what_to_do\n{line}\nrun_late,60,minutes,critical,look\n")
    rules, (problem,) = load_rules(path)
    assert [(rule.name, rule.threshold) for rule in rules] == [("run_late", 60.0)]
    assert "line 2" in problem
    assert reason in problem


def test_without_the_file_there_are_no_rules_and_a_problem(tmp_path: Path) -> None:
    rules, problems = load_rules(tmp_path / "alerts.csv")
    assert rules == []
    assert "alerts.csv" in problems[0]


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[warehouse.Connection]:
    with warehouse.open_warehouse(tmp_path / "warehouse.duckdb") as opened:
        opened.register("new_scores", archive.to_table([], ScoredArticle))
        yield opened


def tell(
    connection: warehouse.Connection, run_id: str, now: datetime, *found: Finding, judged: str = "disk_low"
) -> Any:
    warehouse.save_run(
        connection, run_id=run_id, started_at=now, finished_at=now, n_backlog=0, is_network_down=False, free_bytes=0,
        database_bytes=0, checks=[{"name": "x", "is_ok": True, "detail": ""}],
    )  # fmt: skip
    warehouse.save_alerts(connection, archive.to_table(found, Finding), [judged], run_id, now)
    rows = warehouse.find_rows(connection, "find_run_alerts", run_id=run_id)
    return [(row["rule"], "opened" if row["is_opened"] else "closed") for row in rows]


def test_an_alert_opens_once_closes_when_it_is_over_and_may_come_again(connection: warehouse.Connection) -> None:
    low = Finding("disk_low", "data folder", "critical", "little is free", "", "free some")
    assert tell(connection, "one", NOW, low) == [("disk_low", "opened")]
    assert tell(connection, "two", NOW + HOUR, low) == []
    assert tell(connection, "three", NOW + 2 * HOUR, judged="run_late") == [], (
        "a rule that was not judged closes nothing"
    )
    assert tell(connection, "four", NOW + 3 * HOUR) == [("disk_low", "closed")]
    assert tell(connection, "five", NOW + 4 * HOUR, low) == [("disk_low", "opened")]
    assert connection.sql("select count(*), count(closed_at) from alerts").fetchone() == (2, 1)


def test_of_two_pairs_of_countries_what_they_share_is_told_once_and_their_own_by_name(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, dyads=("china_russia", "india_china"))
    failing = Finding("feed_failing", "https://a.example/feed", "notice", "A feed fails", "", "look")
    refused = Finding("gate_failed", "publication", "critical", "The database was not published", "", "look")
    for dyad, found in zip(settings.by_dyad(), ([failing], [failing, refused]), strict=True):
        with warehouse.open_warehouse(dyad.warehouse) as connection:
            connection.register("new_scores", archive.to_table([], ScoredArticle))
            tell(connection, "one", NOW, *found)
    told = outputs.render_alerts(settings, "one")
    assert told is not None
    assert told[0] == "newswatch: 2 opened, 0 over: India and China: The database was not published"
    assert told[1].count("A feed fails") == 1
    alone = outputs.render_alerts(settings.by_dyad()[1], "one")
    assert alone is not None and "India and China" not in "".join(alone)


def test_a_run_that_one_of_two_pairs_of_countries_lacks_is_told_as_not_loaded(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, dyads=("china_russia", "india_china"))
    with warehouse.open_warehouse(settings.warehouse) as connection:
        connection.register("new_scores", archive.to_table([], ScoredArticle))
        tell(connection, "one", NOW)
    assert outputs.render_alerts(settings.by_dyad()[0], "one") is None
    assert outputs.render_alerts(settings, "one") == (
        "newswatch: the run one was not loaded", "Open the log of its red task, mend the cause, clear it."
    )  # fmt: skip


def test_a_refusal_that_another_dag_meets_is_left_to_the_next_run_of_monitor_which_tells_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise warehouse.PublicationRejectedError(tmp_path / "r.duckdb", ["articles have a text"])

    monkeypatch.setattr(warehouse, "publish", refuse)
    settings = Settings(data_dir=tmp_path)
    for run_id in ("one", "two"):
        with warehouse.open_warehouse(settings.warehouse) as connection:
            connection.register("new_scores", archive.to_table([], ScoredArticle))
            tell(connection, run_id, NOW + (run_id == "two") * HOUR)
        if run_id == "two":
            with pytest.raises(warehouse.PublicationRejectedError):
                outputs.publish(settings, run_id="two")
            told = outputs.render_alerts(settings, "two")
            assert told is not None and "articles have a text" in told[1]
        with pytest.raises(warehouse.PublicationRejectedError):
            outputs.publish(settings, run_id="maintenance__1")
        assert outputs.render_alerts(settings, "one") is None
