"""The base class of the views of the place Compare that are one picture, drawn in a thread.

Drawing hundreds of runs takes a while; moving the cursor must not. So a drawing is kept, and returns copies of its picture with
one run highlighted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Protocol, TypeVar

from textual.app import ComposeResult
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from mldeck.charts.picture import Picture
from mldeck.format import safe
from mldeck.model import Column
from mldeck.ui.compare.axes import Dimensions, logs_from_json, logs_to_json, text_picture
from mldeck.ui.compare.data import column_from_json, column_to_json
from mldeck.ui.compare.view import CompareView
from mldeck.ui.kit.background_drawing import BackgroundDrawing
from mldeck.ui.kit.cell_text import cell_text
from mldeck.ui.kit.picture_view import PictureView
from mldeck.ui.kit.questions import asks
from mldeck.ui.state.session import Session
from mldeck.ui.textual_patches.widgets import set_border_titles

READING = "reading…"
_PATIENCE_S = 0.3
"""Seconds without a picture before the view says why."""


class RunsDrawing(Protocol):
    """A drawing of runs, one of which can be highlighted."""

    @property
    def picture(self) -> Picture: ...

    def highlighted(self, run_id: str) -> Picture: ...


AnyRunsDrawing = TypeVar("AnyRunsDrawing", bound=RunsDrawing)


class ComparePictureView(CompareView, BackgroundDrawing[AnyRunsDrawing]):
    """A view with one picture, and a line about the run under the cursor below it."""

    ROLES: ClassVar[dict[str, str]] = {}
    """The parts of the picture that a column is chosen for, by id, with their names on screen: `x`: `x axis`."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.dimensions = Dimensions(self.data)
        self.known: frozenset[Column] = frozenset()
        """The columns of these runs that can be axes."""
        self.logs: dict[Column, bool] = {}
        """Which columns the user made logarithmic (True) or linear (False)."""
        self.roles: dict[str, Column | None] = {}
        """The columns that the user chose, by role; None if the user chose to have none. Roles not chosen are missing."""
        self._scope: str | None = None
        self._patience: Timer | None = None
        """Running while the user need not be told yet that there is something to wait for."""
        self._is_late = False
        """Whether the user has been told that the picture is not there yet."""

    def compose(self) -> ComposeResult:
        yield PictureView()
        yield Static("", classes="compare-readout", markup=False)

    # -- for subclasses

    @property
    def readout(self) -> str:
        """The line about the run under the cursor. Foreign text."""
        return ""

    def recall(self) -> None:
        """Load the choices remembered for the experiments of the runs, which are others than before."""
        choices = self.choices
        self.logs = logs_from_json(choices.get("log"))
        self.roles = {role: column_from_json(choices[role]) for role in self.ROLES if role in choices}

    # -- drawing

    def redraw(self) -> None:
        super().redraw()
        if self._patience is None:
            self._patience = self.set_timer(_PATIENCE_S, self._say_reading)

    def _say_reading(self) -> None:
        """Say that there is no picture of these runs yet. Values of many runs take a while to prepare."""
        self._patience = None
        if self.is_mounted and not self.is_drawn and self.plot.size:
            if self.drawing is None:
                self.plot.show(text_picture(READING, self.plot.size))
            self._is_late = True
            self.say_state()

    def show_data(self) -> None:
        self.dimensions = Dimensions(self.data)
        self.known = frozenset(self.data.axes)
        if self.data.scope_id != self._scope:
            self._scope = self.data.scope_id
            self.recall()
        self.redraw()

    def show_drawing(self) -> None:
        self._is_late = False
        self.show_run()
        self.say_state()

    def show_run(self) -> None:
        """Highlight the run under the cursor, without drawing again."""
        if self.drawing is not None:
            picture = self.drawing.picture if self.cursor_run is None else self.drawing.highlighted(self.cursor_run)
            self.plot.show(self.decorated(picture))
            self.show_readout()

    def decorated(self, picture: Picture) -> Picture:
        """Return the picture with what is laid over it."""
        return picture

    def show_readout(self) -> None:
        text = f" {safe(self.readout)}"
        self.query_one(".compare-readout", Static).update(Content(cell_text(text, self.size.width - 3)))

    def say_state(self) -> None:
        """Show the state without the run, which is named below the picture."""
        set_border_titles(self, self.heading, READING if self._is_late else safe(self.state))

    def go_to(self, run_id: str | None) -> None:
        """Move the cursor to a run, if it is one of these."""
        if run_id is not None and run_id in self.data.by_id:
            self.set_cursor_run(run_id)
            self.show_run()

    # -- choices of the user

    def toggle_log(self, column: Column) -> None:
        made = self.dimensions.of(column, self.logs.get(column))
        if not made.can_be_log:
            reason = "has values of 0 or less" if made.is_numeric else "is text"
            self.notify(f"{made.name} {reason}: it cannot have a log axis", timeout=3)
            return
        self.logs[column] = not made.is_log
        self.remember(log=logs_to_json(self.logs))
        self.redraw()

    def choose_role(self, role: str, column: Column | None) -> None:
        self.roles[role] = column
        self.remember(**{role: None if column is None else column_to_json(column)})
        self.redraw()

    @asks("choose")
    async def ask_for_role(self, role: str, columns: Sequence[Column], present: Column | None) -> None:
        chosen = await self.choose_axes(f"Choose the {self.ROLES[role]}", columns, [present] if present else [])
        if chosen:
            self.choose_role(role, chosen[0])

    # -- keys

    def action_open_run(self) -> None:
        self.open_run(self.cursor_run)
