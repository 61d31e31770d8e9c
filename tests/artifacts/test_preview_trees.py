"""JSON and YAML as trees: what is written, however deep, repeated or hostile."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldeck.artifacts.previews.preview import preview
from mldeck.artifacts.previews.tree import NotATree, parse_json, parse_yaml, tree_text
from mldeck.artifacts.previews.values import (
    TextPreview,
    Tree,
    TreeMapping,
    TreePreview,
    UnquotedScalar,
)
from tests.artifacts.sources import Bytes

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=30,
)


def _plain(value: Tree) -> Any:
    """What the json module makes of what the tree says."""
    if isinstance(value, UnquotedScalar):
        return json.loads(value)
    if isinstance(value, TreeMapping):
        return {key: _plain(item) for key, item in value.items}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _tree(data: bytes, name: str) -> TreePreview:
    found = preview(Bytes(data, name))
    assert isinstance(found, TreePreview)
    return found


@given(JSON)
def test_a_json_tree_says_what_the_file_says(value: Any) -> None:
    text = json.dumps(value)
    root = parse_json(text)
    assert json.dumps(_plain(root)) == text
    if not isinstance(value, str):
        assert json.dumps(json.loads(tree_text(root, 10_000))) == text


def test_numbers_and_repeated_keys_are_kept_as_written() -> None:
    found = _tree(b'{"a": 1.50, "a": 1e999, "n": ' + b"9" * 5000 + b"}", "x.json")
    assert isinstance(found.root, TreeMapping)
    assert [item[1] for item in found.root.items] == ["1.50", "1e999", "9" * 5000]


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":'])
def test_json_nested_ten_thousand_deep_is_shown_as_text(opening: bytes) -> None:
    closing = b"".join({b"[": b"]", b"{": b"}"}.get(bytes((each,)), b"") for each in reversed(opening))
    found = preview(Bytes(opening * 10_000 + b"1" + closing * 10_000, "deep.json"))
    assert isinstance(found, TextPreview)
    assert found.notes == ("Nested too deeply for a tree.",)


@pytest.mark.parametrize(
    "text", ["[" * 10_000 + "]" * 10_000, "- " * 10_000, "{a: " * 10_000 + "}" * 10_000, "? " * 10_000]
)
def test_yaml_nested_ten_thousand_deep_is_shown_as_text(text: str) -> None:
    found = preview(Bytes(text.encode(), "deep.yaml"))
    assert isinstance(found, TextPreview)
    assert found.notes == ("Nested too deeply for a tree.",)


def test_json_that_is_not_json_says_where() -> None:
    found = preview(Bytes(b'{"a": 1,\n "b" 2}', "broken.json"))
    assert isinstance(found, TextPreview)
    assert found.notes == ("Not valid JSON: Expecting ':' delimiter in line 2, column 6.",)
    assert found.lexer == "json"


def test_json_is_told_from_its_content_where_the_name_says_nothing() -> None:
    assert _tree(b' {"a": 1}', "config").kind == "JSON"
    assert isinstance(preview(Bytes(b"{not json}", "notes.txt")), TextPreview)


def test_yaml_keeps_spelling_and_tells_text_from_the_rest() -> None:
    found = _tree(b"a: 010\nb: '010'\nc: 2001-01-01\nd: null\ne: text\nf: [yes, 1e3]\n", "x.yml")
    assert found.is_yaml
    assert isinstance(found.root, TreeMapping)
    kinds = {key: type(value) for key, value in found.root.items}
    assert kinds == {"a": UnquotedScalar, "b": str, "c": UnquotedScalar, "d": UnquotedScalar, "e": str, "f": list}
    assert found.root.get("c") == "2001-01-01"
    assert found.root.get("d") is None


def test_several_yaml_documents_are_a_list() -> None:
    assert parse_yaml("--- 1\n--- [2]\n") == ["1", ["2"]]


@pytest.mark.parametrize("follow_aliases", [False, True])
def test_a_yaml_alias_bomb_stays_small(follow_aliases: bool) -> None:
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]" for level in range(1, 40)]
    root = parse_yaml("\n".join(lines), follow_aliases=follow_aliases)
    assert isinstance(root, TreeMapping)
    assert len(root.items) == 40
    assert len(tree_text(root, 1_000)) == 1_001


def test_yaml_aliases_and_anchors_are_shown_as_written() -> None:
    root = parse_yaml("a: &x [1]\nb: *x\nc: &y\n  d: *y\n")
    assert isinstance(root, TreeMapping)
    assert [key for key, _ in root.items] == ["a &x", "b", "c &y"]
    assert tree_text(root) == '{"a &x": [1], "b": *x, "c &y": {"d": *y}}'


def test_yaml_tags_build_nothing() -> None:
    root = parse_yaml("!!python/object/apply:os.system ['echo']")
    assert root == ["echo"]


@given(st.text(max_size=60) | st.text("-:[]{}&*!'\"\n ?|>%@#a1,", max_size=40))
def test_any_text_is_yaml_or_is_explained(text: str) -> None:
    try:
        parse_yaml(text)
    except NotATree:
        return


def test_a_tree_that_is_too_large_is_shown_as_text() -> None:
    found = preview(Bytes(b'{"a": "' + b"x" * (1 << 20) + b'"}', "large.json"))
    assert isinstance(found, TextPreview)
    assert found.notes == ("Larger than 1024 kB: shown as text, not as a tree.",)
