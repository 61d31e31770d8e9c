"""The whole program on a store of another machine: what stands for ssh is a shell on this one."""

from __future__ import annotations

import os
import shlex
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from mldeck.store.ssh.command import SSH_VARIABLE
from tests.far_hosts import shell_for_ssh
from tests.fixture_stores import FixtureStore
from tests.processes import descendants
from tests.terminal.terminal import Terminal, mldeck

CHURN_RUNS = "12 runs"


@pytest.fixture
def fixture(store_copy: Callable[[str], FixtureStore]) -> FixtureStore:
    return store_copy("mlflow-3.17.2")


def far_deck(home: Path, *words: str, before: str = "") -> Terminal:
    """Start the deck; `home` is the home folder of the user over there."""
    return mldeck(*words, env={SSH_VARIABLE: shell_for_ssh(f"cd {shlex.quote(str(home))}\n{before}")})


def test_runs_charts_and_models_of_another_machine(fixture: FixtureStore) -> None:
    before = sorted(path.name for path in fixture.path.iterdir())
    with far_deck(fixture.path, f"vm:{fixture.db.name}", "--experiment", "churn-baseline") as deck:
        deck.wait_for(CHURN_RUNS)
        assert f"ssh://vm/~/{fixture.db.name}" in deck.frame()
        deck.wait_for("live · read-only")
        deck.press("O", "sorted by")
        deck.press("2", "churn-model")
        deck.press("1", CHURN_RUNS)
        deck.press("e", "mldeck only reads over ssh")
        with closing(sqlite3.connect(fixture.db)) as connection:
            connection.execute("UPDATE experiments SET name = 'renamed there' WHERE name = 'churn-baseline'")
            connection.commit()
        deck.wait_for("Runs of renamed there")
        deck.send("q")
        assert deck.wait_exit() == 0
        deck.assert_left_as_found()
    assert sorted(path.name for path in fixture.path.iterdir()) == before


def test_a_line_that_drops_is_connected_again(fixture: FixtureStore) -> None:
    with far_deck(fixture.path, f"vm:{fixture.db.name}", "--experiment", "churn-baseline") as deck:
        deck.wait_for(CHURN_RUNS)
        deck.wait_for("live · read-only")
        deck.settle()
        for pid in descendants(deck.process.pid):
            os.kill(pid, signal.SIGKILL)
        deck.wait_for("connection to vm lost · trying again")
        assert CHURN_RUNS in deck.frame(), "what is on screen stays"
        deck.wait_for("live · read-only")
        deck.send("q")
        assert deck.wait_exit() == 0
        deck.assert_left_as_found()


@pytest.mark.parametrize(
    ("words", "before", "said"),
    [
        (("vm:absent.db",), "", "mldeck: vm: no such file: "),
        (("ssh://vm/~/absent.db",), "", "/absent.db"),
        (("vm:mlflow.db",), "echo 'bash: python3: command not found' >&2; exit 127", "python"),
        (("ssh://ada:secret@vm/mlflow.db",), "", "ssh asks for a password itself"),
        (("ssh://vm",), "", "write ssh://"),
    ],
    ids=["no file", "no file by URI", "no python", "a password", "no path"],
)
def test_what_cannot_be_opened_is_said_before_the_screen(
    fixture: FixtureStore, words: tuple[str, ...], before: str, said: str
) -> None:
    with far_deck(fixture.path, *words, before=before) as deck:
        assert deck.wait_exit() == 2, deck.frame()
        text = deck.raw.decode()
        assert said in text
        assert "secret" not in text
        assert "\x1b[?1049h" not in text
        assert len(text.strip().splitlines()) == 1 or "python" in said
