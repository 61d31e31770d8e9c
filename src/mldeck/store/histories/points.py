"""The points of a history while it is read: in arrays, sorted, and thinned when they are too many to keep.

A point takes 24 bytes here, a tenth of its size as a tuple.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import islice
from math import isnan
from operator import lt
from typing import Any

from mldeck.store.encoding import STORED_INFINITY, metric_value
from mldeck.store.values import float_of, integer_of

MAX_POINTS = 1_000_000
"""Most points that are kept: 24 MB, and more than any picture can show."""

_KEPT = 4
"""Points that are kept of a slice: the first, the last, the smallest and the greatest."""

PointRow = tuple[int, int, int, float | None]
"""(step, rowid, timestamp, value) as stored, but None for NaN, because a column of its own would take a tenth more time."""


class Points:
    """Steps, values and timestamps (in ms, or as logged) in parallel arrays. After `add` they are unsorted until `arrange`."""

    def __init__(self, steps: Iterable[int] = (), values: Iterable[float] = (), timestamps: Iterable[int] = ()) -> None:
        self.steps = array("q", steps)  # SQLite's integers have 64 bits too
        self.values = array("d", values)
        self.timestamps = array("q", timestamps)

    def __len__(self) -> int:
        return len(self.steps)

    def add(self, rows: Sequence[PointRow]) -> None:
        """Append rows; those without a step or a time are left out."""
        before = len(self)
        try:
            self._add(rows)
        except (TypeError, ValueError):  # one of the values is not a number
            for numbers in (self.steps, self.values, self.timestamps):
                del numbers[before:]
            self._add([row for row in map(_repaired, rows) if row is not None])

    def _add(self, rows: Sequence[PointRow]) -> None:
        if not rows:
            return
        steps, _, timestamps, values = zip(*rows, strict=True)
        # An array extends itself from a list much faster than from any other iterable.
        self.steps.fromlist(list(steps))
        self.values.fromlist(_decoded(values))
        self.timestamps.fromlist(list(timestamps))

    def append(self, others: Points) -> None:
        self.steps += others.steps
        self.values += others.values
        self.timestamps += others.timestamps

    def turn_into_milliseconds(self) -> None:
        self.timestamps = array("q", (1000 * timestamp for timestamp in self.timestamps))

    def arrange(self, start: int = 0) -> None:
        """Sort the points from the index `start` on by step, timestamp and value.

        NaN counts as the 0 that is stored for it, so that the last point is MLflow's latest.
        """
        steps = self.steps[start:]
        if all(map(lt, steps, islice(steps, 1, None))):
            return
        order = list(range(start, len(self)))
        values = self.values
        # From the least to the most important key: each sort is stable and keeps the order of the previous one among equals.
        order.sort(key=lambda index: isnan(values[index]))
        order.sort(key=lambda index: 0.0 if isnan(values[index]) else values[index])
        order.sort(key=self.timestamps.__getitem__)
        order.sort(key=self.steps.__getitem__)
        self.steps[start:] = array("q", map(self.steps.__getitem__, order))
        self.values[start:] = array("d", map(self.values.__getitem__, order))
        self.timestamps[start:] = array("q", map(self.timestamps.__getitem__, order))

    def merge(self, rows: Sequence[PointRow]) -> None:
        """Insert rows into sorted points: usually at the end."""
        earliest = bisect_left(self.steps, min(row[0] for row in rows))
        self.add(rows)
        self.arrange(earliest)

    def thin(self, size: int) -> None:
        """Keep, of every `size` successive points, only those that a curve must pass through (see `_extremes`)."""
        kept = array("q")
        for start in range(0, len(self), size):
            kept.extend(start + position for position in sorted(_extremes(self.values[start : start + size])))
        self.steps = array("q", map(self.steps.__getitem__, kept))
        self.values = array("d", map(self.values.__getitem__, kept))
        self.timestamps = array("q", map(self.timestamps.__getitem__, kept))


class PointCollector:
    """Collects the points of one history: all of them, or an evenly thinned outline when they are more than `most`."""

    def __init__(self, most: int = MAX_POINTS) -> None:
        self._most = most
        self._points = Points()
        self._piece = Points()
        self._stride = 1
        """Number of logged points per kept point, the same for all of `_points`."""
        self.count = 0
        """Number of points added so far."""

    def add(self, rows: Sequence[PointRow]) -> None:
        self.count += len(rows)
        self._piece.add(rows)
        if len(self._piece) >= self._most // _KEPT:
            self._settle()

    def _settle(self) -> None:
        if self._stride > 1:
            self._piece.arrange()
            self._piece.thin(_KEPT * self._stride)
        if len(self._points):
            self._points.append(self._piece)
        else:
            self._points = self._piece
        self._piece = Points()
        while len(self._points) > self._most:
            self._points.arrange()
            self._points.thin(_KEPT * _KEPT)
            self._stride *= _KEPT

    def finish(self) -> Points:
        """Return the collected points, sorted."""
        self._settle()
        self._points.arrange()
        return self._points


def _extremes(values: Sequence[float]) -> set[int]:
    """Return the indexes of the first, last, smallest and greatest value, and of the first NaN, whose gap must show."""
    kept = {0, len(values) - 1}
    numbers = values
    if isnan(sum(values)):  # or both infinities are there
        kept.update(islice((index for index, value in enumerate(values) if isnan(value)), 1))
        numbers = [value for value in values if not isnan(value)]
    if numbers:
        kept |= {values.index(min(numbers)), values.index(max(numbers))}
    return kept


def _repaired(row: Sequence[Any]) -> PointRow | None:
    """Return a row of mistyped values as numbers; None when it has no step or no time."""
    step, rowid, timestamp, value = row
    step, timestamp = integer_of(step), integer_of(timestamp)
    return None if step is None or timestamp is None else (step, rowid, timestamp, float_of(value))


def _decoded(values: Sequence[Any]) -> list[float]:
    if None in values or max(values) >= STORED_INFINITY or min(values) <= -STORED_INFINITY:
        return [metric_value(value, False) for value in values]
    return list(values)
