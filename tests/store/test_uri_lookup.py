"""Resolving URIs of runs and models, in one database and in two."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from mldeck.artifacts.location import Places, locate
from mldeck.artifacts.references import Lookup
from mldeck.store.store import Store
from mldeck.store.uri_lookup import UriLookup
from tests.editing import NEWEST, sql
from tests.fixture_stores import FixtureStore
from tests.registry_rooms import MODEL

pytestmark = pytest.mark.backends("sqlite", "postgresql", "mariadb")

CopyOf = Callable[[str], FixtureStore]


def test_uris_are_resolved(store_copy: CopyOf) -> None:
    store = store_copy(NEWEST)
    with closing(Store(store.db)) as opened:
        look_up: Lookup = UriLookup(opened, opened.registry())
        versions = {version.version: version for version in opened.registry().versions(MODEL)}
        (model,) = opened.registry().models_of_run(store.run("logreg"))
        assert (
            look_up.run_uri(store.run("logreg"))
            == sql(store, "SELECT artifact_uri FROM runs WHERE run_uuid = ?", store.run("logreg"))[0][0]
        )
        assert look_up.run_uri("0" * 32) is None
        assert look_up.run_model_uri(store.run("logreg"), "model") == model.artifact_location
        assert look_up.run_model_uri(store.run("logreg"), "missing") is None
        assert look_up.logged_model_uri(model.model_id or "") == model.artifact_location
        assert look_up.logged_model_uri("m-0") is None
        for text, number in (("3", 3), ("production", 2), ("None", 6), ("latest", 6), ("Archived", 1)):
            assert look_up.version_uri(MODEL, text) == versions[number].location
        assert look_up.version_uri(MODEL, "5") is None
        assert look_up.version_uri("missing", "latest") is None
        assert look_up.alias_uri(MODEL, "champion") == versions[2].location
        assert look_up.alias_uri(MODEL, "nobody") is None


def test_the_files_of_a_version_are_found(store_copy: CopyOf, tmp_path: Path) -> None:
    runs, models = store_copy(NEWEST), store_copy(NEWEST)
    sql(models, "DELETE FROM logged_models")
    with closing(Store(runs.db)) as tracking, closing(Store(models.db)) as registered:
        look_up = UriLookup(tracking, registered.registry())
        for uri in (f"models:/{MODEL}/Production", f"models:/{MODEL}@champion", f"runs:/{runs.run('logreg')}/model"):
            located = locate(uri, Places(runs.path, (), tmp_path), None, look_up)
            assert located.path is not None
            assert (located.path / "MLmodel").is_file()
