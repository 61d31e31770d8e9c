"""The tables of one database that mldeck reads, for every version of MLflow.

Features are recognised by tables and columns, never by the revision (DATABASE.md#recognising-a-store), so that databases of
newer releases open too. A column that a version lacks reads as NULL, so that the same queries serve all versions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Integer,
    TableClause,
    and_,
    case,
    column,
    false,
    func,
    literal_column,
    null,
    select,
    table,
    type_coerce,
)
from sqlalchemy.types import TypeDecorator, TypeEngine

from mldeck.model import Kind
from mldeck.store.expressions import difference, sqlite_only
from mldeck.store.values import MAX_INTEGER, LenientFloat, LenientInteger, LenientText, MistypedValues, text_of

_KNOWN_REVISIONS = frozenset(
    """
    90e64c465722 181f10493468 7ac759974ad8 89d4b8295536 2b4d017a5e9b cfd24bdc0731 0a8213491aaa 27a6a02d2cf1 84291f40a231
    a8c4a736bde6 39d1c3be5f05 c48cb773bb87 bd07f7e963c5 cc1f77228345 97727af70f4d 3500859a5d39 7f2a7d5fae7d acf3f17fdcc7
    867495a8f9d4 5b0e9adcef9c 4465047574b1 f5a4f2784254 0584bdc529eb 6953534de441 bda7b8c39065 770bee3ae1dd 1a0cddfcaa16
    71994744cf8e bf29a5ff90ea 1bd49d398cd23 d3e4f5a6b7c8 1b5f0d9ad7c1 c3d6457b6d8a 7d34483879f0 da6fb0208061 b7e4c1a90f23
    6f8d9c3b2a1e b7e2c1a4d9f3 dc11669786a5 f4a9b2c7d1e6
    """.split()
)
"""The head revision of each release from 1.0 to 3.18 (DATABASE.md#releases-and-revisions).

Only databases at one of these are written to.
"""

_INTEGERS = frozenset(
    """
    step timestamp is_nan start_time end_time deleted_time creation_time last_update_time last_updated_time experiment_id
    version metric_step metric_timestamp_ms creation_timestamp_ms
    """.split()
)
_FLOATS = ("metrics.value", "latest_metrics.value", "logged_model_metrics.metric_value")
_STATUS_CODES = ("logged_models.status",)
"""Integer columns whose name is that of a text column in other tables."""

_REQUIRED: Mapping[str, str] = {
    "experiments": "experiment_id name lifecycle_stage",
    "experiment_tags": "experiment_id key value",
    "runs": "run_uuid experiment_id lifecycle_stage start_time",
    "params": "run_uuid key value",
    "tags": "run_uuid key value",
    "metrics": "run_uuid key value timestamp step",
    "latest_metrics": "run_uuid key value timestamp step is_nan",
    "datasets": "dataset_uuid name digest dataset_source_type dataset_source",
    "inputs": "input_uuid source_type source_id destination_type destination_id",
    "input_tags": "input_uuid name value",
    "registered_models": "name",
    "registered_model_tags": "name key value",
    "model_versions": "name version current_stage",
    "model_version_tags": "name version key value",
    "registered_model_aliases": "name alias version",
    "logged_models": "model_id experiment_id name lifecycle_stage status",
    "logged_model_params": "model_id param_key param_value",
    "logged_model_metrics": "model_id metric_name metric_value metric_timestamp_ms metric_step",
    "logged_model_tags": "model_id tag_key tag_value",
}
"""Columns, by table, that every MLflow with the table has and that mldeck cannot do without. A statement that needs a missing
one fails, and its error names the column."""
_EXPECTED: Mapping[str, str] = {
    "experiments": "artifact_location",
    "runs": "name status end_time user_id artifact_uri",
    "datasets": "dataset_schema dataset_profile",
    "registered_models": "creation_time last_updated_time description",
    "model_versions": "creation_time last_updated_time run_id user_id source status status_message description",
    "logged_models": "artifact_location creation_timestamp_ms status_message model_type source_run_id",
}
"""Columns, by table, that every MLflow with the table has too, but that may be missing: they read as NULL (see `optional`)."""
TABLES_READ = tuple(_REQUIRED)
"""The tables and views that mldeck reads."""
_WORKSPACE_TABLES = (
    *("registered_models", "registered_model_tags", "model_versions", "model_version_tags"),
    "registered_model_aliases",
)

DURATION = "duration"
"""An attribute that MLflow does not have: end_time - start_time of a run, in ms."""
_COLUMN_OF_ATTRIBUTE = {"run_id": "run_uuid", "run_name": "name"}

_COMPOSITE_INDEX = "index_metrics_run_uuid_key_step"
_RUN_INDEX = "index_metrics_run_uuid"


@dataclass(frozen=True)
class Traits:
    """What a kind of database can and cannot do, as far as statements are chosen by it."""

    has_rowids: bool = True
    """Whether rows have numbers that grow, as in SQLite. Then a statement also says which index to use. Other databases choose
    by themselves, and each of their statements reads a snapshot without keeping others from writing."""
    lists_keys_by_distinct: bool = False
    """Whether DISTINCT skips from key to key in an index. Elsewhere, a recursive statement does."""
    takes_any_text: bool = True
    """Whether a bound text may have a NUL."""


SQLITE = Traits()


class Schema:
    """The tables, columns and indexes of one database. It is read again when another MLflow has migrated the database."""

    def __init__(
        self,
        columns: Mapping[str, frozenset[str]],
        indexes: Mapping[str, frozenset[str]],
        revision: str | None,
        *,
        as_stored: bool = False,
        traits: Traits = SQLITE,
    ) -> None:
        """`columns` and `indexes` are names by table; `revision` is that of the last migration, None when there is none.

        With `as_stored`, values are read unchanged: for edits, which write them back.
        """
        self._columns = columns
        self._indexes = indexes
        self.revision = revision
        self.traits = traits
        self._as_stored = as_stored
        self._mistyped = MistypedValues()

    @property
    def notices(self) -> tuple[str, ...]:
        """Sentences about what MLflow would not make like that: missing columns, and the mistyped values read so far."""
        missing = [
            f"table {name} has no column {column_name}"
            for name, present in self._columns.items()
            for column_name in (*_REQUIRED.get(name, "").split(), *_EXPECTED.get(name, "").split())
            if column_name not in present
        ]
        return (*missing, *self._mistyped.notices)

    def lost_since(self, before: Schema) -> str | None:
        """Return the name of a table that mldeck reads and that `before` still had; None when none is missing."""
        return next((name for name in _REQUIRED if before.has(name) and not self.has(name)), None)

    @property
    def is_unknown(self) -> bool:
        """Whether a release that mldeck does not know made it.

        Its writes may have to maintain more than those of known releases, even without any new column.
        """
        return self.revision is not None and self.revision not in _KNOWN_REVISIONS

    def differs_from(self, columns: Mapping[str, frozenset[str]]) -> bool:
        """Return whether a table that mldeck reads has other columns than these, which are names by table."""
        return any(self._columns.get(name) != columns[name] for name in (*TABLES_READ, "workspaces"))

    def has_index(self, table_name: str, index: str) -> bool:
        return index in self._indexes.get(table_name, ())

    def has(self, *table_names: str) -> bool:
        """Return whether all of these tables exist."""
        return self._columns.keys() >= set(table_names)

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

        Before 1.3 the table does not exist, and MLflow's rule is applied to the history: the row with the greatest (step,
        timestamp, value) is the latest, where NaN counts as the 0 that is stored for it (DATABASE.md#latest-metrics).
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
        """Return the table of the latest metrics, params or tags of the runs: one row per run and key."""
        return {Kind.METRIC: self.latest_metrics, Kind.PARAM: self.params, Kind.TAG: self.tags}[kind]

    def is_nan(self, points: FromClause) -> ColumnElement[Any]:
        """Return the column `is_nan`, or false for databases of 1.0, which could not store NaN. Compare it with `true()`."""
        return points.c.is_nan if "is_nan" in points.c else false()

    def optional(self, source: FromClause, name: str) -> ColumnElement[Any]:
        """Return a column of `source`, or NULL when this version does not have it."""
        if name in source.c:
            return source.c[name]
        return type_coerce(null(), self._type("", name)).label(name)

    @property
    def duration(self) -> ColumnElement[Any]:
        """The duration of a run in ms. NULL when a time is not a number: for SQLite, every text is greater than all numbers."""
        start, end = self.runs.c.start_time, self.optional(self.runs, "end_time")
        return case((sqlite_only(and_(start <= MAX_INTEGER, end <= MAX_INTEGER)), difference(end, start)))

    def run_attribute(self, name: str) -> ColumnElement[Any]:
        """Return an attribute of a run, by MLflow's name for it, or its duration; NULL when this version does not have it."""
        if name == DURATION:
            return self.duration
        return self.optional(self.runs, _COLUMN_OF_ATTRIBUTE.get(name, name))

    @property
    def history_index(self) -> str | None:
        """The index that SQLite must be told to use for one metric of one run; None when there is no such index.

        Without the hint it reads that metric of every run of the database, because the primary key begins with the key and
        covers the query: seconds instead of milliseconds (DATABASE.md#indexes-and-query-plans).
        """
        for name in (_COMPOSITE_INDEX, _RUN_INDEX):
            if self.has_index("metrics", name):
                return name
        return None

    @property
    def step_index(self) -> str | None:
        """The index that finds the steps of one metric of one run without reading its points; None before MLflow 3.12."""
        return _COMPOSITE_INDEX if self.has_index("metrics", _COMPOSITE_INDEX) else None

    @cached_property
    def rowid(self) -> ColumnElement[int]:
        """SQLite's number of a row of `metrics`, which grows with every row that is added."""
        return literal_column("metrics.rowid", Integer())

    @property
    def history_order(self) -> tuple[ColumnElement[Any], ...]:
        """The columns by which `history_index` orders the points of one metric of one run; empty without such an index."""
        orders = {_COMPOSITE_INDEX: (self.metrics.c.step, self.rowid), _RUN_INDEX: (self.rowid,)}
        return orders.get(self.history_index or "", ())

    def table(self, name: str) -> TableClause:
        """Return a table with the columns that it has in this database, and those that mldeck requires."""
        required = _REQUIRED.get(name, "").split()
        if name in _WORKSPACE_TABLES and any("workspace" in self._columns.get(key, ()) for key in _WORKSPACE_TABLES):
            required.append("workspace")
        names = sorted({*self._columns.get(name, ()), *required})
        return table(name, *(column(key, self._type(name, key, key in required)) for key in names))

    def _type(self, table_name: str, name: str, is_required: bool = False) -> TypeEngine[Any]:
        full_name = f"{table_name}.{name}"
        read: TypeDecorator[Any]
        if full_name in _FLOATS:
            read = LenientFloat(full_name, self._mistyped)
        elif full_name in _STATUS_CODES or name in _INTEGERS:
            read = LenientInteger(full_name, self._mistyped)
        else:
            read = LenientText(is_required and not name.endswith("value"))
        return read.impl_instance if self._as_stored else read


def names_by_table(rows: Iterable[tuple[str, str]]) -> dict[str, frozenset[str]]:
    """Return the names, such as those of columns, that stand beside each table."""
    tables: dict[str, set[str]] = {}
    for table_name, name in rows:
        tables.setdefault(table_name, set()).add(name)
    return {table_name: frozenset(names) for table_name, names in tables.items()}


def read_revision(connection: Connection) -> str | None:
    """Return the revision of the last migration, None when none is recorded."""
    revision = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return None if revision is None else text_of(revision)
