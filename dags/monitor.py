"""Monitors how the news covers the relation: every 30 minutes from feeds to the published database.

**plan** (which feeds are due) → **poll** (a task a batch of hosts) → **select** (which pages are new) →
**fetch → extract → score** (a chain a batch) → **load** → **publish** → **summary**.

What goes wrong with one feed, page or article is a row of the table `fetches`, never a failed task. A red task means
trouble of our own; clear it to run it again: every step may be repeated, and a run is loaded once whatever is retried.
A batch that stays red holds up nobody: the rest is loaded, and the pages of the batch are asked for again next time.
**alerts → tell** sends the alerts that the run opened or closed (the page News shows them all).
The run turns red in **summary** when one of its named checks did not hold; its log says which.

Settings are environment variables NEWSWATCH_*; sources are lines of include/feeds.csv.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import CronTriggerTimetable, dag, task, task_group

from include import notify
from include.steps import (
    DEFAULT_ARGS,
    PAGES,
    alerts,
    extract,
    fetch,
    load,
    named,
    now,
    publish,
    run_id,
    score,
    settings,
    summary,
    tell,
)


@dag(
    schedule=CronTriggerTimetable("*/30 * * * *", timezone="UTC", run_immediately=True),
    catchup=False,
    max_active_runs=1,
    deadline=notify.deadlines(),
    doc_md=__doc__,
    tags=["news"],
    default_args=DEFAULT_ARGS,
)
def monitor() -> None:
    @task(doc_md="Chooses the feeds that are due and writes them as batches.")
    def plan() -> list[str]:
        from include.newswatch import pipeline

        _, batches, counts = pipeline.plan(settings(), run_id(), now())
        print(counts)
        return batches

    @task(
        pool="web",
        queue=PAGES,
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

        batches, counts = pipeline.select(settings(), pipeline.run_folder(settings(), run_id()))
        print(counts)
        return batches

    @task_group
    def pages(batch: str) -> None:
        score(extract(fetch(batch)))

    polled = poll.expand(batch=plan())
    selected = select()
    scored = pages.expand(batch=selected)
    loaded = load.override(trigger_rule="all_done")()  # whatever became of the batches
    polled >> selected
    published = publish()
    scored >> loaded >> published >> summary(loaded)
    opened = alerts()
    published >> opened
    tell.expand(connection=opened)


monitor()
