"""Changing one open tracking database.

Every method may be called from any thread, takes the write lock for one short transaction, and returns what it changed;
`undo` reverts that. All raise `MldeckError` when MLflow's rules or the state of the database forbid the change,
`StoreUnavailable` when the file is gone or stays locked, and `Interrupted` when `interrupt` is fired before the commit.
Nothing was changed then. Only `PerhapsWritten`, which is about a lost connection to another machine, leaves that open.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection

from mldeck.store.backend import Writer, written
from mldeck.store.edits import experiments, runs
from mldeck.store.edits.changes import Edit, EditSubject, NewExperiment
from mldeck.store.interrupt import Interrupt
from mldeck.store.schema import Schema

_Result = TypeVar("_Result")


class StoreEditor:
    """All edits of experiments and runs. Opens no connection before the first edit, and keeps none between edits."""

    def __init__(self, writer: Writer, folder: Path | None, *, clock: Callable[[], float] = time.time) -> None:
        """`folder` is that of the database, if it is a file here; `clock` returns seconds since the epoch."""
        self._writer = writer
        self._folder = folder
        self._clock = clock

    def rename_run(self, run_id: str, name: str, interrupt: Interrupt | None = None) -> Edit:
        return self._write(lambda connection, schema: runs.rename_run(connection, schema, run_id, name), interrupt)

    def set_run_note(self, run_ids: Sequence[str], text: str, interrupt: Interrupt | None = None) -> Edit:
        return self._write(lambda connection, schema: runs.set_run_note(connection, schema, run_ids, text), interrupt)

    def set_run_tag(self, run_ids: Sequence[str], key: str, value: str, interrupt: Interrupt | None = None) -> Edit:
        return self._write(
            lambda connection, schema: runs.set_run_tag(connection, schema, run_ids, key, value), interrupt
        )

    def delete_run_tag(self, run_ids: Sequence[str], key: str, interrupt: Interrupt | None = None) -> Edit:
        return self._write(lambda connection, schema: runs.delete_run_tag(connection, schema, run_ids, key), interrupt)

    def delete_runs(self, run_ids: Sequence[str], interrupt: Interrupt | None = None) -> Edit:
        return self._write(
            lambda connection, schema: runs.delete_runs(connection, schema, run_ids, self._now_ms()), interrupt
        )

    def restore_runs(self, run_ids: Sequence[str], interrupt: Interrupt | None = None) -> Edit:
        return self._write(lambda connection, schema: runs.restore_runs(connection, schema, run_ids), interrupt)

    def create_experiment(self, name: str, interrupt: Interrupt | None = None) -> NewExperiment:
        return self._write(
            lambda connection, schema: experiments.create_experiment(
                connection, schema, name, self._now_ms(), self._folder
            ),
            interrupt,
        )

    def rename_experiment(self, experiment_id: str, name: str, interrupt: Interrupt | None = None) -> Edit:
        return self._write(
            lambda connection, schema: experiments.rename_experiment(
                connection, schema, experiment_id, name, self._now_ms()
            ),
            interrupt,
        )

    def set_experiment_note(self, experiment_id: str, text: str, interrupt: Interrupt | None = None) -> Edit:
        return self._write(
            lambda connection, schema: experiments.set_experiment_note(connection, schema, experiment_id, text),
            interrupt,
        )

    def set_experiment_tag(self, ids: Sequence[str], key: str, value: str, interrupt: Interrupt | None = None) -> Edit:
        return self._write(
            lambda connection, schema: experiments.set_experiment_tag(connection, schema, ids, key, value), interrupt
        )

    def delete_experiment_tag(self, ids: Sequence[str], key: str, interrupt: Interrupt | None = None) -> Edit:
        return self._write(
            lambda connection, schema: experiments.delete_experiment_tag(connection, schema, ids, key), interrupt
        )

    def delete_experiments(self, ids: Sequence[str], interrupt: Interrupt | None = None) -> Edit:
        return self._write(
            lambda connection, schema: experiments.delete_experiments(connection, schema, ids, self._now_ms()),
            interrupt,
        )

    def restore_experiments(self, ids: Sequence[str], interrupt: Interrupt | None = None) -> Edit:
        return self._write(
            lambda connection, schema: experiments.restore_experiments(connection, schema, ids, self._now_ms()),
            interrupt,
        )

    def undo(self, edit: Edit, interrupt: Interrupt | None = None) -> Edit:
        """Restore every row. Raises `MldeckError` when one was changed since. The edit returned can be undone in turn."""
        function = runs.undo_run_edit if edit.subject is EditSubject.RUN else experiments.undo_experiment_edit
        return self._write(lambda connection, schema: function(connection, schema, edit), interrupt)

    def _write(self, edit: Callable[[Connection, Schema], _Result], interrupt: Interrupt | None) -> _Result:
        return written(self._writer, edit, interrupt)

    def _now_ms(self) -> int:
        """Return the time in ms. Called within the edit, because waiting for a lock may have taken a while."""
        return int(self._clock() * 1000)
