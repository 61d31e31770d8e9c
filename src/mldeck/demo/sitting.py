"""A demo from start to end: make the store, keep a training job writing if asked to, and clean up after both."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from mldeck.addresses import absolute, typed_path
from mldeck.child import start_python
from mldeck.demo.project import make_demo

_END_WAIT_S = 5.0


@contextmanager
def demo_store(folder: str | None, *, live: bool) -> Iterator[Path]:
    """The path of a fresh sample store: kept in `folder` if one is named, else in a temporary one that goes away again."""
    with _temporary_folder() if folder is None else nullcontext(absolute(typed_path(folder))) as place:
        path = make_demo(place)
        with _training(path) if live else nullcontext():
            yield path


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="mldeck-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _training(path: Path) -> Iterator[None]:
    """A process of its own, as a real training job is one."""
    process = start_python("mldeck.demo.live", [str(path), "--parent-pid", str(os.getpid())])
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(_END_WAIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
