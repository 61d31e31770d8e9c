"""Programs that serve on loopback, as processes of their own and of an ordinary user: databases refuse to serve as root."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ORDINARY_USER = "nobody"
"""The user of the servers, where the tests run as root."""

_START_WAIT_S = 60.0
_END_WAIT_S = 20.0


def find_program(name: str, package: str, *folders: Path) -> str:
    """Return the path of a program; where there is none, skip the test, except in CI."""
    places = [os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", "/usr/local/bin", *map(str, folders)]
    found = shutil.which(name, path=os.pathsep.join(places))
    if found is not None:
        return found
    if "CI" in os.environ:
        raise AssertionError(f"{name} is missing: install {package}")
    pytest.skip(f"{name} is not installed here (package {package})")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def folder_of_ordinary_user() -> Iterator[Path]:
    """Yield a folder that the servers may write to, and remove it after the block.

    For root it is not in the folder of the tests, which is closed to everybody else.
    """
    is_root = os.geteuid() == 0
    folder = Path(tempfile.mkdtemp(prefix="mldeck-server-", dir="/tmp" if is_root else None))
    try:
        if is_root:
            shutil.chown(folder, ORDINARY_USER)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run_program(words: Sequence[str | Path], folder: Path) -> None:
    """Run a program as the ordinary user to its end."""
    done = subprocess.run(
        words, cwd=folder, env=_environment(folder), capture_output=True, text=True, check=False, **_ordinary_user()
    )
    assert done.returncode == 0, f"{words[0]} failed: {done.stderr or done.stdout}"


class Service:
    """A program that serves on a port of loopback, and that can be stopped and started."""

    def __init__(
        self,
        words: Sequence[str | Path],
        port: int,
        folder: Path,
        is_ready: Callable[[], bool],
        stop_signal: signal.Signals = signal.SIGTERM,
        end_signal: signal.Signals = signal.SIGKILL,
    ) -> None:
        """`is_ready` tells whether it answers; an `OSError` means that it does not yet.

        `stop_signal` asks it to stop in order, `end_signal` ends it at once.
        """
        self.port = port
        self.folder = folder
        self.log = folder / "log"
        self._words = words
        self._is_ready = is_ready
        self._stop_signal = stop_signal
        self._end_signal = end_signal
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, "it is not running"
        return self._process.pid

    def start(self) -> None:
        """Start it, and return when it answers."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                _ending_with_parent(self._words, self._end_signal),
                cwd=self.folder,
                env=_environment(self.folder),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **_ordinary_user(),
            )
        deadline = time.monotonic() + _START_WAIT_S
        while time.monotonic() < deadline and self._process.poll() is None:
            if self._answers():
                return
            time.sleep(0.02)
        self.stop()
        raise AssertionError(f"{self._words[0]} did not start: {self.log.read_text(errors='replace')[-4000:]}")

    def kill(self) -> None:
        """End it for good, without regard to what it has not written yet."""
        if self._process is not None:
            self._process.send_signal(self._end_signal)
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """End it, connections and all; harmless when it is not running."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(self._stop_signal)
        try:
            self._process.wait(_END_WAIT_S)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def _answers(self) -> bool:
        try:
            return self._is_ready()
        except OSError:
            return False


def _environment(folder: Path) -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder), "TMPDIR": str(folder), "LC_ALL": "C.UTF-8"}


def _ordinary_user() -> dict[str, Any]:
    """Return what `Popen` needs to know to start a program as an ordinary user."""
    return {"user": ORDINARY_USER, "extra_groups": []} if os.geteuid() == 0 else {}


def _ending_with_parent(words: Sequence[str | Path], end_signal: signal.Signals) -> list[str | Path]:
    """Have the kernel end the program when a killed test process could not, where there is a command for that."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", end_signal.name, "--", *words] if setpriv else list(words)
