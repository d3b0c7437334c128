"""What `make` and the compose file read from .env, and what reaches a recipe."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.demo import demo_environment

ALERTS = """{"conn_type": "apprise", "extra": {"url": "ntfys://a/b#c", "who": "it's $HOME, $(date) $$"}}"""


def environment_of_a_recipe(folder: Path, env_file: str | None, **shell: str) -> dict[str, str]:
    if env_file is not None:
        (folder / ".env").write_text(env_file)
    found = subprocess.run(
        ["make", "--silent", "--file", str(ROOT / "Makefile"), "--eval", "show: ; @env -0", "show"],
        cwd=folder, env={"PATH": os.environ["PATH"]} | shell, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return dict(line.split("=", 1) for line in found.split("\0") if line)


def test_lines_of_the_env_file_reach_a_recipe_as_they_stand(tmp_path: Path) -> None:
    lines = [
        "# a comment", f"AIRFLOW_CONN_ALERTS_APPRISE='{ALERTS}'", f"PLAIN={ALERTS}", 'AWS_S3_KEY_2="a b"', "ONE='1'",
        "AIRFLOW__CORE__PARALLELISM=16  # a remark", "AIRFLOW__API__PORT=8099\r", "not a setting",
    ]  # fmt: skip
    found = environment_of_a_recipe(tmp_path, "\n".join(lines))

    assert found["AIRFLOW_CONN_ALERTS_APPRISE"] == found["PLAIN"] == ALERTS
    assert (found["AWS_S3_KEY_2"], found["ONE"], found["AIRFLOW__CORE__PARALLELISM"]) == ("a b", "1", "16")
    assert found["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:8099/execution/"


def test_what_the_shell_has_set_is_stronger_than_the_env_file(tmp_path: Path) -> None:
    shell = {"NEWSWATCH_CONTACT": "me $x #1", "NEWSWATCH_MAX_BATCHES": "3"}
    found = environment_of_a_recipe(tmp_path, "NEWSWATCH_CONTACT=\nNEWSWATCH_MAX_BATCHES=9\n", **shell)

    assert shell.items() <= found.items()


@pytest.mark.parametrize("env_file", [None, "", "NEWSWATCH_CONTACT=\nAIRFLOW__CORE__PARALLELISM=''\n"])
def test_without_values_in_the_env_file_the_defaults_hold(tmp_path: Path, env_file: str | None) -> None:
    found = environment_of_a_recipe(tmp_path, env_file)

    assert "NEWSWATCH_CONTACT" not in found
    assert found["AIRFLOW__CORE__PARALLELISM"] == "4"


def test_the_demo_heeds_no_setting_of_the_operator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWSWATCH_BATCH_DIR", "s3://real")
    monkeypatch.setenv("AIRFLOW_CONN_ALERTS_SLACK", "{}")
    monkeypatch.setenv("AIRFLOW__CORE__PARALLELISM", "4")

    found = demo_environment(tmp_path, 1)
    assert "NEWSWATCH_BATCH_DIR" not in found and "AIRFLOW_CONN_ALERTS_SLACK" not in found
    assert found["AIRFLOW__CORE__PARALLELISM"] == "4"


def test_the_example_names_all_that_the_compose_file_takes_from_the_env_file() -> None:
    taken = set(re.findall(r"(?<!\$)\$\{(\w+)", (ROOT / "docker-compose.yml").read_text(encoding="utf-8")))
    named = set(re.findall(r"^(?:# )?(\w+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE))

    assert taken == named
