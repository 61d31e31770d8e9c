"""Each edit writes what MLflow's own client writes for the same action, row by row, and MLflow reads what mldeck wrote."""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("mlflow")

from mldeck.errors import MldeckError
from mldeck.model import NOTE_TAG, RUN_NAME_TAG
from mldeck.store.edits.changes import Edit
from mldeck.store.edits.editor import StoreEditor
from mldeck.store.edits.experiments import _root_of, _under
from mldeck.store.edits.rules import check_experiment_tag, check_run_tag
from tests.editing import writer_of
from tests.fixture_stores import FixtureStore
from tests.store_rows import all_rows, difference

if TYPE_CHECKING:
    from mlflow import MlflowClient

pytestmark = [
    pytest.mark.interop,
    # What MLflow's migrations of a store as old as 1.2 do.
    pytest.mark.filterwarnings("ignore:Column-expression-level unary distinct"),
]

CopyOf = Callable[[str], FixtureStore]
NEWEST = "mlflow-3.17.2"
CURRENT = [NEWEST, "migrated-1.8.0-to-3.17.2"]
"""Fixtures with the tables of the MLflow that is installed: it opens them as they are."""
OLDER = ["mlflow-1.2.0", "mlflow-1.30.1", "mlflow-2.9.2"]

# How the server tells its own stores where artifacts go; the fixtures were written with such a root.
ROOT_VARIABLE = "_MLFLOW_SERVER_ARTIFACT_ROOT"


@pytest.fixture(scope="module", autouse=True)
def _quiet() -> None:
    """Both are read when MLflow is imported."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        patch.setenv("DO_NOT_TRACK", "true")
        import mlflow  # noqa: F401


def client_of(db: Path) -> MlflowClient:
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=f"sqlite:///{db}", registry_uri=f"sqlite:///{db}")


def editor_of(db: Path) -> StoreEditor:
    return StoreEditor(writer_of(db), db.parent)


@dataclass(frozen=True)
class Action:
    """The same thing done by both, and how MLflow sees that it was done."""

    ours: Callable[[StoreEditor, FixtureStore], object]
    theirs: Callable[[MlflowClient, FixtureStore], object]
    seen: Callable[[MlflowClient, FixtureStore], bool]


ACTIONS = {
    "rename": Action(
        lambda editor, store: editor.rename_run(store.run("logreg"), "ünew [/b]"),
        lambda client, store: client.update_run(store.run("logreg"), name="ünew [/b]"),
        lambda client, store: client.get_run(store.run("logreg")).info.run_name == "ünew [/b]",
    ),
    "rename_at_length": Action(
        lambda editor, store: editor.rename_run(store.run("logreg"), "n" * 10_000),
        lambda client, store: client.update_run(store.run("logreg"), name="n" * 10_000),
        lambda client, store: client.get_run(store.run("logreg")).info.run_name == "n" * 10_000,
    ),
    "rename_unnamed": Action(
        lambda editor, store: editor.rename_run(store.run("unnamed"), "named"),
        lambda client, store: client.update_run(store.run("unnamed"), name="named"),
        lambda client, store: client.get_run(store.run("unnamed")).data.tags[RUN_NAME_TAG] == "named",
    ),
    "rename_by_tag": Action(
        lambda editor, store: editor.set_run_tag([store.run("running")], RUN_NAME_TAG, "by tag"),
        lambda client, store: client.set_tag(store.run("running"), RUN_NAME_TAG, "by tag"),
        lambda client, store: client.get_run(store.run("running")).info.run_name == "by tag",
    ),
    "note": Action(
        lambda editor, store: editor.set_run_note([store.run("rf5"), store.run("rf10")], "# a\n\nb"),
        lambda client, store: [client.set_tag(store.run(each), NOTE_TAG, "# a\n\nb") for each in ("rf5", "rf10")],
        lambda client, store: client.get_run(store.run("rf10")).data.tags[NOTE_TAG] == "# a\n\nb",
    ),
    "clear_note": Action(
        lambda editor, store: editor.set_experiment_note("1", ""),
        # What MLflow's page sends when all text is removed.
        lambda client, store: client.set_experiment_tag("1", NOTE_TAG, ""),
        lambda client, store: client.get_experiment("1").tags[NOTE_TAG] == "",
    ),
    "set_tag": Action(
        lambda editor, store: editor.set_run_tag([store.run("rf5"), store.run("parent")], "a/b", ""),
        lambda client, store: [client.set_tag(store.run(each), "a/b", "") for each in ("rf5", "parent")],
        lambda client, store: client.get_run(store.run("parent")).data.tags["a/b"] == "",
    ),
    "replace_tag": Action(
        lambda editor, store: editor.set_run_tag([store.run("rf5")], "mlflow.user", "eve"),
        lambda client, store: client.set_tag(store.run("rf5"), "mlflow.user", "eve"),
        lambda client, store: client.get_run(store.run("rf5")).data.tags["mlflow.user"] == "eve",
    ),
    "delete_tag": Action(
        lambda editor, store: editor.delete_run_tag([store.run("logreg")], "mlflow.user"),
        lambda client, store: client.delete_tag(store.run("logreg"), "mlflow.user"),
        lambda client, store: "mlflow.user" not in client.get_run(store.run("logreg")).data.tags,
    ),
    "delete_name_tag": Action(
        lambda editor, store: editor.delete_run_tag([store.run("logreg")], RUN_NAME_TAG),
        lambda client, store: client.delete_tag(store.run("logreg"), RUN_NAME_TAG),
        lambda client, store: RUN_NAME_TAG not in client.get_run(store.run("logreg")).data.tags,
    ),
    "delete": Action(
        lambda editor, store: editor.delete_runs([store.run("rf5"), store.run("running")]),
        lambda client, store: [client.delete_run(store.run(each)) for each in ("rf5", "running")],
        lambda client, store: client.get_run(store.run("running")).info.lifecycle_stage == "deleted",
    ),
    "restore": Action(
        lambda editor, store: editor.restore_runs([store.run("deleted")]),
        lambda client, store: client.restore_run(store.run("deleted")),
        lambda client, store: client.get_run(store.run("deleted")).info.lifecycle_stage == "active",
    ),
    "rename_experiment": Action(
        lambda editor, store: editor.rename_experiment("1", "n" * 500),
        lambda client, store: client.rename_experiment("1", "n" * 500),
        lambda client, store: client.get_experiment("1").name == "n" * 500,
    ),
    "experiment_note": Action(
        lambda editor, store: editor.set_experiment_note("6", "*note*"),
        lambda client, store: client.set_experiment_tag("6", NOTE_TAG, "*note*"),
        lambda client, store: client.get_experiment("6").tags[NOTE_TAG] == "*note*",
    ),
    "experiment_tag": Action(
        lambda editor, store: editor.set_experiment_tag(["1", "2"], "team", "x" * 20_000),
        lambda client, store: [client.set_experiment_tag(each, "team", "x" * 20_000) for each in ("1", "2")],
        lambda client, store: len(client.get_experiment("2").tags["team"]) == 20_000,
    ),
    "delete_experiment_tag": Action(
        lambda editor, store: editor.delete_experiment_tag(["1"], NOTE_TAG),
        lambda client, store: client.delete_experiment_tag("1", NOTE_TAG),
        lambda client, store: NOTE_TAG not in client.get_experiment("1").tags,
    ),
    "delete_experiment": Action(
        lambda editor, store: editor.delete_experiments(["1", "6"]),
        lambda client, store: [client.delete_experiment(each) for each in ("1", "6")],
        lambda client, store: client.search_runs(["1"]) == [] and client.get_experiment("1").lifecycle_stage == "deleted",
    ),
    "restore_experiment": Action(
        lambda editor, store: editor.restore_experiments(["7"]),
        lambda client, store: client.restore_experiment("7"),
        lambda client, store: len(client.search_runs(["7"])) == 1,
    ),
    "create_experiment": Action(
        lambda editor, store: editor.create_experiment("made anew"),
        lambda client, store: client.create_experiment("made anew"),
        lambda client, store: client.get_experiment_by_name("made anew").experiment_id == "9",
    ),
}  # fmt: skip


def two_copies(store: FixtureStore) -> tuple[Path, Path]:
    """Beside each other, because the location of artifacts depends on the folder."""
    add_assessments(store)
    theirs = store.path / "theirs.db"
    shutil.copyfile(store.db, theirs)
    return store.db, theirs


def add_assessments(store: FixtureStore) -> None:
    """Evaluation results of three runs: MLflow removes those of a run with the run."""
    with closing(sqlite3.connect(store.db)) as connection, connection:
        traces = connection.execute("SELECT request_id FROM trace_info LIMIT 1").fetchall()
        for label in ("rf5", "logreg", "in_s3") if traces else ():
            metadata = json.dumps({"mlflow.assessment.sourceRunId": store.run(label), "other": "ü"})
            connection.execute(
                "INSERT INTO assessments (assessment_id, trace_id, name, assessment_type, value, created_timestamp,"
                " last_updated_timestamp, source_type, valid, assessment_metadata, experiment_id, trace_timestamp_ms)"
                " VALUES (?, ?, 'quality', 'feedback', '0.5', 1, 2, 'CODE', 1, ?, 2, 3)",
                (f"a-{label}", traces[0][0], metadata),
            )


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("fixture", CURRENT)
@pytest.mark.parametrize("name", ACTIONS)
def test_the_same_rows_as_mlflow(name: str, fixture: str, store_copy: CopyOf, monkeypatch: pytest.MonkeyPatch) -> None:
    store = store_copy(fixture)
    monkeypatch.setenv(ROOT_VARIABLE, str(store.path.resolve() / "artifacts"))
    ours, theirs = two_copies(store)
    before = all_rows(ours)
    started = time.time() * 1000
    action = ACTIONS[name]
    done = action.ours(editor_of(ours), store)
    action.theirs(client_of(theirs), store)
    written = all_rows(ours, since_ms=started)
    assert difference(written, all_rows(theirs, since_ms=started)) == {}
    assert difference(before, written)

    assert action.seen(client_of(ours), store)
    assert difference(written, all_rows(ours, since_ms=started)) == {}
    if isinstance(done, Edit):
        editor_of(ours).undo(done)
        assert difference(before, all_rows(ours)) == {}


def test_evaluation_results_were_compared(store_copy: CopyOf) -> None:
    store = store_copy(NEWEST)
    add_assessments(store)
    deleted = ACTIONS["delete"].ours(editor_of(store.db), store)
    assert isinstance(deleted, Edit)
    assert deleted.removed_assessments == 1


@pytest.mark.parametrize("fixture", OLDER)
def test_mlflow_reads_what_was_edited_before_it_migrated_the_store(fixture: str, store_copy: CopyOf) -> None:
    store = store_copy(fixture)
    if fixture == "mlflow-1.2.0":
        # MLflow's own migration cannot make `latest_metrics` of what this store has, edited or not.
        with closing(sqlite3.connect(store.db)) as connection, connection:
            connection.execute("DELETE FROM metrics")
    editor = editor_of(store.db)
    editor.rename_run(store.run("logreg"), "renamed")
    editor.set_run_note([store.run("logreg")], "a note")
    editor.set_run_tag([store.run("rf5"), store.run("rf10")], "stage", "prod")
    editor.delete_runs([store.run("rf20")])
    editor.restore_runs([store.run("deleted")])
    editor.set_experiment_note("1", "of the experiment")
    editor.rename_experiment("2", "images")
    editor.delete_experiments(["6"])
    made = editor.create_experiment("made by mldeck")
    client = client_of(store.db)
    run = client.get_run(store.run("logreg"))
    assert (run.data.tags[RUN_NAME_TAG], run.data.tags[NOTE_TAG]) == ("renamed", "a note")
    assert {each.info.run_id for each in client.search_runs(["1"], "tags.stage = 'prod'")} >= {
        store.run("rf5"),
        store.run("rf10"),
    }
    assert client.get_run(store.run("rf20")).info.lifecycle_stage == "deleted"
    assert client.get_run(store.run("deleted")).info.lifecycle_stage == "active"
    assert client.get_experiment("1").tags[NOTE_TAG] == "of the experiment"
    assert client.get_experiment("2").name == "images"
    assert client.get_experiment("6").lifecycle_stage == "deleted"
    assert client.get_experiment(made.experiment_id).artifact_location == made.artifact_location
    assert client.create_run(made.experiment_id).info.artifact_uri.startswith(made.artifact_location)


REFUSED: dict[
    str, tuple[Callable[[StoreEditor, FixtureStore], object], Callable[[MlflowClient, FixtureStore], object]]
] = {
    "rename_deleted": (
        lambda editor, store: editor.rename_run(store.run("deleted"), "x"),
        lambda client, store: client.update_run(store.run("deleted"), name="x"),
    ),
    "tag_deleted": (
        lambda editor, store: editor.set_run_tag([store.run("deleted")], "k", "v"),
        lambda client, store: client.set_tag(store.run("deleted"), "k", "v"),
    ),
    "missing_tag": (
        lambda editor, store: editor.delete_run_tag([store.run("rf5")], "missing"),
        lambda client, store: client.delete_tag(store.run("rf5"), "missing"),
    ),
    "missing_run": (
        lambda editor, store: editor.delete_runs(["0" * 32]),
        lambda client, store: client.delete_run("0" * 32),
    ),
    "missing_experiment_tag": (
        lambda editor, store: editor.delete_experiment_tag(["2"], "missing"),
        lambda client, store: client.delete_experiment_tag("2", "missing"),
    ),
    "tag_deleted_experiment": (
        lambda editor, store: editor.set_experiment_tag(["7"], "k", "v"),
        lambda client, store: client.set_experiment_tag("7", "k", "v"),
    ),
    "rename_deleted_experiment": (
        lambda editor, store: editor.rename_experiment("7", "x"),
        lambda client, store: client.rename_experiment("7", "x"),
    ),
    "taken_name": (
        lambda editor, store: editor.rename_experiment("1", "Default"),
        lambda client, store: client.rename_experiment("1", "Default"),
    ),
    "create_deleted_name": (
        lambda editor, store: editor.create_experiment("old-deleted"),
        lambda client, store: client.create_experiment("old-deleted"),
    ),
    "delete_twice": (
        lambda editor, store: editor.delete_experiments(["7"]),
        lambda client, store: client.delete_experiment("7"),
    ),
    "restore_active": (
        lambda editor, store: editor.restore_experiments(["1"]),
        lambda client, store: client.restore_experiment("1"),
    ),
    "long_experiment_tag": (
        lambda editor, store: editor.set_experiment_tag(["1"], "k", "v" * 20_001),
        lambda client, store: client.set_experiment_tag("1", "k", "v" * 20_001),
    ),
    "long_experiment_name": (
        lambda editor, store: editor.create_experiment("n" * 501),
        lambda client, store: client.create_experiment("n" * 501),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_mlflow_refuses_is_refused(name: str, store_copy: CopyOf) -> None:
    from mlflow.exceptions import MlflowException

    store = store_copy(NEWEST)
    ours, theirs = two_copies(store)
    before = all_rows(ours)
    edit, call = REFUSED[name]
    with pytest.raises(MlflowException):
        call(client_of(theirs), store)
    with pytest.raises(MldeckError):
        edit(editor_of(ours), store)
    assert difference(before, all_rows(ours)) == {}


KEYS = ["", ".", "..", "a", "a b", " ", "a/b", "a//b", "/a", "a/", "./a", "a/../b", "..a", "a..b", "ü", "Ⅷ", "a:b", "a,b",
        "a\tb", "a\nb", "a\\b", "[a]", "k" * 250, "k" * 251, "mlflow.user", "a-b_c.d"]  # fmt: skip


@pytest.mark.parametrize("key", KEYS)
def test_the_same_keys_as_mlflow(key: str) -> None:
    from mlflow.exceptions import MlflowException
    from mlflow.utils.validation import _validate_experiment_tag, _validate_tag

    def accepts(check: Callable[[str, str], Any], error: type[Exception]) -> bool:
        try:
            check(key, "v")
        except error:
            return False
        return True

    theirs = accepts(_validate_tag, MlflowException), accepts(_validate_experiment_tag, MlflowException)
    assert (accepts(check_run_tag, MldeckError), accepts(check_experiment_tag, MldeckError)) == theirs


@pytest.mark.parametrize(
    "root",
    ["/srv/mlruns", "./mlruns", "mlruns", "s3://bucket", "s3://bucket/a", "file:///srv/x", "mlflow-artifacts:/", "gs://b/a b",
     "wasbs://c@a.net/root?sig=a/b", "hdfs://host:8020/x", "file:rel/x"],
)  # fmt: skip
def test_the_location_of_a_new_experiment_as_mlflow_makes_it(root: str) -> None:
    from mlflow.utils.uri import append_to_uri_path

    known = append_to_uri_path(root, "7")
    found = _root_of(known, 7)
    assert found is not None
    assert _under(found, 12) == append_to_uri_path(root, "12")
