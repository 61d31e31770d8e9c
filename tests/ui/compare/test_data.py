"""The values of the marked runs: columns, differences, baseline, and short names that stay distinct."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldeck.format import Value
from mldeck.model import Column, Kind, Metric, RunQuery
from mldeck.store.store import Store
from mldeck.ui.compare.data import (
    Delta,
    Group,
    best_of,
    column_from_json,
    column_to_json,
    differs,
    group_of,
    read_runs,
)
from mldeck.ui.compare.table_lines import delta_texts
from mldeck.ui.state.columns import DURATION, EXPERIMENT
from tests import many_runs
from tests.fixture_stores import DESCRIBED_FIXTURES, FixtureStore
from tests.store.test_queries import recorded
from tests.ui.compare.compare_deck import data_of, record
from tests.ui.runs.test_live import writing

NAN, INF = math.nan, math.inf
RMSE, RATE = Column(Kind.METRIC, "rmse"), Column(Kind.PARAM, "rate")
CopyOf = Callable[[str], FixtureStore]

numbers = st.floats(allow_nan=True, allow_infinity=True)
values = st.one_of(st.none(), numbers, st.text(max_size=5))


@pytest.mark.parametrize(
    ("each", "expected"),
    [
        ((), False),
        ((1.0,), False),
        ((1.0, 1.0), False),
        ((0.0, -0.0), False),
        ((1.0, 2.0), True),
        ((NAN, NAN), False),
        ((NAN, 0.0), True),
        ((INF, -INF), True),
        ((None, None), False),
        ((None, NAN), True),
        ((None, 0.0), True),
        (("", None), True),
        (("1", "1.0"), True),
        (("NaN", NAN), True),
    ],
)
def test_what_differs(each: Sequence[Value], expected: bool) -> None:
    assert differs(each) is expected


@given(st.lists(values, max_size=6))
def test_what_differs_does_not_depend_on_the_order(each: list[Value]) -> None:
    assert differs(each) is differs(each[::-1])
    assert not differs(each[:1] * 3)


@pytest.mark.parametrize(
    ("baseline", "value", "text"),
    [
        (4.0, 5.0, "+1  +25%"),
        (-4.0, -5.0, "-1  -25%"),  # further down, whatever the sign of the baseline
        (-4.0, 4.0, "+8  +200%"),
        (2.0, 2.0, "0  0%"),
        (0.0, 3.0, "+3"),
        (0.0, 0.0, "0"),
        (3.32987, 3.32574, "-0.00413  -0.124%"),
        (1e-300, 1e300, "+1e300"),
        (3e-5, 4e-5, "+1e-5  +33.33%"),
    ],
)
def test_the_difference_from_the_baseline(baseline: float, value: float, text: str) -> None:
    delta = Delta.between(baseline, value)
    assert delta is not None
    assert delta_texts([delta]) == [text]


@pytest.mark.parametrize(
    ("baseline", "value"),
    [(None, 1.0), (1.0, None), (NAN, 1.0), (1.0, NAN), (INF, INF), (1.0, -INF), (-1.7e308, 1.7e308)],
)
def test_there_is_no_difference_between_missing_or_infinite_values(baseline: float | None, value: float | None) -> None:
    assert Delta.between(baseline, value) is None


def test_differences_have_one_precision() -> None:
    deltas = [Delta(-0.00504179, -0.0927123), None, Delta(-0.0050560123, -0.301234), Delta(0.0, None)]
    assert delta_texts(deltas) == ["-0.005042  -0.09271%", "", "-0.005056  -0.30123%", "0"]


@given(numbers, numbers)
def test_a_difference_is_a_number_whatever_it_is_of(baseline: float, value: float) -> None:
    delta = Delta.between(baseline, value)
    if delta is not None:
        assert math.isfinite(delta.difference)
        assert delta.percent is None or math.isfinite(delta.percent)
        assert (delta.difference > 0) == (value > baseline) or value == baseline
        (text,) = delta_texts([delta])
        assert "nan" not in text.lower()
        assert "inf" not in text


@given(st.lists(st.one_of(st.none(), numbers, st.text(max_size=3))), st.booleans())
def test_the_best_is_finite_and_as_good_as_any(each: list[Value], greater: bool) -> None:
    finite = [value for value in each if isinstance(value, float) and math.isfinite(value)]
    best = best_of(each, greater=greater)
    assert (best is None) == (not finite)
    assert all(best is not None and (best >= value if greater else best <= value) for value in finite)


# -- columns


def test_columns_are_grouped() -> None:
    tags = {"mlflow.user": "ada", "team": "blue", "mlflow.source.name": "train.py"}
    data = data_of(
        record(1, {"rmse": 1.0, "system/cpu": 5.0}, {"rate": "0.1"}, tags), record(2, {"rmse": 2.0}, {"depth": "3"})
    )
    assert [(group_of(each), each.key) for each in data.columns] == [
        (Group.ATTRIBUTES, "status"),
        (Group.ATTRIBUTES, "start_time"),
        (Group.ATTRIBUTES, "duration"),
        (Group.ATTRIBUTES, "experiment_id"),
        (Group.ATTRIBUTES, "mlflow.source.name"),
        (Group.METRICS, "rmse"),
        (Group.PARAMS, "depth"),
        (Group.PARAMS, "rate"),
        (Group.TAGS, "team"),
        (Group.SYSTEM_METRICS, "system/cpu"),
        (Group.SYSTEM_TAGS, "mlflow.user"),
    ]
    assert [each.key for each in data.axes] == ["rmse", "depth", "rate", "duration", "system/cpu"]
    assert data.values(RATE) == ("0.1", None)
    assert data.values(DURATION) == (1.0, 2.0)
    assert "status" not in {each.key for each in data.differing}


def test_what_is_a_number() -> None:
    data = data_of(record(1, {"rmse": NAN}, {"rate": "1e-3", "name": "x"}), record(2, {}, {"rate": "2", "name": "3"}))
    assert [each.key for each in data.numeric_axes] == ["rmse", "rate", "duration"]


@pytest.mark.parametrize("column", [RMSE, Column(Kind.PARAM, "a.b = c"), Column(Kind.ATTRIBUTE, "duration")])
def test_a_column_is_remembered(column: Column) -> None:
    assert column_from_json(column_to_json(column)) == column


@pytest.mark.parametrize("written", [None, 3, "", "metrics", "metrics.", "nothing.rmse", ["metrics", "rmse"], {}])
def test_a_saved_text_that_names_no_column_is_none(written: object) -> None:
    assert column_from_json(written) is None


# -- reading


@pytest.mark.parametrize("fixture_store", DESCRIBED_FIXTURES, indirect=True)
def test_runs_are_read_in_the_order_of_marking(fixture_store: FixtureStore) -> None:
    with closing(Store(fixture_store.db)) as store:
        ids = store.run_ids(RunQuery((fixture_store.experiment("churn"),)))[:5]
        colours = {run_id: number for number, run_id in enumerate([*ids[::-1], "gone"])}
        data = read_runs(store, colours)
        assert data.run_ids == tuple(ids[::-1])
        assert data.colours == colours
        assert data.gone == 1
        assert data.label(ids[4]).startswith("1 ")
        assert data.values(EXPERIMENT) == ("churn-baseline",) * 5
        assert data.scope_id == fixture_store.experiment("churn")
        for run_id in ids:
            details = store.run_details(run_id)
            assert details is not None
            place = data.run_ids.index(run_id)
            logged = {column.key: data.values(column)[place] for column in data.columns if column.kind is Kind.METRIC}
            known = {key: value for key, value in logged.items() if value is not None}
            assert str(known) == str({metric.key: metric.value for metric in sorted(details.metrics, key=_key)})
            assert dict(details.params) == dict(data.by_id[run_id].params)


def _key(metric: Metric) -> tuple[bool, str]:
    return metric.key.startswith("system/"), metric.key


def test_the_primary_metrics_are_read(store_copy: CopyOf) -> None:
    db = store_copy("nyc-taxi").db
    with writing(db) as connection:
        experiment_id, run_id = connection.execute("SELECT experiment_id, run_uuid FROM runs LIMIT 1").fetchone()
        for key, value in (("name", "rmse"), ("greaterIsBetter", "False")):
            tag = (f"mlflow.experiment.primaryMetric.{key}", value, experiment_id)
            connection.execute("INSERT INTO experiment_tags (key, value, experiment_id) VALUES (?, ?, ?)", tag)
    with closing(Store(db)) as store:
        assert read_runs(store, {run_id: 0}).primary == {"rmse": False}


def test_reading_many_runs_takes_hardly_more_queries_than_few(store_copy: CopyOf) -> None:
    db = store_copy("nyc-taxi").db
    many_runs.add_many_runs(db, 300)
    with closing(Store(db)) as store:
        with recorded(store) as few:
            assert len(read_runs(store, {many_runs.run_id_of(number): 0 for number in range(2)})) == 2
        with recorded(store) as many:
            assert len(read_runs(store, {many_runs.run_id_of(number): 0 for number in range(300)})) == 300
    assert len(many) <= 2 * len(few)  # a statement may hold so many ids
