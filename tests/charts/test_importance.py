"""What goes with a metric: scipy's correlations, and a reason wherever there is no figure."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from mldeck.charts.dimensions import dimension
from mldeck.charts.importance import (
    Measure,
    group_correlation,
    importance_picture,
    importances,
    rank_correlation,
    ranked,
    visible_importances,
)
from mldeck.format import Value
from tests.charts.sweep import HOSTILE_SIZES, NAMES, SIZES, Sweep, check, check_shape, columns

NUMBERS = st.floats(allow_nan=False)
FEW_NUMBERS = st.sampled_from([1.0, 2.0, 3.0, -math.inf])


@st.composite
def pairs(draw: st.DrawFn) -> tuple[list[float], list[float]]:
    found = draw(st.lists(st.tuples(st.one_of(NUMBERS, FEW_NUMBERS), FEW_NUMBERS | NUMBERS), min_size=3, max_size=40))
    return [one for one, _ in found], [other for _, other in found]


@given(pairs().filter(lambda found: all(len(set(side)) > 1 for side in found)))
def test_rank_correlation_is_scipys(found: tuple[list[float], list[float]]) -> None:
    expected = scipy.stats.spearmanr(*map(scipy.stats.rankdata, found)).statistic
    assert rank_correlation(*found) == pytest.approx(float(expected), abs=1e-12)


@given(st.lists(NUMBERS | FEW_NUMBERS, max_size=40))
def test_ranks_are_scipys(values: list[float]) -> None:
    assert ranked(values) == scipy.stats.rankdata(values).tolist()


@given(st.lists(st.tuples(st.sampled_from("abc"), NUMBERS | FEW_NUMBERS), min_size=5, max_size=40))
def test_group_correlation_follows_from_kruskal_and_wallis(found: list[tuple[str, float]]) -> None:
    groups = [[value for name, value in found if name == group] for group in sorted({name for name, _ in found})]
    names, values = [name for name, _ in found], [value for _, value in found]
    if len(groups) < 2 or len(set(values)) < 2:
        return
    explained = float(scipy.stats.kruskal(*groups).statistic) / (len(found) - 1)
    corrected = 1 - (1 - explained) * (len(found) - 1) / (len(found) - len(groups))
    assert group_correlation(names, values) ** 2 == pytest.approx(max(0.0, corrected), abs=1e-9)


def test_the_strongest_first_and_those_without_a_figure_last() -> None:
    metric = [1.0, 2.0, 3.0, 4.0, 5.0, None]
    found = importances(
        {
            "weak": ["1", "9", "2", "8", "3", "4"],
            "falls": ["5", "4e0", "3", "2", "1", "7"],
            "word": ["a", "a", "a", "b", "b", "b"],
            "seed": ["42"] * 6,
            "id": ["a", "b", "c", "d", "e", "f"],
            "rare": ["1", "2", None, None, None, "3"],
            "kind": ["x"] * 6,
        },
        metric,
    )
    assert [each.name for each in found[:3]] == ["falls", "word", "weak"]
    by_name = {each.name: each for each in found}
    assert (by_name["falls"].measure, by_name["falls"].strength, by_name["falls"].count) == (Measure.RANK, -1, 5)
    assert by_name["word"].measure is Measure.GROUPS
    assert {each.name: (each.problem, each.count) for each in found if each.strength is None} == {
        "seed": ("same value in all runs", 5),
        "kind": ("same value in all runs", 5),
        "id": ("a different value in every run", 5),
        "rare": ("fewer than 5 runs have it", 2),
    }


def test_a_metric_that_never_changes_goes_with_nothing() -> None:
    (found,) = importances({"x": ["1", "2", "3", "4", "5"]}, [5.0] * 5)
    assert found.problem == "the metric is the same in all runs"


@pytest.mark.parametrize("word", ["None", "", "nan", "NULL", None])
def test_a_word_for_none_among_numbers_is_left_out_as_on_an_axis(word: str | None) -> None:
    values = ["3", word, "4", "5", word, "6", "8"]
    (found,) = importances({"max_depth": values}, [1.0, 9.0, 2.0, 3.0, 0.0, 4.0, 5.0])
    assert (found.measure, found.strength, found.count) == (Measure.RANK, 1.0, 5)
    assert dimension("max_depth", values).is_numeric


@pytest.mark.parametrize("values", [["1", "2", "3", "4"], ["a", "a", "b", "b"]])
def test_so_few_runs_that_their_order_may_be_chance_are_not_ranked(values: list[str]) -> None:
    found = importances({"few": [*values, *[None] * 5], "many": list("215436879")}, [float(each) for each in range(9)])
    assert [(each.name, each.strength is None, each.problem) for each in found] == [
        ("many", False, ""),
        ("few", True, "fewer than 5 runs have it"),
    ]


@given(
    st.integers(0, 12).flatmap(lambda count: st.tuples(st.lists(columns(count), max_size=5), columns(count))),
    HOSTILE_SIZES,
    st.integers(0, 9),
)
def test_any_values_give_figures_within_limits_and_a_picture_of_that_size(
    values: tuple[list[list[Value]], list[Value]], size: tuple[int, int], first: int
) -> None:
    params: dict[str, Sequence[Value]] = {f"表 {index}\x1b": column for index, column in enumerate(values[0])}
    found = importances(params, values[1])
    assert len(found) == len(params)
    for each in found:
        assert (each.strength is None) == bool(each.problem)
        assert each.strength is None or -1 <= each.strength <= 1
    check_shape(importance_picture(found, "m\n", size, first=first, cursor=2), size)


@given(NAMES, HOSTILE_SIZES)
def test_any_name_fits(name: str, size: tuple[int, int]) -> None:
    found = importances({name: list("12345")}, [1.0, 3.0, 2.0, 5.0, 4.0])
    check_shape(importance_picture(found, name, size), size)


def test_bars_are_as_long_as_their_figures() -> None:
    params = {"up": list("12345"), "down": list("54321"), "middling": list("32154")}
    found = importances(params, [1.0, 2.0, 3.0, 4.0, 5.0])
    rows = importance_picture(found, "m", (60, 8)).text.splitlines()
    bars = {
        name: row.count("█") + row.count("▌") / 2 for name in ("up", "down", "middling") for row in rows if name in row
    }
    assert bars["up"] == bars["down"]
    assert bars["middling"] == pytest.approx(bars["up"] / 2, abs=0.5)
    down = next(row for row in rows if "down" in row)
    assert down.index("█") < down.index("│") < next(row for row in rows if "up" in row).index("█")


def test_rows_that_do_not_fit_are_counted() -> None:
    found = importances({f"p{number}": ["1", "2", "3"] for number in range(30)}, [1.0, 2.0, 3.0])
    text = importance_picture(found, "m", (60, 10), first=4).text
    assert f"5–{4 + visible_importances(10)} of 30" in text


@pytest.mark.parametrize("size", SIZES)
def test_pictures(project: Sweep, size: tuple[int, int]) -> None:
    wanted = "learning_rate max_depth min_child_weight reg_alpha reg_lambda objective seed alpha solver n_estimators"
    params = {key: project.params[key] for key in wanted.split()}
    picture = importance_picture(importances(params, project.metrics["rmse"]), "rmse", size, cursor=1)
    check_shape(picture, size)
    check(f"importance-{size[0]}x{size[1]}", picture)
