"""Databases on servers: the first page of runs and a sort by a metric, beside MLflow's own client on the same database.

mldeck reads all ids and the rows of a screen, MLflow the first 100 runs. The servers are those of the tests, on this machine.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from typing import Any

from mldeck.model import ALL_FIELDS, Column, Kind, OrderKey, RunQuery, View
from mldeck.store.address import read_address
from mldeck.store.store import Store
from tests.benchmark.results import Result, Setting, ratio
from tests.benchmark.stores import Size, large_store
from tests.servers.databases import Database, Databases
from tests.servers.mariadb import running_mariadb
from tests.servers.postgresql import running_postgresql

_SIZE = Size(runs=10_000, params=20, metrics=12, steps=1)
"""The points before the last ones make no difference to what is measured."""
_METRIC = "val/loss"
_ROWS = 60
"""Of a screen."""
_TABLES = ("runs", "latest_metrics", "params", "tags", "experiments")

_BARS = {"PostgreSQL": (0.5, 0.6), "MariaDB": (0.7, 0.6)}
"""Of the first page, and of the sort."""
_SERVERS: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "PostgreSQL": running_postgresql,
    "MariaDB": running_mariadb,
}


def results(setting: Setting) -> Iterator[Result]:
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = os.environ["DO_NOT_TRACK"] = "true"
    for name, running in _SERVERS.items():
        with running() as server, Databases(server, orders_bytes=False).holding(large_store(_SIZE)) as database:
            server.query(database.name, *_analyzing(name))
            yield from _results(setting, name, database)


def _analyzing(name: str) -> list[str]:
    """Return statements that tell the planner what is in the tables; a server that runs for long does so by itself."""
    return ["ANALYZE"] if name == "PostgreSQL" else [f"ANALYZE TABLE {table}" for table in _TABLES]


def _results(setting: Setting, name: str, database: Database) -> Iterator[Result]:
    from mlflow.entities import ViewType
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    theirs = SqlAlchemyStore(database.mlflow_uri, str(setting.folder))
    with closing(Store(read_address(database.url))) as ours:
        order = (OrderKey(Column(Kind.METRIC, _METRIC), True),)
        for what, bar, query, order_by in (
            ("first page", _BARS[name][0], RunQuery(("1",)), []),
            ("sort by a metric", _BARS[name][1], RunQuery(("1",), View.ACTIVE, order), [f"metrics.`{_METRIC}` DESC"]),
        ):
            mldeck_s, mlflow_s = [], []
            for turn in range(setting.repeats + 1):
                began = time.perf_counter()
                ids = ours.run_ids(query)
                ours.run_records(ids[:_ROWS], ALL_FIELDS)
                between = time.perf_counter()
                runs = theirs.search_runs(["1"], "", ViewType.ACTIVE_ONLY, 100, order_by)
                ended = time.perf_counter()
                assert ids[0] == runs[0].info.run_id
                if turn:  # the first one connects
                    mldeck_s.append(between - began)
                    mlflow_s.append(ended - between)
            yield ratio(f"{name}, 10,000 runs: {what}", mldeck_s, statistics.median(mlflow_s), bar)
    theirs.engine.dispose()
