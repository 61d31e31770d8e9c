"""Each change of the registry writes the rows that older MLflows wrote, as recorded by `tests/fixtures/registry/record.py`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mldeck.store.store import Store
from tests.editing import NOW
from tests.fixture_stores import FixtureStore
from tests.registry_rooms import MODEL, Registry, registry_of
from tests.store_rows import Difference, all_rows, difference

CopyOf = Callable[[str], FixtureStore]
RECORDS = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((Path(__file__).parents[1] / "fixtures" / "registry").glob("*.json"))
}


def register(registry: Registry, fixture: FixtureStore, label: str, name: str) -> None:
    source = registry.reader.source_of_run(fixture.run(label), "model", lambda uri: True)
    registry.editor.register(name, source)


ACTIONS: dict[str, Callable[[Registry, FixtureStore], object]] = {
    "to_production": lambda registry, _: registry.move(3, "Production", True),
    "to_production_beside": lambda registry, _: registry.move(3, "Production"),
    "to_staging": lambda registry, _: registry.move(6, "Staging", True),
    "to_archived": lambda registry, _: registry.move(2, "Archived"),
    "to_none": lambda registry, _: registry.move(2, "None"),
    "create": lambda registry, _: registry.editor.create_model("new model", "# what", {"team": "b", "k": ""}),
    "register": lambda registry, fixture: register(registry, fixture, "logreg", MODEL),
    "register_new": lambda registry, fixture: register(registry, fixture, "rf5", "brand-new"),
    "describe_model": lambda registry, _: registry.editor.set_model_description(MODEL, "other *text*"),
    "describe_version": lambda registry, _: registry.editor.set_version_description(MODEL, 3, "it *is*"),
    "tag_model": lambda registry, _: registry.editor.set_model_tag(MODEL, "task", "new"),
    "untag_model": lambda registry, _: registry.editor.delete_model_tag(MODEL, "task"),
    "tag_version": lambda registry, _: registry.editor.set_version_tag(MODEL, 3, "k", "v"),
    "untag_version": lambda registry, _: registry.editor.delete_version_tag(MODEL, 4, "origin"),
    "rename": lambda registry, _: registry.editor.rename_model(MODEL, "renamed"),
    "delete_version": lambda registry, _: registry.editor.delete_version(MODEL, 3),
    "delete_model": lambda registry, _: registry.editor.delete_model(MODEL),
    "alias": lambda registry, _: registry.editor.set_alias(MODEL, "champion", 3),
    "new_alias": lambda registry, _: registry.editor.set_alias(MODEL, "other", 4),
    "unalias": lambda registry, _: registry.editor.delete_alias(MODEL, "champion"),
}


@pytest.fixture
def opened() -> Iterator[Callable[[FixtureStore], Store]]:
    stores: list[Store] = []

    def open_it(fixture: FixtureStore) -> Store:
        stores.append(Store(fixture.db))
        return stores[-1]

    yield open_it
    for store in stores:
        store.close()


@pytest.mark.parametrize(("release", "name"), [(release, name) for release in RECORDS for name in RECORDS[release]])
def test_the_same_rows_as_written_by_that_mlflow(
    release: str, name: str, store_copy: CopyOf, opened: Callable[[FixtureStore], Store]
) -> None:
    fixture = store_copy(release)
    before = all_rows(fixture.db, since_ms=NOW)
    ACTIONS[name](registry_of(opened(fixture), fixture, record=False), fixture)
    changes = difference(before, all_rows(fixture.db, since_ms=NOW))
    ours = {table: at_home(rows, fixture) for table, rows in changes.items()}
    theirs = RECORDS[release][name]
    if name == "delete_version":
        # Before 3.17 MLflow intends to remove the aliases, but compares a number with a text.
        ours.pop("registered_model_aliases", None)
    assert ours == theirs


def at_home(change: Difference, fixture: FixtureStore) -> dict[str, Any]:
    root = str(fixture.path.resolve())
    text = json.dumps({"added": ordered(change.added), "removed": ordered(change.removed)}).replace(root, "@ROOT@")
    both: dict[str, Any] = json.loads(text)
    return both


def ordered(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    return sorted(rows, key=lambda row: json.dumps(row, sort_keys=True))


def test_something_was_recorded() -> None:
    assert RECORDS.keys() == {"mlflow-1.30.1", "mlflow-2.9.2"}
    assert RECORDS["mlflow-2.9.2"].keys() == ACTIONS.keys()
