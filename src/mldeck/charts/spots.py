"""The cells of runs in a picture: which run is nearest, and which is next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from enum import Enum
from functools import cached_property
from typing import NamedTuple


class Spot(NamedTuple):
    """A cell of a picture."""

    column: int
    row: int


class Direction(Enum):
    """A direction as (columns, rows)."""

    LEFT = (-1, 0)
    RIGHT = (1, 0)
    UP = (0, -1)
    DOWN = (0, 1)


class Spots:
    """The cells of runs, by run id. Several runs may share a cell."""

    def __init__(self, by_run: Mapping[str, Spot]) -> None:
        self.by_run = dict(by_run)

    @cached_property
    def by_spot(self) -> dict[Spot, tuple[str, ...]]:
        """The runs of each cell, in the order they were given."""
        found: dict[Spot, list[str]] = defaultdict(list)
        for run_id, spot in self.by_run.items():
            found[spot].append(run_id)
        return {spot: tuple(run_ids) for spot, run_ids in found.items()}

    @cached_property
    def _reading_order(self) -> tuple[str, ...]:
        return tuple(sorted(self.by_run, key=lambda run_id: (self.by_run[run_id].row, self.by_run[run_id].column)))

    def spot_of(self, run_id: str) -> Spot | None:
        return self.by_run.get(run_id)

    def at(self, column: int, row: int) -> tuple[str, ...]:
        """Return the runs in a cell."""
        return self.by_spot.get(Spot(column, row), ())

    def nearest(self, column: int, row: int) -> str | None:
        """Return the run closest to a cell, the first if several share a cell; None if there are no runs."""
        spot = min(self.by_spot, key=lambda spot: _distance(spot, column, row), default=None)
        return None if spot is None else self.by_spot[spot][0]

    def neighbour(self, run_id: str, direction: Direction) -> str:
        """Return the closest run in a direction, or the run itself if there is none.

        Runs straight ahead are preferred to runs at an angle of more than 45°.
        """
        start = self.by_run.get(run_id)
        if start is None:
            return self.nearest(0, 0) or run_id
        across, down = direction.value
        ahead: list[tuple[bool, int, Spot]] = []
        for spot in self.by_spot:
            forward = (spot.column - start.column) * across + (spot.row - start.row) * 2 * down
            sideways = abs((spot.column - start.column) * down) + abs((spot.row - start.row) * 2 * across)
            if forward > 0:
                ahead.append((sideways > forward, _distance(spot, *start), spot))
        return self.by_spot[min(ahead)[2]][0] if ahead else run_id

    def next(self, run_id: str, step: int = 1) -> str:
        """Return the run `step` further in reading order, wrapping around. Runs that share a cell follow each other."""
        order = self._reading_order
        if not order:
            return run_id
        return order[(order.index(run_id) + step) % len(order)] if run_id in self.by_run else order[0]


def _distance(spot: Spot, column: int, row: int) -> int:
    # A cell is twice as high as it is wide.
    return (spot.column - column) ** 2 + (2 * (spot.row - row)) ** 2
