"""Artifact URIs, taken apart and put together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldeck.artifacts.uris import joined, owner_of, parse_uri, tails

RUN = "0123456789abcdef0123456789abcdef"
MODEL = f"m-{RUN}"


@pytest.mark.parametrize(
    ("text", "scheme", "authority", "is_absolute", "readings"),
    [
        ("/a/b", "", "", True, [("a", "b")]),
        ("/a%20b/c", "", "", True, [("a%20b", "c"), ("a b", "c")]),
        ("/a#1/b?2", "", "", True, [("a#1", "b?2")]),
        ("./mlruns/1", "", "", False, [("mlruns", "1")]),
        ("mlruns/./1//", "", "", False, [("mlruns", "1")]),
        ("../x", "", "", False, [("..", "x")]),
        ("file:///a/b", "", "", True, [("a", "b")]),
        ("file:/a/b", "", "", True, [("a", "b")]),
        ("FILE:/a/b", "", "", True, [("a", "b")]),
        ("file://localhost/a", "", "", True, [("a",)]),
        ("file:///r%C3%A9snet%20a/b", "", "", True, [("résnet a", "b"), ("r%C3%A9snet%20a", "b")]),
        ("file:///a/b?x=1#y", "", "", True, [("a", "b")]),
        ("file:rel/x", "", "", False, [("rel", "x")]),
        (r"C:\ml\mlruns\1", "", "C:", True, [("ml", "mlruns", "1")]),
        (r"C:\ml\mlruns/1", "", "C:", True, [("ml", "mlruns", "1")]),
        ("file:///C:/ml/my%20runs", "", "C:", True, [("ml", "my runs"), ("ml", "my%20runs")]),
        (r"\\server\share\1", "", "server", True, [("share", "1")]),
        (r".\mlruns\1", "", "", False, [(r".\mlruns\1",), ("mlruns", "1")]),
        (r".\mlruns/1", "", "", False, [(r".\mlruns", "1"), ("mlruns", "1")]),
        (r"/a/b\c", "", "", True, [("a", r"b\c")]),
        ("mlflow-artifacts:/1/x", "mlflow-artifacts", "", True, [("1", "x")]),
        ("mlflow-artifacts://host:5000/1/x", "mlflow-artifacts", "host:5000", True, [("1", "x")]),
        (
            "http://host:5000/api/2.0/mlflow-artifacts/artifacts/1/x",
            "mlflow-artifacts",
            "host:5000",
            True,
            [("1", "x")],
        ),
        ("s3://bucket/a/b?versionId=1", "s3", "bucket", True, [("a", "b")]),
        ("abfss://c@account.dfs.core.windows.net/a", "abfss", "c@account.dfs.core.windows.net", True, [("a",)]),
        ("dbfs:/a", "dbfs", "", True, [("a",)]),
    ],
)
def test_forms(text: str, scheme: str, authority: str, is_absolute: bool, readings: list[tuple[str, ...]]) -> None:
    uri = parse_uri(text)
    assert (uri.scheme, uri.authority, uri.is_absolute) == (scheme, authority, is_absolute)
    assert list(uri.readings) == readings


@pytest.mark.parametrize(
    ("text", "root", "rest"),
    [
        ("/a/b/c", "/a", ("b", "c")),
        ("/a/b/c", "/a/", ("b", "c")),
        ("/a/b", "/a/b", ()),
        ("/ab/c", "/a", None),
        ("/a/b", "a", None),
        ("/a/../b", "/a", None),
        ("file:///a/b%20c/d", "/a/b c", ("d",)),
        ("/a/b", "file:///a", ("b",)),
        ("./mlruns/1", "mlruns", ("1",)),
        (r"C:\ml\mlruns\1", r"c:\ml", ("mlruns", "1")),
        ("file:///C:/ml/1", r"C:\ml", ("1",)),
        (r"C:\ml\1", r"D:\ml", None),
        (r"C:\ml\1", "/ml", None),
        ("mlflow-artifacts:/1/x", "mlflow-artifacts:", ("1", "x")),
        ("mlflow-artifacts://host/1/x", "mlflow-artifacts:/", ("1", "x")),
        ("mlflow-artifacts://host/1/x", "mlflow-artifacts://other/", None),
        ("s3://bucket/a/b", "s3://bucket/a", ("b",)),
        ("s3://bucket/a/b", "s3://bucke", None),
        ("s3://bucket/a/b", "gs://bucket", None),
    ],
)
def test_below(text: str, root: str, rest: tuple[str, ...] | None) -> None:
    assert parse_uri(text).below(parse_uri(root)) == rest


@given(st.text())
def test_any_text_is_taken_apart(text: str) -> None:
    for reading in parse_uri(text).readings:
        assert not {"", "."} & set(reading)


class TestOwner:
    @pytest.mark.parametrize(
        ("path", "owner"),
        [
            (("mlruns", "1", RUN, "artifacts"), RUN),
            (("mlruns", "1", RUN, "artifacts", "model"), RUN),
            (("mlruns", "1", "models", MODEL, "artifacts"), MODEL),
            # A folder that is called like a run, inside the artifacts of one, or above them.
            (("mlruns", "1", RUN, "artifacts", "f" * 32, "x"), RUN),
            (("f" * 32, "mlruns", "1", RUN, "artifacts"), RUN),
            (("mlruns", "1", RUN), None),
            (("mlruns", "1", "not-an-id", "artifacts"), None),
        ],
    )
    def test_is_found(self, path: tuple[str, ...], owner: str | None) -> None:
        assert owner_of(path) == owner

    def test_every_tail_holds_it(self) -> None:
        assert list(tails(("a", "1", RUN, "artifacts"), RUN)) == [
            ("a", "1", RUN, "artifacts"),
            ("1", RUN, "artifacts"),
            (RUN, "artifacts"),
        ]
        assert list(tails(("a", "b"), RUN)) == []
        assert list(tails(("..", "a", RUN), RUN)) == []


@pytest.mark.parametrize(
    ("uri", "path", "expected"),
    [
        ("/a/b", "model", "/a/b/model"),
        ("/a/b/", "model", "/a/b/model"),
        ("/a/b?c", "model", "/a/b?c/model"),
        ("s3://b/a?x=1", "model/data", "s3://b/a/model/data?x=1"),
        ("s3://b/a", "", "s3://b/a"),
    ],
)
def test_joined(uri: str, path: str, expected: str) -> None:
    assert joined(uri, path) == expected
