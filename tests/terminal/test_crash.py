"""A fault of ours ends the deck with one line, and leaves terminal and store as they were."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fixture_stores import FixtureStore
from tests.terminal.terminal import Terminal

BROKEN = """
import sys
from mldeck import cli
from mldeck.ui.runs.screen import RunsScreen
from textual import work

class Broken(RunsScreen):
    secret = "other people's data"

def fail(self):
    local = "a local of \\x1b]0;owned\\x07 data"
    raise KeyError("key\\x1b[31m" + "x" * 9000)

@work
async def fail_in_a_worker(self):
    fail(self)

RunsScreen.action_marks_only = fail if sys.argv[1] == "handler" else fail_in_a_worker
RunsScreen.action_help = RunsScreen.action_marks_only
import mldeck.ui.app
mldeck.ui.app.DeckApp.action_help = RunsScreen.action_marks_only
sys.exit(cli.main(sys.argv[2:]))
"""


@pytest.mark.parametrize("where", ["handler", "worker"])
def test_a_fault_is_one_line(store_copy: Callable[[str], FixtureStore], tmp_path: Path, where: str) -> None:
    store = store_copy("mlflow-3.17.2").db
    before = store.read_bytes()
    argv = [sys.executable, "-c", BROKEN, where, str(store)]
    with Terminal(argv, env={"XDG_STATE_HOME": str(tmp_path)}, separate_stderr=True) as deck:
        deck.wait_for("live · rw")
        deck.send("?")
        assert deck.wait_exit() == 1
        deck.assert_left_as_found()
        said = deck.errors
        assert b"a local of" not in deck.raw
    assert said.count("\n") == 1
    assert said.startswith("mldeck: a bug in mldeck ended it (KeyError: ")
    assert "\x1b" not in said
    assert len(said) < 600
    log = tmp_path / "mldeck" / "crash.log"
    assert str(log) in said
    text = log.read_text()
    assert "Traceback" in text
    assert "in fail" in text
    assert "a local of" not in text.replace('local = "a local of', "")
    assert store.read_bytes() == before


def test_where_no_log_can_be_written(store_copy: Callable[[str], FixtureStore]) -> None:
    store = store_copy("mlflow-3.17.2").db
    argv = [sys.executable, "-c", BROKEN, "handler", str(store)]
    with Terminal(argv, env={"XDG_STATE_HOME": "/proc/nowhere"}, separate_stderr=True) as deck:
        deck.wait_for("live · rw")
        deck.send("?")
        assert deck.wait_exit() == 1
        assert " at <string>:" in deck.errors
