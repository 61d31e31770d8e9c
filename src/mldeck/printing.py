"""Print experiments, runs and other objects: as tables for people, as JSON and CSV for programs."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from typing import Any, TypeGuard

from mldeck.column_fit import GAP, are_ids, fitted_widths, least_width, left_out_notice
from mldeck.errors import UsageError, did_you_mean
from mldeck.format import (
    LEAST_DIGITS,
    MISSING,
    NumberFormat,
    age_or_date_text,
    cell_width,
    cut,
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
    without_formula,
)
from mldeck.search.columns import compared_columns
from mldeck.search.parse import parse
from mldeck.store.address import Address
from mldeck.store.store import PRINT_PATIENCE_S, Store

_PAGE_ROWS = 200
"""Rows of a table that are laid out together. Column widths and the precision of numbers grow where a later page needs more."""

_MOST_PADDING = 120
"""The width up to which the columns of a table are aligned in a file or a pipe. Longer texts are whole and stick out."""

_ALL_COLUMNS = "--format csv, or a pipe, has all"
_FIRST_METRICS = 2
"""Metrics and params of a table of runs that are more important than age and duration."""

TableCell = str | float
"""A value in a printed table. The numbers of a column are printed with one precision."""


def print_experiments(
    address: Address,
    names: Sequence[str],
    view_name: str,
    workspace: str | None,
    format_name: str,
    *,
    csv_safe: bool = False,
) -> int:
    """Print the experiments of a store and return the exit status.

    `names` are names or ids, whatever the lifecycle stage; empty for all of the view. Raises `UsageError` for an unknown
    experiment or workspace.
    """
    with open_store(address) as store:
        counts = store.run_counts()
        if names:
            experiments = list(_named_experiments(store, names, workspace).values())
        else:
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
    keys = _experiment_object(Experiment("", "", ""), {})
    return print_objects(objects, keys, columns, rows, format_name, csv_safe=csv_safe)


def print_objects(
    objects: Sequence[dict[str, Any]],
    keys: Iterable[str],
    columns: Sequence[str],
    rows: Iterable[Sequence[TableCell]],
    format_name: str,
    *,
    csv_safe: bool = False,
) -> int:
    """Print objects as JSON, CSV or a table, and return the exit status 0.

    `keys` are the keys of every object, for the header of a CSV without rows. `columns` and `rows` are the table.
    """
    if format_name == "json":
        write(json_pieces(objects))
    elif format_name == "csv":
        values = ([_csv_field(value) for value in fields.values()] for fields in objects)
        write_csv(list(keys), values, csv_safe=csv_safe)
    else:
        write_table(columns, rows)
    return 0


def _csv_field(value: object) -> object:
    return json_text(value) if isinstance(value, dict | list | bool) else value


def first_line(text: str | None) -> str:
    return (text or "").partition("\n")[0]


@contextmanager
def open_store(address: Address, *, read_only: bool = False, write: bool = False) -> Iterator[Store]:
    """Open a store, all of which can be read then, and close it after the block.

    Notices about the database are printed on standard error.
    """
    store = Store(address, read_only=read_only, write=write, patience_s=PRINT_PATIENCE_S)
    try:
        store.wait_until_complete(lambda progress: _tell(f"{address}: {progress}"))
        printed = store.reading_notices
        _print_notices(address, printed)
        yield store
        # Some notices arise only while the store is read.
        _print_notices(address, (notice for notice in store.reading_notices if notice not in printed))
    finally:
        store.close()


def _print_notices(address: Address, notices: Iterable[str]) -> None:
    for notice in notices:
        _tell(f"{address}: {notice}")


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
        known = workspaces_of(everywhere) or (DEFAULT_WORKSPACE,)
        meant = did_you_mean(workspace, known)
        raise UsageError(
            f"no experiments in a workspace {workspace}{meant} of {store.address}; there is {', '.join(known)}"
        )
    return [
        experiment
        for experiment in (everywhere if view is View.ALL else store.experiments(view))
        if workspace is None or (experiment.workspace or DEFAULT_WORKSPACE) == workspace
    ]


def print_runs(
    address: Address,
    names: Sequence[str],
    workspace: str | None,
    view_name: str,
    filter_text: str,
    order: Sequence[OrderKey],
    headings: Mapping[Column, str] | None,
    limit: int,
    format_name: str,
    *,
    csv_safe: bool = False,
) -> int:
    """Print the runs, a few hundred at a time, and return how many more match than `limit`.

    `names` are names or ids of experiments; empty for all active ones. `headings` are the columns with their headings in a
    CSV. If it is None, a table has the columns that the deck shows, and JSON and CSV have all. A `limit` of 0 means all runs.
    Raises `UsageError` for an unknown experiment or workspace.
    """
    columns = None if headings is None else tuple(headings)
    with open_store(address) as store:
        experiments = _named_experiments(store, names, workspace)
        query = RunQuery(tuple(experiments), View(view_name), tuple(order), filter_text)
        ids = store.run_ids(query, limit or None)
        left_out = max(0, store.count_matching(query) - limit) if limit and len(ids) == limit else 0
        experiment_names = {key: experiment.name for key, experiment in experiments.items()}
        if format_name == "json":
            fields = object_fields(columns)
            write(json_pieces(run_object(record, experiment_names) for record in store.iter_records(ids, fields)))
        elif format_name == "csv":
            _write_runs_csv(store, ids, headings, experiment_names, csv_safe)
        elif columns is None:
            _write_runs_table(store, ids, experiment_names, [key.column for key in order])
        else:
            rows = read_rows(store, ids, columns, experiment_names)
            write_table(
                labels(columns),
                ([_table_cell(*pair) for pair in zip(columns, row, strict=True)] for row in rows),
                way_out=f"--columns chooses fewer; {_ALL_COLUMNS}",
            )
        filtered = compared_columns(parse(filter_text)) if filter_text.strip() else ()
        for unknown in store.unknown_columns((*filtered, *(key.column for key in order), *(columns or ()))):
            _tell(f"no run in {store.address} {unknown}")
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
            meant = did_you_mean(name, (experiment.name for experiment in existing))
            raise UsageError(f"no experiment {name}{meant} in {store.address}; `mldeck experiments` lists them")
        chosen[experiment.experiment_id] = experiment
    return chosen


def write(pieces: Iterable[str]) -> None:
    sys.stdout.writelines(pieces)


def write_csv(header: Sequence[str], rows: Iterable[TableRow], *, csv_safe: bool) -> None:
    """Print CSV. With `csv_safe`, a spreadsheet takes no text of it for a formula."""
    # Text from the database must not control the terminal; a file or a pipe gets it unchanged.
    guards = ([without_formula] if csv_safe else []) + ([safe] if sys.stdout.isatty() else [])
    write(csv_lines(chain((header,), rows), *guards))


def _write_runs_csv(
    store: Store,
    ids: Sequence[str],
    headings: Mapping[Column, str] | None,
    experiment_names: dict[str, str],
    csv_safe: bool,
) -> None:
    if headings is None:
        columns = (*(Column(Kind.ATTRIBUTE, key) for key in RUN_KEYS), *store.keys_of_runs(ids))
        headings = {column: field_name(column) for column in columns}
    rows = read_rows(store, ids, tuple(headings), experiment_names)
    write_csv(list(headings.values()), rows, csv_safe=csv_safe)


def _write_runs_table(
    store: Store, ids: Sequence[str], experiment_names: dict[str, str], order: Sequence[Column]
) -> None:
    """Print the columns that the deck shows: the metrics and params whose values differ between the runs.

    On a terminal those of the sort order are the most important ones.
    """
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
        yield MISSING if run.start_time is None else age_or_date_text(run.start_time, now)
        yield MISSING if run.duration is None else duration_text(run.duration)
        for column in columns:
            values: Mapping[str, TableCell] = record.metrics if column.kind is Kind.METRIC else record.params
            yield values.get(column.key, MISSING)

    records = store.iter_records(ids, fields)
    first = [columns.index(column) for column in order if column in columns]
    values = [len(header) + index for index in dict.fromkeys((*first, *range(len(columns))))]
    leading, times = range(len(header) - 2), range(len(header) - 2, len(header))
    write_table(
        [*header, *(column.key for column in columns)],
        (tuple(cells(record)) for record in records),
        importance=(*leading, *values[:_FIRST_METRICS], *times, *values[_FIRST_METRICS:]),
        way_out=f"--columns chooses others; {_ALL_COLUMNS}",
    )


def _table_cell(column: Column, value: object) -> TableCell:
    return value if isinstance(value, float) else shown_text(column, value)


def _room() -> int | None:
    """Return the width of the terminal in cells; None for a file or a pipe."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def write_table(
    header: Sequence[str],
    rows: Iterable[Sequence[TableCell]],
    *,
    importance: Sequence[int] | None = None,
    way_out: str = _ALL_COLUMNS,
) -> None:
    """Print a table, 200 rows at a time, so that a long one can be streamed.

    Numbers of a column that differ look different, within one page and all before it. A file or a pipe gets everything
    whole. On a terminal long texts are cut, and columns that do not fit are left out, with a notice that ends with
    `way_out`. `importance` are the indexes of the columns, the most important first; by default the first ones are.
    """
    iterator = iter(rows)
    labels = [safe(label) for label in header]
    shown: Sequence[int] = range(len(header))
    widths, forms = [cell_width(label) for label in labels], [NumberFormat()] * len(header)
    room = _room()
    is_first = True
    while (page := list(islice(iterator, _PAGE_ROWS))) or is_first:
        columns = list(zip(*page, strict=True)) or [()] * len(header)
        columns = [columns[index] for index in shown]
        forms = [
            form.grown(number_format(filter(_is_float, column))) for column, form in zip(columns, forms, strict=True)
        ]
        texts = [[safe(_text(cell, form)) for cell in column] for column, form in zip(columns, forms, strict=True)]
        wanted = [
            max(width, max(map(cell_width, column), default=0)) for column, width in zip(texts, widths, strict=True)
        ]
        if room is None:
            widths = [max(width, min(_MOST_PADDING, most)) for width, most in zip(widths, wanted, strict=True)]
        elif is_first:
            least = [
                most if any(map(_is_float, column)) else least_width(width, most, some)
                for column, some, width, most in zip(columns, texts, widths, wanted, strict=True)
            ]
            ids = {index for index, some in enumerate(texts) if are_ids(some)}
            fitted = fitted_widths(wanted, least, room, importance, ids)
            shown, widths = list(fitted), list(fitted.values())
            columns, texts = [columns[index] for index in shown], [texts[index] for index in shown]
            forms = [forms[index] for index in shown]
        else:
            widths = list(fitted_widths(wanted, widths, room).values())
        if room is not None:
            texts = [
                [_in_width(cell, text, width) for cell, text in zip(column, some, strict=True)]
                for column, some, width in zip(columns, texts, widths, strict=True)
            ]
        lines = zip(*texts, strict=True)
        heading = tuple(cut(labels[index], width) for index, width in zip(shown, widths, strict=True))
        for line in chain((heading,), lines) if is_first else lines:
            cells = (_padded(cell, width) for cell, width in zip(line, widths, strict=True))
            sys.stdout.write((" " * GAP).join(cells).rstrip() + "\n")
        is_first = False
    left_out = [label for index, label in enumerate(labels) if index not in shown]
    if left_out:
        sys.stdout.flush()
        _tell(left_out_notice(len(shown), left_out, way_out))


def _is_float(cell: TableCell) -> TypeGuard[float]:
    return isinstance(cell, float)


def _text(cell: TableCell, form: NumberFormat) -> str:
    return form.text(cell) if isinstance(cell, float) else cell


def _in_width(cell: TableCell, text: str, width: int) -> str:
    """Return the text of a cell in at most `width` cells. A number loses digits, but never its exponent.

    An id keeps its beginning, by which a run can be named.
    """
    if cell_width(text) <= width:
        return text
    if not isinstance(cell, float):
        return cut(text, width) if are_ids((text,)) else cut_middle(text, width)
    shorter = (NumberFormat(digits, digits).text(cell) for digits in range(LEAST_DIGITS, 0, -1))
    return next((number for number in shorter if len(number) <= width), "…")


def _padded(text: str, width: int) -> str:
    return text + " " * (width - cell_width(text))


def _tell(message: str) -> None:
    print(f"mldeck: {message_text(message)}", file=sys.stderr)
