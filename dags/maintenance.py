"""Keeps the house in order, once a day at 03:40 UTC. Safe beside `monitor`.

**tidy** removes batch files of runs older than NEWSWATCH_RUN_DAYS and months of the archive older than
NEWSWATCH_ARCHIVE_DAYS → **compact** writes the warehouse anew where a quarter of it is free → **publish** → **check**
is red when the published file or the archive is not sound → **export** writes everything as Parquet.
**clean_metadata** removes what Airflow itself remembers of runs older than the form says.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import CronTriggerTimetable, Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from include.steps import DEFAULT_ARGS, now, publish, settings


@dag(
    schedule=CronTriggerTimetable("40 3 * * *", timezone="UTC"),
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["upkeep"],
    default_args=DEFAULT_ARGS,
    params={
        "metadata_days": Param(
            30, type="integer", minimum=7, maximum=3650, title="Days that Airflow remembers its own runs"
        )
    },
)
def maintenance() -> None:
    @task(doc_md="Removes batch files and archive months that are older than they are kept.")
    def tidy() -> dict[str, Any]:
        from include.newswatch import upkeep

        return upkeep.tidy(settings(), now())

    @task(pool="duckdb_writer", doc_md="Gives back the free blocks of the warehouse, where they are many.")
    def compact() -> list[dict[str, Any]]:
        from include.newswatch import upkeep

        return [upkeep.compact(dyad) for dyad in settings().by_dyad()]

    @task(retries=0, doc_md="Red when the published file or the archive is not sound; its log says what is wrong.")
    def check() -> None:
        from include.newswatch import upkeep

        faults = [fault for dyad in settings().by_dyad() for fault in upkeep.check_integrity(dyad, now())]
        if faults:
            raise AirflowFailException("; ".join(faults))

    @task(trigger_rule="all_done", doc_md="Writes every published table and view as Parquet below export/.")
    def export() -> list[dict[str, Any]]:
        from include.newswatch import outputs

        return [outputs.export(dyad, now()) for dyad in settings().by_dyad() if dyad.published.exists()]

    @task(doc_md="Removes old runs from Airflow's own database: `airflow db clean`.")
    def clean_metadata() -> None:
        import os
        import subprocess
        from datetime import timedelta

        # Airflow hides its database from tasks, on purpose; this one is told where it is.
        database = os.environ.get("METADATA_DATABASE")
        if not database:
            raise AirflowSkipException("METADATA_DATABASE is not set: run `airflow db clean` by hand")
        before = now() - timedelta(days=get_current_context()["params"]["metadata_days"])
        command = ["airflow", "db", "clean", "--clean-before-timestamp", before.isoformat(), "--skip-archive", "--yes"]
        done = subprocess.run(  # noqa: S603 - nothing of it comes from outside
            command, env=os.environ | {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database}, capture_output=True, text=True
        )
        print(done.stdout[-5000:])
        if done.returncode:
            raise AirflowFailException(f"airflow db clean: {done.stderr[-2000:]}")

    tidy() >> compact() >> publish() >> check() >> export()
    clean_metadata()


maintenance()
