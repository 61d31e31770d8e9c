"""`mldeck models`, `promote` and `register`: what they print, what they refuse, and what they leave behind."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mldeck.settings import config_file
from tests.editing import NEWEST, OLDEST, sql
from tests.far_hosts import shell_for_ssh, use_as_ssh
from tests.fixture_stores import FixtureStore
from tests.registry_rooms import MIGRATED, MODEL, two_workspaces
from tests.store_rows import all_rows, difference

Ask = Callable[..., tuple[int, str, str]]
CopyOf = Callable[[str], FixtureStore]


@pytest.fixture
def store(store_copy: CopyOf) -> FixtureStore:
    return store_copy(NEWEST)


def stages(store: FixtureStore) -> dict[int, str]:
    return dict(sql(store, "SELECT version, current_stage FROM model_versions WHERE name = ?", MODEL))


# models


def test_the_models_for_people(store: FixtureStore, ask: Ask) -> None:
    status, out, err = ask("models", "-s", store.db)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].split() == [
        "model", "None", "Staging", "Production", "Archived", "versions", "changed", "aliases", "description",
    ]  # fmt: skip
    assert lines[1].split()[:6] == [MODEL, "6", "3", "2", "1", "5"]
    assert "@champion 2" in lines[1]
    assert [line.split("  ")[0].strip() for line in lines[1:]] == [MODEL, "direct-model", "empty-model", "new näme v2"]


def test_the_models_for_programs(store: FixtureStore, ask: Ask) -> None:
    first = json.loads(ask("models", "-s", store.db, "--format", "json")[1])[0]
    assert first["latest_versions"] == {"None": 6, "Staging": 3, "Production": 2, "Archived": 1}
    assert (first["name"], first["versions"], first["is_orphan"]) == (MODEL, 5, False)
    rows = list(csv.DictReader(io.StringIO(ask("models", "-s", store.db, "--format", "csv")[1])))
    assert json.loads(rows[0]["tags"]) == {"domain": "crm", "task": "classification"}
    assert rows[0]["is_orphan"] == "false"


def test_the_versions_of_one(store: FixtureStore, ask: Ask) -> None:
    table = ask("models", "-s", store.db, MODEL)[1].splitlines()
    assert [line.split()[:2] for line in table] == [
        ["version", "stage"], ["6", "None"], ["4", "None"], ["3", "Staging"], ["2", "Production"], ["1", "Archived"],
    ]  # fmt: skip
    versions = json.loads(ask("models", "-s", store.db, MODEL, "--format", "json")[1])
    assert versions[2]["aliases"] == ["challenger", "shadow"]
    assert versions[2]["tags"] == {"validation_status": "pending"}
    rows = list(csv.DictReader(io.StringIO(ask("models", "-s", store.db, MODEL, "--format", "csv")[1])))
    assert [row["version"] for row in rows] == ["6", "4", "3", "2", "1"]


def test_a_filter(store: FixtureStore, ask: Ask) -> None:
    found = json.loads(ask("models", "-s", store.db, "-f", "tags.task = 'classification'", "--format", "json")[1])
    assert [each["name"] for each in found] == [MODEL]
    status, _, err = ask("models", "-s", store.db, "-f", "nam = 'x'")
    assert (status, err.splitlines()[1:]) == (2, ["  nam = 'x'", "  ^"])


@pytest.mark.parametrize("command", ["runs", "models"])
def test_the_help_says_that_a_filter_may_use_extensions(command: str, ask: Ask) -> None:
    status, out, _ = ask(command, "--help")
    assert (status, "in MLflow's search language and mldeck's extensions of it" in " ".join(out.split())) == (0, True)


def test_what_is_not_there(store_copy: CopyOf, ask: Ask) -> None:
    store = store_copy(NEWEST)
    status, out, err = ask("models", "-s", store.db, "missing")
    assert (status, out) == (2, "")
    assert "no registered model missing in" in err
    old = store_copy(OLDEST)
    assert ask("models", "-s", old.db)[:2] == (
        0,
        "model  None  Staging  Production  Archived  versions  changed  aliases  description\n",
    )
    assert ask("models", "-s", old.db, "--format", "json")[1] == "[]\n"
    header = ask("models", "-s", old.db, "--format", "csv")[1]
    assert header.startswith("name,latest_versions,versions")


@pytest.mark.parametrize("name", ["missing", "greeting-prompt"])
def test_the_commands_agree_about_a_name_that_is_no_model(name: str, store: FixtureStore, ask: Ask) -> None:
    listed = ask("models", "-s", store.db, name)
    assert listed == ask("promote", "-s", store.db, name, "1", "Production", "--dry-run")
    assert listed[1] == ""


def test_orphans_and_hostile_names_are_shown_as_what_they_are(store_copy: CopyOf, ask: Ask) -> None:
    store = store_copy(MIGRATED)
    sql(store, "UPDATE registered_models SET name = ? WHERE name = 'empty-model'", "a\x1b]0;x\nb")
    out = ask("models", "-s", store.db)[1]
    assert "old-name (orphan)" in out
    assert "\x1b" not in out
    assert len(out.splitlines()) == 5


def test_another_workspace(store: FixtureStore, ask: Ask) -> None:
    two_workspaces(store)
    found = json.loads(ask("models", "-s", store.db, "--workspace", "lab", "--format", "json")[1])
    assert [(each["name"], each["latest_versions"]) for each in found] == [(MODEL, {"Production": 9})]


# promote


def test_a_dry_run_shows_and_changes_nothing(store: FixtureStore, ask: Ask) -> None:
    before = all_rows(store.db)
    status, out, err = ask("promote", "-s", store.db, MODEL, "3", "production", "--dry-run")
    assert (status, err) == (0, "")
    assert out.splitlines()[:3] == [
        f"{MODEL} in {store.db}",
        "  version 3: Staging → Production",
        "  version 2: Production → Archived",
    ]
    cells = [line.split() for line in out.splitlines()[4:]]
    assert ["run", "rf-depth-5", "rf-depth-10"] in cells
    assert ["duration", "7m", "00s", "7m", "00s"] in cells
    assert next(line for line in cells if line[:1] == ["size"])[1:] != ["–", "–"]
    assert ["metrics.auc", "0.91", "0.94", "+0.03000"] in cells
    assert ["params.max_depth", "5", "10"] in cells
    assert difference(before, all_rows(store.db)) == {}


def test_a_review_compares_the_files(store: FixtureStore, ask: Ask) -> None:
    """The size, and the signature with what differs in it."""
    folders = []
    for version, type_name in ((2, "long"), (3, "double")):
        folder = store.path / "models" / f"m-{version:032x}" / "artifacts"
        folder.mkdir(parents=True)
        inputs = json.dumps([{"name": "age", "type": type_name, "required": True}])
        (folder / "MLmodel").write_text(f"flavors: {{}}\nsignature:\n  inputs: '{inputs}'\n")
        (folder / "model.bin").write_bytes(bytes(version * 10_000))
        for column in ("source", "storage_location"):
            sql(
                store,
                f"UPDATE model_versions SET {column} = ? WHERE name = ? AND version = ?",
                str(folder),
                MODEL,
                version,
            )
        folders.append(folder)

    def cells() -> dict[str, list[str]]:
        out = ask("promote", "-s", store.db, MODEL, "3", "Production", "--dry-run")[1]
        return {name: rest for name, *rest in (re.split(r" {2,}", line) for line in out.splitlines())}

    assert cells()["size"] == ["20 kB", "30 kB", "+10 kB"]
    assert cells()["signature"] == ["1 in", "1 in", "differs"]
    assert cells()[""] == ["input age is double, not long"]
    shutil.rmtree(folders[0])
    assert cells()["size"] == ["–", "30 kB"]
    assert cells()["signature"] == ["–", "1 in"]


def test_a_promotion(store: FixtureStore, ask: Ask) -> None:
    status, out, err = ask("promote", "-s", store.db, MODEL, "3", "Production", "--yes", "--reason", "better")
    assert (status, err) == (0, "")
    assert out.splitlines()[-1] == f"{MODEL} 3 is in Production"
    assert stages(store) | {3: "Production", 2: "Archived"} == stages(store)
    (record,) = sql(store, "SELECT value FROM model_version_tags WHERE key LIKE 'mldeck.transition.%'")[0]
    assert json.loads(record)["reason"] == "better"
    # Who put it there, and why, is part of the next review, and is no difference between the versions.
    review = ask("promote", "-s", store.db, MODEL, "6", "Production", "--dry-run")[1]
    cells = {name: rest for name, *rest in (re.split(r" {2,}", line) for line in review.splitlines())}
    assert cells["reason"] == ["better"]
    assert cells["moved by"] == [json.loads(record)["who"]]
    assert len(cells["in Production since"]) == 1


def test_production_makes_room_and_staging_does_not_unless_it_is_said(store: FixtureStore, ask: Ask) -> None:
    assert ask("promote", "-s", store.db, MODEL, "6", "Staging", "--yes")[0] == 0
    assert {3: "Staging", 6: "Staging"}.items() <= stages(store).items()
    assert ask("promote", "-s", store.db, MODEL, "6", "Production", "--yes", "--keep-existing")[0] == 0
    assert {2: "Production", 6: "Production"}.items() <= stages(store).items()
    assert ask("promote", "-s", store.db, MODEL, "4", "Staging", "--yes", "--archive-existing")[0] == 0
    assert {3: "Archived", 4: "Staging"}.items() <= stages(store).items()


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        ((MODEL, "3", "Production"), 1, "nothing was changed: there is no terminal to ask on, so use --yes"),
        (
            (MODEL, "3", "Production", "--yes", "--expect-stage", "None"),
            1,
            "3 of churn-model is in Staging, not in None",
        ),
        ((MODEL, "5", "Production", "--yes"), 2, "there is no version 5 of churn-model; there are 1, 2, 3, 4, 6"),
        (("missing", "1", "Production", "--yes"), 2, "no registered model missing in"),
        (("empty-model", "1", "Production", "--yes"), 2, "empty-model has no versions in"),
        (("chrun-model", "1", "Production", "--yes"), 2, "chrun-model (did you mean churn-model?) in"),
        (("greeting-prompt", "1", "Production", "--yes"), 1, "greeting-prompt is a prompt"),
        (("greeting-prompt", "1", "Production", "--dry-run"), 1, "greeting-prompt is a prompt"),
        ((MODEL, "3", "Production", "--yes", "--reason", "r" * 501), 1, "the reason has at most 500"),
        ((MODEL, "3", "Live", "--yes"), 2, "there is no stage Live"),
        ((MODEL, "three", "Production", "--yes"), 2, "'three' is not the number of a version"),
        ((MODEL, "3", "Archived", "--yes", "--archive-existing"), 2, "goes with Staging and Production only"),
        ((MODEL, "3", "Production", "--archive-existing", "--keep-existing"), 2, "not allowed with"),
    ],
)
def test_what_is_refused_changes_nothing(
    words: tuple[str, ...], status: int, message: str, store: FixtureStore, ask: Ask
) -> None:
    before = all_rows(store.db)
    found, out, err = ask("promote", "-s", store.db, *words)
    assert (found, message in err) == (status, True)
    assert ("→" in out) == ("to ask on" in message), "what is refused is not shown for review"
    assert difference(before, all_rows(store.db)) == {}


def test_a_store_that_is_only_read(store: FixtureStore, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLDECK_READ_ONLY", "1")
    status, out, err = ask("promote", "-s", store.db, MODEL, "3", "Production", "--yes")
    assert (status, out, "cannot be changed" in err) == (1, "", True)
    assert ask("promote", "-s", store.db, MODEL, "3", "Production", "--dry-run")[0] == 0


@pytest.mark.parametrize("how", ["flag", "settings"])
def test_a_store_on_another_machine(
    how: str, store: FixtureStore, ask: Ask, monkeypatch: pytest.MonkeyPatch, isolated: Path
) -> None:
    use_as_ssh(monkeypatch, shell_for_ssh())
    far = f"ssh://gpu1{store.db}?python={sys.executable}"
    before = all_rows(store.db)
    status, _, err = ask("promote", "-s", far, MODEL, "3", "Production", "--yes")
    assert (status, "cannot be changed: it is on another machine; --write allows changes" in err) == (1, True)
    assert ask("register", "-s", far, store.run("logreg"), "model", "new")[0] == 1
    assert difference(before, all_rows(store.db)) == {}
    words = ["--write"] if how == "flag" else []
    if how == "settings":
        config_file().parent.mkdir(parents=True)
        config_file().write_text("[hosts.gpu1]\nwrite = true\n")
    assert ask("promote", "-s", far, MODEL, "3", "Production", "--yes", *words)[::2] == (0, "")
    status, out, _ = ask("register", "-s", far, store.run("logreg"), "model", "new", *words)
    assert (status, out.startswith("new 1 from ")) == (0, True)
    assert '"via":"gpu1"' in str(all_rows(store.db)["model_version_tags"])
    before = all_rows(store.db)
    monkeypatch.setenv("MLDECK_READ_ONLY", "1")
    assert "opened with --read-only" in ask("promote", "-s", far, MODEL, "2", "Production", "--yes", *words)[2]
    assert difference(before, all_rows(store.db)) == {}


def test_leave_to_write_changes_nothing_for_this_machine(store: FixtureStore, ask: Ask) -> None:
    assert ask("promote", "-s", store.db, MODEL, "3", "Production", "--yes", "--write")[0] == 0


def test_versions_without_a_model_are_not_shown_for_review(store_copy: CopyOf, ask: Ask) -> None:
    store = store_copy(MIGRATED)
    status, out, err = ask("promote", "-s", store.db, "old-name", "1", "Production", "--yes")
    assert (status, out, "have no registered model" in err) == (1, "", True)


@pytest.mark.parametrize("how", ["flag", "environment"])
def test_no_record_is_left_when_it_is_not_wanted(
    how: str, store: FixtureStore, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    if how == "environment":
        monkeypatch.setenv("MLDECK_RECORD_TRANSITIONS", "0")
    words = ["--no-record"] if how == "flag" else []
    assert ask("promote", "-s", store.db, MODEL, "3", "Production", "--yes", *words)[0] == 0
    assert sql(store, "SELECT count(*) FROM model_version_tags WHERE key LIKE 'mldeck%'") == [(0,)]
    review = ask("promote", "-s", store.db, MODEL, "6", "Production", "--dry-run")[1]
    assert re.search(r"^in Production since +\d{4}-\S+ \S+ – \d{4}-\S+ \S+\nmoved by +not recorded\n", review, re.M)


@pytest.mark.parametrize(
    ("answer", "status", "stage"), [("y\n", 0, "Production"), ("n\n", 1, "Staging"), ("\n", 1, "Staging")]
)
def test_on_a_terminal_it_asks(answer: str, status: int, stage: str, store: FixtureStore) -> None:
    ours, theirs = pty.openpty()
    try:
        os.write(ours, answer.encode())
        done = subprocess.run(
            [sys.executable, "-m", "mldeck", "promote", "-s", store.db, MODEL, "3", "Production"],
            stdin=theirs,
            capture_output=True,
            text=True,
            timeout=60,
        )
    finally:
        os.close(ours)
        os.close(theirs)
    assert (done.returncode, stages(store)[3]) == (status, stage)
    assert "Proceed? [y/N]" in done.stderr
    assert "version 3: Staging → Production" in done.stdout


_FULL = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
from mldeck.cli import main
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.parametrize("share", [0.005, 0.1, 0.3])
def test_a_full_disk_leaves_everything_as_it_was(share: float, store: FixtureStore) -> None:
    """The journal cannot be written, or some of the pages."""
    before = all_rows(store.db)
    room = int(store.db.stat().st_size * share)
    words = ["promote", "-s", str(store.db), MODEL, "3", "Production", "--yes"]
    done = subprocess.run([sys.executable, "-c", _FULL, str(room), *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1, done.stderr
    assert "nothing was changed" in done.stderr
    assert difference(before, all_rows(store.db)) == {}
    assert sql(store, "PRAGMA integrity_check") == [("ok",)]


# register


def test_registering_a_model_of_a_run(store: FixtureStore, ask: Ask) -> None:
    words = ("--description", "what", "--tag", "a=b=c", "--tag", "d=")
    status, out, err = ask("register", "-s", store.db, store.run("logreg")[:8], "model", MODEL, *words)
    (row,) = sql(store, "SELECT source, description FROM model_versions WHERE name = ? AND version = 7", MODEL)
    assert (status, out, err) == (0, f"{MODEL} 7 from {row[0]}\n", "")
    assert row[0].startswith("models:/m-")
    assert row[1] == "what"
    tags = sql(store, "SELECT key, value FROM model_version_tags WHERE name = ? AND version = 7", MODEL)
    assert sorted(tags) == [("a", "b=c"), ("d", "")]


def test_a_folder_of_the_run_with_a_model_in_it(store: FixtureStore, ask: Ask) -> None:
    run_id = store.run("logreg")
    (uri,) = sql(store, "SELECT artifact_uri FROM runs WHERE run_uuid = ?", run_id)[0]
    folder = Path(uri) / "in" / "here"
    folder.mkdir(parents=True)
    (folder / "MLmodel").write_text("flavors: {}\n")
    status, out, _ = ask("register", "-s", store.db, run_id, "in/here", "fresh")
    assert (status, out) == (0, f"fresh 1 from {uri}/in/here\n")
    # Also when the store was moved, which the database does not know.
    moved = store.path.with_name("moved")
    shutil.move(store.path, moved)
    status, out, _ = ask("register", "-s", moved / "mlflow.db", run_id, "in/here", "fresh")
    assert (status, out) == (0, f"fresh 2 from {uri}/in/here\n")


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (("baseline-logreg", "missing", MODEL), 2, "run baseline-logreg has no model missing"),
        (("baseline-logreg", "modle", MODEL), 2, "modle (did you mean model?)"),
        (("baseline-logreg", "model", "a/b"), 1, "the name of a model cannot contain /"),
        (("baseline-logreg", "model", "greeting-prompt"), 1, "is a prompt, not a model"),
        (("nobody", "model", MODEL), 2, "has no run nobody"),
        (("baseline-logreg", "model", MODEL, "--tag", "x"), 2, "write KEY=VALUE"),
    ],
)
def test_what_cannot_be_registered(
    words: tuple[str, ...], status: int, message: str, store: FixtureStore, ask: Ask
) -> None:
    before = all_rows(store.db)
    found, _, err = ask("register", "-s", store.db, *words)
    assert (found, message in err) == (status, True)
    assert difference(before, all_rows(store.db)) == {}


# A registry in another database


@pytest.mark.parametrize("how", ["flag", "environment"])
def test_a_registry_in_another_database(
    how: str, store_copy: CopyOf, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs, models = store_copy(NEWEST), store_copy(NEWEST)
    sql(models, "DELETE FROM logged_model_tags")
    sql(models, "DELETE FROM logged_models")
    words = ["--registry-store", str(models.db)] if how == "flag" else []
    if how == "environment":
        monkeypatch.setenv("MLFLOW_REGISTRY_URI", f"sqlite:///{models.db}")
    before = all_rows(runs.db)
    status, _, err = ask("register", "-s", runs.db, runs.run("logreg"), "model", "elsewhere", *words)
    assert (status, err) == (0, "")
    assert difference(before, all_rows(runs.db)).keys() == {"logged_model_tags"}
    out = ask("promote", "-s", runs.db, "elsewhere", "1", "Production", "--yes", *words)[1]
    assert out.startswith(f"elsewhere in {models.db}\n")
    assert "elsewhere" in ask("models", "-s", runs.db, *words)[1]
    assert "elsewhere" not in ask("models", "-s", runs.db, "--registry-store", runs.db)[1]
    assert ask("models", "-s", runs.db, "--registry-store", "missing.db")[0] == 2
