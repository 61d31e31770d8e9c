"""One open tracking database.

Every method may be called from any thread, reads in short statements, and returns values. All raise `StoreUnavailable` when the
database is gone or stays locked, `Interrupted` when their interrupt is fired, and `MldeckError` when it cannot be read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from mldeck.errors import UsageError, did_you_mean
from mldeck.model import (
    Column,
    Experiment,
    History,
    Kind,
    MetricKey,
    MetricSummary,
    Run,
    RunCount,
    RunDetails,
    RunFields,
    RunQuery,
    RunRecord,
    RunTimes,
    View,
)
from mldeck.store.address import host_of
from mldeck.store.connect import database_folder
from mldeck.store.histories.outline import HistorySpan, history_outlines
from mldeck.store.interrupt import Interrupt
from mldeck.store.opened import OpenedStore
from mldeck.store.runs.best import best_values, primary_metric
from mldeck.store.runs.columns import differing_columns, grouping_columns, keys_of_runs, present_columns
from mldeck.store.runs.completion import is_numeric, list_keys, list_values
from mldeck.store.runs.details import run_details
from mldeck.store.runs.experiments import list_experiments
from mldeck.store.runs.find import find_runs
from mldeck.store.runs.groups import group_summaries
from mldeck.store.runs.records import count_matching, count_runs, newest_run_experiment, run_ids, run_records
from mldeck.store.runs.rows import ROWS_AT_ONCE, run_rows
from mldeck.store.runs.values import has_values, run_times, text_values
from mldeck.store.statements import chunks

if TYPE_CHECKING:
    from sqlalchemy import Executable

    from mldeck.store.edits.editor import StoreEditor
    from mldeck.store.histories.points import Points
    from mldeck.store.registry.editor import RegistryEditor
    from mldeck.store.registry.reader import RegistryReader
    from mldeck.store.runs.opening import ExpectedOpening
    from mldeck.store.schema import Schema

_Result = TypeVar("_Result")

PRINT_PATIENCE_S = 20.0
"""Seconds that a printed command waits for a lock: as long as MLflow does, because a script cannot ask its user."""

_RECORDS_AT_ONCE = 500
_CELLS_AT_ONCE = 100_000


class Store(OpenedStore):
    """The content of a tracking database."""

    @property
    def editor(self) -> StoreEditor:
        """Everything that changes experiments and runs."""
        from mldeck.store.edits.editor import StoreEditor  # most sessions only read

        return StoreEditor(self.writer(), database_folder(self.address))

    def registry(self, workspace: str = "default") -> RegistryReader:
        """Return a reader of the model registry, and of the models that runs logged."""
        from mldeck.store.registry.reader import RegistryReader  # not needed for the first runs

        return RegistryReader(self, workspace)

    def registry_editor(
        self, workspace: str = "default", *, record_transitions: bool = True, tracking: Store | None = None
    ) -> RegistryEditor:
        """Return an editor of the model registry. `tracking` is the store of the runs, when that is another database."""
        from mldeck.store.registry.editor import RegistryEditor  # most sessions only read

        logged = tracking.writer() if tracking is not None and tracking is not self else None
        via = host_of(self.address)
        return RegistryEditor(self.writer(), workspace, record_transitions=record_transitions, tracking=logged, via=via)

    def foreseeing(
        self, expected: Callable[[], ExpectedOpening], read: Callable[[], _Result], interrupt: Interrupt
    ) -> _Result:
        """Return `read()`, in which the reads of this thread share a connection: the first ones of a session.

        A distant database answers in one request what is `expected`; whatever else is read takes a request of its own.
        """

        def statements(schema: Schema) -> Iterator[Executable]:
            from mldeck.store.runs.opening import foresee  # not for a file of this machine

            yield from foresee(schema, expected())

        return self.read_together(read, statements, interrupt)

    def experiments(self, view: View, interrupt: Interrupt | None = None) -> list[Experiment]:
        """Return the experiments in MLflow's default order: the newest first."""
        return self.read(list_experiments, interrupt, view)

    def run_counts(self, interrupt: Interrupt | None = None) -> dict[str, RunCount]:
        """Return the number of runs by experiment id, without experiments that have none. Scans all runs."""
        return self.read(count_runs, interrupt)

    def newest_run_experiment(self, experiment_ids: Sequence[str], interrupt: Interrupt | None = None) -> str | None:
        """Return which of these experiments has the newest active run, None when there is none."""
        return self.read(newest_run_experiment, interrupt, experiment_ids)

    def run_ids(self, query: RunQuery, limit: int | None = None, interrupt: Interrupt | None = None) -> list[str]:
        """Return the ids of the runs that match, in the order of the query. Raises `SearchError` for a bad filter."""
        return self.read(run_ids, interrupt, query, limit)

    def count_matching(self, query: RunQuery, interrupt: Interrupt | None = None) -> int:
        """Return how many runs match. Raises `SearchError` for a bad filter."""
        return self.read(count_matching, interrupt, query)

    def run_records(
        self, ids: Sequence[str], fields: RunFields, interrupt: Interrupt | None = None
    ) -> dict[str, RunRecord]:
        """Return the runs with these ids, by id; runs that are gone are left out."""
        self.show(ids)
        return self.read(run_records, interrupt, ids, fields)

    def iter_records(
        self, ids: Sequence[str], fields: RunFields, interrupt: Interrupt | None = None
    ) -> Iterator[RunRecord]:
        """Yield the records in the order of `ids`, read a few hundred at a time; runs that are gone are left out."""
        for some in chunks(ids, _RECORDS_AT_ONCE):
            records = self.run_records(some, fields, interrupt)
            yield from (records[run_id] for run_id in some if run_id in records)

    def iter_rows(
        self, ids: Sequence[str], columns: Sequence[Column], interrupt: Interrupt | None = None
    ) -> Iterator[list[Any]]:
        """Yield a list per run, with a value per column (see `run_rows`), in the order of `ids`, read some at a time."""
        # Fewer at a time when there are very many columns.
        at_once = max(1, min(ROWS_AT_ONCE, _CELLS_AT_ONCE // max(1, len(columns))))
        indexes: dict[str, str | None] = {}
        for some in chunks(ids, at_once):
            yield from self.read(run_rows, interrupt, some, columns, indexes)

    def differing_columns(self, ids: Sequence[str], interrupt: Interrupt | None = None) -> tuple[Column, ...]:
        """Return the metrics, then the params, whose values differ between these runs (see `runs.columns`)."""
        return self.read(differing_columns, interrupt, ids)

    def present_columns(self, query: RunQuery, interrupt: Interrupt | None = None) -> tuple[Column, ...]:
        """Return the metrics, then params, then tags (without MLflow's own) that any run of the query has, each by name."""
        return self.read(present_columns, interrupt, query)

    def best_values(
        self, query: RunQuery, greater_is_better: Mapping[str, bool], interrupt: Interrupt | None = None
    ) -> dict[str, float]:
        """Return the best finite value of each of these metrics among all runs of the query; by metric."""
        return self.read(best_values, interrupt, query, greater_is_better)

    def primary_metric(self, experiment_id: str, interrupt: Interrupt | None = None) -> tuple[str, bool] | None:
        """Return (primary metric, whether greater is better) as the experiment's tags say; None when they do not."""
        return self.read(primary_metric, interrupt, experiment_id)

    def keys_of_runs(self, ids: Sequence[str]) -> tuple[Column, ...]:
        """Return the metrics, then params, then tags that any of these runs has, each by name."""
        return self.read(keys_of_runs, None, ids)

    def find_runs(
        self, query: RunQuery, text: str, columns: Sequence[Column], interrupt: Interrupt | None = None
    ) -> frozenset[str]:
        """Return the ids of the runs whose name, id, user or status contains the text, or a param or tag among `columns`."""
        return self.read(find_runs, interrupt, query, text, columns)

    def list_keys(self, kind: Kind, sample_ids: Sequence[str], interrupt: Interrupt | None = None) -> list[str]:
        """Return the metric, param or tag keys of the database: those that most of the sample runs have come first."""
        return self.read(list_keys, interrupt, kind, sample_ids)

    def list_values(self, kind: Kind, key: str, limit: int = 50, interrupt: Interrupt | None = None) -> list[str]:
        """Return the values of a param or tag, the most frequent first."""
        return self.read(list_values, interrupt, kind, key, limit)

    def unknown_columns(
        self, columns: Iterable[Column], sample_ids: Sequence[str] = (), interrupt: Interrupt | None = None
    ) -> Iterator[str]:
        """Yield `has params.lrr (did you mean lr?)` for each metric, param or tag that no run has: it may be mistyped."""
        for column in dict.fromkeys(columns):
            if column.kind in (Kind.METRIC, Kind.PARAM, Kind.TAG) and not self.list_values(
                column.kind, column.key, 1, interrupt
            ):
                known = self.list_keys(column.kind, sample_ids, interrupt)
                yield f"has {column}{did_you_mean(column.key, known)}"

    def is_numeric(self, query: RunQuery, kind: Kind, key: str, interrupt: Interrupt | None = None) -> bool:
        """Return whether all values of a param or tag among the runs of the query are numbers."""
        return self.read(is_numeric, interrupt, query, kind, key)

    def has_values(self, query: RunQuery, column: Column, interrupt: Interrupt | None = None) -> bool:
        """Return whether any run of the query has this metric, param or tag."""
        return self.read(has_values, interrupt, query, column)

    def text_values(self, query: RunQuery, column: Column, interrupt: Interrupt | None = None) -> dict[str, str]:
        """Return a param or tag of the runs of a query, by run id; runs without it are left out."""
        return self.read(text_values, interrupt, query, column)

    def group_summaries(
        self,
        query: RunQuery,
        column: Column,
        metrics: Sequence[str],
        only: Collection[str] | None = None,
        interrupt: Interrupt | None = None,
    ) -> dict[str, dict[str | None, MetricSummary]]:
        """Return summaries of metrics, by metric, then by group: the runs that have the same value of a param or tag.

        `only`: the runs of the query that count; None for all. A group in which no run has logged the metric is left out.
        """
        return self.read(group_summaries, interrupt, query, column, metrics, only)

    def run_times(self, query: RunQuery, interrupt: Interrupt | None = None) -> dict[str, RunTimes]:
        """Return when each run of a query began and how long it took, by run id."""
        return self.read(run_times, interrupt, query)

    def grouping_columns(
        self, query: RunQuery, sample: Sequence[str], interrupt: Interrupt | None = None
    ) -> dict[Column, bool]:
        """Return the params and tags that any run of the query has, and whether runs of the sample have several values of each.

        Those that differ come first; MLflow's own tags come last.
        """
        return self.read(grouping_columns, interrupt, query, sample)

    def resolve_run(self, text: str, interrupt: Interrupt | None = None) -> Run:
        """Return the run with this id, beginning of an id, or name. Raises `UsageError` unless it is exactly one."""
        from mldeck.store.runs.lookup import resolve_runs  # only commands need it

        found = self.read(resolve_runs, interrupt, text)
        if not found:
            raise UsageError(f"{self.address} has no run {text}: give its id, at least 4 characters of it, or its name")
        if len(found) > 1:
            several = ", ".join(f"{run.run_id} ({run.label})" for run in found)
            raise UsageError(f"{text} may be one of several runs: {several}")
        return found[0]

    def run_details(self, run_id: str, interrupt: Interrupt | None = None) -> RunDetails | None:
        """Return everything about one run; None when it does not exist (any more)."""
        self.show([run_id])
        return self.read(run_details, interrupt, run_id)

    def assessments_of_runs(self, run_ids: Sequence[str], interrupt: Interrupt | None = None) -> int:
        """Return how many evaluation results MLflow would delete for good with these runs (3.11 and later)."""
        from mldeck.store.edits.runs import assessments_of_runs

        return self.read(assessments_of_runs, interrupt, run_ids)

    def assessments_of_experiments(self, ids: Sequence[str], interrupt: Interrupt | None = None) -> int:
        """Return the same for the runs of these experiments."""
        from mldeck.store.edits.experiments import assessments_of_experiments

        return self.read(assessments_of_experiments, interrupt, ids)

    def history_outline(
        self, run_id: str, key: str, slices: int, interrupt: Interrupt | None = None
    ) -> tuple[HistorySpan, ...]:
        """Return the history in at most `slices` spans of equal numbers of steps, in order; empty ones are left out."""
        return self.history_outlines(run_id, [key], slices, interrupt)[key]

    def history_outlines(
        self, run_id: str, keys: Sequence[str], slices: int, interrupt: Interrupt | None = None
    ) -> dict[str, tuple[HistorySpan, ...]]:
        """Return the same for some metrics, by metric. A distant database is asked for all of them together."""
        for key in keys:
            self.fetch_history(run_id, key, interrupt)
        return self.read(history_outlines, interrupt, run_id, keys, slices)

    def read_history(
        self,
        run_id: str,
        key: str,
        window: tuple[int, int] | None = None,
        interrupt: Interrupt | None = None,
        on_part: Callable[[int], None] | None = None,
    ) -> History:
        """Return all points of a metric of a run, or those of the steps of `window`: (first, last), both included.

        An interrupt that is fired meanwhile ends the reading, and the points read so far are returned (`was_stopped`).
        `on_part` is called in this thread after every 10,000 points, with the number of points read so far.
        """
        from mldeck.store.histories.histories import read_history  # not needed before the first chart

        self.fetch_history(run_id, key, interrupt)
        return self.read(read_history, interrupt, run_id, key, window, on_part)

    def read_newer(self, history: History, interrupt: Interrupt | None = None) -> History:
        """Return the history together with the points logged since it was read (see `History.is_unchanged_since`)."""
        from mldeck.store.histories.histories import read_newer

        return self.read(read_newer, interrupt, history)

    def iter_points(self, run_id: str, key: str, interrupt: Interrupt | None = None) -> Iterator[Points]:
        """Yield all points of a metric of a run in successive parts, even when they are too many for a `History`."""
        from mldeck.store.histories.histories import read_part

        self.fetch_history(run_id, key, interrupt)
        points, bookmark = self.read(read_part, interrupt, run_id, key)
        yield points
        while bookmark is not None:
            points, bookmark = self.read(read_part, interrupt, run_id, key, bookmark)
            yield points

    def metric_keys(self, ids: Sequence[str], interrupt: Interrupt | None = None) -> tuple[MetricKey, ...]:
        """Return the metrics that any of these runs has, by name, each with the number of runs."""
        from mldeck.store.histories.metric_keys import metric_keys

        return self.read(metric_keys, interrupt, ids)
