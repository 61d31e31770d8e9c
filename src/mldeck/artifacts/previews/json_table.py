"""Tables written by MLflow's `log_table`: JSON with `columns` and `data`, whose rows are read one by one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from mldeck.artifacts.previews.encoding import decode
from mldeck.artifacts.previews.table import MAX_COLUMNS, MAX_ROWS, WINDOW, columns, cut_notes
from mldeck.artifacts.previews.tree import as_written, json_decoder, tree_text
from mldeck.artifacts.previews.values import (
    NULLS,
    NotPreviewable,
    PreviewRow,
    TablePreview,
    Tree,
    TreeMapping,
    UnquotedScalar,
)
from mldeck.artifacts.source import Source

KIND = "JSON table"


def table_of(root: Tree) -> TablePreview | None:
    """Return the table that a complete JSON value is; None if it is anything else."""
    if not isinstance(root, TreeMapping):
        return None
    names, data = _names(root.get("columns")), root.get("data")
    if names is None or not isinstance(data, list):
        return None
    rows = [_row(record) for record in data]
    known = [row for row in rows if row is not None]
    if len(known) < len(rows) or any(len(row) != len(names) for row in known):
        return None
    return _table(names, known[:MAX_ROWS], len(known))


def first_rows(source: Source) -> TablePreview:
    """Return the first rows of a file too large to be read whole.

    Raises NotPreviewable if it does not start like a table.
    """
    parser = _PartialJson(decode(source.read(0, WINDOW), "utf-8"))
    try:
        parser.expect("{")
        if parser.value() != "columns":
            raise NotPreviewable("No table.")
        parser.expect(":")
        names = _names(parser.value())
        parser.expect(",")
        if names is None or parser.value() != "data":
            raise NotPreviewable("No table.")
        parser.expect(":")
        parser.expect("[")
    except (ValueError, RecursionError) as error:
        raise NotPreviewable("No table.") from error
    rows = [row for row in map(_row, islice(parser.items(), MAX_ROWS)) if row is not None and len(row) == len(names)]
    if not rows:
        raise NotPreviewable("No table.")
    return _table(names, rows, None)


def _table(names: list[str], rows: list[PreviewRow], row_count: int | None) -> TablePreview:
    return TablePreview(
        kind=KIND,
        notes=cut_notes(len(names)),
        columns=columns(names[:MAX_COLUMNS], rows),
        rows=tuple(row[:MAX_COLUMNS] for row in rows),
        row_count=row_count,
        is_all=len(rows) == row_count,
        has_header=True,
    )


def _names(value: object) -> list[str] | None:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        return None
    return value


def _row(record: Tree) -> PreviewRow | None:
    return tuple(map(_cell, record)) if isinstance(record, list) else None


def _cell(value: Tree) -> str | None:
    return None if isinstance(value, UnquotedScalar) and value in NULLS else tree_text(value)


class _PartialJson:
    """A reader of JSON from a text that may end anywhere."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._decoder = json_decoder()

    def expect(self, mark: str) -> None:
        if not self._skip(mark):
            raise ValueError(f"no {mark} here")

    def value(self) -> Tree:
        self._skip("")
        value, self._position = self._decoder.raw_decode(self._text, self._position)
        return as_written(value)

    def items(self) -> Iterator[Tree]:
        """Yield the items of a list, as far as the text goes."""
        try:
            yield self.value()
            while self._skip(","):
                yield self.value()
        except (ValueError, RecursionError):
            return

    def _skip(self, mark: str) -> bool:
        """Skip white space, and `mark` if it follows; return whether it did."""
        while self._position < len(self._text) and self._text[self._position] in " \t\r\n":
            self._position += 1
        found = self._text.startswith(mark, self._position)
        self._position += len(mark) if found else 0
        return found
