"""How the terminal draws pictures, by its answers; `tests/terminal/test_pictures.py` has whole terminals."""

from __future__ import annotations

import asyncio

import pytest
from rich.console import Console

from mldeck.ui.kit.graphics import Graphics, Way
from mldeck.ui.textual_patches.app import PatchedApp

XTERM, WITH_SIXELS = "\x1b[?64;1;2;6;22c", "\x1b[?64;1;2;4;6;22c"


class AskedApp(PatchedApp[None]):
    """An application with a terminal of 24-bit colours that is asked, and answers what a test says."""

    is_headless = False
    no_color = False

    def __init__(self) -> None:
        super().__init__()
        self.console = Console(color_system="truecolor", force_terminal=True)
        self.sent: list[str] = []
        self.is_expecting = False

    def write_to_terminal(self, text: str) -> None:
        self.sent.append(text)

    def expect_answers(self, is_expecting: bool) -> bool:
        self.is_expecting = is_expecting
        return True


def named(text: str) -> str:
    return f"\x1bP>|{text}\x1b\\"


@pytest.mark.parametrize(
    ("answers", "way"),
    [
        ((named("iTerm2 3.5.4"), WITH_SIXELS), Way.ITERM),
        ((named("WezTerm 20240203-110809-5046fc22"), WITH_SIXELS), Way.ITERM),
        ((named("XTerm(390)"), WITH_SIXELS), Way.SIXEL),
        ((WITH_SIXELS,), Way.SIXEL),
        ((named("foot(1.16.2)"), WITH_SIXELS), Way.SIXEL),
        ((named("Konsole 24.02.1"), WITH_SIXELS), Way.BLOCKS),
        ((named("XTerm(390)"), XTERM), Way.BLOCKS),
        ((named("kitty(0.27.1)"), XTERM), Way.BLOCKS),
        ((named("kitty(0.40.0)"), XTERM), Way.KITTY),
        ((named("ghostty 1.0.0"), XTERM), Way.KITTY),
        ((named("kitty(" + "9" * 5_000 + ")"), XTERM), Way.KITTY),
        ((named("\x9b\udc80…"), XTERM), Way.BLOCKS),
        (("\x1b[?4c",), Way.BLOCKS),  # the first number is the class of the terminal
    ],
)
async def test_the_way_that_a_terminal_draws(answers: tuple[str, ...], way: Way) -> None:
    app = AskedApp()
    graphics = Graphics(app, "auto", {"TERM": "xterm-256color"})
    assert graphics.way is Way.BLOCKS
    assert graphics.cell_pixels is None
    learning = asyncio.ensure_future(graphics.learn())
    await asyncio.sleep(0)
    assert app.sent == ["\x1b[>q\x1b[16t\x1b[c"]
    assert app.is_expecting
    for answer in answers:
        graphics.note(answer)
    assert await learning is way
    assert not app.is_expecting
    graphics.note(named("iTerm2 9"))
    assert graphics.way is way, "nobody asks any more"
