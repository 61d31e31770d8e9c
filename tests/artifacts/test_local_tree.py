"""Folders of this machine: what is listed, what is only shown, and what is never opened."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from mldeck.artifacts.errors import ArtifactError, LeadsOutside, NotAFile, NotFound
from mldeck.artifacts.local import LocalTree
from mldeck.artifacts.tree import Entry, EntryKind, count, find, walk
from mldeck.errors import Interrupted
from tests.privileges import without_root_powers

HOSTILE = "\x1b]0;owned\x07[x]\nsecond \u202e line\\"
NO_UTF_8 = os.fsdecode(b"caf\xe9\xff.txt")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "artifacts"
    folder.mkdir()
    return folder


@pytest.fixture
def tree(root: Path) -> LocalTree:
    return LocalTree(root)


def by_name(entries: list[Entry]) -> dict[str, Entry]:
    return {entry.path: entry for entry in entries}


def interrupted_after(calls: int) -> Iterator[None]:
    yield from [None] * calls
    raise Interrupted("stopped")


class TestListing:
    def test_folders_come_first_and_each_by_name(self, root: Path, tree: LocalTree) -> None:
        for name in ("b", "a"):
            (root / f"{name}.txt").write_bytes(b"12345")
            (root / name / "inner").mkdir(parents=True)
        os.utime(root / "a.txt", ns=(0, 1_700_000_000_123_456_789))
        entries = tree.entries()
        assert [entry.path for entry in entries] == ["a", "b", "a.txt", "b.txt"]
        assert entries[2] == Entry("a.txt", EntryKind.FILE, False, 5, 1_700_000_000_123)
        assert (entries[0].kind, entries[0].is_dir, entries[0].size) == (EntryKind.FOLDER, True, None)
        assert [entry.path for entry in tree.entries("a")] == ["a/inner"]
        assert tree.entries("a/inner") == []

    @pytest.mark.parametrize("name", [HOSTILE, NO_UTF_8, " ", "résnet 雪", "-rf", "a=b", ".hidden", "%2e%2e"])
    def test_names_are_kept_as_they_are(self, root: Path, tree: LocalTree, name: str) -> None:
        (root / name).mkdir()
        (root / name / name).write_bytes(b"x")
        assert [entry.name for entry in tree.entries()] == [name]
        (inner,) = tree.entries(name)
        assert (inner.path, inner.name) == (f"{name}/{name}", name)
        assert tree.file(inner.path).read(0, 10) == b"x"
        assert tree.entry(inner.path) == inner

    def test_ten_thousand(self, root: Path, tree: LocalTree) -> None:
        for number in range(10_000):
            (root / f"{number:05}").touch()
        assert [entry.path for entry in tree.entries()] == [f"{number:05}" for number in range(10_000)]
        stopping = interrupted_after(3)
        with pytest.raises(Interrupted):
            tree.entries(check=lambda: next(stopping))

    def test_what_vanishes_meanwhile(self, root: Path, tree: LocalTree, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("stays", "goes"):
            (root / name).touch()
        scandir = os.scandir

        class Vanishing:
            """A real listing; one of its files is removed before it is looked at."""

            def __init__(self, place: Path) -> None:
                self.found = scandir(place)

            def __enter__(self) -> Vanishing:
                return self

            def __exit__(self, *error: object) -> None:
                self.found.close()

            def __iter__(self) -> Iterator[os.DirEntry[str]]:
                for each in list(self.found):
                    if each.name == "goes":
                        (root / "goes").unlink()
                    yield each

        monkeypatch.setattr(os, "scandir", Vanishing)
        assert [entry.path for entry in tree.entries()] == ["stays"]

    def test_what_is_not_there(self, root: Path, tree: LocalTree) -> None:
        (root / "file").touch()
        with pytest.raises(NotFound, match=f"there is no {root}/none"):
            tree.entries("none")
        with pytest.raises(NotFound, match="file is not a folder"):
            tree.entries("file")
        with pytest.raises(NotFound):
            tree.entry("none")
        with pytest.raises(NotFound):
            tree.file("none")
        with pytest.raises(NotFound):
            tree.file("zero\0byte")
        with pytest.raises(NotFound):
            LocalTree(root / "none").entries()


class TestPermissions:
    def test_a_folder_that_cannot_be_listed(self, root: Path, tree: LocalTree) -> None:
        (root / "locked").mkdir()
        (root / "open").mkdir()
        (root / "open" / "file").touch()
        (root / "locked").chmod(0)
        with without_root_powers():
            assert by_name(tree.entries())["locked"].kind is EntryKind.UNREADABLE
            assert [entry.path for entry in walk(tree)] == ["locked", "open", "open/file"]
            assert count(tree).unreadable == ("locked",)
            with pytest.raises(ArtifactError, match="locked cannot be read: Permission denied"):
                tree.entries("locked")
        (root / "locked").chmod(0o755)

    def test_a_folder_that_can_be_listed_but_not_entered(self, root: Path, tree: LocalTree) -> None:
        (root / "half").mkdir()
        (root / "half" / "file").touch()
        (root / "half" / "folder").mkdir()
        (root / "half").chmod(0o444)
        with without_root_powers():
            entries = by_name(tree.entries("half"))
        (root / "half").chmod(0o755)
        assert {entry.kind for entry in entries.values()} == {EntryKind.UNREADABLE}
        assert entries["half/folder"].is_dir


class TestLinks:
    @pytest.fixture
    def outside(self, tmp_path: Path) -> Path:
        folder = tmp_path / "outside"
        folder.mkdir()
        (folder / "secret.txt").write_text("secret")
        return folder

    def test_within_the_artifacts(self, root: Path, tree: LocalTree) -> None:
        (root / "folder").mkdir()
        (root / "folder" / "file").write_bytes(b"123")
        (root / "to-file").symlink_to("folder/file")
        (root / "to-folder").symlink_to(root / "folder")
        entries = by_name(tree.entries())
        assert (entries["to-file"].kind, entries["to-file"].size) == (EntryKind.LINK, 3)
        assert (entries["to-file"].target, entries["to-file"].is_file) == ("folder/file", True)
        assert (entries["to-folder"].kind, entries["to-folder"].is_dir) == (EntryKind.LINK, True)
        assert [entry.path for entry in tree.entries("to-folder")] == ["to-folder/file"]
        assert tree.file("to-file").read(0, 9) == b"123"
        assert tree.entry("to-file") == entries["to-file"]

    def test_out_of_them(self, root: Path, tree: LocalTree, outside: Path) -> None:
        (root / "folder").symlink_to(outside)
        (root / "file").symlink_to("../outside/secret.txt")
        (root / "gone").symlink_to("../outside/none")
        for entry in tree.entries():
            assert (entry.kind, entry.is_dir, entry.is_file, entry.size) == (EntryKind.ESCAPE, False, False, None)
        assert tree.entry("file").target == "../outside/secret.txt"
        for path in ("file", "folder/secret.txt", "../outside/secret.txt", "folder/../../outside/secret.txt"):
            with pytest.raises(LeadsOutside, match="leads out of the artifacts"):
                tree.file(path)
            with pytest.raises(LeadsOutside):
                tree.local_path(path)
        for path in ("folder", "..", "../outside"):
            with pytest.raises(LeadsOutside):
                tree.entries(path)
        assert [entry.path for entry in walk(tree)] == ["file", "folder", "gone"]

    def test_a_neighbour_whose_name_begins_alike(self, root: Path, tree: LocalTree) -> None:
        neighbour = root.with_name("artifacts-2")
        neighbour.mkdir()
        (root / "link").symlink_to(neighbour)
        assert tree.entry("link").kind is EntryKind.ESCAPE

    def test_when_it_is_asked_for(self, root: Path, outside: Path) -> None:
        (root / "folder").symlink_to(outside)
        tree = LocalTree(root, follow=True)
        assert (tree.entry("folder").kind, tree.entry("folder").is_dir) == (EntryKind.LINK, True)
        assert tree.file("folder/secret.txt").read(0, 10) == b"secret"
        assert [entry.name for entry in tree.entries("../outside")] == ["secret.txt"]

    def test_loops(self, root: Path, tree: LocalTree) -> None:
        (root / "self").symlink_to("self")
        (root / "folder").mkdir()
        (root / "folder" / "up").symlink_to("..")
        assert by_name(tree.entries())["self"].kind is EntryKind.BROKEN
        assert [entry.path for entry in walk(tree)] == ["folder", "folder/up", "self"]
        with pytest.raises(ArtifactError):
            tree.file("self")

    def test_broken(self, root: Path, tree: LocalTree) -> None:
        (root / "link").symlink_to("none")
        assert tree.entry("link") == Entry("link", EntryKind.BROKEN, target="none")

    def test_the_root_may_be_a_link(self, tmp_path: Path, root: Path) -> None:
        (root / "file").touch()
        (tmp_path / "link").symlink_to(root)
        assert [entry.path for entry in LocalTree(tmp_path / "link").entries()] == ["file"]


class TestNeverOpened:
    def test_a_fifo(self, root: Path, tree: LocalTree) -> None:
        os.mkfifo(root / "pipe")
        (root / "link").symlink_to("pipe")
        for path in ("pipe", "link"):
            assert (tree.entry(path).kind, tree.entry(path).is_file) == (EntryKind.FIFO, False)
            with pytest.raises(NotAFile, match="is a named pipe, not a file"):
                tree.file(path)

    def test_a_socket(self, root: Path, tree: LocalTree, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(root)  # the name of a socket must be short
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind("s")
            assert tree.entry("s").kind is EntryKind.SOCKET
            with pytest.raises(NotAFile):
                tree.file("s")

    def test_a_device(self) -> None:
        tree = LocalTree(Path("/dev"))
        assert tree.entry("null").kind is EntryKind.DEVICE
        with pytest.raises(NotAFile, match="is a device"):
            tree.file("null")

    def test_a_folder(self, root: Path, tree: LocalTree) -> None:
        (root / "folder").mkdir()
        with pytest.raises(NotAFile, match="is a folder"):
            tree.file("folder")


class TestWholeTree:
    @pytest.fixture(autouse=True)
    def _files(self, root: Path) -> None:
        for path, size in {"MLmodel": 1, "model/MLmodel": 2, "model/data/model.pkl": 3, "notes.txt": 4}.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(b"x" * size)

    def test_walking(self, tree: LocalTree) -> None:
        assert [entry.path for entry in walk(tree)] == [
            *("model", "model/data", "model/data/model.pkl", "model/MLmodel"),
            *("MLmodel", "notes.txt"),
        ]
        assert [entry.path for entry in walk(tree, "model/data")] == ["model/data/model.pkl"]

    def test_counting(self, tree: LocalTree) -> None:
        total = count(tree)
        assert (total.files, total.folders, total.size, total.unreadable) == (4, 2, 10, ())
        assert count(tree, "model").size == 5

    def test_finding(self, tree: LocalTree) -> None:
        found = find(tree, "mlMODEL")
        assert [entry.path for entry in found.entries] == ["model/MLmodel", "MLmodel"]
        assert (found.looked_at, found.more) == (6, False)
        assert [entry.path for entry in find(tree, "data").entries] == ["model/data"]
        assert find(tree, "none").entries == ()

    def test_finding_ends_at_its_limit(self, tree: LocalTree) -> None:
        found = find(tree, "m", limit=2)
        assert ([entry.path for entry in found.entries], found.more) == (["model", "model/data/model.pkl"], True)

    def test_being_watched(self, root: Path, tree: LocalTree) -> None:
        for number in range(600):
            (root / f"{number}").touch()
        told: list[int] = []
        find(tree, "x", progress=told.append)
        assert told == [0, 256, 512]

    @pytest.mark.parametrize(
        "work", [partial(find, text="x"), count, lambda tree, check: list(walk(tree, check=check))]
    )
    def test_being_stopped(self, tree: LocalTree, work: Callable[..., object]) -> None:
        stopping = interrupted_after(1)
        with pytest.raises(Interrupted):
            work(tree, check=lambda: next(stopping))

    def test_a_folder_that_vanishes(self, root: Path, tree: LocalTree) -> None:
        gone: list[str] = []
        walking = walk(tree, unreadable=lambda path, error: gone.append(path))
        assert next(walking).path == "model"
        for path in ("model/data/model.pkl", "model/MLmodel"):
            (root / path).unlink()
        (root / "model/data").rmdir()
        (root / "model").rmdir()
        assert [entry.path for entry in walking] == ["MLmodel", "notes.txt"]
        assert gone == ["model"]
