"""Write what a run table or a chart shows into a file. Headless; the deck asks for it in a thread."""

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
from mldeck.run_text import csv_lines, field_name, json_pieces, markdown_lines, object_fields, read_rows, run_object
from mldeck.store.interrupt import Interrupt
from mldeck.store.store import Store

_LINES_AT_ONCE = 500
_NO_FILE_NAME = re.compile(r"[^\w.-]+")
_MAX_FILE_NAME = 80


class Format(str, Enum):
    CSV = "CSV"
    JSON = "JSON"
    MARKDOWN = "Markdown"
    TEXT = "Text"
    SVG = "SVG"

    @property
    def suffix(self) -> str:
        return _SUFFIXES[self]

    @classmethod
    def of(cls, path: str) -> Format | None:
        """The format that the end of a file's name stands for."""
        suffix = Path(path).suffix.lower()
        return cls.MARKDOWN if suffix == ".markdown" else next((each for each in cls if each.suffix == suffix), None)


_SUFFIXES = {
    Format.CSV: ".csv",
    Format.JSON: ".json",
    Format.MARKDOWN: ".md",
    Format.TEXT: ".txt",
    Format.SVG: ".svg",
}
TABLE_FORMATS = (Format.CSV, Format.JSON, Format.MARKDOWN)
PICTURE_FORMATS = (Format.TEXT, Format.SVG, Format.CSV)
"""The picture, or the numbers that it was drawn from."""


def file_name(text: str) -> str:
    """As much of a text as can stand in any file name; `experiment` if nothing can."""
    return _NO_FILE_NAME.sub("-", text).strip("-.")[:_MAX_FILE_NAME] or "experiment"


@dataclass(frozen=True)
class RunsShown:
    """What a run table shows."""

    query: RunQuery
    columns: Sequence[Column]
    """Each once."""
    experiment_names: Mapping[str, str] = field(default_factory=dict)
    """By experiment id."""
    only: Collection[str] | None = None
    """Nothing but these runs, if they are listed at all."""


def export_runs(
    store: Store,
    shown: RunsShown,
    destination: Destination,
    form: Format,
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
    interrupt: Interrupt | None = None,
) -> int:
    """Write the runs, and return how many they are. `progress` is told how many are done, and of how many.

    Raises `AlreadyThere`, `NotWritten`, or what reading raises; there is no new file then.
    """
    interrupt = interrupt or Interrupt()
    with _complete_file(destination) as file:
        ids = store.run_ids(shown.query, None, interrupt)
        if shown.only is not None:
            ids = [run_id for run_id in ids if run_id in shown.only]
        lines = _lines(store, shown, ids, form, interrupt)
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
    """Write lines, of which about `total` are to come. Raises what `export_runs` raises; there is no new file then."""
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


def _lines(store: Store, shown: RunsShown, ids: Sequence[str], form: Format, interrupt: Interrupt) -> Iterator[str]:
    if form is Format.JSON:
        records = store.iter_records(ids, object_fields(shown.columns), interrupt)
        return json_pieces(run_object(each, shown.experiment_names) for each in records)
    rows = read_rows(store, ids, shown.columns, shown.experiment_names, interrupt)
    if form is Format.MARKDOWN:
        return markdown_lines(shown.columns, rows)
    return csv_lines(chain([[field_name(column) for column in shown.columns]], rows))


@contextmanager
def _complete_file(destination: Destination) -> Iterator[TextIO]:
    """A file to write to that gets its name when everything is in it and on the disk."""
    with (
        destination.new() as temporary,
        temporary.open("x", encoding="utf-8", errors="backslashreplace", newline="") as file,
    ):
        yield file
        file.flush()
        os.fsync(file.fileno())
