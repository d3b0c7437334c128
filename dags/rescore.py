"""Scores the articles of a period anew: after a new codebook or a new scorer.

Only articles that the present version of a pair of countries has not scored are taken, so a second run finds nothing
left, and one that was stopped goes on where it was. They are scored for every pair of NEWSWATCH_DYADS, or for the one
of the form. The old scores stay; the view `current_scores` and everything built on it show the newest. Safe beside
`monitor`. Whole years are better done in several runs: a thousand articles take about a minute on one core and pair.
"""

from __future__ import annotations

from airflow.sdk import dag, task

from include.steps import (
    DEFAULT_ARGS,
    dyad_form,
    language_form,
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


@dag(schedule=None, catchup=False, max_active_runs=1, doc_md=__doc__, tags=["upkeep"], default_args=DEFAULT_ARGS,
     params=period_form() | language_form() | dyad_form())  # fmt: skip
def rescore() -> None:
    @task(doc_md="Finds the articles of the period that the present scorer has not scored.")
    def plan() -> list[str]:
        from include.newswatch import upkeep

        return planned(lambda: upkeep.plan_rescore(settings(), run_id(), period(), now()))

    loaded = load()
    score.expand(batch=plan()) >> loaded >> publish() >> summary(loaded)


rescore()
