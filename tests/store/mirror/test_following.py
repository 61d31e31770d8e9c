"""A file store that changes while it is read."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from mldeck.errors import StoreUnavailable
from mldeck.model import ALL_FIELDS, Pace, RunFields, RunQuery, RunRecord, View
from mldeck.store.mirror import mirror
from mldeck.store.mirror.files import read_bytes
from mldeck.store.mlruns_folder import MlrunsFolder
from mldeck.store.store import Store
from tests.file_stores import START, FolderWriter
from tests.privileges import without_root_powers

_PATIENCE_S = 30.0


@pytest.fixture
def folder(tmp_path: Path) -> FolderWriter:
    return FolderWriter(tmp_path / "mlruns")


@pytest.fixture
def open_store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[FolderWriter], Store]]:
    """Open a file store, all of which has been read. It is looked at more often than usual, and swept as rarely."""
    monkeypatch.setattr(mirror, "LOOK_S", 0.05)
    opened: list[Store] = []

    def open_one(folder: FolderWriter) -> Store:
        store = Store(MlrunsFolder(folder.root))
        opened.append(store)
        store.wait_until_complete(print)
        return store

    yield open_one
    for store in opened:
        store.close()


def until(store: Store, is_true: Callable[[], bool]) -> None:
    """Wait until something is true after a change that the store told of."""
    deadline = time.monotonic() + _PATIENCE_S
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.02)
        store.poll()


def runs(store: Store, view: View = View.ACTIVE) -> list[str]:
    """The names of the runs of experiment 0, the newest first."""
    ids = store.run_ids(RunQuery(("0",), view))
    return [record.run.label for record in store.iter_records(ids, ALL_FIELDS)]


def record(store: Store, number: int) -> RunRecord:
    run_id = f"{number:032x}"
    return store.run_records([run_id], ALL_FIELDS)[run_id]


def poll_for_long(store: Store) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        store.poll()
        time.sleep(0.02)


def pause_of_looks() -> None:
    """Let some looks pass in which nothing that a test waits for may happen."""
    time.sleep(0.5)


def test_a_new_run(folder: FolderWriter, open_store: Callable[[FolderWriter], Store]) -> None:
    folder.run(1)
    store = open_store(folder)
    folder.run(2)
    until(store, lambda: runs(store) == ["run-2", "run-1"])


def test_a_new_experiment(folder: FolderWriter, open_store: Callable[[FolderWriter], Store]) -> None:
    store = open_store(folder)
    folder.experiment("123456789012345678", "new")
    folder.run(1, experiment_id="123456789012345678")
    until(store, lambda: store.run_counts().keys() == {"123456789012345678"})
    assert [each.name for each in store.experiments(View.ACTIVE)] == ["Default", "new"]


def test_a_running_run(folder: FolderWriter, open_store: Callable[[FolderWriter], Store]) -> None:
    """An appended metric moves no folder's time."""
    run_id = folder.run(1, status="RUNNING")
    folder.metric(1, "loss", (0.9, 0))
    store = open_store(folder)
    assert record(store, 1).metrics == {"loss": 0.9}
    history = store.read_history(run_id, "loss")
    folder.metric(1, "loss", (0.8, 1), (float("nan"), 2))
    until(store, lambda: len(store.read_newer(history).steps) == 3)
    newer = store.read_newer(history)
    assert str(list(newer.values)) == "[0.9, 0.8, nan]"
    assert str(record(store, 1).metrics) == "{'loss': nan}"
    folder.metric(1, "val/new", (1.0, 5))
    until(store, lambda: "val/new" in record(store, 1).metrics)
    folder.meta(1, status="FAILED")
    until(store, lambda: record(store, 1).run.status == "FAILED")


def test_a_long_history_is_not_read_again(
    folder: FolderWriter, open_store: Callable[[FolderWriter], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = folder.run(1, status="RUNNING")
    folder.metric(1, "loss", *((1 / (1 + step), step) for step in range(5000)))
    store = open_store(folder)
    assert record(store, 1).metrics == {"loss": 1 / 5000}
    history = store.read_history(run_id, "loss")
    assert len(history.steps) == 5000
    read: list[int] = []

    def counted(path: str, most: int, start: int = 0) -> bytes:
        content = read_bytes(path, most, start)
        read.append(len(content) if path.endswith("loss") else 0)
        return content

    monkeypatch.setattr("mldeck.store.mirror.contents.read_bytes", counted)
    path = folder.folder(1) / "metrics" / "loss"
    with path.open("a") as file:
        file.write("1700000000000 7.0 60")  # half a line
    pause_of_looks()
    with path.open("a") as file:
        file.write("00\n1700000000000 8.0 10\n")
    until(store, lambda: record(store, 1).metrics == {"loss": 7.0})
    until(store, lambda: len(store.read_newer(history).steps) == 5002)
    assert store.read_newer(history).steps[-1] == 6000
    path.unlink()  # begun anew
    folder.metric(1, "loss", (0.5, 1))
    until(store, lambda: record(store, 1).metrics == {"loss": 0.5})
    assert list(store.read_history(run_id, "loss").values) == [0.5]
    assert sum(size > 1000 for size in read) <= 2


def test_the_pace_of_a_running_run(folder: FolderWriter, open_store: Callable[[FolderWriter], Store]) -> None:
    """It is told without the history having been read, and goes on with it."""
    run_id = folder.run(1, status="RUNNING")
    folder.metric(1, "loss", *((1.0, step) for step in range(0, 40_000, 100)))
    folder.metric(1, "acc", (0.5, 0))
    store = open_store(folder)
    details = store.run_details(run_id)
    assert details is not None
    assert details.pace == Pace(START + 1000 + 39_900, 100)
    assert details.single_metrics == {"acc"}
    folder.metric(1, "loss", (1.0, 50_000))
    until(store, lambda: store.run_records([run_id], RunFields(pace=True))[run_id].pace == Pace(START + 51_000, 100))
    assert len(store.read_history(run_id, "loss").steps) == 401
    folder.metric(1, "loss", (1.0, 50_100))
    until(store, lambda: store.run_records([run_id], RunFields(pace=True))[run_id].pace == Pace(START + 51_100, 100))
    folder.meta(1)
    until(store, lambda: record(store, 1).run.status == "FINISHED")
    assert len(store.read_history(run_id, "loss").steps) == 402


def test_a_tag_of_a_run_in_view(folder: FolderWriter, open_store: Callable[[FolderWriter], Store]) -> None:
    """It is written in place, and the run has ended long ago."""
    folder.run(1, stage="dev")
    store = open_store(folder)
    assert record(store, 1).tags["stage"] == "dev"
    folder.tag(1, "stage", "prod")
    until(store, lambda: record(store, 1).tags["stage"] == "prod")


def test_a_tag_of_a_run_out_of_view(folder: FolderWriter, open_store: Callable[[FolderWriter], Store]) -> None:
    folder.run(1, stage="dev")
    store = open_store(folder)
    folder.tag(1, "stage", "prod")
    everything = RunQuery(("0",), filter="tags.stage = 'prod'")
    pause_of_looks()
    assert store.run_ids(everything) == []
    store.reopen()
    assert len(store.run_ids(everything)) == 1


def test_deleted_and_removed_runs(folder: FolderWriter, open_store: Callable[[FolderWriter], Store]) -> None:
    folder.run(1)
    folder.run(2)
    folder.param(2, "lr", "1")
    store = open_store(folder)
    folder.meta(2, stage="deleted")
    until(store, lambda: runs(store) == ["run-1"])
    assert runs(store, View.DELETED) == ["run-2"]
    shutil.rmtree(folder.folder(2))
    until(store, lambda: runs(store, View.ALL) == ["run-1"])
    assert store.keys_of_runs([f"{2:032x}"]) == ()


def test_an_experiment_that_is_deleted_and_restored(
    folder: FolderWriter, open_store: Callable[[FolderWriter], Store]
) -> None:
    place = folder.experiment("5", "five")
    folder.run(1, experiment_id="5")
    folder.param(1, "lr", "1", "5")
    store = open_store(folder)
    (folder.root / ".trash").mkdir()
    place.rename(folder.root / ".trash" / "5")
    until(store, lambda: [each.name for each in store.experiments(View.DELETED)] == ["five"])
    pause_of_looks()
    assert record(store, 1).params == {"lr": "1"}
    (folder.root / ".trash" / "5").rename(place)
    until(store, lambda: not store.experiments(View.DELETED))
    pause_of_looks()
    assert record(store, 1).params == {"lr": "1"}
    shutil.rmtree(place)
    until(store, lambda: [each.name for each in store.experiments(View.ALL)] == ["Default"])
    assert store.run_counts() == {}


def test_a_meta_file_that_is_being_written(folder: FolderWriter, open_store: Callable[[FolderWriter], Store]) -> None:
    folder.run(1)
    store = open_store(folder)
    meta = folder.folder(1) / "meta.yaml"
    written = meta.read_text()
    meta.write_text(written[:40])
    pause_of_looks()
    assert runs(store) == ["run-1"]
    meta.write_text(written.replace("run-1", "renamed"))
    until(store, lambda: runs(store) == ["renamed"])
    assert store.reading_notices == ()


def test_a_broken_meta_file(folder: FolderWriter, open_store: Callable[[FolderWriter], Store]) -> None:
    folder.run(1)
    folder.run(2)
    (folder.folder(2) / "meta.yaml").write_text("status: [1\nname: x\n")
    folder.run(3)
    folder.experiment("7", "seven")
    folder.run(4, experiment_id="7")
    (folder.root / "7" / "meta.yaml").write_text("name: {\n")
    store = open_store(folder)
    assert runs(store) == ["run-3", "run-1"]
    assert [each.name for each in store.experiments(View.ACTIVE)] == ["Default", "7"]
    assert record(store, 4).run.label == "run-4"
    (notice,) = store.reading_notices
    assert f"0/{2:032x}/meta.yaml (line 2: " in notice
    assert "7/meta.yaml (line 2: " in notice
    folder.meta(2)
    until(store, lambda: runs(store) == ["run-3", "run-2", "run-1"])
    (notice,) = store.reading_notices
    assert f"{2:032x}" not in notice


def test_attributes_of_another_run(folder: FolderWriter, open_store: Callable[[FolderWriter], Store]) -> None:
    folder.run(1)
    shutil.copytree(folder.folder(1), folder.root / "0" / "copied")
    store = open_store(folder)
    assert runs(store) == ["run-1"]
    assert f"0/copied/meta.yaml (its run_id is {1:032x}, not copied)" in store.reading_notices[0]


def test_what_cannot_be_read(folder: FolderWriter, open_store: Callable[[FolderWriter], Store]) -> None:
    folder.run(1)
    folder.param(1, "closed", "1")
    (folder.folder(1) / "params" / "closed").chmod(0)
    folder.run(2)
    folder.folder(2).joinpath("params").chmod(0)
    folder.experiment("5", "five")
    folder.run(3, experiment_id="5")
    (folder.root / "5").chmod(0o600)
    folder.param(1, "open", "2")
    try:
        with without_root_powers():
            store = open_store(folder)
            assert record(store, 1).params == {"open": "2"}
            assert runs(store) == ["run-2", "run-1"]
            assert "Permission denied" in store.reading_notices[0]
    finally:
        (folder.root / "5").chmod(0o700)
        folder.folder(2).joinpath("params").chmod(0o700)


def test_links_and_pipes(folder: FolderWriter, open_store: Callable[[FolderWriter], Store], tmp_path: Path) -> None:
    folder.run(1)
    folder.param(1, "own", "1")
    params = folder.folder(1) / "params"
    (tmp_path / "secret").write_text("secret")
    (params / "out").symlink_to(tmp_path / "secret")
    (params / "within").symlink_to(params / "own")
    (params / "loop").symlink_to(params)
    os.mkfifo(params / "pipe")
    (tmp_path / "elsewhere").mkdir()
    (folder.root / "0" / f"{9:032x}").symlink_to(tmp_path / "elsewhere")
    other = FolderWriter(tmp_path / "other")
    other.run(5, experiment_id="0")
    (other.root / "0").rename(tmp_path / "scratch")
    (tmp_path / "scratch" / "meta.yaml").write_text("name: scratch\nexperiment_id: '8'\n")
    store = open_store(folder)
    assert record(store, 1).params == {"own": "1", "within": "1"}
    assert runs(store) == ["run-1"]
    assert "params/out (it is a link out of the store, or no file)" in store.reading_notices[0]
    (folder.root / "8").symlink_to(tmp_path / "scratch")  # users do link the folders of experiments
    until(store, lambda: [each.name for each in store.experiments(View.ACTIVE)] == ["Default", "scratch"])


def test_a_store_that_is_a_link(folder: FolderWriter, open_store: Callable[[FolderWriter], Store]) -> None:
    folder.run(1)
    moved = folder.root.rename(folder.root.with_name("far away"))
    folder.root.symlink_to(moved)
    store = open_store(folder)
    folder.param(1, "lr", "1")
    until(store, lambda: record(store, 1).params == {"lr": "1"})
    assert store.reading_notices == ()


def test_a_folder_that_is_gone_for_a_while(folder: FolderWriter, open_store: Callable[[FolderWriter], Store]) -> None:
    folder.run(1)
    store = open_store(folder)
    away = folder.root.rename(folder.root.with_name("away"))

    with pytest.raises(StoreUnavailable, match=f"^{folder.root} is gone$"):
        poll_for_long(store)
    assert runs(store) == ["run-1"]
    away.rename(folder.root)
    folder.run(2)
    deadline = time.monotonic() + _PATIENCE_S
    while runs(store) != ["run-2", "run-1"]:
        assert time.monotonic() < deadline
        with suppress(StoreUnavailable):
            store.poll()
        time.sleep(0.02)


def test_nothing_is_written_into_the_folder(folder: FolderWriter, open_store: Callable[[FolderWriter], Store]) -> None:
    run_id = folder.run(1)
    folder.metric(1, "loss", (1.0, 0), (0.5, 1))

    def everything() -> dict[str, tuple[int, int, int]]:
        found = {}
        for path in (folder.root, *folder.root.rglob("*")):
            status = path.stat()
            found[str(path)] = (status.st_mtime_ns, status.st_size, status.st_mode)
        return found

    before = everything()
    store = open_store(folder)
    store.read_history(run_id, "loss")
    store.reopen()
    store.close()
    assert everything() == before


def test_foreign_text(folder: FolderWriter, open_store: Callable[[FolderWriter], Store]) -> None:
    """Bytes that are no text, control characters and endless names; they are shown as all foreign text is."""
    folder.run(1)
    params = os.fsencode(folder.folder(1) / "params")
    odd = {b"bad\xff": "bad\ufffd", b"\x1b[31m": "\x1b[31m", b"a\nb": "a\nb", b"x" * 250: "x" * 250}
    for name in odd:
        with open(os.path.join(params, name), "wb") as file:  # noqa: PTH118, PTH123 - names of bytes
            file.write(b"\xff\x00\x1b]0;owned\x07")
    folder.tag(1, "huge", "x" * (2 << 20))
    metrics = folder.folder(1) / "metrics"
    metrics.joinpath("odd").write_bytes(
        b"1 2\nx y z\n\xff\x00\n1 1e999 3\n99999999999999999999999 1 1\n\n5 0.5 4 a b c d\n"
    )
    metrics.joinpath("empty").touch()
    metrics.joinpath("words").write_text("no numbers here\n")
    folder.run(2)
    meta = folder.folder(2) / "meta.yaml"
    written = meta.read_text().replace("run-2", '"\\e[31m \\x00"')
    meta.write_text(written.replace("start_time: ", f"start_time: 1{'0' * 30}"))
    store = open_store(folder)
    found = record(store, 1)
    assert found.params == dict.fromkeys(odd.values(), "\ufffd\x00\x1b]0;owned\x07")
    assert len(found.tags["huge"]) == 1 << 20
    assert found.metrics == {"odd": 0.5}
    assert list(store.read_history(f"{1:032x}", "odd").values) == [2.0, float("inf"), 0.5]
    assert record(store, 2).run.start_time is None
    assert record(store, 2).run.label == "\x1b[31m \x00"
