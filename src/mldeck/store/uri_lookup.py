"""Resolving `runs:/` and `models:/` URIs in a database, for `mldeck.artifacts`."""

from __future__ import annotations

from collections.abc import Iterable

from mldeck.registry.nouns import ModelVersion
from mldeck.store.registry.reader import RegistryReader
from mldeck.store.store import Store

_LATEST = "latest"


class UriLookup:
    """Artifact locations by id, name, version or alias; every method returns None for what does not exist.

    `runs` is the store of the runs and logged models, `registry` that of the versions: usually the same database.
    """

    def __init__(self, runs: Store, registry: RegistryReader) -> None:
        self._runs = runs
        self._registry = registry

    def run_uri(self, run_id: str) -> str | None:
        details = self._runs.run_details(run_id)
        return details.run.artifact_uri if details else None

    def run_model_uri(self, run_id: str, name: str) -> str | None:
        """Return the location of the newest logged model of this name that the run made."""
        models = self._runs.registry().models_of_run(run_id)
        found = [model for model in models if model.model_id and model.name == name and model.run_id == run_id]
        return found[-1].artifact_location if found else None

    def logged_model_uri(self, model_id: str) -> str | None:
        model = self._runs.registry().logged_model(model_id)
        return model.artifact_location if model else None

    def version_uri(self, name: str, version: str) -> str | None:
        """Return the location of the newest version that `version` names: a number, a stage in any case, or `latest`."""
        versions = self._registry.versions(name)  # the newest first
        if version.isascii() and version.isdecimal():
            return _location(found for found in versions if found.version == int(version))
        if version.lower() == _LATEST:
            return _location(versions)
        return _location(found for found in versions if found.stage.lower() == version.lower())

    def alias_uri(self, name: str, alias: str) -> str | None:
        return _location(found for found in self._registry.versions(name) if alias in found.aliases)


def _location(versions: Iterable[ModelVersion]) -> str | None:
    """Return the location of the first version, None when there is none."""
    return next((version.location for version in versions), None)
