"""One open tracking database. Every method may be called from any thread, reads what it needs in short statements, and
hands back values; SQLite's errors come out as mldeck's own (`StoreUnavailable`, `Interrupted`, `MldeckError`)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import RLock
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection

from mldeck.errors import StoreUnavailable
from mldeck.model import Column, Experiment, Kind, RunCount, RunDetails, RunQuery, RunRecord, View
from mldeck.store.completion import is_numeric, list_keys, list_values
from mldeck.store.details import run_details
from mldeck.store.experiments import list_experiments
from mldeck.store.files import DatabaseFile, is_locked, open_database
from mldeck.store.find import find_runs
from mldeck.store.interrupt import Interrupt
from mldeck.store.metrics import HistorySpan, history_outline
from mldeck.store.run_columns import differing_columns, keys_of_runs
from mldeck.store.runs import RunFields, count_runs, run_ids, run_records
from mldeck.store.schema import Schema
from mldeck.store.sqlite import SqliteReader
from mldeck.store.watch import Change, ChangeWatcher

_P = ParamSpec("_P")
_Result = TypeVar("_Result")

_RECORDS_AT_ONCE = 500


class Store:
    """Opening raises `StoreUnavailable` while the file is locked or gone, and `MldeckError` when it is damaged."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        self._asked_read_only = read_only
        # A connection must not be closed while another thread waits in it.
        self._watching = RLock()
        self._is_closed = False
        self._open()

    def _open(self) -> None:
        """Nothing is replaced unless all of it succeeds."""
        database = open_database(self.path, read_only=self._asked_read_only)
        reader = SqliteReader(database)
        try:
            with reader.reading() as connection:
                schema = Schema.read(connection)
            watcher = _watcher(database)
        except BaseException:
            reader.close()
            database.discard()
            raise
        self._database, self._reader, self._schema, self._watcher = database, reader, schema, watcher

    @property
    def read_only_reason(self) -> str | None:
        """Why nothing can be written; None when it can."""
        return self._database.read_only_reason

    @property
    def is_snapshot(self) -> bool:
        """Whether a copy is shown, because the file itself cannot be read while it may change."""
        return self._database.is_snapshot

    @property
    def notices(self) -> tuple[str, ...]:
        """What the user should know about this database, in words."""
        if self.read_only_reason and not self._asked_read_only:
            return (*self.reading_notices, f"read-only: {self.read_only_reason}")
        return self.reading_notices

    @property
    def reading_notices(self) -> tuple[str, ...]:
        """What somebody who only reads should know: that it may not be all there is."""
        notices = [self._database.notice] if self._database.notice else []
        if self._schema.is_newer_than_known:
            notices.append(
                f"written by a newer MLflow than this mldeck knows (revision {self._schema.revision}); "
                "what is shown may be incomplete"
            )
        return tuple(notices)

    def experiments(self, view: View, interrupt: Interrupt | None = None) -> list[Experiment]:
        return self._read(list_experiments, interrupt, view)

    def run_counts(self, interrupt: Interrupt | None = None) -> dict[str, RunCount]:
        """How many runs each experiment has, by its id: a scan of all runs."""
        return self._read(count_runs, interrupt)

    def run_ids(self, query: RunQuery, limit: int | None = None, interrupt: Interrupt | None = None) -> list[str]:
        return self._read(run_ids, interrupt, query, limit)

    def run_records(
        self, ids: Sequence[str], fields: RunFields, interrupt: Interrupt | None = None
    ) -> dict[str, RunRecord]:
        return self._read(run_records, interrupt, ids, fields)

    def iter_records(self, ids: Sequence[str], fields: RunFields) -> Iterator[RunRecord]:
        """The records in the order of `ids`, read a few hundred at a time; runs that are gone are left out."""
        for start in range(0, len(ids), _RECORDS_AT_ONCE):
            some = ids[start : start + _RECORDS_AT_ONCE]
            records = self.run_records(some, fields)
            yield from (records[run_id] for run_id in some if run_id in records)

    def differing_columns(self, ids: Sequence[str], interrupt: Interrupt | None = None) -> tuple[Column, ...]:
        return self._read(differing_columns, interrupt, ids)

    def keys_of_runs(self, ids: Sequence[str]) -> tuple[Column, ...]:
        """All metrics, params and tags that at least one of these runs has."""
        return self._read(keys_of_runs, None, ids)

    def find_runs(
        self, query: RunQuery, text: str, columns: Sequence[Column], interrupt: Interrupt | None = None
    ) -> frozenset[str]:
        """Ids of the runs whose name, id, user or status, or whose shown params and tags, contain the text."""
        return self._read(find_runs, interrupt, query, text, columns)

    def list_keys(self, kind: Kind, sample_ids: Sequence[str], interrupt: Interrupt | None = None) -> list[str]:
        """Metric, param or tag keys of the database, those first that most of the sample runs have."""
        return self._read(list_keys, interrupt, kind, sample_ids)

    def list_values(self, kind: Kind, key: str, limit: int = 50, interrupt: Interrupt | None = None) -> list[str]:
        """Values of a param or tag, the most frequent first."""
        return self._read(list_values, interrupt, kind, key, limit)

    def is_numeric(self, query: RunQuery, kind: Kind, key: str, interrupt: Interrupt | None = None) -> bool:
        """Whether all values of a param or tag are numbers."""
        return self._read(is_numeric, interrupt, query, kind, key)

    def run_details(self, run_id: str, interrupt: Interrupt | None = None) -> RunDetails | None:
        return self._read(run_details, interrupt, run_id)

    def history_outline(
        self, run_id: str, key: str, slices: int, interrupt: Interrupt | None = None
    ) -> tuple[HistorySpan, ...]:
        return self._read(history_outline, interrupt, run_id, key, slices)

    def poll(self) -> Change:
        """Whether others changed the database since the last call. Opens it anew when it was migrated or replaced.

        Raises `StoreUnavailable` while it is locked, or gone, and `MldeckError` while it is damaged; the store stays usable
        and recovers with a later call.
        """
        with self._watching:
            if self._is_closed:
                return Change.NOTHING
            try:
                change = self._watcher.poll()
            except sqlite3.DatabaseError as error:
                if is_locked(error):
                    raise StoreUnavailable(f"{self.path} is locked by another program") from error
                change = Change.FILE
            if change is Change.GONE:
                raise StoreUnavailable(f"{self.path} is gone")
            if change is Change.FILE:
                self.reopen()
            return change

    def reopen(self) -> None:
        """Opens the file that is there now; when that fails, the store stays with what it had."""
        with self._watching:
            before = self._database, self._reader, self._watcher
            self._open()
            database, reader, watcher = before
            watcher.close()
            reader.close()
            database.discard()

    def close(self) -> None:
        with self._watching:
            self._is_closed = True
            self._watcher.close()
            self._reader.close()
            self._database.discard()

    def _read(
        self,
        function: Callable[Concatenate[Connection, Schema, _P], _Result],
        interrupt: Interrupt | None,
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> _Result:
        with self._reader.reading(interrupt) as connection:
            return function(connection, self._schema, *args, **kwargs)


def _watcher(database: DatabaseFile) -> ChangeWatcher:
    try:
        return ChangeWatcher(database)
    except sqlite3.DatabaseError as error:
        raise StoreUnavailable(f"{database.path} cannot be watched now: {error}") from error
