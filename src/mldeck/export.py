"""Writes what a run table or a chart shows into a file. Headless; the deck asks for it in a thread.

The file appears under its name when it is complete, and not before: until then it has a temporary name in the same folder.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from itertools import chain, islice
from pathlib import Path
from typing import TextIO

from mldeck.errors import MldeckError
from mldeck.model import Column, RunQuery
from mldeck.serial import csv_lines, field_name, fields_of, json_pieces, markdown_lines, read_rows, run_object
from mldeck.store.interrupt import Interrupt
from mldeck.store.store import Store

_LINES_AT_ONCE = 500
_NO_FILE_NAME = re.compile(r"[^\w.-]+")
_MAX_FILE_NAME = 80
_SIDE_FILES = ("", "-wal", "-shm", "-journal")
"""What belongs to a SQLite database, by what its names end in."""


class ExportError(MldeckError):
    """Nothing was written. The message names the file and says why."""


class AlreadyThere(ExportError):
    """There is a file of that name, and nobody said that it may be replaced."""


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
    path: Path,
    form: Format,
    *,
    overwrite: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
    interrupt: Interrupt | None = None,
) -> int:
    """Writes the runs and says how many. `progress` is told how many are done, and of how many.

    Raises `AlreadyThere`, `ExportError`, or what reading raises; whatever it is, there is no new file then.
    """
    interrupt = interrupt or Interrupt()
    with _complete_file(path, store.path, overwrite=overwrite) as file:
        ids = store.run_ids(shown.query, None, interrupt)
        if shown.only is not None:
            ids = [run_id for run_id in ids if run_id in shown.only]
        lines = _lines(store, shown, ids, form, interrupt)
        done = 0
        progress(0, len(ids))
        while some := list(islice(lines, _LINES_AT_ONCE)):
            file.writelines(some)
            done += len(some)
            progress(min(done, len(ids)), len(ids))
            interrupt.check()
    return len(ids)


def write_file(path: Path, pieces: Iterable[str], store_path: Path, *, overwrite: bool = False) -> None:
    """Writes a text that is at hand. Raises `AlreadyThere` or `ExportError`; there is no new file then."""
    with _complete_file(path, store_path, overwrite=overwrite) as file:
        file.writelines(pieces)


def _lines(store: Store, shown: RunsShown, ids: Sequence[str], form: Format, interrupt: Interrupt) -> Iterator[str]:
    if form is Format.JSON:
        records = store.iter_records(ids, fields_of(shown.columns), interrupt)
        return json_pieces(run_object(each, shown.experiment_names) for each in records)
    rows = read_rows(store, ids, shown.columns, shown.experiment_names, interrupt)
    if form is Format.MARKDOWN:
        return markdown_lines(shown.columns, rows)
    return csv_lines(chain([[field_name(column) for column in shown.columns]], rows))


@contextmanager
def _complete_file(path: Path, store_path: Path, *, overwrite: bool) -> Iterator[TextIO]:
    """A file to write to that gets its name when everything is in it, and is gone if something goes wrong."""
    temporary: Path | None = None
    try:
        target = Path(os.path.realpath(path))  # what a link leads to is replaced, not the link
        _refuse(path, target, store_path, overwrite=overwrite)
        temporary = target.with_name(f".mldeck-{secrets.token_hex(6)}.part")
        with temporary.open("x", encoding="utf-8", errors="backslashreplace", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _refuse(path, target, store_path, overwrite=overwrite)  # somebody else may have made one meanwhile
        temporary.replace(target)
    except OSError as error:
        raise ExportError(f"{path} was not written: {error.strerror or error}") from error
    except ValueError as error:  # a name with a zero byte in it
        raise ExportError(f"{path} cannot be a file: {error}") from error
    finally:
        if temporary is not None:
            with suppress(OSError):  # what went wrong before is said, not this
                temporary.unlink()


def _refuse(path: Path, target: Path, store_path: Path, *, overwrite: bool) -> None:
    """Raises `ExportError` if nothing may be written there."""
    if target.is_dir():
        raise ExportError(f"{path} was not written: it is a folder")
    store = os.path.realpath(store_path)
    if any(str(target) == store + ending for ending in _SIDE_FILES) or _is_same(target, store_path):
        raise ExportError(f"{path} was not written: it is the tracking database itself")
    if target.exists() and not target.is_file():
        raise ExportError(f"{path} was not written: it is no ordinary file")
    if path.is_symlink() and not overwrite:  # the current folder is foreign, and so may be where a link in it leads
        raise AlreadyThere(f"{path} was not written: it is a link to {target}")
    if target.exists() and not overwrite:
        raise AlreadyThere(f"{path} was not written: there is a file of that name")


def _is_same(target: Path, store_path: Path) -> bool:
    """By whatever name: a database may have several."""
    return target.exists() and store_path.exists() and target.samefile(store_path)
