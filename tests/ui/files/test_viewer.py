"""One file full screen: every kind of preview, the keys of the viewer, and files that mean harm."""

from __future__ import annotations

import hashlib
import json
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.app import App
from textual.widgets import Input

from mldeck.artifacts.previews.values import ImagePreview, NoPreview, TablePreview, TextPreview
from mldeck.ui.files.preview import pane as preview_pane
from mldeck.ui.files.preview.image_view import ImageView
from mldeck.ui.files.preview.table_view import TableView
from mldeck.ui.files.preview.text_view import TextView
from mldeck.ui.files.preview.value_tree import ValueTree
from mldeck.ui.files.reading import SubjectContent, read_content
from mldeck.ui.files.viewer import ArtifactScreen
from mldeck.ui.kit.dialogs.text import TextDialog
from mldeck.ui.kit.line_view import LineView
from tests.fixture_stores import FixtureStore
from tests.ui.files.artifact_deck import files_of
from tests.ui.files.test_tree import folder_of
from tests.ui.textual_insides import painted


@pytest.fixture
def store(store_copy: Callable[[str], FixtureStore]) -> FixtureStore:
    return store_copy("mlflow-3.17.2")


@pytest.fixture
def folder(store: FixtureStore) -> Path:
    """Of the run `logreg`."""
    return folder_of(store, "logreg")


# -- kinds


KINDS = (
    ("a.npz", TableView, "3 x 4"),
    ("blob.bin", LineView, "00000000"),
    ("data/config.yaml", ValueTree, "YAML"),
    ("data/table.csv", TableView, "CSV table"),
    ("empty.txt", type(None), "There is nothing in it."),
    ("evil.pkl", LineView, "Never loaded"),
    ("metrics.json", ValueTree, "JSON"),
    ("notes.txt", TextView, "UTF-8 text"),
    ("plots/curve.png", ImageView, "PNG image"),
    ("report.md", LineView, "UTF-8 text"),
    ("z.zip", TableView, "in/side.txt"),
)


async def test_every_kind_of_file(store: FixtureStore, folder: Path) -> None:
    import numpy

    numpy.savez(folder / "a.npz", weights=numpy.zeros((3, 4), dtype="float32"))
    with zipfile.ZipFile(folder / "z.zip", "w") as archive:
        archive.writestr("in/side.txt", "x" * 100)
    (folder / "evil.pkl").write_bytes(b"\x80\x04cos\nsystem\n(S'touch /tmp/owned'\ntR.")
    async with files_of(store.db, store.run("logreg")) as deck:
        for path, view, text in KINDS:
            await deck.view(path)
            assert isinstance(deck.preview.view, view)
            await deck.until_shown(text)
            await deck.press("escape")
            await deck.until(lambda: len(deck.app.screen_stack) == 1, "back")
            assert deck.cursor_path == path
            assert deck.files.has_focus


async def test_json_folds(store: FixtureStore, folder: Path) -> None:
    (folder / "deep.json").write_text(json.dumps({"first": {"inner": [1, 2]}, "many": list(range(1000)), "last": "x"}))
    async with files_of(store.db, store.run("logreg")) as deck:
        await deck.view("deep.json")
        await deck.until_shown("many  [1,000]")
        assert "inner" in deck.frame
        await deck.press("left")
        await deck.until(lambda: "inner" not in deck.frame, "folded")
        await deck.press("enter")
        await deck.until_shown("inner")
        await deck.press("G", "y")
        assert deck.app.clipboard == "x"
        await deck.press("R")
        await deck.until(lambda: isinstance(deck.preview.view, TextView), "the text")
        await deck.until_shown('{"first"')
        await deck.press("R")
        await deck.until(lambda: isinstance(deck.preview.view, ValueTree), "the tree again")


async def test_a_table_of_no_rows(store: FixtureStore, folder: Path) -> None:
    (folder / "empty.csv").write_text("name,other\n")
    async with files_of(store.db, store.run("logreg")) as deck:
        await deck.view("empty.csv")
        await deck.until_shown("0 rows · 2 columns")
        await deck.press("j", "l", "y", "G")
        await deck.until_shown("other")


async def test_a_long_cell_keeps_what_differs_and_is_shown_in_full(store: FixtureStore, folder: Path) -> None:
    comments = [f"a comment that is the same at the beginning of every line, and ends in {n}" for n in (11, 22)]
    (folder / "long.csv").write_text("\n".join(["comment", *(f'"{comment}"' for comment in comments)]))
    async with files_of(store.db, store.run("logreg")) as deck:
        await deck.view("long.csv")
        await deck.until_shown("ends in 11")
        assert "ends in 22" in deck.frame
        assert comments[0] not in deck.frame
        await deck.press("down", "enter")
        await deck.until(lambda: isinstance(deck.app.screen, TextDialog), "the cell")
        await deck.press("y")
        assert deck.app.clipboard == comments[1]


async def test_a_json_nested_too_deep(store: FixtureStore, folder: Path) -> None:
    (folder / "deep.json").write_text("[" * 10_000 + "]" * 10_000)
    async with files_of(store.db, store.run("logreg")) as deck:
        await deck.view("deep.json")
        await deck.press("right", "right", "G", "left", "end")
        assert deck.app.is_running


async def test_a_large_table_is_counted_on_demand(store: FixtureStore, folder: Path) -> None:
    lines = "\n".join(f"{number},{'x' * 50}" for number in range(100_000))
    (folder / "large.csv").write_text(f"id,text\n{lines}\n")
    async with files_of(store.db, store.run("logreg")) as deck:
        await deck.view("large.csv")
        await deck.until_shown("first 1,000 rows, not counted")
        assert "integer" in deck.frame
        await deck.press("r")
        await deck.until_shown("100,000 rows in all")


async def test_the_hash_is_worked_out_on_demand(store: FixtureStore, folder: Path) -> None:
    expected = hashlib.sha256((folder / "blob.bin").read_bytes()).hexdigest()
    async with files_of(store.db, store.run("logreg")) as deck:
        await deck.view("blob.bin")
        await deck.press("s")
        await deck.until_shown(expected)
        assert deck.app.clipboard == expected


async def test_escape_stops_working_out(store: FixtureStore, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = threading.Event()

    def endless(source: object, check: Callable[[], None], progress: Callable[[int], None]) -> str:
        progress(0)
        try:
            while True:
                check()
        finally:
            stopped.set()

    monkeypatch.setattr("mldeck.ui.files.viewer.sha256", endless)
    async with files_of(store.db, store.run("logreg")) as deck:
        await deck.view("blob.bin")
        await deck.press("s")
        await deck.until_shown("Esc stops")
        await deck.press("escape")
        await deck.until(stopped.is_set, "stopped")
        await deck.until(lambda: "working" not in deck.frame, "it says so")
        assert deck.viewer is deck.app.screen


async def test_next_and_previous_file(store: FixtureStore) -> None:
    async with files_of(store.db, store.run("logreg")) as deck:
        await deck.view("blob.bin")
        await deck.until_shown("1 of 5 files")
        await deck.press("right_square_bracket")
        await deck.until_viewed("empty.txt")
        await deck.press("left_square_bracket", "left_square_bracket")
        await deck.until_viewed("report.md")


# -- texts


def numbered(folder: Path, count: int = 20_000) -> Path:
    file = folder / "long.log"
    file.write_text("".join(f"line {number} of this log\n" for number in range(1, count + 1)))
    return file


async def test_a_long_text_is_read_as_one_goes(store: FixtureStore, folder: Path) -> None:
    numbered(folder)
    async with files_of(store.db, store.run("logreg")) as deck:
        await deck.view("long.log")
        view = deck.text

        def held() -> list[int]:
            return [int(line.split()[1]) for page in view._pages for line in page.lines]

        async def go_near(end: int) -> None:
            """More is read there; the cursor stays on its line, and nothing is left out."""
            before = held()
            view.move_to(3 if end < 0 else view.row_count - 3)
            line = view.copied_text()
            await deck.until(lambda: held() != before, "another page")
            assert view.copied_text() == line
            numbers = held()
            assert numbers == list(range(numbers[0], numbers[-1] + 1))
            assert len(view._pages) <= 4

        for _ in range(5):
            await go_near(1)
        assert held()[0] > 1
        while held()[0] > 1:
            await go_near(-1)
        await deck.press("G")
        await deck.until_shown("line 20000 of this log")
        await deck.until_shown("100 %")
        await go_near(-1)
        await go_near(-1)
        assert held()[-1] == 20_000
        await deck.press("g")
        await deck.until_shown("line 1 of this log")


async def test_finding_in_a_text(store: FixtureStore, folder: Path) -> None:
    numbered(folder)
    async with files_of(store.db, store.run("logreg")) as deck:
        await deck.view("long.log")
        await deck.press("slash", *"LINE 15000", "enter")
        await deck.until(lambda: deck.text.copied_text() == "line 15000 of this log", "the match")
        await deck.until_shown("line 15000")
        await deck.press("slash", *"line 77", "enter")
        await deck.until(lambda: (deck.text.copied_text() or "").startswith("line 77"), "wrapped around")
        first = deck.text.copied_text()
        await deck.press("n")
        await deck.until(lambda: deck.text.copied_text() != first, "the next")
        await deck.press("N")
        await deck.until(lambda: deck.text.copied_text() == first, "the previous one")
        await deck.press("number_sign")
        await deck.until_shown(f"{int((first or '').split()[1])} line 77")
        await deck.press("slash", *"no such thing")
        await deck.until_shown("no match")
        await deck.press("escape", "escape")
        await deck.until(lambda: len(deck.app.screen_stack) == 1, "back")


async def test_escape_stops_finding_in_a_text(
    store: FixtureStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbered(folder, 100)
    stopped = threading.Event()

    def endless(*arguments: object) -> None:
        check, progress = arguments[-2:]
        assert callable(check)
        assert callable(progress)
        progress(1_000)
        try:
            while True:
                check()
        finally:
            stopped.set()

    monkeypatch.setattr("mldeck.ui.files.preview.text_view.find_next", endless)
    async with files_of(store.db, store.run("logreg")) as deck:
        await deck.view("long.log")
        await deck.press("slash", "x", "enter")
        await deck.until_shown("Esc stops")
        await deck.press("escape")
        await deck.until(stopped.is_set, "stopped")
        await deck.until(lambda: "looking" not in deck.frame, "it says so")
        assert deck.viewer is deck.app.screen


async def test_wrapping_and_line_numbers(store: FixtureStore, folder: Path) -> None:
    (folder / "wide.py").write_text("x = 1  # " + "wide " * 60 + "END\ny = 2\n")
    async with files_of(store.db, store.run("logreg")) as deck:
        await deck.view("wide.py")
        await deck.until_shown("1 x = 1")
        assert "END" not in deck.frame
        await deck.press("w")
        await deck.until_shown("END")
        await deck.press("number_sign")
        await deck.until(lambda: "1 x = 1" not in deck.frame, "no numbers")
        await deck.press("w", *["right"] * 30)
        await deck.until_shown("END")
        await deck.until(lambda: any(deck.text._pages[0].spans), "colours")


async def test_a_text_never_acts(store: FixtureStore, folder: Path) -> None:
    evil = "\x1b]52;c;eA==\x07\x1b[2J[/x] [@click=app.quit]y[/] [bold]z\r\n"
    for name in ("evil.txt", "evil.md", "evil.py"):
        (folder / name).write_text(evil * 3)
    (folder / "evil.csv").write_text(f"a,b\n{evil.strip()},2\n")
    (folder / "evil.json").write_text(json.dumps({evil: [evil]}))
    async with files_of(store.db, store.run("logreg")) as deck:
        for name in ("evil.txt", "evil.md", "evil.py", "evil.csv", "evil.json"):
            await deck.view(name)
            await deck.until_shown("␛")
            assert "\x1b" not in deck.frame
            assert "[/x]" in deck.frame
            await deck.press("R", "G", "y", "escape")
            await deck.until(lambda: len(deck.app.screen_stack) == 1, "back")


async def test_a_file_that_vanishes_or_changes(store: FixtureStore, folder: Path) -> None:
    file = numbered(folder)
    async with files_of(store.db, store.run("logreg")) as deck:
        await deck.view("long.log")
        file.unlink()
        await deck.press("G")
        await deck.until_shown("cannot be read any more")
        await deck.press("R")
        await deck.until(lambda: isinstance(deck.preview.content, NoPreview), "it is gone")


# -- taking away


async def test_copying_path_and_text(store: FixtureStore, folder: Path) -> None:
    async with files_of(store.db, store.run("logreg")) as deck:
        await deck.view("notes.txt")
        await deck.press("c")
        assert deck.app.clipboard == str(folder / "notes.txt")
        await deck.press("Y")
        text = (folder / "notes.txt").read_text()
        await deck.until(lambda: deck.app.clipboard == text, "the text")


async def test_downloading_a_file_and_a_folder(store: FixtureStore, folder: Path, isolated: Path) -> None:
    async with files_of(store.db, store.run("logreg")) as deck:
        await deck.go_to("notes.txt")
        await deck.press("d")
        await deck.until_shown("Download notes.txt")
        await deck.press("enter")
        await deck.until(lambda: (isolated / "notes.txt").exists(), "the copy")
        assert (isolated / "notes.txt").read_bytes() == (folder / "notes.txt").read_bytes()
        (isolated / "notes.txt").write_text("mine")
        await deck.until(lambda: len(deck.app.screen_stack) == 1, "the dialog is gone")
        await deck.press("d")
        await deck.until_shown("Download notes.txt")
        await deck.press("enter")
        await deck.until_shown("already exists: Enter replaces it.")
        assert (isolated / "notes.txt").read_text() == "mine"
        await deck.press("enter")
        await deck.until(lambda: (isolated / "notes.txt").read_text() != "mine", "replaced")
        await deck.go_to("data")
        await deck.press("d")
        await deck.until_shown("Download data")
        deck.app.screen.query_one(Input).value = str(isolated / "other")
        await deck.press("enter")
        await deck.until(lambda: (isolated / "other" / "table.csv").exists(), "the folder")


async def test_escape_stops_a_download(store: FixtureStore, isolated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = threading.Event()

    def endless(*_: object, progress: Callable[[int, int], None], check: Callable[[], None], **__: object) -> None:
        progress(5_000_000, 10_000_000)
        try:
            while True:
                check()
        finally:
            stopped.set()

    monkeypatch.setattr("mldeck.ui.files.download_dialog.copy_out", endless)
    async with files_of(store.db, store.run("logreg")) as deck:
        await deck.go_to("notes.txt")
        await deck.press("d", "enter")
        await deck.until_shown("5.0 MB of 10 MB… Esc stops")
        await deck.press("escape")
        await deck.until(stopped.is_set, "stopped")
        await deck.until_shown("nothing was written")
        await deck.press("escape")
        await deck.until(lambda: len(deck.app.screen_stack) == 1, "the dialog is gone")


async def test_other_programs(
    store: FixtureStore, folder: Path, isolated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "a; touch owned $(touch owned).txt"
    (folder / name).write_text("x")
    program = isolated / "program.py"
    program.write_text("import sys, pathlib; pathlib.Path(sys.argv[1]).write_text(repr(sys.argv[2:]))")
    for variable in ("PAGER", "EDITOR"):
        monkeypatch.setenv(variable, f"{sys.executable} {program} {isolated / variable}")
    monkeypatch.setattr("textual.app.App.suspend", _no_suspend)
    async with files_of(store.db, store.run("logreg")) as deck:
        await deck.go_to(name)
        await deck.press("o", "e")
        await deck.until(lambda: (isolated / "EDITOR").exists(), "the editor")
        monkeypatch.setenv("PAGER", "no-such-program")
        await deck.press("o")
        await deck.until_shown("no-such-program")
    for variable in ("PAGER", "EDITOR"):
        assert (isolated / variable).read_text() == repr([str(folder / name)])
    assert not list(isolated.rglob("owned"))


async def test_a_file_that_another_program_changes(
    store: FixtureStore, folder: Path, isolated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = isolated / "program.py"
    program.write_text("import sys; open(sys.argv[1], 'a').write('one more line\\n' * 3)")
    monkeypatch.setenv("EDITOR", f"{sys.executable} {program}")
    monkeypatch.setattr("textual.app.App.suspend", _resuming)
    (folder / "short.txt").write_text("first\n")
    async with files_of(store.db, store.run("logreg")) as deck:
        await deck.go_to("short.txt")
        beside = deck.pane.preview
        await deck.until(lambda: isinstance(beside.view, TextView) and beside.view.text == "first\n", "the text")
        await deck.press("e")
        await deck.until(lambda: isinstance(beside.view, TextView) and beside.view.row_count == 4, "the new text")
        await deck.view("short.txt")
        await deck.press("s")
        await deck.until(lambda: deck.preview.extra.startswith("SHA-256"), "the hash")
        await deck.press("e")
        await deck.until(lambda: deck.text.row_count == 7, "the new text, full screen")
        await deck.until_shown("90 B")
        assert not deck.preview.extra, "the hash of the old text"


@contextmanager
def _resuming(app: App[str]) -> Iterator[None]:
    """There is no terminal to give away, and the application hears that it has it back."""
    yield
    app.app_resume_signal.publish(app)


async def test_where_in_a_text_the_cursor_is(store: FixtureStore, folder: Path) -> None:
    (folder / "short.txt").write_text("one\ntwo\n")
    (folder / "long.txt").write_text("line\n" * 200)
    async with files_of(store.db, store.run("logreg")) as deck:
        await deck.view("short.txt")
        await deck.until_shown("line 1 of 2")
        await deck.press("j")
        await deck.until_shown("line 2 of 2")
        await deck.press("escape")
        await deck.until(lambda: len(deck.app.screen_stack) == 1, "back")
        await deck.view("long.txt")
        await deck.until_shown("line 1 · 0 %")
        await deck.press("G")
        await deck.until_shown("line 200 · 100 %")


def _no_suspend(_: object) -> object:
    """There is no terminal to give away."""
    from contextlib import nullcontext

    return nullcontext()


# -- beside the tree


async def test_the_preview_follows_the_cursor(store: FixtureStore) -> None:
    async with files_of(store.db, store.run("logreg")) as deck:
        beside = deck.pane.preview
        await deck.go_to("data/table.csv")
        await deck.until(lambda: isinstance(beside.content, TablePreview), "the table")
        await deck.go_to("plots/curve.png")
        await deck.until(lambda: isinstance(beside.content, ImagePreview), "the picture")
        await deck.go_to("notes.txt")
        await deck.until(lambda: isinstance(beside.content, TextPreview), "the text")
        await deck.go_to("data")
        await deck.until_shown("files    2")
        await deck.press("tab")
        assert deck.files.files is not None


async def test_a_picture_fits_its_room(store: FixtureStore) -> None:
    async with files_of(store.db, store.run("logreg")) as deck:
        await deck.view("plots/curve.png")
        content = deck.preview.content
        assert isinstance(content, ImagePreview)
        assert len(content.rows) <= deck.preview.body.size.height
        await deck.pilot.resize_terminal(80, 24)
        await deck.until(
            lambda: (
                isinstance(deck.preview.content, ImagePreview)
                and deck.preview.content is not content
                and len(deck.preview.content.rows[0]) <= 80
            ),
            "smaller",
        )


async def test_a_tall_picture_is_scrolled_and_zoomed(store: FixtureStore, folder: Path) -> None:
    from PIL import Image

    picture = Image.new("RGB", (640, 4_030), (255, 0, 0))
    picture.paste((0, 0, 255), (0, 2_015, 640, 4_030))
    picture.save(folder / "tall.png")
    async with files_of(store.db, store.run("logreg")) as deck:
        await deck.view("tall.png")

        def view() -> ImageView:
            assert isinstance(deck.preview.view, ImageView)
            return deck.preview.view

        def colours(y: int) -> set[object]:
            styles = (segment.style for segment in view().render_line(y) if segment.text.startswith("▀"))
            return {style.color.triplet.rgb for style in styles if style and style.color and style.color.triplet}

        await deck.until(lambda: view().size.width, "it is there")
        room = deck.preview.body.size
        await deck.until(lambda: view().preview.rows.columns == room.width - 1, "as wide as the room")
        assert view().max_scroll_y == len(view().preview.rows) - room.height
        assert view().max_scroll_x == 0
        assert colours(0) == {"rgb(255,0,0)"}
        assert view().has_focus
        await deck.press("G")
        await deck.until(lambda: view().scroll_offset.y == view().max_scroll_y, "at the end")
        assert colours(room.height - 1) == {"rgb(0,0,255)"}
        await deck.press("g")
        await deck.until(lambda: view().scroll_offset.y == 0, "at the beginning")
        await deck.press("pagedown")
        await deck.until(lambda: view().scroll_offset.y > 0, "a page down")
        before, (_, down) = view(), view().centre
        await deck.press("plus")
        await deck.until(lambda: view() is not before and view().size.width, "larger")
        await deck.until_shown("· at 27 %")
        assert view().max_scroll_x > 0
        await deck.until(lambda: abs(view().centre[1] - down) < 0.01, "what was in the middle is there again")
        assert view().has_focus
        for _ in range(9):
            await deck.press("minus")
            await deck.until(lambda: view().size.width and deck.preview._zoom == view().preview.zoom, "drawn")
        await deck.until_shown("All of the picture is in view")
        assert len(view().preview.rows) <= room.height
        assert (view().max_scroll_x, view().max_scroll_y) == (0, 0)
        await deck.press("0")
        await deck.until(lambda: view().preview.rows.columns == room.width - 1, "as it came up")


async def test_the_content_is_painted_once(
    store_copy: Callable[[str], FixtureStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the focus nor a second layout paint it again."""
    may_read = threading.Event()

    def read_later(*arguments: Any) -> SubjectContent:
        may_read.wait(10)
        return read_content(*arguments)

    store = store_copy("mlflow-3.17.2")
    async with files_of(store.db, store.run("logreg")) as deck:
        await deck.go_to("metrics.json")
        beside = deck.pane.preview
        await deck.until(
            lambda: isinstance(beside.view, ValueTree) and beside.view.size.width, "the preview beside the tree"
        )
        monkeypatch.setattr(preview_pane, "read_content", read_later)
        await deck.press("v")
        await deck.until_shown("reading…")
        sent = painted(deck.app, monkeypatch)
        may_read.set()
        await deck.until(lambda: deck.preview.view is not None and deck.preview.view.has_focus, "the focus")
        await deck.pilot.pause(0.3)
        large = [update for update in sent if sum(region.area for region in update) > deck.app.size.area // 2]
        assert len(large) == 1


async def test_the_titles_are_there_from_the_first_paint(store_copy: Callable[[str], FixtureStore]) -> None:
    store = store_copy("mlflow-3.17.2")
    async with files_of(store.db, store.run("logreg")) as deck:
        await deck.view("metrics.json")
        again = ArtifactScreen(deck.viewer.subject, [], [])
        assert again.pane.border_title == deck.preview.border_title
