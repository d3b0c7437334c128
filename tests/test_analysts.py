"""What analysts do: the questions of docs/queries.md, full text search, other clients, the notebook."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

from include.newswatch import warehouse
from tests.conftest import ROOT
from tests.synthetic import fill

UNTIL = datetime(2026, 6, 30, 20, tzinfo=UTC)
QUESTIONS = re.findall(
    r"^## (.+?)\n.*?```sql\n(.+?)```", (ROOT / "docs" / "queries.md").read_text("utf-8"), re.M | re.S
)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published file of 4,000 articles, a quarter of them reports, over 90 days."""
    folder = tmp_path_factory.mktemp("analysts")
    with warehouse.open_warehouse(folder / "warehouse.duckdb") as connection:
        fill(connection, 4000, 90, UNTIL, every=4)
    warehouse.publish(folder / "warehouse.duckdb", folder / "relations.duckdb")
    return folder / "relations.duckdb"


@pytest.fixture
def published(database: Path) -> Iterator[warehouse.Connection]:
    with warehouse.open_published(database) as connection:
        yield connection


@pytest.mark.parametrize(("question", "sql"), QUESTIONS, ids=[question for question, _ in QUESTIONS])
def test_every_question_of_the_documentation_has_an_answer(
    published: warehouse.Connection, question: str, sql: str
) -> None:
    rows = published.sql(sql.strip().rstrip(";")).fetchall()
    assert rows


def test_there_are_questions_enough() -> None:
    assert len(QUESTIONS) >= 15


# ── plausible answers ───────────────────────────────────────────────────────────────────────────────────────────────


def test_the_state_media_of_china_are_friendlier_as_they_were_made(published: warehouse.Connection) -> None:
    slant = dict(
        published.sql("select side::text, avg(direction_difference) from outlet_profile group by side").fetchall()
    )
    assert slant["china_state"] > slant["russia_state"] > slant["third"]


def test_the_stories_of_a_month_are_those_of_its_days(published: warehouse.Connection) -> None:
    days, counted = published.sql(
        """
        select (select sum(n_reports) from relation_daily), (select count(*) from reports)
        """
    ).fetchone() or (0, 1)
    assert days == counted


def test_the_dictionary_names_every_theme_of_the_codebook(published: warehouse.Connection) -> None:
    with (ROOT / "include" / "codebook" / "common" / "themes.csv").open(encoding="utf-8", newline="") as file:
        themes = {row["label"] for row in csv.DictReader(file)}
    (comment,) = published.sql(
        "select comment from duckdb_columns() where table_name = 'article_themes' and column_name = 'theme'"
    ).fetchone() or ("",)
    assert set(re.findall(r"[a-z_]+", comment.removeprefix("Theme:"))) - {"or"} == themes


# ── full text search ────────────────────────────────────────────────────────────────────────────────────────────────


def found(connection: warehouse.Connection, question: str) -> set[int]:
    return {key for (key,) in connection.execute("select article_id from search($q)", {"q": question}).fetchall()}


def containing(connection: warehouse.Connection, pattern: str) -> set[int]:
    rows = connection.execute(
        """
        select article_id from reports join articles as a using (article_id)
        where regexp_matches(a.title || chr(10) || a.text, $p, 'i')
        """,
        {"p": pattern},
    )
    return {key for (key,) in rows.fetchall()}


@pytest.mark.parametrize(
    ("question", "pattern"),
    [
        ("pipeline", r"\bpipelines?\b"),
        ("газопровод", r"(^|[^а-я])газопровод(а|у|ом|е|ы|ов|ам|ами|ах)?([^а-я]|$)"),
        ("ГАЗОПРОВОДАМИ", r"(^|[^а-я])газопровод(а|у|ом|е|ы|ов|ам|ами|ах)?([^а-я]|$)"),
        ("天然气", "天然气"),
        ("西伯利亚力量", "西伯利亚力量"),
        ("外交部", "外交部"),
    ],
)
def test_search_finds_what_a_pattern_finds(published: warehouse.Connection, question: str, pattern: str) -> None:
    expected = containing(published, pattern)
    assert expected
    hits = found(published, question)
    assert len(expected & hits) >= 0.95 * len(expected)
    assert len(expected & hits) >= 0.9 * len(hits)


def test_all_words_must_occur_and_an_unknown_word_finds_nothing(published: warehouse.Connection) -> None:
    assert found(published, "gas pipeline") == found(published, "gas") & found(published, "pipeline")
    assert found(published, "gas xqzzyx") == set()
    assert found(published, "") == set()


def test_search_needs_no_extension_and_no_network(database: Path, tmp_path: Path) -> None:
    command = [
        shutil.which("duckdb") or "", "-readonly", "-json", "-c", "set extension_directory = '/nonexistent'", "-c",
        "select title from search('pipelines') limit 1", str(database),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={"HOME": str(tmp_path)})
    assert json.loads(done.stdout)[0]["title"]


def test_a_report_that_is_indexed_twice_is_found_once(tmp_path: Path) -> None:
    with warehouse.open_warehouse(tmp_path / "warehouse.duckdb") as connection:
        fill(connection, 100, 5, UNTIL, every=2)
        before = connection.sql("select count(*), sum(weight) from search_postings").fetchone()
        connection.execute("create or replace temp view new_scores as select url from articles")
        connection.execute(warehouse.read_sql("index_reports"))
        assert connection.sql("select count(*), sum(weight) from search_postings").fetchone() == before


# ── other clients ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_pandas_and_polars_get_the_same_days(published: warehouse.Connection) -> None:
    query = published.sql("select report_date, n_stories, direction_index from relation_daily order by report_date")
    frame: pd.DataFrame = query.df()
    other: pl.DataFrame = query.pl()
    assert len(frame) >= 90
    assert frame["n_stories"].tolist() == other["n_stories"].to_list()


@pytest.mark.slow
def test_the_notebook_runs_from_top_to_bottom(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("NEWSWATCH_DATA_DIR", str(database.parent))
    notebook = nbformat.read(ROOT / "notebooks" / "first_look.ipynb", as_version=4)  # type: ignore[no-untyped-call]
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(ROOT)}}).execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert outputs and not [output for output in outputs if output.output_type == "error"]
