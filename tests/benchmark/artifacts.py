"""Files of a run: a folder of very many, the first look at very large ones, and copying."""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.benchmark.results import Result, Setting, ratio, times
from tests.benchmark.sitting import draw, memory_mb, opened, press, shows, time_to
from tests.benchmark.stores import FOLDER_FILES, HUGE_BYTES, HUGE_FILES, PICTURE, PICTURE_SIZE, make_artifact_store
from tests.terminal.terminal import DOWN, ENTER, LEFT, RIGHT, Terminal

TO_ARTIFACTS = "]]]]"
PREVIEWS = {
    "huge.csv": ("CSV table", "calm-fox"),
    "huge.json": ("UTF-8 text", "calm-fox"),
    "huge.txt": ("UTF-8 text", "a line of a log"),
    PICTURE: ("PNG image", "▀▀▀▀▀▀▀▀"),
}
"""In the order in which they stand below the folders: what each is called, and what all lines of it show."""
LINES = 9
"""For which there is room."""


def results(setting: Setting) -> Iterator[Result]:
    db = setting.new_folder("files") / "mlflow.db"
    copied_mb = 200 if setting.is_quick else 1000
    artifacts = make_artifact_store(db, copied_mb * 1_000_000)
    yield from _looking(setting, db)
    yield from _copying(setting, db, artifacts / "copied", f"{copied_mb} MB")


def _looking(setting: Setting, db: Path) -> Iterator[Result]:
    seconds = defaultdict(list)
    growth = []
    for _ in range(setting.repeats):
        with _files_of(db) as terminal:
            # The key that opens comes before the folder was looked into for its preview.
            seconds["many"].append(time_to(terminal, DOWN + RIGHT, lambda: _lines_with(terminal, "  file-0000")))
            press(terminal, LEFT, f"{PICTURE} ")
            before = memory_mb(terminal)
            for name, (kind, part) in PREVIEWS.items():
                if name == PICTURE:
                    growth.append(memory_mb(terminal) - before)
                seconds[name].append(time_to(terminal, DOWN, partial(_is_preview, terminal, kind, part)))
    yield times(f"folder of {FOLDER_FILES:,} files: open → first screen of names", seconds["many"], 0.3)
    for name in HUGE_FILES:
        yield times(f"preview of {name}, {HUGE_BYTES / 1e9:.1f} GB", seconds[name], 0.3)
    grown = statistics.median(growth)
    yield Result("memory that these previews took", "≤ 20 MB", f"{grown:.0f} MB", grown <= 20)
    width, height = PICTURE_SIZE
    yield times(f"preview of a PNG, {width} x {height}", seconds[PICTURE], 1.0)


def _is_preview(terminal: Terminal, kind: str, part: str) -> bool:
    return shows(terminal, kind) and _lines_with(terminal, part)


def _lines_with(terminal: Terminal, part: str) -> bool:
    return sum(part in line for line in terminal.lines) >= LINES


def _copying(setting: Setting, db: Path, folder: Path, size: str) -> Iterator[Result]:
    """In turns with `cp`, each after the disk has everything that was written before."""
    place = setting.new_folder("copies")
    ours, theirs = [], []
    with _files_of(db, cwd=place) as terminal:
        for _ in range(setting.repeats // 2 + 1):
            os.sync()
            started = time.monotonic()
            subprocess.run(["cp", "-r", folder, place], check=True)
            theirs.append(time.monotonic() - started)
            shutil.rmtree(place / folder.name)
            os.sync()
            press(terminal, "d", f"to {place / folder.name}"[:60])
            ours.append(press(terminal, ENTER, re.compile(r"\d+ files, \d")))
            assert {each.name for each in place.iterdir()} == {folder.name}
            shutil.rmtree(place / folder.name)
            terminal.wait_for(lambda: not _said(terminal))
    yield times(f"cp -r of a folder of {size}", theirs, None)
    yield ratio("the same: d, Enter → it is there", ours, statistics.median(theirs), 1.2)


def _said(terminal: Terminal) -> bool:
    """Whether it still says that it copied."""
    draw(terminal)
    return re.search(r"\d+ files, \d", terminal.text) is not None


def _files_of(db: Path, *, cwd: Path | None = None) -> Terminal:
    """The tree of the only run, with the cursor on its first folder."""
    terminal = opened(db, "1 run ", cwd=cwd)
    try:
        press(terminal, TO_ARTIFACTS, f"{PICTURE} ")
        press(terminal, ENTER, "d download")
    except BaseException:
        terminal.close()
        raise
    return terminal
