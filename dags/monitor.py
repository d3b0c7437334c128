"""Monitors how the news covers the relation: every 30 minutes from feeds to the published database.

**plan** (which feeds are due) → **poll** (a task a batch of hosts) → **select** (which pages are new) →
**fetch → extract → score** (a chain a batch) → **load** → **publish** → **summary**.

What goes wrong with one feed, page or article is a row of the table `fetches`, never a failed task. A red task means
trouble of our own; clear it to run it again: every step may be repeated, and a run is loaded once whatever is retried.
A batch that stays red holds up nobody: the rest is loaded, and the pages of the batch are asked for again next time.
The run turns red in **summary** when one of its named checks did not hold; its log says which.

Settings are environment variables NEWSWATCH_*; sources are lines of include/feeds.csv.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, CronTriggerTimetable, Metadata, dag, get_current_context, task, task_group
from airflow.sdk.exceptions import AirflowFailException

RELATIONS = Asset("relations", uri="file://relations/relations.duckdb")
MINUTES = timedelta(minutes=1)


@dag(
    schedule=CronTriggerTimetable("*/30 * * * *", timezone="UTC", run_immediately=True),
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["news"],
    default_args={
        "retries": 2,
        "retry_delay": timedelta(seconds=20),
        "retry_exponential_backoff": True,
        "execution_timeout": 20 * MINUTES,
    },
)
def monitor() -> None:
    @task(doc_md="Chooses the feeds that are due and writes them as batches.")
    def plan() -> list[str]:
        from include.newswatch import pipeline

        _, batches, counts = pipeline.plan(settings(), get_current_context()["run_id"], now())
        print(counts)
        return batches

    @task(
        pool="web",
        map_index_template="{{ batch_name }}",
        doc_md="Asks the feeds of a batch and reads their entries. Each feed ends in one outcome.",
    )
    def poll(batch: str) -> dict[str, Any]:
        from include.newswatch import pipeline

        return named(batch, "feeds", pipeline.poll(settings(), batch))

    @task(
        trigger_rule="all_done",
        doc_md="Chooses the pages to fetch: new ones, and those that wait for another attempt.",
    )
    def select() -> list[str]:
        from include.newswatch import pipeline

        batches, counts = pipeline.select(settings(), run_folder())
        print(counts)
        return batches

    @task_group
    def pages(batch: str) -> None:
        @task(
            pool="web", map_index_template="{{ batch_name }}", doc_md="Fetches the pages of a batch into a WARC file."
        )
        def fetch(batch: str) -> str:
            from include.newswatch import pipeline

            named(batch, "pages", pipeline.fetch(settings(), batch))
            return batch

        @task(map_index_template="{{ batch_name }}", doc_md="Extracts the articles of a batch's archived pages.")
        def extract(batch: str) -> str:
            from include.newswatch import pipeline

            named(batch, "articles", pipeline.extract(settings(), batch))
            return batch

        @task(map_index_template="{{ batch_name }}", doc_md="Scores the articles of a batch.")
        def score(batch: str) -> dict[str, Any]:
            from include.newswatch import pipeline

            return named(batch, "scores", pipeline.score(settings(), batch))

        score(extract(fetch(batch)))

    @task(
        pool="duckdb_writer",
        trigger_rule="all_done",
        doc_md="Brings all that the run found into the warehouse, in one transaction.",
    )
    def load() -> dict[str, Any]:
        from include.newswatch import pipeline

        return pipeline.load(settings(), run_folder())

    @task(
        pool="duckdb_writer",
        outlets=[RELATIONS],
        doc_md="Replaces the published database by the warehouse as it is now, if its checks hold. Readers never wait.",
    )
    def publish() -> Iterator[Metadata]:
        from include.newswatch import pipeline
        from include.newswatch.warehouse import PublicationRejectedError

        try:
            yield Metadata(RELATIONS, pipeline.publish(settings()))
        except PublicationRejectedError as error:  # the same file would be refused again
            raise AirflowFailException(str(error)) from error

    @task(retries=0, doc_md="Says how the run went; red when one of its named checks did not hold.")
    def summary(loaded: dict[str, Any]) -> None:
        failed = loaded.get("failed_checks", [])
        print(loaded)
        if failed:
            raise AirflowFailException("checks that did not hold: " + "; ".join(failed))

    polled = poll.expand(batch=plan())
    selected = select()
    scored = pages.expand(batch=selected)
    loaded = load()
    polled >> selected
    scored >> loaded >> publish() >> summary(loaded)


def settings() -> Any:
    import os

    from include.newswatch.settings import load_settings

    return load_settings(os.environ)


def run_folder() -> str:
    from include.newswatch import pipeline

    return pipeline.run_folder(settings(), get_current_context()["run_id"])


def now() -> Any:
    from datetime import UTC, datetime

    return datetime.now(UTC)


def named(batch: str, things: str, counts: dict[str, Any]) -> dict[str, Any]:
    """The counts, after naming the mapped task by them in the grid."""
    number = batch.rsplit("/", 1)[1].split(".")[0]
    get_current_context()["batch_name"] = f"{things} {number}: " + ", ".join(
        f"{n} {word}" for word, n in counts.items()
    )
    return counts


monitor()
