"""Where a mirror is kept, and what the next session, or another one at the same time, makes of it."""

from __future__ import annotations

import os
import sqlite3
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from mldeck.model import RunQuery
from mldeck.store.connect import keep_mirrors
from mldeck.store.mirror import contents
from mldeck.store.mirror import folder as folder_module
from mldeck.store.mirror.folder import FolderSource
from mldeck.store.mirror.mirror import Mirror
from mldeck.store.mirror.places import claim_place, mirrors_folder
from mldeck.store.mirror.tables import MirrorTables, RunAttributes, RunRows
from mldeck.store.mlruns_folder import MlrunsFolder
from mldeck.store.schema import TABLES_READ
from mldeck.store.sqlite.catalogue import newest_columns
from mldeck.store.store import Store
from tests.file_stores import FolderWriter

ALL = RunQuery(("0",))


@pytest.fixture
def folder(tmp_path: Path) -> FolderWriter:
    folder = FolderWriter(tmp_path / "mlruns")
    for number in range(3):
        folder.run(number, stage="dev")
    return folder


@pytest.fixture
def read_runs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the runs whose files have been read."""
    read: list[str] = []

    def counted(info: RunAttributes, *others: Any) -> RunRows:
        read.append(info.run_id)
        return contents.read_run(info, *others)

    monkeypatch.setattr(folder_module, "read_run", counted)
    return read


@pytest.fixture
def mirror_of() -> Iterator[Callable[..., Mirror]]:
    """Make a mirror apart from that of the process, as another process would."""
    joined: list[Mirror] = []

    def make(folder: FolderWriter, *, is_kept: bool = True, experiment: str | None = None) -> Mirror:
        mirror = Mirror(FolderSource(folder.root), is_kept=is_kept, experiment=experiment)
        joined.append(mirror)
        mirror.join()
        return mirror

    yield make
    for mirror in joined:
        mirror.leave()


def complete(folder: FolderWriter) -> Store:
    store = Store(MlrunsFolder(folder.root))
    store.wait_until_complete(print)
    return store


def kept() -> list[str]:
    return sorted(path.suffix for path in mirrors_folder().iterdir())


def ids_in(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {run_id for (run_id,) in connection.execute("SELECT run_uuid FROM tags")}


def test_the_next_session_reads_what_has_changed(folder: FolderWriter, read_runs: list[str]) -> None:
    for number in range(3):
        for path in folder.folder(number).rglob("*"):
            os.utime(path, (1, 1))  # settled long ago
    complete(folder).close()
    assert len(read_runs) == 3
    read_runs.clear()
    folder.tag(1, "stage", "prod")
    folder.run(7)
    with closing(complete(folder)) as store:
        assert len(store.run_ids(ALL)) == 4
    assert read_runs == [f"{7:032x}", f"{1:032x}"]


def test_the_next_session_begins_with_what_the_last_one_left(
    folder: FolderWriter, mirror_of: Callable[..., Mirror], monkeypatch: pytest.MonkeyPatch
) -> None:
    complete(folder).close()
    monkeypatch.setattr(FolderSource, "look", lambda *_, **__: iter(()))
    mirror = mirror_of(folder)
    assert ids_in(mirror.wait_for_first()) == {f"{number:032x}" for number in range(3)}


def test_it_is_readable_by_nobody_else(folder: FolderWriter) -> None:
    with closing(complete(folder)):
        modes = {path.suffix: stat.S_IMODE(path.stat().st_mode) for path in mirrors_folder().iterdir()}
        assert set(modes.values()) == {0o600}
        assert {".db", ".lock"} <= modes.keys()
    assert stat.S_IMODE(mirrors_folder().stat().st_mode) == 0o700
    assert kept() == [".db", ".lock"]


def test_two_at_once(folder: FolderWriter, mirror_of: Callable[..., Mirror]) -> None:
    """The second one has a copy of what the first one had read."""
    first = mirror_of(folder)
    first.wait_until_complete()
    second = mirror_of(folder)
    assert first.wait_for_first() != second.wait_for_first()
    second.wait_until_complete()
    private = second.wait_for_first()
    assert ids_in(private) == {f"{number:032x}" for number in range(3)}
    second.leave()
    assert not private.parent.exists()
    second.join()
    second.wait_for_first()
    first.leave()
    first.join()
    first.wait_until_complete()
    assert first.wait_for_first().parent == mirrors_folder()


def test_none_is_kept(folder: FolderWriter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    keep_mirrors(False)
    try:
        with closing(complete(folder)) as store:
            assert len(store.run_ids(ALL)) == 3
            assert list((tmp_path / "temporary").iterdir())
    finally:
        keep_mirrors(True)
    assert not list((tmp_path / "temporary").iterdir())
    assert not mirrors_folder().exists()


def test_a_home_that_cannot_be_written_to(
    folder: FolderWriter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with closing(complete(folder)) as store:
        assert len(store.run_ids(ALL)) == 3


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\x00" + bytes(5000)])
def test_a_damaged_mirror_is_made_anew(folder: FolderWriter, content: bytes) -> None:
    complete(folder).close()
    (mirror,) = mirrors_folder().glob("*.db")
    mirror.write_bytes(content)
    with closing(complete(folder)) as store:
        assert len(store.run_ids(ALL)) == 3


def test_another_folder_of_the_same_name_has_another_mirror(folder: FolderWriter) -> None:
    complete(folder).close()
    folder.root.rename(folder.root.with_name("old"))
    other = FolderWriter(folder.root)
    other.run(9)
    with closing(complete(other)) as store:
        assert store.run_ids(ALL) == [f"{9:032x}"]
    assert kept() == [".db", ".db", ".lock", ".lock"]


def test_a_mirror_that_nobody_has_used_for_long_is_removed(folder: FolderWriter) -> None:
    complete(folder).close()
    for path in mirrors_folder().iterdir():
        os.utime(path, (1, 1))
    claim_place("another", is_kept=True).release()
    assert kept() == [".lock"]


def test_the_newest_runs_of_the_wanted_experiment_come_first(folder: FolderWriter, tmp_path: Path) -> None:
    folder.experiment("5", "five")
    for number in range(10, 240):
        folder.run(number, experiment_id="5", stage="dev")
    for number in range(300, 320):
        folder.run(number, stage="dev")
    for wanted, expected in (
        (None, [*range(300, 320), *range(3)]),
        ("five", range(140, 240)),
        ("5", range(140, 240)),
        ("unknown", [*range(300, 320), *range(3)]),
    ):
        path = tmp_path / f"{wanted}.db"
        tables = MirrorTables(path)
        source = FolderSource(folder.root)
        source.begin(tables, wanted, lambda: None)
        looking = source.look(list, thorough=True)
        next(looking)
        assert ids_in(path) == {f"{number:032x}" for number in expected}
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("SELECT count(*) FROM runs").fetchone() == (253,)
        assert next(looking) == (200 if wanted in ("5", "five") else 123, 253)
        tables.close()


def test_runs_in_view_are_read_before_the_others(folder: FolderWriter, tmp_path: Path) -> None:
    for number in range(10, 400):
        folder.run(number, stage="dev")
    tables = MirrorTables(tmp_path / "mirror.db")
    source = FolderSource(folder.root)
    source.begin(tables, None, lambda: None)
    in_view: list[str] = []
    looking = source.look(lambda: in_view, thorough=True)
    next(looking)
    in_view = [f"{2:032x}"]
    next(looking)
    assert f"{2:032x}" in ids_in(tmp_path / "mirror.db")
    assert f"{11:032x}" not in ids_in(tmp_path / "mirror.db")
    looking.close()  # type: ignore[attr-defined]
    tables.close()


def test_it_has_the_columns_of_mlflow(tmp_path: Path) -> None:
    """All of those that mldeck reads; what was left out is in no query."""
    MirrorTables(tmp_path / "mirror.db").close()
    with closing(sqlite3.connect(tmp_path / "mirror.db")) as connection:
        for table in TABLES_READ:
            found = {name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")}
            assert found
            assert found <= newest_columns()[table]
    with closing(sqlite3.connect(tmp_path / "mirror.db")) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
