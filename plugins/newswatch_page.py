"""The operators' page in the Airflow UI, and its tab on every Dag. For people who are logged in: the whole application
depends on Airflow's own check. An Airflow that lacks it fails to import this file, and there is no page at all."""

from __future__ import annotations

import os
import secrets
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Literal

from airflow.api_fastapi.auth.managers.models.resource_details import AccessView
from airflow.api_fastapi.core_api.security import requires_access_view
from airflow.plugins_manager import AirflowPlugin
from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import HTMLResponse

from include.newswatch.model import SettingsError
from include.newswatch.page import VIEWS, Asked, render_problem, render_view
from include.newswatch.settings import load_settings
from include.newswatch.warehouse import PublishedFileError, find_published

SortedBy = Literal["outlet", "standing", "last_ok_at", "not_modified_share", "n_articles", "age_hours"]

app = FastAPI(
    docs_url=None, redoc_url=None, openapi_url=None, dependencies=[Depends(requires_access_view(AccessView.PLUGINS))]
)


@app.get("/today")
def today(day: date | None = None, dyad: str = "") -> HTMLResponse:
    now = datetime.now(UTC)
    return answer(Asked("today", now, day or now.date(), secrets.token_urlsafe(16)), dyad)


@app.get("/feeds")
def feeds(by: SortedBy = "standing", down: bool = False, dyad: str = "") -> HTMLResponse:
    now = datetime.now(UTC)
    return answer(Asked("feeds", now, now.date(), secrets.token_urlsafe(16), by, down), dyad)


@app.get("/runs")
def runs(dyad: str = "") -> HTMLResponse:
    now = datetime.now(UTC)
    return answer(Asked("runs", now, now.date(), secrets.token_urlsafe(16)), dyad)


def answer(asked: Asked, dyad: str) -> HTMLResponse:
    """The view from a dyad's published file as it is at this moment, or the page that says why there is none.

    dyad: one of the settings; empty: their first.
    """
    status, day = 200, asked.day
    try:
        by_dyad = {each.dyad: each for each in load_settings(os.environ).by_dyad()}
        asked = replace(asked, dyads=tuple(by_dyad), dyad=dyad or next(iter(by_dyad)))
        if asked.dyad not in by_dyad:
            raise HTTPException(404, f"NEWSWATCH_DYADS does not name {dyad}")
        published = by_dyad[asked.dyad].published
        html = render_view(asked, find_published(published, VIEWS[asked.view], day=day, first_day=day, last_day=day))
    except (PublishedFileError, SettingsError) as problem:
        status, html = 503, render_problem(asked, str(problem))
    headers = {
        "Content-Security-Policy": (
            f"default-src 'none'; style-src 'nonce-{asked.nonce}'; script-src 'nonce-{asked.nonce}'; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
        ),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "SAMEORIGIN",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
    return HTMLResponse(html, status, headers)


class NewswatchPlugin(AirflowPlugin):
    name = "newswatch"
    fastapi_apps = [{"app": app, "url_prefix": "/newswatch", "name": "newswatch"}]  # noqa: RUF012 Airflow's form
    external_views = [  # noqa: RUF012
        # Without a leading slash the addresses hold below a base path as well.
        {
            "name": "News",
            "href": "newswatch/today",
            "destination": "nav",
            "nav_top_level": True,
            "url_route": "newswatch",
        },
        {"name": "News", "href": "newswatch/runs", "destination": "dag", "url_route": "newswatch_runs"},
    ]
