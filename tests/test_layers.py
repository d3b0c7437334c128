"""The rooms keep their walls: the core knows no Airflow, no database, no network, no clock of its own."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.conftest import ROOT

DOORS = {"web", "warehouse", "archive", "pipeline", "outputs", "upkeep", "__main__"}
FORBIDDEN_IN_CORE = {"airflow", "duckdb", "httpx", "httpx2", "requests", "urllib3", "aiohttp"}
PACKAGE = ROOT / "include" / "newswatch"


def imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def test_nothing_of_the_pipeline_imports_airflow() -> None:
    for path in modules():
        assert not {name for name in imports(path) if name.split(".")[0] == "airflow"}, path


def test_the_core_imports_no_door() -> None:
    for path in modules():
        if path.stem in DOORS:
            continue
        found = imports(path)
        assert not {name.split(".")[0] for name in found} & FORBIDDEN_IN_CORE, path
        assert not {name.split(".")[-1] for name in found if name.startswith("include.newswatch.")} & DOORS, path


def test_only_the_warehouse_speaks_to_the_database() -> None:
    for path in modules():
        if path.stem != "warehouse":
            assert "duckdb" not in imports(path), path


def test_the_model_needs_the_standard_library_only() -> None:
    assert imports(PACKAGE / "model.py") <= {"__future__", "dataclasses", "datetime", "typing", "collections.abc"}


def test_dag_files_import_the_pipeline_only_when_a_task_runs() -> None:
    for path in sorted((ROOT / "dags").glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        top = {node.module or "" for node in tree.body if isinstance(node, ast.ImportFrom)}
        assert not {name for name in top if name.startswith("include.newswatch")}, path
