"""Far hosts without a network: what stands for `ssh` runs the command of the far end here.

The words of ssh are checked by that too, because the command is the last of them, and a shell reads it.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mldeck.store.backend import Backend
from mldeck.store.far_file import FarFile
from mldeck.store.schema import Schema
from mldeck.store.ssh.backend import SshBackend
from mldeck.store.ssh.command import SSH_VARIABLE
from mldeck.store.ssh.line import LOCK_WAIT_S, FarLine
from mldeck.store.ssh.writer import LOOK_UP_WAIT_S, SshWriter
from mldeck.store.store import Store

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"

_RUN_LAST_WORD = 'for last; do :; done; exec sh -c "$last"'


def shell_for_ssh(before: str = "", after: str = _RUN_LAST_WORD) -> str:
    """Return words for `MLDECK_SSH`: a shell that runs `before`, then the command of the far end, or `after` instead of it."""
    return shlex.join(["sh", "-c", f"{before}\n{after}", "ssh"])


def use_as_ssh(monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    monkeypatch.setenv(SSH_VARIABLE, words)


def far_file(path: Path | str, python: str = sys.executable) -> FarFile:
    return FarFile("elsewhere", str(path), python=python)


@contextmanager
def line_to(file: FarFile | Path, *, may_write: bool = False, lock_wait_s: float = LOCK_WAIT_S) -> Iterator[FarLine]:
    """Yield a line to the file that is started, but has not said hello yet; close it after the block."""
    line = FarLine(file if isinstance(file, FarFile) else far_file(file), may_write=may_write, lock_wait_s=lock_wait_s)
    line.start()
    try:
        yield line
    finally:
        line.close()


class FarStore(Store):
    """The store at the other end of a line."""

    def __init__(self, line: FarLine, patience_s: float = 1.0) -> None:
        self.line = line
        super().__init__(Path(line.file.path), patience_s=patience_s)

    def _open(self, before: Schema | None = None) -> None:
        backend: Backend = SshBackend(self.line)
        self._backend, self.schema = backend, backend.read_schema()


class FarWriters:
    """Writers of databases on another machine, each over a line that serves all writers of its database."""

    def __init__(self) -> None:
        self._backends: dict[Path, SshBackend] = {}

    def __call__(self, db: Path, read_only: bool, wait_s: float) -> SshWriter:
        if db not in self._backends:
            line = FarLine(far_file(db), may_write=True)
            line.start()
            line.hello()
            self._backends[db] = SshBackend(line)
        return writer_over(self._backends[db], wait_s, "opened with --read-only" if read_only else None)

    def close(self) -> None:
        for backend in self._backends.values():
            backend.close()


def writer_over(
    backend: SshBackend, wait_s: float, read_only_reason: str | None = None, look_up_wait_s: float = LOOK_UP_WAIT_S
) -> SshWriter:
    """Return a writer with other patience than that of users."""
    return SshWriter(
        backend._line,
        backend._database,
        backend._driver,
        read_only_reason or backend.read_only_reason,
        wait_s=wait_s,
        look_up_wait_s=look_up_wait_s,
    )


@contextmanager
def near_end_of_an_endless_read(host: str, db: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Yield another process that has opened a database over there, and waits for a statement that never ends."""
    script = (
        "import sys; from mldeck.store.far_file import FarFile; from mldeck.store.ssh.line import FarLine\n"
        "line = FarLine(FarFile(sys.argv[1], sys.argv[2], python=sys.executable)); line.start(); line.hello()\n"
        "print('open', flush=True)\n"
        f"line.ask(1, {{'do': 'sql', 'statements': [({ENDLESS!r}, [])]}})\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, host, str(db)], stdout=subprocess.PIPE) as near:
        assert near.stdout is not None
        try:
            assert near.stdout.readline() == b"open\n"
            yield near
        finally:
            near.kill()


@contextmanager
def far_store(file: FarFile | Path, *, may_write: bool = False) -> Iterator[FarStore]:
    with line_to(file, may_write=may_write) as line:
        line.hello()
        store = FarStore(line)
        try:
            yield store
        finally:
            store.close()
