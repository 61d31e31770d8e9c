"""Runs as text that programs and people read: JSON objects, CSV and Markdown lines. One place, whoever writes them."""

from __future__ import annotations

import gc
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mldeck.format import MISSING, duration_text, exact_float_text, safe, time_text
from mldeck.model import ALL_FIELDS, Column, DatasetInput, Kind, RunFields, RunRecord
from mldeck.store.interrupt import Interrupt
from mldeck.store.runs.rows import ATTRIBUTES
from mldeck.store.store import Store

if TYPE_CHECKING:
    from mldeck.model import History
    from mldeck.store.histories.points import Points

RUN_KEYS = (
    "run_id",
    "run_name",
    "experiment_id",
    "experiment",
    "status",
    "lifecycle_stage",
    "start_time",
    "end_time",
    "user_id",
    "artifact_uri",
)
"""What is written of every run, beside its metrics, params and tags."""

EXPERIMENT = Column(Kind.ATTRIBUTE, "experiment")
"""The name of the run's experiment: written, but no attribute that the store has of a run."""

COLUMN_ATTRIBUTES = (*ATTRIBUTES, EXPERIMENT.key)
"""The attributes that can be asked for by name."""

_EXPERIMENT_ID = Column(Kind.ATTRIBUTE, "experiment_id")
_TIMES = ("start_time", "end_time", "deleted_time")
_MARKUP = re.compile(r"[\\`*\[\]<>|~$#]|(?<![^\W_])_|_(?![^\W_])|&(?=#|\w+;)|(?<=\w)://|(?<=www)\.|(?<=\w)@")
"""What would be more than text in Markdown; an underscore only at the end of a word, an address before its `://`."""

Row = Sequence[Any]


def field_name(column: Column) -> str:
    """`run_id`, `metrics.rmse`: the name of a column in a file."""
    return column.key if column.kind is Kind.ATTRIBUTE else str(column)


def read_rows(
    store: Store,
    ids: Sequence[str],
    columns: Sequence[Column],
    experiment_names: Mapping[str, str],
    interrupt: Interrupt | None = None,
) -> Iterator[Row]:
    """What the runs have in the columns, in their order. Of a run that is gone there is no row."""
    # Rows by the million make Python look for garbage all the time: a third of the time, unless it leaves out what was
    # there before.
    gc.freeze()
    try:
        yield from _named_rows(store, ids, columns, experiment_names, interrupt)
    finally:
        gc.unfreeze()


def _named_rows(
    store: Store,
    ids: Sequence[str],
    columns: Sequence[Column],
    experiment_names: Mapping[str, str],
    interrupt: Interrupt | None,
) -> Iterator[Row]:
    """With the names of the experiments, which are not in the table of runs."""
    if EXPERIMENT not in columns:
        return store.iter_rows(ids, columns, interrupt)
    others = [column for column in columns if column not in (EXPERIMENT, _EXPERIMENT_ID)]
    by_column = {column: place for place, column in enumerate((*others, _EXPERIMENT_ID, EXPERIMENT))}
    places = [by_column[column] for column in columns]
    rows = store.iter_rows(ids, (*others, _EXPERIMENT_ID), interrupt)
    named = ((*row, experiment_names.get(row[-1])) for row in rows)
    return ([row[place] for place in places] for row in named)


# -- points of metrics

POINT_HEADER = ("run_id", "run_name", "metric", "step", "timestamp", "value")


def point_rows(run_id: str, run_name: str, metric: str, parts: Iterable[History | Points]) -> Iterator[Row]:
    """Every point as it was logged, a row made when its turn comes: together they would take much more room."""
    for part in parts:
        for step, timestamp, value in zip(part.steps, part.timestamps, part.values, strict=True):
            yield run_id, run_name, metric, step, timestamp, value


# -- JSON


def object_fields(columns: Iterable[Column] | None) -> RunFields:
    """What to read of runs for their objects: for these columns, or all there is."""
    if columns is None:
        return replace(ALL_FIELDS, inputs=True)
    fields = RunFields.of(columns)
    return replace(fields, datasets=False, inputs=fields.datasets)


def run_object(record: RunRecord, experiment_names: Mapping[str, str]) -> dict[str, Any]:
    run = record.run
    return {
        "run_id": run.run_id,
        "run_name": run.run_name,
        "experiment_id": run.experiment_id,
        "experiment": experiment_names.get(run.experiment_id),
        "status": run.status,
        "lifecycle_stage": run.lifecycle_stage,
        "start_time": run.start_time,
        "end_time": run.end_time,
        "user_id": run.user_id,
        "artifact_uri": run.artifact_uri,
        "metrics": {key: valid_number(value) for key, value in record.metrics.items()},
        "params": dict(record.params),
        "tags": dict(record.tags),
        "inputs": [_input_object(each) for each in record.inputs],
    }


def _input_object(dataset: DatasetInput) -> dict[str, Any]:
    """Source, schema and profile are JSON in a text, as MLflow hands them out too."""
    return {
        "name": dataset.name,
        "digest": dataset.digest,
        "context": dataset.context,
        "source_type": dataset.source_type,
        "source": dataset.source,
        "schema": dataset.schema,
        "profile": dataset.profile,
    }


def valid_number(value: float) -> float | str:
    """JSON has no NaN and no infinity: they become the strings "nan", "inf" and "-inf"."""
    return value if math.isfinite(value) else str(value)


def json_text(value: object, indent: int | None = None) -> str:
    """Of what a terminal acts on, JSON's own escapes leave one character over."""
    return json.dumps(value, allow_nan=False, indent=indent).replace("\x7f", "\\u007f")


def json_pieces(objects: Iterable[object]) -> Iterator[str]:
    """An array with an object in each line: a piece for each, and one that ends it."""
    separator = "["
    for each in objects:
        yield f"{separator}\n {json_text(each)}"
        separator = ","
    yield "\n]\n" if separator == "," else "[]\n"


# -- CSV


def csv_lines(rows: Iterable[Row], guard: Callable[[str], str] | None = None) -> Iterator[str]:
    """`guard`, if any, has its way with every text. None is nothing; a number is as Python writes it: nan, -inf, 3e-05."""
    for row in rows:
        texts = ["" if each is None else each if type(each) is str else str(each) for each in row]
        if guard is not None:
            texts = [guard(each) for each in texts]
        line = ",".join(texts)
        # A line seldom has anything in it that must be quoted: one look at the whole of it says so.
        if '"' in line or "\n" in line or "\r" in line or line.count(",") >= len(texts) or not line:
            line = ",".join(map(_csv_text, texts)) if line else '""'
        yield line + "\n"


def _csv_text(text: str) -> str:
    """The `csv` module of Python before 3.13 leaves a lone carriage return unquoted, where readers see the end of a row."""
    if '"' in text or "," in text or "\n" in text or "\r" in text:
        return '"' + text.replace('"', '""') + '"'
    return text


# -- for people


def shown_text(column: Column, value: Any) -> str:
    """A value as people read it: local times, durations in words, every digit of a number."""
    if value is None:
        return MISSING
    if column.kind is Kind.METRIC:
        return exact_float_text(value)
    if column.kind is Kind.ATTRIBUTE and column.key in _TIMES:
        return time_text(value)
    if column.kind is Kind.ATTRIBUTE and column.key == "duration":
        return duration_text(value)
    return safe(str(value))


def labels(columns: Sequence[Column]) -> list[str]:
    """Short names where they are enough to tell the columns apart."""
    keys = [column.key for column in columns]
    return [column.key if keys.count(column.key) == 1 else field_name(column) for column in columns]


def markdown_lines(columns: Sequence[Column], rows: Iterable[Row]) -> Iterator[str]:
    """A table in GitHub's flavour of Markdown: what the store says is text in it, never markup."""
    shown = ([shown_text(column, value) for column, value in zip(columns, row, strict=True)] for row in rows)
    return markdown_table(labels(columns), [_is_right(column) for column in columns], shown)


def markdown_table(header: Iterable[str], is_right: Iterable[bool], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """The same of texts. `is_right`: the columns that are aligned to the right."""
    yield _markdown_line(_plain(safe(label)) for label in header)
    yield _markdown_line("---:" if right else "---" for right in is_right)
    for row in rows:
        yield _markdown_line(_plain(safe(cell)) for cell in row)


def _markdown_line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _plain(text: str) -> str:
    return _MARKUP.sub(r"\\\g<0>", text)


def _is_right(column: Column) -> bool:
    return column.kind is Kind.METRIC or (column.kind is Kind.ATTRIBUTE and column.key == "duration")
