"""Names in a database or of artifacts never lead out of the folder that a person chose."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldeck.artifacts.copying import copy_out, path_for
from mldeck.artifacts.local import LocalTree
from mldeck.artifacts.location import Located, LocationStatus
from mldeck.artifacts.plain_name import is_plain, plain_name
from mldeck.artifacts.run_tree import RunTree
from mldeck.destination import AlreadyThere, Destination, NotWritten
from mldeck.export import write_file
from mldeck.registry.nouns import LoggedModel
from mldeck.settings import load_settings
from mldeck.ui.state.session import Session
from tests.fixture_stores import FixtureStore

Ask = Callable[..., tuple[int, str, str]]
HOSTILE = (
    "../../escaped",
    "/absolute",
    "..",
    ".",
    "",
    ".bashrc",
    "-rf",
    "a/b",
    "a\\b",
    "a\0b",
    "\x1b]0;owned\x07",
    "x" * 999,
)


@contextmanager
def unchanged(folder: Path) -> Iterator[None]:
    """Nothing below the folder is made, changed or removed."""

    def look() -> dict[str, bytes | None]:
        return {str(path): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}

    before = look()
    yield
    assert look() == before


@pytest.mark.parametrize("text", HOSTILE)
def test_a_plain_name_is_one_part(text: str) -> None:
    name = plain_name(text, "fallback")
    assert is_plain(name)
    assert not name.startswith((".", "-"))
    assert name.isprintable()
    assert "\\" not in name
    assert 0 < len(name.encode()) <= 200


@given(st.text())
def test_any_text_becomes_one_part(text: str) -> None:
    assert is_plain(plain_name(text, "fallback"))


@pytest.fixture
def store(store_copy: Callable[[str], FixtureStore]) -> FixtureStore:
    return store_copy("mlflow-3.17.2")


def rename_run(store: FixtureStore, run_id: str) -> str:
    """Give a run that has files another id; the name by which a command finds it."""
    with sqlite3.connect(store.db) as database:
        database.execute("UPDATE runs SET run_uuid = ? WHERE run_uuid = ?", (run_id, store.run("logreg")))
        (name,) = database.execute("SELECT name FROM runs WHERE run_uuid = ?", (run_id,)).fetchone()
    database.close()
    return str(name)


@pytest.mark.parametrize("run_id", ["../../escaped", "/tmp/absolute-escape", "..", "a/../../b", ".ssh"])
@pytest.mark.parametrize("options", [(), ("--replace",)], ids=["plain", "replace"])
def test_a_run_id_is_no_path(
    store: FixtureStore,
    ask: Ask,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    run_id: str,
    options: tuple[str, ...],
) -> None:
    top = tmp_path / "top"
    here = top / "deep" / "here"
    here.mkdir(parents=True)
    for victim in (top / "escaped", top / "b", here / ".ssh", here.parent / "b"):
        victim.mkdir()
        (victim / "kept").write_text("kept")
    monkeypatch.chdir(here)
    name = rename_run(store, run_id)
    status, out, error = ask("artifacts", "get", name, ".", "-s", store.db, "--follow", *options)
    made = {path.name for path in here.iterdir()} - {".ssh"}
    assert (status, len(made)) == (0, 1), (out, error)
    assert all(not part.startswith(".") for part in made)
    kept = sorted(str(path.relative_to(top)) for path in top.rglob("kept"))
    assert kept == ["b/kept", "deep/b/kept", "deep/here/.ssh/kept", "escaped/kept"]
    assert not Path("/tmp/absolute-escape").exists()


@pytest.mark.parametrize("model_id", ["../../../autostart", "/absolute", "..", "", ".", "a/b", "x\0y"])
@pytest.mark.parametrize("name", ["a/b", "..", ""])
def test_a_model_is_one_folder_of_the_copy(tmp_path: Path, name: str, model_id: str) -> None:
    for folder in ("run", "model"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "file").write_text(folder)
    model = LoggedModel(model_id, name, artifact_location=str(tmp_path / "model"))
    located = Located("x", LocationStatus.RECORDED, tmp_path / "model")
    tree = RunTree(Located("x", LocationStatus.RECORDED, tmp_path / "run"), [(model, located), (model, located)])
    assert len({branch.label for branch in tree.branches}) == 2
    inside = tmp_path / "inside" / "deep"
    inside.mkdir(parents=True)
    copied = copy_out(tree, "", Destination(inside / "copy", ()))
    assert copied.files == 3
    assert [path.name for path in inside.iterdir()] == ["copy"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["inside", "model", "run"]


@pytest.mark.parametrize("is_dangling", [True, False])
def test_a_link_in_the_current_folder_is_not_written_through(tmp_path: Path, is_dangling: bool) -> None:
    elsewhere = tmp_path / "elsewhere"
    here = tmp_path / "here"
    here.mkdir()
    if not is_dangling:
        elsewhere.mkdir()
        (elsewhere / "kept").write_text("kept")
    (here / "model").symlink_to(elsewhere)
    source = tmp_path / "source"
    source.mkdir()
    for chosen in (here, here / "model") if is_dangling else (here,):
        with unchanged(tmp_path), pytest.raises(AlreadyThere, match=f"it is a link to {elsewhere}"):
            copy_out(LocalTree(source), "", Destination(path_for("model", chosen), ()))


def test_a_file_behind_a_link_is_replaced_only_when_that_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "source.txt").write_text("new")
    (tmp_path / "precious").write_text("old")
    (tmp_path / "typed").symlink_to("precious")
    path, tree = path_for("source.txt", tmp_path / "typed"), LocalTree(tmp_path)
    with (
        unchanged(tmp_path),
        pytest.raises(AlreadyThere, match=f"typed was not written: it is a link to {tmp_path}/precious"),
    ):
        copy_out(tree, "source.txt", Destination(path, ()))
    copy_out(tree, "source.txt", Destination(path, (), replace=True))
    assert (tmp_path / "precious").read_text() == "new"


def test_a_folder_behind_a_link_is_named_as_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert path_for("model", tmp_path / "link") == tmp_path / "real" / "model"


@pytest.mark.parametrize("ending", ["", "-wal", "-shm", "-journal", "-JOURNAL"])
@pytest.mark.parametrize("which", ["mlflow.db", "registry.db"])
def test_nothing_takes_the_place_of_a_database_or_of_its_journal(tmp_path: Path, which: str, ending: str) -> None:
    """SQLite would play a journal back into the database the next time somebody reads it."""
    databases = (tmp_path / "mlflow.db", tmp_path / "registry.db")
    run, name = tmp_path / "run", which + ending
    run.mkdir()
    (run / name).write_text("foreign")
    for database in databases:
        database.write_text("kept")
    (tmp_path / "link").symlink_to(tmp_path / name)
    for path in (tmp_path / name, tmp_path / "link"):
        destination = Destination(path, databases, replace=True)
        with unchanged(tmp_path), pytest.raises(NotWritten, match="it is the tracking database itself"):
            copy_out(LocalTree(run), name, destination)
        with unchanged(tmp_path), pytest.raises(NotWritten, match="it is the tracking database itself"):
            write_file(destination, ["x"])


def test_a_folder_never_takes_the_place_of_the_one_with_the_database(tmp_path: Path) -> None:
    database = tmp_path / "mlruns" / "mlflow.db"
    (tmp_path / "run" / "mlruns").mkdir(parents=True)
    database.parent.mkdir()
    database.write_text("kept")
    with unchanged(tmp_path), pytest.raises(NotWritten, match="the tracking database lies there"):
        copy_out(LocalTree(tmp_path / "run"), "mlruns", Destination(database.parent, (database,), replace=True))


def test_an_export_says_that_its_name_is_a_link(tmp_path: Path) -> None:
    (tmp_path / "runs.csv").symlink_to(tmp_path / "elsewhere.csv")
    with unchanged(tmp_path), pytest.raises(AlreadyThere, match="is a link to"):
        write_file(Destination(tmp_path / "runs.csv", ()), ["x"])


def test_a_destination_below_a_file(tmp_path: Path) -> None:
    """Nothing can be made there, and nothing can be cleaned up there either."""
    source, file = tmp_path / "source.txt", tmp_path / "file"
    source.write_text("x")
    file.write_text("kept")
    with pytest.raises(NotWritten, match="was not written: Not a directory"):
        copy_out(LocalTree(tmp_path), "source.txt", Destination(file / "copy", ()))
    with pytest.raises(NotWritten, match="was not written: Not a directory"):
        write_file(Destination(file / "copy", ()), ["x"])
    assert file.read_text() == "kept"


def test_a_registry_that_cannot_be_opened_keeps_nobody_from_writing_files(tmp_path: Path) -> None:
    """Its address is no path, and is complained about where it is opened."""
    store = tmp_path / "mlflow.db"
    assert Session(load_settings(registry_store="postgresql://u@host/db"), store).databases == (store,)
    registry = tmp_path / "registry.db"
    assert Session(load_settings(registry_store=str(registry)), store).databases == (store, registry)
