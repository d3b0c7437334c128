"""The steps that several Dags share, and what a task knows of the run it is in.

Airflow's side of the pipeline: it wires and names. The pipeline itself is imported when a task runs, never when a Dag
file is read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, get_args

from airflow.sdk import Asset, Metadata, Param, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException

from include import notify
from include.newswatch.model import Side
from include.newswatch.settings import Settings, load_settings

FEEDS = Asset("feeds", uri="file://newswatch/include/feeds.csv")
RELATIONS = Asset("relations", uri="file://relations/relations.duckdb")
# For tasks that need no data folder, only batch files: with Celery, workers on other machines may take this queue.
PAGES = "pages"
SIDES: list[str] = list(get_args(Side))
DEFAULT_ARGS = {
    "retries": 2,
    "retry_delay": timedelta(seconds=20),
    "retry_exponential_backoff": True,
    "execution_timeout": timedelta(minutes=20),
}


def period_form() -> dict[str, Param]:
    """What a form asks for that wants a period; new objects for each Dag, as Airflow keeps the answers in them."""
    return {
        "first_day": Param(type="string", format="date", title="First day", description="UTC"),
        "last_day": Param(type="string", format="date", title="Last day", description="UTC, included"),
    }


def language_form() -> dict[str, Param]:
    names = {"": "all", "en": "English", "ru": "Russian", "zh": "Chinese"}
    return {"language": Param("", type="string", enum=list(names), title="Language", values_display=names)}


def dyad_form() -> dict[str, Param]:
    names = {"": "all"} | {name: name for name in load_settings(os.environ).dyads}
    return {"dyad": Param("", type="string", enum=list(names), title="Pair of countries", values_display=names)}


@task(
    pool="web",
    queue=PAGES,
    map_index_template="{{ batch_name }}",
    doc_md="Fetches the pages of a batch into a WARC file.",
)
def fetch(batch: str) -> str:
    from include.newswatch import pipeline

    named(batch, "pages", pipeline.fetch(settings(), batch))
    return batch


@task(queue=PAGES, map_index_template="{{ batch_name }}", doc_md="Extracts the articles of a batch's archived pages.")
def extract(batch: str) -> str:
    from include.newswatch import pipeline

    named(batch, "articles", pipeline.extract(settings(), batch))
    return batch


@task(queue=PAGES, map_index_template="{{ batch_name }}", doc_md="Scores the articles of a batch.")
def score(batch: str) -> dict[str, Any]:
    from include.newswatch import pipeline

    return named(batch, "scores", pipeline.score(settings(), batch))


@task(
    pool="duckdb_writer",
    trigger_rule="none_failed",  # a run without batches is loaded too; one with a red batch waits for its mending
    doc_md="Brings all that the run found into the warehouse of each pair of countries, each in one transaction.",
)
def load(folders: list[str] | None = None) -> list[dict[str, Any]]:
    """folders: of the runs; None: the one that is named after the Dag run."""
    from include.newswatch import pipeline

    if folders is None:
        folders = [pipeline.run_folder(settings(), run_id())]
    return list(pipeline.load_all(settings(), folders))


@task(
    pool="duckdb_writer",
    inlets=[FEEDS],
    outlets=[RELATIONS],
    doc_md="Replaces each published database by its warehouse as it is now, if the checks hold. Readers never wait.",
)
def publish() -> Iterator[Metadata]:
    from include.newswatch import outputs
    from include.newswatch.warehouse import PublicationRejectedError

    published: dict[str, Any] = {}
    refused = []
    for dyad in settings().by_dyad():
        if not dyad.warehouse.exists():  # the nightly maintenance comes before the first load of a pair
            continue
        try:
            published[dyad.dyad] = outputs.publish(dyad, run_id=run_id())
        except PublicationRejectedError as error:
            refused.append(str(error))
    yield Metadata(RELATIONS, published)
    if refused:  # the same files would be refused again
        raise AirflowFailException(" ".join(refused))


@task(retries=0, doc_md="Says how the run went; red when one of its named checks did not hold.")
def summary(loaded: list[dict[str, Any]]) -> None:
    print(loaded)
    failed = [name for counts in loaded for name in counts.get("failed_checks", [])]
    if failed:
        raise AirflowFailException("checks that did not hold: " + "; ".join(failed))


@task(
    pool="duckdb_writer",
    trigger_rule="all_done",  # what became of the publication is itself worth an alert
    doc_md="Finds whether the run opened or closed alerts, and by which connections to send them.",
)
def alerts() -> list[str]:
    from include.newswatch import outputs

    return notify.configured() if outputs.render_alerts(settings(), run_id()) else []


@task(
    pool="duckdb_writer",
    map_index_template="{{ connection_name }}",
    doc_md="Sends the alerts that the run opened or closed, once, by each connection that is configured.",
)
def tell(connection: str) -> None:
    from include.newswatch import outputs

    context: Any = get_current_context()
    context["connection_name"] = connection
    if message := outputs.render_alerts(settings(), run_id()):
        notify.send(connection, *message)


def settings() -> Settings:
    """Those of the environment; of one dyad alone if the form asked for it."""
    found = load_settings(os.environ)
    dyad = get_current_context()["params"].get("dyad")
    return replace(found, dyads=(dyad,)) if dyad else found


def run_id() -> str:
    """The run's name in the warehouse; those of other Dags than `monitor` say whose they are."""
    context = get_current_context()
    dag_id = context["dag"].dag_id
    return str(context["run_id"]) if dag_id == "monitor" else f"{dag_id}__{context['run_id']}"


def now() -> Any:
    from datetime import UTC, datetime

    return datetime.now(UTC)


def period() -> Any:
    """The days and the language that the form asked for."""
    from datetime import date

    from include.newswatch.upkeep import Selection

    params = get_current_context()["params"]
    first_day, last_day = (date.fromisoformat(params[name]) for name in ("first_day", "last_day"))
    return Selection(first_day, last_day, params.get("language", ""))


@contextmanager
def wrong_input_is_final() -> Iterator[None]:
    """What the operator must mend first fails at once, with the reason: trying again would not help."""
    from include.newswatch.archive import BatchError
    from include.newswatch.model import NewsError, SettingsError

    try:
        yield
    except (SettingsError, NewsError, BatchError) as error:
        raise AirflowFailException(str(error)) from error


def planned(plan: Callable[[], tuple[Any, dict[str, Any]]]) -> list[str]:
    """The batches of a run that a function of upkeep plans from what the form says."""
    with wrong_input_is_final():
        run, counts = plan()
    print(counts)
    batches: list[str] = run.batches("pages", "tasks")
    return batches


def named(batch: str, things: str, counts: dict[str, Any]) -> dict[str, Any]:
    """The counts, after naming the mapped task by them in the grid."""
    number = batch.rsplit("/", 1)[1].split(".")[0]
    context: Any = get_current_context()  # map_index_template finds any name in it
    context["batch_name"] = f"{things} {number}: " + ", ".join(f"{n} {word}" for word, n in counts.items())
    return counts
