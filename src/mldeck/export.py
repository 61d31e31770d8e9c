"""Write the contents of a run table or a chart into a file. The deck calls these functions in a worker thread."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from itertools import chain, islice
from pathlib import Path
from typing import TextIO

from mldeck.destination import Destination
from mldeck.model import Column, RunQuery
from mldeck.run_text import (
    CellGuard,
    csv_lines,
    field_name,
    json_pieces,
    markdown_lines,
    object_fields,
    read_rows,
    run_object,
)
from mldeck.store.interrupt import Interrupt
from mldeck.store.store import Store

_LINES_AT_ONCE = 500
_NO_FILE_NAME = re.compile(r"[^\w.-]+")
_MAX_FILE_NAME = 80


class Format(str, Enum):
    """A file format, by the name that the export dialog shows."""

    CSV = "CSV"
    JSON = "JSON"
    MARKDOWN = "Markdown"
    TEXT = "Text"
    SVG = "SVG"

    @property
    def suffix(self) -> str:
        """The suffix that files of this format get, with its dot."""
        return _SUFFIXES[self]

    @classmethod
    def of(cls, path: str) -> Format | None:
        """Return the format that the suffix of a path stands for, in upper or lower case; None if it is unknown."""
        suffix = Path(path).suffix.lower()
        return cls.MARKDOWN if suffix == ".markdown" else next((form for form in cls if form.suffix == suffix), None)


_SUFFIXES = {
    Format.CSV: ".csv",
    Format.JSON: ".json",
    Format.MARKDOWN: ".md",
    Format.TEXT: ".txt",
    Format.SVG: ".svg",
}
TABLE_FORMATS = (Format.CSV, Format.JSON, Format.MARKDOWN)
PICTURE_FORMATS = (Format.TEXT, Format.SVG, Format.CSV)
"""Formats for a chart: two for the picture, and CSV for the numbers that it was drawn from."""


def file_name(text: str) -> str:
    """Return the text as a file name for any system, at most 80 characters long; `experiment` if nothing remains of it."""
    return _NO_FILE_NAME.sub("-", text).strip("-.")[:_MAX_FILE_NAME] or "experiment"


@dataclass(frozen=True)
class RunsShown:
    """The contents of a run table, as a query."""

    query: RunQuery
    columns: Sequence[Column]
    """The columns, without duplicates."""
    experiment_names: Mapping[str, str] = field(default_factory=dict)
    """Experiment names by experiment id."""
    only: Collection[str] | None = None
    """The run ids to restrict the query to; None for all runs that it finds."""


def export_runs(
    store: Store,
    shown: RunsShown,
    destination: Destination,
    form: Format,
    *,
    guards: Sequence[CellGuard] = (),
    progress: Callable[[int, int], None] = lambda done, total: None,
    interrupt: Interrupt | None = None,
) -> int:
    """Write the runs and return their number. `progress` is called with the number of lines written and the total.

    `guards` are applied to the fields of a CSV. Raises `AlreadyThere`, `NotWritten`, or what reading the store or a guard
    raises; no file is created then.
    """
    interrupt = interrupt or Interrupt()
    with _complete_file(destination) as file:
        ids = store.run_ids(shown.query, None, interrupt)
        if shown.only is not None:
            ids = [run_id for run_id in ids if run_id in shown.only]
        lines = _lines(store, shown, ids, form, guards, interrupt)
        _write_lines(file, lines, len(ids), progress, interrupt)
    return len(ids)


def write_file(
    destination: Destination,
    lines: Iterable[str],
    *,
    total: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
    interrupt: Interrupt | None = None,
) -> None:
    """Write the lines; `total` is about how many there are, for `progress`.

    Raises `AlreadyThere`, `NotWritten`, or what the iterable raises; no file is created then.
    """
    with _complete_file(destination) as file:
        _write_lines(file, iter(lines), total, progress, interrupt or Interrupt())


def _write_lines(
    file: TextIO, lines: Iterator[str], total: int, progress: Callable[[int, int], None], interrupt: Interrupt
) -> None:
    done = 0
    progress(0, total)
    while some := list(islice(lines, _LINES_AT_ONCE)):
        file.writelines(some)
        done += len(some)
        progress(min(done, total), total)
        interrupt.check()


def _lines(
    store: Store,
    shown: RunsShown,
    ids: Sequence[str],
    form: Format,
    guards: Sequence[CellGuard],
    interrupt: Interrupt,
) -> Iterator[str]:
    if form is Format.JSON:
        records = store.iter_records(ids, object_fields(shown.columns), interrupt)
        return json_pieces(run_object(record, shown.experiment_names) for record in records)
    rows = read_rows(store, ids, shown.columns, shown.experiment_names, interrupt)
    if form is Format.MARKDOWN:
        return markdown_lines(shown.columns, rows)
    return csv_lines(chain([[field_name(column) for column in shown.columns]], rows), *guards)


@contextmanager
def _complete_file(destination: Destination) -> Iterator[TextIO]:
    """Yield an open file. It gets its final name after the block, once its contents are on the disk."""
    with (
        destination.new() as temporary,
        temporary.open("x", encoding="utf-8", errors="backslashreplace", newline="") as file,
    ):
        yield file
        file.flush()
        os.fsync(file.fileno())
