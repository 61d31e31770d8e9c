"""The whole program on a store of another machine: what stands for ssh is a shell on this one."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from mldeck.store.ssh.command import SSH_VARIABLE
from tests.far_hosts import shell_for_ssh
from tests.fixture_stores import FixtureStore
from tests.processes import descendants
from tests.sshd import running_sshd
from tests.store_rows import all_rows, difference
from tests.terminal.terminal import ENTER, ESC, LEFT, RIGHT, TAB, Terminal, mldeck, until

CHURN_RUNS = "12 runs"
CTRL_C, CTRL_R = "\x03", "\x12"


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
        deck.wait_for("live on vm · read-only")
        deck.press("O", "sorted by")
        deck.press("2", "churn-model")
        deck.press("1", CHURN_RUNS)
        deck.press("e", "it is on another machine")
        deck.press(ESC, "it is on another machine", gone=True)
        with closing(sqlite3.connect(fixture.db)) as connection:
            connection.execute("UPDATE experiments SET name = 'renamed there' WHERE name = 'churn-baseline'")
            connection.commit()
        deck.wait_for("Runs of renamed there")
        deck.send("q")
        assert deck.wait_exit() == 0
        deck.assert_left_as_found()
    assert sorted(path.name for path in fixture.path.iterdir()) == before


def test_the_whole_work_over_sshd(fixture: FixtureStore, tmp_path: Path, isolated: Path) -> None:
    """Sort, look at a chart, open a file, promote with a reason, and take it back."""
    before = all_rows(fixture.db)
    folder = tmp_path / "sshd"
    folder.mkdir()
    with running_sshd(folder) as sshd:
        uri = f"ssh://far{fixture.db}?python={sys.executable}"
        words = ("--write", "--experiment", "churn-baseline")
        with mldeck(uri, *words, cols=120, rows=40, env={SSH_VARIABLE: sshd.client(tmp_path)}) as deck:
            deck.wait_for("live on far · writing")
            deck.press(f"{RIGHT}{RIGHT}s", "sorted by auc")
            deck.press("/baseline", re.compile("─ baseline-logreg ─"))
            deck.press(ENTER, "1 of 1", gone=True)
            deck.press("m", "─ auc ─")
            deck.press(ESC, CHURN_RUNS)
            deck.press("[[", "report.md")
            deck.press(f"{TAB}G", "item one")
            deck.press("2", "─ churn-model")
            deck.press(ENTER, "─ churn-model 2 · Production")
            deck.press(LEFT, "─ churn-model 3 · Staging")
            deck.press("p", "Promote churn-model version 3 → Production")
            deck.wait_for("2: Production → Archived")
            deck.press("better recall", "better recall")
            deck.send(ENTER)
            deck.press(ENTER, "churn-model 3 is in Production")
            (record,) = recorded(fixture.db)
            assert (record["to"], record["reason"], record["via"]) == ("Production", "better recall", "far")
            deck.press("H", "via far")
            deck.press(ESC, "via far", gone=True)
            deck.press("u", "Undo the last stage change")
            deck.press("y", "churn-model 3 is in Staging")
            deck.send("q")
            assert deck.wait_exit() == 0
            deck.assert_left_as_found()
        until(lambda: not sshd.descendants())
    assert difference(before, all_rows(fixture.db)).keys() == {
        "model_versions",
        "model_version_tags",
        "registered_models",
    }


def recorded(db: Path) -> list[dict[str, str]]:
    query = "SELECT value FROM model_version_tags WHERE key LIKE 'mldeck.transition.%'"
    with closing(sqlite3.connect(db)) as connection:
        return [json.loads(value) for (value,) in connection.execute(query)]


def test_a_line_that_drops_is_connected_again(fixture: FixtureStore, tmp_path: Path) -> None:
    cut = tmp_path / "cut"
    before = f"if [ -e {shlex.quote(str(cut))} ]; then exit 255; fi"
    with far_deck(fixture.path, f"vm:{fixture.db.name}", "--experiment", "churn-baseline", before=before) as deck:
        deck.wait_for(CHURN_RUNS)
        deck.wait_for("live on vm · read-only")
        deck.settle()
        cut.touch()
        for pid in descendants(deck.process.pid):
            os.kill(pid, signal.SIGKILL)
        deck.wait_for("connection to vm lost · trying again")
        assert CHURN_RUNS in deck.frame(), "what is on screen stays"
        cut.unlink()
        deck.wait_for("live on vm · read-only")
        deck.send("q")
        assert deck.wait_exit() == 0
        deck.assert_left_as_found()


ASKING = """\
case "$*" in *BatchMode=yes*) echo 'ada@vm: Permission denied (password).' >&2; exit 255;; esac
printf 'password of ada: ' > /dev/tty
read -r word < /dev/tty
[ "$word" = sesame ] || { echo 'ada@vm: Permission denied (password).' >&2; exit 255; }
"""
"""What stands for an ssh that needs a password."""


def test_a_login_with_a_password(fixture: FixtureStore) -> None:
    """It is asked for before the screen, and again after ctrl+r once the line was lost, but never in between."""
    with far_deck(fixture.path, f"vm:{fixture.db.name}", "--experiment", "churn-baseline", before=ASKING) as deck:
        deck.wait_for("password of ada: ")
        deck.send("sesame\n")
        deck.wait_for("live on vm · read-only")
        deck.settle()
        for pid in descendants(deck.process.pid):
            os.kill(pid, signal.SIGKILL)
        deck.wait_for("connection to vm lost · ctrl+r logs in")
        assert CHURN_RUNS in deck.frame(), "what is on screen stays"
        deck.press(CTRL_R, "password of ada: ")
        deck.send("wrong\n")
        deck.wait_for("vm refused the login")
        assert CHURN_RUNS in deck.frame()
        deck.settle()  # what is typed while the deck comes back is dropped
        deck.press(CTRL_R, "password of ada: ")
        deck.press(CTRL_C, "password of ada: ", gone=True)
        deck.settle()
        deck.press(CTRL_R, "password of ada: ")
        deck.send("sesame\n")
        deck.wait_for("live on vm · read-only")
        deck.press("O", "sorted by")
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
