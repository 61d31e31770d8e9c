"""Exports what a pane shows to a file: the picture as text or SVG, the numbers as CSV, JSON or Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence, Sized
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

from textual.widget import Widget

from mldeck.format import MISSING, exact_float_text
from mldeck.store.interrupt import Interrupt
from mldeck.ui.kit.chart_styles import palette_of
from mldeck.ui.state.session import Session

if TYPE_CHECKING:
    from mldeck.charts.palette import Palette
    from mldeck.charts.picture import Picture
    from mldeck.export import Format
    from mldeck.run_text import CellGuard
    from mldeck.ui.export.dialog import ExportJob

ExportValue: TypeAlias = "str | float | None"


class Rows(Sized, Iterable[Sequence[ExportValue]], Protocol):
    """The rows of a table. A format may iterate over them more than once."""


@dataclass(frozen=True)
class Exported:
    """The content of a pane, for a file."""

    picture: Picture | None
    """None if there are only numbers."""
    header: Sequence[str]
    """Column names, all different."""
    rows: Rows | Callable[[Interrupt], Rows]
    """The rows, or a function that reads them in the thread that writes."""


def export(widget: Widget, session: Session, title: str, exported: Exported | None) -> None:
    """Ask for a path, write the file and report it. The file is named after `title`. None: there is nothing to export."""
    from mldeck.export import PICTURE_FORMATS, TABLE_FORMATS, file_name
    from mldeck.ui.export.dialog import ExportDialog

    if exported is None:
        widget.notify("There is nothing to export", timeout=2)
        return
    palette = palette_of(widget)
    formats = TABLE_FORMATS if exported.picture is None else PICTURE_FORMATS

    def write(job: ExportJob) -> int:
        from mldeck.export import write_file

        rows = exported.rows(job.interrupt) if callable(exported.rows) else exported.rows
        write_file(
            job.destination,
            _pieces(exported.picture, exported.header, rows, job.form, job.guards, title, palette),
            total=len(rows),
            progress=job.progress.tell,
            interrupt=job.interrupt,
        )
        return len(rows)

    def say(result: tuple[Path, int] | None) -> None:
        if result is not None:
            widget.notify(f"Exported to {result[0]}", timeout=5)

    name = f"./{file_name(title)}{formats[0].suffix}"
    dialog = ExportDialog(f"Export {title} to a file", name, formats, session.databases, write, "rows")
    widget.app.push_screen(dialog, say)


def _pieces(
    picture: Picture | None,
    header: Sequence[str],
    rows: Rows,
    form: Format,
    guards: Sequence[CellGuard],
    title: str,
    palette: Palette,
) -> Iterable[str]:
    from mldeck.export import Format
    from mldeck.run_text import csv_lines, json_pieces, markdown_table, valid_number

    if form is Format.SVG and picture is not None:
        from mldeck.charts.svg import to_svg

        return (to_svg(picture, palette, title=title),)
    if form is Format.TEXT and picture is not None:
        return (picture.text, "\n")
    if form is Format.JSON:
        valid = ([valid_number(value) if isinstance(value, float) else value for value in row] for row in rows)
        return json_pieces(dict(zip(header, row, strict=True)) for row in valid)
    if form is Format.MARKDOWN:
        is_right = [any(isinstance(row[column], float) for row in rows) for column in range(len(header))]
        return markdown_table(header, is_right, (map(_shown, row) for row in rows))
    return csv_lines(chain([header], rows), *guards)


def _shown(value: ExportValue) -> str:
    if value is None:
        return MISSING
    return value if isinstance(value, str) else exact_float_text(value)
