"""The part of the pane of curves that asks: which metrics, which groups, and what is exported to where."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from textual import work

from mldeck.errors import MldeckError
from mldeck.model import SYSTEM_TAG_PREFIX, Column, Kind, RunRecord
from mldeck.ui.chart.drawing import Drawing
from mldeck.ui.chart.history_loader import HistoryLoader, value_of
from mldeck.ui.kit.background_drawing import Redrawing
from mldeck.ui.state.session import Session

_NO_GROUPS = "none"


class CurveChoosing(Redrawing[Drawing]):
    session: Session
    loader: HistoryLoader

    @abstractmethod
    def show_title(self) -> None: ...

    @abstractmethod
    def show_metrics(self, metrics: tuple[str, ...]) -> None: ...

    @contextmanager
    def _reporting_trouble(self) -> Iterator[None]:
        try:
            yield
        except MldeckError as error:
            self.loader.error = error
            self.show_title()

    # -- metrics

    @work(group="choose", exclusive=True)
    async def action_metric(self, step: int) -> None:
        """The next one by name, in the same view as far as it means something there."""
        with self._reporting_trouble():
            keys = await self.loader.metric_keys()
            if set(keys) <= set(self.loader.metrics):
                self.notify("These runs have logged no other metric", timeout=2)
            else:
                at = (
                    keys.index(self.loader.metrics[0])
                    if self.loader.metrics and self.loader.metrics[0] in keys
                    else -max(step, 0)
                )
                self.show_metrics((keys[(at + step) % len(keys)],))

    @work(group="choose", exclusive=True)
    async def action_choose_metrics(self) -> None:
        """From a list: one, or several on the same axes."""
        from mldeck.ui.chart.metric_dialog import MetricDialog

        with self._reporting_trouble():
            keys = await self.loader.metric_keys()
            if not keys:
                self.notify("These runs have logged no metrics", timeout=2)
                return
            chosen = await self.app.push_screen_wait(MetricDialog(keys, self.loader.metrics))
            if chosen:
                self.show_metrics(chosen)

    # -- groups

    @work(group="choose", exclusive=True)
    async def action_group(self) -> None:
        """A band from the lowest to the highest run, for each value of a param or a tag."""
        from mldeck.ui.kit.dialogs.menu import Choice, MenuDialog

        if len(self.loader.run_ids) < 2:
            self.notify("Only several runs can be grouped: mark some with Space in the run table", timeout=3)
            return
        with self._reporting_trouble():
            columns = _grouping(await self.loader.read_values())
            choices = [Choice(_NO_GROUPS, "", "No groups: each run by itself")]
            choices += (Choice(str(index), "", f"{_KINDS[each.kind]} {each.key}") for index, each in enumerate(columns))
            by = self.loader.view.group_by
            present = str(columns.index(by)) if by in columns else _NO_GROUPS
            chosen = await self.app.push_screen_wait(MenuDialog("Group runs by", choices, present=present))
            if chosen is not None:
                self.loader.view = replace(
                    self.loader.view, group_by=None if chosen == _NO_GROUPS else columns[int(chosen)], solo=None
                )
                self.show_title()
                self.redraw()

    # -- export

    def action_export(self) -> None:
        from mldeck.run_text import POINT_HEADER
        from mldeck.ui.chart.table_rows import CurveRows
        from mldeck.ui.export.export import Exported, export

        drawing = self.drawing
        has_points = drawing is not None and any(line.curve.count for line in drawing.lines)
        series, records, store = self.loader.series(), self.loader.records, self.session.store
        exported = None
        if drawing is not None and has_points:
            exported = Exported(
                drawing.picture, POINT_HEADER, lambda interrupt: CurveRows(series, records, store, interrupt)
            )
        export(self, self.session, ", ".join(self.loader.metrics), exported)


_KINDS = {Kind.PARAM: "param", Kind.TAG: "tag"}


def _grouping(records: Sequence[RunRecord]) -> list[Column]:
    """What puts these runs into groups: not what is the same for all; what is different for each comes last."""
    names = {
        Kind.PARAM: {key for record in records for key in record.params},
        Kind.TAG: {key for record in records for key in record.tags if not key.startswith(SYSTEM_TAG_PREFIX)},
    }
    columns = [Column(kind, key) for kind, keys in names.items() for key in sorted(keys)]
    counts = {column: len({value_of(record, column) for record in records}) for column in columns}
    differing = [column for column in columns if counts[column] > 1]
    return sorted(differing, key=lambda column: counts[column] == len(records))
