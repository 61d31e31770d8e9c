"""Parallel coordinates: the marked runs as lines across params and metrics. The axis under the cursor can be brushed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.message import Message

from mldeck.charts.parallel import Brush, DrawnAxis, most_axes
from mldeck.charts.picture import Ink, Picture, PictureCell, Role
from mldeck.model import Column
from mldeck.ui.compare.axes import columns_from_json, numbers_of_runs
from mldeck.ui.compare.brush import Brushing, brush_text
from mldeck.ui.compare.data import axis_name, column_to_json
from mldeck.ui.compare.keys import PARALLEL
from mldeck.ui.compare.parallel_drawing import ParallelDrawing, ParallelOptions, draw_parallel
from mldeck.ui.compare.picture_view import ComparePictureView
from mldeck.ui.export.export import Exported
from mldeck.ui.kit.clipboard import CopyAsked
from mldeck.ui.kit.keys import bindings, key_name, with_keys
from mldeck.ui.kit.picture_view import PictureView
from mldeck.ui.kit.questions import asks
from mldeck.ui.state.session import Session

_AXIS, _CURSOR_AXIS = "│", "║"
_CURSOR_INK = Ink(Role.ACCENT, is_strong=True)


class ParallelView(ComparePictureView[ParallelDrawing]):
    NAME = "Parallel"
    ROLES: ClassVar[dict[str, str]] = {"colour": "colours"}
    BINDINGS: ClassVar[list[BindingType]] = bindings(PARALLEL)

    @dataclass
    class KeepAsked(Message):
        """Posted to mark these runs and no others."""

        run_ids: tuple[str, ...]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.axes: tuple[Column, ...] = ()
        """The axes that the user chose, whether these runs have them or not; empty if none were chosen."""
        self.brushes: dict[Column, Brush] = {}
        self.brushing: Brushing | None = None
        """The brush whose ends are being moved; None if there is none."""
        self._cursor_axis: Column | None = None

    # -- drawing

    def recall(self) -> None:
        super().recall()
        self.axes = columns_from_json(self.choices.get("axes"))
        self.brushes = {}

    def show_data(self) -> None:
        self.brushing = None
        super().show_data()
        self.brushes = {column: brush for column, brush in self.brushes.items() if self._still_means(column)}

    def _still_means(self, column: Column) -> bool:
        """Return whether a brush on the axis keeps the same values. Categories may have moved."""
        before = None if self.drawing is None else self.drawing.dimensions.get(column)
        if before is None or column not in self.known:
            return False
        made = self.dimensions.of(column, self.logs.get(column))
        return before.is_numeric == made.is_numeric and before.categories == made.categories

    def drawer(self, size: tuple[int, int]) -> Callable[[], ParallelDrawing]:
        colour = self.roles.get("colour")
        options = ParallelOptions(
            self._settled_axes(size),
            colour if colour in self.known else None,
            "colour" in self.roles and colour is None,
            dict(self.logs),
            dict(self.brushes),
            self.cursor_axis,
        )
        dimensions = self.dimensions
        return lambda: draw_parallel(dimensions, options, size)

    def _settled_axes(self, size: tuple[int, int]) -> tuple[Column, ...]:
        """Return the chosen axes; else those shown now, so that unmarking a run does not change them, if they fill the width.

        Empty if the defaults for these runs are to be shown.
        """
        drawing = self.drawing
        chosen = tuple(column for column in self.axes if column in self.known)
        if chosen or drawing is None or drawing.data.scope_id != self.data.scope_id:
            return chosen
        same = most_axes(size[0]) == most_axes(drawing.size[0]) and self.known.issuperset(drawing.axes)
        return drawing.axes if same else ()

    @property
    def present_axes(self) -> tuple[Column, ...]:
        """All axes, including those that are not in the picture yet."""
        size = self.plot.size
        return self._settled_axes((size.width, size.height))

    @property
    def cursor_axis(self) -> Column | None:
        axes = self.present_axes
        return self._cursor_axis if self._cursor_axis in axes else next(iter(axes), None)

    @property
    def _at_cursor(self) -> tuple[ParallelDrawing, Column, str] | None:
        """The drawing, and the axis and the run under the cursor; None while these are not in it."""
        drawing, column, run_id = self.drawing, self.cursor_axis, self.cursor_run
        if drawing is None or column is None or run_id is None:
            return None
        is_there = column in drawing.dimensions and run_id in drawing.data.by_id
        return (drawing, column, run_id) if is_there else None

    def decorated(self, picture: Picture) -> Picture:
        """Highlight the axis under the cursor, in a way that is visible without colours."""
        axis = None if self.drawing is None else self.drawing.axis(self.cursor_axis)
        return picture if axis is None or self.drawing is None else _with_cursor(picture, axis, self.drawing.chart.axes)

    # -- as text

    @property
    def state(self) -> str:
        drawing = self.drawing
        if drawing is None or not drawing.axes:
            return ""
        made = drawing.dimensions
        kept = [brush_text(made[column], brush) for column, brush in self.brushes.items() if column in made]
        if not kept:
            return "" if drawing.colour is None else f"coloured by {axis_name(drawing.colour)}"
        return " · ".join([*kept, f"{len(drawing.kept):,} of {len(drawing.data):,} runs"])

    @property
    def readout(self) -> str:
        """The run and its value on the axis under the cursor; while a brush is made, what it keeps."""
        at_cursor = self._at_cursor
        if at_cursor is None:
            return ""
        drawing, column, run_id = at_cursor
        made = drawing.dimensions[column]
        if self.brushing is not None:
            kept = f"brush: {brush_text(made, self.brushing.brush)}"
            keys = "{run_up} {run_down} move this end · {brush} other end · {end_brush} keep · {give_up_brush} cancel"
            return f"{kept}   {with_keys(keys)}"
        log = " (log)" if made.is_log else ""
        value = made.texts[drawing.data.numbers[run_id] - 1]
        return f"{drawing.data.label(run_id)}   {made.name}{log} {value}"

    def exported(self) -> Exported | None:
        """Return the picture, and the values of the runs within the brushes."""
        drawing = self.drawing
        if drawing is None or not drawing.axes:
            return None
        return Exported(drawing.picture, *numbers_of_runs(drawing.data, drawing.kept, [*drawing.axes, drawing.colour]))

    # -- the axes

    def action_axis(self, step: int) -> None:
        axes, cursor = self.present_axes, self.cursor_axis
        if cursor is not None:
            self._put_cursor(axes[max(0, min(axes.index(cursor) + step, len(axes) - 1))])

    def _put_cursor(self, column: Column) -> None:
        """Move the cursor to an axis and end the brush. Draw again only if the axis is out of sight."""
        self.brushing = None
        self._cursor_axis = column
        if self.drawing is not None and self.drawing.axis(column) is None:
            self.redraw()
        self.show_run()

    def _take_axes(self, axes: tuple[Column, ...], cursor: Column) -> None:
        self.axes = axes
        self.brushes = {column: brush for column, brush in self.brushes.items() if column in axes}
        self.remember(axes=[column_to_json(column) for column in axes])
        self.redraw()
        self._put_cursor(cursor)

    def action_move_axis(self, step: int) -> None:
        axes, cursor = list(self.present_axes), self.cursor_axis
        if cursor is not None:
            place = axes.index(cursor)
            axes.insert(max(0, min(place + step, len(axes) - 1)), axes.pop(place))
            self._take_axes(tuple(axes), cursor)

    def action_remove_axis(self) -> None:
        axes, cursor = self.present_axes, self.cursor_axis
        if cursor is None or len(axes) == 1:
            self.notify(f"The last axis cannot be removed: {key_name('choose_axes')} chooses others", timeout=2)
            return
        place, left = axes.index(cursor), tuple(column for column in axes if column != cursor)
        self._take_axes(left, left[min(place, len(left) - 1)])

    @asks("choose")
    async def action_add_axis(self) -> None:
        left = [column for column in self.data.axes if column not in self.present_axes]
        chosen = await self.choose_axes("Add an axis", left)
        if chosen:
            axes, cursor = self.present_axes, self.cursor_axis
            place = 0 if cursor is None else axes.index(cursor) + 1
            self._take_axes((*axes[:place], *chosen, *axes[place:]), chosen[0])

    @asks("choose")
    async def action_choose_axes(self) -> None:
        chosen = await self.choose_axes("Choose the axes", self.data.axes, self.present_axes, many=True)
        if chosen:
            self._take_axes(chosen, self.cursor_axis if self.cursor_axis in chosen else chosen[0])

    def action_log(self) -> None:
        if self.cursor_axis is not None:
            self.brushing = None
            self.toggle_log(self.cursor_axis)

    def action_role(self, role: str) -> None:
        self.ask_for_role(role, self.data.axes, None if self.drawing is None else self.drawing.colour)

    def action_own_colours(self) -> None:
        self.choose_role("colour", None)

    # -- the runs, and the ends of a brush

    def action_run(self, step: int) -> None:
        """Go down the axis by so many runs; while it is brushed, move the end of the brush by so many rows."""
        at_cursor = self._at_cursor
        if self.brushing is not None:
            self._brush(self.brushing.moved(step))
        elif at_cursor is not None:
            drawing, column, run_id = at_cursor
            self.go_to(drawing.next_on(column, run_id, step, drawing.within(self.brushes)))

    def action_edge(self, direction: int) -> None:
        self.action_run(direction * len(self.data) + direction * self.size.height)

    def action_brush(self) -> None:
        """Begin a brush at the run under the cursor; if there is one already, move its other end from now on."""
        at_cursor = self._at_cursor
        if self.brushing is not None:
            self._brush(self.brushing.turned())
        elif at_cursor is not None:
            drawing, column, run_id = at_cursor
            axis = drawing.axis(column)
            if axis is not None:
                self._brush(Brushing.at(axis, drawing.place_of(column, run_id), self.brushes.get(column)))

    def _brush(self, brushing: Brushing) -> None:
        if self.cursor_axis is not None:
            self.brushing = brushing
            self.brushes[self.cursor_axis] = brushing.brush
            self.redraw()

    def action_end_brush(self) -> None:
        """Keep the brush; if none is being made, go to the run."""
        if self.brushing is None:
            self.open_run(self.cursor_run)
        else:
            self.brushing = None
            self.show_run()

    async def action_give_up(self) -> None:
        """Restore the brush as it was before; if none is being made, go back."""
        brushing, column = self.brushing, self.cursor_axis
        if brushing is None or column is None:
            await self.run_action("screen.back")
            return
        self.brushing = None
        self._put_brush(column, brushing.before)

    def _put_brush(self, column: Column, brush: Brush | None) -> None:
        self.brushes.pop(column, None)
        if brush is not None:
            self.brushes[column] = brush
        self.redraw()

    def action_clear_brush(self) -> None:
        """Clear the brush of the axis under the cursor; if it has none, all brushes."""
        column = self.cursor_axis
        self.brushing = None
        if column in self.brushes:
            self._put_brush(column, None)
        elif self.brushes:
            self.brushes = {}
            self.redraw()
        else:
            self.notify(f"No axis is brushed: {key_name('brush')} brushes the one under the cursor", timeout=3)

    def action_keep(self) -> None:
        drawing = self.drawing
        if drawing is None or not self.brushes:
            self.notify(
                f"Brush an axis first ({key_name('brush')}); {key_name('keep_brushed')} then marks only the runs within",
                timeout=3,
            )
            return
        kept = drawing.within(self.brushes)
        if kept:
            self.post_message(self.KeepAsked(kept))
        else:
            self.notify("No run is within the brushes", timeout=2)

    def action_copy(self) -> None:
        if self.cursor_run is not None:
            self.post_message(CopyAsked(self.cursor_run, self.cursor_run))

    @on(PictureView.Pointed)
    def _clicked(self, message: PictureView.Pointed) -> None:
        """Go to the nearest axis and the run that crosses it closest to the click."""
        message.stop()
        drawing = self.drawing
        if drawing is None or not drawing.chart.axes:
            return
        places = dict(zip(drawing.shown, drawing.chart.axes, strict=False))
        column = min(places, key=lambda axis: abs(places[axis].column - message.column))
        self._put_cursor(column)
        self.go_to(drawing.nearest_on(places[column], column, message.row))


def _with_cursor(picture: Picture, axis: DrawnAxis, axes: tuple[DrawnAxis, ...]) -> Picture:
    """Return the picture with the axis as a double line and its name in the colour of the cursor."""
    end = min((other.column for other in axes if other.column > axis.column), default=picture.width) - 1
    rows = list(picture.rows)
    name = [cell._replace(ink=_CURSOR_INK) for cell in rows[0][axis.column : end]]
    rows[0] = (*rows[0][: axis.column], *name, *rows[0][end:])
    for y in range(axis.top, axis.top + axis.height):
        row = rows[y]
        if row[axis.column].text == _AXIS:
            rows[y] = (*row[: axis.column], PictureCell(_CURSOR_AXIS, _CURSOR_INK), *row[axis.column + 1 :])
    return Picture(tuple(rows), picture.plot)
