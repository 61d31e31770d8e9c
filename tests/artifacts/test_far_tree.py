"""Artifacts on another machine: the same tree, bytes and refusals as here, and how often that machine is asked."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mldeck.artifacts import far
from mldeck.artifacts.copying import copy_out
from mldeck.artifacts.errors import ArtifactError, LeadsOutside, NotAFile, NotFound, Unconfirmed
from mldeck.artifacts.far import FarFolder, FarTree
from mldeck.artifacts.file_facts import read_facts
from mldeck.artifacts.local import LocalTree
from mldeck.artifacts.location import LocationStatus, Places, locate
from mldeck.artifacts.model_files import has_mlmodel
from mldeck.artifacts.opening import open_tree
from mldeck.artifacts.run_tree import run_tree
from mldeck.artifacts.source import UnreadableFile
from mldeck.artifacts.tree import ArtifactTree, EntryKind, walk
from mldeck.destination import Destination
from mldeck.errors import Interrupted, MldeckError, StoreUnavailable
from mldeck.store.ssh.files import LineFiles
from mldeck.store.ssh.line import FarLine
from mldeck.store.store import Store
from tests.far_hosts import line_to, shell_for_ssh, use_as_ssh
from tests.fixture_stores import FixtureStore

CopyOf = Callable[[str], FixtureStore]
RUN = "0123456789abcdef" * 2


@pytest.fixture
def store(store_copy: CopyOf) -> FixtureStore:
    return store_copy("mlflow-3.17.2")


@pytest.fixture
def line(store: FixtureStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[FarLine]:
    use_as_ssh(monkeypatch, shell_for_ssh())
    with line_to(store.db) as line:
        line.hello()
        yield line


@pytest.fixture
def places(line: FarLine) -> Places:
    return Places(None, far=LineFiles(line))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with everything that is followed, refused, or read."""
    root = tmp_path / "root"
    (root / "inner").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("secret")
    (root / "plain.txt").write_text("plain")
    (root / "inner" / "deep.txt").write_bytes(bytes(range(256)) * 10)
    os.mkfifo(root / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        os.chdir(root)  # the paths of sockets are short
        server.bind("socket")
    links = {
        "good": "plain.txt",
        "to_inner": "inner",
        "out": "../outside/secret",
        "out_folder": "../outside",
        "broken": "nowhere",
        "loop": "loop",
        "to_pipe": "pipe",
    }
    for name, target in links.items():
        (root / name).symlink_to(target)
    Path(os.fsdecode(os.fsencode(root) + b"/\xff name")).write_text("no UTF-8")
    return root


@pytest.fixture
def tree(root: Path, line: FarLine) -> FarTree:
    return FarTree(FarFolder(LineFiles(line), str(root), os.path.realpath(root)))


def outcome(call: Callable[..., object], *arguments: object) -> object:
    try:
        return call(*arguments)
    except MldeckError as error:
        return type(error)


@pytest.mark.parametrize("follow", [False, True])
def test_it_is_what_a_local_tree_is(root: Path, line: FarLine, follow: bool) -> None:
    here, there = LocalTree(root, follow), FarTree(FarFolder(LineFiles(line), str(root), str(root.resolve())), follow)
    entries = list(walk(here))
    assert list(walk(there)) == entries
    assert len(entries) == 13
    others = [
        "",
        ".",
        "..",
        "inner/..",
        "inner/../..",
        "absent",
        "plain.txt/x",
        "out_folder/secret",
        "to_inner/deep.txt",
        "a\0b",
    ]
    for path in [*(entry.path for entry in entries), *others]:
        assert outcome(there.entry, path) == outcome(here.entry, path), path
        assert outcome(there.entries, path) == outcome(here.entries, path), path
        if path != "loop":  # here the system's own word for it, over there a broken link
            assert outcome(content, there, path) == outcome(content, here, path), path


def content(tree: ArtifactTree, path: str) -> bytes:
    return tree.file(path).read(0, 1 << 20)


def test_refusals(tree: FarTree) -> None:
    for path in ("out", "out_folder/secret", "../outside/secret"):
        with pytest.raises(LeadsOutside, match=r"^elsewhere:.* leads out of the artifacts, to .*: it was not followed"):
            tree.file(path)
    for path in ("pipe", "socket", "to_pipe", "inner"):
        with pytest.raises(NotAFile, match="it was not opened"):
            tree.file(path)
    with pytest.raises(NotFound, match="there is no elsewhere:"):
        tree.entries("absent")


def test_a_file_that_becomes_something_else_is_not_read(tree: FarTree, root: Path) -> None:
    for replaced_by in ("link", "pipe", "file"):
        source = tree.file("plain.txt")
        assert source.read(0, 2) == b"pl"
        other = root / "other"
        if replaced_by == "link":
            other.symlink_to("../outside/secret")
        elif replaced_by == "pipe":
            os.mkfifo(other)
        else:
            other.write_text("plain")
        (root / "plain.txt").rename(root / "kept")
        other.rename(root / "plain.txt")
        with pytest.raises((LeadsOutside, MldeckError, UnreadableFile)):
            source.read(0, 2)
        (root / "kept").replace(root / "plain.txt")


def test_a_folder_that_becomes_a_link_is_not_followed(tree: FarTree, root: Path) -> None:
    root.rename(root.with_name("away"))
    root.symlink_to("outside")
    with pytest.raises(LeadsOutside):
        tree.entries()


def test_the_database_is_not_read_as_a_file(line: FarLine, store: FixtureStore) -> None:
    tree = FarTree(FarFolder(LineFiles(line), str(store.path), str(store.path.resolve())))
    with pytest.raises(MldeckError, match="is the database"):
        tree.file(store.db.name).read(0, 16)


def test_requests(tree: FarTree, line: FarLine) -> None:
    before = line.traffic.requests
    tree.entries()
    assert line.traffic.requests == before + 1
    tree.file("plain.txt").read(0, 5)
    assert line.traffic.requests == before + 3


class TestCopying:
    @pytest.fixture(autouse=True)
    def small_pieces(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(far, "CHUNK", 100)

    def test_the_same_bytes(self, tree: FarTree, root: Path, tmp_path: Path) -> None:
        told: list[int] = []
        target = tmp_path / "copy"
        found = copy_out(tree, "inner/deep.txt", Destination(target, ()), progress=lambda done, _: told.append(done))
        assert target.read_bytes() == (root / "inner" / "deep.txt").read_bytes()
        assert (found.size, told[-1], len(told)) == (2560, 2560, 26)

    def test_a_folder(self, tree: FarTree, tmp_path: Path) -> None:
        target = tmp_path / "copy"
        found = copy_out(tree, "", Destination(target, ()))
        assert (target / "good").read_text() == "plain"
        assert not (target / "out").exists()
        assert {path for path, _ in found.skipped} >= {
            "out",
            "out_folder",
            "pipe",
            "socket",
            "broken",
            "loop",
            "to_pipe",
        }

    def test_it_can_be_stopped(self, tree: FarTree, tmp_path: Path) -> None:
        calls = 0

        def check() -> None:
            nonlocal calls
            calls += 1
            if calls > 3:
                raise Interrupted("stopped")

        with pytest.raises(Interrupted):
            copy_out(tree, "inner/deep.txt", Destination(tmp_path / "copy", ()), check=check)
        assert not (tmp_path / "copy").exists()

    def test_a_lost_line(self, tree: FarTree, line: FarLine, tmp_path: Path) -> None:
        def lose(done: int, total: int) -> None:
            line.close()

        with pytest.raises(StoreUnavailable, match=r"^connection to elsewhere lost"):
            copy_out(tree, "inner", Destination(tmp_path / "copy", ()), progress=lose)
        assert not (tmp_path / "copy").exists()


class TestLocating:
    @pytest.mark.parametrize("is_moved", [False, True])
    def test_every_run_of_a_store(self, store: FixtureStore, monkeypatch: pytest.MonkeyPatch, is_moved: bool) -> None:
        if is_moved:
            (store.path.parent / "elsewhere").mkdir()
            store = FixtureStore.at(store.path.rename(store.path.parent / "elsewhere" / "copy"))
        use_as_ssh(monkeypatch, shell_for_ssh())
        opened = Store(store.db)
        with line_to(store.db) as line:
            line.hello()
            far_places, near_places = Places(None, far=LineFiles(line)), Places(store.path)
            seen = set()
            for run_id in store.manifest["runs"].values():
                run = opened.resolve_run(run_id)
                before = line.traffic.requests
                there = locate(run.artifact_uri, far_places, run_id)
                assert line.traffic.requests - before <= 1
                here = locate(run.artifact_uri, near_places, run_id)
                seen.add(there.how)
                assert (there.how, there.unconfirmed) == (here.how, here.unconfirmed)
                if here.path is None:
                    continue
                assert there.where == f"elsewhere:{here.path}"
                models = opened.registry().models_of_run(run_id)
                near, distant = (run_tree(run.artifact_uri, run_id, models, each) for each in (near_places, far_places))
                entries = list(walk(near))
                assert list(walk(distant)) == entries
                for entry in entries:
                    if entry.is_file:
                        read = [tree.file(entry.path).read(0, 1 << 20) for tree in (near, distant)]
                        assert read[0] == read[1]
                        assert distant.location(entry.path) == f"elsewhere:{near.location(entry.path)}"
            assert seen >= {
                LocationStatus.MOVED if is_moved else LocationStatus.RECORDED,
                LocationStatus.NOTHING_LOGGED,
            }
            sizes = []
            for model in opened.registry().models_of_run(store.run("model_logged")):
                found = [locate(model.artifact_location, each, model.model_id) for each in (near_places, far_places)]
                facts = read_facts(found[0])
                assert read_facts(found[1]) == facts
                has_model = has_mlmodel(model.artifact_location, near_places, model.model_id)
                assert has_mlmodel(model.artifact_location, far_places, model.model_id) is has_model
                assert not has_mlmodel(f"{model.artifact_location}/absent", far_places, model.model_id)
                sizes += [facts.size] if has_model else []
            assert sizes
            assert None not in sizes
        opened.close()

    def test_a_place_that_only_the_database_names(self, places: Places, root: Path) -> None:
        located = locate(str(root), places)
        assert located.unconfirmed == f"elsewhere:{root.resolve()}"
        with pytest.raises(Unconfirmed, match="only the database names it"):
            open_tree(located)
        here = replace(places, confirmed=frozenset({str(root.resolve())}))
        assert locate(str(root), here).unconfirmed == located.unconfirmed, "a folder of this machine is another one"
        agreed = replace(places, confirmed=frozenset({f"elsewhere:{root.resolve()}"}))
        assert open_tree(locate(str(root), agreed)).entry("plain.txt").kind is EntryKind.FILE

    def test_a_link_in_the_place_of_a_runs_folder(self, places: Places, tmp_path: Path) -> None:
        (tmp_path / "outside").mkdir()
        (tmp_path / "mlruns" / RUN).mkdir(parents=True)
        (tmp_path / "mlruns" / RUN / "artifacts").symlink_to(tmp_path / "outside")
        uri = str(tmp_path / "mlruns" / RUN / "artifacts")
        assert locate(uri, places, RUN).unconfirmed == f"elsewhere:{(tmp_path / 'outside').resolve()}"
        (tmp_path / "linked").symlink_to("mlruns")
        (tmp_path / "mlruns" / RUN / "artifacts").unlink()
        (tmp_path / "mlruns" / RUN / "artifacts").mkdir()
        assert locate(f"{tmp_path}/linked/{RUN}/artifacts", places, RUN).unconfirmed is None

    def test_a_mapping_means_a_folder_of_this_machine(self, places: Places, root: Path) -> None:
        located = locate(f"/over/there/{RUN}", replace(places, roots=((f"/over/there/{RUN}", str(root)),)))
        assert (located.how, located.path, located.far) == (LocationStatus.MAPPED, root, None)

    def test_object_stores_are_reached_from_here(self, places: Places, line: FarLine) -> None:
        before = line.traffic.requests
        assert locate("s3://bucket/a", places).url == "s3://bucket/a"
        assert line.traffic.requests == before

    def test_nothing_there(self, places: Places, store: FixtureStore) -> None:
        located = locate(f"/nowhere/1/{RUN}/artifacts", places, RUN)
        assert located.how is LocationStatus.NOT_FOUND
        assert f"or below elsewhere:{store.path.resolve()}; to say where" in str(located.problem)
        with pytest.raises(ArtifactError, match="no files at"):
            open_tree(located)

    def test_a_lost_line(self, places: Places, line: FarLine) -> None:
        line.close()
        with pytest.raises(StoreUnavailable, match=r"^connection to elsewhere lost$"):
            locate(f"/nowhere/1/{RUN}/artifacts", places, RUN)
