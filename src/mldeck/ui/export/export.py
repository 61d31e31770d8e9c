"""Writes what a pane shows into a file: the picture as text or SVG, the numbers as CSV, JSON or Markdown."""

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
    from mldeck.destination import Destination
    from mldeck.export import Format
    from mldeck.ui.export.dialog import ExportProgress

ExportValue: TypeAlias = "str | float | None"


class Rows(Sized, Iterable[Sequence[ExportValue]], Protocol):
    """Those of a table, gone through as often as a format needs."""


@dataclass(frozen=True)
class Exported:
    """What a pane shows, for a file."""

    picture: Picture | None
    """None where the numbers are all there is."""
    header: Sequence[str]
    """Each once."""
    rows: Rows | Callable[[Interrupt], Rows]
    """The latter where they are read while they are written."""


def export(widget: Widget, session: Session, title: str, exported: Exported | None) -> None:
    """Asks where to, writes it, and says so. `title` is what it is called, also in the name of the file."""
    from mldeck.export import PICTURE_FORMATS, TABLE_FORMATS, file_name
    from mldeck.ui.export.dialog import ExportDialog

    if exported is None:
        widget.notify("There is nothing to export", timeout=2)
        return
    palette = palette_of(widget)
    formats = TABLE_FORMATS if exported.picture is None else PICTURE_FORMATS

    def write(destination: Destination, form: Format, progress: ExportProgress, interrupt: Interrupt) -> int:
        from mldeck.export import write_file

        rows = exported.rows(interrupt) if callable(exported.rows) else exported.rows
        write_file(
            destination,
            _pieces(exported.picture, exported.header, rows, form, title, palette),
            total=len(rows),
            progress=progress.tell,
            interrupt=interrupt,
        )
        return len(rows)

    def say(result: tuple[Path, int] | None) -> None:
        if result is not None:
            widget.notify(f"Exported to {result[0]}", timeout=5)

    name = f"./{file_name(title)}{formats[0].suffix}"
    dialog = ExportDialog(f"Export {title} to a file", name, formats, session.databases, write, "rows")
    widget.app.push_screen(dialog, say)


def _pieces(
    picture: Picture | None, header: Sequence[str], rows: Rows, form: Format, title: str, palette: Palette
) -> Iterable[str]:
    from mldeck.export import Format
    from mldeck.run_text import csv_lines, json_pieces, markdown_table, valid_number

    if form is Format.SVG and picture is not None:
        from mldeck.charts.svg import to_svg

        return (to_svg(picture, palette, title=title),)
    if form is Format.TEXT and picture is not None:
        return (picture.text, "\n")
    if form is Format.JSON:
        valid = ([valid_number(each) if isinstance(each, float) else each for each in row] for row in rows)
        return json_pieces(dict(zip(header, row, strict=True)) for row in valid)
    if form is Format.MARKDOWN:
        is_right = [any(isinstance(row[place], float) for row in rows) for place in range(len(header))]
        return markdown_table(header, is_right, (map(_shown, row) for row in rows))
    return csv_lines(chain([header], rows))


def _shown(field: ExportValue) -> str:
    if field is None:
        return MISSING
    return field if isinstance(field, str) else exact_float_text(field)
