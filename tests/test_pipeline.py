"""The road without Airflow, over the newsroom: what arrives, what a second run adds, what a broken step costs."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from include.newswatch import outputs, pipeline, warehouse
from include.newswatch.__main__ import main
from include.newswatch.model import NewsError, Page, SettingsError
from include.newswatch.settings import Settings, load_settings
from tests.newsroom.serve import free_port, load_articles, newsroom_settings, open_newsroom

PORT = free_port()
pytestmark = pytest.mark.usefixtures("one_parser")
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def newsroom() -> Iterator[None]:
    with open_newsroom(PORT, NOW):
        yield


@pytest.fixture
def settings(tmp_path: Path, newsroom: None) -> Settings:
    return newsroom_settings(tmp_path, PORT)


def walk(settings: Settings, run_id: str, now: datetime, *, until: str = "publish") -> pipeline.Run:
    """The steps of a run up to and including `until`."""
    steps = ["poll", "fetch", "extract", "score", "load", "publish"]
    wanted = steps[: steps.index(until) + 1]
    run, batches, _ = pipeline.plan(settings, run_id, now)
    for batch in batches:
        pipeline.poll(settings, batch)
    pages, _ = pipeline.select(settings, run.folder)
    for batch in pages:
        for step in (pipeline.fetch, pipeline.extract, pipeline.score):
            if step.__name__ in wanted:
                step(settings, batch)
    if "load" in wanted:
        pipeline.load(settings, run.folder)
    if "publish" in wanted:
        outputs.publish(settings)
    return run


def contents(path: Path, but: tuple[str, ...] = ()) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    with duckdb.connect(str(path), read_only=True) as database:
        names = [name for (name,) in database.sql("select table_name from duckdb_tables()").fetchall()]
        return {name: sorted(database.sql(f"from {name}").fetchall(), key=repr) for name in names if name not in but}


def test_every_article_of_the_newsroom_ends_in_one_outcome_and_one_score(settings: Settings) -> None:
    walk(settings, "one", NOW)
    with duckdb.connect(str(settings.published), read_only=True) as published:
        outcomes = published.sql(
            "select outcome::text, count(*) from fetches where kind = 'page' group by 1"
        ).fetchall()
        assert outcomes == [("scored", len(load_articles()))]
        assert published.sql("select count(*) from current_scores").fetchone() == (len(load_articles()),)
        assert published.sql("select count(*) from articles where published_at_source <> 'feed'").fetchone() == (0,)


def test_a_second_run_adds_no_article_and_changes_none(settings: Settings) -> None:
    walk(settings, "one", NOW)
    before = contents(settings.published, but=("runs", "fetches", "feeds", "alerts"))
    walk(settings, "two", NOW + timedelta(hours=2))
    assert contents(settings.published, but=("runs", "fetches", "feeds", "alerts")) == before
    with duckdb.connect(str(settings.published), read_only=True) as published:
        second = published.sql("select kind, outcome::text from fetches where run_id = 'two'").fetchall()
    assert set(second) == {("feed", "not_modified")}


def test_loading_a_run_twice_changes_nothing(settings: Settings) -> None:
    run = walk(settings, "one", NOW)
    before = contents(settings.warehouse)
    assert pipeline.load(settings, run.folder) == {"already_loaded": True}
    assert contents(settings.warehouse) == before


def test_what_a_dead_run_left_undone_the_next_run_finishes(settings: Settings) -> None:
    walk(settings, "died", NOW, until="extract")
    walk(settings, "next", NOW + timedelta(minutes=30))
    with duckdb.connect(str(settings.published), read_only=True) as published:
        assert published.sql("select count(*), count(distinct url) from articles").fetchone() == (
            len(load_articles()),
            len(load_articles()),
        )


def test_two_pairs_of_countries_share_the_pages_and_nothing_else(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWSWATCH_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("NEWSWATCH_FEEDS_CSV", str(settings.feeds_csv))
    monkeypatch.setenv("NEWSWATCH_ALLOW_NETWORKS", "127.0.0.0/8")
    monkeypatch.setenv("NEWSWATCH_ALLOW_PORTS", str(PORT))
    monkeypatch.setenv("NEWSWATCH_MIN_INTERVAL_S", "0")
    monkeypatch.setenv("NEWSWATCH_DYADS", "china_russia,india_china")
    assert main(["run"]) == 0
    first, second = load_settings(os.environ).by_dyad()
    assert first.published == settings.published
    reports, pages = [], []
    for dyad in (first, second):
        with duckdb.connect(str(dyad.published), read_only=True) as published:
            reports.append({url.rsplit("/", 1)[1] for (url,) in published.sql("select url from reports").fetchall()})
            pages.append(published.sql("select url, fetched_at, warc_file from fetches order by all").fetchall())
        assert (dyad.reports_dir / "latest.html").exists()
    assert "nathu-la.html" in reports[1] - reports[0]
    assert "leaders-call.html" in reports[0]
    assert pages[0] == pages[1], "each page is asked for once"


def test_a_load_that_ends_between_two_pairs_of_countries_costs_neither_any_page(settings: Settings) -> None:
    pairs = replace(settings, dyads=("china_russia", "india_china"))
    run = walk(pairs, "died", NOW, until="score")
    next(pipeline.load_all(pairs, [run.folder]))  # then it was killed
    for dyad in pairs.by_dyad():
        if dyad.warehouse.exists():
            outputs.publish(dyad)
    run = walk(pairs, "next", NOW + timedelta(hours=2), until="score")
    list(pipeline.load_all(pairs, [run.folder]))
    for dyad in pairs.by_dyad():
        with duckdb.connect(str(dyad.warehouse), read_only=True) as database:
            assert database.sql("select count(*) from current_scores").fetchone() == (len(load_articles()),)


def test_a_pair_of_countries_without_codebook_is_refused_by_name() -> None:
    with pytest.raises(SettingsError, match="NEWSWATCH_DYADS: give one or more of china_russia, india_china"):
        load_settings({"NEWSWATCH_DYADS": "china_russia,china_narnia"})


def test_the_feed_of_another_pair_of_countries_links_to_its_own_briefs() -> None:
    pairs = Settings(dyads=("china_russia", "india_china"))
    served = replace(pairs, public_url="https://a.example/").by_dyad()
    assert [each.reports_url for each in served] == ["https://a.example/", "https://a.example/india_china/"]
    assert [each.reports_url for each in pairs.by_dyad()] == ["", ""]


def test_a_batch_that_is_never_scored_is_named_and_asked_for_again(settings: Settings) -> None:
    run = walk(settings, "one", NOW, until="extract")
    for file in Path(run.folder, "pages").glob("*.extractions.parquet"):
        file.unlink()
    counts = pipeline.load(settings, run.folder)
    assert counts["failed_checks"] == ["every batch is scored"]
    outputs.publish(settings)
    walk(settings, "two", NOW + timedelta(hours=2))
    with duckdb.connect(str(settings.published), read_only=True) as published:
        assert published.sql("select count(*) from current_scores").fetchone() == (len(load_articles()),)


def test_while_the_gate_refuses_no_page_is_asked_for_twice(settings: Settings) -> None:
    walk(settings, "one", NOW, until="load")
    with warehouse.open_warehouse(settings.warehouse) as connection:
        connection.execute("update articles set text = '' where article_id = (select min(article_id) from articles)")
    with pytest.raises(warehouse.PublicationRejectedError):
        outputs.publish(settings)
    run, batches, _ = pipeline.plan(settings, "two", NOW + timedelta(hours=2))
    for batch in batches:
        assert set(pipeline.poll(settings, batch)) == {"not_modified", "n_entries"}
    assert pipeline.select(settings, run.folder) == ([], {"n_wanted": 0, "n_too_old": 0, "n_waiting": 0})


def test_a_half_written_batch_file_is_named_and_the_rest_is_loaded(settings: Settings) -> None:
    run = walk(settings, "one", NOW, until="score")
    broken = next(Path(run.folder, "feeds").glob("*.polls.parquet"))
    broken.write_bytes(broken.read_bytes()[:100])
    counts = pipeline.load(settings, run.folder)
    assert "batch files are whole" in counts["failed_checks"]
    assert counts["scores"] == len(load_articles())


def test_a_reader_with_an_open_connection_neither_blocks_nor_breaks(settings: Settings) -> None:
    walk(settings, "one", NOW)
    with duckdb.connect(str(settings.published), read_only=True) as reader:
        before = reader.sql("select count(*) from runs").fetchone()
        walk(settings, "two", NOW + timedelta(hours=2))
        assert reader.sql("select count(*) from runs").fetchone() == before


def test_a_wrong_line_of_the_feed_list_costs_no_other_feed(settings: Settings) -> None:
    lines = settings.feeds_csv.read_text(encoding="utf-8").splitlines()
    settings.feeds_csv.write_text("\n".join([*lines, lines[1], "not a url" + lines[2][lines[2].index(",") :]]) + "\n")
    _, _, counts = pipeline.plan(settings, "one", NOW)
    assert counts["n_feeds"] == len(lines) - 1
    assert len(counts["problems"]) == 2
    assert f"line {len(lines) + 1}" in counts["problems"][0]


def test_an_export_holds_every_table_and_says_what_it_is(settings: Settings) -> None:
    walk(settings, "one", NOW)
    outputs.export(settings, NOW)
    folder = settings.export_dir / "latest"
    files = {row["name"]: row for row in json.loads((folder / "manifest.json").read_bytes())["files"]}
    with duckdb.connect(str(settings.published), read_only=True) as published:
        listed = published.sql("select name from (show all tables)").fetchall()
    assert set(files) == {name for (name,) in listed if name != "migrations" and not name.startswith("search_")}
    assert {path.name for path in folder.glob("*.parquet")} == {row["file"] for row in files.values()}
    for row in files.values():
        body = (folder / row["file"]).read_bytes()
        table = pq.read_table(io.BytesIO(body))
        assert (hashlib.sha256(body).hexdigest(), table.num_rows) == (row["sha256"], row["rows"])
        assert table.column_names == [column["name"] for column in row["columns"]]
    assert files["articles"]["rows"] == len(load_articles())


def test_two_exports_are_kept_and_latest_is_the_newer(settings: Settings) -> None:
    walk(settings, "one", NOW)
    for hours in range(3):
        outputs.export(settings, NOW + timedelta(hours=hours))
    kept = sorted(path.name for path in settings.export_dir.iterdir() if not path.is_symlink())
    assert kept == [f"{NOW + timedelta(hours=hours):%Y-%m-%dT%H-%M-%SZ}" for hours in (1, 2)]
    assert (settings.export_dir / "latest").resolve().name == kept[-1]


def test_before_the_first_publication_there_is_nothing_to_export(settings: Settings) -> None:
    with pytest.raises(FileNotFoundError, match=r"relations\.duckdb"):
        outputs.export(settings, NOW)


def test_answers_come_host_by_host_in_order_and_few_are_held_at_once(settings: Settings) -> None:
    n_waiting, most_waiting = 0, 0
    tasks = [(host, number) for number in range(20) for host in "abcdef"]

    def ask(task: tuple[str, int]) -> Page:
        nonlocal n_waiting
        n_waiting += 1
        if task[1] == 7:
            raise NewsError("timeout", f"{task} takes too long")
        return Page(f"https://{task[0]}.example/{task[1]}", "", 200, {}, b"", NOW)

    few_threads = replace(settings, threads=2)
    seen: dict[str, list[int]] = {}
    for (host, number), answer in pipeline._each_by_host(few_threads, tasks, lambda task: task[0], ask):
        most_waiting = max(most_waiting, n_waiting)
        n_waiting -= 1
        seen.setdefault(host, []).append(number)
        assert isinstance(answer, NewsError) == (number == 7)
    assert seen == {host: list(range(20)) for host in "abcdef"}
    assert most_waiting <= 4


def test_an_error_that_nobody_expects_ends_the_step(settings: Settings) -> None:
    def ask(task: str) -> Page:
        raise KeyError(task)

    with pytest.raises(KeyError):
        list(pipeline._each_by_host(settings, ["a", "b"], lambda task: task, ask))
