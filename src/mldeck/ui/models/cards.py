"""The cards of the board, line by line, as pieces of text with the names of their styles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mldeck.format import MISSING, Neighbours, cell_width, number_format, safe
from mldeck.registry.nouns import ModelVersion
from mldeck.ui.kit.cell_text import cell_text, fit
from mldeck.ui.kit.clock import Clock
from mldeck.ui.kit.grid import Cell
from mldeck.ui.models.reading import Versions
from mldeck.ui.models.version_overview import VERSION_GLYPHS
from mldeck.ui.state.metric_direction import BEST

CARD_HEIGHT = 4
_PADDED = 16
"""Cells inside a card from which on it has a blank at either side."""


class _Border(NamedTuple):
    left_top: str
    right_top: str
    left_foot: str
    right_foot: str
    along: str
    down: str


_THIN = _Border("╭", "╮", "╰", "╯", "─", "│")
_HEAVY = _Border("┏", "┓", "┗", "┛", "━", "┃")
"""Border of the card under the cursor, because not everybody can tell it by its colour."""


class Cards:
    """Makes the lines of the cards. The values on all of them have the same precision and are aligned."""

    def __init__(self, data: Versions, clock: Clock) -> None:
        self.data = data
        self._clock = clock
        self._values = _values(data)
        self._numbers = number_format(self._values.values())
        self._fraction = max(map(self._fraction_width, self._values.values()), default=0)
        self._names = Neighbours(source_name(data, version) for version in data.versions)
        self._aliases = Neighbours(" @".join(version.aliases) for version in data.versions)
        self._best = None if data.metric is None else data.metric.best_of(data.records.values())

    def line(self, row: int, line: int, width: int, *, edge: str, is_cursor: bool, below: int) -> list[Cell]:
        """Return a line of a card. `edge` is the style of the border, `below` the number of cards hidden below it."""
        border, inner = _HEAVY if is_cursor else _THIN, width - 2
        version = self.data.versions[row]
        if line == 0:
            return self._head(version, inner, border, edge)
        if line == CARD_HEIGHT - 1:
            return self._foot(version, below, inner, border, edge)
        pad = 1 if inner >= _PADDED else 0
        room = inner - 2 * pad
        left, right = self._source(version) if line == 1 else self._measured(row, room)
        left_room = max(0, room - cell_width(right.text))
        name = self._names.cut(left.text, left_room) if line == 1 else left.text
        return [
            Cell(border.down, edge),
            Cell(" " * pad + fit(name, left_room, right=False), left.style),
            Cell(fit(right.text, room - left_room, right=True) + " " * pad, right.style),
            Cell(border.down, edge),
        ]

    def _head(self, version: ModelVersion, inner: int, border: _Border, edge: str) -> list[Cell]:
        """Return the upper border with the number and the aliases."""
        number = f" {version.version} "
        room = inner - len(number) - 4
        aliases = self._aliases.cut(" @".join(version.aliases), room - 1)
        named = f" @{aliases} " if aliases else ""
        end = border.along if named else ""
        rule = border.along * max(0, inner - len(number) - cell_width(named) - 1 - len(end))
        return [
            Cell(border.left_top + border.along, edge),
            Cell(number, "header-cursor"),
            Cell(rule, edge),
            Cell(named, "name"),
            Cell(end + border.right_top, edge),
        ]

    def _foot(self, version: ModelVersion, below: int, inner: int, border: _Border, edge: str) -> list[Cell]:
        """Return the lower border with the age, and on the last visible card the number of cards below it."""
        more = f" ↓{below} more " if below else ""
        if len(more) + 2 > inner:
            more = cell_text(f"↓{below}", inner - 2)
        age = "" if version.creation_time is None else f" {self._clock.age(version.creation_time)} "
        if len(more) + len(age) + 2 > inner:
            age = ""  # because an age that is cut reads as another age
        rule = border.along * max(0, inner - len(more) - len(age) - 2)
        return [
            Cell(border.left_foot + border.along, edge),
            Cell(more, "accent"),
            Cell(rule, edge),
            Cell(age, "dim"),
            Cell(border.along + border.right_foot, edge),
        ]

    def _source(self, version: ModelVersion) -> tuple[Cell, Cell]:
        glyph, style = VERSION_GLYPHS.get(version.status, ("?", "warn"))
        is_known = self.data.record(version) is not None
        name = Cell(source_name(self.data, version), "" if is_known else "dim")
        return name, Cell("" if version.status == "READY" else glyph, style)

    def _measured(self, row: int, width: int) -> tuple[Cell, Cell]:
        """Return the metric; of a version that is not ready, its status."""
        metric, version = self.data.metric, self.data.versions[row]
        if version.status != "READY":
            _, style = VERSION_GLYPHS.get(version.status, ("?", "warn"))
            return Cell(safe(version.status.partition("_")[0].lower()), style), Cell("")
        if metric is None:
            return Cell(""), Cell("")
        value = self._values.get(row)
        is_best = value is not None and value == self._best
        text = MISSING if value is None else self._value_text(value, width, f"{BEST} " if is_best else "")
        # It may be left out, because the title of the pane names it.
        key = safe(metric.key) if cell_width(safe(metric.key)) + cell_width(text) < width else ""
        return Cell(key, "dim"), Cell(text, "good" if is_best else "dim" if value is None else "")

    def _value_text(self, value: float, width: int, sign: str) -> str:
        """Return the value, aligned with those of other cards if there is room; rounded rather than cut if there is not."""
        numbers = self._numbers
        whole = numbers.text(value)
        texts = [whole + " " * (self._fraction - self._fraction_width(value)), whole]
        rounded = (
            numbers._replace(decimals=decimals, digits=decimals) for decimals in range(numbers.decimals - 1, 0, -1)
        )
        texts += [shorter.text(value) for shorter in rounded]
        return next((sign + text for text in texts if cell_width(sign + text) <= width), "…")

    def _fraction_width(self, value: float) -> int:
        """Return the width of the decimal point and the digits after it."""
        _, point, digits = self._numbers.text(value).partition(".")
        return len(point + digits)


def source_name(data: Versions, version: ModelVersion) -> str:
    """Return the name of the source run, else its id, else the last part of the source address."""
    record = data.record(version)
    if record is not None:
        return safe(record.run.label)
    if version.run_id:
        return f"run {safe(version.run_id)}"
    return safe((version.source or "no source").rstrip("/").rpartition("/")[2])


def _values(data: Versions) -> dict[int, float]:
    """Return the values of the metric by row, for the versions whose runs have it."""
    return dict(_values_of(data, data.metric.key)) if data.metric else {}


def _values_of(data: Versions, key: str) -> Iterator[tuple[int, float]]:
    for row, version in enumerate(data.versions):
        record = data.record(version)
        if record is not None and key in record.metrics:
            yield row, record.metrics[key]
