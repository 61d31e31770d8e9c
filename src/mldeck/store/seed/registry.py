"""Writing the model registry of a new store (see `seed`)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import NamedTuple

_MODEL_VERSIONS_TAG = "mlflow.modelVersions"


class LoggedModelRef(NamedTuple):
    """A written logged model: the part that registering it and writing its files needs."""

    model_id: str
    experiment_id: str
    run_id: str
    artifact_location: str


class RegistryWriter:
    """The part of a `StoreWriter` that writes the model registry."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def create_registered_model(
        self, name: str, *, time: int, description: str | None = None, tags: Mapping[str, str] | None = None
    ) -> None:
        self._db.execute(
            "INSERT INTO registered_models (name, creation_time, last_updated_time, description) VALUES (?, ?, ?, ?)",
            (name, time, time, description),
        )
        self._db.executemany(
            "INSERT INTO registered_model_tags (key, value, name) VALUES (?, ?, ?)",
            [(key, value, name) for key, value in (tags or {}).items()],
        )

    def create_model_version(
        self,
        name: str,
        model: LoggedModelRef,
        *,
        time: int,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> int:
        """Register a logged model as the next version, in stage None, note it in the logged model's tag, return its number."""
        (version,) = self._db.execute(
            "SELECT coalesce(max(version), 0) + 1 FROM model_versions WHERE workspace = 'default' AND name = ?", (name,)
        ).fetchone()
        origin = (f"models:/{model.model_id}", model.run_id, model.artifact_location)
        self._db.execute(
            "INSERT INTO model_versions (name, version, creation_time, last_updated_time, description, current_stage,"
            " source, run_id, status, storage_location) VALUES (?, ?, ?, ?, ?, 'None', ?, ?, 'READY', ?)",
            (name, version, time, time, description, *origin),
        )
        self._db.executemany(
            "INSERT INTO model_version_tags (key, value, name, version) VALUES (?, ?, ?, ?)",
            [(key, value, name, version) for key, value in (tags or {}).items()],
        )
        self._touch_registered_model(name, time)
        self._note_version_at_model(model, name, version)
        return int(version)

    def _note_version_at_model(self, model: LoggedModelRef, name: str, version: int) -> None:
        row = self._db.execute(
            "SELECT tag_value FROM logged_model_tags WHERE model_id = ? AND tag_key = ?",
            (model.model_id, _MODEL_VERSIONS_TAG),
        ).fetchone()
        versions = ([] if row is None else json.loads(row[0])) + [{"name": name, "version": version}]
        self._set_model_tags(model, {_MODEL_VERSIONS_TAG: json.dumps(versions)})

    def transition_stage(self, name: str, version: int, stage: str, *, time: int, archive_existing: bool) -> None:
        """Move a version; with `archive_existing`, every other version in that stage becomes Archived."""
        if archive_existing:
            self._db.execute(
                "UPDATE model_versions SET current_stage = 'Archived', last_updated_time = ?"
                " WHERE workspace = 'default' AND name = ? AND version <> ? AND current_stage = ?",
                (time, name, version, stage),
            )
        self._db.execute(
            "UPDATE model_versions SET current_stage = ?, last_updated_time = ?"
            " WHERE workspace = 'default' AND name = ? AND version = ?",
            (stage, time, name, version),
        )
        self._touch_registered_model(name, time)

    def set_alias(self, name: str, alias: str, version: int) -> None:
        self._db.execute(
            "INSERT INTO registered_model_aliases (name, alias, version) VALUES (?, ?, ?)"
            " ON CONFLICT (workspace, name, alias) DO UPDATE SET version = excluded.version",
            (name, alias, version),
        )

    def _touch_registered_model(self, name: str, time: int) -> None:
        self._db.execute(
            "UPDATE registered_models SET last_updated_time = ? WHERE workspace = 'default' AND name = ?", (time, name)
        )

    def _set_model_tags(self, model: LoggedModelRef, tags: Mapping[str, str]) -> None:
        self._db.executemany(
            "INSERT INTO logged_model_tags (model_id, experiment_id, tag_key, tag_value) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (model_id, tag_key) DO UPDATE SET tag_value = excluded.tag_value",
            [(model.model_id, model.experiment_id, key, value) for key, value in tags.items()],
        )
