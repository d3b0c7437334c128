"""The main job end to end, without network: newsroom on loopback, real Airflow, published database, brief.

`make demo` runs it. It starts `airflow standalone` in a folder of its own, lets the scheduled Dag `monitor` walk the
road over a newsroom of our own articles, waits for the brief that the Dag `report` writes, shows what came out, and
stops everything.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import duckdb

from tests.newsroom.serve import open_newsroom, write_feeds

ROOT = Path(__file__).resolve().parents[1]
TIMEOUT_S = 240
QUERY = """
select report_date, round(direction, 1) as direction, side::text as side, outlet, title, e.sentence as evidence
from reports
left join (select score_id, min_by(sentence, sentence_no) as sentence from evidence group by all) as e using (score_id)
order by relevance desc, outlet
limit 8
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def demo_environment(home: Path, newsroom_port: int) -> dict[str, str]:
    api_port = str(free_port())
    return os.environ | {
        "AIRFLOW_HOME": str(home / "airflow"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow/airflow.db?timeout=30",
        "AIRFLOW__API__PORT": api_port,
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{api_port}/execution/",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        "NEWSWATCH_DATA_DIR": str(home / "data"),
        "NEWSWATCH_FEEDS_CSV": str(home / "feeds.csv"),
        "NEWSWATCH_ALLOW_NETWORKS": "127.0.0.0/8",
        "NEWSWATCH_ALLOW_PORTS": str(newsroom_port),
        "NEWSWATCH_MIN_INTERVAL_S": "0",
    }


@contextmanager
def open_airflow(environment: dict[str, str], log: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """A real Airflow with its scheduler; SIGINT at the end, as Ctrl-C: SIGTERM would leave its children running."""
    for command in (["airflow", "db", "migrate"], ["airflow", "pools", "import", str(ROOT / "include" / "pools.json")]):
        subprocess.run(command, env=environment, stdout=log, stderr=log, check=True)
    standalone = subprocess.Popen(
        ["airflow", "standalone"], env=environment, stdout=log, stderr=log, start_new_session=True
    )
    try:
        yield standalone
    finally:
        os.killpg(standalone.pid, signal.SIGINT)
        try:
            standalone.wait(timeout=60)
        except subprocess.TimeoutExpired:
            os.killpg(standalone.pid, signal.SIGKILL)
            standalone.wait()


def wait_for(path: Path, airflow: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not path.exists():
        if airflow.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"no brief at {path} after {TIMEOUT_S} s; the log is {log}")
        time.sleep(0.5)


def main() -> None:
    home = ROOT / ".demo" / f"{datetime.now(UTC):%Y%m%dT%H%M%S}"
    home.mkdir(parents=True)
    port, log_path = free_port(), home / "airflow.log"
    write_feeds(home / "feeds.csv", port)
    environment = demo_environment(home, port)
    print(
        f"Airflow is starting (log: {log_path.relative_to(ROOT)}); the first run takes about a minute ...", flush=True
    )
    with (
        open_newsroom(port, datetime.now(UTC).replace(microsecond=0)),
        log_path.open("wb") as log,
        open_airflow(environment, log) as airflow,
    ):
        wait_for(home / "data" / "reports" / "latest.html", airflow, log_path)
    print("\nWhat the news says of the relation, with the sentence it rests on:")
    with duckdb.connect(str(home / "data" / "relations.duckdb"), read_only=True) as published:
        published.sql(QUERY).show(max_width=200)
    print(f"brief:    {(home / 'data/reports/latest.html').relative_to(ROOT)}")
    print(f"database: {(home / 'data/relations.duckdb').relative_to(ROOT)}")


if __name__ == "__main__":
    main()
