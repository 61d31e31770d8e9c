"""Pictures in terminals that draw them: what is sent is the picture, where it belongs, and no answer is taken for a key."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from mldeck.store.seed.seed import new_store
from tests.terminal.graphics_terminal import (
    ATTRIBUTES,
    CELL,
    CELL_SIZE,
    ITERM,
    KITTY,
    NAME,
    SILENT,
    SIXEL,
    GraphicsTerminal,
    difference,
    name_answer,
)
from tests.terminal.terminal import BARE_ESC, ENTER, ESC, MLDECK

pytestmark = pytest.mark.slow

NOW = 1_760_000_000_000


def figure(width: int, height: int) -> Image.Image:
    """A picture without any symmetry."""
    image = Image.linear_gradient("L").resize((width, height))
    picture = Image.merge("RGB", (image, image.transpose(Image.Transpose.FLIP_TOP_BOTTOM), image.point([40] * 256)))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, width // 3, height // 4), fill=(255, 0, 0))
    draw.ellipse((width // 2, height // 2, width - 10, height - 10), fill=(255, 255, 255))
    draw.line((0, height, width, 0), fill=(0, 0, 0), width=5)
    return picture


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The folder of the artifacts of the only run, in the store `mlflow.db` some levels above."""
    with new_store(tmp_path / "mlflow.db", artifact_root=tmp_path / "mlruns", time=NOW) as writer:
        experiment = writer.create_experiment("pictures", artifact_root=tmp_path / "pictures", time=NOW)
        run = writer.create_run(experiment, "the-run", user="me", time=NOW)
        writer.end_run(run, "FINISHED", NOW + 1)
    folder = tmp_path / "pictures" / experiment / run / "artifacts"
    folder.mkdir(parents=True)
    figure(400, 300).save(folder / "figure.png")
    return folder


def deck(files: Path, answers: Mapping[bytes, bytes], **options: Any) -> GraphicsTerminal:
    argv = [MLDECK, str(files.parents[3] / "mlflow.db"), "--experiment", "pictures"]
    environment = {"TERM_PROGRAM": "", **options.pop("env", {})}
    return GraphicsTerminal(argv, answers, **{"cols": 80, "rows": 24, "env": environment, **options})


def open_files(terminal: GraphicsTerminal) -> None:
    terminal.wait_for("the-run")
    terminal.wait_for("live · rw")
    terminal.press(ENTER, re.compile("Overview"))
    terminal.send("]" * 4)
    terminal.wait_for("figure.png")
    terminal.wait_for("v view")


def open_picture(terminal: GraphicsTerminal) -> None:
    open_files(terminal)
    terminal.press("v", "─ figure.png ─")
    terminal.wait_for("400 x 300")


def assert_shows(terminal: GraphicsTerminal, picture: Image.Image, box: tuple[int, int, int, int]) -> None:
    drawn = terminal.drawn()
    assert drawn is not None, terminal.frame()
    assert drawn[0] == box
    size = (box[2] - box[0]) * CELL[0], (box[3] - box[1]) * CELL[1]
    assert difference(drawn[1], picture.resize(size, Image.Resampling.LANCZOS)) < 6


def assert_blocks(terminal: GraphicsTerminal) -> None:
    """Half blocks, and nothing that draws."""
    terminal.wait_for("▀▀▀▀")
    terminal.settle()
    assert terminal.drawn() is None
    for begin in (b"\x1b_G", b"\x1b]1337;", b"\x1bPq", b"\x1bP0"):
        assert begin not in terminal.raw


WHOLE = (1, 2, 55, 22)
"""Where the figure is on 80 columns: 320 of 400 pixels high, so 54 columns wide."""


def assert_a_dialog_removes_it(terminal: GraphicsTerminal) -> None:
    """Open the picture, open a dialog over it, and close that: only then the picture is there."""
    open_picture(terminal)
    terminal.wait_for(lambda: terminal.drawn() is not None)
    terminal.press("?", "Keys")
    terminal.settle()
    assert terminal.drawn() is None
    terminal.press(ESC, lambda: terminal.drawn() is not None)
    terminal.settle()
    assert_shows(terminal, figure(400, 300), WHOLE)


class TestKitty:
    def test_the_picture_is_where_half_blocks_would_be(self, files: Path) -> None:
        with deck(files, KITTY) as terminal:
            open_files(terminal)
            assert not terminal.questions, "nothing is asked before there is a picture"
            before = len(terminal.raw)
            terminal.press("v", "400 x 300")
            terminal.wait_for(lambda: terminal.drawn() is not None)
            terminal.settle()
            assert_shows(terminal, figure(400, 300), WHOLE)
            assert terminal.questions == [NAME, CELL_SIZE, ATTRIBUTES]
            assert "▀" not in terminal.raw[before:].decode(), "half blocks are not sent before"
            assert sum(map(len, re.findall(rb"\x1b_G[^\x1b]*", terminal.raw))) < 20_000

    def test_a_dialog_and_leaving_remove_it(self, files: Path) -> None:
        with deck(files, KITTY) as terminal:
            assert_a_dialog_removes_it(terminal)
            assert len(terminal.kitty_pictures) == 1, "it was sent once"
            terminal.press("q", "the-run")
            terminal.wait_for(lambda: not terminal.kitty_pictures)
            assert terminal.drawn() is None

    def test_nothing_stays_in_the_terminal(self, files: Path) -> None:
        with deck(files, KITTY) as terminal:
            open_picture(terminal)
            terminal.wait_for(lambda: terminal.drawn() is not None)
            terminal.send("\x11")  # ctrl+q leaves
            assert terminal.wait_exit() == 0
            assert not terminal.kitty_pictures
            terminal.assert_left_as_found()

    def test_a_large_picture_is_sent_as_it_comes_into_view(self, files: Path) -> None:
        tall = figure(600, 6_000)
        tall.save(files / "figure.png")
        with deck(files, KITTY) as terminal:
            open_files(terminal)
            terminal.press("v", "600 x 6,000")
            terminal.wait_for(lambda: terminal.drawn() is not None)
            terminal.settle()
            sent = sum(placed.lines * placed.columns for placed in terminal.kitty_pictures.values())
            assert sent == 32 * 77
            drawn = terminal.drawn()
            assert drawn is not None
            assert drawn[0] == (1, 2, 78, 22)
            scale = 600 / (77 * CELL[0])
            seen = tall.resize(drawn[1].size, Image.Resampling.LANCZOS, (0, 0, 600, 20 * CELL[1] * scale))
            assert difference(drawn[1], seen) < 8

    def test_a_photograph_is_sent_with_fewer_pixels(self, files: Path) -> None:
        Image.effect_noise((1_600, 1_200), 100).convert("RGB").save(files / "figure.png")
        with deck(files, KITTY) as terminal:
            open_files(terminal)
            terminal.press("v", "1,600 x 1,200")
            terminal.wait_for(lambda: terminal.drawn() is not None)
            terminal.settle()
            (placed,) = terminal.kitty_pictures.values()
            commands = sum(map(len, re.findall(rb"\x1b_G[^\x1b]*", terminal.raw)))
            assert commands < 140 * placed.lines * placed.columns, "base64 of 100 bytes for each cell"
            assert placed.image.width > 4 * placed.columns, "still finer than half blocks"

    def test_a_smaller_window(self, files: Path) -> None:
        with deck(files, KITTY) as terminal:
            open_picture(terminal)
            terminal.wait_for(lambda: terminal.drawn() is not None)
            terminal.resize(60, 14)
            terminal.wait_for(lambda: (drawn := terminal.drawn()) is not None and drawn[0] == (1, 2, 28, 12))
            terminal.settle()
            assert_shows(terminal, figure(400, 300), (1, 2, 28, 12))
            assert len(terminal.kitty_pictures) == 1, "the one before is forgotten"


class TestPainting:
    @pytest.mark.parametrize("answers", [ITERM, SIXEL], ids=["iterm", "sixel"])
    def test_the_picture_is_painted_where_it_belongs(self, files: Path, answers: Mapping[bytes, bytes]) -> None:
        with deck(files, answers) as terminal:
            open_picture(terminal)
            terminal.wait_for(lambda: terminal.drawn() is not None)
            terminal.settle()
            assert_shows(terminal, figure(400, 300), WHOLE)
            assert terminal.painted_bytes < 40_000, "it is sent once"

    @pytest.mark.parametrize("answers", [ITERM, SIXEL], ids=["iterm", "sixel"])
    def test_a_dialog_and_leaving_remove_it(self, files: Path, answers: Mapping[bytes, bytes]) -> None:
        with deck(files, answers) as terminal:
            assert_a_dialog_removes_it(terminal)
            terminal.press("q", "the-run")
            terminal.settle()
            assert terminal.drawn() is None

    def test_a_message_lies_on_it(self, files: Path) -> None:
        """It covers a part of the picture, comes while that is scrolled, and goes."""
        tall = figure(600, 6_000)
        tall.save(files / "figure.png")
        with deck(files, ITERM) as terminal:
            open_files(terminal)
            terminal.press("v", "600 x 6,000")
            terminal.wait_for(lambda: terminal.drawn() is not None)
            terminal.press("c", "the path")
            terminal.send("cc")  # the first message is above the picture
            terminal.settle(0.4)
            terminal.send("j")
            terminal.settle(0.4)
            assert "the path" in terminal.text, "nothing is painted over the message"
            scale = 600 / (77 * CELL[0])
            area = (0, CELL[1] * scale, 600, 21 * CELL[1] * scale)
            seen = tall.resize((77 * CELL[0], 20 * CELL[1]), Image.Resampling.LANCZOS, area)
            assert 77 * 15 < terminal.painted_cells < 77 * 20, "but beside it"
            terminal.wait_for("the path", gone=True)
            terminal.settle()
            drawn = terminal.drawn()
            assert drawn is not None
            assert drawn[0] == (1, 2, 78, 22)
            assert terminal.painted_cells == 77 * 20
            assert difference(drawn[1], seen) < 5

    def test_a_smaller_window(self, files: Path) -> None:
        with deck(files, ITERM) as terminal:
            open_picture(terminal)
            terminal.wait_for(lambda: terminal.drawn() is not None)
            terminal.resize(60, 14)
            terminal.wait_for(lambda: (drawn := terminal.drawn()) is not None and drawn[0] == (1, 2, 28, 12))
            terminal.settle()
            assert_shows(terminal, figure(400, 300), (1, 2, 28, 12))

    def test_keys_are_not_lost_and_the_terminal_is_left_as_it_was(self, files: Path) -> None:
        with deck(files, ITERM) as terminal:
            open_files(terminal)
            terminal.send("vc")
            terminal.wait_for(lambda: terminal.copied)
            terminal.wait_for(lambda: terminal.drawn() is not None)
            terminal.press("+", "· at ")
            terminal.wait_for(lambda: terminal.painted_cells == 77 * 19)  # with a scroll bar at the right and below
            terminal.send("\x11")
            assert terminal.wait_exit() == 0
            terminal.assert_left_as_found()


# -- terminals that say nothing, too late, or nonsense


def test_a_terminal_that_says_nothing(files: Path) -> None:
    with deck(files, SILENT) as terminal:
        open_files(terminal)
        terminal.send("v")
        terminal.wait_for(lambda: terminal.questions)
        terminal.send("c")  # copies the path
        terminal.wait_for(lambda: terminal.copied)
        assert terminal.copied == [str(files / "figure.png")]
        assert_blocks(terminal)
        terminal.press(BARE_ESC, "the-run")


@pytest.mark.parametrize("name", ["kitty(0.27.1)", "Contour 0.4", "Konsole 24.02", "", "kitty", "x" * 5_000])
def test_a_terminal_without_placeholders(files: Path, name: str) -> None:
    attributes = ITERM[ATTRIBUTES] if name.startswith("Konsole") else KITTY[ATTRIBUTES]
    with deck(files, {**KITTY, NAME: name_answer(name), ATTRIBUTES: attributes}) as terminal:
        open_picture(terminal)
        assert_blocks(terminal)
        terminal.press("q", "the-run")


def test_late_answers_are_no_keys_and_count_for_the_next_picture(files: Path) -> None:
    figure(300, 300).save(files / "other.png")
    late: list[bytes] = []
    with deck(files, KITTY, answer=lambda _, text: late.append(text)) as terminal:
        open_picture(terminal)
        assert_blocks(terminal)
        before = terminal.text
        (text,) = late
        for byte in text:  # a slow line
            terminal.send_bytes(bytes([byte]))
            time.sleep(0.03)
        terminal.settle()
        assert terminal.text == before
        terminal.press("]", "─ other.png ─")
        terminal.wait_for(lambda: terminal.drawn() is not None)
        terminal.settle()
        drawn = terminal.drawn()
        assert drawn is not None
        assert difference(drawn[1], figure(300, 300).resize(drawn[1].size, Image.Resampling.LANCZOS)) < 6


@pytest.mark.parametrize(
    "text",
    [
        b"\x1bP>|kit",
        b"\x1b[?6",
        b"\x1bP>|kitty(0.40.0)\x1b[?62;",
        b"\x1bP>|kitty(0.40.0)\x1b\\\x1b[6;99999;0t\x1b[?",
        b"\x1bP>|kitty(9.9.9.9.x)\x1b\\\x1b[?1;2;c",
        b"\x1b[6;0;0t",
    ],
)
def test_parts_of_answers_and_keys_behind_them(files: Path, text: bytes) -> None:
    """No part becomes a key (`c` copies, `]` goes to another file, `q` closes), and a key behind it is one."""
    with deck(files, KITTY, answer=lambda terminal, _: terminal.send_bytes(text)) as terminal:
        open_picture(terminal)
        terminal.settle()
        assert "─ figure.png ─" in terminal.text
        assert not terminal.copied
        terminal.send("\x1b[99;;99u")  # c, as terminals send it that tell keys apart
        terminal.wait_for(lambda: terminal.copied)
        terminal.press(ESC, "the-run")


# -- not asked


@pytest.mark.parametrize(
    "environment",
    [
        {"NO_COLOR": "1"},
        {"NO_COLOR": "1", "MLDECK_IMAGES": "kitty"},
        {"MLDECK_IMAGES": "blocks"},
        {"TMUX": "/tmp/nowhere,1,0"},
        {"TERM": "screen-256color"},
    ],
)
def test_a_terminal_that_is_not_asked(files: Path, environment: dict[str, str]) -> None:
    with deck(files, KITTY, env=environment) as terminal:
        open_picture(terminal)
        assert_blocks(terminal)
        assert not terminal.questions


def test_placeholders_need_24_bit_colours(files: Path) -> None:
    with deck(files, KITTY, env={"COLORTERM": ""}) as terminal:
        open_picture(terminal)
        assert_blocks(terminal)


def test_painting_does_not(files: Path) -> None:
    with deck(files, ITERM, env={"COLORTERM": ""}) as terminal:
        open_picture(terminal)
        terminal.wait_for(lambda: terminal.drawn() is not None)


def test_a_protocol_in_the_settings(files: Path) -> None:
    with deck(files, SILENT, env={"MLDECK_IMAGES": "kitty"}) as terminal:
        open_picture(terminal)
        terminal.wait_for(lambda: terminal.drawn() is not None)
        terminal.settle()
        assert_shows(terminal, figure(400, 300), WHOLE)
