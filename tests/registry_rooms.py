"""A registry in tests: the reader and the editor of one store, and plain values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mldeck.registry.history import Transition
from mldeck.registry.nouns import ModelVersion
from mldeck.registry.plan import plan_transition
from mldeck.store.registry.editor import RegistryEditor
from mldeck.store.registry.reader import RegistryReader
from mldeck.store.store import Store
from tests.editing import NOW, sql, writer_of
from tests.fixture_stores import FixtureStore

MODEL = "churn-model"
"""A model in the fixtures, with versions 1 Archived, 2 Production, 3 Staging, 4 and 6 None, 5 deleted."""
MIGRATED = "migrated-1.8.0-to-3.17.2"
"""A fixture with an orphan, `old-name`."""


@dataclass(frozen=True)
class Registry:
    reader: RegistryReader
    editor: RegistryEditor

    def move(
        self, version: int, stage: str, archive_existing: bool = False, name: str = MODEL, reason: str = ""
    ) -> Transition:
        plan = plan_transition(self.reader.versions(name), version, stage, archive_existing)
        return self.editor.transition(plan, reason)

    def stages(self, name: str = MODEL) -> dict[int, str]:
        return {version.version: version.stage for version in self.reader.versions(name)}


RegistryOf = Callable[..., Registry]
"""The type of the fixture `registry`."""


def registry_of(
    opened: Store, fixture: FixtureStore, now: int = NOW, *, workspace: str = "default", record: bool = True
) -> Registry:
    editor = RegistryEditor(writer_of(fixture.db), workspace, record_transitions=record, clock=lambda: now / 1000)
    return Registry(opened.registry(workspace), editor)


def a_version(
    number: int, stage: str = "None", *, created: int = 0, changed: int = 0, tags: Mapping[str, str] | None = None
) -> ModelVersion:
    return ModelVersion("m", number, stage, creation_time=created, last_updated_time=changed, tags=tags or {})


def two_workspaces(store: FixtureStore) -> None:
    """Add a second workspace, with a model of the same name."""
    sql(store, "INSERT INTO workspaces (name) VALUES ('lab')")
    sql(store, "INSERT INTO registered_models (name, workspace, creation_time) VALUES (?, 'lab', 1)", MODEL)
    sql(
        store,
        "INSERT INTO model_versions (name, version, current_stage, workspace, last_updated_time)"
        " VALUES (?, 9, 'Production', 'lab', 5)",
        MODEL,
    )
    sql(store, "INSERT INTO registered_model_tags VALUES ('of', 'lab', ?, 'lab')", MODEL)
    sql(store, "INSERT INTO registered_model_aliases VALUES ('champion', 9, ?, 'lab')", MODEL)
