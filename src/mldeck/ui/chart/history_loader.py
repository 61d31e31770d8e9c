"""The part of the pane of curves that reads: names, histories and what is newer, all off the event loop."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from textual import work
from textual.timer import Timer
from textual.worker import WorkerError

from mldeck.charts.picture import SERIES_COLOURS
from mldeck.errors import MldeckError
from mldeck.model import SYSTEM_METRIC_PREFIX, Column, History, Kind, RunFields, RunRecord
from mldeck.store.interrupt import Interrupt
from mldeck.ui.chart.drawing import Drawing, Series
from mldeck.ui.chart.history_reading import Reading, read_or_renew, steps_within
from mldeck.ui.chart.view import CurveView, SeriesKey
from mldeck.ui.kit.background_drawing import Redrawing
from mldeck.ui.kit.threads import read_off_loop
from mldeck.ui.state.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mldeck.store.store import Store

_BUSY_S = 0.5
"""Reading that takes longer says so, and how far it is."""

_STEP_S = 0.25
"""How often it says so. What was read until now is shown then too, but after twice as long each time: so many pictures of
hundreds of curves would keep a slow line busy."""

_SETTLE_S = 0.15
"""How long a window must rest before all points in it are read."""


class _Detail(NamedTuple):
    """All points of a part of a history that is too long to hold whole."""

    view: CurveView
    """What it was read for."""
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


class CurveLoading(Redrawing[Drawing]):
    """It is drawn anew when there is something new; the subclass says in `show_title` how far the reading is."""

    def __init__(self, session: Session, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.session = session
        self.view = CurveView()
        self.run_ids: tuple[str, ...] = ()
        self.metrics: tuple[str, ...] = ()
        """Shown on the same axes; mostly one."""
        self.trouble = ""
        """Why it could not be read."""
        self.was_stopped = False
        self._is_certain = True
        """Whether the metric was asked for, or may be another one if these runs do not have it."""
        self._records: Mapping[str, RunRecord] = {}
        self._histories: dict[SeriesKey, History] = {}
        self._details: dict[SeriesKey, _Detail] = {}
        self._metric_keys: Sequence[str] | None = None
        self._reading: Reading | None = None
        self._is_loading = False
        self._is_behind = False
        """Whether the database changed while it was being read."""
        self._settling: Timer | None = None

    @abstractmethod
    def show_title(self) -> None: ...

    # -- what is to be shown

    @property
    def metric(self) -> str | None:
        return self.metrics[0] if self.metrics else None

    def show(self, run_ids: Sequence[str], metric: str | None = None) -> None:
        """Without a metric: the one that is shown if these runs have it, else the experiment's most important one."""
        self._is_certain = metric is not None
        self._metric_keys = None
        before = self.run_ids, self.metrics
        self.run_ids = tuple(dict.fromkeys(run_ids))
        metrics = self.metrics if metric is None else (metric,)
        if (self.run_ids, metrics) != before:
            self.show_metrics(metrics)
        elif self._is_loading:
            self._is_behind = True
        else:
            self._load()

    def show_metrics(self, metrics: Sequence[str]) -> None:
        self.metrics = tuple(metrics)
        known = {key: self.session.histories.get(key) for key in self._keys}
        self._histories = {key: history for key, history in known.items() if history is not None}
        self._details = {}
        self.was_stopped = False
        self.trouble = ""
        self.show_title()
        self.redraw()
        self._load()

    @property
    def _keys(self) -> list[SeriesKey]:
        return [SeriesKey(run_id, metric) for run_id in self.run_ids for metric in self.metrics]

    @property
    def is_reading(self) -> bool:
        """Whether it is reading what is not there yet; looking for what is newer is nothing to wait for."""
        keys = [key for key in self._keys if key.run_id in self._records]
        has_all = bool(keys) and all(self.is_read(key) for key in keys)
        return self._is_loading and not self.was_stopped and not has_all

    def is_read(self, key: SeriesKey) -> bool:
        return key in self._histories

    def stop_reading(self) -> None:
        """What was read until now is shown."""
        self.was_stopped = True
        if self._reading is not None:
            self._reading.stop()
        else:
            self.workers.cancel_group(self, "curves")

    def read_on(self) -> None:
        """What was stopped is wanted after all."""
        self.was_stopped = False

    @property
    def progress(self) -> str:
        return "reading…" if self._reading is None else str(self._reading)

    @property
    def point_count(self) -> int:
        return sum(each.point_count for each in self._histories.values())

    def series(self) -> list[Series]:
        colours, by = self.session.with_colours(self.run_ids), self.view.group_by
        series = []
        for key in self._keys:
            record = self._records.get(key.run_id)
            if record is None:
                continue
            # Several metrics of one run would all have its colour.
            number = colours[key.run_id] + (self.metrics.index(key.metric) if len(self.run_ids) == 1 else 0)
            history = self._histories.get(key)
            detail = self._details.get(key)
            series.append(
                Series(
                    key,
                    self._name_of(record, key.metric),
                    number % SERIES_COLOURS,
                    history,
                    detail.history if detail is not None and detail.covers(self.view) else None,
                    None if by is None else value_of(record, by),
                )
            )
        return series

    def _name_of(self, record: RunRecord, metric: str) -> str:
        if len(self.metrics) < 2:
            return record.run.label
        return metric if len(self.run_ids) == 1 else f"{record.run.label} {metric}"

    # -- reading

    async def read_again(self) -> None:
        """The database changed: names, and what was logged since. Raises `MldeckError`."""
        if self._is_loading:
            self._is_behind = True
            return
        if not self.run_ids:
            return
        self._metric_keys = None
        error: list[MldeckError] = []
        with suppress(WorkerError):
            await self._load(error).wait()
        if error:
            raise error[0]

    @work(group="curves", exclusive=True)
    async def _load(self, error: list[MldeckError] | None = None) -> None:
        """Each history is shown as soon as it is read."""
        if not self.run_ids:
            return
        self._is_behind = True
        self._is_loading = True
        try:
            with self._saying_progress():
                while self._is_behind:
                    self._is_behind = False
                    await self._learn_runs()
                    await self._choose_metric()
                    await self._read_histories()
            self.trouble = ""
        except MldeckError as problem:
            self.trouble = str(problem)
            if error is not None:
                error.append(problem)
        finally:
            self._reading = None
            self._is_loading = False
        self.show_title()
        self.redraw()

    @contextmanager
    def _saying_progress(self) -> Iterator[None]:
        ticks = self.set_interval(_STEP_S, self.show_title, pause=True)
        patience = self.set_timer(_BUSY_S, ticks.resume)
        try:
            yield
        finally:
            patience.stop()
            ticks.stop()

    async def _learn_runs(self) -> None:
        """Names, and the values of what they are grouped by. A run that is gone is shown no more."""
        store, ids, fields = (
            self.session.store,
            self.run_ids,
            RunFields.of(() if self.view.group_by is None else (self.view.group_by,)),
        )
        records = await read_off_loop(lambda interrupt: store.run_records(ids, fields, interrupt))
        if records != self._records:
            self._records = records
            self.redraw()

    async def _choose_metric(self) -> None:
        if self._is_certain or not self._records:
            return
        keys = await self.metric_keys()
        if not self.metrics or not set(self.metrics) <= set(keys):
            store, experiment_id = self.session.store, next(iter(self._records.values())).run.experiment_id
            primary = await read_off_loop(lambda interrupt: store.primary_metric(experiment_id, interrupt))
            own = (key for key in keys if not key.startswith(SYSTEM_METRIC_PREFIX))
            first = primary[0] if primary is not None and primary[0] in keys else next(own, next(iter(keys), None))
            self.metrics = () if first is None else (first,)
            self.metric_changed()
        self._is_certain = True

    def metric_changed(self) -> None:
        """Another metric is shown now."""

    async def metric_keys(self) -> Sequence[str]:
        """The metrics that at least one of these runs has."""
        if self._metric_keys is None:
            store, ids = self.session.store, self.run_ids
            found = await read_off_loop(lambda interrupt: store.metric_keys(ids, interrupt))
            self._metric_keys = [each.key for each in found]
        return self._metric_keys

    async def _read_histories(self) -> None:
        keys = [key for key in self._keys if key.run_id in self._records]
        if self.was_stopped:
            # Nobody wants the rest; what is complete goes on growing.
            keys = [key for key in keys if key in self._histories and not self._histories[key].was_stopped]
        reading = self._reading = Reading(len(keys))
        store, cache = self.session.store, self.session.histories
        shown_at, pause = 0.0, _STEP_S
        for key in keys:
            renew = partial(read_or_renew, store, cache, key)
            history = await read_off_loop(partial(reading.read, renew))
            is_new = history is not None and self._take(key, history)
            # The last one is drawn when all is read.
            if is_new and key != keys[-1] and time.monotonic() - shown_at >= pause:
                shown_at, pause = time.monotonic(), 2 * pause
                self.redraw()
            if reading.is_stopped:
                break
        self._reading = None

    def _take(self, key: SeriesKey, history: History) -> bool:
        """Whether there is something new in it."""
        before = self._histories.get(key)
        self._histories[key] = history
        is_new = before is None or not history.is_unchanged_since(before)
        if is_new and self._details.pop(key, None) is not None:
            self.want_details()
        return is_new

    # -- windows of histories that are too long to hold

    def want_details(self) -> None:
        """Once the window has rested for a moment."""
        if self._settling is not None:
            self._settling.stop()
        self._settling = self.set_timer(_SETTLE_S, self._read_details)

    @work(group="details", exclusive=True)
    async def _read_details(self) -> None:
        view, store = self.view, self.session.store
        for key in self._keys:
            history, detail = self._histories.get(key), self._details.get(key)
            if view.window is None or history is None or not history.is_thinned:
                continue
            if detail is not None and detail.covers(view) and not detail.history.is_thinned:
                continue
            try:
                found = await read_off_loop(partial(_read_window, store, history, view))
            except MldeckError as error:
                self.trouble = str(error)
                self.show_title()
                return
            if found is not None:
                self._details[key] = _Detail(view, found)
                self.redraw()


def _read_window(store: Store, history: History, view: CurveView, interrupt: Interrupt) -> History | None:
    assert view.window is not None
    steps = steps_within(history, view.axis, view.window, min(history.timestamps, default=0))
    return None if steps is None else store.read_history(history.run_id, history.key, steps, interrupt)


def value_of(record: RunRecord, column: Column) -> str | None:
    """Of a param or a tag."""
    return (record.params if column.kind is Kind.PARAM else record.tags).get(column.key)
