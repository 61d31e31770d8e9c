"""Somebody else's text is shown as text: nothing in it is executed, and nothing in it reaches the terminal as a command."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.terminal import hostile
from tests.terminal.terminal import ENTER, ESC, PAGE_DOWN, RIGHT, TAB, Terminal, mldeck

_CSI = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]")
_OSC = re.compile(rb"\x1b\](.*?)(?:\x07|\x1b\\)", re.DOTALL)
_POINTER_SHAPE = b"22;"
"""Textual sets the shape of the mouse pointer."""


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return hostile.make_hostile_store(tmp_path)


@pytest.fixture
def deck(store: Path) -> Iterator[Terminal]:
    with mldeck(store, cols=140, rows=40) as opened:
        opened.wait_for(re.compile(rf"{hostile.RUNS} runs "))
        opened.wait_for("live · rw")
        yield opened
        leave(opened)
        assert_only_our_commands(opened)


def leave(deck: Terminal) -> None:
    """It still listens, and the terminal is as it was."""
    deck.send("q")
    assert deck.wait_exit() == 0
    deck.assert_left_as_found()


def assert_only_our_commands(deck: Terminal) -> None:
    raw = deck.raw
    for what, sequence in hostile.FORBIDDEN.items():
        assert sequence not in raw, what
    strings = [found for found in _OSC.findall(raw) if not found.startswith(_POINTER_SHAPE)]
    assert all(found.startswith(b"52;c;") for found in strings)
    assert len(strings) == len(deck.copied)
    plain = _CSI.sub(b"", _OSC.sub(b"", raw)).decode()
    assert set(re.findall(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\u200b\ufeff]", plain)) <= {"\r", "\n"}


def test_every_run_in_every_tab(deck: Terminal) -> None:
    deck.send("g")
    seen = set()
    for _ in range(hostile.RUNS):
        run_id = deck.copy()
        seen.add(run_id)
        deck.wait_for(run_id)  # in the overview
        deck.send("]")
        deck.press("]", re.compile("plain-000|x]markup0|markup"))
        deck.press("]", re.compile("tag|MLflow's own tags"))
        deck.send("]")
        deck.send("]")
        deck.press("]", run_id)
        deck.send("j")
    assert len(seen) == hostile.RUNS


def test_all_columns(deck: Terminal) -> None:
    """To the right until nothing changes, over metrics and params that are called such things too; sorted by them."""
    deck.send("g")
    for _ in range(60):
        deck.send(RIGHT)
    deck.settle()
    for key in ("s", "s", "h", "s"):
        deck.send(key)
        deck.settle(0.3)
    deck.press("?", "Esc close")
    deck.press(ESC, "Esc close", gone=True)


def test_experiments(deck: Terminal) -> None:
    def title() -> str:
        return deck.lines[1]

    deck.send("\x1b[Z")  # shift+tab
    deck.press("g", f"Runs of {len(hostile.TEXTS) - 1}")
    for _ in range(len(hostile.TEXTS)):
        before = title()
        deck.press("j", lambda before=before: "Runs of " in title() != before, timeout=5)  # type: ignore[misc]
    deck.wait_for("No runs here yet")
    assert deck.copy().startswith("0") or deck.copy() == "Default"


def test_whole_texts(deck: Terminal) -> None:
    """Each param in the dialog, which shows all of it, and copied: then every byte of it is there, in our own sequence."""
    deck.send("g")
    deck.press("]]", re.compile("│.*0.*"))
    deck.press(ENTER, "O sort", gone=True)
    deck.send("g")
    for _ in range(len(hostile.TEXTS) + 2):
        deck.press(ENTER, "y copy · Esc close")
        deck.copy()
        deck.send("j" * 3 + PAGE_DOWN)
        deck.press(ESC, "y copy · Esc close", gone=True)
        deck.send("j")
    assert hostile.CLICK in deck.copied
    assert hostile.RED in deck.copied or hostile.LONG in deck.copied


def test_all_params_can_be_reached(deck: Terminal) -> None:
    deck.send("g")
    deck.press("]]", re.compile("│.*0.*"))
    deck.press(ENTER, "O sort", gone=True)
    deck.press("G", lambda: deck.row_of("text ") or deck.row_of("plain-17") or deck.row_of("plain-18"))
    deck.press("g", lambda: deck.row_of("plain-17") is None and deck.row_of("plain-18") is None)


def test_finding(deck: Terminal) -> None:
    for text in (hostile.MARKUP, hostile.CLICK, hostile.BRACKETS, "漢字", "␛[31m"):
        deck.press("/", "? help", gone=True)
        deck.press(text, re.compile(r"\d of \d|no match"))
        deck.press(ENTER, "? help")
    deck.press(TAB, "O sort", gone=True)
    for text in (hostile.MARKUP, hostile.CLICK):
        deck.press("/", "? help", gone=True)
        deck.press(text, re.compile(r"\d of \d|no match"))
        deck.press(ENTER, "? help")


def test_the_palette_over_it(deck: Terminal) -> None:
    deck.press(":", "Change theme")
    deck.press(ESC, "Change theme", gone=True)


@pytest.mark.parametrize(("cols", "rows"), [(60, 16), (200, 50)])
def test_other_sizes(store: Path, cols: int, rows: int) -> None:
    with mldeck(store, cols=cols, rows=rows) as deck:
        deck.wait_for(re.compile(rf"{hostile.RUNS} runs "))
        for keys in ("]", "]", "]", "]", "G", "g", TAB, TAB):
            deck.send(keys)
            deck.settle(0.1)
        leave(deck)
        assert_only_our_commands(deck)


def test_an_experiment_that_is_not_there(store: Path) -> None:
    with mldeck(store, "--experiment", hostile.MARKUP + hostile.CLIPBOARD) as deck:
        deck.wait_for("No experiment")
        leave(deck)
        assert_only_our_commands(deck)
