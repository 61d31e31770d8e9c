"""Braille, scales, and what a picture becomes: ANSI text, SVG."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldeck.charts.ansi import Depth, to_ansi
from mldeck.charts.braille import Layer, draw_layers
from mldeck.charts.lines import ChartLine, ChartView, draw_lines, marks_for
from mldeck.charts.palette import COLOUR_BLIND, DARK, LIGHT, PALETTES, Palette, parts
from mldeck.charts.picture import SCALE_STEPS, SERIES_COLOURS, Ink, PictureCanvas, PictureCell, Role
from mldeck.charts.scale import Scale
from mldeck.charts.svg import to_svg
from tests.charts.histories import NUMBERS, curve_of

ONE, TWO, FAINT = Ink(Role.SERIES, 0), Ink(Role.SERIES, 1), Ink(Role.SERIES, 0, is_faint=True)


def layer(xs: list[float], ys: list[float], ink: Ink, width: int = 1, height: int = 1) -> Layer:
    drawn = Layer(ink, width, height)
    drawn.line(xs, ys)
    return drawn


def text(rows: list[list[PictureCell]]) -> list[str]:
    return ["".join(cell.text for cell in row) for row in rows]


def test_lines_are_thin_and_whole() -> None:
    assert text(draw_layers([layer([0, 8], [0, 8], ONE, 4, 2)], 4, 2)) == ["  ⡠⠊", "⡠⠊  "]
    assert text(draw_layers([layer([0, 7], [0, 0], ONE, 4, 1)], 4, 1)) == ["⣀⣀⣀⣀"]
    assert text(draw_layers([layer([3, 3], [0, 7], ONE, 2, 2)], 2, 2)) == [" ⢸", " ⢸"]


PLACES = st.floats(-1e12, 1e12) | st.floats(-5, 25)


@given(st.lists(st.tuples(PLACES, PLACES), min_size=2, max_size=6))
def test_a_line_has_no_holes(places: list[tuple[float, float]]) -> None:
    several = Layer(ONE, 10, 5)
    several.line(*zip(*places, strict=True))
    assert all(0 <= column < 1 << 20 for column in several.columns)
    single = Layer(ONE, 10, 5)
    single.line(*zip(*places[:2], strict=True))
    lit = [index for index, column in enumerate(single.columns) if column]
    assert lit == list(range(lit[0], lit[-1] + 1)) if lit else True
    for column in single.columns:
        dots = bin(column)[2:].strip("0")
        assert "0" not in dots


def test_dots_in_one_cell_are_united_in_the_upper_ink() -> None:
    layers = [layer([0, 0], [0, 3], ONE), layer([1, 1], [0, 0], TWO)]
    assert draw_layers(layers, 1, 1) == [[PictureCell("⣇", TWO)]]


def test_what_is_faint_gives_way() -> None:
    layers = [layer([1, 1], [0, 0], TWO), layer([0, 0], [0, 3], FAINT)]
    assert draw_layers(layers, 1, 1) == [[PictureCell("⢀", TWO)]]


@given(NUMBERS, NUMBERS, NUMBERS, st.booleans())
def test_a_scale_takes_every_number(low: float, high: float, value: float, is_log: bool) -> None:
    low, high = min(low, high), max(low, high)
    if not (float("-inf") < low < high < float("inf")) or (is_log and low <= 0):
        return
    scale = Scale(low, high, is_log)
    share = scale.share(value)
    if low <= value <= high:
        assert share is not None
        assert -1e-9 <= share <= 1 + 1e-9
    assert scale.value(0) == pytest.approx(low)
    assert scale.value(1) == pytest.approx(high)


def test_marks_are_letters_while_there_are_some() -> None:
    marks = marks_for(60)
    assert marks[:3] == ("a", "b", "c")
    assert len(marks) == 60
    assert len(set(marks[:52])) == 52


def test_letters_stand_at_the_ends_and_never_on_each_other() -> None:
    curves = [curve_of([1.0] * 50) for _ in range(6)]
    picture = draw_lines(
        [ChartLine(curve, "", n, m) for n, (m, curve) in enumerate(zip(marks_for(6), curves, strict=True))],
        ChartView(),
        (60, 20),
    )
    last = [row[-1].text for row in picture.rows]
    assert sorted(each for each in last if each != " ") == list("abcdef")


@given(st.lists(st.tuples(st.integers(-100, 100), st.integers(0, 4)), min_size=2, max_size=30))
def test_letters_in_the_margin_are_in_the_order_of_the_ends(ends: list[tuple[int, int]]) -> None:
    """Lines that end at the right edge or a little before it, at any heights, some of them strong or faint."""
    lines = [
        ChartLine(
            curve_of([*([-100.0, 100.0] * 20), *([end] * (kind + 1))]),
            "",
            n,
            mark,
            is_strong=kind == 0,
            is_faint=kind == 1,
        )
        for n, ((end, kind), mark) in enumerate(zip(ends, marks_for(len(ends)), strict=True))
    ]
    picture = draw_lines(lines, ChartView(), (60, 20))
    letters = [row[-1].text for row in picture.rows if row[-1].text != " "]
    heights = [ends[marks_for(len(ends)).index(letter)][0] for letter in letters]
    assert heights == sorted(heights, reverse=True)
    assert len(letters) == min(len(ends), picture.plot.height if picture.plot else 0)
    strong = {mark for (_, kind), mark in zip(ends, marks_for(len(ends)), strict=True) if kind == 0}
    assert len(strong.intersection(letters)) == min(len(strong), len(letters))


def test_letters_beside_lines_that_end_together_are_in_order() -> None:
    """They end within the chart, because another line goes on."""
    ends = [0.50, 0.52, 0.48, 0.51]
    lines = [
        ChartLine(curve_of([*([0.0, 1.0] * 5), end]), "", n, mark)
        for n, (end, mark) in enumerate(zip(ends, "abcd", strict=True))
    ]
    picture = draw_lines([*lines, ChartLine(curve_of([0.0] * 40))], ChartView(), (80, 20))
    letters = [cell.text for row in picture.rows for cell in row if cell.text in "abcd"]
    assert letters == ["b", "d", "a", "c"]


def test_many_lines_are_drawn_in_time() -> None:
    lines = [ChartLine(curve_of([0.0, n / 2_000]), "", n, "·") for n in range(2_000)]
    assert sum(row[-1].text == "·" for row in draw_lines(lines, ChartView(), (60, 20)).rows) > 10


def luminance(colour: str) -> float:
    linear = [part / 255 / 12.92 if part <= 10 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in parts(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("palette", PALETTES.values(), ids=lambda palette: palette.name)
def test_colours_can_be_read_and_told_apart(palette: Palette) -> None:
    assert len(set(palette.series)) == SERIES_COLOURS
    assert len(palette.scale) == SCALE_STEPS
    assert min(contrast(colour, palette.background) for colour in (*palette.series, *palette.scale)) >= 3
    brightness = [luminance(colour) for colour in palette.scale]
    assert brightness == sorted(brightness, reverse=palette is LIGHT)
    for ink in (Ink(Role.SERIES, 9), Ink(Role.SCALE, 99), Ink(Role.WARNING), FAINT):
        assert re.fullmatch("#[0-9a-f]{6}", palette.colour(ink))
    assert contrast(palette.colour(FAINT), palette.background) < contrast(palette.colour(ONE), palette.background)


def picture_of_two() -> PictureCanvas:
    canvas = PictureCanvas(6, 2)
    canvas.put(0, 0, "a<b", ONE)
    canvas.put(0, 1, "&", Ink(is_strong=True))
    return canvas


def test_ansi() -> None:
    picture = picture_of_two().picture()
    assert to_ansi(picture, depth=Depth.NONE) == "a<b\n&"
    assert to_ansi(picture, DARK, Depth.SIXTEEN) == "\x1b[94ma<b\x1b[0m\n\x1b[1m&\x1b[0m"
    assert to_ansi(picture, COLOUR_BLIND, Depth.TRUE) == "\x1b[38;2;86;180;233ma<b\x1b[0m\n\x1b[1m&\x1b[0m"
    assert to_ansi(picture, COLOUR_BLIND, Depth.EIGHT_BIT).startswith("\x1b[38;5;74ma<b")


def test_svg() -> None:
    tree = ElementTree.fromstring(to_svg(picture_of_two().picture(), LIGHT, title="a & b"))
    space = "{http://www.w3.org/2000/svg}"
    assert tree.findtext(f"{space}title") == "a & b"
    texts = tree.findall(f".//{space}text")
    assert [each.text for each in texts] == ["a<b", "&"]
    assert texts[0].get("fill") == LIGHT.series[0]
    assert texts[1].get("font-weight") == "bold"
