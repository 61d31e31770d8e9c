"""How strongly each param of the marked runs is related to a metric, the strongest first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.message import Message

from mldeck.charts.importance import LEAST_RUNS, Importance, importance_picture, visible_importances
from mldeck.charts.picture import Picture
from mldeck.model import Column, Kind
from mldeck.ui.compare.axes import by_importance, default_metric, text_picture
from mldeck.ui.compare.data import axis_name
from mldeck.ui.compare.keys import IMPORTANCE
from mldeck.ui.compare.picture_view import ComparePictureView
from mldeck.ui.export.export import Exported
from mldeck.ui.kit.clipboard import CopyAsked
from mldeck.ui.kit.keys import bindings, key_name, with_keys
from mldeck.ui.kit.picture_view import PictureView
from mldeck.ui.state.session import Session

_FIRST_ROW = 2
"""The first row of the picture that holds a param."""
_TOO_FEW = (
    f"Importance needs at least {LEAST_RUNS} runs, and these are {{count}}. With fewer, a param and a metric often rise "
    "or fall together by chance.\n\nMark more runs in Runs ({runs_place})."
)
_NOTHING = "These runs have no metrics that params could be related to.\n\nMark other runs in Runs ({runs_place})."


@dataclass(frozen=True)
class ImportanceDrawing:
    metric: Column | None
    found: tuple[tuple[Column, Importance], ...]
    """Every param with its importance, the most strongly related first."""
    size: tuple[int, int]
    run_count: int

    @property
    def picture(self) -> Picture:
        return self.at(0, None)

    def at(self, first: int, cursor: int | None) -> Picture:
        """Draw the list from the param number `first` on, with a cursor. A screenful of rows takes no time."""
        if self.metric is None:
            return text_picture(with_keys(_NOTHING), self.size)
        if self.run_count < LEAST_RUNS:
            return text_picture(with_keys(_TOO_FEW, count=self.run_count), self.size)
        found = [importance for _, importance in self.found]
        return importance_picture(found, axis_name(self.metric), self.size, first=first, cursor=cursor)

    def highlighted(self, run_id: str) -> Picture:
        return self.picture


class ImportanceView(ComparePictureView[ImportanceDrawing]):
    NAME = "Importance"
    ROLES: ClassVar[dict[str, str]] = {"metric": "metric"}
    BINDINGS: ClassVar[list[BindingType]] = bindings(IMPORTANCE)

    @dataclass
    class ScatterAsked(Message):
        """Posted to open the scatter of the metric over a param."""

        param: Column
        metric: Column

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.cursor_param: Column | None = None
        """None for the first param."""
        self._first = 0

    def drawer(self, size: tuple[int, int]) -> Callable[[], ImportanceDrawing]:
        data, chosen = self.data, self.roles.get("metric")
        is_known = chosen in self.known

        def draw() -> ImportanceDrawing:
            metric = chosen if is_known else default_metric(data)
            found = () if metric is None or len(data) < LEAST_RUNS else by_importance(data, metric)
            return ImportanceDrawing(metric, found, size, len(data))

        return draw

    # -- the list

    @property
    def cursor(self) -> int:
        columns = [column for column, _ in self._found]
        return columns.index(self.cursor_param) if self.cursor_param in columns else 0

    @property
    def _found(self) -> tuple[tuple[Column, Importance], ...]:
        return () if self.drawing is None else self.drawing.found

    @property
    def _page(self) -> int:
        return max(1, visible_importances(self.plot.size.height))

    def show_run(self) -> None:
        """Show the list again. It is about all runs, so the run under the cursor does not matter."""
        if self.drawing is not None:
            last_first = max(0, len(self._found) - self._page)
            self._first = min(max(self._first, self.cursor - self._page + 1), self.cursor, last_first)
            self.plot.show(self.drawing.at(self._first, self.cursor))
            self.show_readout()

    def action_move(self, rows: int) -> None:
        self._move_to(self.cursor + rows)

    def action_page(self, pages: int) -> None:
        self._move_to(self.cursor + pages * self._page)

    def action_edge(self, direction: int) -> None:
        self._move_to(len(self._found) * max(0, direction))

    def _move_to(self, place: int) -> None:
        if self._found:
            self.cursor_param = self._found[max(0, min(place, len(self._found) - 1))][0]
            self.show_run()

    @on(PictureView.Pointed)
    def _clicked(self, message: PictureView.Pointed) -> None:
        message.stop()
        row = message.row - _FIRST_ROW
        if 0 <= row < min(self._page, len(self._found) - self._first):
            self._move_to(self._first + row)

    # -- as text

    @property
    def state(self) -> str:
        metric = None if self.drawing is None else self.drawing.metric
        return "" if metric is None else f"related to {axis_name(metric)}"

    @property
    def readout(self) -> str:
        if not self._found:
            return ""
        found = self._found[self.cursor][1]
        if found.measure is None or found.strength is None:
            return f"{found.name}   {found.problem}"
        figure = f"{found.measure.value} {found.strength:+.4f}".replace("-", "−")
        return f"{found.name}   {figure}   over {found.count} runs   {key_name('scatter_param')} opens the scatter"

    def exported(self) -> Exported | None:
        if self.drawing is None or not self._found:
            return None
        header = ("param", "measure", "strength", "runs", "problem")
        rows = [
            (
                column.key,
                importance.measure and importance.measure.value,
                importance.strength,
                importance.count,
                importance.problem or None,
            )
            for column, importance in self._found
        ]
        return Exported(self.drawing.picture, header, rows)

    # -- keys

    def action_role(self, role: str) -> None:
        metrics = [column for column in self.data.numeric_axes if column.kind is not Kind.PARAM]
        self.ask_for_role(role, metrics, None if self.drawing is None else self.drawing.metric)

    def action_scatter(self) -> None:
        if self.drawing is not None and self.drawing.metric is not None and self._found:
            self.post_message(self.ScatterAsked(self._found[self.cursor][0], self.drawing.metric))

    def action_copy(self) -> None:
        if self._found:
            text = self._found[self.cursor][0].key
            self.post_message(CopyAsked(text, text))
