"""The lines of the table of marked runs, the order of the runs, the cells, and the exported file."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldeck.format import MISSING, cell_width, safe
from mldeck.model import Column, Kind
from mldeck.ui.compare.data import CompareData, Group
from mldeck.ui.compare.table_lines import (
    BASELINE,
    OWN,
    CompareLines,
    SectionHeading,
    TableLine,
    TableOptions,
    sorted_runs,
)
from mldeck.ui.state.columns import AGE
from mldeck.ui.state.metric_direction import BEST
from tests.ui.compare.compare_deck import data_of, record

NAN, INF = math.nan, math.inf
RMSE, RATE = Column(Kind.METRIC, "rmse"), Column(Kind.PARAM, "rate")
EVERYTHING = TableOptions(shows_all=True, folded=frozenset())

RUNS = data_of(
    record(1, {"rmse": 3.0, "same": 1.0, "system/cpu": 2.0}, {"rate": "0.10", "kind": "tree"}, {"mlflow.user": "ada"}),
    record(2, {"rmse": 3.5, "same": 1.0, "system/cpu": 3.0}, {"rate": "0.2", "kind": "line"}, {"mlflow.user": "bob"}),
    record(3, {"rmse": NAN, "same": 1.0}, {"rate": "10"}),
)


def groups(lines: CompareLines) -> list[str]:
    return [row.group.value for row in lines.rows if isinstance(row, SectionHeading)]


def texts(lines: CompareLines, column: Column, *, difference: bool = False) -> list[str]:
    return [lines.cell(TableLine(column, difference), run_id).text for run_id in lines.run_ids]


def test_only_what_differs_is_shown_and_mlflows_own_is_folded() -> None:
    lines = CompareLines(RUNS)
    assert groups(lines) == ["Attributes", "Metrics", "Params", "System metrics", "MLflow's own tags"]
    assert [line.column.key for line in lines.lines] == ["start_time", "duration", "rmse", "kind", "rate"]
    assert SectionHeading(Group.METRICS, True, 1, 2) in lines.rows
    assert SectionHeading(Group.SYSTEM_METRICS, False, 1, 1) in lines.rows


def test_what_some_runs_lack_comes_after_what_differs() -> None:
    runs = data_of(
        record(1, params={"absent": "1", "rate": "0.1"}), record(2, params={"absent": "1", "rate": "0.2"}), record(3)
    )
    lines = CompareLines(runs)
    assert [line.column.key for line in lines.lines if line.column.kind is Kind.PARAM] == ["rate", "absent"]
    everything = CompareLines(runs, EVERYTHING)
    assert [line.column.key for line in everything.lines if line.column.kind is Kind.PARAM] == ["absent", "rate"]


def test_all_columns_are_shown_on_request() -> None:
    lines = CompareLines(RUNS, EVERYTHING)
    assert {line.column for line in lines.lines} == set(RUNS.columns)


def test_columns_that_do_not_differ_have_no_lines() -> None:
    same = data_of(record(1, {"rmse": NAN}), replace(record(1, {"rmse": NAN}), run=replace(record(1).run, run_id="r2")))
    assert CompareLines(same).rows == ()


def test_values_look_as_different_as_they_are() -> None:
    data = data_of(record(1, {"rmse": NAN}), record(2, {"rmse": INF}), record(3), record(4, {"rmse": 3e-5}))
    assert texts(CompareLines(data), RMSE) == ["NaN", "inf", MISSING, "3e-5"]
    empty = data_of(record(1, params={"rate": ""}), record(2, params={"rate": "a\nb\x1b[31m"}), record(3))
    assert texts(CompareLines(empty), RATE) == ["", "a↵b␛[31m", MISSING]


def test_close_numbers_are_told_apart() -> None:
    data = data_of(record(1, {"rmse": 0.123456789}), record(2, {"rmse": 0.123456788}))
    assert len(set(texts(CompareLines(data), RMSE))) == 2


# -- best


@pytest.mark.parametrize(("greater", "best"), [(True, [1]), (False, [0])])
def test_the_best_is_marked(greater: bool, best: list[int]) -> None:
    found = texts(CompareLines(RUNS, greater_is_better={"rmse": greater}), RMSE)
    assert [place for place, text in enumerate(found) if BEST in text] == best


def test_there_is_no_best_of_equal_values_or_of_no_values() -> None:
    directions = {"rmse": True, "same": True}
    assert not any(
        BEST in text for text in texts(CompareLines(RUNS, EVERYTHING, directions), Column(Kind.METRIC, "same"))
    )
    hopeless = data_of(record(1, {"rmse": NAN}), record(2, {"rmse": INF}))
    assert texts(CompareLines(hopeless, greater_is_better=directions), RMSE) == ["NaN", "inf"]


def test_all_that_are_best_are_marked() -> None:
    data = data_of(record(1, {"rmse": 2.0}), record(2, {"rmse": 2.0}), record(3, {"rmse": 1.0}))
    assert texts(CompareLines(data, greater_is_better={"rmse": True}), RMSE) == [f"{BEST}2", f"{BEST}2", "1"]


# -- the baseline


def test_differences_to_the_baseline() -> None:
    lines = CompareLines(RUNS, TableOptions(baseline="r2"), {"rmse": False})
    assert texts(lines, RMSE, difference=True) == ["-0.5  -14.29%", BASELINE, "n/a"]
    assert texts(lines, RATE, difference=True) == ["-0.1  -50%", BASELINE, "+9.8  +4900%"]
    assert lines.cell(TableLine(RMSE, True), "r1").style == "good"
    assert lines.label(TableLine(RMSE)) == "rmse ★lo"
    assert lines.label(TableLine(RMSE, True)) == "Δ rmse"
    with_difference = {line.column.key for line in lines.lines if line.is_difference}
    assert with_difference == {"duration", "rmse", "rate"}  # not of texts


def test_a_line_without_any_difference_is_left_out() -> None:
    data = data_of(record(1, {"rmse": 1.0}), record(2), record(3, {"rmse": NAN}))
    assert not any(
        line.is_difference and line.column == RMSE for line in CompareLines(data, TableOptions(baseline="r1")).lines
    )


def test_a_baseline_that_is_no_longer_marked_is_none() -> None:
    lines = CompareLines(RUNS, TableOptions(baseline="elsewhere"))
    assert lines.baseline is None
    assert not any(line.is_difference for line in lines.lines)


# -- the order of the runs


@pytest.mark.parametrize(
    ("column", "descending", "expected"),
    [
        (RMSE, False, ["r1", "r2", "r3"]),
        (RMSE, True, ["r2", "r1", "r3"]),
        (RATE, False, ["r1", "r2", "r3"]),  # as numbers: 10 behind 0.2
        (RATE, True, ["r3", "r2", "r1"]),
        (Column(Kind.PARAM, "kind"), False, ["r2", "r1", "r3"]),
        (Column(Kind.PARAM, "nowhere"), True, ["r1", "r2", "r3"]),
        (AGE, True, ["r3", "r2", "r1"]),
    ],
)
def test_runs_are_sorted(column: Column, descending: bool, expected: list[str]) -> None:
    assert list(sorted_runs(RUNS, column, descending=descending)) == expected


def test_sorting_is_ascending_then_descending_then_off() -> None:
    options, seen = TableOptions(), []
    for _ in range(3):
        options = options.sorted_by(RMSE)
        seen.append((options.sort, options.descending))
    assert seen == [(RMSE, False), (RMSE, True), (None, False)]
    assert TableOptions(sort=RATE, descending=True).sorted_by(RMSE) == TableOptions(sort=RMSE)


def test_sorting_can_begin_descending() -> None:
    options, seen = TableOptions(), []
    for _ in range(3):
        options = options.sorted_by(RMSE, descending_first=True)
        seen.append((options.sort, options.descending))
    assert seen == [(RMSE, True), (RMSE, False), (None, False)]


metrics = st.dictionaries(st.sampled_from(["a", "b", "system/c"]), st.floats())
params = st.dictionaries(st.sampled_from(["p", "q"]), st.one_of(st.text(max_size=4), st.floats().map(str)))


@st.composite
def some_runs(draw: st.DrawFn) -> CompareData:
    return data_of(
        *(record(number, draw(metrics), draw(params), draw(params)) for number in range(draw(st.integers(2, 5))))
    )


@st.composite
def some_wishes(draw: st.DrawFn, data: CompareData) -> TableOptions:
    return TableOptions(
        shows_all=draw(st.booleans()),
        folded=draw(st.sampled_from([frozenset(), OWN, frozenset({Group.METRICS})])),
        baseline=draw(st.sampled_from([None, *data.run_ids])),
        sort=draw(st.sampled_from([None, *data.columns])),
        descending=draw(st.booleans()),
    )


@given(st.data())
def test_every_cell_is_one_safe_line_with_any_options(draw: st.DataObject) -> None:
    data = draw.draw(some_runs())
    options = draw.draw(some_wishes(data))
    lines = CompareLines(data, options, {"a": True, "b": False})
    assert sorted(lines.run_ids) == sorted(data.run_ids)
    for line in lines.lines:
        shown = [lines.cell(line, run_id).text for run_id in lines.run_ids]
        assert all(text == safe(text) for text in shown)
        assert max(map(cell_width, shown)) <= lines.width(line, 1000)
        assert options.shows_all or line.column in data.differing
    header = lines.header()
    assert len(set(header)) == len(header)
    assert all(len(row) == len(header) for row in lines.file_rows())


def test_a_file_has_the_values_as_they_are() -> None:
    lines = CompareLines(RUNS, TableOptions(baseline="r1", folded=OWN | {Group.ATTRIBUTES, Group.PARAMS}))
    assert lines.header() == ["run_id", "run_name", "metrics.rmse", "Δ metrics.rmse", "Δ% metrics.rmse"]
    rows = list(lines.file_rows())
    assert rows[0] == ["r1", "run-1", 3.0, 0.0, 0.0]
    assert rows[1] == ["r2", "run-2", 3.5, 0.5, pytest.approx(100 / 6)]
    assert rows[2][3:] == [None, None]
