"""The tables of this database, as far as mldeck reads them, and what its MLflow did not have yet.

Features are told by tables and columns, never by the revision (MLFLOW_DATABASE.md section 1): a newer MLflow than we
know opens too. A column that this version lacks reads as NULL, so that queries need no versions of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Float,
    FromClause,
    Integer,
    String,
    TableClause,
    column,
    func,
    literal,
    literal_column,
    null,
    select,
    table,
    type_coerce,
)
from sqlalchemy.types import TypeEngine

from mldeck.model import Kind
from mldeck.store.sqlite import columns_by_table, columns_in_script, index_names

_KNOWN_REVISIONS = frozenset(
    """
    90e64c465722 181f10493468 7ac759974ad8 89d4b8295536 2b4d017a5e9b cfd24bdc0731 0a8213491aaa 27a6a02d2cf1 84291f40a231
    a8c4a736bde6 39d1c3be5f05 c48cb773bb87 bd07f7e963c5 cc1f77228345 97727af70f4d 3500859a5d39 7f2a7d5fae7d acf3f17fdcc7
    867495a8f9d4 5b0e9adcef9c 4465047574b1 f5a4f2784254 0584bdc529eb 6953534de441 bda7b8c39065 770bee3ae1dd 1a0cddfcaa16
    71994744cf8e bf29a5ff90ea 1bd49d398cd23 d3e4f5a6b7c8 1b5f0d9ad7c1 c3d6457b6d8a 7d34483879f0 da6fb0208061 b7e4c1a90f23
    6f8d9c3b2a1e b7e2c1a4d9f3 dc11669786a5 f4a9b2c7d1e6
    """.split()
)
"""The head of each release from 1.0 to 3.18, all that is written to (section 1.1)."""

_TABLES = frozenset(
    """
    experiments experiment_tags runs params tags metrics latest_metrics datasets inputs input_tags workspaces
    logged_models logged_model_metrics logged_model_params logged_model_tags
    registered_models registered_model_tags registered_model_aliases model_versions model_version_tags
    """.split()
)
"""Those that mldeck reads. Of the others each release brings more."""

_TYPES: Mapping[str, TypeEngine[Any]] = {
    "value": Float(),
    "step": BigInteger(),
    "timestamp": BigInteger(),
    "is_nan": Integer(),
    "start_time": BigInteger(),
    "end_time": BigInteger(),
    "deleted_time": BigInteger(),
    "creation_time": BigInteger(),
    "last_update_time": BigInteger(),
    "last_updated_time": BigInteger(),
    "experiment_id": Integer(),
    "version": Integer(),
}
_TEXT_VALUES = ("params", "tags", "experiment_tags", "input_tags", "registered_model_tags", "model_version_tags")
"""Tables whose `value` is text; it is a number in `metrics` and `latest_metrics`."""

_COMPOSITE_INDEX = "index_metrics_run_uuid_key_step"
_RUN_INDEX = "index_metrics_run_uuid"


class Schema:
    """What one database offers. Made anew when `PRAGMA schema_version` moves: another MLflow may have migrated it."""

    def __init__(
        self, columns: Mapping[str, frozenset[str]], metric_indexes: frozenset[str], revision: str | None
    ) -> None:
        self._columns = columns
        self._metric_indexes = metric_indexes
        self.revision = revision

    @classmethod
    def read(cls, connection: Connection) -> Schema:
        columns = columns_by_table(connection)
        revision = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        return cls(columns, index_names(connection, "metrics"), revision)

    @property
    def is_unknown(self) -> bool:
        """Whether another release made it. It may keep more in step with each write than we know of, without any new column."""
        return self.revision is not None and self.revision not in _KNOWN_REVISIONS

    @cached_property
    def is_read_otherwise(self) -> bool:
        """Whether that release has changed what mldeck reads."""
        if not self.is_unknown:
            return False
        from mldeck.store.seed import SCHEMA_FILE

        newest = columns_in_script(SCHEMA_FILE.read_text(encoding="utf-8"))
        return any(self._columns.get(name) != newest[name] for name in _TABLES)

    def has(self, table_name: str) -> bool:
        return table_name in self._columns

    @cached_property
    def experiments(self) -> TableClause:
        return self.table("experiments")

    @cached_property
    def experiment_tags(self) -> TableClause:
        return self.table("experiment_tags")

    @cached_property
    def runs(self) -> TableClause:
        return self.table("runs")

    @cached_property
    def params(self) -> TableClause:
        return self.table("params")

    @cached_property
    def tags(self) -> TableClause:
        return self.table("tags")

    @cached_property
    def metrics(self) -> TableClause:
        return self.table("metrics")

    @cached_property
    def datasets(self) -> TableClause:
        return self.table("datasets")

    @cached_property
    def inputs(self) -> TableClause:
        return self.table("inputs")

    @cached_property
    def input_tags(self) -> TableClause:
        return self.table("input_tags")

    @cached_property
    def latest_metrics(self) -> FromClause:
        """Columns run_uuid, key, value, timestamp, step, is_nan; one row per run and key.

        Before 1.3 there is no such table: MLflow's rule, the greatest (step, timestamp, value), is applied to the history
        (section 4.1; NaN counts as the 0 it is stored as).
        """
        if self.has("latest_metrics"):
            return self.table("latest_metrics")
        points = self.metrics
        rank = (
            func.row_number()
            .over(
                partition_by=(points.c.run_uuid, points.c.key),
                order_by=(points.c.step.desc(), points.c.timestamp.desc(), points.c.value.desc()),
            )
            .label("rank")
        )
        names = ("run_uuid", "key", "value", "timestamp", "step")
        ranked = select(*(points.c[name] for name in names), self.is_nan(points).label("is_nan"), rank).subquery(
            "ranked"
        )
        kept = select(*(ranked.c[name] for name in (*names, "is_nan"))).where(ranked.c.rank == 1)
        return kept.subquery("latest_metrics")

    def values_of(self, kind: Kind) -> FromClause:
        """Where the metrics (latest), params or tags of the runs stand: one row per run and key."""
        return {Kind.METRIC: self.latest_metrics, Kind.PARAM: self.params, Kind.TAG: self.tags}[kind]

    def is_nan(self, points: FromClause) -> ColumnElement[Any]:
        """1.0 had no NaN, and no column for it."""
        return points.c.is_nan if "is_nan" in points.c else literal(0)

    def optional(self, source: FromClause, name: str) -> ColumnElement[Any]:
        """A column that older versions lack, as NULL where it is missing."""
        if name in source.c:
            return source.c[name]
        return type_coerce(null(), _TYPES.get(name, String())).label(name)

    @property
    def history_index(self) -> str | None:
        """The index that a query for one metric of one run must be told to use; None when there is no such index.

        Left alone, SQLite reads that metric of every run of the database, since the primary key leads with the key and
        covers the query: seconds instead of milliseconds (section 8, rule 1).
        """
        for name in (_COMPOSITE_INDEX, _RUN_INDEX):
            if name in self._metric_indexes:
                return name
        return None

    @cached_property
    def rowid(self) -> ColumnElement[int]:
        """SQLite's own number of a row of `metrics`: it grows with every row that is added."""
        return literal_column("metrics.rowid", Integer())

    @property
    def history_order(self) -> tuple[ColumnElement[Any], ...]:
        """How that index has the points of one metric of one run in order; nothing to go by when there is none."""
        orders = {_COMPOSITE_INDEX: (self.metrics.c.step, self.rowid), _RUN_INDEX: (self.rowid,)}
        return orders.get(self.history_index or "", ())

    def table(self, name: str) -> TableClause:
        """With the columns that it has here."""
        present = sorted(self._columns.get(name, ()))
        text_value = name in _TEXT_VALUES
        columns = (
            column(each, String() if each == "value" and text_value else _TYPES.get(each, String())) for each in present
        )
        return table(name, *columns)
