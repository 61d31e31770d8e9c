"""The points behind curves as rows of a table, each as it was logged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from mldeck.model import RunRecord
from mldeck.store.interrupt import Interrupt
from mldeck.ui.chart.drawing import Series

if TYPE_CHECKING:
    from mldeck.model import History
    from mldeck.run_text import TableRow
    from mldeck.store.histories.points import Points
    from mldeck.store.store import Store


class CurveRows:
    """All points of some series, in the columns of `POINT_HEADER`.

    A history that is not whole, because it is too long to hold or still being read, is read from the store during iteration.
    """

    def __init__(
        self, series: Sequence[Series], records: Mapping[str, RunRecord], store: Store, interrupt: Interrupt
    ) -> None:
        self._series = series
        self._records = records
        self._store = store
        self._interrupt = interrupt

    def __len__(self) -> int:
        """Return the number of points, as far as it is known."""
        return sum(entry.history.point_count for entry in self._series if entry.history is not None)

    def __iter__(self) -> Iterator[TableRow]:
        from mldeck.run_text import point_rows  # few sessions write files

        for entry in self._series:
            run = self._records[entry.key.run_id].run
            yield from point_rows(run.run_id, run.label, entry.key.metric, self._parts(entry))

    def _parts(self, series: Series) -> Iterator[History | Points]:
        if series.history is not None and series.history.is_whole:
            yield series.history
        else:
            yield from self._store.iter_points(series.key.run_id, series.key.metric, self._interrupt)
