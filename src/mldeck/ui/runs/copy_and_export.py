"""Copying from the run table to the clipboard, and exporting it to a file."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mldeck.format import exact_duration_text, exact_float_text, safe, time_text
from mldeck.model import Column, Kind, RunFields, RunRecord
from mldeck.ui.kit.cell_text import cell_text
from mldeck.ui.kit.clipboard import CopyAsked
from mldeck.ui.kit.dialogs.menu import Choice, MenuDialog
from mldeck.ui.kit.threads import read_off_loop
from mldeck.ui.place import Place
from mldeck.ui.runs.table import RunTable
from mldeck.ui.state.session import Session

if TYPE_CHECKING:
    from mldeck.ui.export.dialog import ExportJob

_RUN_ID = Column(Kind.ATTRIBUTE, "run_id")
_PREVIEW = 48


class _Copy(NamedTuple):
    """Something that can be copied."""

    key: str
    """The key that copies it from the menu."""
    label: str
    text: str
    """The text for the clipboard."""

    @property
    def in_menu(self) -> Choice:
        """The menu entry, with the beginning of the text."""
        preview = cell_text(" ".join(self.text[:_PREVIEW].split()), _PREVIEW)
        return Choice(self.key, self.key, self.label, preview)


class CopyAndExport:
    def __init__(self, place: Place, session: Session, table: RunTable) -> None:
        self._place = place
        self._session = session
        self._table = table

    # -- the clipboard

    async def copy_as(self) -> None:
        """Ask what to copy, and copy it. Call it in a worker: it reads the run, of which the table knows only a part."""
        run_id, session = self._table.cursor_run, self._session
        if not session.is_open:
            return
        record = None
        if run_id is not None:
            store, fields = session.store, RunFields.of(self._table.cells.columns)
            with self._place.reporting_trouble():
                records = await read_off_loop(lambda interrupt: store.run_records([run_id], fields, interrupt))
                record = records.get(run_id)
        choices = self._choices(record)
        if not choices:
            self._place.notify("There is nothing to copy here", timeout=2)
            return
        key = await self._place.app.push_screen_wait(MenuDialog("Copy as…", [choice.in_menu for choice in choices]))
        for chosen in choices:
            if chosen.key == key:
                self._place.post_message(CopyAsked(chosen.text, chosen.label))

    def _choices(self, record: RunRecord | None) -> list[_Copy]:
        from mldeck.run_text import json_text, run_object
        from mldeck.search.python import search_call

        session = self._session
        choices: list[_Copy] = []
        if session.marked:
            count = len(session.marked)
            label = f"ids of the {count:,} marked runs" if count > 1 else "id of the marked run"
            choices.append(_Copy("i", label, "\n".join(session.marked)))
        elif record is not None:
            choices.append(_Copy("i", "run id", record.run.run_id))
        column = self._table.cursor_key
        if record is not None:
            text = None if column is None else cell_value(record, column)
            if column is not None and text is not None:
                choices.append(_Copy("c", f"cell: {safe(column.key)}", text))
            choices.append(_Copy("r", "row as JSON", json_text(run_object(record, self._experiment_names), indent=2)))
        if session.query is not None:
            names = [experiment.name for experiment in session.scope]
            choices.append(_Copy("f", "filter as Python", search_call(session.query, names)))
        return choices

    @property
    def _experiment_names(self) -> dict[str, str]:
        return {experiment.experiment_id: experiment.name for experiment in self._session.scope}

    # -- files

    def export(self) -> None:
        from mldeck.export import TABLE_FORMATS, RunsShown, export_runs, file_name
        from mldeck.ui.export.dialog import ExportDialog

        session = self._session
        if session.query is None or not session.is_open:
            self._place.notify("There are no runs to export", timeout=2)
            return
        only: Collection[str] | None = session.layout.only
        shown = RunsShown(session.query, self._exported_columns(), self._experiment_names, only)
        store = session.store

        def write(job: ExportJob) -> int:
            return export_runs(
                store,
                shown,
                job.destination,
                job.form,
                guards=job.guards,
                progress=job.progress.tell,
                interrupt=job.interrupt,
            )

        path = f"./{file_name(session.scope[0].name)}-runs.csv"
        dialog = ExportDialog("Export these runs to a file", path, TABLE_FORMATS, session.databases, write)
        self._place.app.push_screen(dialog, self._exported)

    def _exported_columns(self) -> tuple[Column, ...]:
        """Return the columns of the table after the run id, which identifies the run."""
        return tuple(dict.fromkeys((_RUN_ID, *self._table.cells.columns)))

    def _exported(self, result: tuple[Path, int] | None) -> None:
        if result is not None:
            path, count = result
            runs = "run" if count == 1 else "runs"
            self._place.notify(f"Exported {count:,} {runs} to {path}", timeout=5)


def cell_value(record: RunRecord, column: Column) -> str | None:
    """Return the exact value of a cell as text; None if it is empty."""
    if column.kind is not Kind.ATTRIBUTE:
        texts = {Kind.PARAM: record.params, Kind.TAG: record.tags, Kind.DATASET: record.datasets}
        number = record.metrics.get(column.key) if column.kind is Kind.METRIC else None
        return texts.get(column.kind, {}).get(column.key) if number is None else exact_float_text(number)
    value = getattr(record.run, column.key, None)
    if isinstance(value, int):
        return exact_duration_text(value) if column.key == "duration" else time_text(value)
    return None if value is None else str(value)
