"""Every artifact that real MLflow releases recorded, looked for in place and after the store was moved."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from mldeck.artifacts.local import LocalTree
from mldeck.artifacts.location import Located, LocationStatus, Places, locate
from mldeck.artifacts.run_tree import RunTree, run_tree
from mldeck.artifacts.tree import Entry, EntryKind, walk
from mldeck.store.store import Store
from tests.fixture_stores import DESCRIBED_FIXTURES, FixtureStore

CopyOf = Callable[[str], FixtureStore]
LOGGED = frozenset(
    "blob.bin data/config.yaml data/table.csv empty.txt metrics.json notes.txt plots/curve.png report.md".split()
)
"""What each `logreg` run logged beside its model."""


def artifact_uris(db: Path, query: str) -> dict[str, str | None]:
    with closing(sqlite3.connect(db)) as connection:
        return dict(connection.execute(query))


def run_uris(db: Path) -> dict[str, str | None]:
    return artifact_uris(db, "SELECT run_uuid, artifact_uri FROM runs")


def moved(store: FixtureStore, target: Path) -> FixtureStore:
    target.parent.mkdir(parents=True)
    return FixtureStore.at(store.path.rename(target))


@pytest.fixture(params=[False, True], ids=["in place", "moved"])
def store(request: pytest.FixtureRequest, fixture_store: FixtureStore, tmp_path: Path) -> tuple[FixtureStore, bool]:
    if not request.param:
        return fixture_store, False
    return moved(fixture_store, tmp_path / "mnt" / "copy of a store"), True


def located_run(store: FixtureStore, label: str) -> Located:
    run_id = store.run(label)
    return locate(run_uris(store.db)[run_id], Places(store.path), run_id)


def tree_of(store: FixtureStore, run_id: str) -> RunTree:
    opened = Store(store.db)
    try:
        models = opened.registry().models_of_run(run_id)
        return run_tree(run_uris(store.db)[run_id], run_id, models, Places(store.path))
    finally:
        opened.close()


def files(entries: list[Entry]) -> set[str]:
    return {entry.path for entry in entries if not entry.is_dir}


def test_every_run_is_where_its_files_are(store: tuple[FixtureStore, bool]) -> None:
    fixture, was_moved = store
    found = 0
    for run_id, uri in run_uris(fixture.db).items():
        located = locate(uri, Places(fixture.path), run_id)
        folders = list(fixture.path.rglob(f"{run_id}/artifacts"))
        assert located.path == (folders[0] if folders else None)
        if folders:
            found += 1
            assert located.how is (LocationStatus.MOVED if was_moved else LocationStatus.RECORDED)
    assert found >= 1


@pytest.mark.parametrize("label", ["in_renamed", "in_deleted_experiment", "steps"])
def test_runs_that_logged_nothing(store: tuple[FixtureStore, bool], label: str) -> None:
    assert located_run(store[0], label).how is LocationStatus.NOTHING_LOGGED


def test_other_forms(store: tuple[FixtureStore, bool]) -> None:
    fixture, _ = store
    assert located_run(fixture, "in_s3").how is LocationStatus.REMOTE
    assert located_run(fixture, "in_proxied").how is LocationStatus.NOT_FOUND
    folder = fixture.path / "mlartifacts" / "proxied" / fixture.run("in_proxied") / "artifacts"
    folder.mkdir(parents=True)
    assert located_run(fixture, "in_proxied").path == folder
    # Relative to where the writer was, in the releases that recorded it so; made absolute by the others.
    folder = fixture.path / "artifacts" / "relative" / fixture.run("in_relative") / "artifacts"
    folder.mkdir(parents=True)
    assert located_run(fixture, "in_relative").path == folder


def test_what_a_run_logged(store: tuple[FixtureStore, bool]) -> None:
    fixture, _ = store
    labels = ["model_logged"] if "model_logged" in fixture.manifest["runs"] else []
    for label in ["logreg", *labels]:
        tree = tree_of(fixture, fixture.run(label))
        found = files(list(walk(tree)))
        if label == "logreg":
            assert found >= LOGGED
            assert files(tree.entries("data")) == {"data/config.yaml", "data/table.csv"}
        assert {path.rpartition("/")[2] for path in found} & {"MLmodel"}
        for path in sorted(found):
            place = tree.local_path(path)
            assert place is not None
            assert tree.file(path).read(0, 1 << 20) == place.read_bytes()
            assert tree.location(path) == str(place)


def test_models_of_three_are_branches(store_copy: CopyOf, tmp_path: Path) -> None:
    for fixture in (
        store_copy("mlflow-3.17.2"),
        moved(store_copy("mlflow-3.17.2"), tmp_path / "elsewhere" / "store"),
    ):
        tree = tree_of(fixture, fixture.run("model_logged"))
        assert {branch.label for branch in tree.branches} == {
            "classifier",
            "classifier-b",
            "pending-model",
            "failed-model",
        }
        (own,) = {entry.kind for entry in tree.entries()}
        assert own is EntryKind.MODEL
        assert "classifier/MLmodel" in files(tree.entries("classifier"))
        assert tree.entries("pending-model") == []
        model = next(branch for branch in tree.branches if branch.label == "classifier")
        assert (
            tree.place_of("classifier/MLmodel").path
            == fixture.path / "artifacts/images/models" / model.model_id / "artifacts"
        )


def test_models_of_one_and_two_lie_inside(store_copy: CopyOf) -> None:
    for name in ("mlflow-1.30.1", "mlflow-2.9.2"):
        fixture = store_copy(name)
        tree = tree_of(fixture, fixture.run("logreg"))
        assert tree.branches == ()
        assert "model/MLmodel" in files(list(walk(tree)))


@pytest.mark.parametrize("name", [name for name in DESCRIBED_FIXTURES if name != "mlflow-1.2.0"])
def test_registered_versions(name: str, store_copy: CopyOf, tmp_path: Path) -> None:
    fixture = moved(store_copy(name), tmp_path / "elsewhere" / "store")
    with closing(sqlite3.connect(fixture.db)) as connection:
        columns = {row[1] for row in connection.execute("PRAGMA table_info(model_versions)")}
        place = "coalesce(storage_location, source)" if "storage_location" in columns else "source"
        query = f"SELECT version, {place} FROM model_versions WHERE name = 'churn-model'"
        versions = {number: locate(uri, Places(fixture.path)) for number, uri in connection.execute(query)}
    for number in (1, 2, 3):
        assert versions[number].how is LocationStatus.MOVED
        path = versions[number].path
        assert path is not None
        assert "MLmodel" in files(LocalTree(path).entries())
    assert (versions[4].how, versions[6].how) == (LocationStatus.REMOTE, LocationStatus.REMOTE)
    assert versions[5].how is LocationStatus.UNRESOLVABLE


@pytest.mark.parametrize("is_moved", [False, True])
def test_through_a_server(is_moved: bool, store_copy: CopyOf, tmp_path: Path) -> None:
    fixture = store_copy("rest-3.17.2")
    if is_moved:
        fixture = moved(fixture, tmp_path / "elsewhere" / "store")
    ((run_id, uri),) = run_uris(fixture.db).items()
    located = locate(uri, Places(fixture.path), run_id)
    assert located.how is LocationStatus.SERVER_FOLDER
    assert located.path is not None
    assert files(LocalTree(located.path).entries()) == {"x.txt"}


@pytest.mark.parametrize("is_moved", [False, True])
def test_the_taxi_project(is_moved: bool, store_copy: CopyOf, tmp_path: Path) -> None:
    fixture = store_copy("nyc-taxi")
    if is_moved:
        fixture = moved(fixture, tmp_path / "elsewhere" / "taxi")
    models = artifact_uris(fixture.db, "SELECT model_id, artifact_location FROM logged_models")
    assert len(models) == 4
    for model_id, uri in models.items():
        located = locate(uri, Places(fixture.path), model_id)
        assert located.path == fixture.path / "mlruns" / "1" / "models" / model_id / "artifacts"
        assert "MLmodel" in files(LocalTree(located.path).entries())
    runs = {run_id: locate(uri, Places(fixture.path), run_id) for run_id, uri in run_uris(fixture.db).items()}
    assert {located.path for located in runs.values()} - {None} == set(fixture.path.glob("mlruns/1/*/artifacts"))
    assert {located.how for located in runs.values()} == {
        LocationStatus.NOTHING_LOGGED,
        LocationStatus.MOVED if is_moved else LocationStatus.RECORDED,
    }
