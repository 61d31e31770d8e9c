"""A scatter chart: runs as dots over two params or metrics, coloured by a third.

Several runs in one cell are drawn as their number. The cell of each run is returned too, so that runs can be named and
stepped through without drawing again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mldeck.charts.colour_scale import run_inks, write_legend
from mldeck.charts.dimensions import Dimension
from mldeck.charts.labels import write_middle
from mldeck.charts.picture import Ink, PictureCanvas, Role
from mldeck.charts.plane import PlanePicture, draw_plane
from mldeck.charts.spots import Spot, Spots

DOT = "●"
MANY = "+"
"""Drawn for more than nine runs in one cell."""


def dots(spots: Spots) -> Iterator[tuple[Spot, str, str]]:
    """Yield (cell, text, id of its first run) for every cell with runs."""
    for spot, run_ids in spots.by_spot.items():
        count = len(run_ids)
        yield spot, DOT if count == 1 else str(count) if count < 10 else MANY, run_ids[0]


def scatter(
    runs: Mapping[str, int],
    x: Dimension,
    y: Dimension,
    size: tuple[int, int],
    *,
    colour_by: Dimension | None = None,
) -> PlanePicture:
    """Draw runs over `x` and `y` in `size` (width, height) cells.

    `runs` maps run ids to colour numbers, in the order of the dimensions' values. A cell has the colour of its first
    run.
    """
    canvas = PictureCanvas(*size)
    plane = draw_plane(canvas, x, y, below=1) if runs else None
    if plane is None:
        problem = "too small for axes" if runs else "no runs"
        write_middle(canvas, canvas.height // 2, problem, Ink(Role.AXIS))
        return PlanePicture(canvas.picture(), problem=problem)
    spots = plane.spots(runs)
    inks = run_inks(runs, colour_by)
    for spot, text, run_id in dots(spots):
        canvas.put(*spot, text, inks[run_id])
    is_shared = len(spots.by_spot) < len(runs)
    write_legend(canvas, colour_by, [f"{len(runs)} runs", *(["digits: overlap"] if is_shared else [])])
    return PlanePicture(canvas.picture(plane.plot), spots, _plane=plane)
