"""The dialogs about the columns of the run table. The answers are saved for each experiment."""

from __future__ import annotations

from mldeck.model import Kind
from mldeck.ui.details.run_cells import LEADING
from mldeck.ui.runs import reading
from mldeck.ui.runs.pane import RunPane
from mldeck.ui.state.columns import STATE, ColumnChoice, choice_to_json
from mldeck.ui.state.metric_direction import Better
from mldeck.ui.state.session import Session


class RunColumns:
    """Asks which columns to show, and whether higher or lower is better. The pane then reads what was chosen."""

    def __init__(self, session: Session, pane: RunPane) -> None:
        self._session = session
        self._pane = pane

    def choose(self) -> None:
        """Open the dialog for the columns."""
        session = self._session
        if session.experiment is None or session.query is None or not session.is_open:
            return
        from mldeck.ui.runs.column_dialog import ColumnDialog
        from mldeck.ui.runs.column_draft import ColumnDraft
        from mldeck.ui.runs.column_reading import ColumnReader

        table = self._pane.table
        shown = zip(table.cells.columns, table.columns, strict=False)
        widths = {column: grid_column.width for column, grid_column in shown if column != STATE}
        draft = ColumnDraft(session.choice, table.cells.columns[len(LEADING) :], widths)
        sample = [run_id for run_id in table.run_ids[: reading.FIRST_PAGE] if run_id]
        reader = ColumnReader(session.store, session.query, sample)
        self._pane.app.push_screen(ColumnDialog(session.experiment.name, draft, reader), self._choose_columns)

    def _choose_columns(self, choice: ColumnChoice | None) -> None:
        session = self._session
        if choice is None or choice == session.choice or session.experiment is None:
            return
        session.choice = choice
        session.saved.experiment(session.experiment.experiment_id)["columns"] = choice_to_json(choice)
        session.saved.save()
        session.columns = ()
        self._pane.load_columns()

    def ask_best(self) -> None:
        """Ask whether higher or lower values of the metric under the cursor are better."""
        column, session = self._pane.table.cursor_key, self._session
        if column is None or column.kind is not Kind.METRIC or session.experiment is None:
            self._pane.notify("Only metrics have a best value: move the cursor to one", timeout=3)
            return
        from mldeck.ui.details.direction_menu import ask_direction

        metric, experiment_id = column.key, session.experiment.experiment_id

        def answered(better: Better) -> None:
            session.remember_direction([experiment_id], metric, better)
            self._pane.show_style()
            self._pane.show_title()
            self._pane.load_best()

        ask_direction(self._pane.app, metric, answered)
