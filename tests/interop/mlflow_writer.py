"""The real MLflow in a process of its own, told what to do line by line.

Run as `python mlflow_writer.py`: each line of input is a JSON list, the name of one of the functions below and its
arguments; each line of output is the JSON of what it returned, or of `{"error": ...}`.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlflow import MlflowClient


@cache
def client(db: str) -> MlflowClient:
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=f"sqlite:///{db}", registry_uri=f"sqlite:///{db}")


def ready() -> str:
    """Imports what takes long."""
    import mlflow

    return str(mlflow.__version__)


def create_experiment(db: str, name: str) -> str:
    return str(client(db).create_experiment(name))


def create_run(db: str, experiment_id: str, name: str) -> str:
    return str(client(db).create_run(experiment_id, run_name=name).info.run_id)


def log_metric(db: str, run_id: str, key: str, value: float, step: int = 0) -> None:
    client(db).log_metric(run_id, key, value, step=step)


def log_param(db: str, run_id: str, key: str, value: str) -> None:
    client(db).log_param(run_id, key, value)


def set_tag(db: str, run_id: str, key: str, value: str) -> None:
    client(db).set_tag(run_id, key, value)


def end_run(db: str, run_id: str, status: str = "FINISHED") -> None:
    client(db).set_terminated(run_id, status)


def delete_run(db: str, run_id: str) -> None:
    client(db).delete_run(run_id)


def run_names(db: str, experiment_id: str) -> list[str]:
    """By MLflow's own search. Opening the database migrates it, if it is of an older release."""
    found = client(db).search_runs([experiment_id], max_results=1000)
    return [str(run.info.run_name) for run in found]


def metric_of(db: str, run_id: str, key: str) -> float:
    return float(client(db).get_run(run_id).data.metrics[key])


def log_steps(db: str, run_id: str, key: str, steps: list[int]) -> None:
    """One point after the other, each with a value of its own."""
    for count, step in enumerate(steps):
        client(db).log_metric(run_id, key, count + 0.5, step=step)


def metric_history(db: str, run_id: str, key: str) -> list[list[float]]:
    """Step, timestamp and value of each point."""
    return [[point.step, point.timestamp, point.value] for point in client(db).get_metric_history(run_id, key)]


def hammer(db: str, run_id: str, count: int) -> dict[str, Any]:
    """Logs metrics one by one as fast as it can: how many, how long the longest took, and what went wrong."""
    longest, errors = 0.0, []
    for step in range(count):
        started = time.monotonic()
        try:
            client(db).log_metric(run_id, "hammered", float(step), step=step)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what the test wants to know
            errors.append(repr(error))
        longest = max(longest, time.monotonic() - started)
    return {"count": count, "longest": longest, "errors": errors}


def promote(db: str, model: str, version: str, count: int) -> dict[str, Any]:
    """Moves a version between Staging and Production as fast as it can, archiving what is there: what went wrong."""
    errors = []
    for number in range(count):
        stage = ("Staging", "Production")[number % 2]
        try:
            client(db).transition_model_version_stage(model, version, stage, archive_existing_versions=True)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what the test wants to know
            errors.append(repr(error))
    return {"count": count, "errors": errors}


def register(db: str, model: str, count: int) -> dict[str, Any]:
    """Registers versions as fast as it can: which numbers they got, and what went wrong."""
    numbers, errors = [], []
    for _ in range(count):
        try:
            numbers.append(int(client(db).create_model_version(model, "s3://bucket/theirs").version))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what the test wants to know
            errors.append(repr(error))
    return {"numbers": numbers, "errors": errors}


_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        ready, create_experiment, create_run, log_metric, log_param, set_tag, end_run, delete_run, run_names, metric_of,
        log_steps, metric_history, hammer, promote, register,
    )
}  # fmt: skip


def main() -> None:
    # Whatever MLflow prints must not stand between the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        try:
            answer = _FUNCTIONS[name](*arguments)
        except Exception as error:  # noqa: BLE001 - it is the answer
            answer = {"error": repr(error)}
        print(json.dumps(answer), file=answers)


if __name__ == "__main__":
    main()
