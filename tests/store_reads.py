"""A call of every method that reads a store, and its answers in a form that can be compared between kinds of databases."""

from __future__ import annotations

import dataclasses
from array import array
from collections.abc import Iterable, Iterator, Mapping, Set
from enum import Enum
from typing import Any, NamedTuple

from mldeck.errors import MldeckError
from mldeck.model import ALL_FIELDS, Column, Kind, OrderKey, RunQuery, View
from mldeck.registry.nouns import ModelQuery
from mldeck.store.histories.points import Points
from mldeck.store.registry.reader import RegistryReader
from mldeck.store.store import Store


class Call(NamedTuple):
    """A method of a store, or of its registry, with arguments."""

    method: str
    arguments: tuple[Any, ...] = ()

    def on(self, store: Store) -> object:
        if self.method == "read_newer":
            return store.read_newer(store.read_history(*self.arguments))
        owner = store if hasattr(Store, self.method) else store.registry()
        found = getattr(owner, self.method)(*self.arguments)
        if self.method == "grouping_columns":  # the only mapping whose order has a meaning
            return list(found.items())
        return list(found) if isinstance(found, Iterator) else found


_ATTRIBUTES = (
    *("run_id", "run_name", "experiment_id", "status", "start_time", "end_time", "duration", "deleted_time", "user_id"),
    "artifact_uri",
)
_FILTERS = (
    *("metrics.auc > 0.5", "metrics.auc != 0.94", "params.C < 0.5", "params.C = '0.1'", "params.C IS NULL"),
    *(
        "tags.team LIKE '%a%'",
        "tags.team ILIKE '%A%'",
        "duration > 1s",
        "NOT metrics.auc > 0.5",
        "status IN ('FINISHED')",
    ),
    *("metrics.auc > 0.5 OR params.C = '0.1'", "dataset.name = 'x'", "lo", "params.max_depth NOT IN (1, 2)"),
    *("run_name = 'half \ud800'", "run_name = 'nul \0'", "metrics.auc < 1e999", "no filter (", "Ü"),
)
_TEXTS = ("a", "log", "Ü", "%", "_", "[", "\\", "FINISHED", "\ud800")
_FEW = 12
"""Runs, keys and the like that are asked for one by one."""

_MEMBERS_THAT_READ_NOTHING = frozenset(
    """
    editor registry registry_editor writer give_up close read read_together foreseeing poll reopen is_copy is_distant
    notices path read_only_reason reading_notices schema workspace has_history has_aliases has_registry keeps_history
    state show fetch_history wait_until_complete
    """.split()
)


def methods_that_read() -> dict[str, set[str]]:
    """Return the names of the methods of a store and of its registry that read."""
    return {
        kind.__name__: {name for name in dir(kind) if not name.startswith("_")} - _MEMBERS_THAT_READ_NOTHING
        for kind in (Store, RegistryReader)
    }


def reads(store: Store) -> Iterator[Call]:
    """Yield calls of all methods that read, with what is in this store as arguments."""
    yield from _experiments_and_runs(store)
    yield from _keys_and_values(store)
    yield from _single_runs(store)
    yield from _registry(store)


def _experiments_and_runs(store: Store) -> Iterator[Call]:
    experiments = [each.experiment_id for each in store.experiments(View.ALL)]
    everything = RunQuery(tuple(experiments), View.ALL)
    ids = store.run_ids(everything)
    columns = store.present_columns(everything)
    for view in View:
        yield Call("experiments", (view,))
    yield Call("run_counts")
    yield Call("newest_run_experiment", (experiments,))
    yield Call("run_ids", (everything,))
    yield Call("run_ids", (everything, 5))
    yield Call("run_times", (everything,))
    yield Call("count_matching", (everything,))
    yield Call("run_records", (ids, dataclasses.replace(ALL_FIELDS, datasets=True)))
    yield Call("iter_records", (ids, ALL_FIELDS))
    yield Call("iter_rows", (ids, columns))
    yield Call("iter_rows", (ids, [Column(Kind.ATTRIBUTE, name) for name in _ATTRIBUTES]))
    yield Call("differing_columns", (ids,))
    yield Call("present_columns", (everything,))
    yield Call("grouping_columns", (everything, ids))
    yield Call("unknown_columns", ((*columns[:_FEW], Column(Kind.METRIC, "no such metric")),))
    yield Call("keys_of_runs", (ids,))
    for experiment in experiments:
        yield Call("primary_metric", (experiment,))
    yield Call("assessments_of_runs", (ids,))
    yield Call("assessments_of_experiments", (experiments[:2],))
    for text in _TEXTS:
        yield Call("find_runs", (everything, text, columns))
    for text in _FILTERS:
        query = dataclasses.replace(everything, filter=text)
        yield Call("run_ids", (query,))
        yield Call("count_matching", (query,))
    for column in (*columns[:_FEW], *(Column(Kind.ATTRIBUTE, name) for name in _ATTRIBUTES)):
        for is_descending in (False, True):
            query = dataclasses.replace(everything, order=(OrderKey(column, is_descending),))
            yield Call("run_ids", (query,))


def _keys_and_values(store: Store) -> Iterator[Call]:
    everything = RunQuery(tuple(each.experiment_id for each in store.experiments(View.ALL)), View.ALL)
    ids = store.run_ids(everything)
    for kind in (Kind.METRIC, Kind.PARAM, Kind.TAG):
        keys = store.list_keys(kind, ids[:10])
        yield Call("list_keys", (kind, ids[:10]))
        for key in keys[:_FEW]:
            column = Column(kind, key)
            yield Call("has_values", (everything, column))
            if kind is Kind.METRIC:
                yield Call("best_values", (everything, {key: True}))
                continue
            yield Call("list_values", (kind, key))
            yield Call("is_numeric", (everything, kind, key))
            yield Call("text_values", (everything, column))
            yield Call("group_summaries", (everything, column, store.list_keys(Kind.METRIC, ids[:10])[:_FEW]))
    yield Call("metric_keys", (ids,))


def _single_runs(store: Store) -> Iterator[Call]:
    ids = store.run_ids(RunQuery(tuple(each.experiment_id for each in store.experiments(View.ALL)), View.ALL))
    for run_id in ids[:_FEW]:
        yield Call("resolve_run", (run_id[:8],))
    for run_id in [*ids, "no such run"]:
        yield Call("run_details", (run_id,))
        details = store.run_details(run_id)
        for metric in () if details is None else details.metrics[:_FEW]:
            key = metric.key
            yield Call("history_outline", (run_id, key, 20))
            yield Call("history_outlines", (run_id, [key, "no such metric"], 20))
            yield Call("read_history", (run_id, key))
            yield Call("read_history", (run_id, key, (0, 2)))
            yield Call("read_newer", (run_id, key))
            yield Call("iter_points", (run_id, key))


def _registry(store: Store) -> Iterator[Call]:
    experiments = [each.experiment_id for each in store.experiments(View.ALL)]
    ids = store.run_ids(RunQuery(tuple(experiments), View.ALL))
    yield Call("workspaces")
    yield Call("models")
    for text in ("name LIKE 'c%'", "name ILIKE 'C%'", "tags.a = 'b'", "churn", "tags.x IS NULL"):
        yield Call("models", (ModelQuery(filter=text),))
    for name in [*(model.name for model in store.registry().models()), "no such model"]:
        yield Call("model", (name,))
        yield Call("versions", (name,))
        yield Call("version", (name, 1))
        yield Call("history", (name,))
        yield Call("check_model", (name,))
        yield Call("check_no_prompt", (name,))
    for run_id in ids:
        yield Call("versions_of_run", (run_id,))
        yield Call("models_of_run", (run_id,))
        yield Call("source_of_run", (run_id, "model", lambda *_: True))
    logged = [model for run_id in ids for model in store.registry().models_of_run(run_id)]
    for model_id in [*(model.model_id for model in logged if model.model_id), "no such model"]:
        yield Call("logged_model", (model_id,))
        yield Call("source_of_logged_model", (model_id,))
    for experiment in experiments:
        yield Call("models_of_experiment", (experiment,))


def answer(call: Call, store: Store) -> object:
    """Return what the call gives, as values that are equal when they look equal; an error as its kind and words."""
    try:
        return _plain(call.on(store))
    except MldeckError as error:
        return type(error).__name__, str(error).replace(_name(store), "STORE")


def _plain(value: Any) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return type(value).__name__, {
            field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    if isinstance(value, Mapping):
        return {str(_plain(key)): _plain(each) for key, each in value.items()}
    if isinstance(value, Points):
        return [_plain(each) for each in (value.steps, value.values, value.timestamps)]
    if isinstance(value, Set):
        return sorted(map(repr, map(_plain, value)))
    if isinstance(value, (str, bytes, Enum)) or not isinstance(value, (Iterable, array)):
        return repr(value)
    return [_plain(each) for each in value]


def _name(store: Store) -> str:
    """Return how messages name the store."""
    line = getattr(store, "line", None)
    return str(store.address) if line is None else line.file.name
