"""Reading and writing the rows that edits record, on any database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from itertools import groupby
from typing import Any

from sqlalchemy import (
    BindParameter,
    Connection,
    TableClause,
    and_,
    bindparam,
    column,
    delete,
    insert,
    select,
    table,
    update,
)

from mldeck.store.edits.changes import DbValue, DbValues, RowChange, RowSet
from mldeck.store.statements import MAX_BOUND_VALUES, chunks


class Outcome(Enum):
    """Whether a change was written, as far as its rows tell."""

    WRITTEN = "written"
    NOT_WRITTEN = "not written"
    UNCLEAR = "unclear"
    """Others have changed the same rows."""


def written_rows(connection: Connection) -> list[RowSet]:
    """Return the list of what was written on this connection, by which `outcome` tells later whether it was committed.

    `write_rows` appends to it; what else writes rows does it itself.
    """
    rows: list[RowSet] = connection.info.setdefault("written_rows", [])
    return rows


def outcome(connection: Connection, row_sets: Iterable[RowSet]) -> Outcome:
    """Return whether this was written. It was written as a whole or not at all, but others may have changed rows since."""
    is_after = is_before = is_changed = False
    for row_set in row_sets:
        rows = [row for row in row_set.rows if row.before != row.after]
        found = read_rows(connection, row_set.table, row_set.key_columns, row_set.columns, (row.key for row in rows))
        for row in rows:
            now = found.get(row.key)
            is_changed = True
            is_after |= now == row.after
            is_before |= now == row.before
    if not is_changed:
        return Outcome.WRITTEN
    if is_after == is_before:
        return Outcome.UNCLEAR
    return Outcome.WRITTEN if is_after else Outcome.NOT_WRITTEN


def write_rows(connection: Connection, row_sets: Iterable[RowSet]) -> None:
    """Write `after` of each row: in each row set one statement deletes, one updates, and one inserts."""
    for row_set in row_sets:
        written_rows(connection).append(row_set)
        target = _table(row_set)
        here = and_(*(target.c[name] == bindparam(f"key_{name}") for name in row_set.key_columns))
        new: dict[str, BindParameter[Any]] = {name: bindparam(f"new_{name}") for name in row_set.columns}
        all_new = {name: bindparam(f"key_{name}") for name in row_set.key_columns} | new
        removed = [row for row in row_set.rows if row.after is None]
        inserted = [row for row in row_set.rows if row.before is None]
        changed = [row for row in row_set.rows if row.before is not None and row.after is not None]
        for statement, rows in (
            (delete(target).where(here), removed),
            (update(target).where(here).values(new), changed),
            (insert(target).values(all_new), inserted),
        ):
            if rows:
                connection.execute(statement, [_bound(row_set, row) for row in rows])


def read_rows(
    connection: Connection,
    table_name: str,
    key_columns: Sequence[str],
    columns: Sequence[str],
    keys: Iterable[DbValues],
) -> dict[DbValues, DbValues]:
    """Return the values of `columns` by key; rows that do not exist are left out.

    Successive keys that differ only in the last column are looked up together, by the primary key.
    """
    source = table(table_name, *map(column, (*key_columns, *columns)))
    *first, last = (source.c[name] for name in key_columns)
    found: dict[DbValues, DbValues] = {}
    for shared, group in groupby(keys, key=lambda key: key[:-1]):
        for some in chunks([key[-1] for key in group], MAX_BOUND_VALUES):
            here = [key_column == value for key_column, value in zip(first, shared, strict=True)]
            here.append(last.in_(some))
            statement = select(last, *(source.c[name] for name in columns)).where(*here)
            for key, *values in connection.execute(statement).all():
                found[shared + (key,)] = tuple(values)
    return found


def rows_as_recorded(connection: Connection, row_set: RowSet) -> bool:
    """Return whether every row still is as the edit left it."""
    found = read_rows(
        connection, row_set.table, row_set.key_columns, row_set.columns, (row.key for row in row_set.rows)
    )
    return all(found.get(row.key) == row.after for row in row_set.rows)


def _table(row_set: RowSet) -> TableClause:
    return table(row_set.table, *map(column, (*row_set.key_columns, *row_set.columns)))


def _bound(row_set: RowSet, row: RowChange) -> dict[str, DbValue]:
    keys = {f"key_{name}": value for name, value in zip(row_set.key_columns, row.key, strict=True)}
    if row.after is None:
        return keys
    return keys | {f"new_{name}": value for name, value in zip(row_set.columns, row.after, strict=True)}
