"""What was measured against what was promised, and how long each group may take over it."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Setting:
    """In which the figures are taken."""

    folder: Path
    """Gone afterwards."""
    is_quick: bool

    @property
    def repeats(self) -> int:
        """Of what takes seconds."""
        return 3 if self.is_quick else 9

    @property
    def keys(self) -> int:
        """Presses of a key that takes a moment."""
        return 5 if self.is_quick else 20

    def new_folder(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir()
        return folder


@dataclass(frozen=True)
class Result:
    what: str
    bar: str
    """`–` where nothing was promised."""
    measured: str
    ok: bool = True


def times(what: str, seconds: Sequence[float], bar_s: float | None) -> Result:
    """The median is what counts."""
    median = statistics.median(seconds)
    worst = f" (worst {ms(max(seconds))})" if len(seconds) > 1 else ""
    bar = "–" if bar_s is None else f"≤ {ms(bar_s)}"
    return Result(what, bar, f"{ms(median)}{worst}", bar_s is None or median <= bar_s)


def ratio(what: str, seconds: Sequence[float], base_s: float, bar: float) -> Result:
    """The median, measured in something else that was timed in the same minutes."""
    median = statistics.median(seconds)
    worst = f" (worst {ms(max(seconds))})" if len(seconds) > 1 else ""
    return Result(what, f"≤ {bar:g} x", f"{ms(median)} = {median / base_s:.2f} x{worst}", median <= bar * base_s)


def ms(seconds: float) -> str:
    milliseconds = seconds * 1000
    return f"{milliseconds:.1f} ms" if milliseconds < 10 else f"{milliseconds:.0f} ms"


def print_table(results: Sequence[Result]) -> None:
    rows = [("what", "bar", "measured (median)", "")]
    rows += [
        (each.what, each.bar, each.measured, "" if each.bar == "–" else "ok" if each.ok else "short")
        for each in results
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for number, row in enumerate(rows):
        print("| " + " | ".join(f"{text:<{width}}" for text, width in zip(row, (*widths, 5), strict=True)) + " |")
        if number == 0:
            print("|" + "|".join("-" * (width + 2) for width in (*widths, 5)) + "|")
