"""Trees and groups of runs, without a screen."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldeck.model import Column, Kind, OrderKey, RunTimes
from mldeck.ui.state.arrangement import HEADING, as_tree, in_groups

RUN_IDS = st.lists(st.sampled_from("abcdefgh"), unique=True)
PARENTS = st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from("abcdefghxy"))


def test_children_are_below_their_parent_in_the_order_of_the_list() -> None:
    tree = as_tree(["c2", "p", "x", "c1", "g"], {"c1": "p", "c2": "p", "g": "c1"}, ())
    assert tree.run_ids == ["p", "c2", "c1", "g", "x"]
    assert tree.depths == {"c2": 1, "c1": 1, "g": 2}
    assert tree.child_counts == {"p": 2, "c1": 1}


def test_folding_hides_all_descendants() -> None:
    tree = as_tree(["p", "c", "g", "x"], {"c": "p", "g": "c"}, {"p"})
    assert tree.run_ids == ["p", "x"]


def test_runs_whose_parent_is_not_listed_are_at_the_top() -> None:
    tree = as_tree(["a", "b"], {"a": "deleted", "b": "elsewhere"}, ())
    assert tree.run_ids == ["a", "b"]
    assert tree.depths == {}


def test_cycles_are_cut_at_the_first_listed_run() -> None:
    tree = as_tree(["x", "b", "a", "self"], {"a": "b", "b": "a", "self": "self"}, ())
    assert tree.run_ids == ["x", "self", "b", "a"]
    assert tree.depths == {"a": 1}


@given(RUN_IDS, PARENTS)
def test_every_run_is_listed_once(ids: list[str], parents: dict[str, str]) -> None:
    tree = as_tree(ids, parents, ())
    assert sorted(tree.run_ids) == sorted(ids)
    for row, run_id in enumerate(tree.run_ids):
        if tree.depths.get(run_id):
            above = tree.run_ids[:row]
            assert parents[run_id] in above
            assert tree.depths[run_id] == tree.depths.get(parents[run_id], 0) + 1


def test_ten_thousand_levels() -> None:
    ids = [str(n) for n in range(10_000)]
    tree = as_tree(ids, {str(n): str(n - 1) for n in range(1, 10_000)}, ())
    assert tree.depths["9999"] == 9999


LOSS = Column(Kind.METRIC, "loss")
VALUES = {"a": "10", "b": "9", "c": "10", "d": "text"}


def values_in_order(ids: list[str], order: Sequence[OrderKey], means: Mapping[str | None, float]) -> list[str | None]:
    return [heading.value for heading in in_groups(ids, VALUES, (), order, means, {}).headings.values()]


def test_groups_are_counted_and_opened() -> None:
    groups = in_groups(["a", "b", "c", "d", "e"], VALUES, {"10"}, (), {}, {})
    assert groups.run_ids == [HEADING, HEADING, "a", "c", HEADING, HEADING]
    assert [(heading.value, heading.count, heading.is_open) for heading in groups.headings.values()] == [
        ("9", 1, False),
        ("10", 2, True),
        ("text", 1, False),
        (None, 1, False),
    ]
    assert groups.depths == {"a": 1, "c": 1}


def test_the_means_of_a_metric_order_the_groups() -> None:
    """Numbers, then NaN, then groups without a value of it; equals by their values, or by the column that comes second."""
    means: dict[str | None, float] = {"10": 2.0, "9": 1.0, "text": math.nan}
    ids = ["e", "d", "a", "b", "c"]
    assert values_in_order(ids, [OrderKey(LOSS)], means) == ["9", "10", "text", None]
    assert values_in_order(ids, [OrderKey(LOSS, descending=True)], means) == ["10", "9", "text", None]
    equal: dict[str | None, float] = dict.fromkeys(means, 5.0)
    assert values_in_order(ids, [OrderKey(LOSS)], equal) == ["9", "10", "text", None]
    assert values_in_order(ids, [OrderKey(LOSS, descending=True)], equal) == ["9", "10", "text", None]
    second = OrderKey(Column(Kind.ATTRIBUTE, "user_id"))
    assert values_in_order(ids, [OrderKey(LOSS), second], equal) == ["text", "10", "9", None]


def test_other_orders_put_a_group_where_its_first_run_is() -> None:
    order = [OrderKey(Column(Kind.ATTRIBUTE, "user_id")), OrderKey(LOSS)]
    assert values_in_order(["e", "d", "a", "b", "c"], order, {"9": 1.0}) == [None, "text", "10", "9"]


@pytest.mark.parametrize("descending", [False, True])
def test_groups_that_show_the_same_text_are_ordered_by_their_values(descending: bool) -> None:
    booster = OrderKey(Column(Kind.PARAM, "booster"), descending)
    ids = ["d", "a", "b", "c", "e"]  # the first runs: d, a, b, e

    def ordered(shown: Mapping[str, str], *order: OrderKey) -> list[str | None]:
        return [heading.value for heading in in_groups(ids, VALUES, (), order, {}, {}, shown).headings.values()]

    assert ordered(dict.fromkeys("abcde", "gbtree"), booster) == ["9", "10", "text", None]
    assert ordered({"d": "dart", "a": "gbtree", "b": "gbtree", "c": "dart"}, booster) == ["text", "9", "10", None]
    assert ordered(dict.fromkeys("abcde", "gbtree"), booster, OrderKey(LOSS)) == ["text", "10", "9", None]


@pytest.mark.parametrize("descending", [False, True])
def test_the_times_of_groups_order_them(descending: bool) -> None:
    times = {
        "a": RunTimes(15, None),
        "c": RunTimes(20, 5),
        "b": RunTimes(10, 7),
        "d": RunTimes(30, None),
        "e": RunTimes(None, 6),
    }

    def ordered(key: str) -> list[str | None]:
        order = [OrderKey(Column(Kind.ATTRIBUTE, key), descending)]
        arrangement = in_groups(["e", "d", "a", "b", "c"], VALUES, (), order, {}, times)
        return [heading.value for heading in arrangement.headings.values()]

    (ten,) = (
        heading
        for heading in in_groups(["a", "c", "b"], VALUES, (), (), {}, {**times, "a": RunTimes(1, 8)}).headings.values()
        if heading.value == "10"
    )
    assert (ten.first_run, ten.newest, ten.duration) == ("a", 20, 6.5)
    newest: list[str | None] = ["9", "10", "text"]
    assert ordered("start_time") == [*(newest[::-1] if descending else newest), None]
    durations: list[str | None] = ["10", None, "9"]
    assert ordered("duration") == [*(durations[::-1] if descending else durations), "text"]
    values: list[str | None] = ["10", "9"] if descending else ["9", "10"]
    assert ordered("run_name") == [*values, "text", None], "by what stands in the column of the name"
    assert ordered("status") == ["9", "10", "text", None]


@given(st.lists(st.sampled_from("abcde"), unique=True), st.sampled_from([(), (OrderKey(LOSS),)]))
def test_every_run_is_in_the_group_of_its_value_in_the_same_order(ids: list[str], order: Sequence[OrderKey]) -> None:
    groups = in_groups(ids, VALUES, {*VALUES.values(), None}, order, {"10": 1.0, "9": 0.5}, {})
    assert sorted(run_id for run_id in groups.run_ids if run_id) == sorted(ids)
    for row, heading in groups.headings.items():
        members = groups.run_ids[row + 1 : row + 1 + heading.count]
        assert members == [run_id for run_id in ids if VALUES.get(run_id) == heading.value]
