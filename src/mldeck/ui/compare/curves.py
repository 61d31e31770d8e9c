"""The curves of the marked runs, in the same pane as any chart."""

from __future__ import annotations

from textual.app import ComposeResult

from mldeck.ui.chart.pane import CurvesPane
from mldeck.ui.compare.view import CompareView
from mldeck.ui.state.session import Session


class CurvesView(CompareView, can_focus=False):
    """The pane has its own border, keys and export. The metric is remembered."""

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
        """Show the runs with the present metrics; the remembered one is only used when none is shown yet."""
        remembered = None if self.pane.metrics else self.choices.get("metric")
        is_logged = isinstance(remembered, str) and any(remembered in record.metrics for record in self.data.records)
        self.pane.show(self.data.run_ids, remembered if is_logged else None)

    def show_run(self) -> None:
        """Do nothing: the pane has its own cursor in the legend."""

    def say_state(self) -> None:
        """Do nothing: the pane has its own border."""

    def export(self) -> None:
        self.pane.action_export()

    def exported(self) -> None:
        """Return None: the pane exports itself."""

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
