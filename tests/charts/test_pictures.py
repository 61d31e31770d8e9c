"""Whole charts as text at three sizes, kept beside this file, as somebody without colours sees them.

`MLDECK_UPDATE_FRAMES=1 pytest tests/charts/test_pictures.py` writes them anew; look at the difference before committing it.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mldeck.charts.bands import band, draw_bands
from mldeck.charts.bars import Bar, draw_bars
from mldeck.charts.curves import Axis
from mldeck.charts.legend import legend_rows
from mldeck.charts.lines import ChartLine, ChartView, draw_lines, draw_small
from mldeck.charts.picture import Picture
from tests.charts.histories import falling

pytestmark = pytest.mark.usefixtures("utc")
PICTURES = Path(__file__).parent / "pictures"
_UPDATE = os.environ.get("MLDECK_UPDATE_FRAMES") == "1"  # asked here: tests do not see such variables
SIZES = [(60, 14), (100, 28), (160, 40)]
SMALL_SIZES = [(20, 4), (28, 7), (40, 10)]
Size = tuple[int, int]


def lines(size: Size) -> Picture:
    curves = [falling(1_000, 0), falling(700, 2), falling(1_000, 4, smoothing=0.95)]
    shown = [
        ChartLine(curve, f"run-{mark}", number, mark)
        for number, (mark, curve) in enumerate(zip("abc", curves, strict=True))
    ]
    return draw_lines(shown, ChartView(), size, title="train/loss")


def gaps(size: Size) -> Picture:
    holes = {
        **dict.fromkeys(range(120, 160), math.nan),
        250: math.inf,
        320: -math.inf,
        321: math.nan,
        380: -1.0,
        381: 0.0,
    }
    return draw_lines([ChartLine(falling(400, 0, holes))], ChartView(is_log=True), size, title="train/loss")


def clock(size: Size) -> Picture:
    shown = [
        ChartLine(falling(4_000, seed, {50 * seed: 90.0}, Axis.WALL), colour=seed, is_faint=seed == 1)
        for seed in range(2)
    ]
    return draw_lines(shown, ChartView(is_without_outliers=True), size, title="val/rmse")


def zoomed(size: Size) -> Picture:
    shown = [
        ChartLine(falling(1_000, 0, axis=Axis.RELATIVE), mark="a"),
        ChartLine(falling(1_000, 1, axis=Axis.RELATIVE), colour=1, mark="b"),
    ]
    return draw_lines(shown, ChartView(x=(100_500, 109_250)), size, title="train/loss")


def bands(size: Size) -> Picture:
    adam = band([falling(400, seed, axis=Axis.STEP, smoothing=0.8) for seed in (0, 1, 2)], "adam", 0, "a")
    sgd = band([falling(300, seed, axis=Axis.STEP, smoothing=0.8) for seed in (6, 8, 9)], "sgd", 1, "b")
    return draw_bands([adam, sgd], ChartView(), size, title="train/loss by optimizer")


def bars(size: Size) -> Picture:
    values = [5.9124, -2.1, math.nan, None, 0.0, math.inf, 3e-5, 11.25]
    names = [
        "brash-fox-12",
        "calm-newt-7",
        "crashed",
        "still-running",
        "zero",
        "too-far",
        "日本語のラン",
        "a-name-that-goes-on-and-on-and-on",
    ]
    return draw_bars(
        [Bar(name, value, number) for number, (name, value) in enumerate(zip(names, values, strict=True))],
        size,
        title="rmse",
    )


def check(name: str, picture: Picture, size: Size) -> None:
    assert (picture.width, picture.height) == size
    file = PICTURES / f"{name}-{size[0]}x{size[1]}.txt"
    if _UPDATE:
        file.write_text(picture.text + "\n", encoding="utf-8")
    assert file.read_text(encoding="utf-8") == picture.text + "\n"


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("draw", [lines, gaps, clock, zoomed, bands, bars], ids=lambda draw: draw.__name__)
def test_large(draw: Callable[[Size], Picture], size: Size) -> None:
    check(draw.__name__, draw(size), size)


@pytest.mark.parametrize("size", SMALL_SIZES, ids=str)
def test_small(size: Size) -> None:
    check("small", draw_small([ChartLine(falling(400, 0, {120: math.nan}))], size, title="train/loss"), size)


def test_legend() -> None:
    shown = [ChartLine(falling(400, seed), f"run {seed}", seed, "abc"[seed]) for seed in range(3)]
    shown.append(ChartLine(falling(10, 0, {9: math.nan}), "日本語のとても長い名前のラン", 3, "d"))
    check("legend", Picture(legend_rows(shown, 40)), (40, 4))
