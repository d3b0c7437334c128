"""The operators' page: what it shows, that the web's words stay words, and what it says when there is nothing."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from include.newswatch import warehouse
from include.newswatch.page import SORTS, VIEWS, Asked, ago, draw_days, render_problem, render_view, sort_feeds
from include.newswatch.warehouse import PublishedFileError

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAYS = {"day": NOW.date(), "first_day": NOW.date(), "last_day": NOW.date()}
HOSTILE = "</code><script>alert(1)</script>\"'&{{ 7*7 }}"
CHECK = {"name": "network is up", "is_ok": False, "detail": HOSTILE}
RUN = {
    "run_id": HOSTILE, "started_at": NOW - HOUR, "finished_at": NOW - HOUR / 2, "n_feeds": 9, "n_entries": 8,
    "n_pages": 7, "n_articles": 6, "n_relevant": 5, "n_backlog": 4, "is_network_down": False, "free_bytes": 5 * 10**9,
    "database_bytes": 3 * 10**6, "checks": [CHECK],
}  # fmt: skip
ALERT = {
    "rule": "feed_failing", "subject": f"https://{HOSTILE}", "severity": "warning", "message": HOSTILE,
    "detail": HOSTILE, "advice": "look at the site", "opened_at": NOW - HOUR, "closed_at": None,
}  # fmt: skip
FEED = {
    "feed_url": f"https://{HOSTILE}", "outlet": HOSTILE, "language": "en", "kind": "rss", "standing": "failing",
    "since": NOW - HOUR, "failing_since": NOW - HOUR, "last_ok_at": None, "last_new_at": None, "next_poll_at": None,
    "reason": HOSTILE, "n_polls": 3, "n_failed": 3, "not_modified_share": 0.25, "n_articles": 2, "age_hours": 1.5,
}  # fmt: skip
STORY = {
    "story_id": 1, "headline": HOSTILE, "n_reports": 2, "direction": -6.0, "outlets": [HOSTILE], "languages": ["zh"],
    "themes": [HOSTILE], "evidence": [{"sentence": HOSTILE, "outlet": HOSTILE, "url": f"javascript:{HOSTILE}"}],
}  # fmt: skip
ROWS: dict[str, Any] = {
    "alerts": [ALERT],
    "runs": [RUN],
    "days": [{"report_date": NOW.date(), "n_stories": 1, "n_reports": 2, "direction_index": -6.0}],
    "stories": [STORY],
    "feeds": [FEED],
    "feed_days": [{"feed_url": FEED["feed_url"], "day": NOW.date(), "n_polls": 3, "n_failed": 3, "n_articles": 2}],
}


def asked(view: str, **changed: Any) -> Asked:
    return Asked(view, NOW, NOW.date(), "NONCE", **changed)


@pytest.mark.parametrize("view", VIEWS)
def test_what_comes_from_the_web_stays_text(view: str) -> None:
    html = render_view(asked(view), ROWS)
    assert "alert(1)" in html
    assert "<script>" not in html
    assert "49" not in html
    assert re.findall(r'(?:href|src)="([^"]*)"', html), "links between the views"
    assert not re.findall(r'(?:href|src)="(?!today|feeds|runs)[^"]*"', html), "no address of the web can be clicked"


@pytest.mark.parametrize("view", VIEWS)
def test_style_and_script_carry_the_nonce_and_nothing_is_inline_or_loaded(view: str) -> None:
    html = render_view(asked(view), ROWS)
    assert set(re.findall(r"<(?:script|style)[^>]*>", html)) == {'<script nonce="NONCE">', '<style nonce="NONCE">'}
    assert not re.search(r'<[^>]*\s(?:style|on\w+)="', html)
    assert not re.search(r"@import|url\(|<link|<img", html)


@pytest.mark.parametrize("view", VIEWS)
def test_a_warehouse_without_rows_makes_a_page_that_says_so(view: str, tmp_path: Path) -> None:
    with warehouse.open_published(tmp_path / "absent.duckdb") as empty:
        rows = {key: warehouse.find_rows(empty, name, **DAYS) for key, name in VIEWS[view].items()}
    assert "No run has been published yet" in render_view(asked(view), rows)


@pytest.mark.parametrize("view", VIEWS)
def test_every_link_keeps_the_pair_of_countries_and_one_switches_it(view: str) -> None:
    dyads = ("china_russia", "india_china")
    days = {"days": [ROWS["days"][0] | {"report_date": NOW.date() - 24 * HOUR}], "stories": []}
    html = render_view(asked(view, dyads=dyads, dyad="india_china"), ROWS | days)
    links = re.findall(r'href="([^"]*)"', html)
    assert [link for link in links if "dyad=india_china" not in link] == [f"{view}?dyad=china_russia"]
    assert "india_china&amp;" in html or view == "runs"
    assert "dyad" not in render_view(asked(view, dyads=dyads[:1], dyad=dyads[0]), ROWS | days)


def test_alerts_show_what_to_do_and_closed_ones_do_not_shout() -> None:
    closed = ALERT | {"rule": "disk_low", "message": "little was free", "closed_at": NOW}
    runs = render_view(asked("runs"), ROWS | {"alerts": [ALERT, closed]})
    assert "look at the site" in runs
    assert "1 closed in the last 14 days" in runs
    assert "1 open alert:" in render_view(asked("today"), ROWS | {"alerts": [ALERT, closed]})


def test_a_page_that_is_old_says_so() -> None:
    assert "The newest run ended" not in render_view(asked("feeds"), ROWS)
    old = RUN | {"finished_at": NOW - 3 * HOUR}
    assert "The newest run ended" in render_view(asked("feeds"), ROWS | {"runs": [old]})


def test_feeds_sort_by_every_column_and_the_unknown_come_last() -> None:
    known, unknown = FEED | {"outlet": "known"}, FEED | {"outlet": "unknown"}
    for column in SORTS:
        if column in ("outlet", "standing"):
            continue
        rows = [unknown | {column: None}, known | {column: NOW if column == "last_ok_at" else 1}]
        for down in (True, False):
            assert [row["outlet"] for row in sort_feeds(rows, column, down=down)] == ["known", "unknown"]
    by_state = sort_feeds([FEED | {"standing": name} for name in ("ok", "gone", "silent")], "standing", down=False)
    assert [row["standing"] for row in by_state] == ["gone", "silent", "ok"]


def test_the_best_day_of_a_feed_has_the_highest_bar_and_an_empty_one_is_seen() -> None:
    rows = [{"feed_url": "f", "day": NOW.date(), "n_polls": 1, "n_failed": 0, "n_articles": n} for n in (0, 5, 10)]
    assert [bar.height_px for bar in draw_days(rows)["f"]] == [1.5, 11.0, 22.0]


@pytest.mark.parametrize(
    ("past", "words"),
    [(None, "never"), (-HOUR, "0 min ago"), (HOUR, "60 min ago"), (30 * HOUR, "30 h ago"), (80 * HOUR, "3 days ago")],
)
def test_moments_are_told_in_words(past: timedelta | None, words: str) -> None:
    assert ago(None if past is None else NOW - past, NOW) == words


def published(tmp_path: Path, content: bytes | None = None) -> Path:
    path = tmp_path / "relations.duckdb"
    with warehouse.open_warehouse(path):
        pass
    if content is not None:
        path.write_bytes(content)
    return path


def test_without_a_published_file_the_page_says_what_will_bring_one(tmp_path: Path) -> None:
    with pytest.raises(PublishedFileError, match="does not exist yet"):
        warehouse.find_published(tmp_path / "relations.duckdb", VIEWS["runs"], **DAYS)
    assert "There is nothing to show" in render_problem(asked("runs"), "no file")


@pytest.mark.parametrize("cut", [0, 100, 5000, 20_000])
def test_a_file_that_is_not_whole_is_named(tmp_path: Path, cut: int) -> None:
    path = published(tmp_path)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(PublishedFileError, match=r"relations\.duckdb cannot be read"):
        warehouse.find_published(path, VIEWS["runs"], **DAYS)


def test_a_file_of_an_older_version_is_named(tmp_path: Path) -> None:
    path = published(tmp_path)
    with warehouse.open_warehouse(path) as older:
        older.execute("drop table alerts")
    with pytest.raises(PublishedFileError, match="of another version"):
        warehouse.find_published(path, VIEWS["runs"], **DAYS)


def test_reading_neither_waits_for_a_writer_of_the_warehouse_nor_holds_the_published_file(tmp_path: Path) -> None:
    path = published(tmp_path)
    warehouse.find_published(path, VIEWS["feeds"], **DAYS)
    replaced = path.with_name("candidate")
    replaced.write_bytes(path.read_bytes())
    replaced.replace(path)
    with warehouse.open_warehouse(tmp_path / "warehouse.duckdb"):
        assert warehouse.find_published(path, VIEWS["feeds"], **DAYS)["feeds"] == []
