"""The tab of files: the tree of every release, in place and moved, live, searched, and with hostile names."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from mldeck.artifacts.previews.values import NoPreview
from mldeck.artifacts.tree import EntryKind
from mldeck.demo.project import make_demo
from mldeck.ui.files.reading import Folders
from mldeck.ui.files.tree import FileTree
from mldeck.ui.kit.grid import Cell
from tests.fixture_stores import DESCRIBED_FIXTURES, FixtureStore
from tests.privileges import without_root_powers
from tests.ui.deck import running_deck
from tests.ui.files.artifact_deck import FileDeck, files_of
from tests.ui.runs.test_live import writing

LOGREG_FILES = {"blob.bin", "data", "empty.txt", "metrics.json", "notes.txt", "plots", "report.md"}


def folder_of(store: FixtureStore, label: str) -> Path:
    """Where the files of a run are."""
    with writing(store.db) as connection:
        (uri,) = connection.execute("SELECT artifact_uri FROM runs WHERE run_uuid = ?", (store.run(label),)).fetchone()
    return Path(uri.removeprefix("file://"))


def bare(deck: FileDeck) -> set[str]:
    """The names, without marks and what stands behind them."""
    return {name.strip(" ▸▾").split("  ")[0].rstrip("/") for name in deck.names}


def unbroken(deck: FileDeck) -> str:
    """The frame without what may stand between the parts of a long path."""
    return "".join(deck.frame.replace("│", "").split())


@pytest.mark.parametrize("fixture_store", DESCRIBED_FIXTURES, indirect=True)
async def test_a_moved_store_says_where_it_was_found(fixture_store: FixtureStore) -> None:
    moved = fixture_store.path.with_name("elsewhere")
    fixture_store.path.rename(moved)
    async with files_of(moved / "mlflow.db", fixture_store.run("logreg")) as deck:
        assert bare(deck) >= LOGREG_FILES
        found = unbroken(deck)
        assert f"{moved}/" in found
        assert f"(moved,foundbytheendofitspath),recordedas{fixture_store.path}/" in found.replace("file://", "")


async def test_files_that_are_nowhere_are_said_with_the_way_out(store_copy: Callable[[str], FixtureStore]) -> None:
    store = store_copy("mlflow-3.17.2")
    with writing(store.db) as connection:
        connection.execute(
            "UPDATE runs SET artifact_uri = '/gone/9/' || run_uuid || '/artifacts' WHERE run_uuid = ?",
            (store.run("logreg"),),
        )
    shutil.rmtree(folder_of_experiment(store) / store.run("logreg"))
    async with files_of(store.db, store.run("logreg")) as deck:
        await deck.until_shown("--artifact-root")


def folder_of_experiment(store: FixtureStore) -> Path:
    return folder_of(store, "rf5").parent.parent


async def test_another_root_can_be_told(
    store_copy: Callable[[str], FixtureStore], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store = store_copy("mlflow-3.17.2")
    run = store.run("logreg")
    old = folder_of(store, "logreg")
    shutil.move(str(old), tmp_path / "new")
    monkeypatch.setenv("MLDECK_ARTIFACT_ROOTS", f"{old}={tmp_path / 'new'}")
    async with files_of(store.db, run) as deck:
        assert bare(deck) >= LOGREG_FILES
        await deck.until(lambda: "recordedas" in unbroken(deck), "where the database says it is")


async def test_the_server_folder_is_found(store_copy: Callable[[str], FixtureStore]) -> None:
    store = store_copy("rest-3.17.2")
    with writing(store.db) as connection:
        (run,) = connection.execute("SELECT run_uuid FROM runs WHERE artifact_uri LIKE 'mlflow-artifacts:%'").fetchone()
        (experiment,) = connection.execute(
            "SELECT e.name FROM runs r JOIN experiments e USING (experiment_id) WHERE run_uuid = ?", (run,)
        ).fetchone()
    async with files_of(store.db, run, experiment=experiment) as deck:
        await deck.until(lambda: "inthefolderofMLflow'sserver" in unbroken(deck), "where")


async def test_folders_open_and_close(store_copy: Callable[[str], FixtureStore]) -> None:
    store = store_copy("mlflow-3.17.2")
    async with files_of(store.db, store.run("logreg")) as deck:
        await deck.go_to("data")
        await deck.press("right")
        await deck.until(lambda: "    table.csv" in deck.names, "unfolded")
        assert deck.files.row_cells(deck.files.cursor_row)[1].text == "2"
        await deck.press("right")
        assert deck.cursor_path == "data/config.yaml"
        await deck.press("h")
        assert deck.cursor_path == "data"
        await deck.press("h")
        assert "    table.csv" not in deck.names
        await deck.press("enter")
        await deck.until(lambda: "    table.csv" in deck.names, "unfolded")
        await deck.press("enter")
        assert "    table.csv" not in deck.names


async def test_models_of_the_run_are_branches(store_copy: Callable[[str], FixtureStore]) -> None:
    store = store_copy("mlflow-3.17.2")
    model_id = store.manifest["logged_models"][f"model_of_{store.run('logreg')}"]
    async with files_of(store.db, store.run("logreg")) as deck:
        (branch,) = (row for row in deck.files._rows if row.entry and row.entry.kind is EntryKind.MODEL)
        await deck.go_to(f"{branch.path}/MLmodel")
        await deck.press("y")
        assert f"{model_id}/artifacts/MLmodel" in deck.app.clipboard
        assert Path(deck.app.clipboard).is_file()


async def test_finding_goes_through_the_whole_tree(store_copy: Callable[[str], FixtureStore]) -> None:
    store = store_copy("mlflow-3.17.2")
    deep = folder_of(store, "logreg") / "a" / "b" / "c"
    deep.mkdir(parents=True)
    (deep / "Needle-1.txt").touch()
    (deep / "needle-2.txt").touch()
    async with files_of(store.db, store.run("logreg")) as deck:
        await deck.press("slash", *"NEEDLE")
        await deck.until_shown("1 of 2")
        await deck.press("enter")
        await deck.until(lambda: deck.cursor_path == "a/b/c/Needle-1.txt", "the first match")
        await deck.press("n")
        assert deck.cursor_path == "a/b/c/needle-2.txt"
        await deck.press("g", "escape")
        await deck.until(lambda: "    b/" not in deck.names and "  ▸ b/" not in deck.names, "closed again")


async def test_escape_stops_finding(store_copy: Callable[[str], FixtureStore], monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    store = store_copy("mlflow-3.17.2")
    stopped = threading.Event()

    def endless(tree: object, text: str, *, progress: Callable[[int], None], check: Callable[[], None]) -> None:
        progress(12_345)
        try:
            while True:
                check()
        finally:
            stopped.set()

    monkeypatch.setattr("mldeck.ui.files.tree.find", endless)
    async with files_of(store.db, store.run("logreg")) as deck:
        await deck.press("slash", "x")
        await deck.until_shown("searching… 12,345 names · Esc stops")
        await deck.press("escape")
        await deck.until(stopped.is_set, "stopped")
        await deck.until(lambda: deck.files.has_focus, "the tree has the focus")
        await deck.until(lambda: "looking" not in deck.frame, "nothing is looked for")


async def test_what_is_logged_later_appears_and_everything_stays_in_its_place(
    store_copy: Callable[[str], FixtureStore],
) -> None:
    store = store_copy("mlflow-3.17.2")
    folder = folder_of(store, "logreg")
    async with files_of(store.db, store.run("logreg")) as deck:
        await deck.go_to("data/table.csv")
        (folder / "data" / "aaa.txt").write_text("new")
        (folder / "later").mkdir()
        with writing(store.db) as connection:
            connection.execute(
                "INSERT INTO tags (key, value, run_uuid) VALUES ('now', '1', ?)", (store.run("running"),)
            )
        await deck.until(lambda: "    aaa.txt" in deck.names, "the new file")
        assert "▸ later/" in deck.names
        assert deck.cursor_path == "data/table.csv"
        (folder / "data" / "bbb.txt").write_text("new")
        await deck.press("ctrl+r")
        await deck.until(lambda: "    bbb.txt" in deck.names, "read again")
        assert deck.cursor_path == "data/table.csv"
        shutil.rmtree(folder / "data")
        await deck.press("ctrl+r")
        await deck.until(lambda: "    bbb.txt" not in deck.names, "gone")
        await deck.until(lambda: deck.files.cursor_entry is not None, "the cursor is on something")


async def test_hostile_names_and_kinds(store_copy: Callable[[str], FixtureStore]) -> None:
    store = store_copy("mlflow-3.17.2")
    folder = folder_of(store, "logreg")
    (folder / "a\x1b]52;c;x\x07\n[x] [@click=app.quit]y[b]").write_text("x")
    os.mkfifo(folder / "pipe")
    (folder / "out").symlink_to("/etc/passwd")
    (folder / "nowhere").symlink_to("not-there")
    (folder / os.fsdecode(b"\xff\xfe")).write_text("x")
    async with files_of(store.db, store.run("logreg"), size=(200, 50)) as deck:
        text = "\n".join(deck.names)
        assert "a␛]52;c;x" in text
        assert "␇↵[x]" in text
        assert "app.quit]y[b]\n" in text
        assert "pipe  (named pipe)" in text
        assert "out → /etc/passwd  (leads out of the artifacts)" in text
        assert "nowhere → not-there  (broken link)" in text
        assert "\x1b" not in deck.frame
        for name, words in (("pipe", "Named pipes are never opened."), ("out", "is not followed")):
            await deck.go_to(name)
            await deck.until_shown(words)
            await deck.press("v")
            await deck.until_viewed(name)
            assert words in deck.frame
            await deck.press("escape")


async def test_a_folder_that_may_not_be_read(store_copy: Callable[[str], FixtureStore]) -> None:
    store = store_copy("mlflow-3.17.2")
    closed = folder_of(store, "logreg") / "closed"
    closed.mkdir()
    closed.chmod(0)
    with without_root_powers():
        async with files_of(store.db, store.run("logreg")) as deck:
            assert any("closed/  (no permission)" in name for name in deck.names)
            await deck.go_to("closed")
            await deck.press("right")
            await deck.until(lambda: any("cannot be read" in name for name in deck.names), "why not")
    closed.chmod(0o700)


async def test_ten_thousand_files(store_copy: Callable[[str], FixtureStore]) -> None:
    store = store_copy("mlflow-3.17.2")
    many = folder_of(store, "logreg") / "many"
    many.mkdir()
    for number in range(10_000):
        (many / f"file-{number:05}").touch()
    async with files_of(store.db, store.run("logreg")) as deck:
        await deck.go_to("many")
        painted: list[int] = []
        real = FileTree.row_cells

        def row_cells(row: int) -> Sequence[Cell]:
            painted.append(row)
            return real(deck.files, row)

        deck.files.row_cells = row_cells  # type: ignore[method-assign]
        await deck.press("right")
        await deck.until_shown("file-00000")
        assert len(set(painted)) < 200
        assert "10,000" in deck.frame
        del deck.files.row_cells
        await deck.press("G")
        await deck.until(lambda: deck.cursor_path is not None and not deck.cursor_path.startswith("many"), "the end")


async def test_a_run_without_files_says_what_to_do(store_copy: Callable[[str], FixtureStore]) -> None:
    store = store_copy("mlflow-3.17.2")
    folder = folder_of(store, "rf20")
    assert not folder.exists()
    async with files_of(store.db, store.run("rf20")) as deck:
        await deck.until_shown("mlflow.log_artifact()")
        assert f"{folder}:nothingthere" in unbroken(deck)
        assert "--artifact-root" in deck.frame
        folder.mkdir(parents=True)
        await deck.press("ctrl+r")
        await deck.until(lambda: "--artifact-root" not in deck.frame, "there is a folder now")
        assert "mlflow.log_artifact()" in deck.frame


async def test_places_that_cannot_be_listed_say_what_to_do(
    store_copy: Callable[[str], FixtureStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_copy("mlflow-3.17.2")

    def missing(*_: object) -> None:
        raise ImportError

    monkeypatch.setattr("mldeck.artifacts.remote._connected", missing)
    async with files_of(store.db, store.run("in_s3"), experiment=experiment_of(store, "in_s3")) as deck:
        await deck.until_shown("Enter asks")
        await deck.press("enter")
        await deck.until_shown("Connect to s3://example-bucket?")
        await deck.press("y")
        await deck.until_shown("mldeck[s3]")
        with writing(store.db) as connection:
            connection.execute("UPDATE runs SET artifact_uri = replace(artifact_uri, 's3:', 'dbfs:')")
        await deck.until(lambda: "mldeckcannotlistdbfs:locations" in unbroken(deck), "it cannot be listed")
        assert unbroken(deck).count("cannotlist") == 1
        assert "--artifact-rootdbfs:" in unbroken(deck)


async def test_the_demo(tmp_path: Path) -> None:
    database = make_demo(tmp_path / "demo")
    with writing(database) as connection:
        run, experiment = connection.execute(
            "SELECT r.run_uuid, e.name FROM runs r JOIN experiments e USING (experiment_id)"
            " WHERE r.name = 'candidate-sweep-best'"
        ).fetchone()
    async with files_of(database, run, experiment=experiment) as deck:
        assert {"churn_model", "plots", "tables", "metrics.json", "report.md", "train.log"} <= bare(deck)
        await deck.press("slash", ".", "enter")
        await deck.until(lambda: deck.cursor_path is not None and "." in deck.cursor_path, "a file")
        first = deck.cursor_path
        one_of_each: dict[str, str] = {}
        path = first
        while path is not None:
            one_of_each.setdefault(path.rpartition(".")[2], path)
            await deck.press("n")
            path = deck.cursor_path if deck.cursor_path != first else None
        assert set(one_of_each) >= {"csv", "json", "log", "md", "png", "txt", "yaml"}
        for path in one_of_each.values():
            await deck.view(path)
            assert not isinstance(deck.preview.content, NoPreview), deck.frame
            await deck.press("escape")
            await deck.until(lambda: len(deck.app.screen_stack) == 1, "back")


def experiment_of(store: FixtureStore, label: str) -> str:
    with writing(store.db) as connection:
        (name,) = connection.execute(
            "SELECT e.name FROM runs r JOIN experiments e USING (experiment_id) WHERE run_uuid = ?",
            (store.run(label),),
        ).fetchone()
    return str(name)


async def test_an_experiment_has_no_files_of_its_own(store_copy: Callable[[str], FixtureStore]) -> None:
    store = store_copy("mlflow-3.17.2")
    async with running_deck(store.db, experiment="churn-baseline") as deck:
        await deck.until_counted(12)
        await deck.press("shift+tab")
        await deck.until(lambda: deck.screen.inspector.border_title == "churn-baseline", "the experiment")
        await deck.press(*["right_square_bracket"] * 4)
        await deck.until_shown("Files belong to runs.")
        await deck.press("left_square_bracket", "right_square_bracket")
        await deck.until_shown("Files belong to runs.")


async def test_nothing_is_loaded_before_the_tab_is_visited(store_copy: Callable[[str], FixtureStore]) -> None:
    async with running_deck(store_copy("mlflow-3.17.2").db, experiment="churn-baseline") as deck:
        await deck.until_counted(12)
        assert not deck.screen.query(FileTree)


def test_rows_follow_what_is_open() -> None:
    from mldeck.artifacts.tree import Entry
    from mldeck.ui.files.reading import Listing

    def folder(path: str) -> Entry:
        return Entry(path, EntryKind.FOLDER, is_dir=True)

    folders = Folders(tree=None)  # type: ignore[arg-type]
    assert [(row.path, row.word) for row in folders.rows()] == [("", "…")]
    assert folders.wanted() == [""]
    folders.listed[""] = Listing([folder("a"), folder("b"), Entry("c", EntryKind.FILE)])
    folders.show(["a/x/file"])
    assert folders.opened == {"", "a", "a/x"}
    assert folders.wanted() == ["a"]
    folders.listed["a"] = Listing([folder("a/x")])
    assert folders.wanted() == ["a/x"]
    folders.listed["a/x"] = Listing(problem="not allowed")
    assert [(row.path, row.depth, row.word) for row in folders.rows()] == [
        ("a", 0, ""),
        ("a/x", 1, ""),
        ("a/x", 2, "not allowed"),
        ("b", 0, ""),
        ("c", 0, ""),
    ]
    assert folders.wanted() == []
