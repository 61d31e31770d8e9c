"""Printed answers: tables for people, JSON and CSV for programs. The store is the one that the deck reads from."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Any, TypeGuard

from mldeck.errors import UsageError
from mldeck.format import (
    LEAST_DIGITS,
    MISSING,
    age_text,
    cell_width,
    cut,
    digits_to_tell_apart,
    duration_text,
    float_text,
    message_text,
    safe,
    time_or_missing,
)
from mldeck.model import (
    DEFAULT_WORKSPACE,
    Column,
    Experiment,
    Kind,
    OrderKey,
    RunCount,
    RunFields,
    RunQuery,
    RunRecord,
    View,
    workspaces_of,
)
from mldeck.run_text import (
    RUN_KEYS,
    Row,
    csv_lines,
    field_name,
    json_pieces,
    json_text,
    labels,
    object_fields,
    read_rows,
    run_object,
    shown_text,
)
from mldeck.store.store import PRINT_PATIENCE_S, Store

_PAGE_ROWS = 200
"""Of a table, made at once: widths, and digits, grow where a later page needs more."""

_MAX_CELL = 48

Cell = str | float
"""Of a table for people; a number gets the digits that its column needs."""


def print_experiments(path: Path, view_name: str, workspace: str | None, format_name: str) -> int:
    with opened(path) as store:
        counts = store.run_counts()
        experiments = _in_workspace(store, View(view_name), workspace)
    objects = [_experiment_object(each, counts) for each in experiments]
    several = bool(workspaces_of(experiments))
    rows = (
        (
            each["experiment_id"],
            each["name"],
            *([each["workspace"] or MISSING] if several else []),
            each["lifecycle_stage"],
            str(each["active_runs"]),
            time_or_missing(each["creation_time"]),
            first_line(each["note"]),
        )
        for each in objects
    )
    columns = ("id", "name", *(["workspace"] if several else []), "stage", "active runs", "created", "note")
    return print_objects(objects, _experiment_object(Experiment("", "", ""), {}), columns, rows, format_name)


def print_objects(
    objects: Sequence[dict[str, Any]],
    keys: Iterable[str],
    columns: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    format_name: str,
) -> int:
    """`keys` are those of the objects, also when there are none; columns and rows are what people get to see of them."""
    if format_name == "json":
        write(json_pieces(objects))
    elif format_name == "csv":
        write_csv(list(keys), ([_csv_field(each) for each in row.values()] for row in objects))
    else:
        write_table(columns, rows)
    return 0


def _csv_field(value: object) -> object:
    return json_text(value) if isinstance(value, dict | list | bool) else value


def first_line(text: str | None) -> str:
    return (text or "").partition("\n")[0]


@contextmanager
def opened(path: Path, *, read_only: bool = False) -> Iterator[Store]:
    """The store; what the reader should know about it goes to the standard error, beside the answer."""
    store = Store(path, read_only=read_only, patience_s=PRINT_PATIENCE_S)
    try:
        told = store.reading_notices
        _tell(path, told)
        yield store
        _tell(path, (each for each in store.reading_notices if each not in told))  # found while it was read
    finally:
        store.close()


def _tell(path: Path, notices: Iterable[str]) -> None:
    for notice in notices:
        print(f"mldeck: {message_text(f'{path}: {notice}')}", file=sys.stderr)


def _experiment_object(experiment: Experiment, counts: Mapping[str, RunCount]) -> dict[str, Any]:
    count = counts.get(experiment.experiment_id, RunCount())
    return {
        "experiment_id": experiment.experiment_id,
        "name": experiment.name,
        "lifecycle_stage": experiment.lifecycle_stage,
        "artifact_location": experiment.artifact_location,
        "creation_time": experiment.creation_time,
        "last_update_time": experiment.last_update_time,
        "active_runs": count.active,
        "deleted_runs": count.deleted,
        "note": experiment.note,
        "workspace": experiment.workspace,
    }


def _in_workspace(store: Store, view: View, workspace: str | None) -> list[Experiment]:
    """The experiments of that workspace; those of all when none is named. Raises `UsageError` where there is no such."""
    everywhere = store.experiments(View.ALL)
    if workspace is not None and workspace not in {each.workspace or DEFAULT_WORKSPACE for each in everywhere}:
        known = ", ".join(workspaces_of(everywhere)) or DEFAULT_WORKSPACE
        raise UsageError(f"no experiments in a workspace {workspace} of {store.path}; there is {known}")
    return [
        each
        for each in (everywhere if view is View.ALL else store.experiments(view))
        if workspace is None or (each.workspace or DEFAULT_WORKSPACE) == workspace
    ]


def print_runs(
    path: Path,
    names: Sequence[str],
    workspace: str | None,
    view_name: str,
    filter_text: str,
    order: Sequence[OrderKey],
    columns: Sequence[Column] | None,
    limit: int,
    format_name: str,
) -> int:
    """Print them, a few hundred at a time, and return how many more there are than `limit`.

    `columns` None: those that the deck shows in a table, all there are elsewhere. `limit` 0 stands for all.
    """
    with opened(path) as store:
        experiments = _chosen(store, names, workspace)
        query = RunQuery(tuple(experiments), View(view_name), tuple(order), filter_text)
        ids = store.run_ids(query, limit or None)
        left_out = max(0, store.count_matching(query) - limit) if limit and len(ids) == limit else 0
        experiment_names = {key: each.name for key, each in experiments.items()}
        if format_name == "json":
            fields = object_fields(columns)
            write(json_pieces(run_object(each, experiment_names) for each in store.iter_records(ids, fields)))
        elif format_name == "csv":
            _write_runs_csv(store, ids, columns, experiment_names)
        elif columns is None:
            _write_runs_table(store, ids, experiment_names)
        else:
            rows = read_rows(store, ids, columns, experiment_names)
            write_table(labels(columns), ([_shown(*cell) for cell in zip(columns, row, strict=True)] for row in rows))
    return left_out


def _chosen(store: Store, names: Sequence[str], workspace: str | None) -> dict[str, Experiment]:
    """The experiments of the workspace with these names or ids, by id; all active ones when none is named."""
    existing = _in_workspace(store, View.ALL if names else View.ACTIVE, workspace)
    if not names:
        return {each.experiment_id: each for each in existing}
    by_id = {each.experiment_id: each for each in existing}
    chosen = {}
    for name in names:
        named = [each for each in existing if each.name == name]
        if len(named) > 1:  # in several workspaces
            ids = ", ".join(f"{each.experiment_id} in {each.workspace}" for each in named)
            raise UsageError(f"several experiments are called {name}: give the id of one ({ids}), or --workspace")
        experiment = named[0] if named else by_id.get(name)
        if experiment is None:
            raise UsageError(f"no experiment {name} in {store.path}; `mldeck experiments` lists them")
        chosen[experiment.experiment_id] = experiment
    return chosen


def write(pieces: Iterable[str]) -> None:
    sys.stdout.writelines(pieces)


def write_csv(header: Sequence[str], rows: Iterable[Row]) -> None:
    # A terminal must not act on somebody else's text; a file or a pipe gets it unchanged.
    write(csv_lines(chain((header,), rows), safe if sys.stdout.isatty() else None))


def _write_runs_csv(
    store: Store, ids: Sequence[str], columns: Sequence[Column] | None, experiment_names: dict[str, str]
) -> None:
    if columns is None:
        columns = [*(Column(Kind.ATTRIBUTE, key) for key in RUN_KEYS), *store.keys_of_runs(ids)]
    rows = read_rows(store, ids, columns, experiment_names)
    write_csv([field_name(column) for column in columns], rows)


def _write_runs_table(store: Store, ids: Sequence[str], experiment_names: dict[str, str]) -> None:
    """The columns that the deck shows: what differs between the runs."""
    columns = store.differing_columns(ids)
    fields = RunFields.of(columns)
    now = int(time.time() * 1000)
    several = len(experiment_names) > 1
    header = ["run_id", "name", *(["experiment"] if several else []), "status", "age", "duration"]

    def cells(record: RunRecord) -> Iterator[Cell]:
        run = record.run
        yield run.run_id
        yield run.run_name or MISSING
        if several:
            yield experiment_names.get(run.experiment_id, run.experiment_id)
        yield run.status
        yield MISSING if run.start_time is None else age_text(run.start_time, now)
        yield MISSING if run.duration is None else duration_text(run.duration)
        for column in columns:
            yield _cell(record, column)

    records = store.iter_records(ids, fields)
    write_table([*header, *(each.key for each in columns)], (tuple(cells(each)) for each in records))


def _cell(record: RunRecord, column: Column) -> Cell:
    values: Mapping[str, Cell] = record.metrics if column.kind is Kind.METRIC else record.params
    return values.get(column.key, MISSING)


def _shown(column: Column, value: object) -> Cell:
    return value if isinstance(value, float) else shown_text(column, value)


def write_table(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """In pages, so that a long table can be streamed. In a column of a page, different numbers look different."""
    iterator = iter(rows)
    widths, digits = [cell_width(safe(label)) for label in header], [LEAST_DIGITS] * len(header)
    is_first = True
    while (page := list(islice(iterator, _PAGE_ROWS))) or is_first:
        columns = list(zip(*page, strict=True)) or [()] * len(header)
        digits = [
            digits_to_tell_apart(filter(_is_float, column), some) for column, some in zip(columns, digits, strict=True)
        ]
        texts = [[safe(_text(cell, some)) for cell in column] for column, some in zip(columns, digits, strict=True)]
        widths = [
            max(width, min(_MAX_CELL, max(map(cell_width, column), default=0)))
            for column, width in zip(texts, widths, strict=True)
        ]
        lines = zip(*texts, strict=True)
        for line in chain((map(safe, header),), lines) if is_first else lines:
            cells = (_fitted(cell, width) for cell, width in zip(line, widths, strict=True))
            sys.stdout.write("  ".join(cells).rstrip() + "\n")
        is_first = False


def _is_float(cell: Cell) -> TypeGuard[float]:
    return isinstance(cell, float)


def _text(cell: Cell, digits: int) -> str:
    return float_text(cell, digits) if isinstance(cell, float) else cell


def _fitted(text: str, width: int) -> str:
    """Exactly `width` cells, at least one; the end of what is too long gives way to an ellipsis."""
    text = cut(text, width)
    return text + " " * (width - cell_width(text))
