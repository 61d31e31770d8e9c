"""Stores whose database is not what its schema promises: half a migration, an exporter, an editor by hand.

A variant is made of a seed, so that one that fails can be made again. All of them, through all the commands that read:

    python -m tests.hostile.damaged [--seeds 300] [--first 0] [--fixture mlflow-3.17.2]
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import io
import os
import shutil
import sqlite3
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from mldeck.cli import main
from tests import fixture_stores
from tests.fixture_stores import FixtureStore

FIXTURES = ("mlflow-3.17.2", "mlflow-1.30.1")
"""As new and as old as it gets with a model registry."""

MODEL = "churn-model"
LONG = "x" * 10_000
LONGEST_LINE = 1_000
"""Characters of a message."""

_READ = (
    *("experiments", "experiment_tags", "runs", "params", "tags", "metrics", "latest_metrics", "datasets", "inputs"),
    *("input_tags", "registered_models", "registered_model_tags", "model_versions", "model_version_tags"),
    *("registered_model_aliases", "logged_models", "logged_model_params", "logged_model_metrics", "logged_model_tags"),
    "alembic_version",
)
"""The tables that mldeck reads."""

_ODD = (
    *("text", "", "12", LONG, "\x1b[31m", b"", b"\x00\xff\xfe", "not UTF-8", None),
    *(0, -1, 5, 2**62, -(2**63), 1.5, -1e300, float("inf")),
)
"""What a cell may hold instead."""

_NOT_UTF_8 = "CAST(x'61ff80' AS TEXT)"


@dataclass(frozen=True)
class Variant:
    """One way in which a store is damaged."""

    kind: str
    table: str
    column: str
    seed: int

    def __str__(self) -> str:
        return f"{self.seed}: {self.kind} {self.table}.{self.column}"


def variant(db: Path, seed: int) -> Variant:
    """The kind of damage that the seed stands for, to a table and a column of this database."""
    random = Random(seed)
    kind = random.choice([*KINDS, "cell", "cell", "cells", "cells"])
    with closing(sqlite3.connect(db)) as connection:
        tables = {name: _columns(connection, name) for name in _READ}
    table = random.choice([name for name, columns in tables.items() if columns])
    return Variant(kind, table, random.choice(tables[table]), seed)


def damage(db: Path, what: Variant) -> None:
    """Do it."""
    with closing(sqlite3.connect(db)) as connection, connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        KINDS[what.kind](connection, what.table, what.column, Random(f"{what.seed}"))


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


def _made_anew(
    connection: sqlite3.Connection, table: str, column: str, wanted: Callable[[str], str | None] = lambda name: name
) -> None:
    """Replace the table by one without any types, keys or indexes. `wanted`: what to make of the column, None for nothing."""
    names = _columns(connection, table)
    connection.execute(f"ALTER TABLE {table} RENAME TO before")
    kept = [name for name in names if name != column]
    made = wanted(column)
    definitions = [*kept, made] if made is not None else kept
    connection.execute(f"CREATE TABLE {table} ({', '.join(definitions) or 'nil'})")
    if definitions:
        copied = [*kept, column] if made is not None else kept
        connection.execute(f"INSERT INTO {table} ({', '.join(definitions)}) SELECT {', '.join(copied)} FROM before")
    connection.execute("DROP TABLE before")


def _drop(connection: sqlite3.Connection, table: str, column: str, _: Random) -> None:
    try:
        connection.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    except sqlite3.OperationalError:  # of a key or an index
        _made_anew(connection, table, column, lambda name: None)


def _rename(connection: sqlite3.Connection, table: str, column: str, _: Random) -> None:
    connection.execute(f"ALTER TABLE {table} RENAME COLUMN {column} TO {column}_new")


def _generate(connection: sqlite3.Connection, table: str, column: str, random: Random) -> None:
    _made_anew(connection, table, column, lambda name: f"{name}_kept")
    computed = random.choice([f"{column}_kept", f"upper({column}_kept)", f"{column}_kept || ''"])
    connection.execute(f"ALTER TABLE {table} ADD COLUMN {column} AS ({computed})")


def _view(connection: sqlite3.Connection, table: str, _: str, random: Random) -> None:
    connection.execute(f"ALTER TABLE {table} RENAME TO {table}_kept")
    source = random.choice([f"{table}_kept", f"{table}_kept", f"{table}_kept LIMIT 3", "gone"])
    connection.execute(f"CREATE VIEW {table} AS SELECT * FROM {source}")


def _without_table(connection: sqlite3.Connection, table: str, _: str, __: Random) -> None:
    connection.execute(f"DROP TABLE {table}")


def _cells(connection: sqlite3.Connection, table: str, column: str, random: Random, where: str = "TRUE") -> None:
    value: Any = random.choice(_ODD)
    new, values = (_NOT_UTF_8, ()) if value == "not UTF-8" else ("?", (value,))
    update = f"UPDATE OR IGNORE {table} SET {column} = {new} WHERE {where}"
    if random.random() < 0.5:  # a column without a type takes everything as it is
        _made_anew(connection, table, column)
    try:
        connection.execute(update, values)
    except sqlite3.DatabaseError:  # a key that must be a number, or there
        _made_anew(connection, table, column)
        connection.execute(update, values)


def _cell(connection: sqlite3.Connection, table: str, column: str, random: Random) -> None:
    rowids = [row[0] for row in connection.execute(f"SELECT rowid FROM {table} ORDER BY rowid")]
    _cells(connection, table, column, random, f"rowid = {random.choice(rowids)}" if rowids else "FALSE")


KINDS: dict[str, Callable[[sqlite3.Connection, str, str, Random], None]] = {
    "drop": _drop,
    "rename": _rename,
    "generated": _generate,
    "view": _view,
    "gone": _without_table,
    "cell": _cell,
    "cells": _cells,
}


def commands(store: FixtureStore) -> list[list[str]]:
    """One of each that reads, in each of the formats."""
    place = ["-s", str(store.db)]
    return [
        *(["experiments", *place, "--view", "all", "--format", each] for each in ("table", "csv", "json")),
        *(["runs", *place, "--view", "all", "--format", each] for each in ("table", "csv", "json")),
        [
            *("runs", *place, "-f", "metrics.auc > 0 OR params.max_iter != 3 OR duration > 1s"),
            *("-o", "metrics.auc DESC", "-o", "end_time"),
            *("--columns", "run_id,run_name,start_time,duration,experiment,metrics.auc,params.max_iter,tags.team"),
        ],
        ["plot", store.run("logreg"), *place, "-m", "loss", "--x", "time"],
        ["artifacts", "list", store.run("logreg"), *place],
        ["models", *place],
        ["models", *place, "--format", "json", "-f", "name LIKE '%' and tags.a IS NULL"],
        ["models", MODEL, *place],
        ["models", MODEL, *place, "--format", "csv"],
        ["promote", MODEL, "3", "Production", *place, "--dry-run"],
    ]


def complaint(status: int, err: str) -> str | None:
    """What is wrong with how a command ended; None when it is as promised."""
    lines = err.splitlines()
    if status not in (0, 1, 2):
        return f"status {status}"
    if status and not lines:
        return "failed without a word"
    if any(not line.startswith("mldeck: ") for line in lines) and status != 2:
        return f"says {err[:300]!r}"
    return next((f"a line of {len(line)} characters" for line in lines if len(line) > LONGEST_LINE), None)


def state(db: Path) -> dict[str, str]:
    """Of the files that make up the database, and what lies beside it."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(db.parent.iterdir())
        if path.is_file()
    }


def _asked(words: Sequence[str]) -> tuple[int, str]:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = main(words)
        except SystemExit as ended:
            status = int(ended.code or 0)
    return status, err.getvalue()


def _run(seeds: Sequence[int], fixtures: Sequence[str]) -> int:
    folder = Path(tempfile.mkdtemp(prefix="mldeck-damaged-"))
    os.environ |= {f"XDG_{kind}_HOME": str(folder) for kind in ("CONFIG", "STATE", "CACHE", "DATA")}
    failures: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    for name in fixtures:
        fixture_stores.extract(name, folder / name)
        for seed in seeds:
            store = fixture_stores.copy(folder / name, folder / "copy")
            what = variant(store.db, seed)
            damage(store.db, what)
            before, found = state(store.db), []
            for words in commands(store):
                try:
                    problem = complaint(*_asked(words))
                except Exception as error:  # noqa: BLE001 - what is looked for
                    place = traceback.extract_tb(error.__traceback__)[-1]
                    problem = f"{type(error).__name__}: {error!s:.200} ({Path(place.filename).name}:{place.lineno})"
                if problem:
                    found.append(f"    {' '.join(words[:2])}: {problem}")
            if state(store.db) != before:
                found.append("    a file was changed")
            if found:
                failures[what.kind] += 1
                print(name, what, *found, sep="\n")
            whole[what.kind] += 1
            shutil.rmtree(store.path)
    shutil.rmtree(folder)
    for kind in sorted(whole):
        print(f"{kind}: {failures[kind]} of {whole[kind]} fail")
    return 1 if failures else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.hostile.damaged")
    parser.add_argument("--seeds", type=int, default=300)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--fixture", action="append", choices=FIXTURES)
    options = parser.parse_args()
    sys.exit(_run(range(options.first, options.first + options.seeds), options.fixture or FIXTURES))
