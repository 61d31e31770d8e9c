"""Edits of runs, and undoing any edit, on stores of several releases: which rows change, and what is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mldeck.errors import MldeckError
from mldeck.model import NOTE_TAG, RUN_NAME_TAG
from mldeck.store.edits.changes import Edit, EditKind
from mldeck.store.edits.editor import StoreEditor
from mldeck.store.edits.experiments import assessments_of_experiments
from mldeck.store.edits.runs import assessments_of_runs
from mldeck.store.store import Store
from tests.editing import NEWEST, NOW, OLDEST, editor_of, keeps_times, marks_runs, sql, writer_of
from tests.fixture_stores import DESCRIBED_FIXTURES, FixtureStore
from tests.store_rows import all_rows, difference

pytestmark = pytest.mark.usefixtures("backend")

CopyOf = Callable[[str], FixtureStore]


def tags_of(store: FixtureStore, run_id: str) -> dict[str, str]:
    return dict(sql(store, "SELECT key, value FROM tags WHERE run_uuid = ?", run_id))


def name_of(store: FixtureStore, run_id: str) -> str | None:
    opened = Store(store.db)
    try:
        details = opened.run_details(run_id)
        assert details is not None
        return details.run.run_name
    finally:
        opened.close()


EDITS: dict[str, Callable[[StoreEditor, FixtureStore], Edit]] = {
    "rename": lambda editor, store: editor.rename_run(store.run("logreg"), "new name"),
    "rename_unnamed": lambda editor, store: editor.rename_run(store.run("unnamed"), "named now"),
    "note": lambda editor, store: editor.set_run_note([store.run("rf5"), store.run("rf10")], "# What\n\nit *was*"),
    "set_tag": lambda editor, store: editor.set_run_tag([store.run("rf5"), store.run("steps")], "stage", "prod"),
    "delete_tag": lambda editor, store: editor.delete_run_tag([store.run("logreg"), store.run("steps")], "mlflow.user"),
    "delete": lambda editor, store: editor.delete_runs([store.run("parent"), store.run("rf5")]),
    "restore": lambda editor, store: editor.restore_runs([store.run("deleted")]),
    "rename_experiment": lambda editor, store: editor.rename_experiment(store.experiment("churn"), "churn 2"),
    "experiment_note": lambda editor, store: editor.set_experiment_note(store.experiment("churn"), "other"),
    "experiment_tag": lambda editor, store: editor.set_experiment_tag(
        [store.experiment("churn"), store.experiment("images")], "team", "β"
    ),
    "delete_experiment_tag": lambda editor, store: editor.delete_experiment_tag([store.experiment("churn")], NOTE_TAG),
    "delete_experiment": lambda editor, store: editor.delete_experiments(
        [store.experiment("churn"), store.experiment("empty")]
    ),
    "restore_experiment": lambda editor, store: editor.restore_experiments([store.experiment("deleted")]),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_changes_something_and_undo_leaves_no_trace_of_it(name: str, fixture_store: FixtureStore) -> None:
    before = all_rows(fixture_store.db)
    edit = EDITS[name](editor_of(fixture_store), fixture_store)
    after = all_rows(fixture_store.db)
    assert edit.changed
    touched = {rows.table for rows in edit.row_sets if any(row.before != row.after for row in rows.rows)}
    assert difference(before, after).keys() == touched

    undone = editor_of(fixture_store, NOW + 5000).undo(edit)
    assert difference(before, all_rows(fixture_store.db)) == {}
    redone = editor_of(fixture_store, NOW + 9000).undo(undone)
    assert difference(after, all_rows(fixture_store.db)) == {}
    assert (redone.summary, redone.kind, redone.row_sets) == (edit.summary, edit.kind, edit.row_sets)


@pytest.mark.parametrize("name", EDITS)
def test_undo_writes_nothing_when_something_was_changed_since(name: str, fixture_store: FixtureStore) -> None:
    edit = EDITS[name](editor_of(fixture_store), fixture_store)
    changes = {
        "runs": "UPDATE runs SET name = 'x', lifecycle_stage = CASE lifecycle_stage WHEN 'active' THEN 'deleted'"
        " ELSE 'active' END WHERE run_uuid = ?",
        "tags": "UPDATE tags SET value = 'x' WHERE run_uuid = ?",
        "experiments": "UPDATE experiments SET name = 'x', lifecycle_stage = CASE lifecycle_stage WHEN 'active'"
        " THEN 'deleted' ELSE 'active' END WHERE experiment_id = ?",
        "experiment_tags": "UPDATE experiment_tags SET value = 'x' WHERE experiment_id = ?",
    }
    row_set = edit.row_sets[-1]
    if name in ("delete_tag", "delete_experiment_tag"):
        table, id_column = row_set.table, row_set.key_columns[-1]
        key, subject = row_set.rows[-1].key
        sql(fixture_store, f"INSERT INTO {table} (key, {id_column}, value) VALUES (?, ?, 'x')", key, subject)
    else:
        sql(fixture_store, changes[row_set.table], row_set.rows[-1].key[-1])
    before = all_rows(fixture_store.db)
    with pytest.raises(MldeckError, match="changed since"):
        editor_of(fixture_store).undo(edit)
    assert difference(before, all_rows(fixture_store.db)) == {}


# Runs


def test_a_name_is_column_and_tag_since_1_30_and_the_tag_before(fixture_store: FixtureStore) -> None:
    run_id = fixture_store.run("logreg")
    edit = editor_of(fixture_store).rename_run(run_id, "βeta [/b]")
    assert tags_of(fixture_store, run_id)[RUN_NAME_TAG] == "βeta [/b]"
    column = "βeta [/b]" if keeps_times(fixture_store) else ""
    assert sql(fixture_store, "SELECT name FROM runs WHERE run_uuid = ?", run_id) == [(column,)]
    assert name_of(fixture_store, run_id) == "βeta [/b]"
    assert edit.summary == "renamed run baseline-logreg to βeta [/b]"


def test_a_name_in_the_column_of_an_old_database_does_not_hide_the_new_one(store_copy: CopyOf) -> None:
    store = store_copy(OLDEST)
    sql(store, "UPDATE runs SET name = 'from 0.9' WHERE run_uuid = ?", store.run("logreg"))
    editor_of(store).rename_run(store.run("logreg"), "new")
    assert name_of(store, store.run("logreg")) == "new"


def test_setting_the_name_tag_renames(fixture_store: FixtureStore) -> None:
    edit = editor_of(fixture_store).set_run_tag([fixture_store.run("logreg")], RUN_NAME_TAG, "by tag")
    assert edit.kind is EditKind.RENAME
    assert name_of(fixture_store, fixture_store.run("logreg")) == "by tag"
    with pytest.raises(MldeckError, match="one at a time"):
        editor_of(fixture_store).set_run_tag([fixture_store.run("rf5"), fixture_store.run("rf10")], RUN_NAME_TAG, "x")


def test_deleting_the_name_tag_leaves_the_column(store_copy: CopyOf) -> None:
    store = store_copy(NEWEST)
    editor_of(store).delete_run_tag([store.run("logreg")], RUN_NAME_TAG)
    assert name_of(store, store.run("logreg")) == "baseline-logreg"


def test_clearing_a_note_leaves_an_empty_tag_and_creates_none(fixture_store: FixtureStore) -> None:
    noted, other = fixture_store.run("rf5"), fixture_store.run("rf10")
    editor_of(fixture_store).set_run_note([noted], "a note")
    before = all_rows(fixture_store.db)
    edit = editor_of(fixture_store).set_run_note([noted, other], "")
    assert tags_of(fixture_store, noted)[NOTE_TAG] == ""
    assert NOTE_TAG not in tags_of(fixture_store, other)
    editor_of(fixture_store).undo(edit)
    assert difference(before, all_rows(fixture_store.db)) == {}


def test_setting_the_same_value_writes_nothing(store_copy: CopyOf) -> None:
    store = store_copy(NEWEST)
    editor_of(store).set_run_tag([store.run("rf5")], "k", "v")
    content = store.db.read_bytes()
    edit = editor_of(store).set_run_tag([store.run("rf5"), store.run("rf5")], "k", "v")
    assert not edit.changed
    assert store.db.read_bytes() == content
    assert not editor_of(store).undo(edit).changed


def test_a_tag_is_deleted_from_the_runs_that_have_it(fixture_store: FixtureStore) -> None:
    editor = editor_of(fixture_store)
    editor.set_run_tag([fixture_store.run("rf5")], "only here", "1")
    both = [fixture_store.run("rf10"), fixture_store.run("rf5")]
    assert editor.delete_run_tag(both, "only here").summary == "deleted tag only here of 2 runs"
    with pytest.raises(MldeckError, match="none of 2 runs has a tag only here"):
        editor.delete_run_tag(both, "only here")
    with pytest.raises(MldeckError, match="run rf-depth-5 has no tag only here"):
        editor.delete_run_tag(both[1:], "only here")


def test_deleting_and_restoring_runs(fixture_store: FixtureStore) -> None:
    run_id = fixture_store.run("rf5")
    columns = "lifecycle_stage, deleted_time" if marks_runs(fixture_store) else "lifecycle_stage, NULL"
    state = f"SELECT {columns} FROM runs WHERE run_uuid = ?"
    edit = editor_of(fixture_store).delete_runs([run_id])
    assert sql(fixture_store, state, run_id) == [("deleted", NOW if marks_runs(fixture_store) else None)]
    assert (edit.run_ids, edit.summary) == ((run_id,), "deleted run rf-depth-5")
    editor_of(fixture_store).restore_runs([run_id])
    assert sql(fixture_store, state, run_id) == [("active", None)]


def test_many_runs_at_once(fixture_store: FixtureStore) -> None:
    ids = [row[0] for row in sql(fixture_store, "SELECT run_uuid FROM runs WHERE experiment_id = 1")]
    editor = editor_of(fixture_store)
    editor.restore_runs([fixture_store.run("deleted")])
    editor.set_run_tag(ids, "all", "of them")
    assert sql(fixture_store, "SELECT count(*) FROM tags WHERE key = 'all' AND value = 'of them'") == [(len(ids),)]
    edit = editor.delete_runs(ids)
    assert sorted(edit.run_ids) == sorted(ids)
    assert edit.summary == f"deleted {len(ids)} runs"


RUN_EDITS: dict[str, Callable[[StoreEditor, list[str]], object]] = {
    "rename": lambda editor, ids: editor.rename_run(ids[-1], "x"),
    "note": lambda editor, ids: editor.set_run_note(ids, "x"),
    "set_tag": lambda editor, ids: editor.set_run_tag(ids, "k", "x"),
    "delete_tag": lambda editor, ids: editor.delete_run_tag(ids, "mlflow.user"),
    "delete": lambda editor, ids: editor.delete_runs(ids),
}


@pytest.mark.parametrize("name", RUN_EDITS)
def test_deleted_and_missing_runs_are_refused_and_nothing_is_written(name: str, fixture_store: FixtureStore) -> None:
    before = all_rows(fixture_store.db)
    label = name_of(fixture_store, fixture_store.run("deleted"))
    for bad, message in (
        (fixture_store.run("deleted"), f"run {label} is deleted; restore it first"),
        (fixture_store.run("in_deleted_experiment"), "experiment .* is deleted; restore it first"),
        ("0" * 32, f"there is no run {'0' * 32}"),
    ):
        with pytest.raises(MldeckError, match=message):
            RUN_EDITS[name](editor_of(fixture_store), [fixture_store.run("rf5"), bad])
    assert difference(before, all_rows(fixture_store.db)) == {}


def test_only_deleted_runs_are_restored(fixture_store: FixtureStore) -> None:
    with pytest.raises(MldeckError, match="run rf-depth-5 is not deleted"):
        editor_of(fixture_store).restore_runs([fixture_store.run("deleted"), fixture_store.run("rf5")])
    with pytest.raises(MldeckError, match="no run to change"):
        editor_of(fixture_store).restore_runs([])


def test_a_hostile_name_is_harmless_in_summaries(store_copy: CopyOf) -> None:
    store = store_copy(NEWEST)
    editor = editor_of(store)
    editor.rename_run(store.run("rf5"), "a\x1b]0;b\nc")
    edit = editor.delete_runs([store.run("rf5")])
    assert "\x1b" not in edit.summary
    assert "\n" not in edit.summary


@pytest.mark.parametrize("key", ["", ".", "..", "a//b", "/a", "a/", "../a", "a/../b", "a,b", "ü\n", "k" * 251])
def test_keys_that_mlflow_refuses(key: str, store_copy: CopyOf) -> None:
    store = store_copy(NEWEST)
    with pytest.raises(MldeckError, match="key"):
        editor_of(store).set_run_tag([store.run("rf5")], key, "v")
    with pytest.raises(MldeckError, match="key"):
        editor_of(store).set_experiment_tag([store.experiment("churn")], key, "v")


@pytest.mark.parametrize("key", ["a b", "ünïcode_1", "a/b.c-d:e", "mlflow.parentRunId", "k" * 250])
def test_keys_that_mlflow_accepts(key: str, store_copy: CopyOf) -> None:
    store = store_copy(NEWEST)
    editor_of(store).set_run_tag([store.run("rf5")], key, "v")
    assert tags_of(store, store.run("rf5"))[key] == "v"


def test_texts_that_are_too_long_or_empty_are_refused(store_copy: CopyOf) -> None:
    store = store_copy(NEWEST)
    editor, run, experiment = editor_of(store), store.run("rf5"), store.experiment("churn")
    editor.set_run_tag([run], "k", "v" * 8000)
    editor.set_experiment_tag([experiment], "k", "v" * 20_000)
    for attempt, message in (
        (lambda: editor.set_run_tag([run], "k", "v" * 8001), "the value of tag k has at most 8,000 .* not 8,001"),
        (lambda: editor.set_run_note([run], "v" * 8001), "the note has at most 8,000"),
        (lambda: editor.set_experiment_tag([experiment], "k", "v" * 20_001), "at most 20,000"),
        (lambda: editor.set_experiment_note(experiment, "v" * 20_001), "at most 20,000"),
        (lambda: editor.rename_run(run, " \t"), "name of a run cannot be empty"),
        (lambda: editor.rename_experiment(experiment, ""), "name of an experiment cannot be empty"),
        (lambda: editor.create_experiment("n" * 501), "at most 500"),
        (lambda: editor.set_experiment_tag([experiment], "mlflow.trace.archiveNow", "{}"), "setting of MLflow's"),
    ):
        with pytest.raises(MldeckError, match=message):
            attempt()


def test_undo_is_refused_on_a_run_that_was_deleted_since(fixture_store: FixtureStore) -> None:
    edit = editor_of(fixture_store).set_run_tag([fixture_store.run("rf5")], "k", "v")
    editor_of(fixture_store).delete_runs([fixture_store.run("rf5")])
    with pytest.raises(MldeckError, match="run rf-depth-5 is deleted; restore it first"):
        editor_of(fixture_store).undo(edit)


# Evaluation results


def add_assessments(store: FixtureStore, *run_ids: str) -> None:
    trace = sql(store, "SELECT request_id FROM trace_info")[0][0]
    for number, run_id in enumerate(run_ids):
        metadata = json.dumps({"mlflow.assessment.sourceRunId": run_id, "other": 1})
        sql(
            store,
            "INSERT INTO assessments (assessment_id, trace_id, name, assessment_type, value, created_timestamp,"
            " last_updated_timestamp, source_type, run_id, valid, assessment_metadata, aggregate_value, is_numeric_value)"
            " VALUES (?, ?, 'quality', 'feedback', '0.5', 1, 2, 'CODE', ?, 1, ?, 0.1, 1)",
            *(f"a-{number}", trace, store.run("steps"), metadata),
        )


def test_evaluation_results_are_deleted_with_their_run_and_restored_by_undo(store_copy: CopyOf) -> None:
    store = store_copy(NEWEST)
    add_assessments(store, store.run("rf5"), store.run("rf10"), store.run("rf5"), store.run("in_s3"))
    before = all_rows(store.db)
    with writer_of(store.db).writing() as (connection, schema):
        assert assessments_of_runs(connection, schema, [store.run("rf5")]) == 2
        assert assessments_of_experiments(connection, schema, [store.experiment("churn")]) == 3
    edit = editor_of(store).delete_runs([store.run("rf5"), store.run("steps")])
    assert edit.removed_assessments == 2
    assert sql(store, "SELECT assessment_id FROM assessments") == [("a-1",), ("a-3",)]
    editor_of(store).undo(edit)
    assert difference(before, all_rows(store.db)) == {}
    assert editor_of(store).delete_experiments([store.experiment("churn")]).removed_assessments == 3


def test_evaluation_results_stay_before_3_11(store_copy: CopyOf) -> None:
    store = store_copy(NEWEST)
    add_assessments(store, store.run("rf5"))
    sql(store, "DROP TABLE issues")  # by which 3.11 is recognised
    assert editor_of(store).delete_runs([store.run("rf5")]).removed_assessments == 0
    assert sql(store, "SELECT count(*) FROM assessments") == [(1,)]


def test_a_fixture_for_each_rule() -> None:
    assert {OLDEST, NEWEST, "mlflow-1.30.1", "mlflow-2.9.2", "migrated-1.8.0-to-3.17.2"} <= set(DESCRIBED_FIXTURES)


def test_a_path_with_special_characters(store_copy: CopyOf, tmp_path: Path) -> None:
    store = store_copy(NEWEST)
    odd = tmp_path / "a b%20?#é"
    odd.mkdir()
    shutil.copy(store.db, odd / "ml?flow#.db")
    copied = FixtureStore(odd, odd / "ml?flow#.db", store.manifest)
    editor_of(copied).rename_run(copied.run("rf5"), "here")
    assert name_of(copied, copied.run("rf5")) == "here"
    assert name_of(store, store.run("rf5")) == "rf-depth-5"
