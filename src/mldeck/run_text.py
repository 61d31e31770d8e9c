"""Turn runs into text: JSON objects, CSV lines and Markdown tables, for printed answers and exported files alike."""

from __future__ import annotations

import gc
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mldeck.errors import MldeckError
from mldeck.format import MISSING, NUMBER_WORDS, duration_text, exact_float_text, number_of, safe, time_text
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
"""The attributes written of every run, besides its metrics, params and tags."""

EXPERIMENT = Column(Kind.ATTRIBUTE, "experiment")
"""The name of the run's experiment. It is written like an attribute, but the store has no such attribute of a run."""

COLUMN_ATTRIBUTES = (*ATTRIBUTES, EXPERIMENT.key)
"""The attributes that `--columns` accepts."""

_FORMULA_STARTS = frozenset("=+-@\t\r\n＝＋－＠")
"""The first characters of formulas, by OWASP. Excel reads the wide characters as the others."""

_EXPERIMENT_ID = Column(Kind.ATTRIBUTE, "experiment_id")
_TIMES = ("start_time", "end_time", "deleted_time")
_MARKUP = re.compile(r"[\\`*\[\]<>|~$#]|(?<![^\W_])_|_(?![^\W_])|&(?=#|\w+;)|(?<=\w)://|(?<=www)\.|(?<=\w)@")
"""Characters that are markup in Markdown: underscores only at the edge of a word, URLs at their `://`."""

TableRow = Sequence[Any]
"""The values of a run, or of a point of a metric, in the order of the columns."""


CellGuard = Callable[[str], str]
"""A function that is applied to every field of a CSV. It returns the text to write, or raises."""


def field_name(column: Column) -> str:
    """Return the name of a column in a file: `run_id`, `metrics.rmse`."""
    return column.key if column.kind is Kind.ATTRIBUTE else str(column)


def read_rows(
    store: Store,
    ids: Sequence[str],
    columns: Sequence[Column],
    experiment_names: Mapping[str, str],
    interrupt: Interrupt | None = None,
) -> Iterator[TableRow]:
    """Yield the values of each run in the order of `columns`. Runs that no longer exist are skipped."""
    # With millions of rows the garbage collector takes a third of the time, unless it ignores the objects that existed
    # before.
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
) -> Iterator[TableRow]:
    """Yield the same rows, and add the names of experiments, which are not in the table `runs`."""
    if EXPERIMENT not in columns:
        return store.iter_rows(ids, columns, interrupt)
    others = [column for column in columns if column not in (EXPERIMENT, _EXPERIMENT_ID)]
    index_of = {column: index for index, column in enumerate((*others, _EXPERIMENT_ID, EXPERIMENT))}
    indexes = [index_of[column] for column in columns]
    rows = store.iter_rows(ids, (*others, _EXPERIMENT_ID), interrupt)
    named = ((*row, experiment_names.get(row[-1])) for row in rows)
    return ([row[index] for index in indexes] for row in named)


# -- points of metrics

POINT_HEADER = ("run_id", "run_name", "metric", "step", "timestamp", "value")


def point_rows(run_id: str, run_name: str, metric: str, parts: Iterable[History | Points]) -> Iterator[TableRow]:
    """Yield a row as in `POINT_HEADER` for every point. Rows are made one by one, because all of them need much memory."""
    for part in parts:
        for step, timestamp, value in zip(part.steps, part.timestamps, part.values, strict=True):
            yield run_id, run_name, metric, step, timestamp, value


# -- JSON


def object_fields(columns: Iterable[Column] | None) -> RunFields:
    """Return the fields to read for `run_object`: those that the columns need, or all if `columns` is None."""
    if columns is None:
        return replace(ALL_FIELDS, inputs=True)
    fields = RunFields.of(columns)
    return replace(fields, datasets=False, inputs=fields.datasets)


def run_object(record: RunRecord, experiment_names: Mapping[str, str]) -> dict[str, Any]:
    """Return a run as a JSON object; `experiment_names` are by experiment id."""
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
        "inputs": [_input_object(dataset) for dataset in record.inputs],
    }


def _input_object(dataset: DatasetInput) -> dict[str, Any]:
    """Return a dataset input as a JSON object. As in MLflow, source, schema and profile are JSON inside a string."""
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
    """Return NaN and infinities as the strings "nan", "inf" and "-inf", because JSON has no such numbers."""
    return value if math.isfinite(value) else str(value)


def json_text(value: object, indent: int | None = None) -> str:
    """Return JSON in ASCII without control characters: DEL is the only one that `json.dumps` does not escape."""
    return json.dumps(value, allow_nan=False, indent=indent).replace("\x7f", "\\u007f")


def json_pieces(objects: Iterable[object]) -> Iterator[str]:
    """Yield the pieces of a JSON array with one object per line, ending with the closing bracket."""
    separator = "["
    for value in objects:
        yield f"{separator}\n {json_text(value)}"
        separator = ","
    yield "\n]\n" if separator == "," else "[]\n"


# -- CSV


def csv_lines(rows: Iterable[TableRow], *guards: CellGuard) -> Iterator[str]:
    """Yield a CSV line for each row. None becomes an empty field; numbers are as Python writes them: nan, -inf, 3e-05.

    The guards are applied to the text of every field before it is quoted.
    """
    for row in rows:
        texts = ["" if value is None else value if type(value) is str else str(value) for value in row]
        for guard in guards:
            texts = [guard(text) for text in texts]
        line = ",".join(texts)
        # Few lines contain anything that must be quoted, so check the whole line before its fields.
        if '"' in line or "\n" in line or "\r" in line or line.count(",") >= len(texts) or not line:
            line = ",".join(map(_csv_text, texts)) if line else '""'
        yield line + "\n"


def is_formula(text: str) -> bool:
    """Return whether a spreadsheet would take a field of a CSV for a formula. Numbers are none, also negative ones."""
    return text[:1] in _FORMULA_STARTS and number_of(text) is None and text.lower() not in NUMBER_WORDS


class FormulaFound(MldeckError):
    """A text would be a formula in a spreadsheet."""

    def __init__(self, text: str) -> None:
        super().__init__(f"a spreadsheet would take {text} for a formula")
        self.text = text


def refuse_formula(text: str) -> str:
    """Return the text unchanged. Raises `FormulaFound` if it would be a formula."""
    if is_formula(text):
        raise FormulaFound(text)
    return text


def without_formula(text: str) -> str:
    """Return the text with an apostrophe before it if it would be a formula, as OWASP advises against CSV injection."""
    return f"'{text}" if is_formula(text) else text


def _csv_text(text: str) -> str:
    """Quote a field if necessary. Python's `csv` module before 3.13 does not quote a lone carriage return, which readers
    take for the end of a row."""
    if '"' in text or "," in text or "\n" in text or "\r" in text:
        return '"' + text.replace('"', '""') + '"'
    return text


# -- for people


def shown_text(column: Column, value: Any) -> str:
    """Return a value for people: local times, durations with units, all digits of a number. The text is safe to print."""
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
    """Return a heading for each column: its key, or its full name if several columns have that key."""
    keys = [column.key for column in columns]
    return [column.key if keys.count(column.key) == 1 else field_name(column) for column in columns]


def markdown_lines(columns: Sequence[Column], rows: Iterable[TableRow]) -> Iterator[str]:
    """Yield the lines of a table in GitHub Flavored Markdown. Markup characters in values are escaped."""
    shown = ([shown_text(column, value) for column, value in zip(columns, row, strict=True)] for row in rows)
    return markdown_table(labels(columns), [_is_right(column) for column in columns], shown)


def markdown_table(header: Iterable[str], is_right: Iterable[bool], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """Yield the lines of a Markdown table of texts; `is_right` says for each column whether it is aligned to the right."""
    yield _markdown_line(_without_markup(safe(label)) for label in header)
    yield _markdown_line("---:" if right else "---" for right in is_right)
    for row in rows:
        yield _markdown_line(_without_markup(safe(cell)) for cell in row)


def _markdown_line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _without_markup(text: str) -> str:
    return _MARKUP.sub(r"\\\g<0>", text)


def _is_right(column: Column) -> bool:
    return column.kind is Kind.METRIC or (column.kind is Kind.ATTRIBUTE and column.key == "duration")
