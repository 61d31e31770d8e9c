"""What the pictures of the place Compare have in common: they are drawn off the event loop.

Drawing takes a while with hundreds of runs; moving the cursor must not. So a drawing is kept, and hands back copies of itself
with one run standing out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Protocol, TypeVar

from textual import work
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from mldeck.charts.picture import Picture
from mldeck.format import safe
from mldeck.model import Column
from mldeck.ui.compare.axes import Dimensions, logs_from_memory, logs_to_memory
from mldeck.ui.compare.data import column_from_memory, column_to_memory
from mldeck.ui.compare.view import CompareView
from mldeck.ui.kit.background_drawing import Redrawing
from mldeck.ui.kit.cell_text import cell_text
from mldeck.ui.kit.picture_view import PictureView
from mldeck.ui.kit.textual_patches import retitle
from mldeck.ui.state.session import Session


class Drawing(Protocol):
    @property
    def picture(self) -> Picture: ...

    def highlighted(self, run_id: str) -> Picture: ...


AnyDrawing = TypeVar("AnyDrawing", bound=Drawing)


class CompareDrawing(CompareView, Redrawing[AnyDrawing]):
    """A view that is one picture, and a line about the run under the cursor."""

    ROLES: ClassVar[dict[str, str]] = {}
    """What columns can be chosen for, and what that is called: `x`: the x axis."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.dimensions = Dimensions(self.data)
        self.known: frozenset[Column] = frozenset()
        """What these runs have for axes."""
        self.logs: dict[Column, bool] = {}
        """What somebody wanted to be logarithmic, or not."""
        self.roles: dict[str, Column | None] = {}
        """What somebody chose; None: nothing on purpose."""
        self._scope: str | None = None

    def compose(self) -> ComposeResult:
        yield PictureView()
        yield Static("", classes="compare-readout", markup=False)

    # -- what a picture consists of

    @property
    def readout(self) -> str:
        """About the run under the cursor. It may be somebody else's text."""
        return ""

    def recall(self) -> None:
        """These are runs of other experiments: takes up what was chosen for them."""
        choices = self.choices
        self.logs = logs_from_memory(choices.get("log"))
        self.roles = {role: column_from_memory(choices[role]) for role in self.ROLES if role in choices}

    # -- drawing

    def show_data(self) -> None:
        self.dimensions = Dimensions(self.data)
        self.known = frozenset(self.data.axes)
        if self.data.scope_id != self._scope:
            self._scope = self.data.scope_id
            self.recall()
        self.redraw()

    def show_drawing(self) -> None:
        self.show_run()
        self.say_state()

    def show_run(self) -> None:
        """Draws nothing anew."""
        if self.drawing is not None:
            picture = self.drawing.picture if self.cursor_run is None else self.drawing.highlighted(self.cursor_run)
            self.plot.show(self.decorated(picture))
            self.show_readout()

    def decorated(self, picture: Picture) -> Picture:
        """What is laid over everything."""
        return picture

    def show_readout(self) -> None:
        text = f" {safe(self.readout)}"
        self.query_one(".compare-readout", Static).update(Content(cell_text(text, self.size.width - 3)))

    def say_state(self) -> None:
        """The run is named at the bottom."""
        retitle(self, self.heading, safe(self.state))

    def go_to(self, run_id: str | None) -> None:
        """Puts the cursor on a run."""
        if run_id is not None and run_id in self.data.by_id:
            self.point_at(run_id)
            self.show_run()

    # -- what people choose

    def toggle_log(self, column: Column) -> None:
        made = self.dimensions.of(column, self.logs.get(column))
        if not made.can_be_log:
            reason = "has values of 0 or less" if made.is_numeric else "is text"
            self.notify(f"{made.name} {reason}: there is no log axis for it", timeout=3)
            return
        self.logs[column] = not made.is_log
        self.remember(log=logs_to_memory(self.logs))
        self.redraw()

    def choose_role(self, role: str, column: Column | None) -> None:
        self.roles[role] = column
        self.remember(**{role: None if column is None else column_to_memory(column)})
        self.redraw()

    @work(group="choose", exclusive=True)
    async def ask_for_role(self, role: str, columns: Sequence[Column], present: Column | None) -> None:
        chosen = await self.choose_axes(f"Choose the {self.ROLES[role]}", columns, [present] if present else [])
        if chosen:
            self.choose_role(role, chosen[0])

    # -- keys of all pictures

    def action_open_run(self) -> None:
        self.open_run(self.cursor_run)
