"""Changing the model registry of one open database.

As with `StoreEditor`, every method may be called from any thread, takes the write lock for one short transaction, and raises
`MldeckError`, `StoreUnavailable` or `Interrupted` when it changed nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from sqlalchemy import Connection

from mldeck.errors import MldeckError
from mldeck.model import DEFAULT_WORKSPACE
from mldeck.registry.history import Transition
from mldeck.registry.nouns import ModelSource
from mldeck.registry.plan import TransitionPlan
from mldeck.store.backend import Writer, written
from mldeck.store.edits.changes import Edit
from mldeck.store.interrupt import Interrupt
from mldeck.store.registry import edits, moves
from mldeck.store.registry.moves import Registered
from mldeck.store.registry.tables import MODELS, RegistryTables
from mldeck.store.schema import Schema

_Result = TypeVar("_Result")

_NO_TAGS: Mapping[str, str] = {}


class RegistryEditor:
    """All changes of the registry. Opens no connection before the first change, and keeps none between changes."""

    def __init__(
        self,
        writer: Writer,
        workspace: str = DEFAULT_WORKSPACE,
        *,
        record_transitions: bool = True,
        tracking: Writer | None = None,
        via: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`tracking` writes to the database of the logged models, when that is another one.

        `record_transitions` says whether changes of stage are recorded in tags; `via` is the machine of the database, as the
        user named it, if it is another one. `clock` returns seconds since the epoch.
        """
        self._writer = writer
        self._workspace = workspace
        self._record_transitions = record_transitions
        self._tracking = tracking
        self._via = via
        self._clock = clock

    def check_writable(self) -> None:
        """Raise `StoreUnavailable` or `MldeckError` when the database cannot be written."""
        self._writer.check_writable()

    # Versions and stages

    def register(
        self,
        name: str,
        source: ModelSource,
        description: str = "",
        tags: Mapping[str, str] = _NO_TAGS,
        interrupt: Interrupt | None = None,
    ) -> Registered:
        """Register the next version of a model; the model is created when it does not exist.

        A logged model in another database is told about it in a second transaction, as with MLflow. When that fails, the
        version is registered all the same, and the result has a notice.
        """
        model_id = source.model_id

        def register(connection: Connection, tables: RegistryTables) -> Registered:
            done = moves.register(connection, tables, name, source, description, tags, self._now_ms())
            if model_id and self._tracking is None:
                moves.note_at_logged_model(connection, tables.schema, model_id, done)
            return done

        done = self._write(register, interrupt)
        if model_id and self._tracking is not None:
            try:
                written(
                    self._tracking,
                    lambda connection, schema: moves.note_at_logged_model(connection, schema, model_id, done),
                )
            except MldeckError as error:
                return replace(done, notice=f"the logged model could not be updated: {error}")
        return done

    def transition(self, plan: TransitionPlan, reason: str = "", interrupt: Interrupt | None = None) -> Transition:
        """Carry out the plan. Raises `StaleReview` when the model was changed since the plan was made."""
        who, host = _user(), _host()

        def move(connection: Connection, tables: RegistryTables) -> Transition:
            return moves.transition(
                connection,
                tables,
                plan,
                self._now_ms(),
                who=who,
                host=host,
                via=self._via,
                reason=reason,
                record=self._record_transitions,
            )

        return self._write(move, interrupt)

    def delete_version(self, name: str, version: int, interrupt: Interrupt | None = None) -> Edit:
        return self._write(
            lambda connection, tables: edits.delete_version(connection, tables, name, version, self._now_ms()),
            interrupt,
        )

    def set_version_description(self, name: str, version: int, text: str, interrupt: Interrupt | None = None) -> Edit:
        return self._write(
            lambda connection, tables: edits.set_version_description(
                connection, tables, name, version, text, self._now_ms()
            ),
            interrupt,
        )

    def set_version_tag(
        self, name: str, version: int, key: str, value: str, interrupt: Interrupt | None = None
    ) -> Edit:
        return self._write(
            lambda connection, tables: edits.set_version_tag(connection, tables, name, version, key, value), interrupt
        )

    def delete_version_tag(self, name: str, version: int, key: str, interrupt: Interrupt | None = None) -> Edit:
        return self._write(
            lambda connection, tables: edits.delete_version_tag(connection, tables, name, version, key), interrupt
        )

    # Models

    def create_model(
        self,
        name: str,
        description: str = "",
        tags: Mapping[str, str] = _NO_TAGS,
        interrupt: Interrupt | None = None,
    ) -> Edit:
        return self._write(
            lambda connection, tables: edits.create_model(connection, tables, name, description, tags, self._now_ms()),
            interrupt,
        )

    def rename_model(self, name: str, new_name: str, interrupt: Interrupt | None = None) -> Edit:
        return self._write(
            lambda connection, tables: edits.rename_model(connection, tables, name, new_name, self._now_ms()), interrupt
        )

    def delete_model(self, name: str, interrupt: Interrupt | None = None) -> Edit:
        """Delete a model with all its versions."""
        return self._write(lambda connection, tables: edits.delete_model(connection, tables, name), interrupt)

    def set_model_description(self, name: str, text: str, interrupt: Interrupt | None = None) -> Edit:
        return self._write(
            lambda connection, tables: edits.set_model_description(connection, tables, name, text, self._now_ms()),
            interrupt,
        )

    def set_model_tag(self, name: str, key: str, value: str, interrupt: Interrupt | None = None) -> Edit:
        return self._write(
            lambda connection, tables: edits.set_model_tag(connection, tables, name, key, value), interrupt
        )

    def delete_model_tag(self, name: str, key: str, interrupt: Interrupt | None = None) -> Edit:
        return self._write(lambda connection, tables: edits.delete_model_tag(connection, tables, name, key), interrupt)

    def set_alias(self, name: str, alias: str, version: int, interrupt: Interrupt | None = None) -> Edit:
        return self._write(
            lambda connection, tables: edits.set_alias(connection, tables, name, alias, version), interrupt
        )

    def delete_alias(self, name: str, alias: str, interrupt: Interrupt | None = None) -> Edit:
        return self._write(lambda connection, tables: edits.delete_alias(connection, tables, name, alias), interrupt)

    def undo(self, edit: Edit, interrupt: Interrupt | None = None) -> Edit:
        """Restore every row. Changes of stage are undone by a plan instead: `mldeck.registry.plan.plan_undo`."""
        return self._write(lambda connection, _: edits.undo_model_edit(connection, edit), interrupt)

    def _write(self, edit: Callable[[Connection, RegistryTables], _Result], interrupt: Interrupt | None) -> _Result:
        def edit_registry(connection: Connection, schema: Schema) -> _Result:
            tables = RegistryTables(schema, self._workspace)
            tables.require(MODELS)
            return edit(connection, tables)

        return written(self._writer, edit_registry, interrupt)

    def _now_ms(self) -> int:
        """Return the time in ms. Called within the edit, because waiting for a lock may have taken a while."""
        return int(self._clock() * 1000)


def _user() -> str:
    """Return the login name, as MLflow determines it for a run."""
    import getpass  # only for changes of stage

    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a user without a name
        return "unknown"


def _host() -> str:
    import socket

    return socket.gethostname()
