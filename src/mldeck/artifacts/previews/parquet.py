"""Parquet files: the schema, the row count and the first rows, if pyarrow is installed.

pyarrow trusts the sizes in a file, and a few kilobytes can expand to any number of values, so it runs in a helper
process.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import Any

from mldeck.artifacts.previews.asking import HelperSource, ask_about
from mldeck.artifacts.previews.table import MAX_ROWS
from mldeck.artifacts.previews.values import NotPreviewable, TableColumn, TablePreview
from mldeck.artifacts.source import Check, Source, SourceStream, no_check
from mldeck.helper import Helper, Unanswered, serve

KIND = "Parquet table"
NEEDS_EXTRA = "Install pyarrow to see its rows: pip install 'mldeck[parquet]'"
_BUDGET = 1 << 26
_MAX_COLUMNS = 100
_MAX_CELL = 2_000
_MAX_TEXT = 1 << 22
"""The most characters in all cells; further rows are left out."""
_helper = Helper(__name__, seconds=10, memory=1 << 30)


def parquet_preview(source: Source, check: Check = no_check) -> TablePreview:
    """Return the first rows.

    Raises NotPreviewable without pyarrow, and if the file is damaged or takes too much time or memory.
    """
    if find_spec("pyarrow") is None:
        raise NotPreviewable(NEEDS_EXTRA)
    try:
        found = ask_about(source, _helper, _BUDGET, check)
    except Unanswered as error:
        raise NotPreviewable(f"The Parquet file cannot be read: {error}") from error
    return TablePreview(
        kind=KIND,
        notes=tuple(found["notes"]),
        columns=tuple(TableColumn(name, type_) for name, type_ in found["columns"]),
        rows=tuple(map(tuple, found["rows"])),
        row_count=found["row_count"],
        is_all=len(found["rows"]) == found["row_count"],
        has_header=True,
    )


# -- in the helper


def main(words: list[str]) -> int:
    # Other memory pools reserve more memory than the helper may use.
    os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "system"
    return serve(words, lambda question, read: _answer(HelperSource(question, read)))


def _answer(source: Source) -> dict[str, object]:
    import pyarrow
    import pyarrow.parquet

    try:
        # Without the buffer whole columns would be read for a few rows.
        file = pyarrow.parquet.ParquetFile(
            pyarrow.PythonFile(SourceStream(source), mode="r"), buffer_size=1 << 16, pre_buffer=False
        )
        return _first_rows(file)
    except MemoryError:
        raise
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise Unanswered((str(error).splitlines() or [""])[0]) from error


def _first_rows(file: Any) -> dict[str, object]:
    schema, row_count = file.schema_arrow, file.metadata.num_rows
    shown = schema.names[:_MAX_COLUMNS]
    batch = None
    if file.metadata.num_row_groups and shown:
        batch = next(file.iter_batches(batch_size=MAX_ROWS, row_groups=[0], columns=shown, use_threads=False), None)
    rows: list[list[str | None]] = []
    room = _MAX_TEXT
    columns = () if batch is None else batch.columns
    for index in range(0 if batch is None else batch.num_rows):
        # One row at a time, because values may be long.
        rows.append([_cell(column[index].as_py()) for column in columns])
        room -= sum(map(len, filter(None, rows[-1])))
        if room < 0:
            break
    return {
        "notes": [] if len(shown) == len(schema) else [f"The first {len(shown)} of {len(schema)} columns."],
        "columns": [[name[:_MAX_CELL], str(schema.field(index).type)[:_MAX_CELL]] for index, name in enumerate(shown)],
        "rows": rows,
        "row_count": row_count,
    }


def _cell(value: object) -> str | None:
    return None if value is None else str(value)[:_MAX_CELL]
