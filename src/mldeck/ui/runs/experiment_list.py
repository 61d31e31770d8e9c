"""The experiments, with the number of their active runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message

from mldeck.format import Neighbours
from mldeck.model import Experiment, workspaces_of
from mldeck.ui.kit.grid import GAP, Cell, Grid, GridColumn
from mldeck.ui.kit.keys import bindings
from mldeck.ui.runs.keys import EXPERIMENTS

_COUNT_WIDTH = 3
"""Cells for the run counts before they are known."""


class ExperimentList(Grid):
    BINDINGS: ClassVar[list[BindingType]] = bindings(EXPERIMENTS)

    @dataclass
    class MarkAsked(Message):
        """Posted to show the runs of an experiment together with those of the other marked ones, or to stop doing so."""

        experiment: Experiment

    class ViewAsked(Message):
        """Posted when the user cycles active / deleted / all experiments."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, has_header=False)
        self.experiments: Sequence[Experiment] = ()
        self.counts: Mapping[str, int] = {}
        """By experiment id: the number shown beside the name."""
        self.chosen_id: str | None = None
        """The experiment whose runs are shown."""
        self.marked_ids: Collection[str] = ()
        """The experiments whose runs are shown together."""
        self._has_workspaces = False
        self._names: Counter[str] = Counter()
        """How many experiments have each name."""
        self._neighbours = Neighbours()

    def show(self, experiments: Sequence[Experiment], counts: Mapping[str, int], chosen_id: str | None) -> None:
        """Show other experiments; `counts` are the numbers of runs by experiment id. The cursor stays on its experiment."""
        cursor = self.cursor_experiment
        wanted = cursor.experiment_id if cursor else chosen_id
        self.experiments, self.counts, self.chosen_id = experiments, counts, chosen_id
        self._has_workspaces = bool(workspaces_of(experiments))
        self._names = Counter(experiment.name for experiment in experiments)
        self._neighbours = Neighbours(map(self._label, experiments))
        self.set_content(len(experiments))
        ids = [experiment.experiment_id for experiment in experiments]
        if wanted in ids:
            self.cursor_row = ids.index(wanted)
            self._show_cursor()

    def choose(self, experiment_id: str) -> None:
        """Show which experiment is the chosen one, and move the cursor there."""
        self.chosen_id = experiment_id
        ids = [experiment.experiment_id for experiment in self.experiments]
        if experiment_id in ids:
            self.cursor_row = ids.index(experiment_id)
            self._show_cursor()
        self.repaint()

    @property
    def cursor_experiment(self) -> Experiment | None:
        return self.experiments[self.cursor_row] if self.cursor_row < len(self.experiments) else None

    def fitting_columns(self) -> tuple[GridColumn, ...]:
        count_width = max((len(str(count)) for count in self.counts.values()), default=_COUNT_WIDTH)
        name_width = max(4, self.line_width - count_width - GAP)
        return GridColumn("experiment", name_width), GridColumn("runs", count_width, right=True)

    def row_cells(self, row: int) -> Sequence[Cell]:
        experiment = self.experiments[row]
        is_marked = experiment.experiment_id in self.marked_ids
        is_chosen = is_marked or (not self.marked_ids and experiment.experiment_id == self.chosen_id)
        sign = "● " if is_marked else "▸ " if is_chosen else "  "
        style = "dim" if experiment.lifecycle_stage == "deleted" else "accent" if is_chosen else ""
        count = self.counts.get(experiment.experiment_id)
        return (
            Cell(sign + self._neighbours.cut(self._label(experiment), self.columns[0].width - len(sign)), style),
            Cell("" if count is None else str(count), "dim"),
        )

    def row_text(self, row: int) -> str:
        return self._label(self.experiments[row])

    def _label(self, experiment: Experiment) -> str:
        """Return the name, with the workspace if there are several: after the name, or before a name that is not unique."""
        if not self._has_workspaces or not experiment.workspace:
            return experiment.name
        if self._names[experiment.name] > 1:
            return f"{experiment.workspace}/{experiment.name}"
        return f"{experiment.name} · {experiment.workspace}"

    def copied_text(self) -> str | None:
        experiment = self.cursor_experiment
        return experiment.name if experiment else None

    def action_mark(self) -> None:
        experiment = self.cursor_experiment
        if experiment is not None:
            self.post_message(self.MarkAsked(experiment))

    def action_cycle_view(self) -> None:
        self.post_message(self.ViewAsked())
