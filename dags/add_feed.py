"""Tries a feed before it is added: fetches and reads it, shows ten entries with their dates, prints its line.

Nothing is stored and feeds.csv is not touched: append the line that the log of `try_feed` ends with to
include/feeds.csv; the next run of `monitor` polls it. `python -m include.newswatch discover URL` finds what an outlet
offers.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import Param, dag, get_current_context, task

from include.steps import DEFAULT_ARGS, SIDES, now, settings, wrong_input_is_final


@dag(
    schedule=None,
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["upkeep"],
    default_args=DEFAULT_ARGS,
    params={
        "url": Param(type="string", pattern="^https?://[^ ]+$", title="Address of the feed"),
        "outlet": Param(type="string", minLength=1, maxLength=80, title="Outlet"),
        "language": Param("en", type="string", enum=["en", "ru", "zh"], title="Language"),
        "country": Param(type="string", pattern="^[A-Z]{2}$", title="Country", description="ISO 3166-1, two letters"),
        "side": Param("third", type="string", enum=SIDES, title="Side"),
        "kind": Param("rss", type="string", enum=["rss", "list_page"], title="Kind",
                      values_display={"rss": "any feed or sitemap", "list_page": "HTML page with links"}),
        "section": Param("", type="string", title="Section"),
        "time_zone": Param("UTC", type="string", title="Time zone", description="IANA name, for dates without one"),
        "article_pattern": Param("", type="string", title="Pattern of article links", description="For list pages"),
    },
)  # fmt: skip
def add_feed() -> None:
    @task(pool="web", doc_md="Fetches and reads the feed; its log shows the entries and the line for feeds.csv.")
    def try_feed() -> dict[str, Any]:
        from include.newswatch import upkeep

        values = {name: str(value) for name, value in get_current_context()["params"].items()}
        with wrong_input_is_final():
            found = upkeep.try_feed(settings(), values, now())
        print(upkeep.render_trial(found))
        return {name: found[name] for name in ("kind", "n_entries", "n_dated", "line", "permanent_url")}

    try_feed()


add_feed()
