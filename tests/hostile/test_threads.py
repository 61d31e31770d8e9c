"""Leaving ends, whatever a thread waits for."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mldeck.ui.kit.threads import in_thread, read_off_loop, wait_for_threads
from tests.fixture_stores import FixtureStore
from tests.terminal.terminal import MLDECK, mldeck

LEAVING_S = 8.0
"""Seconds; without the mend it takes minutes, or does not end."""


async def test_cancelling_does_not_wait_for_the_thread() -> None:
    release = threading.Event()
    waiting = asyncio.ensure_future(in_thread(release.wait))
    await asyncio.sleep(0.05)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not wait_for_threads(0.01)
    release.set()
    assert wait_for_threads(5)


async def test_results_and_errors_come_back() -> None:
    assert await in_thread(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        await in_thread(divmod, 7, 0)


async def test_a_cancelled_read_is_interrupted() -> None:
    fired = threading.Event()

    def read(interrupt: object) -> None:
        while not getattr(interrupt, "fired"):  # noqa: B009
            time.sleep(0.005)
        fired.set()

    waiting = asyncio.ensure_future(read_off_loop(read))
    await asyncio.sleep(0.05)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert fired.wait(5)


@pytest.fixture
def silent_server() -> Iterator[socket.socket]:
    """A server that takes every connection and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        listener.settimeout(20)
        yield listener


def test_leaving_when_the_terminal_is_gone(store_copy: Callable[[str], FixtureStore]) -> None:
    """Nobody reads any more what is drawn, and the system may have said nothing of it."""
    controller, terminal = os.openpty()
    words: list[str | Path] = [MLDECK, store_copy("mlflow-3.17.2").db]
    process = subprocess.Popen(words, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True)
    try:
        seen = b""
        while b"live" not in seen:
            seen += os.read(controller, 1 << 16)
        os.close(terminal)
        os.close(controller)
        for _ in range(60):  # each of them paints the screen
            process.send_signal(signal.SIGWINCH)
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("how", ["q", "SIGTERM"])
def test_leaving_while_a_read_never_ends(store_copy: Callable[[str], FixtureStore], how: str) -> None:
    store: Path = store_copy("mlflow-3.17.2").db
    with sqlite3.connect(store) as database:
        database.execute("ALTER TABLE experiments RENAME TO kept")
        database.execute(
            "CREATE VIEW experiments AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
            "SELECT kept.* FROM kept, n WHERE i < 0"
        )
    database.close()
    with mldeck(store) as deck:
        deck.wait_for("opening…")
        deck.settle()
        if how == "q":
            deck.send("q")
        else:
            deck.process.send_signal(signal.SIGTERM)
        assert deck.wait_exit() == 0, deck.frame()
        deck.assert_left_as_found()


@pytest.mark.parametrize("how", ["q", "SIGTERM", "ctrl+c"])
@pytest.mark.parametrize("scheme", ["s3", "sftp"])
def test_leaving_while_a_server_is_silent(
    store_copy: Callable[[str], FixtureStore], silent_server: socket.socket, how: str, scheme: str
) -> None:
    store: Path = store_copy("mlflow-3.17.2").db
    host = f"127.0.0.1:{silent_server.getsockname()[1]}"
    place = "s3://bucket" if scheme == "s3" else f"sftp://{host}"
    with sqlite3.connect(store) as database:
        database.execute("UPDATE runs SET artifact_uri = ? || '/' || run_uuid || '/artifacts'", (place,))
    database.close()
    environment = {
        "MLFLOW_S3_ENDPOINT_URL": f"http://{host}",
        "AWS_ACCESS_KEY_ID": "id",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_EC2_METADATA_DISABLED": "true",
        "MLDECK_ARTIFACT_HOSTS": place,
    }
    with mldeck(store, env=environment) as deck:
        deck.wait_for("live · rw")
        deck.press("]]]]", place)
        connection, _ = silent_server.accept()
        began = time.monotonic()
        if how == "SIGTERM":
            deck.process.send_signal(signal.SIGTERM)
        elif how == "ctrl+c":
            deck.send("\x03\x03q")
        else:
            deck.send("q")
        assert deck.wait_exit(LEAVING_S) == 0, deck.frame()
        deck.assert_left_as_found()
        assert time.monotonic() - began < LEAVING_S
        connection.close()
