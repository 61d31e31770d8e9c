"""The deck on a file store."""

from __future__ import annotations

import asyncio
from pathlib import Path
from threading import Event

import pytest

from mldeck.store.mirror import folder as folder_module
from mldeck.store.mirror import mirror
from mldeck.store.mirror.contents import read_run
from mldeck.store.mirror.tables import RunRows
from mldeck.store.mlruns_folder import MlrunsFolder
from tests.file_stores import FolderWriter
from tests.fixture_folders import unpack
from tests.ui.deck import running_deck


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FolderWriter:
    monkeypatch.setattr(mirror, "LOOK_S", 0.1)
    return FolderWriter(tmp_path / "mlruns")


async def test_it_follows_the_folder(folder: FolderWriter) -> None:
    folder.run(1, status="RUNNING")
    folder.metric(1, "loss", (0.5, 0))
    folder.metric(1, "acc", (0.25, 0))
    async with running_deck(MlrunsFolder(folder.root)) as deck:
        await deck.until_counted(1)
        await deck.until_shown("mirror · 1 s · read-only")
        folder.metric(1, "loss", (0.125, 1))
        await deck.until_shown("0.125")
        folder.run(2)
        await deck.until_counted(2)
        assert deck.run_names == ["run-2", "run-1"]
        folder.tag(2, "mlflow.note.content", "changed in place")
        await deck.until_shown("changed in place")


async def test_how_far_it_has_been_read(folder: FolderWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest runs are there already, and the keyboard works."""
    for number in range(150):
        folder.run(number)
        folder.metric(number, "loss", (number / 8, 0))
        folder.metric(number, "acc", (number / 4, 0))
    goes_on = Event()

    def read_slowly(*arguments: object) -> RunRows:
        if arguments[0].run_id == f"{49:032x}":  # type: ignore[attr-defined]
            goes_on.wait(10)
        return read_run(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(folder_module, "read_run", read_slowly)
    async with running_deck(MlrunsFolder(folder.root)) as deck:
        await deck.until_counted(150)
        await deck.until_shown("reading 100 of 150 runs · read-only")
        await deck.until_shown("18.625")
        await deck.press("end")
        await deck.until(lambda: deck.run_names[-1] == "run-0")
        goes_on.set()
        await deck.until_shown("mirror · 1 s · read-only")
        await deck.until_shown("0.125")


async def test_it_cannot_be_changed(folder: FolderWriter) -> None:
    folder.run(1)
    async with running_deck(MlrunsFolder(folder.root), size=(160, 40)) as deck:
        await deck.until_counted(1)
        await deck.press("e")
        await deck.until_shown("mldeck only reads a file store")
        await deck.until_shown("migrate-filestore")


async def test_reading_again_finds_what_no_folder_tells(folder: FolderWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        folder.run(number, **{"mlflow.note.content": "as it was"})
    monkeypatch.setattr(mirror, "MOST_IN_VIEW", 0)
    async with running_deck(MlrunsFolder(folder.root)) as deck:
        await deck.until_counted(3)
        await deck.until_shown("mirror · 1 s")
        folder.tag(2, "mlflow.note.content", "changed in place")
        await asyncio.sleep(0.5)
        assert "changed in place" not in deck.frame
        await deck.press("ctrl+r")
        await deck.until_shown("Read again")
        await deck.until_shown("changed in place")


async def test_models_and_curves(tmp_path: Path) -> None:
    unpack("mlflow-3.17.2", tmp_path)
    async with running_deck(MlrunsFolder(tmp_path / "mlruns"), experiment="churn") as deck:
        await deck.until_shown("logreg")
        await deck.press("2")
        await deck.until_shown("churn model")
        await deck.until_shown("champion")
