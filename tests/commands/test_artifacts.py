"""`mldeck artifacts`: listing the files of a run, and copying them out."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.far_hosts import shell_for_ssh, use_as_ssh
from tests.fixture_stores import FixtureStore

CopyOf = Callable[[str], FixtureStore]
Ask = Callable[..., tuple[int, str, str]]
KEYS = "path is_dir size modified kind location found".split()
HOSTILE = "\x1b]0;owned\x07\nsecond\u202e"


@pytest.fixture
def ask(ask: Ask) -> Ask:
    """Runs `mldeck artifacts`."""
    return partial(ask, "artifacts")


@pytest.fixture
def objects(ask: Ask) -> Callable[..., list[dict[str, Any]]]:
    def listed(*words: str | Path) -> list[dict[str, Any]]:
        status, out, error = ask("list", *words, "--format", "json")
        assert (status, error) == (0, "")
        found: list[dict[str, Any]] = json.loads(out)
        return found

    return listed


@pytest.fixture
def store(store_copy: CopyOf) -> FixtureStore:
    return store_copy("mlflow-3.17.2")


def paths(out: str) -> list[str]:
    return [line[30:] for line in out.splitlines()[1:]]


def run_folder(store: FixtureStore, label: str = "logreg") -> Path:
    return store.path / "artifacts" / "1" / store.run(label) / "artifacts"


class TestList:
    def test_the_top_of_a_run(self, ask: Ask, store: FixtureStore) -> None:
        status, out, error = ask("list", "-s", store.db, store.run("logreg"))
        assert (status, error) == (0, "")
        assert out.splitlines()[0] == "   size  modified             path"
        model = next(path for path in paths(out) if path.startswith("model/"))
        assert model.startswith("model/  (model: m-")
        assert set(paths(out)) - {model} == {
            *("data/", "plots/", "blob.bin", "empty.txt", "metrics.json", "notes.txt", "report.md"),
        }

    @pytest.mark.parametrize(("width", "header"), [(60, "   size  modified             path"), (40, "   size  path")])
    def test_it_fits_the_terminal(
        self, ask: Ask, store: FixtureStore, monkeypatch: pytest.MonkeyPatch, width: int, header: str
    ) -> None:
        name = "a-name-that-is-too-long-for-a-terminal-of-so-few-columns.csv"
        (run_folder(store) / name).touch()
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        monkeypatch.setenv("COLUMNS", str(width))
        status, out, error = ask("list", "-s", store.db, store.run("logreg"))
        lines = out.splitlines()
        assert (status, lines[0]) == (0, header)
        assert max(map(len, lines)) <= width
        assert any("…" in line and line.endswith("columns.csv") for line in lines)
        assert ("without modified; --format json prints all" in error) is (width == 40)

    def test_everything(self, ask: Ask, store: FixtureStore) -> None:
        status, out, _ = ask("list", "-s", store.db, store.run("logreg"), "--recursive")
        assert status == 0
        assert {"data/table.csv", "plots/curve.png", "model/MLmodel"} <= set(paths(out))

    @pytest.mark.parametrize("named", ["name", "id", "beginning"])
    def test_a_run_is_named(
        self, objects: Callable[..., list[dict[str, Any]]], store: FixtureStore, named: str
    ) -> None:
        run_id = store.run("logreg")
        run = {"name": "baseline-logreg", "id": run_id, "beginning": run_id[:8]}[named]
        assert {each["path"] for each in objects("-s", store.db, run, "./data/")} == {
            "data/config.yaml",
            "data/table.csv",
        }

    def test_json(self, objects: Callable[..., list[dict[str, Any]]], store: FixtureStore) -> None:
        folder = run_folder(store)
        os.utime(folder / "notes.txt", ns=(0, 1_700_000_000_123_000_000))
        (notes,) = objects("-s", store.db, store.run("logreg"), "notes.txt")
        assert list(notes) == KEYS
        assert notes == {
            "path": "notes.txt",
            "is_dir": False,
            "size": (folder / "notes.txt").stat().st_size,
            "modified": 1_700_000_000_123,
            "kind": "file",
            "location": str(folder / "notes.txt"),
            "found": "recorded",
        }
        listed = {each["path"]: each for each in objects("-s", store.db, store.run("logreg"), "--recursive")}
        assert (listed["data"]["is_dir"], listed["data"]["size"]) == (True, None)
        assert Path(listed["model/MLmodel"]["location"]).read_text().startswith("artifact_path:")

    def test_a_store_that_was_moved(self, ask: Ask, store: FixtureStore, tmp_path: Path) -> None:
        before = run_folder(store)
        store.path.rename(tmp_path / "moved")
        after = tmp_path / "moved" / before.relative_to(store.path)
        status, out, error = ask(
            "list", "-s", tmp_path / "moved" / "mlflow.db", store.run("logreg"), "--format", "json"
        )
        assert status == 0
        assert error == f"mldeck: {after}: moved, found by the end of its path; the database says {before}\n"
        notes = next(each for each in json.loads(out) if each["path"] == "notes.txt")
        assert (notes["location"], notes["found"]) == (str(after / "notes.txt"), "moved")

    @pytest.mark.parametrize("said", ["option", "environment", "file"])
    def test_artifact_roots(
        self, ask: Ask, store: FixtureStore, isolated: Path, monkeypatch: pytest.MonkeyPatch, said: str
    ) -> None:
        (store.path / "artifacts").rename(isolated / "files")
        old, new = store.path / "artifacts", isolated / "files"
        options = []
        if said == "option":
            options = ["--artifact-root", "/none=/none", "--artifact-root", f"{old}={new}"]
        elif said == "environment":
            monkeypatch.setenv("MLDECK_ARTIFACT_ROOTS", f"/none=/none;{old}={new}")
        else:
            config = isolated / "xdg-config" / "mldeck" / "config.toml"
            config.parent.mkdir(parents=True)
            config.write_text(f"[artifact_roots]\n'{old}' = '{new}'\n")
        status, out, error = ask("list", "-s", store.db, store.run("logreg"), *options)
        assert status == 0
        assert "notes.txt" in paths(out)
        assert "where you say it is now; the database says" in error
        assert error.count("\n") == 1

    def test_hostile_names_are_shown_safely(self, ask: Ask, store: FixtureStore) -> None:
        (run_folder(store) / HOSTILE).touch()
        (run_folder(store) / os.fsdecode(b"caf\xe9")).touch()
        (run_folder(store) / "link").symlink_to(HOSTILE)
        printed = [ask("list", "-s", store.db, store.run("logreg"), "--format", form) for form in ("table", "json")]
        for status, out, _ in printed:
            assert status == 0
            assert all(each.isprintable() for each in out.replace("\n", ""))
        found = {each["path"] for each in json.loads(printed[1][1])}
        assert {HOSTILE, os.fsdecode(b"caf\xe9")} <= found

    def test_links_out(self, ask: Ask, store: FixtureStore, tmp_path: Path) -> None:
        (tmp_path / "outside").mkdir()
        (tmp_path / "outside" / "secret").touch()
        (run_folder(store) / "link").symlink_to(tmp_path / "outside")
        _, out, _ = ask("list", "-s", store.db, store.run("logreg"))
        assert f"link  (leads out of the artifacts: {tmp_path}/outside)" in paths(out)
        status, out, error = ask("list", "-s", store.db, store.run("logreg"), "link/secret")
        assert (status, out) == (1, "")
        assert "was not followed" in error
        status, out, _ = ask("list", "-s", store.db, store.run("logreg"), "link", "--follow")
        assert (status, paths(out)) == (0, ["link/secret"])

    def test_a_run_that_logged_nothing(self, ask: Ask, store: FixtureStore) -> None:
        status, out, error = ask("list", "-s", store.db, store.run("in_renamed"))
        assert (status, paths(out)) == (0, [])
        assert error.startswith("mldeck: nothing logged: ")

    def test_models_alone_need_no_word_about_the_folder(self, ask: Ask, store: FixtureStore) -> None:
        status, out, error = ask("list", "-s", store.db, store.run("model_logged"), "--recursive")
        assert (status, error) == (0, "")
        assert "classifier/MLmodel" in paths(out)

    @pytest.mark.parametrize(
        ("label", "path", "status", "message"),
        [
            ("in_proxied", "", 1, "no files at mlflow-artifacts:/proxied/"),
            ("logreg", "none", 1, "there is no "),
            ("logreg", "../..", 1, "leads out of the artifacts"),
        ],
    )
    def test_what_is_not_there(
        self, ask: Ask, store: FixtureStore, label: str, path: str, status: int, message: str
    ) -> None:
        found, out, error = ask("list", "-s", store.db, store.run(label), path)
        assert (found, out) == (status, "")
        assert message in error
        assert error.count("\n") == 1

    def test_wrong_words(self, ask: Ask, store: FixtureStore) -> None:
        for words, message in {
            (): "arguments are required: list|get",
            ("list", "-s", store.db, "no-such-run"): "has no run no-such-run",
            ("list", "-s", store.db, store.run("logreg"), "--artifact-root", "x"): "--artifact-root x: write OLD=NEW",
        }.items():
            status, out, error = ask(*words)
            assert (status, out) == (2, "")
            assert message in error


class TestGet:
    def test_a_file_and_a_folder(self, ask: Ask, store: FixtureStore, isolated: Path) -> None:
        run = store.run("logreg")
        assert ask("get", "-s", store.db, run, "notes.txt") == (0, "notes.txt: 1 file, 58 B\n", "")
        assert (isolated / "notes.txt").read_bytes() == (run_folder(store) / "notes.txt").read_bytes()
        status, out, _ = ask("get", "-s", store.db, run, "data/", "copy")
        assert (status, out) == (0, "copy: 2 files, 680 B\n")
        assert {path.name for path in (isolated / "copy").iterdir()} == {"config.yaml", "table.csv"}
        ask("get", "-s", store.db, run, "model", "copy")
        assert (isolated / "copy" / "model" / "MLmodel").is_file()
        ask("get", "-s", store.db, run, ".")
        assert {path.name for path in (isolated / run).iterdir()} >= {"model", "data", "notes.txt"}

    def test_nothing_is_overwritten(self, ask: Ask, store: FixtureStore, isolated: Path) -> None:
        (isolated / "notes.txt").write_text("mine")
        status, out, error = ask("get", "-s", store.db, store.run("logreg"), "notes.txt")
        assert (status, out) == (1, "")
        assert error == "mldeck: notes.txt was not written: it already exists; --replace replaces it\n"
        assert (isolated / "notes.txt").read_text() == "mine"
        status, _, _ = ask("get", "-s", store.db, store.run("logreg"), "notes.txt", "--replace")
        assert status == 0
        assert (isolated / "notes.txt").stat().st_size == 58

    def test_what_is_left_out_is_said(self, ask: Ask, store: FixtureStore, isolated: Path) -> None:
        (run_folder(store) / "data" / HOSTILE).symlink_to("/etc/passwd")
        status, out, error = ask("get", "-s", store.db, store.run("logreg"), "data")
        assert (status, out) == (1, "data: 2 files, 680 B\n")
        assert "leads out of the artifacts" in error
        assert error.count("\n") == 1
        assert "\x1b" not in error

    def test_a_run_by_a_hostile_place(self, ask: Ask, store: FixtureStore) -> None:
        with closing(sqlite3.connect(store.db)) as connection, connection:
            connection.execute("UPDATE runs SET artifact_uri = ?", (HOSTILE,))
        status, out, error = ask("get", "-s", store.db, store.run("in_s3"), "x")
        assert (status, out) == (1, "")
        assert error.count("\n") == 1
        assert error.rstrip("\n").isprintable()


def test_a_store_on_another_machine(
    ask: Ask, store_copy: CopyOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_copy("mlflow-3.17.2")
    run_id = store.run("logreg")
    use_as_ssh(monkeypatch, shell_for_ssh())
    far = f"ssh://elsewhere{store.db}?python={sys.executable}"
    here, there = (ask("list", run_id, "--recursive", "-s", name) for name in (store.db, far))
    assert there[:2] == here[:2]
    assert "data/table.csv" in there[1]
    status, _, _ = ask("get", run_id, "data", str(tmp_path / "copy"), "-s", far)
    assert status == 0
    folder = next(store.path.rglob(f"{run_id}/artifacts/data"))
    assert (tmp_path / "copy" / "table.csv").read_bytes() == (folder / "table.csv").read_bytes()
    with closing(sqlite3.connect(store.db)) as connection:
        connection.execute("UPDATE runs SET artifact_uri = ? WHERE run_uuid = ?", (str(tmp_path), run_id))
        connection.commit()
    status, _, error = ask("list", run_id, "-s", far)
    assert status != 0
    assert f"elsewhere:{tmp_path}: not opened, because only the database names it" in error
