"""A metric of the marked runs over two of their params, as shaded areas with a dot for each run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual.binding import BindingType

from mldeck.charts.contour import contour
from mldeck.charts.dimensions import Dimension
from mldeck.charts.plane import PlanePicture
from mldeck.model import Column
from mldeck.ui.compare.axes import default_metric, informative_params
from mldeck.ui.compare.data import CompareData
from mldeck.ui.compare.keys import CONTOUR, PLANE
from mldeck.ui.compare.plane import PlaneView, Roles
from mldeck.ui.kit.keys import bindings, with_keys


class ContourView(PlaneView):
    NAME = "Contour"
    ROLES: ClassVar[dict[str, str]] = {"x": "x axis", "y": "y axis", "metric": "metric"}
    NEEDED = ("x", "y", "metric")
    BINDINGS: ClassVar[list[BindingType]] = bindings(PLANE, CONTOUR)

    @staticmethod
    def defaults(data: CompareData, roles: Roles) -> Roles:
        """Put the metric over the two params most strongly related to it."""
        metric = roles.get("metric") or default_metric(data)
        taken = {roles.get("x"), roles.get("y"), metric}
        left = [column for column in informative_params(data, metric) if column not in taken]
        found: dict[str, Column | None] = {"metric": metric}
        for role in ("x", "y"):
            found[role] = roles.get(role) or (left.pop(0) if left else None)
        return found

    @staticmethod
    def chart(data: CompareData, made: Mapping[str, Dimension], size: tuple[int, int]) -> PlanePicture:
        return contour(data.run_ids, made["x"], made["y"], made["metric"], size)

    @staticmethod
    def why_nothing(data: CompareData) -> str:
        return with_keys(
            "A contour needs a metric, and two numeric params that differ between the runs.\n\n"
            "Choose others with {x_of_plane} and {y_of_plane}, or mark other runs in Runs ({runs_place})."
        )

    def axes_for(self, role: str) -> Sequence[Column]:
        return self.data.numeric_axes

    @property
    def state(self) -> str:
        if self.drawing is None or self.drawing.chart is None:
            return ""
        return f"{self.axis_text('metric')} over {self.axis_text('x')} and {self.axis_text('y')}"
