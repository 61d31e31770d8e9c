"""The command line: exit statuses, complaints of one line, and printed answers."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from mldeck import __version__
from mldeck.cli import main
from mldeck.commands.options import store_address
from mldeck.format import cell_width, safe
from mldeck.printing import write_table
from mldeck.settings import load_settings
from mldeck.ui.runs.first_read import HeadStart
from tests.fixture_stores import FixtureStore
from tests.privileges import drop_root_powers_before_exec, without_root_powers

CopyOf = Callable[[str], FixtureStore]
Answer = tuple[int, str, str]
Ask = Callable[..., Answer]

RUN_KEYS = (
    "run_id run_name experiment_id experiment status lifecycle_stage start_time end_time user_id artifact_uri"
    " metrics params tags inputs"
).split()
EXPERIMENT_KEYS = (
    "experiment_id name lifecycle_stage artifact_location creation_time last_update_time active_runs deleted_runs note"
    " workspace"
).split()
HOSTILE = '\x1b]0;owned\x07[/x]\x7f\x9b31m\u202e\nsecond,"line"\rend'
COMMAND = [sys.executable, "-m", "mldeck"]
ASCII_LOCALE = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
"""A locale that is not UTF-8, on a machine that may have no other: Python takes this one for UTF-8 unless told not to."""


@pytest.fixture
def rows(ask: Ask) -> Callable[..., list[dict[str, Any]]]:
    """What `mldeck runs --format json` answers."""

    def printed(store: FixtureStore | Path, *words: str) -> list[dict[str, Any]]:
        path = store.db if isinstance(store, FixtureStore) else store
        status, out, error = ask("runs", "-s", path, "--format", "json", *words)
        assert (status, error) == (0, "")
        found = json.loads(out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
        assert isinstance(found, list)
        return found

    return printed


def in_a_process(*words: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, words)], capture_output=True, text=True, timeout=60, check=False, **options
    )


def complaint(answer: Answer, status: int = 2) -> str:
    """The one line that was said, when nothing else was."""
    found, out, error = answer
    assert (found, out) == (status, "")
    assert error.startswith("mldeck: ")
    assert error.count("\n") == 1
    return error


class TestBadStarts:
    """Each in one line on the standard error, with exit status 2."""

    def test_nothing_given_and_nothing_found(self, ask: Ask) -> None:
        error = complaint(ask("runs"))
        assert "no store given, and no mlflow.db here" in error
        for way_out in ("mldeck demo", "MLFLOW_TRACKING_URI", "mldeck PATH", "mldeck --wait"):
            assert way_out in error

    @pytest.mark.parametrize("name", ["mlruns", "mlartifacts"])
    def test_the_folder_that_is_there_is_named(self, ask: Ask, isolated: Path, name: str) -> None:
        (isolated / name / "0").mkdir(parents=True)
        what = f"(the folder {name} holds files of runs, not their database)"
        assert what in complaint(ask("runs"))
        assert what in complaint(ask("runs", "-s", "mlflow.db"))
        assert what in complaint(ask("runs", "-s", isolated))
        (isolated / name / "0" / "meta.yaml").touch()
        assert f"the folder {name} is a file store; `mldeck {name}` opens it" in complaint(
            ask("runs", "-s", "mlflow.db")
        )

    def test_no_such_file(self, ask: Ask, tmp_path: Path) -> None:
        assert f"no such file: {tmp_path}/missing.db" in complaint(ask("runs", "-s", tmp_path / "missing.db"))

    def test_a_folder(self, ask: Ask, tmp_path: Path) -> None:
        assert f"{tmp_path} is a folder" in complaint(ask("experiments", "-s", tmp_path))

    def test_not_sqlite(self, ask: Ask, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").write_text("hello")
        assert "is not a SQLite database" in complaint(ask("runs", "-s", tmp_path / "notes.txt"))

    def test_not_mlflow(self, ask: Ask, tmp_path: Path) -> None:
        with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
            connection.execute("CREATE TABLE runs (id)")
        error = complaint(ask("runs", "-s", tmp_path / "other.db"))
        assert "it has no table alembic_version, experiments, metrics, params, tags" in error

    def test_an_empty_file(self, ask: Ask, tmp_path: Path) -> None:
        (tmp_path / "empty.db").touch()
        assert "is empty" in complaint(ask("runs", "-s", tmp_path / "empty.db"))

    def test_no_permission(self, ask: Ask, store_copy: CopyOf) -> None:
        db = store_copy("mlflow-3.17.2").db
        db.chmod(0)
        with without_root_powers():
            assert "no permission to read" in complaint(ask("runs", "-s", db))

    def test_damaged(self, ask: Ask, store_copy: CopyOf) -> None:
        db = store_copy("mlflow-3.17.2").db
        os.truncate(db, 1000)
        assert "is damaged" in complaint(ask("runs", "-s", db))

    @pytest.mark.parametrize(
        ("uri", "advice"),
        [
            ("http://localhost:5000", "the server's --backend-store-uri"),
            ("mssql+pyodbc://u:secret@host/db", "mldeck reads PostgreSQL, MySQL and MariaDB"),
            ("file://host/mlruns", "names no folder of this machine"),
            ("databricks://x", "the scheme databricks: is not supported"),
            ("sqlite://", "names no file"),
            ("~nobody-of-this-name/x.db", "no home folder"),
        ],
    )
    def test_uris(self, ask: Ask, monkeypatch: pytest.MonkeyPatch, uri: str, advice: str) -> None:
        assert advice in complaint(ask("runs", "-s", uri))
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        error = complaint(ask("runs"))
        assert advice in error
        assert "(from MLFLOW_TRACKING_URI)" in error
        assert "secret" not in error

    def test_a_name_that_would_act_on_the_terminal(self, ask: Ask) -> None:
        error = complaint(ask("runs", "-s", "a\x1b]0;owned\x07\n\u202eb.db"))
        assert "␛]0;owned␇↵�b.db" in error

    def test_settings_that_are_wrong(self, ask: Ask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
        (tmp_path / "mldeck").mkdir()
        (tmp_path / "mldeck" / "config.toml").write_text("store = \n")
        assert "config.toml is not valid TOML" in complaint(ask("runs"))

    def test_the_deck_complains_alike_and_draws_nothing(self, tmp_path: Path, store_copy: CopyOf) -> None:
        (tmp_path / "empty.db").touch()
        for words, said in (
            ([], "no store given"),
            ([tmp_path / "empty.db"], "is empty"),
            (["http://localhost:5000"], "--backend-store-uri"),
            ([store_copy("mlflow-3.17.2").db], "the deck needs a terminal"),
        ):
            done = in_a_process(*words)
            assert said in complaint((done.returncode, done.stdout, done.stderr))

    def test_without_a_current_folder(self, tmp_path: Path) -> None:
        def leave() -> None:
            gone = tmp_path / "gone"
            gone.mkdir()
            os.chdir(gone)
            gone.rmdir()

        done = in_a_process("runs", "-s", "mlflow.db", preexec_fn=leave, env={**os.environ, "PYTHONSAFEPATH": "1"})
        assert done.returncode != 0
        assert "Traceback" not in done.stderr

    @pytest.mark.parametrize(
        "words",
        [
            ("runs", "--format", "xml"),
            ("runs", "--view", "none"),
            ("runs", "--limit", "-1"),
            ("runs", "--limit", "many"),
            ("runs", "stray"),
            ("--no-such-option",),
        ],
    )
    def test_wrong_words(self, ask: Ask, words: tuple[str, ...]) -> None:
        status, out, error = ask(*words)
        assert (status, out) == (2, "")
        assert "usage: mldeck" in error
        assert "Traceback" not in error
        assert "_limit" not in error


def test_locked_by_another_program_is_no_wrong_usage(ask: Ask, store_copy: CopyOf) -> None:
    db = store_copy("mlflow-2.9.2").db
    with closing(sqlite3.connect(db, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        error = complaint(ask("experiments", "-s", db), status=1)
    assert "is locked by another program" in error


def test_help_and_version(ask: Ask) -> None:
    status, out, _ = ask("--version")
    assert (status, out) == (0, f"mldeck {__version__}\n")
    for words in (["--help"], ["runs", "--help"], ["experiments", "--help"], ["demo", "--help"]):
        status, out, _ = ask(*words)
        assert status == 0
        assert out.startswith("usage: mldeck")


class TestWhichStore:
    @pytest.fixture
    def experiment_names(self, ask: Ask) -> Callable[..., list[str]]:
        def names(*words: str | Path) -> list[str]:
            status, out, error = ask("experiments", "--format", "json", *words)
            assert (status, error) == (0, "")
            return [each["name"] for each in json.loads(out)]

        return names

    def test_flag_then_environment_then_file_then_here(
        self,
        experiment_names: Callable[..., list[str]],
        monkeypatch: pytest.MonkeyPatch,
        isolated: Path,
        store_copy: CopyOf,
    ) -> None:
        copies = {}
        for where in ("flag", "ours", "mlflows", "file", "here"):
            copies[where] = store_copy("mlflow-1.30.1").db
            with closing(sqlite3.connect(copies[where])) as connection, connection:
                connection.execute("UPDATE experiments SET name = ? WHERE experiment_id = 0", (f"from {where}",))
        shutil.copyfile(copies["here"], isolated / "mlflow.db")
        assert "from here" in experiment_names()
        config = isolated / "xdg-config" / "mldeck" / "config.toml"
        config.parent.mkdir(parents=True)
        config.write_text(f"store = '{copies['file']}'\n")
        assert "from file" in experiment_names()
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{copies['mlflows']}")
        assert "from mlflows" in experiment_names()
        monkeypatch.setenv("MLDECK_STORE", str(copies["ours"]))
        assert "from ours" in experiment_names()
        assert "from flag" in experiment_names("-s", copies["flag"])
        assert "from flag" in experiment_names("--store", f"sqlite:///{copies['flag']}")


class TestExperiments:
    def test_json(self, ask: Ask, fixture_store: FixtureStore) -> None:
        status, out, error = ask("experiments", "-s", fixture_store.db, "--format", "json", "--view", "all")
        assert (status, error) == (0, "")
        found = json.loads(out)
        assert all(list(each) == EXPERIMENT_KEYS for each in found)
        churn = next(each for each in found if each["name"] == "churn-baseline")
        assert churn["experiment_id"] == fixture_store.experiment("churn")
        assert (churn["active_runs"], churn["deleted_runs"]) == (12, 1)
        assert churn["note"].startswith("**Churn**")
        assert len(found) == 9

    @pytest.mark.parametrize(("view", "count"), [("active", 8), ("deleted", 1), ("all", 9)])
    def test_views(self, ask: Ask, store_copy: CopyOf, view: str, count: int) -> None:
        db = store_copy("mlflow-2.9.2").db
        status, out, _ = ask("experiments", "-s", db, "--view", view, "--format", "csv")
        parsed = list(csv.DictReader(io.StringIO(out, newline="")))
        assert status == 0
        assert len(parsed) == count
        assert list(parsed[0]) == EXPERIMENT_KEYS

    def test_table(self, ask: Ask, store_copy: CopyOf) -> None:
        status, out, error = ask("experiments", "-s", store_copy("mlflow-1.2.0").db)
        header, *lines = out.splitlines()
        assert (status, error) == (0, "")
        assert header.split() == ["id", "name", "stage", "active", "runs", "created", "note"]
        assert [line.split()[0] for line in lines] == ["0", "1", "2", "3", "4", "5", "6", "8"]
        note = header.index("note")
        assert lines[1][note:] == "**Churn** baseline models."
        assert lines[2][: header.index("stage")].strip() == "2   team/résnet images"

    def test_a_store_without_experiments(self, ask: Ask, store_copy: CopyOf) -> None:
        db = store_copy("mlflow-3.17.2").db
        with closing(sqlite3.connect(db)) as connection, connection:
            connection.execute("DELETE FROM experiments")
        assert ask("experiments", "-s", db, "--format", "json") == (0, "[]\n", "")
        assert ask("experiments", "-s", db, "--format", "csv") == (0, ",".join(EXPERIMENT_KEYS) + "\n", "")
        status, out, _ = ask("experiments", "-s", db)
        assert status == 0
        assert out.count("\n") == 1
        assert ask("runs", "-s", db, "--format", "json") == (0, "[]\n", "")


class TestRunsJson:
    def test_keys_and_values(self, rows: Callable[..., list[dict[str, Any]]], fixture_store: FixtureStore) -> None:
        found = {each["run_id"]: each for each in rows(fixture_store, "-e", "churn-baseline", "--view", "all")}
        assert all(list(each) == RUN_KEYS for each in found.values())
        assert len(found) == 13
        run = found[fixture_store.run("rf10")]
        root = fixture_store.path.resolve()
        assert {key: run[key] for key in RUN_KEYS[:8]} == {
            "run_id": fixture_store.run("rf10"),
            "run_name": "rf-depth-10",
            "experiment_id": "1",
            "experiment": "churn-baseline",
            "status": "FINISHED",
            "lifecycle_stage": "active",
            "start_time": 1_700_001_200_000,
            "end_time": 1_700_001_620_000,
        }
        assert run["artifact_uri"] == f"{root}/artifacts/1/{run['run_id']}/artifacts"
        assert run["metrics"]["auc"] == 0.94
        assert run["params"] == {"solver": "rf", "max_depth": "10", "n_estimators": "100", "C": "9.5"}
        assert run["tags"]["stage"] == "prod"
        assert found[fixture_store.run("running")]["end_time"] is None
        assert found[fixture_store.run("logreg")]["params"]["multi line"] == "a\nb\tc"

    def test_what_is_not_finite(self, rows: Callable[..., list[dict[str, Any]]], fixture_store: FixtureStore) -> None:
        found = {each["run_id"]: each["metrics"] for each in rows(fixture_store, "-e", "churn-baseline")}
        assert found[fixture_store.run("diverged")] == {"auc": "nan", "loss": "nan", "only_inf": "inf", "score": "-inf"}

    def test_all_active_experiments_unless_some_are_named(
        self, rows: Callable[..., list[dict[str, Any]]], fixture_store: FixtureStore
    ) -> None:
        names = {each["experiment"] for each in rows(fixture_store)}
        assert names == {
            *("Default", "churn-baseline", "team/résnet images", "s3-backed", "proxied", "relative-root"),
            "renamed-experiment",
        }
        in_deleted = rows(fixture_store, "-e", "old-deleted", "--view", "all")
        assert [each["run_id"] for each in in_deleted] == [fixture_store.run("in_deleted_experiment")]

    def test_by_name_and_by_id(self, rows: Callable[..., list[dict[str, Any]]], fixture_store: FixtureStore) -> None:
        found = rows(fixture_store, "-e", "s3-backed", "--experiment", fixture_store.experiment("proxied"))
        assert {each["run_id"] for each in found} == {fixture_store.run("in_s3"), fixture_store.run("in_proxied")}
        assert rows(fixture_store, "-e", "empty-experiment") == []

    def test_an_experiment_that_is_not_there(self, ask: Ask, fixture_store: FixtureStore) -> None:
        for name in ("nope", "churn", "99", ""):
            error = complaint(ask("runs", "-s", fixture_store.db, "-e", "churn-baseline", "-e", name))
            assert f"no experiment {name}" in error
            assert "mldeck experiments" in error

    def test_an_experiment_called_like_an_id(
        self, ask: Ask, rows: Callable[..., list[dict[str, Any]]], store_copy: CopyOf
    ) -> None:
        fixture = store_copy("mlflow-3.17.2")
        with closing(sqlite3.connect(fixture.db)) as connection, connection:
            connection.execute("UPDATE experiments SET name = '1' WHERE name = 's3-backed'")
        assert [each["run_id"] for each in rows(fixture, "-e", "1")] == [fixture.run("in_s3")]

    @pytest.mark.parametrize(
        ("view", "labels"),
        [("deleted", {"deleted"}), ("active", {"restored", "renamed"}), ("all", {"deleted", "restored", "renamed"})],
    )
    def test_views(
        self, rows: Callable[..., list[dict[str, Any]]], fixture_store: FixtureStore, view: str, labels: set[str]
    ) -> None:
        found = {each["run_id"] for each in rows(fixture_store, "-e", "churn-baseline", "--view", view)}
        looked_at = {fixture_store.run(label): label for label in ("deleted", "restored", "renamed")}
        assert {looked_at[run_id] for run_id in found & set(looked_at)} == labels

    def test_limits(self, rows: Callable[..., list[dict[str, Any]]], store_copy: CopyOf) -> None:
        fixture = store_copy("search")
        everything = rows(fixture, "--limit", "0", "--view", "all")
        assert len(everything) == 120
        assert rows(fixture, "--limit", "100", "--view", "all") == everything[:100]
        assert rows(fixture, "--limit", "7", "--view", "all") == everything[:7]
        for limit in ("9999999999", "9" * 20, "9" * 5000):
            assert rows(fixture, "--limit", limit, "--view", "all") == everything
        assert rows(fixture, "--limit", "0" * 30 + "7", "--view", "all") == everything[:7]

    @pytest.mark.parametrize("format_name", ["table", "json", "csv"])
    def test_a_limit_that_nobody_asked_for_is_said(self, ask: Ask, store_copy: CopyOf, format_name: str) -> None:
        fixture = store_copy("search")
        words = ("runs", "--view", "all", "--format", format_name, "-s", fixture.db)
        assert ask(*words)[2] == "mldeck: 100 of 120 runs; --limit 0 prints all\n"
        for asked in (("--limit", "0"), ("--limit", "100"), ("--limit", "7"), ("-f", "attributes.run_id = 'x'")):
            assert ask(*words, *asked)[2] == "", asked

    def test_one_name_in_two_workspaces(self, ask: Ask, store_copy: CopyOf) -> None:
        fixture = store_copy("mlflow-3.17.2")
        with closing(sqlite3.connect(fixture.db)) as connection, connection:
            connection.execute(
                "INSERT INTO experiments (name, artifact_location, lifecycle_stage, workspace)"
                " VALUES ('churn-baseline', 'x', 'active', 'other')"
            )
            (other,) = connection.execute("SELECT max(experiment_id) FROM experiments").fetchone()
        status, out, err = ask("runs", "-e", "churn-baseline", "-s", fixture.db)
        assert (status, out) == (2, "")
        assert "several experiments are called churn-baseline: give the id of one (" in err
        assert str(other) in err
        assert ask("runs", "-e", str(other), "-s", fixture.db)[0] == 0
        here = ask("runs", "-e", "churn-baseline", "--workspace", "default", "-s", fixture.db)[1]
        assert fixture.run("rf10") in here
        there = ask("runs", "-e", "churn-baseline", "--workspace", "other", "-s", fixture.db)
        assert (there[0], fixture.run("rf10") in there[1]) == (0, False)
        assert fixture.run("rf10") not in ask("runs", "--workspace", "other", "-s", fixture.db)[1]
        header, *lines = ask("experiments", "-s", fixture.db)[1].splitlines()
        assert header.split()[:3] == ["id", "name", "workspace"]
        assert [line.split()[2] for line in lines if "churn-baseline" in line] == ["default", "other"]
        (line,) = ask("experiments", "--workspace", "other", "-s", fixture.db)[1].splitlines()[1:]
        assert line.split()[:2] == [str(other), "churn-baseline"]
        status, _, err = ask("experiments", "--workspace", "nowhere", "-s", fixture.db)
        assert (status, "no experiments in a workspace nowhere" in err, "default, other" in err) == (2, True, True)

    def test_no_run_is_left_out_when_there_are_many(
        self, rows: Callable[..., list[dict[str, Any]]], store_copy: CopyOf
    ) -> None:
        fixture = store_copy("mlflow-2.9.2")
        with closing(sqlite3.connect(fixture.db)) as connection, connection:
            for number in range(1300):
                connection.execute(
                    "INSERT INTO runs (run_uuid, name, source_type, status, start_time, lifecycle_stage, experiment_id)"
                    " VALUES (?, ?, 'LOCAL', 'FINISHED', ?, 'active', 6)",
                    (f"{number:032x}", f"many-{number}", number),
                )
        names = [each["run_name"] for each in rows(fixture, "-e", "empty-experiment", "--limit", "0")]
        assert names == [f"many-{number}" for number in reversed(range(1300))]


def search_cases(store: FixtureStore) -> Iterator[Mapping[str, Any]]:
    for case in json.loads((store.path / "search_cases.json").read_text()):
        if case["filter"] == "" and "run_ids" in case:
            yield case


def test_the_order_is_mlflows(ask: Ask, store_copy: CopyOf) -> None:
    """The answers were recorded from MLflow's own search."""
    fixture = store_copy("search")
    cases = list(search_cases(fixture))
    assert len(cases) >= 40
    for case in cases:
        words = ["--limit", "0", "--view", case["view"]]
        words += [word for name in case["experiments"] for word in ("-e", name)]
        words += [word for order in case["order_by"] for word in ("-o", order)]
        status, out, error = ask("runs", "-s", fixture.db, "--format", "json", *words)
        assert (status, "no run in" in error) == (0, case["order_by"] == ["metrics.missing ASC"])
        assert [each["run_id"] for each in json.loads(out)] == case["run_ids"], case["order_by"]


def test_a_name_in_a_filter_that_no_run_has_is_questioned(ask: Ask, store_copy: CopyOf) -> None:
    taxi = store_copy("nyc-taxi").db
    status, out, error = ask("runs", "-s", taxi, "-f", "params.max_deptt > 3 OR metrics.rmse < 0", "--format", "json")
    assert (status, json.loads(out)) == (0, [])
    assert f"no run in {taxi} has params.max_deptt (did you mean max_depth?)" in error
    assert "rmse" not in error


@pytest.mark.parametrize(
    ("order", "caret", "hint"),
    [
        ("rmse", 0, "For a metric write metrics.rmse."),
        ("name", 0, "The attribute is run_name."),
        ("strat_time DESC", 0, "Did you mean start_time?"),
        ("attributes.usr_id", 11, "Did you mean user_id?"),
        ("metics.rmse", 0, "Did you mean metrics?"),
        ("metrics.rmse UP", 13, "found 'UP'."),
        ("metrics.rmse,", 12, "found ','."),
        ("", 0, "tags.team or start_time."),
        ("datasets.name", 0, "use metrics, params, tags or attributes."),
        ("metrics.`a", 8, "found '`a'."),
    ],
)
def test_an_order_that_cannot_be_read(ask: Ask, store_copy: CopyOf, order: str, caret: int, hint: str) -> None:
    words = ("-o", "metrics.auc", "-o", order)
    status, out, error = ask("runs", "-s", store_copy("mlflow-3.17.2").db, *words)
    message, shown, pointer = error.splitlines()
    assert (status, out, shown) == (2, "", "  " + order)
    assert pointer == "  " + " " * caret + "^"
    assert message.endswith(hint)


class TestFilter:
    def test_mlflows_language_and_the_extensions(
        self, rows: Callable[..., list[dict[str, Any]]], fixture_store: FixtureStore
    ) -> None:
        everything = rows(fixture_store, "-e", "churn-baseline")
        found = rows(fixture_store, "-e", "churn-baseline", "-f", "params.solver = 'rf' and metrics.auc > 0.5")
        assert found == [
            run for run in everything if run["params"].get("solver") == "rf" and run["metrics"].get("auc", 0) > 0.5
        ]
        assert found
        either = rows(fixture_store, "-e", "churn-baseline", "--filter", "params.max_depth > 9 or params.max_depth < 4")
        numbers = [run["params"]["max_depth"] for run in either]
        assert numbers
        assert all(float(each) > 9 or float(each) < 4 for each in numbers)
        assert rows(fixture_store, "-e", "churn-baseline", "-f", "") == everything

    @pytest.mark.parametrize(
        ("text", "caret"),
        [
            ("metrics.auc <", 13),
            ("metrics.auc < 1 and params.solver = 'x", 36),
            ("  ", 0),
            ("tags.`雪` = 3", 12),
            ("tags.a = '\x1b]0;owned\x07", 9),
        ],
    )
    def test_an_error_points_at_the_character(self, ask: Ask, store_copy: CopyOf, text: str, caret: int) -> None:
        status, out, error = ask("runs", "-s", store_copy("mlflow-3.17.2").db, "-f", text)
        message, shown, pointer = error.splitlines()
        assert (status, out) == (2, "")
        assert message.startswith("mldeck: Expected ")
        assert shown == "  " + text.replace("\x1b", "␛").replace("\x07", "␇")
        assert pointer == "  " + " " * caret + "^"


def test_a_long_table_is_made_in_pages(capsys: pytest.CaptureFixture[str]) -> None:
    numbers = [0.5] * 200 + [0.912345611, 0.912345612] + [1.0]
    rows = (("a name" if row < 200 else "a longer name", number) for row, number in enumerate(numbers))
    write_table(("name", "loss"), rows)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(numbers) + 1
    assert (lines[0].split(), lines[1]) == (["name", "loss"], "a name  0.5")
    assert lines[201:204] == ["a longer name  0.912345611", "a longer name  0.912345612", "a longer name  1"]
    write_table(("name", "loss"), ())
    assert capsys.readouterr().out == "name  loss\n"


def test_only_a_terminal_gets_cut_names(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"/Users/me@corp.com/{'a' * 60}/churn-baseline"
    write_table(("name", "id"), [(name, "7")])
    assert capsys.readouterr().out.splitlines()[1] == f"{name}  7"
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    write_table(("name", "id"), [(name, "7")])
    assert capsys.readouterr().out.splitlines()[1] == f"{name[:38]}…{name[-37:]}  7"


class TestColumns:
    COLUMNS = "metrics.auc, run_id,params.`multi line`,experiment,duration,attributes.status"

    def test_csv_has_exactly_these(self, ask: Ask, fixture_store: FixtureStore) -> None:
        status, out, error = ask(
            "runs", "-s", fixture_store.db, "-e", "churn-baseline", "--format", "csv", "--columns", self.COLUMNS
        )
        assert (status, error) == (0, "")
        parsed = list(csv.reader(io.StringIO(out, newline="")))
        assert parsed[0] == ["metrics.auc", "run_id", "params.multi line", "experiment", "duration", "status"]
        by_id = {line[1]: line for line in parsed[1:]}
        assert by_id[fixture_store.run("logreg")][2:4] == ["a\nb\tc", "churn-baseline"]
        assert by_id[fixture_store.run("rf10")][0] == "0.94"
        assert by_id[fixture_store.run("rf10")][4:] == ["420000", "FINISHED"]
        assert by_id[fixture_store.run("diverged")][0] == "nan"

    def test_table_has_exactly_these(self, ask: Ask, fixture_store: FixtureStore) -> None:
        _, out, _ = ask("runs", "-s", fixture_store.db, "-e", "churn-baseline", "--columns", self.COLUMNS)
        header, *lines = out.splitlines()
        assert header.split("  ")[0] == "auc"
        assert header.split()[1:] == ["run_id", "multi", "line", "experiment", "duration", "status"]
        line = next(each for each in lines if fixture_store.run("rf10") in each)
        assert line.split() == ["0.940", fixture_store.run("rf10"), "–", "churn-baseline", "7m", "00s", "FINISHED"]

    def test_different_numbers_look_different(self, ask: Ask, store_copy: CopyOf) -> None:
        fixture = store_copy("mlflow-3.17.2")
        with closing(sqlite3.connect(fixture.db)) as connection, connection:
            for label, value in (("rf5", 0.91234561), ("rf10", 0.91234562)):
                connection.execute(
                    "UPDATE latest_metrics SET value = ? WHERE key = 'auc' AND run_uuid = ?",
                    (value, fixture.run(label)),
                )
        for words in ((), ("--columns", "run_id,metrics.auc")):
            _, out, _ = ask("runs", "-s", fixture.db, "-e", "churn-baseline", *words)
            assert "0.91234561" in next(line for line in out.splitlines() if fixture.run("rf5") in line)
            assert "0.91234562" in next(line for line in out.splitlines() if fixture.run("rf10") in line)

    def test_json_keeps_its_keys(self, rows: Callable[..., list[dict[str, Any]]], fixture_store: FixtureStore) -> None:
        found = {run["run_id"]: run for run in rows(fixture_store, "--columns", "metrics.auc,params.solver,run_id")}
        assert all(list(each) == RUN_KEYS for each in found.values())
        run = found[fixture_store.run("rf10")]
        assert (run["metrics"], run["params"], run["tags"]) == ({"auc": 0.94}, {"solver": "rf"}, {})

    def test_columns_of_a_csv_are_headed_as_written(self, ask: Ask, store_copy: CopyOf) -> None:
        words = ("runs", "-s", store_copy("mlflow-3.17.2").db, "--format", "csv", "--columns")
        out = ask(*words, "attributes.status,metric.auc,params.`solver`,dataset.name")[1]
        assert out.splitlines()[0] == "status,metric.auc,params.solver,dataset.name"

    def test_datasets(self, ask: Ask, rows: Callable[..., list[dict[str, Any]]], store_copy: CopyOf) -> None:
        fixture = store_copy("mlflow-3.17.2")
        words = ("runs", "-s", fixture.db, "--columns", "run_id,dataset.name,datasets.`context`")
        parsed = list(csv.reader(io.StringIO(ask(*words, "--format", "csv")[1], newline="")))
        assert parsed[0] == ["run_id", "dataset.name", "datasets.context"]
        both = {line[0]: line[1:] for line in parsed}[fixture.run("parent")]
        assert both == ["cifar10-test, cifar10-train", "eval, training"]
        assert ask(*words)[0] == 0
        found = {run["run_id"]: run["inputs"] for run in rows(fixture)}
        assert found == {run["run_id"]: run["inputs"] for run in rows(fixture, "--columns", "dataset.digest")}
        assert all(run["inputs"] == [] for run in rows(fixture, "--columns", "run_id"))
        (without_context,) = found[fixture.run("child2")]
        assert without_context["context"] is None
        assert found[fixture.run("parent")][1] == {
            "name": "cifar10-train",
            "digest": "abc12345",
            "context": "training",
            "source_type": "local",
            "source": '{"uri": "/data/cifar10/train"}',
            "schema": found[fixture.run("parent")][1]["schema"],
            "profile": '{"num_rows": 50000, "num_elements": 100000}',
        }
        assert len(json.loads(found[fixture.run("parent")][1]["schema"])["mlflow_colspec"]) == 2
        assert all(run["inputs"] == [] for run in rows(store_copy("mlflow-1.30.1")))

    def test_one_column_without_a_value_is_still_a_row(self, ask: Ask, fixture_store: FixtureStore) -> None:
        _, out, _ = ask(
            "runs", "-s", fixture_store.db, "-e", "churn-baseline", "--format", "csv", "--columns", "metrics.only_inf"
        )
        parsed = list(csv.reader(io.StringIO(out, newline="")))
        assert len(parsed) == 13
        assert all(len(line) == 1 for line in parsed)

    @pytest.mark.parametrize(
        ("text", "caret"),
        [
            ("run_id,nope", 7),
            ("run_id,", 7),
            ("metrics.val/auc", 11),
            ("run_id,x.y", 7),
            ("run_id,dataset.x", 7),
            ("run_id, run_id", 8),
            ("", 0),
        ],
    )
    def test_an_error_points_at_the_character(self, ask: Ask, store_copy: CopyOf, text: str, caret: int) -> None:
        status, out, error = ask("runs", "-s", store_copy("mlflow-3.17.2").db, "--columns", text)
        _, shown, pointer = error.splitlines()
        assert (status, out, shown) == (2, "", "  " + text)
        assert pointer == "  " + " " * caret + "^"

    @pytest.mark.parametrize(
        ("text", "hint"),
        [
            ("name", "The attribute is run_name."),
            ("run_id,`Run name`", "The attribute is run_name."),
            ("created", "The attribute is start_time."),
            ("rmse", "For a metric write metrics.rmse."),
        ],
    )
    def test_an_error_names_what_was_probably_meant(self, ask: Ask, store_copy: CopyOf, text: str, hint: str) -> None:
        error = ask("runs", "-s", store_copy("mlflow-3.17.2").db, "--columns", text)[2]
        assert error.splitlines()[0].endswith(hint)


class TestCsv:
    def test_it_reads_back_as_what_json_says(
        self, ask: Ask, rows: Callable[..., list[dict[str, Any]]], fixture_store: FixtureStore
    ) -> None:
        expected = rows(fixture_store, "--view", "all")
        status, out, error = ask("runs", "-s", fixture_store.db, "--view", "all", "--format", "csv")
        assert (status, error) == (0, "")
        parsed = list(csv.DictReader(io.StringIO(out, newline="")))
        assert list(parsed[0])[: len(RUN_KEYS) - 4] == RUN_KEYS[:-4]
        assert len(parsed) == len(expected)
        for line, run in zip(parsed, expected, strict=True):
            flat = {key: "" if run[key] is None else str(run[key]) for key in RUN_KEYS[:-4]}
            for kind in ("metrics", "params", "tags"):
                flat |= {f"{kind}.{key}": str(value) for key, value in run[kind].items()}
            assert {key: value for key, value in line.items() if value} == {k: v for k, v in flat.items() if v}

    def test_any_text_comes_back(self, ask: Ask, store_copy: CopyOf) -> None:
        fixture = store_copy("mlflow-3.17.2")
        values = [HOSTILE, "a\rb", "a\r\nb", '"', ",", " lead and trail ", "雪", "=1+1", "a\0b"[:1]]
        with closing(sqlite3.connect(fixture.db)) as connection, connection:
            for number, value in enumerate(values):
                connection.execute("INSERT INTO params VALUES (?, ?, ?)", (f"v{number}", value, fixture.run("in_s3")))
        _, out, _ = ask("runs", "-s", fixture.db, "-e", "s3-backed", "--format", "csv")
        (line,) = csv.DictReader(io.StringIO(out, newline=""))
        assert [line[f"params.v{number}"] for number in range(len(values))] == values

    def test_without_runs(self, ask: Ask, store_copy: CopyOf) -> None:
        db = store_copy("mlflow-3.17.2").db
        answer = ask("runs", "-s", db, "-e", "empty-experiment", "--format", "csv")
        assert answer == (0, ",".join(RUN_KEYS[:-4]) + "\n", "")


class TestTable:
    def test_columns_that_differ(self, ask: Ask, fixture_store: FixtureStore) -> None:
        status, out, error = ask("runs", "-s", fixture_store.db, "-e", "churn-baseline")
        header, *lines = out.splitlines()
        assert (status, error) == (0, "")
        assert header.split()[:5] == ["run_id", "name", "status", "age", "duration"]
        assert {"auc", "loss", "max_depth"} <= set(header.split())
        assert len(lines) == 12
        line = next(each for each in lines if each.startswith(fixture_store.run("rf10")))
        assert line.split()[1:6] == ["rf-depth-10", "FINISHED", "2023-11-14", "7m", "00s"]
        assert line[header.index("auc") :].startswith("0.940 ")
        diverged = next(each for each in lines if each.startswith(fixture_store.run("diverged")))
        assert diverged[header.index("auc") :].startswith("NaN ")
        killed = next(each for each in lines if each.startswith(fixture_store.run("killed")))
        assert killed[header.index("auc") :].startswith("– ")

    def test_several_experiments_are_told_apart(self, ask: Ask, store_copy: CopyOf) -> None:
        _, out, _ = ask("runs", "-s", store_copy("mlflow-3.17.2").db)
        header, *lines = out.splitlines()
        assert header.split()[:3] == ["run_id", "name", "experiment"]
        column = header.index("experiment")
        assert {line[column:].split("  ")[0] for line in lines} >= {"Default", "team/résnet images"}

    def test_without_runs(self, ask: Ask, store_copy: CopyOf) -> None:
        status, out, error = ask("runs", "-s", store_copy("mlflow-3.17.2").db, "-e", "empty-experiment")
        assert (status, error) == (0, "")
        assert out.split() == ["run_id", "name", "status", "age", "duration"]

    def test_long_wide_and_hostile_text_is_whole_in_a_pipe(self, ask: Ask, store_copy: CopyOf) -> None:
        fixture = store_copy("mlflow-3.17.2")
        for name in (HOSTILE, "雪" * 5000, "x" * 10_000, "e\u0301" * 4000):
            with closing(sqlite3.connect(fixture.db)) as connection, connection:
                connection.execute("UPDATE runs SET name = ? WHERE run_uuid = ?", (name, fixture.run("in_s3")))
            _, out, _ = ask("runs", "-s", fixture.db, "-e", "s3-backed")
            _, line = out.splitlines()
            assert line.isprintable()
            assert safe(name) in line, "a pipe gets everything whole"
            assert line[32:].split(safe(name))[1].split()[0] == "FINISHED"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Call it with a number of columns: standard output is then a terminal of this width."""

    def pretend(columns: int) -> None:
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)

    return pretend


class TestOnATerminal:
    """Tables fit, or what was left out is said."""

    @pytest.mark.parametrize("columns", [40, 80, 120])
    @pytest.mark.parametrize(
        "words",
        [("runs",), ("runs", "-e", "churn-baseline"), ("experiments",), ("models",), ("models", "churn-model")],
        ids=" ".join,
    )
    def test_no_line_is_wider(
        self, ask: Ask, store_copy: CopyOf, terminal: Callable[[int], None], words: tuple[str, ...], columns: int
    ) -> None:
        db = store_copy("mlflow-3.17.2").db
        everything = re.split(" {2,}", ask(*words, "-s", db)[1].splitlines()[0])
        terminal(columns)
        status, out, error = ask(*words, "-s", db)
        assert status == 0
        assert max(map(cell_width, out.splitlines())) <= columns
        shown = re.split(" {2,}", out.splitlines()[0])
        assert set(shown) <= set(everything)
        if len(shown) < len(everything):
            assert f"mldeck: {len(shown)} of {len(everything)} columns fit the terminal, without " in error
            missing = next(label for label in everything if label not in shown)
            assert missing in error
            assert "--format csv, or a pipe, has all" in error
        else:
            assert error == ""

    def test_a_metric_comes_before_age_and_duration(
        self, ask: Ask, store_copy: CopyOf, terminal: Callable[[int], None]
    ) -> None:
        fixture = store_copy("mlflow-3.17.2")
        terminal(64)
        words = ("runs", "-s", fixture.db, "-e", "churn-baseline", "-o", "metrics.loss")
        header, *lines = ask(*words)[1].splitlines()
        assert header.split() == ["run_id", "name", "status", "auc", "loss"]
        line = next(each for each in lines if each.startswith(fixture.run("rf10")[:8] + "…"))
        assert line.split()[1:3] == ["rf-depth-10", "FINISHED"]
        terminal(52)
        assert ask(*words)[1].splitlines()[0].split() == ["run_id", "name", "status", "loss"], "the metric that sorts"

    def test_columns_asked_for_are_kept_from_the_left(
        self, ask: Ask, store_copy: CopyOf, terminal: Callable[[int], None]
    ) -> None:
        terminal(44)
        columns = "run_name,artifact_uri,metrics.auc,status"
        _, out, error = ask("runs", "-s", store_copy("mlflow-3.17.2").db, "--columns", columns)
        assert out.split()[:2] == ["run_name", "artifact_uri"]
        assert "2 of 4 columns fit the terminal, without auc, status; --columns chooses fewer" in error

    def test_a_number_keeps_its_exponent(
        self, capsys: pytest.CaptureFixture[str], terminal: Callable[[int], None]
    ) -> None:
        terminal(10)
        write_table(("loss",), [(0.5,)] * 200 + [(1.2345678e-12,), (-123456789012.5,)])
        lines = capsys.readouterr().out.splitlines()
        assert lines[201:] == ["1.235e-12", "…"]

    def test_later_pages_use_the_room_that_is_left(
        self, capsys: pytest.CaptureFixture[str], terminal: Callable[[int], None]
    ) -> None:
        terminal(40)
        write_table(("name", "loss"), [("a", 0.5)] * 200 + [("n" * 30, 0.25), ("m" * 40, 1.0)])
        lines = capsys.readouterr().out.splitlines()
        assert lines[201] == "n" * 30 + "      0.25"
        assert lines[202] == "m" * 17 + "…" + "m" * 16 + "  1"


class TestOptionsOfEveryCommand:
    @pytest.mark.parametrize(
        ("words", "same"),
        [
            (("-s", "STORE", "runs"), ("runs", "-s", "STORE")),
            (("-e", "proxied", "-sSTORE", "runs", "--limit", "2"), ("runs", "-s", "STORE", "-e", "proxied", "--limit=2")),
            (("--exp=s3-backed", "runs", "--store", "STORE"), ("runs", "-s", "STORE", "-e", "s3-backed")),
            (("-e", "s3-backed", "-e", "0", "-s", "STORE", "runs"), ("runs", "-s", "STORE", "-e", "s3-backed", "-e", "0")),
            (("--store=STORE", "experiments"), ("experiments", "-s", "STORE")),
            (("-e", "churn-baseline", "experiments", "-s", "STORE"), ("experiments", "-e", "churn-baseline", "-s", "STORE")),
            (("-s", "STORE", "models", "churn-model"), ("models", "churn-model", "-s", "STORE")),
            (("-s", "STORE", "plot", "rf-depth-10", "-m", "auc"), ("plot", "rf-depth-10", "-m", "auc", "-s", "STORE")),
            (("-s", "STORE", "artifacts", "list", "rf-depth-10"), ("artifacts", "list", "rf-depth-10", "-s", "STORE")),
            (("artifacts", "-s", "STORE", "list", "rf-depth-10"), ("artifacts", "list", "rf-depth-10", "-s", "STORE")),
            (("-s", "STORE", "artifacts", "list", "--", "rf-depth-10"), ("artifacts", "list", "rf-depth-10", "-s", "STORE")),
        ],
    )  # fmt: skip
    def test_they_mean_the_same_before_a_command(
        self, ask: Ask, store_copy: CopyOf, words: tuple[str, ...], same: tuple[str, ...]
    ) -> None:
        db = str(store_copy("mlflow-3.17.2").db)
        first, second = (ask(*(word.replace("STORE", db) for word in each)) for each in (words, same))
        assert first == second
        assert first[0] == 0
        assert first[1]

    def test_named_experiments_are_printed_whatever_their_stage(self, ask: Ask, fixture_store: FixtureStore) -> None:
        words = ("experiments", "-s", fixture_store.db, "-e", "old-deleted", "-e", "churn-baseline", "--format", "json")
        assert [each["name"] for each in json.loads(ask(*words)[1])] == ["old-deleted", "churn-baseline"]

    @pytest.mark.parametrize(
        ("words", "why"),
        [
            (("plot", "x", "-e", "y"), "-e has no meaning for `mldeck plot`: a run is found in all experiments"),
            (("-e", "y", "artifacts", "list", "x"), "-e has no meaning for `mldeck artifacts`: a run is found"),
            (("register", "--experiment=y"), "-e has no meaning for `mldeck register`: a run is found"),
            (("-ey", "models"), "-e has no meaning for `mldeck models`: models belong to no experiment"),
            (
                ("promote", "m", "1", "Staging", "--exp", "y"),
                "-e has no meaning for `mldeck promote`: models belong to",
            ),
            (("-s", "x.db", "demo"), "-s has no meaning for `mldeck demo`: it makes a store of its own"),
        ],
    )
    def test_without_a_meaning_one_line_says_why(self, ask: Ask, words: tuple[str, ...], why: str) -> None:
        assert why in complaint(ask(*words))


class TestDidYouMean:
    @pytest.mark.parametrize(
        ("words", "hint"),
        [
            (("rnus",), "there is no command and no file rnus; did you mean `mldeck runs`?"),
            (("runs", "--limti", "3"), "--limti 3 (did you mean --limit?)"),
            (("artifacts", "list", "x", "--recursve"), "--recursve (did you mean --recursive?)"),
            (("--expermient=x",), "(did you mean --experiment?)"),
            (
                ("runs", "-s", "STORE", "-e", "Churn-basline"),
                "no experiment Churn-basline (did you mean churn-baseline?)",
            ),
            (("experiments", "-s", "STORE", "--workspace", "defualt"), "defualt (did you mean default?)"),
            (("models", "-s", "STORE", "churn-modle"), "no registered model churn-modle (did you mean churn-model?)"),
            (("plot", "-s", "STORE", "rf-depth-10", "-m", "acu"), "no metric acu (did you mean auc?)"),
            (("runs", "-s", "STORE", "--columns", "strat_time"), "Did you mean start_time?"),
            (("--theme", "mldeck-drak", "STORE"), "no theme mldeck-drak (did you mean mldeck-dark?)"),
            (("--read-only", "runs", "--limit", "3"), "(a command comes first: mldeck runs …)"),
            (("--read-only", "runs"), "a command comes first: mldeck runs …"),
            (("-e", "x", "rnus"), "there is no command and no file rnus; did you mean `mldeck runs`?"),
            (("runs", "-s", "STORE", "-e", "chrun"), "no experiment chrun (did you mean churn-baseline?)"),
            (("-e", "chrun", "experiments", "-s", "STORE"), "no experiment chrun (did you mean churn-baseline?)"),
            (("runs", "STORE"), "(to name the store, write -s "),
        ],
    )
    def test_names_that_are_mistyped(self, ask: Ask, store_copy: CopyOf, words: tuple[str, ...], hint: str) -> None:
        db = str(store_copy("mlflow-3.17.2").db)
        status, out, error = ask(*(db if word == "STORE" else word for word in words))
        assert (status, out) == (2, "")
        assert hint in error

    @pytest.mark.parametrize(
        ("words", "notice"),
        [
            (("-o", "metrics.acu"), "has metrics.acu (did you mean auc?)"),
            (("-o", "params.nothing_like_it"), "has params.nothing_like_it\n"),
            (("--columns", "run_id,params.max_dept"), "has params.max_dept (did you mean max_depth?)"),
            (("-o", "metrics.auc", "--columns", "run_id,metrics.auc,tags.stage,status"), ""),
        ],
    )
    def test_columns_that_no_run_has(self, ask: Ask, store_copy: CopyOf, words: tuple[str, ...], notice: str) -> None:
        status, out, error = ask("runs", "-s", store_copy("mlflow-3.17.2").db, *words)
        assert status == 0
        assert out
        assert (notice in error) if notice else (error == "")

    def test_what_is_like_nothing_gets_no_hint(self, ask: Ask, isolated: Path) -> None:
        for name in ("nothing-like-it.db", "runs.db", "./rnus"):
            assert "no such file" in complaint(ask(name)), "it looks like a file"
        (isolated / "rnus").touch()
        assert "rnus is empty" in complaint(ask("rnus"))


class TestCsvSafe:
    VALUES = ("=1+2", "+cmd|x", "-1+2", "@sum", "\tx", "\rx", "\nx", "＝1", "-0.5", "+1e-3", "-inf", "-", "a=1", "")

    def test_formulas_become_texts(self, ask: Ask, store_copy: CopyOf) -> None:
        fixture = store_copy("mlflow-3.17.2")
        with closing(sqlite3.connect(fixture.db)) as connection, connection:
            for number, value in enumerate(self.VALUES):
                connection.execute("INSERT INTO params VALUES (?, ?, ?)", (f"v{number}", value, fixture.run("in_s3")))
            row = ("delta", -0.25, 1, 1, 0, fixture.run("in_s3"))
            names = "key, value, timestamp, step, is_nan, run_uuid"
            connection.execute(f"INSERT INTO latest_metrics ({names}) VALUES (?, ?, ?, ?, ?, ?)", row)
        words = ("runs", "-s", fixture.db, "-e", "s3-backed", "--format", "csv")

        def values(*more: str) -> list[str]:
            (line,) = csv.DictReader(io.StringIO(ask(*words, *more)[1], newline=""))
            assert line["metrics.delta"] == "-0.25"
            return [line[f"params.v{number}"] for number in range(len(self.VALUES))]

        assert values() == list(self.VALUES)
        numbers = ("-0.5", "+1e-3", "-inf", "a=1", "")
        assert values("--csv-safe") == [value if value in numbers else f"'{value}" for value in self.VALUES]

    @pytest.mark.parametrize("words", [("experiments",), ("models",)], ids=" ".join)
    def test_every_command_that_writes_csv_has_it(self, ask: Ask, store_copy: CopyOf, words: tuple[str, ...]) -> None:
        db = store_copy("mlflow-3.17.2").db
        with closing(sqlite3.connect(db)) as connection, connection:
            connection.execute("UPDATE experiments SET name = '=1+2' WHERE name = 's3-backed'")
            connection.execute("UPDATE registered_models SET description = '=1+2'")
        out = ask(*words, "-s", db, "--format", "csv")[1]
        assert ",=1+2," in out
        assert ask(*words, "-s", db, "--format", "csv", "--csv-safe")[1] == out.replace(",=1+2,", ",'=1+2,")


class TestTheStoreOfTheDeck:
    """`-s` and `-e` mean the same with and without a command."""

    @pytest.mark.parametrize("words", [("STORE",), ("-s", "STORE"), ("--store", "STORE", "-e", "churn-baseline")])
    def test_ways_to_name_it(self, ask: Ask, store_copy: CopyOf, words: tuple[str, ...]) -> None:
        for store in (store_copy("mlflow-3.17.2").db, store_copy("mlflow-3.17.2").db.parent):
            error = complaint(ask(*(str(store) if word == "STORE" else word for word in words)))
            assert "the deck needs a terminal" in error

    def test_two_stores(self, ask: Ask) -> None:
        assert "two stores are given: leave out a.db or -s b.db" in complaint(ask("a.db", "-s", "b.db"))

    def test_two_experiments(self, ask: Ask) -> None:
        status, out, error = ask("-e", "a", "-e", "b")
        assert (status, out) == (2, "")
        assert "-e may be given once" in error

    def test_a_theme_that_does_not_exist_is_said_before_the_terminal(self, ask: Ask, store_copy: CopyOf) -> None:
        db = store_copy("mlflow-3.17.2").db
        assert "no theme nosuch; there are " in complaint(ask("--theme", "nosuch", db))
        assert "the deck needs a terminal" in complaint(ask("--theme", "dracula", db))


class TestPasswordsOnTheCommandLine:
    URL = "postgresql://ada:hunter2@db.example/ml?sslpassword=hunter2"

    @pytest.mark.parametrize(
        "words",
        [
            (URL, "-s", URL),
            ("runs", URL),
            ("runs", "--limit", URL),
            ("experiments", "-s", "mysql://ada:hunter2@db.example/"),
            ("experiments", "-s", "mssql://ada:hunter2@db.example/ml"),
        ],
    )
    def test_are_not_repeated(self, ask: Ask, words: tuple[str, ...]) -> None:
        status, printed, told = ask(*words)
        assert status == 2
        assert "hunter2" not in printed + told
        assert "db.example" in told

    @pytest.mark.parametrize(("system", "package"), [("postgresql", "psycopg"), ("mysql", "pymysql")])
    def test_a_missing_driver_is_named_with_its_extra(
        self, ask: Ask, monkeypatch: pytest.MonkeyPatch, system: str, package: str
    ) -> None:
        monkeypatch.delitem(sys.modules, f"mldeck.store.servers.{system}", raising=False)
        monkeypatch.setitem(sys.modules, package, None)
        told = complaint(ask("experiments", "-s", f"{system}://ada:hunter2@db.example/ml"))
        assert (
            told
            == f"mldeck: {system}://ada@db.example/ml needs the Python package {package}: pip install 'mldeck[{system}]'\n"
        )


class TestAFolder:
    """It stands for the `mlflow.db` in it."""

    def test_everywhere(self, ask: Ask, store_copy: CopyOf, monkeypatch: pytest.MonkeyPatch) -> None:
        fixture = store_copy("mlflow-3.17.2")
        folder, expected = fixture.db.parent, ask("models", "-s", fixture.db)
        assert expected[0] == 0
        assert ask("models", "-s", folder) == expected
        assert ask("models", "-s", fixture.db, "--registry-store", folder) == expected
        monkeypatch.setenv("MLFLOW_TRACKING_URI", str(folder))
        assert ask("models") == expected

    def test_without_a_database(self, ask: Ask, tmp_path: Path) -> None:
        (tmp_path / "churn.db").touch()
        error = complaint(ask("runs", "-s", tmp_path))
        assert f"{tmp_path} is a folder without an mlflow.db (there is churn.db)" in error

    def test_the_folder_mlruns(self, ask: Ask, tmp_path: Path) -> None:
        for name in ("mlruns/0/x", "mlflow.db"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        error = complaint(ask("runs", "-s", tmp_path / "mlruns"))
        assert "holds files of runs, not their database; did you mean" in error
        assert f"{tmp_path}/mlflow.db, the database beside it?" in error

    def test_the_folder_of_an_experiment(self, ask: Ask, tmp_path: Path) -> None:
        (tmp_path / "mlruns" / "0").mkdir(parents=True)
        (tmp_path / "mlruns" / "0" / "meta.yaml").touch()
        error = complaint(ask("runs", "-s", tmp_path / "mlruns" / "0"))
        assert f"is a folder in a file store; did you mean {tmp_path}/mlruns?" in error

    def test_waiting_for_the_database_in_it(self, tmp_path: Path) -> None:
        settings = load_settings(store=str(tmp_path))
        assert store_address(settings) == tmp_path
        assert store_address(settings, wait=True) == tmp_path / "mlflow.db"


class TestNotices:
    """What is shown may not be all there is: that belongs beside the answer, not in it."""

    def test_a_newer_database(self, ask: Ask, store_copy: CopyOf) -> None:
        db = store_copy("mlflow-3.17.2").db
        with closing(sqlite3.connect(db)) as connection, connection:
            connection.execute("UPDATE alembic_version SET version_num = 'f0f0f0f0f0f0'")
            connection.execute("ALTER TABLE runs ADD COLUMN priority INTEGER")
        status, out, error = ask("experiments", "-s", db, "--format", "json")
        assert status == 0
        assert len(json.loads(out)) == 8
        assert "newer MLflow" in error
        assert error.count("\n") == 1

    def test_that_it_cannot_be_written_does_not_matter(self, ask: Ask, store_copy: CopyOf) -> None:
        db = store_copy("mlflow-3.17.2").db
        db.chmod(0o444)
        with without_root_powers():
            status, _, error = ask("experiments", "-s", db)
        assert (status, error) == (0, "")


class TestProcesses:
    """What only shows in a process of its own: pipes, terminals, encodings."""

    @pytest.fixture
    def fixture(self, store_copy: CopyOf) -> FixtureStore:
        fixture = store_copy("mlflow-3.17.2")
        with closing(sqlite3.connect(fixture.db)) as connection, connection:
            connection.execute("UPDATE runs SET name = ? WHERE run_uuid = ?", (HOSTILE, fixture.run("in_s3")))
            connection.execute("UPDATE experiments SET name = ? WHERE name = 's3-backed'", (HOSTILE,))
        return fixture

    @pytest.mark.parametrize(
        "words", [["experiments"], ["runs", "--limit", "0"], ["runs", "--format", "json"], ["runs", "--format", "csv"]]
    )
    def test_a_reader_that_leaves_early(self, fixture: FixtureStore, words: list[str]) -> None:
        read, write = os.pipe()
        os.close(read)
        with subprocess.Popen([*COMMAND, *words, "-s", fixture.db], stdout=write, stderr=subprocess.PIPE) as process:
            os.close(write)
            _, error = process.communicate(timeout=60)
        assert (process.returncode, error) == (0, b"")

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a full disk to hand")
    def test_a_full_disk(self, fixture: FixtureStore) -> None:
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(
                [*COMMAND, "experiments", "-s", fixture.db], stdout=full, stderr=subprocess.PIPE, text=True, check=False
            )
        assert "No space left on device" in complaint((done.returncode, "", done.stderr), status=1)

    @pytest.mark.parametrize("env", [ASCII_LOCALE, {"PYTHONIOENCODING": "latin-1"}], ids=["locale", "python"])
    @pytest.mark.parametrize("words", [["experiments"], ["runs"], ["runs", "--format", "csv"]], ids=" ".join)
    def test_files_and_pipes_are_utf_8_in_any_locale(
        self, fixture: FixtureStore, words: list[str], env: dict[str, str]
    ) -> None:
        with closing(sqlite3.connect(fixture.db)) as connection, connection:
            connection.execute("UPDATE experiments SET name = 'обучение' WHERE name = 'churn-baseline'")
        done = in_a_process(*words, "-s", fixture.db, env={**os.environ, **env}, encoding="utf-8")
        assert (done.returncode, done.stderr) == (0, "")
        assert "обучение" in done.stdout
        assert "\\" not in done.stdout.replace(HOSTILE, "")

    def test_words_are_utf_8_in_any_locale(self, fixture: FixtureStore) -> None:
        words = ("runs", "-s", fixture.db, "-e", "team/résnet images", "--format", "csv")
        done = in_a_process(*words, env={**os.environ, **ASCII_LOCALE}, encoding="utf-8")
        assert (done.returncode, done.stderr) == (0, "")
        assert "model-logged" in done.stdout

    @pytest.mark.parametrize("format_name", ["table", "csv", "json"])
    def test_a_terminal_gets_nothing_that_acts_on_it(self, fixture: FixtureStore, format_name: str) -> None:
        controller, terminal = pty.openpty()
        words = ["runs", "--limit", "0", "--format", format_name, "-s", str(fixture.db)]
        shown = b""
        with subprocess.Popen(
            [*COMMAND, *words], stdin=subprocess.DEVNULL, stdout=terminal, stderr=terminal
        ) as process:
            os.close(terminal)
            while True:
                try:
                    chunk = os.read(controller, 65536)
                except OSError:  # the other end is closed
                    break
                if not chunk:
                    break
                shown += chunk
        os.close(controller)
        assert process.returncode == 0
        text = shown.decode().replace("\r\n", "\n")
        assert fixture.run("in_s3")[:8] in text
        assert all(each.isprintable() for each in text.replace("\n", ""))

    def test_a_pipe_gets_it_unchanged(self, fixture: FixtureStore) -> None:
        done = subprocess.run(
            [*COMMAND, "runs", "--format", "csv", "-e", HOSTILE, "-s", fixture.db], capture_output=True, check=True
        )
        (line,) = csv.DictReader(io.StringIO(done.stdout.decode(), newline=""))
        assert (line["run_name"], line["experiment"]) == (HOSTILE, HOSTILE)

    def test_printing_from_where_nothing_may_be_written(self, fixture: FixtureStore) -> None:
        with closing(sqlite3.connect(fixture.db)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
        fixture.path.chmod(0o555)
        done = in_a_process("experiments", "-s", fixture.db, preexec_fn=drop_root_powers_before_exec)
        assert done.returncode == 0
        assert "write-ahead log" in done.stderr
        assert "team/résnet images" in done.stdout


@pytest.mark.parametrize("option", ["-h", "--help", "--version", "--keys"])
def test_an_option_that_only_prints_starts_no_second_process(option: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def begin(_: HeadStart) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(HeadStart, "begin", begin)
    with suppress(SystemExit):
        main([option])
