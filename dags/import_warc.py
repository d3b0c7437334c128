"""Brings in the pages of known outlets from WARC files: CC-NEWS, or an archive of our own from elsewhere.

Pages of outlets that no line of include/feeds.csv stands for, enabled or not, are counted and left out. A file is known
by its content: the same one a second time adds nothing. An older copy of a page never replaces a newer text. Safe
beside `monitor`.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import Param, dag, get_current_context, task, task_group

from include.steps import DEFAULT_ARGS, extract, load, now, publish, score, settings, summary, wrong_input_is_final


@dag(
    schedule=None,
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["upkeep"],
    default_args=DEFAULT_ARGS | {"execution_timeout": timedelta(hours=2)},
    params={
        "files": Param(
            type="array", minItems=1, maxItems=100, items={"type": "string", "pattern": "^[^ ]+[.]w?arc([.]gz)?$"},
            title="Files", description="Paths that the workers see, or URLs of object storage; one a line",
        )
    },
)  # fmt: skip
def import_warc() -> None:
    @task(doc_md="The files of the form.")
    def files() -> list[str]:
        return list(get_current_context()["params"]["files"])

    @task(doc_md="Copies the pages of known outlets into the archive, as batches.")
    def copy(file: str) -> str:
        from include.newswatch import upkeep

        with wrong_input_is_final():
            run, counts = upkeep.plan_import(settings(), file, now())
        print(file, counts)
        return "" if counts.get("already_loaded") else run.folder

    @task(doc_md="The runs of the files that are not loaded yet.")
    def choose(folders: list[str]) -> list[str]:
        return [folder for folder in folders if folder]

    @task(doc_md="Their batches.")
    def batches(folders: list[str]) -> list[str]:
        from include.newswatch import pipeline

        return [batch for folder in folders for batch in pipeline.open_run(folder).batches("pages", "tasks")]

    @task_group
    def pages(batch: str) -> None:
        score(extract(batch))

    folders = choose(copy.expand(file=files()))
    loaded = load(folders)
    pages.expand(batch=batches(folders)) >> loaded >> publish() >> summary(loaded)


import_warc()
