"""Reads what is behind the curves of a chart: runs, metrics, histories, and what is newer. No screen."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from mldeck.charts.picture import SERIES_COLOURS
from mldeck.errors import MldeckError
from mldeck.model import SYSTEM_METRIC_PREFIX, Column, History, Kind, RunFields, RunRecord
from mldeck.store.interrupt import Interrupt
from mldeck.ui.chart.drawing import Series
from mldeck.ui.chart.history_reading import ReadProgress, read_or_renew, steps_within
from mldeck.ui.chart.view import CurveView
from mldeck.ui.kit.threads import read_off_loop
from mldeck.ui.state.history_cache import SeriesKey
from mldeck.ui.state.session import Session

if TYPE_CHECKING:
    from mldeck.store.store import Store

_FIRST_PAUSE_S = 0.25
"""The least time between two drawings while histories are read. It doubles each time, because many pictures of hundreds of
curves would keep a slow line busy."""


class News(Enum):
    """A kind of news of a loader."""

    CURVES = "curves"
    """Histories, runs, or an error: the chart must be drawn again."""
    METRICS = "metrics"
    """Another metric is shown, because these runs do not have the one before."""
    WINDOW = "window"
    """The points read for the window are outdated: call `read_window` again."""


class _Detail(NamedTuple):
    """All points in a window of a history that is too long to hold whole."""

    view: CurveView
    """The view that they were read for."""
    history: History

    def covers(self, view: CurveView) -> bool:
        mine, wanted = self.view.window, view.window
        return (
            self.view.axis is view.axis
            and mine is not None
            and wanted is not None
            and mine[0] <= wanted[0]
            and wanted[1] <= mine[1]
        )


class HistoryLoader:
    """The histories of some metrics of some runs, and reading them one after the other.

    All methods are called on the event loop; the store is read in threads. `tell` is called as soon as something is new.
    """

    def __init__(self, session: Session, tell: Callable[[News], None]) -> None:
        self._session = session
        self._tell = tell
        self.view = CurveView()
        """The view of the curves. Its groups and its window decide what is read besides the histories."""
        self.run_ids: tuple[str, ...] = ()
        self.metrics: tuple[str, ...] = ()
        """The metrics on the same axes; usually one."""
        self.records: Mapping[str, RunRecord] = {}
        """The runs that are in the database, by run id."""
        self.error: MldeckError | None = None
        """Why the last read failed; None if it did not."""
        self.was_stopped = False
        """Whether the user stopped reading before everything was read."""
        self._is_metric_given = True
        """Whether the metric was asked for; else another one is shown if these runs do not have it."""
        self._histories: dict[SeriesKey, History] = {}
        self._details: dict[SeriesKey, _Detail] = {}
        self._metric_keys: Sequence[str] | None = None
        self._reading: ReadProgress | None = None
        self._is_loading = False
        self._must_repeat = False
        """Whether the database changed while it was being read."""

    # -- what is shown

    def follow(self, run_ids: Sequence[str], metric: str | None) -> bool:
        """Show these runs. Return whether `load` must be called.

        Without a metric, the present ones stay if these runs have them; else the most important one of the experiment is
        shown.
        """
        self._is_metric_given = metric is not None
        self._metric_keys = None
        before = self.run_ids, self.metrics
        self.run_ids = tuple(dict.fromkeys(run_ids))
        metrics = self.metrics if metric is None else (metric,)
        if (self.run_ids, metrics) == before:
            return self.renew()
        self.show_metrics(metrics)
        return True

    def show_metrics(self, metrics: Sequence[str]) -> None:
        """Show these metrics, from what is known of them; `load` reads the rest."""
        self.metrics = tuple(metrics)
        known = {key: self._session.histories.get(key) for key in self.keys}
        self._histories = {key: history for key, history in known.items() if history is not None}
        self._details = {}
        self.was_stopped = False
        self.error = None
        self._tell(News.CURVES)

    @property
    def keys(self) -> list[SeriesKey]:
        """A key for each curve, run by run."""
        return [SeriesKey(run_id, metric) for run_id in self.run_ids for metric in self.metrics]

    @property
    def _known_keys(self) -> list[SeriesKey]:
        """The keys of the runs that are in the database."""
        return [key for key in self.keys if key.run_id in self.records]

    def is_read(self, key: SeriesKey) -> bool:
        return key in self._histories

    @property
    def point_count(self) -> int:
        """The number of points read, also of those that are too many to hold."""
        return sum(history.point_count for history in self._histories.values())

    def series(self) -> list[Series]:
        """Return a series for each curve in the order of `keys`, without the runs that are not in the database."""
        colours, by = self._session.with_colours(self.run_ids), self.view.group_by
        series = []
        for key in self._known_keys:
            record, detail = self.records[key.run_id], self._details.get(key)
            # The metrics of a single run get colours of their own, because they would all have that of the run.
            number = colours[key.run_id] + (self.metrics.index(key.metric) if len(self.run_ids) == 1 else 0)
            series.append(
                Series(
                    key,
                    self._name_of(record, key.metric),
                    number % SERIES_COLOURS,
                    self._histories.get(key),
                    detail.history if detail is not None and detail.covers(self.view) else None,
                    None if by is None else value_of(record, by),
                )
            )
        return series

    def _name_of(self, record: RunRecord, metric: str) -> str:
        if len(self.metrics) < 2:
            return record.run.label
        return metric if len(self.run_ids) == 1 else f"{record.run.label} {metric}"

    # -- how far it is

    @property
    def is_reading(self) -> bool:
        """Whether histories not known yet are being read. Looking for newer points does not count: a chart is already there."""
        keys = self._known_keys
        has_all = bool(keys) and all(map(self.is_read, keys))
        return self._is_loading and not self.was_stopped and not has_all

    @property
    def progress(self) -> str:
        return "reading…" if self._reading is None else str(self._reading)

    def stop(self) -> bool:
        """Keep what has been read so far, and read no more.

        Return False if no history is being read: the caller then cancels `load`.
        """
        self.was_stopped = True
        if self._reading is None:
            return False
        self._reading.stop()
        return True

    def read_on(self) -> None:
        """Let the next `load` read what was left out when the user stopped."""
        self.was_stopped = False

    # -- reading

    def renew(self) -> bool:
        """Note that the database may have changed. Return whether `load` must be called.

        It need not be while it is running: it then reads once more.
        """
        if self._is_loading:
            self._must_repeat = True
            return False
        self._metric_keys = None
        return bool(self.run_ids)

    async def load(self) -> MldeckError | None:
        """Read the runs, choose a metric if none was given, and read the histories. Return the error if it fails."""
        if not self.run_ids:
            return None
        self._must_repeat = self._is_loading = True
        error: MldeckError | None = None
        try:
            while self._must_repeat:
                self._must_repeat = False
                await self._read_runs()
                await self._choose_metric()
                await self._read_histories()
        except MldeckError as problem:
            error = problem
        finally:
            self._reading = None
            self._is_loading = False
        self.error = error
        self._tell(News.CURVES)
        return error

    async def _read_runs(self) -> None:
        """Read names, and the values that runs are grouped by. A run that has been deleted from the database disappears."""
        by = self.view.group_by
        records = await self._read_records(RunFields.of(() if by is None else (by,)))
        if records != self.records:
            self.records = records
            self._tell(News.CURVES)

    async def read_values(self) -> list[RunRecord]:
        """Read the params and tags of all runs, to choose what to group them by. Raises `MldeckError`."""
        self.records = await self._read_records(RunFields(params=None, tags=None))
        return list(self.records.values())

    async def _read_records(self, fields: RunFields) -> Mapping[str, RunRecord]:
        store, ids = self._session.store, self.run_ids
        return await read_off_loop(lambda interrupt: store.run_records(ids, fields, interrupt))

    async def _choose_metric(self) -> None:
        if self._is_metric_given or not self.records:
            return
        keys = await self.metric_keys()
        if not self.metrics or not set(self.metrics) <= set(keys):
            store, experiment_id = self._session.store, next(iter(self.records.values())).run.experiment_id
            primary = await read_off_loop(lambda interrupt: store.primary_metric(experiment_id, interrupt))
            own = (key for key in keys if not key.startswith(SYSTEM_METRIC_PREFIX))
            first = primary[0] if primary is not None and primary[0] in keys else next(own, next(iter(keys), None))
            self.metrics = () if first is None else (first,)
            self._tell(News.METRICS)
        self._is_metric_given = True

    async def metric_keys(self) -> Sequence[str]:
        """Return the metrics that at least one of the runs has, by name. Raises `MldeckError`."""
        if self._metric_keys is None:
            store, ids = self._session.store, self.run_ids
            found = await read_off_loop(lambda interrupt: store.metric_keys(ids, interrupt))
            self._metric_keys = [metric.key for metric in found]
        return self._metric_keys

    async def _read_histories(self) -> None:
        keys = self._known_keys
        if self.was_stopped:
            # The rest is not wanted, but complete histories go on growing.
            keys = [key for key in keys if key in self._histories and not self._histories[key].was_stopped]
        reading = self._reading = ReadProgress(len(keys))
        store, cache = self._session.store, self._session.histories
        shown_at, pause = 0.0, _FIRST_PAUSE_S
        for key in keys:
            history = await read_off_loop(partial(reading.read, partial(read_or_renew, store, cache, key)))
            is_new = history is not None and self._take(key, history)
            # The last one is shown when everything is read.
            if is_new and key != keys[-1] and time.monotonic() - shown_at >= pause:
                shown_at, pause = time.monotonic(), 2 * pause
                self._tell(News.CURVES)
            if reading.is_stopped:
                break
        self._reading = None

    def _take(self, key: SeriesKey, history: History) -> bool:
        """Keep a history. Return whether it has new points."""
        before = self._histories.get(key)
        self._histories[key] = history
        is_new = before is None or not history.is_unchanged_since(before)
        if is_new and self._details.pop(key, None) is not None:
            self._tell(News.WINDOW)
        return is_new

    async def read_window(self) -> None:
        """Read all points in the window of the view, of the histories that are too long to hold whole."""
        view, store = self.view, self._session.store
        for key in self.keys:
            history, detail = self._histories.get(key), self._details.get(key)
            if view.window is None or history is None or not history.is_thinned:
                continue
            if detail is not None and detail.covers(view) and not detail.history.is_thinned:
                continue
            try:
                found = await read_off_loop(partial(_read_window, store, history, view))
            except MldeckError as error:
                self.error = error
                self._tell(News.CURVES)
                return
            if found is not None:
                self._details[key] = _Detail(view, found)
                self._tell(News.CURVES)


def _read_window(store: Store, history: History, view: CurveView, interrupt: Interrupt) -> History | None:
    assert view.window is not None
    steps = steps_within(history, view.axis, view.window, min(history.timestamps, default=0))
    return None if steps is None else store.read_history(history.run_id, history.key, steps, interrupt)


def value_of(record: RunRecord, column: Column) -> str | None:
    """Return the value of a param or a tag; None if the run has none."""
    return (record.params if column.kind is Kind.PARAM else record.tags).get(column.key)
