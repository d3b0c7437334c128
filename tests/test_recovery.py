"""What breaks around the pipeline costs a clear message, nothing else: the next run goes on as if nothing had been."""

from __future__ import annotations

import os
import resource
import shutil
import socket
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from include.newswatch import outputs, pipeline, warehouse
from include.newswatch.settings import Settings
from tests import chaos
from tests.conftest import ROOT
from tests.newsroom.serve import free_port, load_articles, newsroom_settings, open_newsroom
from tests.test_pipeline import walk

PORT = free_port()
pytestmark = [pytest.mark.usefixtures("one_parser"), pytest.mark.slow]  # each walks the road twice
NOW = datetime.now(UTC).replace(microsecond=0)
HALF_AN_HOUR = timedelta(minutes=30)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return newsroom_settings(tmp_path, PORT)


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
        outputs.publish(settings)
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


def command(settings: Settings, *arguments: str, max_bytes: int | None = None) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own, in which no file may grow beyond max_bytes: a disk that is full."""
    limit = None if max_bytes is None else lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (max_bytes, max_bytes))
    return subprocess.run(
        [sys.executable, "-m", "include.newswatch", *arguments],
        preexec_fn=limit,
        env=os.environ | {
            "NEWSWATCH_DATA_DIR": str(settings.data_dir), "NEWSWATCH_FEEDS_CSV": str(settings.feeds_csv),
            "NEWSWATCH_ALLOW_NETWORKS": "127.0.0.0/8", "NEWSWATCH_ALLOW_PORTS": str(PORT),
            "NEWSWATCH_MIN_INTERVAL_S": "0",
        },
        capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("max_bytes", [2_000, 1_000_000])
def test_a_disk_that_is_full_is_named_and_leaves_nothing_half_done(settings: Settings, max_bytes: int) -> None:
    """2 kB: the first batch files do not fit. 1 MB: only the database does not."""
    with open_newsroom(PORT, NOW):
        full = command(settings, "run", max_bytes=max_bytes)
        assert full.returncode == 4, full.stderr
        assert "error: " in full.stderr
        assert str(settings.data_dir) in full.stderr.replace("\n", "")
        assert "Traceback" not in full.stderr
        assert not list(settings.data_dir.rglob("*.part"))
        walk(settings, "again", NOW + HALF_AN_HOUR)
    assert all_is_there(settings)


def test_a_warehouse_that_somebody_has_open_is_named_with_the_holder_and_loaded_later(settings: Settings) -> None:
    with open_newsroom(PORT, NOW):
        run = walk(settings, "one", NOW, until="score")
    with warehouse.open_warehouse(settings.warehouse):
        pass
    hold = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    holder = subprocess.Popen([sys.executable, "-c", hold, str(settings.warehouse)], stdin=-1, stdout=-1)
    assert holder.stdout is not None
    holder.stdout.readline()
    for arguments in (("load", run.folder), ("publish",), ("maintain",)):
        busy = command(settings, *arguments)
        assert busy.returncode == 3, busy.stderr
        assert f"PID {holder.pid}" in busy.stderr
    holder.communicate()
    assert command(settings, "load", run.folder).returncode == 0
    assert command(settings, "publish").returncode == 0
    assert all_is_there(settings)


def test_a_feed_server_that_hangs_costs_its_time_limit_and_itself(settings: Settings) -> None:
    settings = replace(settings, request_timeout_s=1.0)
    lines = settings.feeds_csv.read_text(encoding="utf-8").splitlines()
    with socket.create_server(("127.0.0.99", PORT)), open_newsroom(PORT, NOW):  # it accepts, and says nothing
        hangs = lines[1].replace(lines[1].split(",")[0], f"http://127.0.0.99:{PORT}/feed.xml")
        settings.feeds_csv.write_text("\n".join([*lines, hangs]) + "\n", encoding="utf-8")
        walk(settings, "one", NOW)
    assert all_is_there(settings)
    assert rows(settings, "select standing::text from feeds where feed_url like '%127.0.0.99%'") == [("failing",)]


@pytest.mark.parametrize(
    "name", ["feeds.parquet", "feeds/*.tasks", "feeds/*.entries", "feeds/*.fetches", "pages/*.tasks", "pages/*.fetches",
             "pages/*.extractions", "pages/*.scores"]
)  # fmt: skip
def test_any_batch_file_that_is_cut_is_named_and_the_next_run_has_it_all(
    scored: Settings, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder = Path(scored.runs_dir, "one")
    broken = next(folder.glob(name if name.endswith("parquet") else f"{name}.parquet"))
    broken.write_bytes(broken.read_bytes()[:-50])
    pipeline.load(scored, str(folder))
    outputs.publish(scored)
    assert str(broken) in caplog.text or name.endswith("tasks")
    with open_newsroom(PORT, NOW):
        walk(scored, "two", NOW + timedelta(hours=2))
    assert all_is_there(scored)


@pytest.fixture(scope="module")
def scored_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scored")
    with open_newsroom(PORT, NOW):
        walk(newsroom_settings(folder, PORT), "one", NOW, until="score")
    return folder


@pytest.fixture
def scored(scored_once: Path, tmp_path: Path) -> Settings:
    """A run up to its scores, in files of its own."""
    shutil.copytree(scored_once, tmp_path, dirs_exist_ok=True)
    return newsroom_settings(tmp_path, PORT)


@pytest.mark.slow
def test_kills_at_random_moments_lose_and_double_nothing(tmp_path: Path) -> None:
    found = chaos.trial(tmp_path, n_kills=16, seed=7, say=print)
    assert (found["lost"], found["doubled"]) == (0, 0)
