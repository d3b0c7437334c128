"""The real api-server lets nobody at our routes who is not logged in, and a viewer look but not trigger."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from pathlib import Path

import pytest

from include.newswatch import warehouse
from tests.newsroom.serve import free_port

pytestmark = pytest.mark.slow

ROUTES = ("today", "today?day=2026-01-31", "feeds", "feeds?by=outlet&down=true", "runs", "runs?dyad=india_china")
PASSWORD = "a-password-of-the-test"  # noqa: S105


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Message
    text: str


@dataclass(frozen=True)
class Server:
    base: str
    home: Path

    def ask(self, path: str, body: object = None, **headers: str) -> Answer:
        request = urllib.request.Request(
            f"{self.base}/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"} | headers,
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as found:
                return Answer(found.status, found.headers, found.read().decode())
        except urllib.error.HTTPError as refused:
            return Answer(refused.code, refused.headers, refused.read().decode())

    def token(self, user: str) -> str:
        answer = self.ask("auth/token", {"username": user, "password": PASSWORD})
        return str(json.loads(answer.text)["access_token"])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home, port = tmp_path_factory.mktemp("airflow"), free_port()
    (home / "passwords.json").write_text(json.dumps({"ada": PASSWORD, "vera": PASSWORD}))
    environment = os.environ | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db?timeout=30",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "ada:admin,vera:viewer",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "NEWSWATCH_DATA_DIR": str(home / "data"),
        "NEWSWATCH_DYADS": "china_russia,india_china",
    }
    for command in (["airflow", "db", "migrate"], ["airflow", "dags", "reserialize"]):
        subprocess.run(command, env=environment, check=True, capture_output=True)
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            ["airflow", "api-server"], env=environment, stdout=log, stderr=log, start_new_session=True
        )
    running = Server(f"http://127.0.0.1:{port}", home)
    try:
        wait_until_healthy(running, process)
        yield running
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(timeout=60)


def wait_until_healthy(server: Server, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if server.ask("api/v2/monitor/health").status == 200:
                return
        except urllib.error.URLError:
            time.sleep(0.5)
    pytest.fail((server.home / "log").read_text()[-3000:])


@pytest.mark.parametrize("route", ROUTES)
def test_strangers_are_refused_and_viewers_see_the_page(server: Server, route: str) -> None:
    for folder in (server.home / "data", server.home / "data" / "india_china"):
        with warehouse.open_warehouse(folder / "relations.duckdb"):
            pass
    assert server.ask(f"newswatch/{route}").status == 401
    assert server.ask(f"newswatch/{route}", Authorization="Bearer aa.bb.cc").status == 403
    assert server.ask(f"newswatch/{route}", Cookie="_token=aa.bb.cc").status in (401, 403)
    seen = server.ask(f"newswatch/{route}", Cookie=f"_token={server.token('vera')}")
    assert (seen.status, seen.text[:15]) == (200, "<!doctype html>")
    assert "default-src 'none'" in seen.headers["Content-Security-Policy"]
    assert seen.headers["Cache-Control"] == "no-store"


def test_no_route_of_ours_stays_outside_the_list() -> None:
    from plugins.newswatch_page import app  # type: ignore[import-not-found]

    assert {route.path.lstrip("/") for route in app.routes} == {route.split("?")[0] for route in ROUTES}


def test_a_broken_or_missing_file_makes_a_page_and_no_traceback(server: Server) -> None:
    path = server.home / "data" / "relations.duckdb"
    cookie = f"_token={server.token('vera')}"
    path.unlink(missing_ok=True)
    missing = server.ask("newswatch/runs", Cookie=cookie)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"half a file")
    broken = server.ask("newswatch/runs", Cookie=cookie)
    assert (missing.status, broken.status) == (503, 503)
    assert "does not exist yet" in missing.text
    assert "cannot be read" in broken.text
    assert "Traceback" not in missing.text + broken.text


def test_only_a_pair_of_countries_of_the_settings_is_shown(server: Server) -> None:
    cookie = f"_token={server.token('vera')}"
    answers = [server.ask(f"newswatch/runs?dyad={name}", Cookie=cookie) for name in ("china_narnia", "../..", "%00<b>")]
    assert [answer.status for answer in answers] == [404] * 3
    assert "application/json" in answers[2].headers["Content-Type"]
    assert "NEWSWATCH_DYADS does not name china_narnia" in answers[0].text


def test_a_viewer_looks_but_does_not_trigger(server: Server) -> None:
    viewer = {"Authorization": f"Bearer {server.token('vera')}"}
    admin = {"Authorization": f"Bearer {server.token('ada')}"}
    assert server.ask("api/v2/dags/monitor", **viewer).status == 200
    assert server.ask("api/v2/dags/monitor/dagRuns", {"logical_date": None}, **viewer).status == 403
    assert server.ask("api/v2/dags/monitor/dagRuns", {"logical_date": None}, **admin).status == 200


def test_the_ui_is_told_of_the_page_and_the_tab(server: Server) -> None:
    plugins = json.loads(server.ask("api/v2/plugins", Authorization=f"Bearer {server.token('ada')}").text)
    (ours,) = [plugin for plugin in plugins["plugins"] if plugin["name"] == "newswatch"]
    assert {view["destination"] for view in ours["external_views"]} == {"nav", "dag"}


def test_no_password_is_in_the_log(server: Server) -> None:
    assert PASSWORD not in (server.home / "log").read_text()
