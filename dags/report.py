"""Writes the brief of the day whenever a published database has changed.

The brief is `reports/YYYY-MM-DD.html` in the data folder; `latest.html` beside it is the newest.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import dag, task

from include.steps import DEFAULT_ARGS, RELATIONS, now, settings


@dag(
    schedule=[RELATIONS],
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["news"],
    default_args=DEFAULT_ARGS | {"execution_timeout": timedelta(minutes=10)},
)
def report() -> None:
    @task(doc_md="Writes the brief of each pair of countries from its published database.")
    def write_brief() -> list[dict[str, Any]]:
        from include.newswatch import outputs

        return [outputs.report(dyad, now().date()) for dyad in settings().by_dyad() if dyad.published.exists()]

    write_brief()


report()
