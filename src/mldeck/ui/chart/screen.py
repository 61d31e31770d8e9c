"""The curves of some runs, full screen, on top of the place that asked for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.worker import Worker

from mldeck.model import Run
from mldeck.ui.chart.keys import CHART_PLACE
from mldeck.ui.chart.pane import CurvesPane
from mldeck.ui.kit.grid import Grid
from mldeck.ui.kit.keys import bindings
from mldeck.ui.place import Place
from mldeck.ui.state.session import Session


class ChartScreen(Place):
    """Follows the database like any place. Esc goes back to the place below."""

    NAME: ClassVar[str] = "runs"
    BINDINGS: ClassVar[list[BindingType]] = bindings(CHART_PLACE)
    AUTO_FOCUS = "#curves"

    def __init__(
        self, session: Session, run_ids: Sequence[str], metric: str | None, go_to: Callable[[Run], object]
    ) -> None:
        """`go_to` shows a run in the place below. Without a metric, the pane chooses one."""
        super().__init__(session)
        self._run_ids = run_ids
        self._metric = metric
        self._go_to = go_to

    def compose_body(self) -> ComposeResult:
        pane = CurvesPane(self.session, id="curves")
        pane.add_class("pane")
        yield pane

    @property
    def pane(self) -> CurvesPane:
        return self.query_one(CurvesPane)

    @property
    def main_grid(self) -> Grid:
        return self.pane.legend

    def on_mount(self) -> None:
        self.top_bar.show_marked(len(self.session.marked))
        self.pane.show(self._run_ids, self._metric)
        # The pane reads everything now, so only later changes must be read by the place.
        self._is_stale, self._seen_changes = False, self.session.changes

    def leave_store(self) -> None:
        """Do nothing: the place below goes on using the store."""

    @property
    def is_shown(self) -> bool:
        return self in self.app.screen_stack

    async def read_again(self) -> None:
        await self.pane.read_again()

    def action_refresh(self) -> Worker[None]:
        self.pane.loader.read_on()
        return super().action_refresh()

    async def find_rows(self, grid: Grid, text: str) -> Sequence[int]:
        return grid.found_rows(text) if text else ()

    def show_title(self) -> None:
        self.pane.show_title()

    def stop_reading(self) -> None:
        self.pane.stop_reading()

    async def action_back(self) -> None:
        """Stop reading; without that, forget what was found; without that, go back."""
        if self.pane.is_reading:
            self.stop_reading()
        elif self.finder.has_matches:
            await self.finder.forget()
        else:
            self._leave()

    def action_close(self) -> None:
        self._leave()

    def _leave(self) -> None:
        # Results must not arrive at a screen that no longer exists.
        self.workers.cancel_node(self)
        self.dismiss()

    @on(CurvesPane.RunAsked)
    def _go_to_run(self, message: CurvesPane.RunAsked) -> None:
        self._leave()
        self._go_to(message.run)
