"""Commands on a file store."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mldeck.store.mirror.places import mirrors_folder
from tests.file_stores import FolderWriter
from tests.fixture_folders import FOLDERS, unpack

Ask = Callable[..., tuple[int, str, str]]


@pytest.fixture
def store(tmp_path: Path) -> dict[str, Any]:
    return unpack("mlflow-3.17.2", tmp_path)


def of(store: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = (run for run in store["runs"] if run["run_name"] == name)
    return dict(found)


@pytest.mark.parametrize("name", FOLDERS)
def test_runs(ask: Ask, tmp_path: Path, name: str) -> None:
    answers = unpack(name, tmp_path)
    active = {run["run_id"] for run in answers["runs"] if run["lifecycle_stage"] == "active"}
    status, out, error = ask("runs", "-s", tmp_path, "--format", "json")
    assert (status, error) == (0, "")
    assert {run["run_id"] for run in json.loads(out)} <= active
    status, out, error = ask(
        "runs", "-s", f"file://{tmp_path}/mlruns", "--view", "all", "-e", "churn", "--format", "json"
    )
    assert (status, error) == (0, "")
    for run in json.loads(out):
        (expected,) = (each for each in answers["runs"] if each["run_id"] == run["run_id"])
        assert run["params"] == expected["params"]


def test_without_a_name(ask: Ask, isolated: Path) -> None:
    FolderWriter(isolated / "mlruns").run(1)
    status, out, error = ask("runs")
    assert status == 0
    assert "run-1" in out
    assert error == "mldeck: there is no mlflow.db here: this is the file store mlruns\n"


def test_other_commands(ask: Ask, store: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "mlruns"
    status, out, _ = ask("experiments", "-s", folder, "--view", "all")
    assert status == 0
    assert {"Default", "churn", "team/résnet", "old", "after:"} <= set(out.split())
    status, out, _ = ask("models", "-s", folder)
    assert status == 0
    assert "churn model" in out
    status, out, _ = ask(
        "plot", "-s", folder, of(store, "logreg")["run_id"], "-m", "loss", "--width", "60", "--height", "12"
    )
    assert status == 0
    assert "loss" in out


def test_artifacts(ask: Ask, store: dict[str, Any], tmp_path: Path) -> None:
    """Where they were written, moved together with the folder, and of a deleted experiment."""
    sweep = of(store, "sweep")["run_id"]
    folder = tmp_path / "mlruns"
    assert "notes.txt" in ask("artifacts", "list", "-s", folder, sweep, "texts")[1]
    run = of(store, "inside-deleted")
    (file,) = (folder / ".trash").glob(f"*/{run['run_id']}/artifacts")
    (file / "left.txt").write_text("here")
    assert "left.txt" in ask("artifacts", "list", "-s", folder, run["run_id"])[1]
    moved = tmp_path / "elsewhere" / "renamed"
    shutil.copytree(folder, moved)
    shutil.rmtree(folder)
    assert "left.txt" in ask("artifacts", "list", "-s", moved, run["run_id"])[1]


@pytest.mark.parametrize(
    "words", [("promote", "churn model", "1", "Archived"), ("register", "sweep", "classifier", "new")]
)
def test_it_cannot_be_changed(ask: Ask, store: dict[str, Any], tmp_path: Path, words: tuple[str, ...]) -> None:
    status, _, error = ask(words[0], "-s", tmp_path / "mlruns", *words[1:])
    assert status != 0
    assert "only reads a file store" in error


@pytest.mark.parametrize("setting", ["option", "variable", "file"])
def test_no_mirror_is_kept(
    ask: Ask, store: dict[str, Any], tmp_path: Path, isolated: Path, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    words = ["runs", "-s", tmp_path / "mlruns"]
    if setting == "option":
        words.append("--no-mirror")
    elif setting == "variable":
        monkeypatch.setenv("MLDECK_MIRROR", "memory")
    else:
        (isolated / "xdg-config" / "mldeck").mkdir(parents=True)
        (isolated / "xdg-config" / "mldeck" / "config.toml").write_text('mirror = "memory"\n')
    assert ask(*words)[0] == 0
    assert not mirrors_folder().exists()
    assert ask("runs", "-s", tmp_path / "mlruns", "--no-mirror")[0] == 0


def test_what_cannot_be_read_is_said(ask: Ask, isolated: Path) -> None:
    folder = FolderWriter(isolated / "mlruns")
    folder.run(1)
    folder.run(2)
    (folder.folder(2) / "meta.yaml").write_text("broken: [\n")
    status, out, error = ask("runs", "-s", "mlruns")
    assert status == 0
    assert "run-1" in out
    assert "not all can be read" in error
