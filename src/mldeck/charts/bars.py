"""A bar chart for a metric that was logged once: a bar for every run, and its value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mldeck.charts.axes import header
from mldeck.charts.labels import write, write_middle, write_right
from mldeck.charts.limits import widened
from mldeck.charts.picture import Ink, Picture, PictureCanvas, Role
from mldeck.charts.scale import Scale
from mldeck.format import MISSING, Neighbours, cell_width, number_format, safe

_FULL = "█"
_EIGHTHS = " ▏▎▍▌▋▊▉"
_LEAST_BAR = 4
"""The least length of bars, in cells; with less room only names and values are shown."""


@dataclass(frozen=True)
class Bar:
    """The bar of one run."""

    name: str
    value: float | None
    """None if the metric was not logged."""
    colour: int = 0
    """The number of its series colour."""
    is_faint: bool = False
    is_strong: bool = False

    @property
    def ink(self) -> Ink:
        return Ink(Role.SERIES, self.colour, self.is_faint, self.is_strong)


def draw_bars(bars: Sequence[Bar], size: tuple[int, int], *, title: str = "", is_log: bool = False) -> Picture:
    """Draw bars from zero, to the left for negative values; on a log axis they start a decade below the smallest value.

    A value that cannot be drawn (NaN, infinities, or ≤ 0 on a log axis) has no bar, only its text. If there are more
    bars than rows, the strong one is always among those shown. The scale and the columns do not depend on which bars
    are shown.
    """
    canvas = PictureCanvas(*size)
    top = header(canvas, title, ["log"] if is_log else [])
    if not bars:
        write_middle(canvas, canvas.height // 2, "no values yet", Ink(Role.AXIS))
        return canvas.picture()
    room = canvas.height - top
    rows = len(bars) if len(bars) <= room else max(0, room - 1)
    strong = next((index for index, bar in enumerate(bars) if bar.is_strong), 0)
    first = max(0, strong - rows + 1)
    names = [safe(bar.name) for bar in bars]
    neighbours = Neighbours(names)
    values = _value_texts(bars, canvas.width // 2)
    value_width = max(map(len, values), default=0)
    longest = max(map(cell_width, names), default=0)
    name_width = max(0, min(longest, canvas.width // 3, canvas.width - value_width - 1))
    left = name_width + 1
    width = canvas.width - left - value_width - 1
    scale = _scale([bar.value for bar in bars], is_log)
    for row, (bar, name, value) in enumerate(list(zip(bars, names, values, strict=True))[first : first + rows], top):
        write(canvas, 0, row, neighbours.cut(name, name_width), Ink(is_faint=bar.is_faint, is_strong=bar.is_strong))
        missing = bar.value is not None and not math.isfinite(bar.value)
        ink = Ink(Role.WARNING if missing else Role.TEXT, 0, bar.is_faint, bar.is_strong)
        write_right(canvas, canvas.width, row, value, ink)
        if scale is not None and bar.value is not None and width >= _LEAST_BAR:
            _draw(canvas, row, left, width, scale, bar)
    if rows < len(bars):
        write(canvas, 0, canvas.height - 1, f"… {len(bars) - rows:,} more", Ink(Role.AXIS))
    return canvas.picture()


def _value_texts(bars: Sequence[Bar], most: int) -> list[str]:
    """Return the values, aligned at the decimal point unless that takes more than `most` cells."""
    numbers = number_format(bar.value for bar in bars if bar.value is not None)
    texts = [MISSING if bar.value is None else numbers.text(bar.value) for bar in bars]
    fractions = [len(text) - text.index(".") if "." in text else 0 for text in texts]
    room = max(fractions, default=0)
    aligned = [
        text + " " * (room - fraction) if bar.value is not None and math.isfinite(bar.value) else text
        for text, fraction, bar in zip(texts, fractions, bars, strict=True)
    ]
    return aligned if max(map(len, aligned), default=0) <= most else texts


def _scale(values: Sequence[float | None], is_log: bool) -> Scale | None:
    known = [value for value in values if value is not None and math.isfinite(value) and (value > 0 or not is_log)]
    if not known:
        return None
    if not is_log:
        low, high = min(0.0, *known), max(0.0, *known)
        return Scale(low, high) if low < high else Scale(0.0, 1.0)
    # Parse the power from text: computed as a float it may underflow to 0 although the number itself does not.
    decade = float(f"1e{math.floor(math.log10(min(known))) - 1}")
    return widened(decade or min(known), max(known), True)


def _draw(canvas: PictureCanvas, row: int, left: int, width: int, scale: Scale, bar: Bar) -> None:
    start = (0.0 if scale.is_log else scale.share(0.0)) or 0.0
    end = scale.share(bar.value) if bar.value is not None else None
    if end is None:
        return
    zero = left + min(width - 1, round(start * width))
    if end < start:
        length = max(1, round((start - end) * width))
        canvas.put(max(left, zero - length), row, _FULL * min(length, zero - left), bar.ink)
        return
    eighths = round((end - start) * width * 8)
    text = _FULL * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")
    canvas.put(zero, row, (text or ("▏" if end > start else "│"))[: left + width - zero], bar.ink)
