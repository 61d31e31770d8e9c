"""`mldeck plot`: draw a metric of one or more runs as the deck does, or print its points as CSV."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mldeck.commands.options import (
    ALL_EXPERIMENTS,
    RUN_HELP,
    add_csv_safe_option,
    add_store_option,
    check_can_draw,
    checked_address,
    command_parser,
)
from mldeck.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from mldeck.charts.ansi import Depth
    from mldeck.charts.curves import Axis
    from mldeck.charts.lines import ChartLine
    from mldeck.model import Run
    from mldeck.store.store import Store

_PIPE_SIZE = (100, 28)
"""Columns and rows of a picture that is not printed on a terminal."""
_MIN_SIZE = (20, 6)
"""Columns and rows of the smallest picture."""
_X_AXES = ("step", "time", "wall")
_FORMATS = ("picture", "csv")


def run(words: Sequence[str]) -> int:
    parser = command_parser("mldeck plot", "Draw a metric of one or more runs.", no_experiment=ALL_EXPERIMENTS)
    parser.add_argument("run", nargs="+", metavar="RUN", help=RUN_HELP)
    parser.add_argument("-m", "--metric", required=True, metavar="METRIC", help="key of the metric")
    parser.add_argument("--x", choices=_X_AXES, default="step", help="x axis: step, time since the start, or wall time")
    parser.add_argument("--log", action="store_true", help="logarithmic y axis")
    parser.add_argument(
        "--smooth", type=_weight, default=0.0, metavar="A", help="weight of an exponential moving average: 0 to 0.999"
    )
    parser.add_argument("--width", type=_cells, metavar="N", help="columns (default: those of the terminal, else 100)")
    parser.add_argument("--height", type=_cells, metavar="N", help="lines (default: those of the terminal, else 28)")
    parser.add_argument("--format", choices=_FORMATS, default="picture", help="csv: every point, as it was logged")
    add_csv_safe_option(parser)
    add_store_option(parser)
    options = parser.parse_args(words)
    check_can_draw()
    address = checked_address(options)
    from mldeck.printing import open_store

    with open_store(address) as store:
        runs = [store.resolve_run(text) for text in options.run]
        _check_metric(store, runs, options.metric)
        if options.format == "csv":
            _write_points(store, runs, options.metric, csv_safe=options.csv_safe)
        else:
            sys.stdout.write(_picture(store, runs, options))
    return 0


def _write_points(store: Store, runs: Sequence[Run], metric: str, *, csv_safe: bool) -> None:
    from itertools import chain

    from mldeck.printing import write_csv
    from mldeck.run_text import POINT_HEADER, point_rows

    rows = (point_rows(run.run_id, run.label, metric, store.iter_points(run.run_id, metric)) for run in runs)
    write_csv(POINT_HEADER, chain.from_iterable(rows), csv_safe=csv_safe)


def _picture(store: Store, runs: Sequence[Run], options: argparse.Namespace) -> str:
    from mldeck.charts.ansi import to_ansi
    from mldeck.charts.legend import legend_rows
    from mldeck.charts.lines import ChartView, draw_lines
    from mldeck.charts.palette import DARK
    from mldeck.charts.picture import Picture
    from mldeck.format import safe

    lines = _lines(store, runs, options)
    width, height = _size(options)
    legend = legend_rows(lines, width)
    picture = draw_lines(
        lines, ChartView(is_log=options.log), (width, height - len(legend)), title=safe(options.metric)
    )
    return to_ansi(Picture((*picture.rows, *legend)), DARK, _depth()) + "\n"


def _lines(store: Store, runs: Sequence[Run], options: argparse.Namespace) -> list[ChartLine]:
    from mldeck.charts.curves import prepare
    from mldeck.charts.lines import ChartLine, marks_for
    from mldeck.charts.picture import SERIES_COLOURS

    histories = [store.read_history(run.run_id, options.metric) for run in runs]
    axis = _axis(options.x)
    return [
        ChartLine(
            prepare(history.steps, history.timestamps, history.values, axis, options.smooth),
            run.label,
            number % SERIES_COLOURS,
            mark,
        )
        for number, (run, history, mark) in enumerate(zip(runs, histories, marks_for(len(runs)), strict=True))
    ]


def _check_metric(store: Store, runs: Sequence[Run], metric: str) -> None:
    keys = [found.key for found in store.metric_keys([run.run_id for run in runs])]
    if metric not in keys:
        whose = "this run has" if len(runs) == 1 else "these runs have"
        there = f"; there are {', '.join(keys[:20])}{', …' if len(keys) > 20 else ''}" if keys else ""
        raise UsageError(f"{whose} no metric {metric}{did_you_mean(metric, keys)}{there}")


def _axis(name: str) -> Axis:
    from mldeck.charts.curves import Axis

    return {"step": Axis.STEP, "time": Axis.RELATIVE, "wall": Axis.WALL}[name]


def _size(options: argparse.Namespace) -> tuple[int, int]:
    """Return columns and rows: those of the options, else those of the terminal less one row for the shell prompt."""
    if sys.stdout.isatty():
        columns, rows = shutil.get_terminal_size()
        rows -= 1
    else:
        columns, rows = _PIPE_SIZE
    return max(_MIN_SIZE[0], options.width or columns), max(_MIN_SIZE[1], options.height or rows)


def _depth() -> Depth:
    """Return the colour depth of the terminal. Without a terminal, or with NO_COLOR set, there are no colours."""
    from mldeck.charts.ansi import Depth

    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return Depth.NONE
    if os.environ.get("COLORTERM") in ("truecolor", "24bit"):
        return Depth.TRUE
    return Depth.EIGHT_BIT if "256" in os.environ.get("TERM", "") else Depth.SIXTEEN


def _weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        weight = -1.0
    if not 0 <= weight <= 0.999:
        raise argparse.ArgumentTypeError(f"{text!r} is not a weight: write a number from 0 to 0.999")
    return weight


def _cells(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= 2_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size: write a number of characters from 1 to 2000")
    return int(text)
