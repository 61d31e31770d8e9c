"""What `runs:/` and `models:/` URIs stand for in a database: the look-up that `mldeck.artifacts` asks for."""

from __future__ import annotations

from collections.abc import Iterable

from mldeck.registry.nouns import ModelVersion
from mldeck.store.registry.reader import RegistryReader
from mldeck.store.store import Store

_LATEST = "latest"


class UriLookup:
    """`runs` is the store of the runs and logged models, `registry` that of the versions: often one and the same."""

    def __init__(self, runs: Store, registry: RegistryReader) -> None:
        self._runs = runs
        self._registry = registry

    def run_uri(self, run_id: str) -> str | None:
        details = self._runs.run_details(run_id)
        return details.run.artifact_uri if details else None

    def run_model_uri(self, run_id: str, name: str) -> str | None:
        """Of the newest logged model of this name that the run made."""
        models = self._runs.registry().models_of_run(run_id)
        found = [each for each in models if each.model_id and each.name == name and each.run_id == run_id]
        return found[-1].artifact_location if found else None

    def logged_model_uri(self, model_id: str) -> str | None:
        model = self._runs.registry().logged_model(model_id)
        return model.artifact_location if model else None

    def version_uri(self, name: str, version: str) -> str | None:
        """`version`: a number, a stage in any case, or `latest`."""
        versions = self._registry.versions(name)  # the newest first
        if version.isascii() and version.isdecimal():
            return _location(each for each in versions if each.version == int(version))
        if version.lower() == _LATEST:
            return _location(versions)
        return _location(each for each in versions if each.stage.lower() == version.lower())

    def alias_uri(self, name: str, alias: str) -> str | None:
        return _location(each for each in self._registry.versions(name) if alias in each.aliases)


def _location(versions: Iterable[ModelVersion]) -> str | None:
    """Of the first."""
    return next((each.location for each in versions), None)
