"""The processes of this machine, from /proc (Linux)."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def command_lines() -> dict[int, str]:
    """Return the words that every user can read of each process, by its id."""
    found: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):  # it has ended
                words = (entry / "cmdline").read_bytes()
                found[int(entry.name)] = words.replace(b"\0", b" ").decode(errors="replace")
    return found


def descendants(pid: int) -> list[int]:
    """Return the processes below this one that have not ended."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                state, parent, *_ = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it ended meanwhile
            if state != "Z":
                children.setdefault(int(parent), []).append(int(folder.name))
    found: list[int] = []
    todo = [pid]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found
