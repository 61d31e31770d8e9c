"""Shows a picture that changes a little at a time: only what is different is painted again.

The lines of hundreds of runs have so many colours that a whole picture takes some 100 kB of a terminal's line. A cursor that is
moved should send less than that.
"""

from __future__ import annotations

from collections.abc import Iterator

from textual.geometry import Region

from mldeck.charts.picture import Picture
from mldeck.ui.kit.picture_view import PictureView


class OverlaidPlot(PictureView):
    def show(self, picture: Picture | None) -> None:
        before = self.picture
        if before is None or picture is None or not self._strips or _size(before) != _size(picture):
            super().show(picture)
            return
        self.picture = picture
        changed = list(changed_rows(before, picture))
        for region in changed:
            self._strips[region.y] = self._strip(picture.rows[region.y])
        if changed:
            self.repaint(*changed)


def changed_rows(before: Picture, after: Picture) -> Iterator[Region]:
    """Where two pictures of one size are different: a region for each such row, from its first to its last difference.

    One for each is enough: Textual sends a row from the beginning of the widget on, once for each region in it.
    """
    for y, (old, new) in enumerate(zip(before.rows, after.rows, strict=True)):
        if old != new:
            different = [x for x in range(len(new)) if old[x] != new[x]]
            # One more to either side: no half of a wide character may stay.
            first, last = max(0, different[0] - 1), min(len(new) - 1, different[-1] + 1)
            yield Region(first, y, last - first + 1, 1)


def _size(picture: Picture) -> tuple[int, int]:
    return picture.width, picture.height
