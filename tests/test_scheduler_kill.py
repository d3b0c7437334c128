"""A real Airflow whose scheduler is killed in the middle of a run: it ends all the same, with every article once."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from tests.demo import demo_environment, open_airflow
from tests.newsroom.serve import free_port, load_articles, open_newsroom, write_feeds

TIMEOUT_S = 1200  # on a busy machine; an idle one needs two minutes
SETTINGS = {
    "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
    # How soon a new scheduler takes over what the dead one left; by default up to five minutes later.
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "15",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "20",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",
}


def wait_until(is_so: Callable[[], object], airflow: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not is_so():
        assert airflow.poll() is None, "Airflow has ended"
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.2)


def scheduler_of(airflow: subprocess.Popen[bytes]) -> int:
    """The process that standalone started as `airflow scheduler`."""
    found = subprocess.run(["pgrep", "-P", str(airflow.pid), "-f", "airflow scheduler"], capture_output=True, text=True)
    return int(found.stdout.split()[0])


@pytest.mark.slow
def test_a_scheduler_that_is_killed_in_a_run_costs_no_article(tmp_path: Path) -> None:
    port = free_port()
    write_feeds(tmp_path / "feeds.csv", port)
    environment = demo_environment(tmp_path, port) | SETTINGS
    runs, brief = tmp_path / "data" / "runs", tmp_path / "data" / "reports" / "latest.html"
    with open_newsroom(port, datetime.now(UTC).replace(microsecond=0)), (tmp_path / "airflow.log").open("wb") as log:
        with open_airflow(environment, log) as airflow:
            wait_until(lambda: list(runs.glob("*/pages/000.fetches.parquet")), airflow)
            os.kill(scheduler_of(airflow), signal.SIGKILL)
            time.sleep(5)
            assert not brief.exists(), "killed too late to tell anything"
        with open_airflow(environment, log) as airflow:
            wait_until(brief.exists, airflow)
    with duckdb.connect(str(tmp_path / "data" / "relations.duckdb"), read_only=True) as published:
        n = len(load_articles())
        counts = "select count(*), count(distinct url), (select count(*) from current_scores) from articles"
        assert published.sql(counts).fetchall() == [(n, n, n)]
        assert published.sql("select count(*) from runs").fetchone() == (1,), "it is the same run that has ended"
