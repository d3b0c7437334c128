"""Fetches what an outlet published in a period that nobody was there to monitor, from its sitemaps.

Begins at the sitemaps that the outlet's robots.txt names, or at the one in the form, and follows indexes. A page counts
by its date of publication there, else by that of its last change. Pages that are known already are not fetched again.
The manners are those of `monitor`: at two seconds a page, a thousand pages take most of an hour. Safe beside `monitor`.

For archives of others (CC-NEWS) there is `import_warc`.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import Param, dag, get_current_context, task, task_group

from include.steps import (
    DEFAULT_ARGS,
    extract,
    fetch,
    load,
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

WEB_ADDRESS = "^https?://[^ ]+$"


@dag(
    schedule=None,
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["upkeep"],
    default_args=DEFAULT_ARGS | {"execution_timeout": timedelta(hours=2)},
    params={
        "feed_url": Param(type="string", pattern=WEB_ADDRESS, title="Feed", description="As in feeds.csv"),
        **period_form(),
        "sitemap": Param(None, type=["null", "string"], pattern=WEB_ADDRESS, title="Sitemap",
                         description="Where to begin, if not at what robots.txt names"),
        "max_pages": Param(1000, type="integer", minimum=1, maximum=20_000, title="Pages at most"),
    },
)  # fmt: skip
def backfill() -> None:
    @task(pool="web", doc_md="Reads the sitemaps and writes the pages of the period as batches.")
    def plan() -> list[str]:
        from include.newswatch import upkeep

        params = get_current_context()["params"]
        feed_url, sitemap, max_pages = (params[name] for name in ("feed_url", "sitemap", "max_pages"))
        return planned(
            lambda: upkeep.plan_backfill(settings(), run_id(), feed_url, sitemap or "", period(), max_pages, now())
        )

    @task_group
    def pages(batch: str) -> None:
        score(extract(fetch(batch)))

    loaded = load()
    pages.expand(batch=plan()) >> loaded >> publish() >> summary(loaded)


backfill()
