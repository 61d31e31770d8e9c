"""ORDER BY with MLflow's rules (DATABASE.md#order)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, UnaryExpression, and_, asc, case, desc, true

from mldeck.errors import UsageError
from mldeck.model import Kind, OrderKey
from mldeck.store.schema import DURATION, Schema
from mldeck.store.text_match import as_number, same_text

RUN_ATTRIBUTES = ("run_id", "run_name", "status", "user_id", "artifact_uri", "start_time", "end_time")
"""The attributes by which MLflow sorts."""

_VALUE, _NAN, _MISSING = 0, 1, 2
_TEXT = 1
"""The rank of texts that are not numbers in a numeric order."""


def ordered(statement: Select[Any], schema: Schema, order: Sequence[OrderKey]) -> Select[Any]:
    """Add the order to a statement: joins on (key, run), the rank of missing values, and MLflow's tie-break.

    In both directions values come first, then NaN (in a numeric order of texts: those that are not numbers), then runs without
    the value. Ties are broken by start time, newest first, unless it is one of the keys, then by run id. Raises `UsageError`
    for an attribute that runs cannot be sorted by.
    """
    runs = schema.runs
    source: FromClause = runs
    terms: list[ColumnElement[Any]] = []
    for key in order:
        direction = desc if key.descending else asc
        if key.column.kind is Kind.ATTRIBUTE:
            value = _attribute(schema, key.column.key)
            terms += [case((value.is_(None), _MISSING), else_=_VALUE), direction(value)]
            continue
        joined = schema.values_of(key.column.kind).alias()
        source = source.outerjoin(
            joined, and_(joined.c.run_uuid == runs.c.run_uuid, same_text(joined.c.key, key.column.key))
        )
        terms += _value_terms(joined, key, direction)
    if not any(key.column.kind is Kind.ATTRIBUTE and key.column.key == "start_time" for key in order):
        terms.append(runs.c.start_time.desc())
    return statement.select_from(source).order_by(*terms, runs.c.run_uuid)


def _value_terms(
    joined: FromClause, key: OrderKey, direction: Callable[[ColumnElement[Any]], UnaryExpression[Any]]
) -> list[ColumnElement[Any]]:
    value = joined.c.value
    missing = (value.is_(None), _MISSING)
    if key.column.kind is Kind.METRIC:
        return [case(missing, (joined.c.is_nan == true(), _NAN), else_=_VALUE), direction(value)]
    if key.as_number:
        text = (as_number(value).is_(None), _TEXT)
        return [case(missing, text, else_=_VALUE), direction(as_number(value)), direction(value)]
    return [case(missing, else_=_VALUE), direction(value)]


def _attribute(schema: Schema, name: str) -> ColumnElement[Any]:
    if name not in (*RUN_ATTRIBUTES, DURATION):
        raise UsageError(
            f"runs cannot be sorted by {name}; the attributes are {', '.join((*RUN_ATTRIBUTES, DURATION))}"
        )
    return schema.run_attribute(name)
