"""Copying out: complete or not at all, over nothing that was there, and never out of the artifacts."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mldeck.artifacts.copying import CopyResult, copy_out, path_for
from mldeck.artifacts.errors import ArtifactError, LeadsOutside, NotAFile, NotFound
from mldeck.artifacts.local import LocalTree
from mldeck.artifacts.location import Located, LocationStatus
from mldeck.artifacts.run_tree import RunTree
from mldeck.destination import AlreadyThere, Destination, NotWritten
from mldeck.errors import Interrupted
from mldeck.registry.nouns import LoggedModel
from tests.privileges import without_root_powers

NAMES = ("plain", "with\nnewline", "\x1b[31mred", os.fsdecode(b"caf\xe9"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A run's folder, with a file of each odd name in `data`."""
    folder = tmp_path / "artifacts"
    (folder / "data" / "inner" / "empty").mkdir(parents=True)
    for number, name in enumerate(NAMES):
        (folder / "data" / "inner" / name).write_bytes(name.encode("utf-8", "surrogateescape") * (number + 1))
    (folder / "data" / "nothing").touch()
    return folder


@pytest.fixture
def tree(root: Path) -> LocalTree:
    return LocalTree(root)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "target"
    folder.mkdir()
    return folder


def contents(folder: Path) -> dict[str, bytes | None]:
    """Every file below a folder; None for a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class TestWhole:
    def test_a_folder(self, tree: LocalTree, root: Path, target: Path) -> None:
        told: list[tuple[int, int]] = []
        copied = copy_out(
            tree, "data", Destination(target / "copy", ()), progress=lambda done, total: told.append((done, total))
        )
        size = sum(len(content or b"") for content in contents(root).values())
        assert copied == CopyResult(target / "copy", 5, size)
        assert contents(target / "copy") == contents(root / "data")
        assert told[-1] == (size, size)
        assert [done for done, _ in told] == sorted(done for done, _ in told)
        assert names(target) == ["copy"]

    @pytest.mark.parametrize("name", NAMES)
    def test_a_file(self, tree: LocalTree, root: Path, target: Path, name: str) -> None:
        copied = copy_out(tree, f"data/inner/{name}", Destination(target / name, ()))
        assert (copied.files, copied.skipped) == (1, ())
        assert (target / name).read_bytes() == (root / "data" / "inner" / name).read_bytes()

    def test_everything(self, tree: LocalTree, root: Path, target: Path) -> None:
        copy_out(tree, "", Destination(target / "all", ()))
        assert contents(target / "all") == contents(root)

    def test_into_the_folder_that_is_copied(self, tree: LocalTree, root: Path) -> None:
        before = contents(root)
        copy_out(tree, "", Destination(root / "copy", ()))
        assert contents(root / "copy") == before

    def test_permissions_to_execute(self, tree: LocalTree, root: Path, target: Path) -> None:
        (root / "run.sh").touch()
        (root / "run.sh").chmod(0o6755)
        copy_out(tree, "run.sh", Destination(target / "run.sh", ()))
        assert (target / "run.sh").stat().st_mode & 0o7777 == 0o755

    def test_where_the_system_cannot_copy_by_itself(
        self, tree: LocalTree, root: Path, target: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delattr(os, "copy_file_range", raising=False)
        (root / "large").write_bytes(os.urandom(3_000_000))
        copy_out(tree, "", Destination(target / "all", ()))
        assert contents(target / "all") == contents(root)

    def test_a_run_with_its_models(self, root: Path, target: Path, tmp_path: Path) -> None:
        model = tmp_path / "models" / "m-1" / "artifacts"
        (model / "data").mkdir(parents=True)
        (model / "MLmodel").write_text("flavors: {}")
        (model / "data" / "model.pkl").write_bytes(b"\x80")
        (model / "latest").symlink_to("data/model.pkl")
        tree = RunTree(
            Located("", LocationStatus.RECORDED, root),
            [
                (LoggedModel("classifier", "r", "m-1"), Located("", LocationStatus.RECORDED, model)),
                (
                    LoggedModel("pending", "r", "m-2"),
                    Located("", LocationStatus.NOT_FOUND, problem="no files at /gone"),
                ),
            ],
        )
        copied = copy_out(tree, "", Destination(target / "run", ()))
        assert copied.skipped == (("pending", "no files at /gone"),)
        assert contents(target / "run" / "classifier") == contents(model)
        assert (target / "run" / "classifier" / "latest").readlink() == Path("data/model.pkl")
        assert contents(target / "run" / "data") == contents(root / "data")
        copy_out(tree, "classifier", Destination(target / "classifier", ()))
        assert contents(target / "classifier") == contents(model)
        copy_out(tree, "classifier/MLmodel", Destination(target / "MLmodel", ()))
        assert (target / "MLmodel").read_text() == "flavors: {}"


class TestNothingIsOverwritten:
    @pytest.mark.parametrize("path", ["data", "data/inner/plain"])
    def test_unless_it_was_asked_for(self, tree: LocalTree, root: Path, target: Path, path: str) -> None:
        existing = target / "there"
        if path == "data":
            existing.mkdir()
            (existing / "mine").write_text("mine")
        else:
            existing.write_text("mine")
        before = contents(target)
        with pytest.raises(AlreadyThere, match="there was not written: it already exists"):
            copy_out(tree, path, Destination(existing, ()))
        assert contents(target) == before
        copy_out(tree, path, Destination(existing, (), replace=True))
        if path == "data":
            assert contents(existing) == contents(root / "data")
        else:
            assert existing.read_bytes() == b"plain"
        assert names(target) == ["there"]

    def test_by_something_else(self, tree: LocalTree, target: Path) -> None:
        (target / "folder").mkdir()
        (target / "file").touch()
        with pytest.raises(NotWritten, match="it is not a file"):
            copy_out(tree, "data/inner/plain", Destination(target / "folder", (), replace=True))
        with pytest.raises(NotWritten, match="it is not a folder"):
            copy_out(tree, "data", Destination(target / "file", (), replace=True))
        assert contents(target) == {"folder": None, "file": b""}

    @pytest.mark.parametrize("place", ["artifacts/data", "artifacts", ""])
    def test_where_the_artifacts_are(self, tree: LocalTree, root: Path, tmp_path: Path, place: str) -> None:
        before = contents(root)
        with pytest.raises(NotWritten, match="the artifacts themselves lie there"):
            copy_out(tree, "data", Destination(tmp_path / place, (), replace=True))
        assert contents(root) == before

    def test_by_somebody_else_who_comes_first(self, tree: LocalTree, target: Path) -> None:
        def somebody_writes(done: int, total: int) -> None:
            (target / "copy").write_text("theirs")

        with pytest.raises(AlreadyThere):
            copy_out(tree, "data/inner/plain", Destination(target / "copy", ()), progress=somebody_writes)
        assert contents(target) == {"copy": b"theirs"}

    def test_what_a_link_leads_to_is_replaced(self, tree: LocalTree, target: Path) -> None:
        (target / "real").touch()
        (target / "link").symlink_to("real")
        copy_out(tree, "data/inner/plain", Destination(target / "link", (), replace=True))
        assert (target / "link").is_symlink()
        assert (target / "real").read_bytes() == b"plain"


class TestNothingIsLeftBehind:
    @pytest.mark.parametrize("path", ["data", "data/inner/plain"])
    def test_when_it_is_stopped(self, tree: LocalTree, target: Path, path: str) -> None:
        def stop_at_the_first_bytes() -> None:
            if [place for place in target.rglob("*") if place.is_file()]:
                raise Interrupted("stopped")

        with pytest.raises(Interrupted):
            copy_out(tree, path, Destination(target / "copy", ()), check=stop_at_the_first_bytes)
        assert contents(target) == {}

    def test_a_large_file_is_stopped_on_the_way(self, tree: LocalTree, root: Path, target: Path) -> None:
        (root / "large").write_bytes(bytes(20 << 20))
        told: list[int] = []

        def stop_soon() -> None:
            if told:
                raise Interrupted("stopped")

        with pytest.raises(Interrupted):
            copy_out(
                tree,
                "large",
                Destination(target / "copy", ()),
                progress=lambda done, total: told.append(done),
                check=stop_soon,
            )
        assert 0 < told[-1] < 20 << 20
        assert contents(target) == {}

    def test_when_the_disk_is_full(self, tree: LocalTree, root: Path, target: Path) -> None:
        (root / "large").write_bytes(bytes(3 << 20))
        with files_of_at_most(1 << 20), pytest.raises(NotWritten, match="copy was not written: File too large"):
            copy_out(tree, "", Destination(target / "copy", ()))
        assert contents(target) == {}

    def test_when_a_folder_cannot_be_replaced(
        self, tree: LocalTree, target: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (target / "copy").mkdir()
        (target / "copy" / "mine").touch()
        rename = Path.rename

        def failing(self: Path, to: Path) -> Path:
            if self.suffix == ".part":
                raise OSError(28, "No space left on device")
            return rename(self, to)

        monkeypatch.setattr(Path, "rename", failing)
        with pytest.raises(NotWritten, match="No space left"):
            copy_out(tree, "data", Destination(target / "copy", (), replace=True))
        assert contents(target) == {"copy": None, "copy/mine": b""}

    def test_where_nothing_can_be_written(self, tree: LocalTree, target: Path) -> None:
        with pytest.raises(NotWritten, match="was not written: No such file or directory"):
            copy_out(tree, "data", Destination(target / "none" / "copy", ()))
        with pytest.raises(NotWritten, match="cannot be written"):
            copy_out(tree, "data", Destination(target / "zero\0byte", ()))
        target.chmod(0o555)
        with without_root_powers(), pytest.raises(NotWritten, match="Permission denied"):
            copy_out(tree, "data", Destination(target / "copy", ()))


class TestWhatIsLeftOut:
    def test_links(self, tree: LocalTree, root: Path, target: Path, tmp_path: Path) -> None:
        (tmp_path / "outside").mkdir()
        (tmp_path / "outside" / "secret").write_text("secret")
        (root / "other").mkdir()
        (root / "other" / "file").write_text("other")
        for name, leads_to in {
            "inside": "inner/plain",
            "inside-folder": str(root / "data" / "inner"),
            "up": "..",
            "self": ".",
            "elsewhere": "../other/file",
            "elsewhere-folder": "../other",
            "out": "../../outside/secret",
            "out-folder": "../../outside",
            "broken": "none",
        }.items():
            (root / "data" / name).symlink_to(leads_to)
        copied = copy_out(tree, "data", Destination(target / "copy", ()))
        copy = target / "copy"
        assert (copy / "inside").readlink() == Path("inner/plain")
        assert (copy / "inside-folder").readlink() == Path("inner")
        assert (copy / "self").readlink() == Path()
        assert not (copy / "elsewhere").is_symlink()
        assert (copy / "elsewhere").read_text() == "other"
        assert {path: why.partition(":")[0] for path, why in copied.skipped} == {
            "data/up": "a link to a folder that is not copied",
            "data/elsewhere-folder": "a link to a folder that is not copied",
            "data/out": "leads out of the artifacts",
            "data/out-folder": "leads out of the artifacts",
            "data/broken": "broken link",
        }
        assert not {path.partition("/")[2] for path, _ in copied.skipped} & set(names(copy))

    def test_what_is_no_file(self, tree: LocalTree, root: Path, target: Path) -> None:
        os.mkfifo(root / "data" / "pipe")
        copied = copy_out(tree, "data", Destination(target / "copy", ()))
        assert copied.skipped == (("data/pipe", "named pipe"),)
        with pytest.raises(NotAFile, match="data/pipe was not copied: named pipe"):
            copy_out(tree, "data/pipe", Destination(target / "pipe", ()))

    def test_what_cannot_be_read(self, tree: LocalTree, root: Path, target: Path) -> None:
        (root / "data" / "inner").chmod(0)
        (root / "data" / "nothing").chmod(0)
        with without_root_powers():
            copied = copy_out(tree, "data", Destination(target / "copy", ()))
            with pytest.raises(ArtifactError, match="data/nothing was not copied: Permission denied"):
                copy_out(tree, "data/nothing", Destination(target / "nothing", ()))
        (root / "data" / "inner").chmod(0o755)
        assert copied.skipped == (("data/inner", "no permission"), ("data/nothing", "Permission denied"))
        assert names(target) == ["copy"]

    @pytest.mark.parametrize("becomes", ["nothing", "fifo", "link"])
    def test_what_changes_meanwhile(self, tree: LocalTree, root: Path, target: Path, becomes: str) -> None:
        """Between being listed and being copied."""
        changing = root / "data" / "nothing"

        def change() -> None:
            if not (target.exists() and names(target)) or not changing.is_file():
                return
            changing.unlink()
            if becomes == "fifo":
                os.mkfifo(changing)
            elif becomes == "link":
                changing.symlink_to("/etc/passwd")

        copied = copy_out(tree, "data", Destination(target / "copy", ()), check=change)
        ((path, _),) = copied.skipped
        assert path == "data/nothing"
        assert copied.files == 4

    def test_a_link_that_changes_meanwhile(self, tree: LocalTree, root: Path, target: Path) -> None:
        link = root / "data" / "link"
        link.symlink_to("inner/plain")

        def change() -> None:
            if names(target) and link.readlink() != Path("/etc/passwd"):
                link.unlink()
                link.symlink_to("/etc/passwd")

        ((path, why),) = copy_out(tree, "data", Destination(target / "copy", ()), check=change).skipped
        assert path == "data/link"
        assert "leads out of the artifacts" in why

    def test_what_is_not_there(self, tree: LocalTree, target: Path) -> None:
        with pytest.raises(NotFound):
            copy_out(tree, "none", Destination(target / "copy", ()))
        with pytest.raises(LeadsOutside):
            copy_out(tree, "../target", Destination(target / "copy", ()))


def test_where_things_go(tmp_path: Path, isolated: Path) -> None:
    assert path_for("model", None) == Path("model")
    assert path_for("model", tmp_path) == tmp_path / "model"
    assert path_for("model", tmp_path / "new") == tmp_path / "new"


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """The closest thing to a full disk that a test can make of any file system."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
