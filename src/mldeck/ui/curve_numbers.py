"""The numbers behind curves as rows of a table: every point, as it was logged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mldeck.model import RunRecord
from mldeck.ui.curve_drawing import Series

HEADER = ("run_id", "run_name", "metric", "step", "timestamp", "value")
Row = tuple[str, str, str, float, float, float]


class CurveRows:
    """Each row is made when its turn comes: together they would take much more room than the histories."""

    def __init__(self, series: Sequence[Series], records: Mapping[str, RunRecord]) -> None:
        self._histories = [each.history for each in series if each.history is not None]
        self._records = records

    def __len__(self) -> int:
        return sum(len(each) for each in self._histories)

    def __iter__(self) -> Iterator[Row]:
        for history in self._histories:
            name = self._records[history.run_id].run.label
            for step, timestamp, value in zip(history.steps, history.timestamps, history.values, strict=True):
                yield history.run_id, name, history.key, step, timestamp, value
