"""Trees and groups of runs, without a screen."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

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


def test_headings_tell_their_numbers_apart() -> None:
    values = {"a": "1", "b": "2"}
    assert in_groups(["a", "b"], values, {"a": 0.5, "b": 0.25}, ()).numbers.text(1 / 3) == "0.33"
    assert in_groups(["a", "b"], values, {"a": 0.91234561, "b": 0.91234562}, ()).numbers.text(1 / 3) == "0.33333333"


def test_groups_are_counted_and_summarized() -> None:
    values = {"a": "10", "b": "9", "c": "10", "d": "text"}
    metric = {"a": 1.0, "b": math.nan, "c": 3.0, "e": math.inf}
    groups = in_groups(["a", "b", "c", "d", "e"], values, metric, {"10"})
    assert groups.run_ids == [HEADING, HEADING, "a", "c", HEADING, HEADING]
    assert [(heading.value, heading.count) for heading in groups.headings.values()] == [
        ("9", 1),
        ("10", 2),
        ("text", 1),
        (None, 1),
    ]
    ten = groups.headings[1]
    assert (ten.low, ten.mean, ten.high, ten.is_open) == (1.0, 2.0, 3.0, True)
    assert groups.headings[0].mean is None


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_a_mean_lies_between_the_extremes(numbers: list[float]) -> None:
    ids = [str(index) for index in range(len(numbers))]
    (heading,) = in_groups(ids, {}, dict(zip(ids, numbers, strict=True)), ()).headings.values()
    assert heading.mean is not None
    slack = 1e-9 * max(abs(heading.low or 0), abs(heading.high or 0))
    assert (heading.low or 0) - slack <= heading.mean <= (heading.high or 0) + slack
