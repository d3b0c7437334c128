"""What breaks around the pipeline costs a clear message, nothing else: the next run goes on as if nothing had been."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from include.newswatch import pipeline
from include.newswatch.settings import Settings
from tests.conftest import free_port
from tests.newsroom.serve import load_articles, open_newsroom, write_feeds
from tests.test_pipeline import walk

PORT = free_port()
pytestmark = pytest.mark.usefixtures("one_parser")
NOW = datetime.now(UTC).replace(microsecond=0)
HALF_AN_HOUR = timedelta(minutes=30)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    write_feeds(tmp_path / "feeds.csv", PORT)
    return Settings(
        data_dir=tmp_path / "data",
        feeds_csv=tmp_path / "feeds.csv",
        allow_networks=("127.0.0.0/8",),
        allow_ports=(PORT,),
        min_interval_s=0.0,
    )


def rows(settings: Settings, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(settings.published), read_only=True) as published:
        return published.sql(query).fetchall()


def all_is_there(settings: Settings) -> bool:
    """Whether every article of the newsroom is there once, with one current score."""
    n = len(load_articles())
    return rows(settings, "select count(*), count(distinct url) from articles") == [(n, n)] and rows(
        settings, "select count(*) from current_scores"
    ) == [(n,)]


def test_a_network_that_is_down_costs_no_feed_its_standing(settings: Settings) -> None:
    with open_newsroom(PORT, NOW):
        walk(settings, "good", NOW)
    states = rows(settings, "select * exclude (is_enabled) from feeds order by feed_url")
    for number in (1, 2):  # an hour of it
        walk(settings, f"down{number}", NOW + number * HALF_AN_HOUR)
    assert rows(settings, "select * exclude (is_enabled) from feeds order by feed_url") == states
    assert rows(settings, "select run_id from runs where is_network_down order by 1") == [("down1",), ("down2",)]
    assert rows(settings, "select distinct outcome::text from fetches where run_id like 'down%'") == [("network_down",)]
    with open_newsroom(PORT, NOW):
        walk(settings, "again", NOW + timedelta(hours=3))
    assert all_is_there(settings)


def test_pages_that_meet_a_network_that_is_down_use_up_no_attempt(settings: Settings) -> None:
    settings = replace(settings, max_attempts=1)
    for number in range(2):
        with open_newsroom(PORT, NOW):
            run, batches, _ = pipeline.plan(settings, f"lost{number}", NOW + number * timedelta(hours=2))
            for batch in batches:
                pipeline.poll(settings, batch)
        pages, counts = pipeline.select(settings, run.folder)
        assert counts["n_wanted"] == len(load_articles()), "every page is still wanted, as at first"
        for batch in pages:
            for step in (pipeline.fetch, pipeline.extract, pipeline.score):
                step(settings, batch)
        assert pipeline.load(settings, run.folder)["failed_checks"] == ["network is up"]
        pipeline.publish(settings)
        asked = rows(settings, "select distinct outcome::text, n_attempts from fetches where kind = 'page'")
        assert asked == [("network_down", 0)]
    with open_newsroom(PORT, NOW):
        walk(settings, "again", NOW + timedelta(days=1))
    assert all_is_there(settings)


def test_a_clock_that_ran_ahead_for_a_run_holds_up_nothing_once_it_is_right(settings: Settings) -> None:
    with open_newsroom(PORT, NOW):
        walk(settings, "ahead", NOW + timedelta(days=400))
        assert rows(settings, "select distinct outcome::text from fetches where kind = 'page'") == [("too_old",)]
        run = walk(settings, "right", NOW)
    assert all_is_there(settings)
    assert rows(settings, "select c.name, c.detail from (select unnest(checks) as c from runs where run_id = 'right') "
                "where not c.is_ok") == [("the clock is right", "in the future: ahead")]  # fmt: skip
    assert run.run_id == "right"


def test_a_clock_set_back_for_a_run_doubles_nothing(settings: Settings) -> None:
    with open_newsroom(PORT, NOW):
        walk(settings, "right", NOW)
        walk(settings, "back", NOW - timedelta(days=400))
        walk(settings, "right again", NOW + timedelta(hours=2))
    assert all_is_there(settings)
