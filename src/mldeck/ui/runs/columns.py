"""The columns of the run table: chosen in a dialog, remembered for each experiment, the best values highlighted."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual import work
from textual.binding import BindingType

from mldeck.model import Kind, OrderKey, RunQuery
from mldeck.ui.details.run_cells import LEADING
from mldeck.ui.kit.keys import bindings
from mldeck.ui.kit.threads import read_off_loop
from mldeck.ui.runs import reading as run_reading
from mldeck.ui.runs.keys import RUN_COLUMNS
from mldeck.ui.runs.pane import RunListing
from mldeck.ui.state import metric_direction as best
from mldeck.ui.state.columns import ColumnChoice, to_memory
from mldeck.ui.state.metric_direction import Better

_NO_ORDER: tuple[OrderKey, ...] = ()


class RunColumns(RunListing):
    BINDINGS: ClassVar[list[BindingType]] = bindings(RUN_COLUMNS)

    # -- choosing

    def action_columns(self) -> None:
        session = self.session
        if session.experiment is None or session.query is None or not session.is_open:
            return
        from mldeck.ui.runs.column_dialog import ColumnDialog
        from mldeck.ui.runs.column_draft import ColumnDraft
        from mldeck.ui.runs.column_reading import ColumnReader

        table = self.table
        shown = zip(table.cells.columns, table.columns, strict=False)
        widths = {column: each.width for column, each in shown if column not in LEADING}
        draft = ColumnDraft(session.choice, table.cells.columns[len(LEADING) :], widths)
        sample = [run_id for run_id in table.run_ids[: run_reading.FIRST_PAGE] if run_id]
        reader = ColumnReader(session.store, session.query, sample)
        self.app.push_screen(ColumnDialog(session.experiment.name, draft, reader), self._choose_columns)

    def _choose_columns(self, choice: ColumnChoice | None) -> None:
        session = self.session
        if choice is None or choice == session.choice or session.experiment is None:
            return
        session.choice = choice
        session.memory.experiment(session.experiment.experiment_id)["columns"] = to_memory(choice)
        session.memory.save()
        session.columns = ()
        self.load_columns()

    @work(group="runs", exclusive=True)
    async def load_columns(self) -> None:
        """The same runs with other columns; the table stays as it is until they are read."""
        query = self.session.query
        if query is None:
            return
        with self.reporting_trouble(), self.saying_busy("reading columns"):
            await self._read_order(query)

    # -- the best values

    def come_back(self) -> None:
        """Elsewhere it may have been said when a metric is best."""
        super().come_back()
        self.show_look()
        self.load_best()

    async def action_best(self) -> None:
        """Asks in which direction the metric under the cursor gets better."""
        column, session = self.table.cursor_key, self.session
        if column is None or column.kind is not Kind.METRIC or session.experiment is None:
            self.notify("Only metrics have a best value: go to the column of one", timeout=3)
            return
        from mldeck.ui.kit.dialogs.menu import Choice, MenuDialog

        metric, experiment_id = column.key, session.experiment.experiment_id
        answers = [Choice(each.value, letter, text) for each, letter, text in best.ANSWERS]

        def remember(answer: str | None) -> None:
            if answer is not None:
                self._remember_best(experiment_id, metric, Better(answer))

        self.app.push_screen(MenuDialog(f"When is {metric} best?", answers), remember)

    def _remember_best(self, experiment_id: str, metric: str, better: Better) -> None:
        session = self.session
        best.remember(session.memory.experiment(experiment_id), metric, better)
        session.memory.save()
        if session.experiment is not None and session.experiment.experiment_id == experiment_id:
            session.better[metric] = better
            self.show_look()
            self.load_best()

    def _runs_counted(self, count: int) -> None:
        super()._runs_counted(count)
        self.load_best()

    @work(group="best", exclusive=True)
    async def load_best(self) -> None:
        """Over all listed runs, not those in view alone."""
        session = self.session
        query = session.query
        if query is None or not session.is_open:
            return
        with self.reporting_trouble():
            await self._learn_primary_metric(query)
            directions = best.higher_is_better(session.better)
            shown = {column.key for column in session.columns if column.kind is Kind.METRIC}
            wanted = {key: greater for key, greater in directions.items() if key in shown}
            plain, store = replace(query, order=_NO_ORDER), session.store
            values = (
                await read_off_loop(lambda interrupt: store.best_values(plain, wanted, interrupt)) if wanted else {}
            )
            self.table.show_best(values)

    async def _learn_primary_metric(self, query: RunQuery) -> None:
        """MLflow's own word on the important metric counts until the user says otherwise."""
        session = self.session
        store, experiment_id = session.store, query.experiment_ids[0]
        primary = await read_off_loop(lambda interrupt: store.primary_metric(experiment_id, interrupt))
        if primary is None or primary[0] in session.better:
            return
        metric, greater = primary
        session.better[metric] = Better.HIGHER if greater else Better.LOWER
        self.show_look()

    def show_look(self) -> None:
        """Arrows beside the metrics that have a best value."""
        self.table.show_look(self.session.look(self.session.columns))
