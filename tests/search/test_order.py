"""`order_by` items, against what MLflow 3.17.2 makes of them (its answers are written out here)."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from mldeck.errors import MldeckError
from mldeck.model import Column, Kind, OrderKey
from mldeck.search.errors import SearchError
from mldeck.search.order import parse_order, parse_orders

ACCEPTED = [
    ("metrics.rmse", Kind.METRIC, "rmse", False),
    ("metrics.rmse ASC", Kind.METRIC, "rmse", False),
    ("metrics.rmse DESC", Kind.METRIC, "rmse", True),
    ("metric.rmse  dEsC", Kind.METRIC, "rmse", True),
    ("metrics.rmse\nDESC", Kind.METRIC, "rmse", True),
    ("metrics.rmse `desc`", Kind.METRIC, "rmse", True),
    ("params.`a b`", Kind.PARAM, "a b", False),
    ("params.`a  b/c-d:e` DESC", Kind.PARAM, "a  b/c-d:e", True),
    ('param."a b" desc', Kind.PARAM, "a b", True),
    ("parameter.'a b'", Kind.PARAM, "a b", False),
    ("parameters.a.b.c", Kind.PARAM, "a.b.c", False),
    ('tags."x"', Kind.TAG, "x", False),
    ("tag.mlflow.source.name", Kind.TAG, "mlflow.source.name", False),
    ("tags.ünï", Kind.TAG, "ünï", False),
    ("tags._private", Kind.TAG, "_private", False),
    ("`tags`.`x`", Kind.TAG, "x", False),
    ("start_time", Kind.ATTRIBUTE, "start_time", False),
    ("attributes.start_time ASC", Kind.ATTRIBUTE, "start_time", False),
    ("attribute.end_time desc", Kind.ATTRIBUTE, "end_time", True),
    ("attr.status", Kind.ATTRIBUTE, "status", False),
    ("run.run_name", Kind.ATTRIBUTE, "run_name", False),
    ("run_id", Kind.ATTRIBUTE, "run_id", False),
    ("user_id", Kind.ATTRIBUTE, "user_id", False),
    ("artifact_uri", Kind.ATTRIBUTE, "artifact_uri", False),
    ("created", Kind.ATTRIBUTE, "start_time", False),
    ("attributes.Created DESC", Kind.ATTRIBUTE, "start_time", True),
    ("`start_time`", Kind.ATTRIBUTE, "start_time", False),
    ('"start_time" desc', Kind.ATTRIBUTE, "start_time", True),
    # SQL keywords are ordinary keys, but for a handful.
    ("metrics.desc desc", Kind.METRIC, "desc", True),
    ("metrics.select", Kind.METRIC, "select", False),
    ("metrics.index", Kind.METRIC, "index", False),
    # Quirks: quotes that the shell rules take off when a direction follows; digits; the alias of an attribute.
    ("`metrics.rmse` DESC", Kind.METRIC, "rmse", True),
    ("metrics.`a`.b", Kind.METRIC, "`a`.b", False),
    ("metrics.`a`.b ASC", Kind.METRIC, "a.b", False),
    ("metrics.1a", Kind.METRIC, "1a", False),
    ("params.0 DESC", Kind.PARAM, "0", True),
    ("metrics.created", Kind.METRIC, "start_time", False),
]

REJECTED = [
    ("", 0),
    ("   ", 0),
    (" start_time", 0),
    ("start_time ", 11),
    ("start_time DESC ", 15),
    ("metrics.rmse foo", 13),
    ("metrics.a-b", 9),
    ("metrics.a/b DESC", 9),
    ("metrics.a b", 10),
    ("metrics.rmse NULLS FIRST", 13),
    ("metrics.rmse DESC NULLS LAST", 17),
    ("metrics.rmse DESC, metrics.b", 17),
    ("metrics.rmse; ", 12),
    ("metrics.x asc desc", 13),
    ("metrics. rmse", 9),
    ("foo.bar", 0),
    ("Metrics.x", 0),
    ("`metrics.rmse`", 0),
    ("'start_time'", 0),
    ("dataset.name", 0),
    ("datasets.digest DESC", 0),
    ("lifecycle_stage", 0),
    ("attributes.experiment_id", 11),
    ("attributes.duration", 11),
    ("run name", 4),
    ("attributes.`run name`", 11),
    ("metrics", 0),
    ("metrics.`a b", 8),
    ('metrics.`a"b`', 0),
    ("metrics.1", 8),
    ("metrics.12b", 8),
    ("metrics.1e5", 8),
    ("metrics.in", 8),
    ("metrics.values", 8),
    ("metrics.rmse -- why", 13),
]


@pytest.mark.parametrize(("text", "kind", "key", "descending"), ACCEPTED)
def test_what_mlflow_accepts_means_the_same(text: str, kind: Kind, key: str, descending: bool) -> None:
    assert parse_order(text) == OrderKey(Column(kind, key), descending)


@pytest.mark.parametrize(("text", "position"), REJECTED)
def test_what_mlflow_rejects_is_an_error_with_its_place(text: str, position: int) -> None:
    with pytest.raises(SearchError) as caught:
        parse_order(text)
    assert caught.value.position == position
    assert position <= caught.value.end <= len(text)
    assert isinstance(caught.value, MldeckError)


@pytest.mark.parametrize("text", ["metrics.", "metrics. DESC", "metrics.*", "metrics.x()", "metrics.x[0]"])
def test_names_that_nothing_can_have_are_errors_although_mlflow_takes_them(text: str) -> None:
    with pytest.raises(SearchError):
        parse_order(text)


def test_the_message_says_what_was_expected() -> None:
    with pytest.raises(SearchError, match="Expected ASC, DESC or the end, found 'down'"):
        parse_order("metrics.rmse down")
    with pytest.raises(SearchError, match=r"start_time, end_time, run_name.*metrics\.rmse"):
        parse_order("rmse")


def test_a_list_of_items() -> None:
    assert parse_orders([]) == ()
    assert parse_orders(["status ASC", "metrics.rmse DESC"]) == (
        OrderKey(Column(Kind.ATTRIBUTE, "status")),
        OrderKey(Column(Kind.METRIC, "rmse"), True),
    )


@pytest.mark.parametrize(
    "items", [["start_time", "created DESC"], ["metrics.a", "metric.`a` DESC"], ["params.x", "tags.x", "parameters.x"]]
)
def test_a_column_twice_is_an_error_as_in_mlflow(items: list[str]) -> None:
    with pytest.raises(SearchError, match="twice") as caught:
        parse_orders(items)
    assert caught.value.item == len(items) - 1


def test_an_error_in_a_list_says_which_item() -> None:
    with pytest.raises(SearchError) as caught:
        parse_orders(["start_time", "metrics.rmse down"])
    assert (caught.value.item, caught.value.position) == (1, 13)


def test_nothing_heavy_is_imported() -> None:
    code = "import sys, mldeck.search.order; print(*sorted(m for m in sys.modules if m in ('lark', 'sqlalchemy')))"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == ""
