"""Copying inside a real tmux as people have it: by default it ignores what programs send to the clipboard."""

from __future__ import annotations

import base64
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.fixture_stores import FixtureStore
from tests.terminal.terminal import DOWN, MLDECK, RIGHT, Terminal

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux")

TEXT = "-b evil\n; kill-server ; #(touch owned) 'x' \"\\\n"


@pytest.fixture
def db(store_copy: Callable[[str], FixtureStore]) -> Path:
    return store_copy("nyc-taxi").db


@pytest.fixture
def socket() -> Iterator[str]:
    """Of a server of its own; paths of sockets must be short."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="tmux") as folder:
        path = f"{folder}/socket"
        yield path
        subprocess.run(["tmux", "-S", path, "kill-server"], check=False, stderr=subprocess.DEVNULL)


def tmux(socket: str, *words: str) -> str:
    return subprocess.run(["tmux", "-S", socket, *words], check=True, capture_output=True, text=True).stdout


def deck_in_tmux(db: Path, socket: str) -> Terminal:
    """With tmux's default settings."""
    deck = [MLDECK, str(db), "--experiment", "nyc-taxi-experiment"]
    return Terminal(["tmux", "-S", socket, "-f", "/dev/null", "new-session", *deck])


def test_copying_goes_to_the_buffer_of_tmux_and_on_to_the_terminal(db: Path, socket: str) -> None:
    with closing(sqlite3.connect(db)) as connection:
        run_ids = {row[0] for row in connection.execute("SELECT run_uuid FROM runs")}
    with deck_in_tmux(db, socket) as terminal:
        terminal.wait_for("45 runs")
        terminal.press("y", "to tmux's buffer")
        terminal.press(DOWN + "y", lambda: len(tmux(socket, "list-buffers").splitlines()) == 2)
        buffers = tmux(socket, "list-buffers", "-F", "#{buffer_sample}").split()
        assert len({*buffers} & run_ids) == 2
        sent = [base64.b64encode(each.encode()) for each in buffers]
        terminal.wait_for(lambda: all(each in terminal.raw for each in sent))


def test_a_foreign_text_is_no_command(db: Path, socket: str) -> None:
    with closing(sqlite3.connect(db)) as connection, connection:
        connection.execute("UPDATE runs SET name = ?", (TEXT,))
        connection.execute("UPDATE tags SET value = ? WHERE key = 'mlflow.runName'", (TEXT,))
    with deck_in_tmux(db, socket) as terminal:
        terminal.wait_for("45 runs")
        terminal.send(RIGHT)
        terminal.press("Y", "Copy as")
        terminal.press("c", "to tmux's buffer")
        assert tmux(socket, "show-buffer") == TEXT
