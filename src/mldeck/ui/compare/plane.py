"""The base class of the scatter and the contour of the place Compare: runs over two axes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from textual import on

from mldeck.charts.dimensions import Dimension
from mldeck.charts.picture import Picture
from mldeck.charts.plane import PlanePicture
from mldeck.charts.spots import Direction, Spots
from mldeck.model import Column
from mldeck.ui.compare.axes import Dimensions, numbers_of_runs, text_picture
from mldeck.ui.compare.data import CompareData
from mldeck.ui.compare.picture_view import ComparePictureView
from mldeck.ui.export.export import Exported
from mldeck.ui.kit.picture_view import PictureView

Roles: TypeAlias = Mapping[str, Column | None]


@dataclass(frozen=True)
class PlaneDrawing:
    data: CompareData
    columns: Roles
    """The column of each role. Some are missing if there is no chart."""
    dimensions: Mapping[str, Dimension]
    """The axis of each role that has a column."""
    chart: PlanePicture | None
    text: Picture | None = None
    """The text shown if there is no chart: how to get one."""

    @property
    def picture(self) -> Picture:
        return self.chart.picture if self.chart is not None else self.text or Picture(())

    @property
    def spots(self) -> Spots:
        return Spots({}) if self.chart is None else self.chart.spots

    def highlighted(self, run_id: str) -> Picture:
        return self.picture if self.chart is None else self.chart.highlighted(run_id)

    def values_of(self, run_id: str) -> list[str]:
        """Return the name and value of each axis for a run; empty if the run was not drawn."""
        number = self.data.numbers.get(run_id)
        if number is None:
            return []
        return [f"{axis.name} {axis.texts[number - 1]}" for axis in dict.fromkeys(self.dimensions.values())]


class PlaneView(ComparePictureView[PlaneDrawing]):
    """The arrow keys go from run to run; a click goes to the nearest run."""

    NEEDED: ClassVar[tuple[str, ...]] = ()
    """The roles that a chart cannot do without."""

    # -- for subclasses

    @staticmethod
    @abstractmethod
    def defaults(data: CompareData, roles: Roles) -> Roles:
        """Return columns for the roles that are not in `roles`."""

    @staticmethod
    @abstractmethod
    def chart(data: CompareData, made: Mapping[str, Dimension], size: tuple[int, int]) -> PlanePicture:
        """Draw the chart for a size in cells (width, height). Called in a thread."""

    @staticmethod
    @abstractmethod
    def why_nothing(data: CompareData) -> str:
        """Return what to do if the runs have no columns for the roles."""

    def axes_for(self, role: str) -> Sequence[Column]:
        """Return the columns that can be chosen for a role."""
        return self.data.axes

    # -- drawing

    def drawer(self, size: tuple[int, int]) -> Callable[[], PlaneDrawing]:
        dimensions, roles, logs = self.dimensions, self._settled_roles(), dict(self.logs)
        return lambda: self._drawn_for(size, dimensions, roles, logs)

    @classmethod
    def _drawn_for(
        cls, size: tuple[int, int], dimensions: Dimensions, roles: Roles, logs: Mapping[Column, bool]
    ) -> PlaneDrawing:
        data = dimensions.data
        columns = roles if all(roles.get(role) for role in cls.NEEDED) else {**cls.defaults(data, roles), **roles}
        chosen = {role: column for role in cls.ROLES if (column := columns.get(role)) is not None}
        made = {role: dimensions.of(column, logs.get(column)) for role, column in chosen.items()}
        if any(role not in made for role in cls.NEEDED):
            return PlaneDrawing(data, columns, made, None, text_picture(cls.why_nothing(data), size))
        return PlaneDrawing(data, columns, made, cls.chart(data, made, size))

    def _settled_roles(self) -> Roles:
        """Return the chosen columns; for other roles those shown now, so that unmarking a run does not change them."""
        roles = {**self._shown_roles, **self.roles}
        return {role: column for role, column in roles.items() if column is None or column in self.known}

    @property
    def _shown_roles(self) -> Roles:
        drawing = self.drawing
        return {} if drawing is None or drawing.data.scope_id != self.data.scope_id else drawing.columns

    # -- as text

    def axis_text(self, role: str) -> str:
        made = None if self.drawing is None else self.drawing.dimensions.get(role)
        return "" if made is None else f"{made.name}{' (log)' if made.is_log else ''}"

    @property
    def readout(self) -> str:
        run_id, drawing = self.cursor_run, self.drawing
        if run_id is None or drawing is None or run_id not in drawing.data.by_id:
            return ""
        parts = [drawing.data.label(run_id), *drawing.values_of(run_id)]
        spot = drawing.spots.spot_of(run_id)
        if spot is None:
            parts += ["not in the picture"] if drawing.spots.by_run else []
        elif len(drawing.spots.at(*spot)) > 1:
            parts.append(f"one of {len(drawing.spots.at(*spot))} here · . next")
        return "   ".join(parts)

    def exported(self) -> Exported | None:
        drawing = self.drawing
        if drawing is None or drawing.chart is None:
            return None
        shown = [run_id for run_id in drawing.data.run_ids if drawing.spots.spot_of(run_id) is not None]
        columns = (drawing.columns.get(role) for role in self.ROLES)
        return Exported(drawing.picture, *numbers_of_runs(drawing.data, shown, columns))

    # -- keys

    def action_step(self, direction: str) -> None:
        if self.drawing is not None and self.cursor_run is not None:
            self.go_to(self.drawing.spots.neighbour(self.cursor_run, Direction[direction.upper()]))

    def action_next_run(self, step: int) -> None:
        if self.drawing is not None and self.cursor_run is not None:
            self.go_to(self.drawing.spots.next(self.cursor_run, step))

    @on(PictureView.Pointed)
    def _clicked(self, message: PictureView.Pointed) -> None:
        message.stop()
        if self.drawing is not None:
            self.go_to(self.drawing.spots.nearest(message.column, message.row))

    def action_role(self, role: str) -> None:
        present = None if self.drawing is None else self.drawing.columns.get(role)
        self.ask_for_role(role, self.axes_for(role), present)

    def action_log(self, role: str) -> None:
        column = None if self.drawing is None else self.drawing.columns.get(role)
        if column is not None:
            self.toggle_log(column)
