"""What the tests share. Airflow gets a folder of its own before anything imports it."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parents[1]
AIRFLOW_HOME = Path(tempfile.gettempdir()) / f"newswatch-airflow-{os.getpid()}"

# What the operator has set, in .env say, is for the real thing: no trial reads it, no test tells anybody of its alerts.
for name in [name for name in os.environ if name.startswith(("NEWSWATCH_", "AIRFLOW_CONN_"))]:
    del os.environ[name]
os.environ.update(
    {
        "AIRFLOW_HOME": str(AIRFLOW_HOME),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{AIRFLOW_HOME}/airflow.db?timeout=30",
        "PYTHONPATH": str(ROOT),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
)

# How long an example takes says how busy the machine is, no more.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")


@pytest.fixture(scope="module")
def one_parser() -> Iterator[None]:
    """One parsing child for all steps of a module that does not test how children die: each costs a second or two."""
    from include.newswatch import pipeline
    from include.newswatch.sandbox import Sandbox

    with Sandbox(timeout_s=120) as sandbox, pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "open_sandbox", lambda settings: nullcontext(sandbox))
        yield
