"""The fast reader of flat YAML, against the library."""

from __future__ import annotations

from itertools import pairwise

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mldeck.store.mirror.flat_yaml import BrokenYaml, read_mapping

KEYS = st.sampled_from(["name", "status", "artifact_uri", "end_time", "tags", "run_id"])
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(1 << 70), 1 << 70),
    st.floats(allow_nan=False),
    st.text(max_size=30),
    st.from_regex(r"[0-9a-f]{32}", fullmatch=True),
    st.sampled_from(
        ["yes", "No", "null", "~", "1e3", "0x1f", "012", "1:30", "2020-01-01", "a: b", "a #b", "- x", "{}", "a:"]
    ),
    st.just([]),
    st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2),
)


@given(st.dictionaries(KEYS, VALUES, min_size=1), st.booleans())
def test_it_reads_what_the_library_wrote(mapping: dict[str, object], is_unicode: bool) -> None:
    """MLflow's own way of writing."""
    text = yaml.safe_dump(mapping, default_flow_style=False, allow_unicode=is_unicode)
    assert read_mapping(text) == mapping


@given(st.lists(st.tuples(KEYS, st.text("ab01'\"-:#[]{}&*!|>%@ .~e+x_/\\", max_size=8)), min_size=1, max_size=3))
def test_what_others_wrote_is_read_as_by_the_library(lines: list[tuple[str, str]]) -> None:
    text = "".join(f"{key}: {value}\n" for key, value in lines)
    try:
        expected = yaml.load(text, yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError):
        return
    if not isinstance(expected, dict):
        return
    try:
        found = read_mapping(text)
    except BrokenYaml:
        assert "%" in text or any(not isinstance(key, str) for key in expected)
        return
    assert str(found) == str(expected)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it is empty"),
        ("\n\n", "it is empty"),
        ("null\n", "it is empty"),
        ("- a\n", "it is no mapping"),
        ("name: [1\nb: 2\n", "line 2: "),
        ("%TAG ! x\n---\na: 1\n", "it has directives"),
        ("a: !!python/object/apply:os.system ['true']\n", "could not determine a constructor"),
        ("a: 2020-99-99\n", "month must be in"),
        ("a: \x00\n", "unacceptable character"),
        ("a: " + "[" * 50_000 + "\n", "."),
    ],
)
def test_what_is_no_mapping(text: str, reason: str) -> None:
    with pytest.raises(BrokenYaml, match=reason):
        read_mapping(text)


def test_aliases_do_not_multiply() -> None:
    names = [chr(97 + level) for level in range(21)]
    lines = (f"{name}: &{name} [*{before}, *{before}]" for before, name in pairwise(names))
    assert read_mapping("\n".join(("a: &a [x, x]", *lines)))["a"] == ["x", "x"]
