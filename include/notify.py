"""Tells the operators, through Airflow's own notifiers, by each connection of these names that exists:

    alerts_apprise    any service that Apprise knows; the connection's extra holds its configuration
    alerts_smtp       mail; the connection's extra holds from_email and to
    alerts_slack      an incoming webhook of Slack

Texts are handed to the notifiers as they are, never as templates: they quote the open web, and a template could read
secrets.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from datetime import timedelta
from html import escape
from typing import Any

from airflow.sdk import BaseNotifier, Connection
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference
from airflow.sdk.exceptions import AirflowNotFoundException

from include.newswatch.alerts import load_rules
from include.newswatch.settings import load_settings

CONNECTIONS = ("alerts_apprise", "alerts_smtp", "alerts_slack")


def notifier_of(connection: Connection, title: str, text: str) -> BaseNotifier:
    """What sends a text by a connection of CONNECTIONS. Each import takes a second: not while Dag files are read."""
    name = connection.conn_id
    if name == "alerts_apprise":
        from airflow.providers.apprise.notifications.apprise import AppriseNotifier

        return AppriseNotifier(title=title, body=text, apprise_conn_id=name)
    if name == "alerts_smtp":
        from airflow.providers.smtp.notifications.smtp import SmtpNotifier

        to = connection.extra_dejson["to"]
        return SmtpNotifier(to=to, subject=title, html_content=f"<pre>{escape(text)}</pre>", smtp_conn_id=name)
    from airflow.providers.slack.notifications.slack_webhook import SlackWebhookNotifier

    return SlackWebhookNotifier(text=f"{title}\n{text}", slack_webhook_conn_id=name)


def configured() -> list[str]:
    """Those of CONNECTIONS that exist."""
    found = []
    for name in CONNECTIONS:
        with suppress(AirflowNotFoundException):
            Connection.get(name)
            found.append(name)
    return found


def send(name: str, title: str, text: str) -> None:
    """Send a text by one connection, which must be configured."""
    notifier_of(Connection.get(name), title, text).notify({})


async def run_is_late(context: dict[str, Any]) -> None:
    """Runs in the triggerer when a run of `monitor` misses its deadline, even if no worker is free."""
    run = context["dag_run"]
    title = f"newswatch: the run {run['dag_run_id']} is late"
    text = f"Queued at {run['queued_at']}, it has not ended. Which of its tasks runs, which waits? The grid shows it."
    await asyncio.gather(*(_send_async(name, title, text) for name in CONNECTIONS))


async def _send_async(name: str, title: str, text: str) -> None:
    try:
        connection = await Connection.async_get(name)
    except AirflowNotFoundException:
        return
    await notifier_of(connection, title, text).async_notify({})


def deadlines() -> list[DeadlineAlert]:
    """The rule run_late of alerts.csv for runs that do not end; one that ends late is told by its load."""
    rules, _ = load_rules(load_settings(os.environ).alerts_csv)
    return [
        DeadlineAlert(
            reference=DeadlineReference.DAGRUN_QUEUED_AT,
            interval=timedelta(minutes=rule.threshold),
            callback=AsyncCallback(run_is_late),
            name=rule.name,
        )
        for rule in rules
        if rule.name == "run_late"
    ]
