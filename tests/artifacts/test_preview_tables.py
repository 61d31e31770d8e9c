"""Tables: CSV as pandas writes it and as people do, what `log_table` logs, and Parquet."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldeck.artifacts.previews import table as table_module
from mldeck.artifacts.previews.preview import PreviewRequest, preview
from mldeck.artifacts.previews.table import count_rows, table_preview
from mldeck.artifacts.previews.values import (
    BinaryPreview,
    TableColumn,
    TablePreview,
    TextPreview,
    TreePreview,
)
from mldeck.artifacts.source import LocalFile
from mldeck.errors import Interrupted
from tests.artifacts.sources import Bytes, CountedFile


def _table(data: bytes, name: str = "t.csv") -> TablePreview:
    found = preview(Bytes(data, name))
    assert isinstance(found, TablePreview)
    return found


def test_a_csv_that_pandas_wrote() -> None:
    frame = pd.DataFrame(
        {
            "n": [1, 2], "x": [0.5, float("nan")], "on": [True, False], "day": pd.to_datetime(["2024-01-01", "2024-05-01"]),
            "text": ['a, "b"', "line\nbreak"], "none": [None, None],
        }
    )  # fmt: skip
    found = _table(frame.to_csv().encode())
    assert found.columns == tuple(
        map(TableColumn, ["", *frame.columns], ["integer", "integer", "number", "boolean", "date", "text", "empty"])
    )
    assert found.rows == (
        ("0", "1", "0.5", "True", "2024-01-01", 'a, "b"', ""),
        ("1", "2", "", "False", "2024-05-01", "line\nbreak", ""),
    )
    assert (found.row_count, found.is_all, found.has_header, found.notes) == (2, True, True, ())


@pytest.mark.parametrize(
    ("delimiter", "name"), [(",", "t.csv"), (";", "t.csv"), ("\t", "t.tsv"), ("\t", "t.csv"), ("|", "t.csv")]
)
def test_the_delimiter_is_found(delimiter: str, name: str) -> None:
    data = (
        "\n".join(delimiter.join(row) for row in (["a", "b"], ["1,5", "x"], ["2,5", "y"]))
        if delimiter != ","
        else "a,b\n1,x"
    )
    assert [column.name for column in _table(data.encode(), name).columns] == ["a", "b"]


def test_one_row_of_another_length_does_not_change_the_delimiter() -> None:
    found = _table(b"a,b\n1,2\n3\n4,5\n")
    assert found.rows == (("1", "2"), ("3", None), ("4", "5"))


@pytest.mark.parametrize("text", ["name,other\n", "name,other", "\ufeffname,other\r\n", ",name\n"])
def test_a_header_alone_is_a_table_without_rows(text: str) -> None:
    """As pandas writes it for an empty frame."""
    source = Bytes(text.encode(), "t.csv")
    found = table_preview(source, "CSV table")
    assert (found.row_count, found.rows, found.is_all, found.has_header) == (0, (), True, True)
    assert [each.name for each in found.columns] == text.strip("\ufeff\r\n").split(",")
    assert count_rows(source) == 0


def test_a_line_of_data_alone_is_a_row() -> None:
    found = table_preview(Bytes(b"1,2\n", "t.csv"), "CSV table")
    assert (found.row_count, found.has_header) == (1, False)


def test_a_table_without_a_header_numbers_its_columns() -> None:
    found = _table(b"1,2\n3,4,5\n")
    assert [column.name for column in found.columns] == ["1", "2", "3"]
    assert found.rows == (("1", "2", None), ("3", "4", "5"))
    assert found.notes == ("Not all rows have the same length.",)
    assert not found.has_header


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_a_table_in_another_encoding(encoding: str) -> None:
    found = _table("größe,b\nä,2\n".encode(encoding))
    assert [column.name for column in found.columns] == ["größe", "b"]
    assert found.rows == (("ä", "2"),)


def test_a_table_can_be_seen_as_text() -> None:
    found = preview(Bytes(b"a,b\n1,2\n", "t.csv"), PreviewRequest(as_text=True))
    assert isinstance(found, TextPreview)
    assert found.page.text == "a,b\n1,2\n"


def test_one_long_row_does_not_make_all_rows_long() -> None:
    found = _table(b"1,2\n" * 900 + b"," * 200_000 + b"\n")
    assert {len(row) for row in found.rows} == {len(found.columns)} == {1_000}
    assert found.notes == ("Not all rows have the same length.", "The first 1,000 of 200,001 columns.")


def test_a_cell_without_end_is_shown_as_text() -> None:
    found = preview(Bytes(b'a,b\n"' + b"x" * 200_000, "t.csv"))
    assert isinstance(found, TextPreview)
    assert "field larger than field limit" in found.notes[0]


def test_a_row_cut_by_the_window_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_module, "WINDOW", 18)
    found = _table(b"a,b\n" + b"10,20\n" * 100)
    assert found.rows == (("10", "20"), ("10", "20"))
    assert (found.row_count, found.is_all) == (100, False)


def test_more_rows_than_shown_are_counted() -> None:
    found = _table(b"a\n" + b"1\n" * 5_000)
    assert (len(found.rows), found.row_count, found.is_all) == (1_000, 5_000, False)


@given(
    rows=st.lists(st.lists(st.text('ab",\n\r', max_size=6), min_size=2, max_size=2), max_size=30),
    ending=st.sampled_from(["\n", "\r\n"]),
    chunk=st.integers(1, 40),
)
def test_rows_are_counted_as_the_csv_module_reads_them(rows: list[list[str]], ending: str, chunk: int) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=ending).writerows([["name", "other"], *rows])
    wanted = sum(1 for row in csv.reader(io.StringIO(text.getvalue(), newline="")) if row) - 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mldeck.artifacts.source.CHUNK", chunk)
        assert count_rows(Bytes(text.getvalue().encode(), "t.csv")) == wanted


def test_counting_rows_can_be_stopped_and_gives_up_on_endless_lines() -> None:
    def stop() -> None:
        raise Interrupted("stopped")

    with pytest.raises(Interrupted):
        count_rows(Bytes(b"a,b\n1,2\n", "t.csv"), stop)
    assert count_rows(Bytes(b"a,b\n" + b"x" * (1 << 22), "t.csv")) is None
    assert count_rows(Bytes(b"\0", "t.csv")) is None


def test_a_table_that_mlflow_logged() -> None:
    frame = pd.DataFrame({"q": ["a", "b"], "score": [0.25, None], "doc": [{"k": [1]}, None]})
    data = frame.to_json(orient="split", index=False, date_format="iso")
    found = _table(data.encode(), "eval.json")
    assert found.kind == "JSON table"
    assert [column.type for column in found.columns] == ["text", "number", "text"]
    assert found.rows == (("a", "0.25", '{"k": [1]}'), ("b", None, None))
    assert (found.row_count, found.is_all) == (2, True)


def test_the_first_rows_of_a_large_logged_table() -> None:
    frame = pd.DataFrame({"q": ["long text"] * 100_000, "n": range(100_000)})
    found = _table(frame.to_json(orient="split", index=False).encode(), "eval.json")
    assert found.rows[:2] == (("long text", "0"), ("long text", "1"))
    assert (len(found.rows), found.row_count, found.is_all) == (1_000, None, False)


@pytest.mark.parametrize(
    "data", [b'{"columns": ["a"], "data": [[1, 2]]}', b'{"columns": 1, "data": []}', b'{"columns": [], "data": 3}']
)
def test_what_only_looks_like_a_logged_table_is_a_tree(data: bytes) -> None:
    assert isinstance(preview(Bytes(data, "x.json")), TreePreview)


def test_parquet_shows_schema_count_and_first_rows(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame({"n": range(50_000), "text": ["x" * 50] * 50_000, "maybe": [None, 1.5] * 25_000})
    frame.to_parquet(tmp_path / "t.parquet", row_group_size=20_000)
    source = CountedFile(tmp_path / "t.parquet")
    found = preview(source)
    assert isinstance(found, TablePreview)
    assert found.columns == (
        TableColumn("n", "int64"),
        TableColumn("text", found.columns[1].type),
        TableColumn("maybe", "double"),
    )
    assert found.rows[:2] == (("0", "x" * 50, None), ("1", "x" * 50, "1.5"))
    assert (len(found.rows), found.row_count, found.is_all) == (1_000, 50_000, False)
    assert source.bytes_read < source.size


def test_a_broken_parquet_says_so(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    pd.DataFrame({"n": range(100)}).to_parquet(tmp_path / "t.parquet")
    data = (tmp_path / "t.parquet").read_bytes()
    for broken in (data[:-30], data[:40] + b"\xff" * 40 + data[80:], b"PAR1\0", b"PAR1" + b"\xff\0" * 20 + b"PAR1"):
        found = preview(Bytes(broken, "t.parquet"))
        assert isinstance(found, (BinaryPreview, TablePreview))
        assert found.kind == "Parquet table"
        assert found.notes or isinstance(found, TablePreview)


def test_without_pyarrow_parquet_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    found = preview(Bytes(b"PAR1\0\0PAR1", "t.parquet"))
    assert isinstance(found, BinaryPreview)
    assert "pip install 'mldeck[parquet]'" in found.notes[0]


def test_fixture_tables_and_trees_are_recognised(store_copy: Any) -> None:
    reports = sorted((store_copy("nyc-taxi").path / "mlruns").rglob("reports"))[0]
    kinds = {path.name: preview(LocalFile(path)).kind for path in reports.iterdir()}
    assert kinds == {
        "data.json": "JSON", "pred.csv": "CSV table", "notes.md": "UTF-8 text", "predictions.json": "JSON table",
    }  # fmt: skip
