"""The operators' page in the Airflow UI, and its tab on every Dag. For people who are logged in: the whole application
depends on Airflow's own check. An Airflow that lacks it fails to import this file, and there is no page at all."""

from __future__ import annotations

import os
import secrets
from datetime import UTC, date, datetime
from typing import Literal

from airflow.api_fastapi.auth.managers.models.resource_details import AccessView
from airflow.api_fastapi.core_api.security import requires_access_view
from airflow.plugins_manager import AirflowPlugin
from fastapi import Depends, FastAPI
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
def today(day: date | None = None) -> HTMLResponse:
    now = datetime.now(UTC)
    return answer(Asked("today", now, day or now.date(), secrets.token_urlsafe(16)))


@app.get("/feeds")
def feeds(by: SortedBy = "standing", down: bool = False) -> HTMLResponse:
    now = datetime.now(UTC)
    return answer(Asked("feeds", now, now.date(), secrets.token_urlsafe(16), by, down))


@app.get("/runs")
def runs() -> HTMLResponse:
    now = datetime.now(UTC)
    return answer(Asked("runs", now, now.date(), secrets.token_urlsafe(16)))


def answer(asked: Asked) -> HTMLResponse:
    """The view from the published file as it is at this moment, or the page that says why there is none."""
    status = 200
    try:
        published, day = load_settings(os.environ).published, asked.day
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
