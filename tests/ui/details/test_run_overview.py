"""The lines of the overview about datasets, and about a run that has logged nothing for long."""

from __future__ import annotations

import json

import pytest

from mldeck.model import DatasetInput, Pace, Run, RunDetails
from mldeck.ui.details.run_overview import dataset_lines, overview_lines
from mldeck.ui.kit.clock import Clock


def shown(source: str, schema: str | None = None, profile: str | None = None) -> list[tuple[str, str]]:
    dataset = DatasetInput("train", "abc", "local", source, "training", schema, profile)
    return [(line.name, line.text) for line in dataset_lines(dataset)]


def test_rows_columns_and_source_of_a_dataset() -> None:
    schema = json.dumps({"mlflow_colspec": [{"type": "double", "name": "x"}, {"type": "long"}, "odd"]})
    assert shown('{"uri": "s3://me:secret@b/x"}', schema, '{"num_rows": 50000}') == [
        ("dataset", "train abc as training (local), 50,000 rows, from s3://me:***@b/x"),
        ("columns", "x double, ? long, ?"),
    ]


def test_many_columns_are_counted() -> None:
    schema = json.dumps({"mlflow_colspec": [{"type": "long", "name": f"c{number}"} for number in range(1_200)]})
    (_, (_, columns)) = shown("{}", schema)
    assert columns.startswith("c0 long, c1 long, ")
    assert columns.endswith("c19 long, and 1,180 more")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "5", '{"uri": 5}', '{"num_rows": "x"}', '{"mlflow_colspec": {}}', "[" * 9999]
)
def test_invalid_descriptions_are_left_out(text: str) -> None:
    assert shown(text, text, text) == [("dataset", "train abc as training (local)")]


def test_a_dataset_of_numpy() -> None:
    """The description that MLflow 3.17 writes: JSON within JSON, a shape instead of rows, the logging code as the source."""
    tensor = {"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 1408]}}
    schema = {"mlflow_tensorspec": {"features": json.dumps([tensor, "odd"]), "targets": None, "more": "["}}
    tags = {"tags": {"mlflow.user": "root", "mlflow.source.name": "make_taxi.py"}}
    assert shown(
        json.dumps(tags), json.dumps(schema), '{"features_shape": [4000, 1408], "features_size": 5632000}'
    ) == [
        ("dataset", "train abc as training (local), 4,000 rows, from make_taxi.py"),
        ("columns", "features float32 [-1, 1408]"),
    ]


@pytest.mark.parametrize(
    ("pace", "status"),
    [
        (Pace(1_000, 0, is_measured=False), "! RUNNING, but no metric for 1h"),
        (Pace(1_000, 60_000), "! RUNNING, but no metric for 1h; usually one every 1m 00s"),
        (Pace(3_500_000, 60_000), "► RUNNING"),
        (None, "► RUNNING"),
    ],
)
def test_how_long_a_run_has_logged_nothing(pace: Pace | None, status: str) -> None:
    run = Run("a", "a run", "1", "RUNNING", "active", 1_000)
    lines = overview_lines(RunDetails(run, "e", pace=pace), Clock(lambda: 3_700_000))
    assert next(iter(lines)).text == status
