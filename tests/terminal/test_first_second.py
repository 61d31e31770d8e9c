"""Keys that are typed before the store is open: none ends the deck, none is lost, and none becomes another one."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fixture_stores import FixtureStore
from tests.terminal.terminal import ENTER, Terminal, mldeck

ESC = "\x1b[27u"
KEYS = [
    "f",
    "v",
    "2",
    "3",
    "=",
    "c",
    "s",
    "e",
    "x",
    "m",
    "r",
    "y",
    "Y",
    "E",
    " ",
    "/",
    "]]]]",
    "T",
    "B",
    "b",
    ENTER,
    "\t",
    "u",
]


@pytest.fixture
def store(store_copy: Callable[[str], FixtureStore]) -> Path:
    return store_copy("mlflow-3.17.2").db


def leave(deck: Terminal) -> None:
    deck.settle(0.4)
    for _ in range(4):
        deck.send(ESC)
        deck.settle(0.1)
    deck.send("\x11")  # ctrl+q
    assert deck.wait_exit() == 0, deck.frame()
    deck.assert_left_as_found()


@pytest.mark.parametrize("delay_s", [0.0, 0.1, 0.2, 0.4])
def test_every_key_at_once(store: Path, delay_s: float) -> None:
    with mldeck(store) as deck:
        deck.wait_for("mldeck")  # the first frame
        deck.read(delay_s)
        for key in KEYS:
            deck.send(key)
        leave(deck)


@pytest.mark.parametrize("key", ["f", "2", "3", "v", "=", "c", "e"])
def test_a_key_at_the_first_frame(store: Path, key: str) -> None:
    with mldeck(store) as deck:
        deck.wait_for("mldeck")
        deck.send(key)
        leave(deck)


def test_a_filter_that_is_typed_at_once_is_the_filter(store: Path) -> None:
    with mldeck(store, "--experiment", "churn-baseline") as deck:
        deck.wait_for("mldeck")
        deck.send("f")
        deck.send("attributes.run_name = 'rf-depth-5'")
        deck.send(ENTER)
        deck.wait_for("1 of 12 runs")
        leave(deck)


def test_what_is_typed_while_the_store_is_locked(store: Path) -> None:
    """It waits, and leaving does not."""
    import sqlite3

    with sqlite3.connect(store, isolation_level=None) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        with mldeck(store) as deck:
            deck.wait_for("locked")
            deck.send("x")
            deck.settle(0.3)
            began = time.monotonic()
            deck.send("\x11")
            assert deck.wait_exit() == 0
            assert time.monotonic() - began < 5
            deck.assert_left_as_found()
    writer.close()
