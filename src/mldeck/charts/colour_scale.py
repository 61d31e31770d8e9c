"""The colour scale, readable without colour too: a shade for every step, and bars that show the values of the steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mldeck.charts.dimensions import Dimension, colour_step
from mldeck.charts.labels import write, write_right
from mldeck.charts.picture import SCALE_STEPS, Ink, PictureCanvas, Role
from mldeck.format import cell_width, cut

_SHADES = "░▒▓█"


def shade(step: int) -> str:
    """Return the shade character for a step, for terminals where colours cannot be told apart."""
    return _SHADES[step * len(_SHADES) // SCALE_STEPS]


def run_inks(runs: Mapping[str, int], colour_by: Dimension | None) -> dict[str, Ink]:
    """Return the ink of each run by run id: its series colour, or the step of its value in `colour_by`.

    `runs` maps run ids to colour numbers, in the order of the dimension's values. A run without a value gets the ink of
    the axes.
    """
    if colour_by is None:
        return {run_id: Ink(Role.SERIES, colour) for run_id, colour in runs.items()}
    steps = map(colour_by.step, range(len(runs)))
    return {
        run_id: Ink(Role.AXIS) if step is None else Ink(Role.SCALE, step)
        for run_id, step in zip(runs, steps, strict=True)
    }


def write_legend(canvas: PictureCanvas, colour_by: Dimension | None, notes: Sequence[str]) -> None:
    """Write the last row: what the colours mean on the left, the notes on the right."""
    note = cut(" · ".join(notes), canvas.width)
    if colour_by is not None:
        _write_bar(canvas, colour_by, canvas.width - cell_width(note) - 2)
    write_right(canvas, canvas.width, canvas.height - 1, note, Ink(Role.AXIS))


def _write_bar(canvas: PictureCanvas, by: Dimension, width: int) -> None:
    """Write the name, the lowest value, all steps and the highest value; nothing if they do not fit into `width` cells."""
    row = canvas.height - 1
    if not by.numbers:
        write(canvas, 0, row, f"{by.name}: no values", Ink(Role.AXIS), width)
        return
    low, high = by.marks[0][1], by.marks[-1][1]
    room = width - cell_width(low) - cell_width(high) - SCALE_STEPS - 3
    if room < 0:
        return
    column = write(canvas, 0, row, f"{cut(by.name, room)} {low} ")
    for step in range(SCALE_STEPS):
        canvas.put(column + step, row, "█", Ink(Role.SCALE, step))
    write(canvas, column + SCALE_STEPS + 1, row, high)


def write_shades(canvas: PictureCanvas, column: int, top: int, height: int, by: Dimension) -> None:
    """Write a vertical bar with its values beside it, the highest at the top, and the name above it."""
    write(canvas, column, top - 1, by.name)
    rows = min(height, SCALE_STEPS)
    for row in range(rows):
        share = 1 - row / max(1, rows - 1)
        step = colour_step(share)
        canvas.put(column, top + row, shade(step) * 2, Ink(Role.SCALE, step))
        write(canvas, column + 3, top + row, by.text_at(by.scale.value(share)))
