"""Run a demo: generate the store, start a training job if requested, and clean up at the end."""

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
from mldeck.demo.project import find_demo, make_demo

_END_WAIT_S = 5.0


@contextmanager
def demo_store(folder: str | None, *, live: bool) -> Iterator[Path]:
    """Yield the path of a sample store: the one in the `folder`, which is generated if there is none.

    Without a `folder` it is generated in a temporary one, which is removed at the end.

    `live` keeps a training job writing to the store during the block. Raises `UsageError` as `make_demo` does.
    """
    with _temporary_folder() if folder is None else nullcontext(absolute(typed_path(folder))) as parent:
        path = find_demo(parent) or make_demo(parent)
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
    """Run the training job in a separate process during the block."""
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
