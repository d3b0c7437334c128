"""Writes the brief of the day whenever a published database has changed.

The brief is `reports/YYYY-MM-DD.html` in the data folder; `latest.html` beside it is the newest.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, dag, task

RELATIONS = Asset("relations", uri="file://relations/relations.duckdb")


@dag(
    schedule=[RELATIONS],
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["news"],
    default_args={
        "retries": 2,
        "retry_delay": timedelta(seconds=20),
        "execution_timeout": timedelta(minutes=10),
    },
)
def report() -> None:
    @task(doc_md="Writes the brief of each pair of countries from its published database.")
    def write_brief() -> list[dict[str, Any]]:
        import os
        from datetime import UTC, datetime

        from include.newswatch import outputs
        from include.newswatch.settings import load_settings

        today = datetime.now(UTC).date()
        dyads = load_settings(os.environ).by_dyad()
        return [outputs.report(dyad, today) for dyad in dyads if dyad.published.exists()]

    write_brief()


report()
