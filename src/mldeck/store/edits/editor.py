"""Changing one open tracking database.

Every method may be called from any thread, takes the write lock for one short transaction, and returns what it changed;
`undo` reverts that. All raise `MldeckError` when MLflow's rules or the state of the database forbid the change,
`StoreUnavailable` when the file is gone or stays locked, and `Interrupted` when `interrupt` is fired before the commit.
Nothing was changed then.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from mldeck.store.backend import Writer
from mldeck.store.edits import experiments, runs
from mldeck.store.edits.changes import Edit, EditSubject, NewExperiment
from mldeck.store.interrupt import Interrupt


class StoreEditor:
    """All edits of experiments and runs. Opens no connection before the first edit, and keeps none between edits."""

    def __init__(self, writer: Writer, folder: Path | None, *, clock: Callable[[], float] = time.time) -> None:
        """`folder` is that of the database, if it is a file here; `clock` returns seconds since the epoch."""
        self._writer = writer
        self._folder = folder
        self._clock = clock

    def rename_run(self, run_id: str, name: str, interrupt: Interrupt | None = None) -> Edit:
        with self._writer.writing(interrupt) as (connection, schema):
            return runs.rename_run(connection, schema, run_id, name)

    def set_run_note(self, run_ids: Sequence[str], text: str, interrupt: Interrupt | None = None) -> Edit:
        with self._writer.writing(interrupt) as (connection, schema):
            return runs.set_run_note(connection, schema, run_ids, text)

    def set_run_tag(self, run_ids: Sequence[str], key: str, value: str, interrupt: Interrupt | None = None) -> Edit:
        with self._writer.writing(interrupt) as (connection, schema):
            return runs.set_run_tag(connection, schema, run_ids, key, value)

    def delete_run_tag(self, run_ids: Sequence[str], key: str, interrupt: Interrupt | None = None) -> Edit:
        with self._writer.writing(interrupt) as (connection, schema):
            return runs.delete_run_tag(connection, schema, run_ids, key)

    def delete_runs(self, run_ids: Sequence[str], interrupt: Interrupt | None = None) -> Edit:
        with self._writer.writing(interrupt) as (connection, schema):
            return runs.delete_runs(connection, schema, run_ids, self._now_ms())

    def restore_runs(self, run_ids: Sequence[str], interrupt: Interrupt | None = None) -> Edit:
        with self._writer.writing(interrupt) as (connection, schema):
            return runs.restore_runs(connection, schema, run_ids)

    def create_experiment(self, name: str, interrupt: Interrupt | None = None) -> NewExperiment:
        with self._writer.writing(interrupt) as (connection, schema):
            return experiments.create_experiment(connection, schema, name, self._now_ms(), self._folder)

    def rename_experiment(self, experiment_id: str, name: str, interrupt: Interrupt | None = None) -> Edit:
        with self._writer.writing(interrupt) as (connection, schema):
            return experiments.rename_experiment(connection, schema, experiment_id, name, self._now_ms())

    def set_experiment_note(self, experiment_id: str, text: str, interrupt: Interrupt | None = None) -> Edit:
        with self._writer.writing(interrupt) as (connection, schema):
            return experiments.set_experiment_note(connection, schema, experiment_id, text)

    def set_experiment_tag(self, ids: Sequence[str], key: str, value: str, interrupt: Interrupt | None = None) -> Edit:
        with self._writer.writing(interrupt) as (connection, schema):
            return experiments.set_experiment_tag(connection, schema, ids, key, value)

    def delete_experiment_tag(self, ids: Sequence[str], key: str, interrupt: Interrupt | None = None) -> Edit:
        with self._writer.writing(interrupt) as (connection, schema):
            return experiments.delete_experiment_tag(connection, schema, ids, key)

    def delete_experiments(self, ids: Sequence[str], interrupt: Interrupt | None = None) -> Edit:
        with self._writer.writing(interrupt) as (connection, schema):
            return experiments.delete_experiments(connection, schema, ids, self._now_ms())

    def restore_experiments(self, ids: Sequence[str], interrupt: Interrupt | None = None) -> Edit:
        with self._writer.writing(interrupt) as (connection, schema):
            return experiments.restore_experiments(connection, schema, ids, self._now_ms())

    def undo(self, edit: Edit, interrupt: Interrupt | None = None) -> Edit:
        """Restore every row. Raises `MldeckError` when one was changed since. The edit returned can be undone in turn."""
        function = runs.undo_run_edit if edit.subject is EditSubject.RUN else experiments.undo_experiment_edit
        with self._writer.writing(interrupt) as (connection, schema):
            return function(connection, schema, edit)

    def _now_ms(self) -> int:
        """Return the time in ms. Called when the lock is held, because waiting for it may have taken a while."""
        return int(self._clock() * 1000)
