"""A surface over scattered points: linear between the corners of each triangle of their Delaunay triangulation.

It goes through every point, never beyond the values around it, and ends at the outline of the points. Triangulating is
exact: coordinates are whole numbers, so points on a line or on a circle (a grid search) need no special care.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

MAX_SITES = 500
"""More points than this are averaged by neighbourhood, so that triangulating stays quick."""

_UNITS = 1 << 32
"""Coordinates between 0 and 1 are rounded to this many steps."""
_NEIGHBOURHOODS = (_UNITS, 128, 64, 32, 22)
"""How finely points are told apart, tried in turn. The last makes no more than MAX_SITES of them."""
_AT_INFINITY = -1
"""The third corner of the triangles that lie outside, one at each edge of the outline."""

Site = tuple[int, int]


@dataclass(frozen=True)
class Surface:
    sites: tuple[Site, ...]
    values: tuple[float, ...]
    triangles: tuple[tuple[int, int, int], ...]
    """Numbers of sites, counter-clockwise. None if all sites are on a line."""

    def grid(self, columns: int, rows: int, reach: float = math.inf) -> list[list[float | None]]:
        """The values in the middle of the cells that divide the unit square, the lowest row first.

        None outside the outline, and where all corners of the triangle are farther away than `reach`.
        """
        cells: list[list[float | None]] = [[None] * columns for _ in range(rows)]
        for triangle in self.triangles:
            for column, row, value in self._filled(triangle, columns, rows, reach):
                cells[row][column] = value
        return cells

    def _filled(
        self, triangle: tuple[int, int, int], columns: int, rows: int, reach: float
    ) -> Iterator[tuple[int, int, float]]:
        (ax, ay), (bx, by), (cx, cy) = corners = [
            (x / _UNITS, y / _UNITS) for x, y in map(self.sites.__getitem__, triangle)
        ]
        a, b, c = (self.values[corner] for corner in triangle)
        lowest, highest = min(a, b, c), max(a, b, c)
        double_area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        for row in _between(min(ay, by, cy), max(ay, by, cy), rows):
            y = (row + 0.5) / rows
            for column in _between(min(ax, bx, cx), max(ax, bx, cx), columns):
                x = (column + 0.5) / columns
                of_a = ((bx - x) * (cy - y) - (by - y) * (cx - x)) / double_area
                of_b = ((cx - x) * (ay - y) - (cy - y) * (ax - x)) / double_area
                of_c = 1 - of_a - of_b
                if min(of_a, of_b, of_c) >= -1e-9 and min(math.dist((x, y), corner) for corner in corners) <= reach:
                    # Rounded, it may be a little beyond what is around it, and of huge numbers not finite.
                    yield column, row, min(max(of_a * a + of_b * b + of_c * c, lowest), highest)


def _between(low: float, high: float, count: int) -> range:
    """The cells of `count` in a row whose middle lies between two coordinates."""
    return range(max(0, math.ceil(low * count - 0.5)), min(count - 1, math.floor(high * count - 0.5)) + 1)


def surface(points: Iterable[tuple[float, float, float]]) -> Surface:
    """The surface over points with two coordinates from 0 to 1 and a finite value. Points of one place are averaged."""
    known = list(points)
    groups: list[list[tuple[float, float, float]]] = []
    for count in _NEIGHBOURHOODS:
        by_place: dict[Site, list[tuple[float, float, float]]] = defaultdict(list)
        for point in known:
            by_place[min(count - 1, int(point[0] * count)), min(count - 1, int(point[1] * count))].append(point)
        groups = list(by_place.values())
        if len(groups) <= MAX_SITES:
            break
    values: dict[Site, float] = {}
    for group in groups:
        x, y, value = (_mean(column) for column in zip(*group, strict=True))
        values[round(x * _UNITS), round(y * _UNITS)] = value
    sites = sorted(values)
    return Surface(tuple(sites), tuple(values[site] for site in sites), tuple(triangulate(sites)))


def _mean(values: Sequence[float]) -> float:
    # Divided first: the sum of huge numbers is no float.
    return values[0] if len(set(values)) == 1 else math.fsum(value / len(values) for value in values)


def triangulate(sites: Sequence[Site]) -> list[tuple[int, int, int]]:
    """The Delaunay triangles of different sites in ascending order, as numbers of sites, counter-clockwise.

    Each site is added in turn. It lies outside the triangles so far, at the edge of the outline beside the site before it.
    From there on all triangles whose circumcircle holds it are dug away, and the hole is filled with triangles to it.
    """
    apex: dict[tuple[int, int], int] = {}
    """By directed edge: the third corner of the triangle on its left."""
    start = next((index for index in range(2, len(sites)) if _turn(sites[0], sites[1], sites[index])), None)
    if start is None:
        return []
    for one in range(start - 1):
        corners = (one, one + 1) if _turn(sites[0], sites[1], sites[start]) > 0 else (one + 1, one)
        _add(apex, *corners, start)
    for edge in [(v, u) for u, v in apex if (v, u) not in apex]:
        _add(apex, *edge, _AT_INFINITY)
    for new in range(start + 1, len(sites)):
        _insert(apex, sites, new)
    return [(u, v, w) for (u, v), w in apex.items() if 0 <= u < min(v, w)]


def _insert(apex: dict[tuple[int, int], int], sites: Sequence[Site], new: int) -> None:
    """Adds a site that is greater than all before it."""
    u = apex[
        new - 1, _AT_INFINITY
    ]  # the outline before and after the last site: one of the two edges is seen from the new one
    edges = [(u, new - 1), (new - 1, apex[_AT_INFINITY, new - 1])]
    u, v = next((u, v) for u, v in edges if _turn(sites[u], sites[v], sites[new]) > 0)
    hole = [(u, v), (v, _AT_INFINITY), (_AT_INFINITY, u)]
    _remove(apex, u, v, _AT_INFINITY)
    while hole:
        u, v = hole.pop()
        w = apex[v, u]
        if _is_dug_away(sites, v, u, w, new):
            _remove(apex, v, u, w)
            hole += [(u, w), (w, v)]
        else:
            _add(apex, u, v, new)


def _is_dug_away(sites: Sequence[Site], u: int, v: int, w: int, new: int) -> bool:
    """Whether the circumcircle of a triangle holds the new site; that of one at infinity is the half-plane at its edge."""
    while _AT_INFINITY in (u, v):
        u, v, w = v, w, u
    if w == _AT_INFINITY:
        return _turn(sites[u], sites[v], sites[new]) > 0
    return _in_circle(sites[u], sites[v], sites[w], sites[new]) > 0


def _add(apex: dict[tuple[int, int], int], u: int, v: int, w: int) -> None:
    apex[u, v], apex[v, w], apex[w, u] = w, u, v


def _remove(apex: dict[tuple[int, int], int], u: int, v: int, w: int) -> None:
    del apex[u, v], apex[v, w], apex[w, u]


def _turn(a: Site, b: Site, c: Site) -> int:
    """More than zero if the way from a over b to c turns left."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _in_circle(a: Site, b: Site, c: Site, d: Site) -> int:
    """More than zero if d lies inside the circle through a, b and c, which are counter-clockwise."""
    ax, ay, bx, by, cx, cy = a[0] - d[0], a[1] - d[1], b[0] - d[0], b[1] - d[1], c[0] - d[0], c[1] - d[1]
    of_a, of_b, of_c = ax * ax + ay * ay, bx * bx + by * by, cx * cx + cy * cy
    return ax * (by * of_c - of_b * cy) - ay * (bx * of_c - of_b * cx) + of_a * (bx * cy - by * cx)
