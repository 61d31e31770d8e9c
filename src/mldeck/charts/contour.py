"""A contour chart: a metric over two params as a field of shades, with the trials drawn on top.

Between trials the metric is interpolated linearly over a triangulation (`interpolate`). Cells outside the trials'
outline, or too far from every trial they would be computed from, stay blank because the metric is unknown there.
"""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import wrap

from mldeck.charts.colour_scale import shade, write_legend, write_shades
from mldeck.charts.dimensions import Dimension, colour_step
from mldeck.charts.interpolate import InterpolatedSurface, surface
from mldeck.charts.labels import write_middle
from mldeck.charts.picture import Ink, PictureCanvas, Role
from mldeck.charts.plane import Plane, PlanePicture, draw_plane
from mldeck.charts.scatter import dots
from mldeck.format import cell_width

LEAST_TRIALS = 4
REACH = 0.25
"""The largest distance from a trial at which values are drawn, as a share of the length of the axes."""

_MOST_SCALE_TEXT = 14


def contour(runs: Iterable[str], x: Dimension, y: Dimension, metric: Dimension, size: tuple[int, int]) -> PlanePicture:
    """Draw the metric over `x` and `y` in `size` (width, height) cells.

    `runs` are run ids in the order of the dimensions' values. The runs that have both params and the metric are the
    trials; at least `LEAST_TRIALS` different points are needed. If no contour can be drawn the picture and its
    `problem` say why.
    """
    run_ids = list(runs)
    canvas = PictureCanvas(*size)
    problem = _text_problem(x, y, metric)
    if problem:
        return _problem_picture(canvas, problem)
    places = zip(x.places, y.places, metric.places, strict=True)
    trials = [run for run, found in enumerate(places) if None not in found]
    x, y, metric = x.only(trials), y.only(trials), metric.only(trials)
    trial_surface = surface(zip(map(x.share, x.numbers), map(y.share, y.numbers), metric.numbers, strict=True))
    if len(trial_surface.sites) < LEAST_TRIALS:
        named = f"{x.name}, {y.name} and {metric.name}"
        return _problem_picture(
            canvas,
            f"{len(trials)} of {len(run_ids)} runs have {named}, at {len(trial_surface.sites)} different points: "
            f"a contour needs {LEAST_TRIALS}",
        )
    scale_width = _scale_width(metric)
    plane = draw_plane(canvas, x, y, right=scale_width, below=1)
    if plane is None:
        return _problem_picture(canvas, "too small for axes")
    if not _shade(canvas, plane, trial_surface, metric):
        return _problem_picture(
            PictureCanvas(*size),
            f"all {len(trials)} trials lie on one line, or nearly: "
            f"a contour needs {x.name} and {y.name} to vary independently",
        )
    spots = plane.spots([run_ids[run] for run in trials])
    for spot, text, _ in dots(spots):
        canvas.put(*spot, text, Ink(is_strong=True))
    write_shades(canvas, canvas.width - scale_width + 2, plane.plot.top, plane.plot.height, metric)
    without = len(run_ids) - len(trials)
    write_legend(
        canvas, None, [f"{len(trials)} trials", *([f"{without} runs lack one of the values"] if without else [])]
    )
    return PlanePicture(canvas.picture(plane.plot), spots, _plane=plane)


def _text_problem(*dimensions: Dimension) -> str:
    """Return why there is no contour if a dimension is text, else an empty string."""
    text_names = [dimension.name for dimension in dimensions if not dimension.is_numeric]
    return f"{text_names[0]} is text: a contour needs numbers" if text_names else ""


def _problem_picture(canvas: PictureCanvas, problem: str) -> PlanePicture:
    lines = wrap(problem, max(1, canvas.width))
    for row, line in enumerate(lines, (canvas.height - len(lines)) // 2):
        write_middle(canvas, row, line, Ink(Role.AXIS))
    return PlanePicture(canvas.picture(), problem=problem)


def _scale_width(metric: Dimension) -> int:
    """Return the cells that the scale takes beside the plot.

    They are a gap, two cells of shade, a gap, and the widest value or the metric's name, whichever is wider.
    """
    values = max(cell_width(metric.text_at(place)) for place in metric.numbers)
    return 5 + min(_MOST_SCALE_TEXT, max(values, cell_width(metric.name) - 3))


def _shade(canvas: PictureCanvas, plane: Plane, trials: InterpolatedSurface, metric: Dimension) -> bool:
    """Draw the shades; return False if no cell lies between the trials."""
    plot, is_any = plane.plot, False
    for row, values in enumerate(trials.grid(plot.width, plot.height, REACH)):
        for column, value in enumerate(values):
            if value is not None:
                is_any, step = True, colour_step(metric.share(value))
                canvas.put(plot.left + column, plane.axis_row - 1 - row, shade(step), Ink(Role.SCALE, step))
    return is_any
