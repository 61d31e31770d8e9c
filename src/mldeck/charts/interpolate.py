"""A surface over scattered points: linear interpolation on the triangles of their Delaunay triangulation.

The surface passes through every point, never leaves the range of the surrounding values, and ends at the outline of the
points. The triangulation is exact because coordinates are integers, so collinear or cocircular points (as from a grid
search) need no special care.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from mldeck.format import mean_of

MAX_SITES = 500
"""If there are more points than this, neighbouring points are averaged, to keep the triangulation fast."""

_UNITS = 1 << 32
"""Coordinates from 0 to 1 are rounded to this many steps."""
_NEIGHBOURHOODS = (_UNITS, 128, 64, 32, 22)
"""Resolutions for merging points, tried in turn. The last yields at most MAX_SITES sites."""
_AT_INFINITY = -1
"""The third corner of the outer triangles; there is one such triangle at each edge of the outline."""

Site = tuple[int, int]


@dataclass(frozen=True)
class InterpolatedSurface:
    """A surface: sites with values, and the triangles between them."""

    sites: tuple[Site, ...]
    values: tuple[float, ...]
    triangles: tuple[tuple[int, int, int], ...]
    """Indices into `sites`, counter-clockwise. Empty if all sites lie on one line."""

    def grid(self, columns: int, rows: int, reach: float = math.inf) -> list[list[float | None]]:
        """Return the values at the centres of a grid of cells over the unit square, the lowest row first.

        A cell is None outside the outline, and if every corner of its triangle is farther away than `reach`.
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
                    # Clamp, because rounding may leave the range of the corners, and huge numbers may overflow.
                    yield column, row, min(max(of_a * a + of_b * b + of_c * c, lowest), highest)


def _between(low: float, high: float, count: int) -> range:
    """Return the indices of the cells, of `count` in a row, whose centre lies between two coordinates."""
    return range(max(0, math.ceil(low * count - 0.5)), min(count - 1, math.floor(high * count - 0.5)) + 1)


def surface(points: Iterable[tuple[float, float, float]]) -> InterpolatedSurface:
    """Return the surface over points (x, y, value), x and y from 0 to 1, value finite.

    Points at the same place are averaged.
    """
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
        x, y, value = (mean_of(column) for column in zip(*group, strict=True))
        values[round(x * _UNITS), round(y * _UNITS)] = value
    sites = sorted(values)
    return InterpolatedSurface(tuple(sites), tuple(values[site] for site in sites), tuple(triangulate(sites)))


def triangulate(sites: Sequence[Site]) -> list[tuple[int, int, int]]:
    """Return the Delaunay triangles of distinct sites in ascending order, as indices of sites, counter-clockwise.

    The sites are added one by one. Each new site lies outside the triangles so far, at the edge of the outline next to
    the site before it. All triangles whose circumcircle contains it are removed, starting at that edge, and the hole is
    filled with triangles to the new site.
    """
    apex: dict[tuple[int, int], int] = {}
    """For each directed edge (u, v): the third corner of the triangle on its left."""
    start = next((index for index in range(2, len(sites)) if _turn(sites[0], sites[1], sites[index])), None)
    if start is None:
        return []
    for index in range(start - 1):
        corners = (index, index + 1) if _turn(sites[0], sites[1], sites[start]) > 0 else (index + 1, index)
        _add(apex, *corners, start)
    for edge in [(v, u) for u, v in apex if (v, u) not in apex]:
        _add(apex, *edge, _AT_INFINITY)
    for new in range(start + 1, len(sites)):
        _insert(apex, sites, new)
    return [(u, v, w) for (u, v), w in apex.items() if 0 <= u < min(v, w)]


def _insert(apex: dict[tuple[int, int], int], sites: Sequence[Site], new: int) -> None:
    """Add a site that sorts after all sites so far."""
    # The edges of the outline before and after the last site; the new site can see at least one of them.
    u = apex[new - 1, _AT_INFINITY]
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
    """Return whether the triangle's circumcircle contains the new site.

    The circumcircle of an outer triangle is the half-plane outside its edge.
    """
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
    """Return a positive number if the path a, b, c turns left, a negative one if right, 0 if it is straight."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _in_circle(a: Site, b: Site, c: Site, d: Site) -> int:
    """Return a positive number if d lies inside the circle through a, b and c, which are counter-clockwise."""
    ax, ay, bx, by, cx, cy = a[0] - d[0], a[1] - d[1], b[0] - d[0], b[1] - d[1], c[0] - d[0], c[1] - d[1]
    of_a, of_b, of_c = ax * ax + ay * ay, bx * bx + by * by, cx * cx + cy * cy
    return ax * (by * of_c - of_b * cy) - ay * (bx * of_c - of_b * cx) + of_a * (bx * cy - by * cx)
