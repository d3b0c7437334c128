"""Airflow's LocalExecutor, its workers forked with the imports of the tasks done, once for all of them.

Every task is a fork of a worker. With the plain executor each imports the task SDK and the pipeline anew: two seconds
of CPU, which the work of most tasks does not take.
"""

from __future__ import annotations

from importlib import import_module

from airflow.executors.local_executor import LocalExecutor

PRELOADED = (
    "airflow.sdk.execution_time.supervisor",
    "airflow.sdk.execution_time.task_runner",
    "include.newswatch.outputs",
    "include.newswatch.pipeline",
)


class PreloadedExecutor(LocalExecutor):
    """Set as AIRFLOW__CORE__EXECUTOR=include.executor.PreloadedExecutor."""

    def start(self) -> None:
        for module in PRELOADED:
            import_module(module)
        super().start()
