"""The curves of the marked runs: the pane that is used for any curves, over all of them."""

from __future__ import annotations

from textual.app import ComposeResult

from mldeck.ui.chart.pane import CurvesPane
from mldeck.ui.compare.view import CompareView
from mldeck.ui.state.session import Session


class CurvesView(CompareView, can_focus=False):
    """The pane has its own border, keys and export; the metric is remembered."""

    NAME = "Curves"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.remove_class("pane")

    def compose(self) -> ComposeResult:
        pane = CurvesPane(self.session, id="compare-curves")
        pane.add_class("pane")
        yield pane

    @property
    def pane(self) -> CurvesPane:
        return self.query_one(CurvesPane)

    @property
    def focus_target(self) -> CurvesPane:
        return self.pane

    def show_data(self) -> None:
        """With the metrics that are shown, if there are any: what was remembered is where one begins."""
        remembered = None if self.pane.metrics else self.choices.get("metric")
        is_logged = isinstance(remembered, str) and any(remembered in each.metrics for each in self.data.records)
        self.pane.show(self.data.run_ids, remembered if is_logged else None)

    def show_run(self) -> None:
        """The pane has a cursor of its own, in its legend."""

    def say_state(self) -> None:
        """The pane does, in its own border."""

    def export(self) -> None:
        self.pane.action_export()

    def exported(self) -> None:
        """The pane knows."""

    async def read_again(self) -> None:
        await self.pane.read_again()

    @property
    def is_busy(self) -> bool:
        return self.pane.is_reading

    def stop_reading(self) -> None:
        self.pane.stop_reading()

    def on_curves_pane_metric_changed(self, message: CurvesPane.MetricChanged) -> None:
        self.remember(metric=message.pane.metric)

    def on_curves_pane_run_asked(self, message: CurvesPane.RunAsked) -> None:
        message.stop()
        self.open_run(message.run.run_id)

    def read_on(self) -> None:
        self.pane.loader.read_on()
