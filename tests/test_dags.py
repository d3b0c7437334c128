"""Every Dag file loads, and the road runs inside Airflow over the newsroom."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import duckdb
import pytest

from include.newswatch.model import Language, Side
from tests.conftest import AIRFLOW_HOME, ROOT
from tests.newsroom.serve import feed_rows, free_port, load_articles, open_newsroom, write_feeds
from tests.test_upkeep import PRESENT, age_scores

PORT = free_port()
DAG_FILES = sorted(path.stem for path in (ROOT / "dags").glob("*.py"))


@pytest.fixture(scope="module")
def dag_bag() -> Iterator[Any]:
    """The Dags as the dag processor reads them."""
    from airflow.dag_processing.dagbag import DagBag

    yield DagBag(dag_folder=str(ROOT / "dags"))
    shutil.rmtree(AIRFLOW_HOME, ignore_errors=True)


@pytest.fixture
def metadata(dag_bag: Any) -> None:
    """Airflow's database, to run them in."""
    subprocess.run(["airflow", "db", "migrate"], check=True, capture_output=True)
    subprocess.run(
        ["airflow", "pools", "import", str(ROOT / "include" / "pools.json")], check=True, capture_output=True
    )


@pytest.fixture
def newsroom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    write_feeds(tmp_path / "feeds.csv", PORT)
    monkeypatch.setenv("NEWSWATCH_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("NEWSWATCH_FEEDS_CSV", str(tmp_path / "feeds.csv"))
    monkeypatch.setenv("NEWSWATCH_ALLOW_NETWORKS", "127.0.0.0/8")
    monkeypatch.setenv("NEWSWATCH_ALLOW_PORTS", str(PORT))
    monkeypatch.setenv("NEWSWATCH_MIN_INTERVAL_S", "0")
    with open_newsroom(PORT, datetime.now(UTC).replace(microsecond=0)):
        yield tmp_path / "data"


EXECUTOR = """
import sys
from include.executor import PRELOADED, PreloadedExecutor
executor = PreloadedExecutor(parallelism=2)
executor.start()
print(f"[{len(executor.workers)} workers, {set(PRELOADED) - set(sys.modules)} missing]", flush=True)
executor.end()
"""


def test_the_executor_imports_the_pipeline_before_its_workers_are_forked() -> None:
    ended = subprocess.run([sys.executable, "-c", EXECUTOR], cwd=ROOT, capture_output=True, text=True, timeout=120)

    assert "[2 workers, set() missing]" in ended.stdout, ended.stderr  # a worker may log on the same line


def run_dag(dag_bag: Any, dag_id: str, params: dict[str, Any] | None = None) -> Any:
    dag = dag_bag.dags[dag_id]
    dag.deadline = None  # dag.test() has nowhere to keep one (Airflow 3.3.2)
    return dag.test(run_conf=params)


def test_every_dag_file_loads_and_none_is_forgotten(dag_bag: Any) -> None:
    assert dag_bag.import_errors == {}
    assert sorted(dag_bag.dags) == DAG_FILES


def test_every_dag_says_what_it_does_and_tries_again(dag_bag: Any) -> None:
    for dag in dag_bag.dags.values():
        assert dag.doc_md, dag.dag_id
        assert dag.max_active_runs == 1, dag.dag_id
        for task in dag.tasks:
            assert task.doc_md, task.task_id
            assert task.execution_timeout, task.task_id


def test_every_pool_that_a_task_asks_for_is_made_before_the_first_run(dag_bag: Any) -> None:
    import json

    pools = {"default_pool", *json.loads((ROOT / "include" / "pools.json").read_text())}
    assert {task.pool for dag in dag_bag.dags.values() for task in dag.tasks} <= pools


@pytest.mark.slow
def test_both_dags_walk_the_road_from_the_feeds_to_the_briefs_of_two_pairs_of_countries(
    dag_bag: Any, metadata: None, newsroom: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.dag_processing.dagbag import DagBag

    monkeypatch.setenv("NEWSWATCH_DYADS", "china_russia,india_china")
    run = run_dag(dag_bag, "monitor")
    assert run.state == "success"
    assert run_dag(dag_bag, "report").state == "success"

    with duckdb.connect(str(newsroom / "relations.duckdb"), read_only=True) as published:
        outcomes = dict(published.sql("select outcome::text, count(*) from fetches group by all").fetchall())
        evidence = published.sql("select count(*) from reports join evidence using (score_id)").fetchone()
        n_of_call = published.sql("select max(n_reports) from stories").fetchone()
        titles = [title for (title,) in published.sql("select title from reports").fetchall()]
    assert set(outcomes) == {"fetched", "scored"}
    assert evidence is not None and evidence[0] > 0
    assert n_of_call is not None and n_of_call[0] >= 3, "the telephone call is one story"
    brief = (newsroom / "reports" / "latest.html").read_text(encoding="utf-8")
    assert any(title in brief for title in titles)

    other = newsroom / "india_china"
    with duckdb.connect(str(other / "relations.duckdb"), read_only=True) as published:
        found = published.sql("select title from reports where url like '%/nathu-la.html'").fetchall()
    assert found and found[0][0] not in titles
    assert "India and China in the news" in (other / "reports" / "latest.html").read_text(encoding="utf-8")

    forms = DagBag(dag_folder=str(ROOT / "dags" / "rescore.py"))  # read anew: they offer the pairs of the settings
    for dyad, lacking in (("india_china", [other]), ("", [newsroom, other])):
        for home in lacking:
            for name in ("warehouse.duckdb", "relations.duckdb"):
                age_scores(home / name)
        assert run_dag(forms, "rescore", {**ALWAYS, "dyad": dyad}).state == "success"
        assert [count_scored(home) for home in (newsroom, other)] == [len(load_articles())] * 2
        with duckdb.connect(str(newsroom / "relations.duckdb"), read_only=True) as published:
            runs = published.sql("select count(*) from runs where starts_with(run_id, 'rescore')").fetchall()
        assert runs == [(0 if dyad else 1,)], "only the pair of the form was loaded"


def count_scored(home: Path) -> int:
    """Articles with a score of the present version."""
    with duckdb.connect(str(home / "relations.duckdb"), read_only=True) as published:
        (found,) = published.sql(PRESENT).fetchall()
    return int(found[0])


TODAY = datetime.now(UTC).date()
ALWAYS = {"first_day": f"{TODAY - timedelta(days=60)}", "last_day": f"{TODAY}"}


@pytest.mark.slow
def test_the_nightly_maintenance_is_green_before_the_first_run(dag_bag: Any, metadata: None, newsroom: Path) -> None:
    assert run_dag(dag_bag, "maintenance").state == "success"


@pytest.mark.slow
def test_the_operators_dags_do_their_work_beside_the_road(dag_bag: Any, newsroom: Path) -> None:
    def state_of(dag_id: str, **params: Any) -> str:
        return str(run_dag(dag_bag, dag_id, params).state)

    assert state_of("monitor") == "success"
    with duckdb.connect(str(newsroom / "relations.duckdb"), read_only=True) as published:
        query = "select count(*), count(distinct url), min(revised_at) from articles"
        before = published.sql(query).fetchall()
    feed_url = feed_rows(PORT)[0]["url"]
    archive = sorted(map(str, (newsroom / "archive").rglob("*.warc.gz")))
    assert state_of("rescore", **ALWAYS) == "success"
    assert state_of("reextract", **ALWAYS, language="ru") == "success"
    assert state_of("import_warc", files=archive) == "success"
    assert state_of("backfill", feed_url=feed_url, sitemap=f"{feed_url}", **ALWAYS) == "success"
    assert state_of("maintenance") == "success"
    with duckdb.connect(str(newsroom / "relations.duckdb"), read_only=True) as published:
        assert published.sql(query).fetchall() == before, "the same pages by whatever road are the same articles"
        runs = [run_id for (run_id,) in published.sql("select run_id from runs").fetchall()]
    assert {run_id.split("__")[0] for run_id in runs} >= {"rescore", "reextract", "import", "backfill"}
    assert (newsroom / "export" / "latest" / "manifest.json").exists()


@pytest.mark.parametrize(
    ("dag_id", "params"),
    [
        ("rescore", {"first_day": "yesterday", "last_day": "2026-01-01"}),
        ("rescore", {"first_day": "2026-01-01", "last_day": "2026-01-02", "language": "de"}),
        ("rescore", {"first_day": "2026-01-01", "last_day": "2026-01-02", "dyad": "china_narnia"}),
        ("reextract", {"last_day": "2026-01-02"}),
        ("backfill", {**ALWAYS, "feed_url": "ftp://a.example/feed"}),
        ("backfill", {**ALWAYS, "feed_url": "https://a.example/feed", "max_pages": 0}),
        ("import_warc", {"files": []}),
        ("import_warc", {"files": ["/etc/passwd"]}),
        ("add_feed", {"url": "https://a.example/feed", "outlet": "A", "country": "Germany"}),
        ("maintenance", {"metadata_days": 1}),
    ],
)
def test_a_form_refuses_what_makes_no_sense(dag_bag: Any, dag_id: str, params: dict[str, Any]) -> None:
    from airflow.sdk.exceptions import ParamValidationError

    form = deepcopy(dag_bag.dags[dag_id].params)
    with pytest.raises(ParamValidationError):  # as the UI and the API do before they make a run
        form.update(params)
        form.validate()


@pytest.mark.slow
def test_what_only_the_pipeline_can_refuse_fails_at_once_and_says_why(
    dag_bag: Any, newsroom: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backwards = {"first_day": "2026-02-01", "last_day": "2026-01-01"}
    assert run_dag(dag_bag, "rescore", backwards).state == "failed"
    feed = {"url": f"http://127.0.0.21:{PORT}/nothing.xml", "outlet": "Nobody", "country": "GB"}
    assert run_dag(dag_bag, "add_feed", feed).state == "failed"
    found = feed_rows(PORT)[0]
    write_feeds(newsroom.parent / "feeds.csv", PORT + 1)  # so that the newsroom's own are new
    asked = {name: found[name] for name in ("url", "outlet", "language", "country", "side")}
    assert run_dag(dag_bag, "add_feed", asked).state == "success"
    shown = "".join(capsys.readouterr())
    assert "the period ends on 2026-01-01, before it begins" in shown
    assert "nothing.xml answered 404" in shown
    assert "To add it, append this line to feeds.csv" in shown


def test_the_form_of_a_new_feed_offers_every_side_and_language(dag_bag: Any) -> None:
    offered = {name: dag_bag.dags["add_feed"].params.get_param(name).schema["enum"] for name in ("side", "language")}
    assert offered == {"side": list(get_args(Side)), "language": list(get_args(Language))}
