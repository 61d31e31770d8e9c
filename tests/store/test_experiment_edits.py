"""Edits of experiments on stores of several releases: which rows change, and what is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mldeck.errors import MldeckError
from mldeck.model import View
from mldeck.store.store import Store
from tests.editing import NEWEST, NOW, OLDEST, editor_of, has_column, keeps_times, marks_runs, sql
from tests.fixture_stores import FixtureStore
from tests.store_rows import all_rows, difference

pytestmark = pytest.mark.usefixtures("backend")

CopyOf = Callable[[str], FixtureStore]


def test_renaming_an_experiment(fixture_store: FixtureStore) -> None:
    editor_of(fixture_store).rename_experiment(fixture_store.experiment("churn"), "other")
    time = "last_update_time" if keeps_times(fixture_store) else "NULL"
    found = sql(fixture_store, f"SELECT name, {time} FROM experiments WHERE experiment_id = 1")
    assert found == [("other", NOW if keeps_times(fixture_store) else None)]


def test_names_are_unique_among_deleted_experiments_too(fixture_store: FixtureStore) -> None:
    editor, churn = editor_of(fixture_store), fixture_store.experiment("churn")
    for attempt in (lambda name: editor.rename_experiment(churn, name), editor.create_experiment):
        with pytest.raises(MldeckError, match=r"there is an experiment Default already$"):
            attempt("Default")
        with pytest.raises(MldeckError, match="experiment old-deleted already; a deleted experiment keeps its name"):
            attempt("old-deleted")
    editor.rename_experiment(churn, "default")  # names are case-sensitive


def test_workspaces_have_names_of_their_own(store_copy: CopyOf) -> None:
    store = store_copy(NEWEST)
    sql(store, "INSERT INTO workspaces (name) VALUES ('team')")
    sql(store, "UPDATE experiments SET workspace = 'team' WHERE experiment_id IN (3, 4)")
    (taken,) = sql(store, "SELECT name FROM experiments WHERE experiment_id = 3")[0]
    created = editor_of(store).create_experiment(taken)
    assert sql(store, "SELECT workspace FROM experiments WHERE experiment_id = ?", created.experiment_id) == [
        ("default",)
    ]
    with pytest.raises(MldeckError, match="already"):
        editor_of(store).rename_experiment("4", taken)
    editor_of(store).rename_experiment("4", "Default")


def test_deleting_an_experiment_marks_its_runs_since_1_28(fixture_store: FixtureStore) -> None:
    before = all_rows(fixture_store.db)
    edit = editor_of(fixture_store).delete_experiments([fixture_store.experiment("churn")])
    changed = difference(before, all_rows(fixture_store.db))
    if marks_runs(fixture_store):
        runs = sql(fixture_store, "SELECT lifecycle_stage, deleted_time FROM runs WHERE experiment_id = 1")
        assert set(runs) == {("deleted", NOW)}
        assert len(edit.run_ids) == len(runs)
    else:
        assert changed.keys() == {"experiments"}
    with pytest.raises(MldeckError, match="experiment churn-baseline is deleted; restore it first"):
        editor_of(fixture_store).delete_experiments([fixture_store.experiment("churn")])


def test_restoring_an_experiment_restores_all_runs_but_undo_only_those_it_deleted(fixture_store: FixtureStore) -> None:
    """A run that was deleted before its experiment becomes active with it, as in MLflow since 1.28."""
    churn, deleted = fixture_store.experiment("churn"), fixture_store.run("deleted")
    state = "SELECT lifecycle_stage FROM runs WHERE run_uuid = ?"
    edit = editor_of(fixture_store).delete_experiments([churn])
    editor_of(fixture_store).undo(edit)
    assert sql(fixture_store, state, deleted) == [("deleted",)]
    editor_of(fixture_store).delete_experiments([churn])
    restored = editor_of(fixture_store).restore_experiments([churn])
    assert sql(fixture_store, state, deleted) == [("active" if marks_runs(fixture_store) else "deleted",)]
    assert (deleted in restored.run_ids) == marks_runs(fixture_store)


def test_undoing_a_restoration_does_not_leave_new_runs_behind(store_copy: CopyOf) -> None:
    store = store_copy(NEWEST)
    edit = editor_of(store).restore_experiments([store.experiment("deleted")])
    sql(
        store,
        "INSERT INTO runs (run_uuid, name, source_type, status, lifecycle_stage, experiment_id)"
        " VALUES (?, 'new', 'UNKNOWN', 'RUNNING', 'active', 7)",
        "f" * 32,
    )
    with pytest.raises(MldeckError, match="changed since"):
        editor_of(store).undo(edit)


def test_undoing_a_rename_is_refused_when_the_old_name_is_in_use(fixture_store: FixtureStore) -> None:
    edit = editor_of(fixture_store).rename_experiment(fixture_store.experiment("churn"), "new")
    editor_of(fixture_store).rename_experiment(fixture_store.experiment("images"), "churn-baseline")
    with pytest.raises(MldeckError, match="there is an experiment churn-baseline already"):
        editor_of(fixture_store).undo(edit)


@pytest.mark.parametrize("bad", ["99", "x", "-1", "", "9" * 30])
def test_an_experiment_that_does_not_exist(bad: str, store_copy: CopyOf) -> None:
    with pytest.raises(MldeckError, match="there is no experiment"):
        editor_of(store_copy(NEWEST)).delete_experiments([bad])


def test_tags_of_experiments_came_with_1_2(store_copy: CopyOf) -> None:
    store = store_copy(OLDEST)
    sql(store, "DROP TABLE experiment_tags")
    with pytest.raises(MldeckError, match=r"before MLflow 1\.2"):
        editor_of(store).set_experiment_note("1", "x")


def test_creating_an_experiment(fixture_store: FixtureStore) -> None:
    before = all_rows(fixture_store.db)
    made = editor_of(fixture_store).create_experiment("brand new")
    assert made.experiment_id == "9"
    assert made.artifact_location == f"{fixture_store.path.resolve()}/artifacts/9"
    changed = difference(before, all_rows(fixture_store.db))
    assert changed.keys() == {"experiments"}
    (row,) = changed["experiments"].added
    expected = {"experiment_id": 9, "name": "brand new", "lifecycle_stage": "active"}
    expected["artifact_location"] = made.artifact_location
    if keeps_times(fixture_store):
        expected |= {"creation_time": NOW, "last_update_time": NOW}
    if has_column(fixture_store, "experiments", "workspace"):
        expected["workspace"] = "default"
    assert row == expected
    with pytest.raises(MldeckError, match="delete it instead"):
        editor_of(fixture_store).undo(made.edit)
    store = Store(fixture_store.db)
    assert "brand new" in {experiment.name for experiment in store.experiments(View.ACTIVE)}
    store.close()


@pytest.mark.parametrize(
    ("newest", "default", "expected"),
    [
        ("/srv/mlruns/8", "/old/mlruns/0", "/srv/mlruns/9"),
        ("s3://bucket/8", "x", "s3://bucket/9"),
        ("mlflow-artifacts:/8", "x", "mlflow-artifacts:/9"),
        ("file:///data/8", "x", "file:///data/9"),
        ("wasbs://c@a.net/root/8?sig=a/b", "x", "wasbs://c@a.net/root/9?sig=a/b"),
        ("/somebody/chose/this", "/old/mlruns/0", "/old/mlruns/9"),
        (None, "./mlruns/0", "HERE/mlruns/9"),
        ("", "", "HERE/mlruns/9"),
    ],
)
def test_where_the_artifacts_of_a_new_experiment_go(
    newest: str | None, default: str, expected: str, store_copy: CopyOf
) -> None:
    store = store_copy(NEWEST)
    sql(store, "UPDATE experiments SET artifact_location = 'elsewhere'")
    sql(store, "UPDATE experiments SET artifact_location = ? WHERE experiment_id = 8", newest)
    sql(store, "UPDATE experiments SET artifact_location = ? WHERE experiment_id = 0", default)
    made = editor_of(store).create_experiment("new")
    assert made.artifact_location == expected.replace("HERE", str(store.path))


def test_up_to_2_2_a_relative_root_stays_relative(store_copy: CopyOf) -> None:
    store = store_copy("mlflow-1.30.1")
    sql(store, "UPDATE experiments SET artifact_location = './mlruns/' || experiment_id")
    assert editor_of(store).create_experiment("new").artifact_location == "./mlruns/9"
