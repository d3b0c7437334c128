"""The main job end to end, without network: newsroom on loopback, real Airflow, published database, brief.

`make demo` runs it. It starts `airflow standalone` in the folder .demo, lets the Dag `monitor` walk the road over a
newsroom of our own articles, waits for the brief that the Dag `report` writes, prints what an analyst would ask, and
stops everything. Run again it goes on where it was, and adds nothing; `make demo STAY=1` leaves the UI open.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import duckdb

from tests.newsroom.serve import FULL, free_port, load_articles, open_newsroom, write_feeds

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / ".demo"
TIMEOUT_S = 900  # a run takes a minute on an idle machine
ADDED = ("entries", "articles", "scores", "events", "evidence", "stories")  # what a second run must not add to
QUESTIONS = {
    "Seen and kept": """
        select
            (select count(*) from feeds) as feeds, (select count(*) from entries) as entries,
            (select count(*) from articles) as articles, (select count(*) from reports) as about_the_relation,
            (select count(*) from stories) as stories""",
    "The last days": """
        select report_date, n_stories, n_reports, round(direction_index, 1) as direction_index
        from relation_daily order by report_date desc limit 7""",
    "The biggest stories": """
        select
            left(any_value(s.headline), 60) as headline, s.n_reports, s.n_texts,
            string_agg(distinct r.language, ' ' order by r.language) as languages, round(s.direction, 1) as direction
        from stories as s join reports as r using (story_id)
        group by s.story_id, s.n_reports, s.n_texts, s.direction order by s.n_reports desc, headline limit 6""",
    "The sentences that this rests on": """
        select round(direction, 1) as direction, outlet, left(sentence, 100) as sentence, url
        from reports join (select score_id, arg_min(sentence, sentence_no) as sentence from evidence group by all)
            using (score_id)
        order by report_date desc, relevance desc, url limit 8""",
    "What failed, and why": """
        select distinct kind, url, outcome::text as outcome, left(detail, 60) as detail
        from fetches where outcome not in ('fetched', 'not_modified', 'scored') order by all""",
}


@dataclass(frozen=True, slots=True)
class Newsroom:
    """Where the invented outlets are reached, and the moment that their articles are dated by."""

    port: int
    opened_at: datetime


def load_newsroom(path: Path) -> Newsroom:
    """The newsroom of the first demo: a second one must meet the same addresses and dates."""
    if not path.exists():
        opened_at = datetime.now(UTC).replace(microsecond=0)
        path.write_text(json.dumps({"port": free_port(), "opened_at": opened_at.isoformat()}), encoding="utf-8")
    noted = json.loads(path.read_text(encoding="utf-8"))
    return Newsroom(noted["port"], datetime.fromisoformat(noted["opened_at"]))


def demo_environment(home: Path, newsroom_port: int) -> dict[str, str]:
    api_port = str(free_port())
    # What the operator has set, in .env say, is for the real thing: the demo's alerts are for nobody.
    own = ("NEWSWATCH_", "AIRFLOW_CONN_")
    return {name: value for name, value in os.environ.items() if not name.startswith(own)} | {
        "AIRFLOW_HOME": str(home / "airflow"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow/airflow.db?timeout=30",
        "AIRFLOW__API__PORT": api_port,
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{api_port}/execution/",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        "METADATA_DATABASE": f"sqlite:///{home}/airflow/airflow.db?timeout=30",
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
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it; so would Airflow
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


def wait_for_brief(path: Path, airflow: subprocess.Popen[bytes], log: Path) -> None:
    """Until the brief is newer than this call."""
    called_at, deadline = time.time(), time.monotonic() + TIMEOUT_S
    while not path.exists() or path.stat().st_mtime < called_at:
        if airflow.poll() is not None or time.monotonic() > deadline:
            lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
            print(*lines[-20:], sep="\n")
            sys.exit(f"no new brief at {path} after {TIMEOUT_S} s; the log is {log}")
        time.sleep(0.5)


def count_rows(published: Path) -> dict[str, int]:
    if not published.exists():
        return {}
    with duckdb.connect(str(published), read_only=True) as connection:
        return {name: _one(connection, f"select count(*) from {name}") for name in ADDED}  # noqa: S608 names are ours


def find_faults(published: Path, before: dict[str, int]) -> list[str]:
    """What is not as it must be after a demo; nothing, if all is well."""
    after, n_pages = count_rows(published), sum(bool(article["text"]) for article in load_articles(FULL))
    with duckdb.connect(str(published), read_only=True) as connection:
        seen = {
            f"{n_pages} articles are scored once": after["articles"] == after["scores"] == n_pages,
            "the broken feed and the missing page are named": _one(
                connection, "select count(distinct outcome) from fetches where outcome in ('not_a_feed', 'http_error')"
            )
            == 2,
            "every report of the relation shows a sentence": not _one(
                connection, "select count(*) from reports where score_id not in (select score_id from evidence)"
            ),
            "the telephone call is one story in three languages": _one(
                connection,
                "select count(*) from reports group by story_id having count(distinct language) = 3 order by 1 desc",
            )
            >= 10,
            "a second run adds nothing": not before or before == after,
        }
    return [what for what, is_so in seen.items() if not is_so]


def _one(connection: duckdb.DuckDBPyConnection, sql: str) -> Any:
    row = connection.execute(sql).fetchone()
    return row[0] if row else None


def print_answers(published: Path) -> None:
    with duckdb.connect(str(published), read_only=True) as connection:
        for title, sql in QUESTIONS.items():
            print(f"\n{title}", flush=True)
            connection.sql(sql).show(max_width=220)


def print_next_steps(home: Path) -> None:
    data = home.relative_to(ROOT) / "data"
    print(f"\nthe brief      {data / 'reports/latest.html'}  (open it in a browser)")
    print(f"the database   make sql NEWSWATCH_DATA_DIR={data}")
    print("the Airflow UI make demo STAY=1")
    print("the real thing make up")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stay", action="store_true", help="leave the Airflow UI open until Ctrl-C")
    stays = parser.parse_args().stay
    published = HOME / "data" / "relations.duckdb"
    if (
        not published.exists()
    ):  # the first, or after one that was broken off: Airflow would go on with its half-done run
        shutil.rmtree(HOME, ignore_errors=True)
    HOME.mkdir(exist_ok=True)
    newsroom = load_newsroom(HOME / "newsroom.json")
    write_feeds(HOME / "feeds.csv", newsroom.port, FULL)
    environment = demo_environment(HOME, newsroom.port)
    log_path = HOME / "airflow.log"
    before = count_rows(published)
    print(f"Airflow is starting (log: {log_path.relative_to(ROOT)}); a run takes about a minute ...", flush=True)
    if stays:
        subprocess.run([sys.executable, "-m", "include.login"], env=environment, check=True)
    with (
        open_newsroom(newsroom.port, newsroom.opened_at, FULL),
        log_path.open("wb") as log,
        open_airflow(environment, log) as airflow,
    ):
        if before:  # the schedule may not be due again for half an hour
            subprocess.run(
                ["airflow", "dags", "trigger", "monitor"], env=environment, stdout=log, stderr=log, check=True
            )
        wait_for_brief(HOME / "data" / "reports" / "latest.html", airflow, log_path)
        print_answers(published)
        faults = find_faults(published, before)
        print_next_steps(HOME)
        if stays and not faults:
            airflow.wait()
    if faults:
        sys.exit("\nNot as it should be: " + "; ".join(faults))


if __name__ == "__main__":
    main()
