"""Every row of a database, and what is different between two looks at it."""

from __future__ import annotations

import math
import sqlite3
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

Row = tuple[tuple[str, object], ...]
Rows = Mapping[str, Counter[Row]]


def all_rows(db: Path, *, since_ms: float = math.inf) -> Rows:
    """By table, the rows with their column names; the schema is a table too.

    Times at or after `since_ms` are alike: two programs doing the same thing do it at different moments.
    """
    with closing(sqlite3.connect(db)) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: _rows(connection, name, since_ms) for name in [*names, "sqlite_master"]}


def _rows(connection: sqlite3.Connection, table: str, since_ms: float) -> Counter[Row]:
    def blurred(name: str, value: object) -> object:
        return "now" if name.endswith("_time") and isinstance(value, int) and value >= since_ms else value

    cursor = connection.execute(f'SELECT * FROM "{table}"')
    columns = [each[0] for each in cursor.description]
    return Counter(
        tuple((name, blurred(name, value)) for name, value in zip(columns, row, strict=True)) for row in cursor
    )


@dataclass(frozen=True)
class Difference:
    """The rows that are only in the one, and only in the other."""

    removed: list[dict[str, object]]
    added: list[dict[str, object]]


def difference(before: Rows, after: Rows) -> dict[str, Difference]:
    """By table, for the tables that differ."""
    assert before.keys() == after.keys()
    return {
        name: Difference(_dicts(before[name] - after[name]), _dicts(after[name] - before[name]))
        for name in before
        if before[name] != after[name]
    }


def _dicts(rows: Counter[Row]) -> list[dict[str, object]]:
    return [dict(row) for row in sorted(rows.elements(), key=repr)]
