"""Reads the archived pages of a period again, without the network: after a better extraction or better dates.

The pages of which the archive holds the newest answer are extracted and scored anew. What comes out replaces what was
read from the same bytes before, and is no revision: the publisher has changed nothing. The scores of the earlier text
stay. Files that retention has removed are counted by `plan` as gone. Safe beside `monitor`.
"""

from __future__ import annotations

from airflow.sdk import dag, task, task_group

from include.steps import (
    DEFAULT_ARGS,
    language_form,
    load,
    named,
    now,
    period,
    period_form,
    planned,
    publish,
    run_id,
    score,
    settings,
    summary,
)


@dag(schedule=None, catchup=False, max_active_runs=1, doc_md=__doc__, tags=["upkeep"], default_args=DEFAULT_ARGS,
     params=period_form() | language_form())  # fmt: skip
def reextract() -> None:
    @task(doc_md="Finds the archived pages that were fetched in the period.")
    def plan() -> list[str]:
        from include.newswatch import upkeep

        return planned(lambda: upkeep.plan_reextract(settings(), run_id(), period(), now()))

    @task(map_index_template="{{ batch_name }}", doc_md="Extracts the articles of a batch's archived pages again.")
    def extract_again(batch: str) -> str:
        from include.newswatch import upkeep

        named(batch, "articles", upkeep.reextract(settings(), batch))
        return batch

    @task_group
    def pages(batch: str) -> None:
        score(extract_again(batch))

    loaded = load()
    pages.expand(batch=plan()) >> loaded >> publish() >> summary(loaded)


reextract()
