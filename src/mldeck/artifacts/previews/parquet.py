"""Parquet files: the schema, the row count and the first rows, by pyarrow where it is installed."""

from __future__ import annotations

from typing import Any

from mldeck.artifacts.previews.table import MAX_ROWS
from mldeck.artifacts.previews.values import NotThis, TableColumn, TablePreview
from mldeck.artifacts.source import Source, SourceStream

KIND = "Parquet table"
NEEDS_EXTRA = "Its rows are shown once pyarrow is there: pip install 'mldeck[parquet]'"
_BUDGET = 1 << 26
_MAX_COLUMNS = 100
_MAX_CELL = 2_000


def parquet_preview(source: Source) -> TablePreview:
    """Raises NotThis without pyarrow, and when the file is broken."""
    try:
        import pyarrow  # an extra, and 0.2 s
        import pyarrow.parquet
    except ImportError as error:
        raise NotThis(NEEDS_EXTRA) from error
    try:
        # Without the buffer whole columns would be read for a few rows of them.
        file = pyarrow.parquet.ParquetFile(
            pyarrow.PythonFile(SourceStream(source, _BUDGET), mode="r"), buffer_size=1 << 16, pre_buffer=False
        )
        return _preview(file)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        first_line = (str(error).splitlines() or [""])[0]
        raise NotThis(f"The Parquet file cannot be read: {first_line}") from error


def _preview(file: Any) -> TablePreview:
    schema, row_count = file.schema_arrow, file.metadata.num_rows
    shown = schema.names[:_MAX_COLUMNS]
    notes = () if len(shown) == len(schema) else (f"The first {len(shown)} of {len(schema)} columns.",)
    batch = None
    if file.metadata.num_row_groups and shown:
        batch = next(file.iter_batches(batch_size=MAX_ROWS, row_groups=[0], columns=shown, use_threads=False), None)
    values = [[_cell(value) for value in column.to_pylist()] for column in batch.columns] if batch is not None else []
    rows = tuple(zip(*values, strict=True))
    return TablePreview(
        kind=KIND,
        notes=notes,
        columns=tuple(TableColumn(name, str(schema.field(index).type)) for index, name in enumerate(shown)),
        rows=rows,
        row_count=row_count,
        is_all=len(rows) == row_count,
        has_header=True,
    )


def _cell(value: object) -> str | None:
    return None if value is None else str(value)[:_MAX_CELL]
