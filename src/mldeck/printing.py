"""Print experiments, runs and other objects: as tables for people, as JSON and CSV for programs."""

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
    MISSING,
    NumberFormat,
    age_text,
    cell_width,
    cut_middle,
    duration_text,
    message_text,
    number_format,
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
    TableRow,
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
"""Rows of a table that are laid out together. Column widths and the precision of numbers grow where a later page needs more."""

_MAX_CELL = 48
"""The largest width of a table's column on a terminal, in cells; longer texts are cut. Files and pipes get them whole."""

TableCell = str | float
"""A value in a printed table. The numbers of a column are printed with one precision."""


def print_experiments(path: Path, view_name: str, workspace: str | None, format_name: str) -> int:
    """Print the experiments of a store and return the exit status. Raises `UsageError` for an unknown workspace."""
    with open_store(path) as store:
        counts = store.run_counts()
        experiments = _in_workspace(store, View(view_name), workspace)
    objects = [_experiment_object(experiment, counts) for experiment in experiments]
    has_workspaces = bool(workspaces_of(experiments))
    rows = (
        (
            fields["experiment_id"],
            fields["name"],
            *([fields["workspace"] or MISSING] if has_workspaces else []),
            fields["lifecycle_stage"],
            str(fields["active_runs"]),
            time_or_missing(fields["creation_time"]),
            first_line(fields["note"]),
        )
        for fields in objects
    )
    columns = ("id", "name", *(["workspace"] if has_workspaces else []), "stage", "active runs", "created", "note")
    return print_objects(objects, _experiment_object(Experiment("", "", ""), {}), columns, rows, format_name)


def print_objects(
    objects: Sequence[dict[str, Any]],
    keys: Iterable[str],
    columns: Sequence[str],
    rows: Iterable[Sequence[TableCell]],
    format_name: str,
) -> int:
    """Print objects as JSON, CSV or a table, and return the exit status 0.

    `keys` are the keys of every object, for the header of a CSV without rows. `columns` and `rows` are the table.
    """
    if format_name == "json":
        write(json_pieces(objects))
    elif format_name == "csv":
        write_csv(list(keys), ([_csv_field(value) for value in fields.values()] for fields in objects))
    else:
        write_table(columns, rows)
    return 0


def _csv_field(value: object) -> object:
    return json_text(value) if isinstance(value, dict | list | bool) else value


def first_line(text: str | None) -> str:
    return (text or "").partition("\n")[0]


@contextmanager
def open_store(path: Path, *, read_only: bool = False) -> Iterator[Store]:
    """Open a store and close it after the block. Notices about the database are printed on standard error."""
    store = Store(path, read_only=read_only, patience_s=PRINT_PATIENCE_S)
    try:
        printed = store.reading_notices
        _print_notices(path, printed)
        yield store
        # Some notices arise only while the store is read.
        _print_notices(path, (notice for notice in store.reading_notices if notice not in printed))
    finally:
        store.close()


def _print_notices(path: Path, notices: Iterable[str]) -> None:
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
    """Return the experiments of a workspace, or of all if it is None. Raises `UsageError` for an unknown workspace."""
    everywhere = store.experiments(View.ALL)
    if workspace is not None and workspace not in {found.workspace or DEFAULT_WORKSPACE for found in everywhere}:
        known = ", ".join(workspaces_of(everywhere)) or DEFAULT_WORKSPACE
        raise UsageError(f"no experiments in a workspace {workspace} of {store.path}; there is {known}")
    return [
        experiment
        for experiment in (everywhere if view is View.ALL else store.experiments(view))
        if workspace is None or (experiment.workspace or DEFAULT_WORKSPACE) == workspace
    ]


def print_runs(
    path: Path,
    names: Sequence[str],
    workspace: str | None,
    view_name: str,
    filter_text: str,
    order: Sequence[OrderKey],
    headings: Mapping[Column, str] | None,
    limit: int,
    format_name: str,
) -> int:
    """Print the runs, a few hundred at a time, and return how many more match than `limit`.

    `names` are names or ids of experiments; empty for all active ones. `headings` are the columns with their headings in a
    CSV. If it is None, a table has the columns that the deck shows, and JSON and CSV have all. A `limit` of 0 means all runs.
    Raises `UsageError` for an unknown experiment or workspace.
    """
    columns = None if headings is None else tuple(headings)
    with open_store(path) as store:
        experiments = _named_experiments(store, names, workspace)
        query = RunQuery(tuple(experiments), View(view_name), tuple(order), filter_text)
        ids = store.run_ids(query, limit or None)
        left_out = max(0, store.count_matching(query) - limit) if limit and len(ids) == limit else 0
        experiment_names = {key: experiment.name for key, experiment in experiments.items()}
        if format_name == "json":
            fields = object_fields(columns)
            write(json_pieces(run_object(record, experiment_names) for record in store.iter_records(ids, fields)))
        elif format_name == "csv":
            _write_runs_csv(store, ids, headings, experiment_names)
        elif columns is None:
            _write_runs_table(store, ids, experiment_names)
        else:
            rows = read_rows(store, ids, columns, experiment_names)
            write_table(
                labels(columns), ([_table_cell(*pair) for pair in zip(columns, row, strict=True)] for row in rows)
            )
    return left_out


def _named_experiments(store: Store, names: Sequence[str], workspace: str | None) -> dict[str, Experiment]:
    """Return the experiments with these names or ids in the workspace, by id; all active ones if `names` is empty."""
    existing = _in_workspace(store, View.ALL if names else View.ACTIVE, workspace)
    by_id = {experiment.experiment_id: experiment for experiment in existing}
    if not names:
        return by_id
    chosen = {}
    for name in names:
        same_name = [experiment for experiment in existing if experiment.name == name]
        if len(same_name) > 1:  # in several workspaces
            ids = ", ".join(f"{experiment.experiment_id} in {experiment.workspace}" for experiment in same_name)
            raise UsageError(f"several experiments are called {name}: give the id of one ({ids}), or --workspace")
        experiment = same_name[0] if same_name else by_id.get(name)
        if experiment is None:
            raise UsageError(f"no experiment {name} in {store.path}; `mldeck experiments` lists them")
        chosen[experiment.experiment_id] = experiment
    return chosen


def write(pieces: Iterable[str]) -> None:
    sys.stdout.writelines(pieces)


def write_csv(header: Sequence[str], rows: Iterable[TableRow]) -> None:
    # Text from the database must not control the terminal; a file or a pipe gets it unchanged.
    write(csv_lines(chain((header,), rows), safe if sys.stdout.isatty() else None))


def _write_runs_csv(
    store: Store, ids: Sequence[str], headings: Mapping[Column, str] | None, experiment_names: dict[str, str]
) -> None:
    if headings is None:
        columns = (*(Column(Kind.ATTRIBUTE, key) for key in RUN_KEYS), *store.keys_of_runs(ids))
        headings = {column: field_name(column) for column in columns}
    write_csv(list(headings.values()), read_rows(store, ids, tuple(headings), experiment_names))


def _write_runs_table(store: Store, ids: Sequence[str], experiment_names: dict[str, str]) -> None:
    """Print the columns that the deck shows: the metrics and params whose values differ between the runs."""
    columns = store.differing_columns(ids)
    fields = RunFields.of(columns)
    now = int(time.time() * 1000)
    has_experiment = len(experiment_names) > 1
    header = ["run_id", "name", *(["experiment"] if has_experiment else []), "status", "age", "duration"]

    def cells(record: RunRecord) -> Iterator[TableCell]:
        run = record.run
        yield run.run_id
        yield run.run_name or MISSING
        if has_experiment:
            yield experiment_names.get(run.experiment_id, run.experiment_id)
        yield run.status
        yield MISSING if run.start_time is None else age_text(run.start_time, now)
        yield MISSING if run.duration is None else duration_text(run.duration)
        for column in columns:
            values: Mapping[str, TableCell] = record.metrics if column.kind is Kind.METRIC else record.params
            yield values.get(column.key, MISSING)

    records = store.iter_records(ids, fields)
    write_table([*header, *(column.key for column in columns)], (tuple(cells(record)) for record in records))


def _table_cell(column: Column, value: object) -> TableCell:
    return value if isinstance(value, float) else shown_text(column, value)


def write_table(header: Sequence[str], rows: Iterable[Sequence[TableCell]]) -> None:
    """Print a table, 200 rows at a time, so that a long one can be streamed.

    Numbers of a column that differ look different within these rows.
    """
    iterator = iter(rows)
    widest = _MAX_CELL if sys.stdout.isatty() else sys.maxsize
    widths, forms = [cell_width(safe(label)) for label in header], [NumberFormat()] * len(header)
    is_first = True
    while (page := list(islice(iterator, _PAGE_ROWS))) or is_first:
        columns = list(zip(*page, strict=True)) or [()] * len(header)
        forms = [
            form.grown(number_format(filter(_is_float, column))) for column, form in zip(columns, forms, strict=True)
        ]
        texts = [[safe(_text(cell, form)) for cell in column] for column, form in zip(columns, forms, strict=True)]
        widths = [
            max(width, min(widest, max(map(cell_width, column), default=0)))
            for column, width in zip(texts, widths, strict=True)
        ]
        lines = zip(*texts, strict=True)
        for line in chain((map(safe, header),), lines) if is_first else lines:
            cells = (_fitted(cell, width) for cell, width in zip(line, widths, strict=True))
            sys.stdout.write("  ".join(cells).rstrip() + "\n")
        is_first = False


def _is_float(cell: TableCell) -> TypeGuard[float]:
    return isinstance(cell, float)


def _text(cell: TableCell, form: NumberFormat) -> str:
    return form.text(cell) if isinstance(cell, float) else cell


def _fitted(text: str, width: int) -> str:
    """Return the text padded or cut to exactly `width` cells; an ellipsis replaces its middle if it is cut."""
    text = cut_middle(text, width)
    return text + " " * (width - cell_width(text))
