"""Airflow's own notifiers carry our texts as they are, by the connections that exist."""

from __future__ import annotations

import asyncio
import json

import pytest

from include import notify
from tests.loopback import Asked, LoopbackServer, loopback, says

HOSTILE = "A page said {{ 7 * 7 }} and {{ conn.alerts_smtp.password }} <b>&"


@pytest.fixture
def service() -> object:
    with loopback({"*": says(b"ok")}) as server:
        yield server


def connect(monkeypatch: pytest.MonkeyPatch, server: LoopbackServer) -> None:
    config = {"config": {"path": f"json://127.0.0.1:{server.port}/alerts", "tag": "ops"}}
    monkeypatch.setenv("AIRFLOW_CONN_ALERTS_APPRISE", json.dumps({"conn_type": "apprise", "extra": config}))
    slack = {"conn_type": "slackwebhook", "host": server.url("/services/"), "password": "T0/B0/secret"}
    monkeypatch.setenv("AIRFLOW_CONN_ALERTS_SLACK", json.dumps(slack))


@pytest.mark.parametrize("name", ["alerts_apprise", "alerts_slack"])
def test_a_text_arrives_word_for_word_and_is_no_template(
    name: str, service: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(monkeypatch, service)
    assert notify.configured() == ["alerts_apprise", "alerts_slack"]
    notify.send(name, "newswatch: 1 opened", HOSTILE)
    (asked,) = service.asked
    assert "{{ 7 * 7 }}" in asked.body.decode()
    assert "49" not in asked.body.decode()


def test_a_late_run_is_told_by_every_connection(service: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, service)
    asyncio.run(notify.run_is_late({"dag_run": {"dag_run_id": "scheduled__x", "queued_at": "2026-03-01T12:00:00Z"}}))
    bodies: list[Asked] = service.asked
    assert len(bodies) == 2
    assert all("scheduled__x is late" in asked.body.decode() for asked in bodies)


def test_the_deadline_is_the_threshold_of_the_rule() -> None:
    (deadline,) = notify.deadlines()
    assert deadline.interval.total_seconds() == 75 * 60
    assert deadline.callback.path == "include.notify.run_is_late"
