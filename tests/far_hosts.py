"""Far hosts without a network: what stands for `ssh` runs the command of the far end here.

The words of ssh are checked by that too, because the command is the last of them, and a shell reads it.
"""

from __future__ import annotations

import shlex
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
from mldeck.store.ssh.line import FarLine
from mldeck.store.store import Store

_RUN_LAST_WORD = 'for last; do :; done; exec sh -c "$last"'


def shell_for_ssh(before: str = "", after: str = _RUN_LAST_WORD) -> str:
    """Return words for `MLDECK_SSH`: a shell that runs `before`, then the command of the far end, or `after` instead of it."""
    return shlex.join(["sh", "-c", f"{before}\n{after}", "ssh"])


def use_as_ssh(monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    monkeypatch.setenv(SSH_VARIABLE, words)


def far_file(path: Path | str, python: str = sys.executable) -> FarFile:
    return FarFile("elsewhere", str(path), python=python)


@contextmanager
def line_to(file: FarFile | Path, **options: float) -> Iterator[FarLine]:
    """Yield a line to the file that is started, but has not said hello yet; close it after the block."""
    line = FarLine(file if isinstance(file, FarFile) else far_file(file), **options)
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


@contextmanager
def far_store(file: FarFile | Path) -> Iterator[FarStore]:
    with line_to(file) as line:
        line.hello()
        store = FarStore(line)
        try:
            yield store
        finally:
            store.close()
