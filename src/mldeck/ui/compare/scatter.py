"""The marked runs as dots over any two params or metrics, coloured by a third."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual.binding import BindingType

from mldeck.charts.dimensions import Dimension
from mldeck.charts.plane import PlanePicture
from mldeck.charts.scatter import scatter
from mldeck.model import Column
from mldeck.ui.compare.axes import colours_of, default_metric, informative_params
from mldeck.ui.compare.data import CompareData
from mldeck.ui.compare.keys import PLANE, SCATTER
from mldeck.ui.compare.plane import PlaneView, Roles
from mldeck.ui.kit.keys import bindings, with_keys


class ScatterView(PlaneView):
    NAME = "Scatter"
    ROLES: ClassVar[dict[str, str]] = {"x": "x axis", "y": "y axis", "colour": "colours"}
    NEEDED = ("x", "y")
    BINDINGS: ClassVar[list[BindingType]] = bindings(PLANE, SCATTER)

    @staticmethod
    def defaults(data: CompareData, roles: Roles) -> Roles:
        """Put the metric over the param most strongly related to it; without such a param, over any other column."""
        y = roles.get("y") or default_metric(data) or next(iter(data.axes), None)
        others = [column for column in data.axes if column != y]
        varied = (column for column in others if data.is_numeric(column) and data.is_varied(column))
        candidates = (*informative_params(data, y), *varied, *others)
        return {"x": next((column for column in candidates if column != y), None), "y": y}

    @staticmethod
    def chart(data: CompareData, made: Mapping[str, Dimension], size: tuple[int, int]) -> PlanePicture:
        return scatter(colours_of(data), made["x"], made["y"], size, colour_by=made.get("colour"))

    @staticmethod
    def why_nothing(data: CompareData) -> str:
        return with_keys(
            "A scatter needs two params or metrics, and these runs have fewer.\n\nMark other runs in Runs ({runs_place})."
        )

    def show_axes(self, x: Column, y: Column) -> None:
        self.choose_role("x", x)
        self.choose_role("y", y)

    @property
    def state(self) -> str:
        if self.drawing is None or self.drawing.chart is None:
            return ""
        colour = self.axis_text("colour")
        return f"{self.axis_text('y')} over {self.axis_text('x')}" + (f", coloured by {colour}" if colour else "")

    def action_own_colours(self) -> None:
        self.choose_role("colour", None)
