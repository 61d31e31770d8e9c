"""The program that is sent to the far end: the Pythons it runs on, what it packs, and the files it reads."""

from __future__ import annotations

import ast
import os
import shlex
import shutil
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldeck.errors import MldeckError, UsageError
from mldeck.model import View
from mldeck.store.sqlite.files import _JOURNAL_MAGIC, _MAGIC
from mldeck.store.ssh import agent, frames
from mldeck.store.ssh.files import LineFiles
from tests.far_hosts import FarStore, far_file, far_store, line_to, shell_for_ssh, use_as_ssh
from tests.fixture_stores import FixtureStore
from tests.store_rows import all_rows, difference

CopyOf = Callable[[str], FixtureStore]

SOURCE = Path(agent.__file__)
LARGEST_SENT = 14_000
"""Bytes that travel without waiting for an answer: the first ten segments."""
SHARED = "MAGIC FRAME LARGEST_FRAME REQUEST STOP ANSWER FAILURE CHANGE".split()


# Where it is while the home folder is still that of the user.
PYENV_VERSIONS = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"


def other_pythons() -> list[Path]:
    """Return the interpreters of other versions on this machine, from 3.6 on."""
    names = [f"python3.{minor}" for minor in range(6, 16)]
    found = [Path(path) for name in names if (path := shutil.which(name))]
    found += sorted(PYENV_VERSIONS.glob("3.*/bin/python3"))
    return [path for path in found if _runs(path)]


def _runs(python: Path) -> bool:
    command = [str(python), "-c", "import sqlite3, sys; sys.exit(sys.version_info < (3, 6))"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


OTHER_PYTHONS = other_pythons()


def test_it_is_written_for_the_oldest_python() -> None:
    ast.parse(SOURCE.read_text(encoding="utf-8"), feature_version=(3, 6))


def test_it_needs_the_standard_library_alone() -> None:
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level]
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names


def test_nothing_imports_it() -> None:
    package = SOURCE.parents[2]
    assert not [
        path for path in package.rglob("*.py") if "ssh.agent" in path.read_text() or "import agent" in path.read_text()
    ]


def test_it_is_small() -> None:
    assert len(zlib.compress(SOURCE.read_bytes(), 9)) < LARGEST_SENT


def test_a_journal_that_ends_while_it_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has gone between the two looks."""

    def gone(journal: str) -> bool:
        raise FileNotFoundError(journal)

    db = tmp_path / "mlflow.db"
    db.write_bytes(b"")
    Path(f"{db}-journal").write_bytes(b"x")
    monkeypatch.setattr(agent, "names_super_journal", gone)
    agent.Database(str(db), 0, 1, False).check_side_files()


def test_both_ends_mean_the_same() -> None:
    for name in SHARED:
        ours, theirs = getattr(frames, name), getattr(agent, name)
        assert getattr(ours, "format", ours) == getattr(theirs, "format", theirs), name
    assert (agent.SQLITE_MAGIC, agent.JOURNAL_MAGIC) == (_MAGIC, _JOURNAL_MAGIC)


@pytest.mark.parametrize("python", OTHER_PYTHONS, ids=lambda path: "-".join(path.parts[-3:]))
def test_it_runs_on_other_pythons(store_copy: CopyOf, python: Path) -> None:
    fixture = store_copy("mlflow-3.17.2")
    with far_store(far_file(fixture.db, str(python)), may_write=True) as store:
        assert {each.name for each in store.experiments(View.ALL)} >= {"Default"}
        assert store.run_counts()
        before = all_rows(fixture.db)
        store.registry_editor().create_model("fresh", "", {"a": "b"})
        edit = store.editor.rename_run(fixture.run("rf5"), "named there")
        assert {"registered_models", "tags", "runs"} <= difference(before, all_rows(fixture.db)).keys()
        store.editor.undo(edit)
        assert difference(before, all_rows(fixture.db)).keys() == {"registered_models", "registered_model_tags"}


def test_an_older_python_is_named(store_copy: CopyOf) -> None:
    python = next(PYENV_VERSIONS.glob("2.7*/bin/python"), None) or shutil.which("python2")
    if python is None:
        pytest.skip("there is no Python 2 here")
    with (
        line_to(far_file(store_copy("mlflow-2.9.2").db, str(python))) as line,
        pytest.raises(UsageError, match=r"is too old: Python 3\.6 or later is needed"),
    ):
        line.hello()


cells = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(),
    st.binary(),
    st.text("0123456789abcdef", min_size=32, max_size=32),
)
columns_of_one_type = st.one_of(
    *(
        st.lists(values, min_size=12, max_size=12)
        for values in (
            cells,
            st.integers(-(2**63), 2**63 - 1),
            st.floats(allow_nan=False),
            st.text("0123456789abcdef", min_size=32, max_size=32),
        )
    )
)


@given(st.lists(columns_of_one_type, min_size=1, max_size=4), st.integers(0, 12))
def test_rows_arrive_as_they_were_packed(columns: list[list[Any]], count: int) -> None:
    rows = list(zip(*columns, strict=True))[:count]
    head, body = agent.pack_rows([str(number) for number in range(len(columns))], rows)
    unpacked, end = frames.unpack_rows(head, b"before" + body, len(b"before"))
    assert [[(type(cell), cell) for cell in row] for row in unpacked] == [
        [(type(cell), cell) for cell in row] for row in rows
    ]
    assert end == len(b"before") + len(body)


@given(st.binary(max_size=60), st.sampled_from("qdhjbx"), st.integers(-3, 70), st.integers(-1, 12))
def test_nonsense_in_a_column_is_told(data: bytes, kind: str, size: int, count: int) -> None:
    head = {"names": ["a"], "kinds": [[kind, size]], "count": count}
    try:
        rows, _ = frames.unpack_rows(head, data, 0)
    except frames.BrokenFrame:
        return
    assert len(rows) == count


class TestFiles:
    @pytest.fixture
    def store(self, store_copy: CopyOf) -> Iterator[FarStore]:
        with far_store(store_copy("mlflow-2.9.2").db) as opened:
            yield opened

    @pytest.fixture
    def far(self, store: FarStore) -> LineFiles:
        return LineFiles(store.line)

    def test_a_large_folder_and_an_empty_one(self, far: LineFiles, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        assert far.entries(str(tmp_path), "empty", follow=False) == []
        for number in range(300):
            (tmp_path / "empty" / f"{number:032x}").touch()
        assert len(far.entries(str(tmp_path), "empty", follow=False)) == 300

    def test_a_part_of_a_file(self, far: LineFiles, tmp_path: Path) -> None:
        content = os.urandom(100_000)
        (tmp_path / "file").write_bytes(content)
        root = str(tmp_path)
        assert far.read(root, "file", 0, 10, follow=False)[1] == content[:10]
        assert far.read(root, "file", 99_990, 1000, follow=False)[1] == content[99_990:]
        assert far.read(root, "file", 200_000, 10, follow=False)[1] == b""

    def test_a_name_that_is_not_text(self, far: LineFiles, tmp_path: Path) -> None:
        name = os.fsdecode(b"\xff.bin")
        root = tmp_path / "root"
        root.mkdir()
        (root / name).write_bytes(b"content")
        assert [row[0] for row in far.entries(str(root), "", follow=False)] == [name]
        assert far.read(str(root), name, 0, 100, follow=False)[1] == b"content"

    def test_what_is_no_ordinary_file(self, far: LineFiles, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "inner").mkdir()
        for name in ("pipe", "inner"):
            with pytest.raises((MldeckError, OSError)):
                far.read(str(tmp_path), name, 0, 10, follow=True)

    def test_a_link_that_leads_out(self, far: LineFiles, tmp_path: Path) -> None:
        root = tmp_path / "root"
        root.mkdir()
        (tmp_path / "target").write_text("secret")
        (root / "link").symlink_to(tmp_path / "target")
        with pytest.raises(OSError, match="leads out of the folder"):
            far.read(str(root), "link", 0, 10, follow=False)

    def test_the_database_keeps_its_locks(self, far: LineFiles, store: FarStore) -> None:
        """Closing any descriptor of the file would drop the locks of the reads that are running."""
        path = Path(str(store.address))
        with pytest.raises(MldeckError, match="is the database"):
            far.read(str(path.parent), path.name, 0, 10, follow=True)

    def test_errors_are_those_of_the_other_machine(self, far: LineFiles, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            far.read(str(tmp_path), "absent", 0, 10, follow=False)
        with pytest.raises(FileNotFoundError):
            far.entries(str(tmp_path), "absent", follow=False)
        (tmp_path / "file").touch()
        with pytest.raises(NotADirectoryError):
            far.entries(str(tmp_path), "file", follow=False)


def test_modules_in_the_home_folder_are_not_imported(
    store_copy: CopyOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in sys.stdlib_module_names:
        (tmp_path / f"{name}.py").write_text("raise SystemExit('imported from the home folder')\n")
    use_as_ssh(monkeypatch, shell_for_ssh(f"cd {shlex.quote(str(tmp_path))}"))
    with far_store(store_copy("mlflow-2.9.2").db) as store:
        assert store.run_counts()
