"""mldeck and MLflow on one registry, for tests that compare the two."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mldeck.registry.plan import plan_transition
from mldeck.store.store import Store
from tests.fixture_stores import FixtureStore

if TYPE_CHECKING:
    from mlflow import MlflowClient

NEWEST = "mlflow-3.17.2"
CURRENT = [NEWEST, "migrated-1.8.0-to-3.17.2"]
"""Fixtures with the tables of the MLflow that is installed: it opens them as they are."""
MODEL = "churn-model"


def client_of(db: Path) -> MlflowClient:
    """MLflow's registry asks for logged models by the tracking URI of the process."""
    import mlflow
    from mlflow import MlflowClient

    mlflow.set_tracking_uri(f"sqlite:///{db}")
    mlflow.set_registry_uri(f"sqlite:///{db}")
    return MlflowClient(tracking_uri=f"sqlite:///{db}", registry_uri=f"sqlite:///{db}")


@dataclass
class Deck:
    """mldeck on one database."""

    store: Store

    def __post_init__(self) -> None:
        self.reader = self.store.registry()
        # Its records of transitions are what MLflow does not write.
        self.editor = self.store.registry_editor(record_transitions=False)

    def move(self, version: int, stage: str, archive_existing: bool = False, name: str = MODEL) -> object:
        return self.editor.transition(plan_transition(self.reader.versions(name), version, stage, archive_existing))

    def register(self, fixture: FixtureStore, label: str, name: str, **more: Any) -> object:
        source = self.reader.source_of_run(fixture.run(label), "model", lambda uri: (Path(uri) / "MLmodel").exists())
        return self.editor.register(name, source, **more)


def registered(name: str, uri: str, tags: dict[str, str] | None = None) -> object:
    import mlflow

    return mlflow.register_model(uri, name, tags=tags)
