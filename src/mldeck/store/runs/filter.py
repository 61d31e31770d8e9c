"""A search as SQL, by MLflow 3.17's rules (DATABASE.md#search).

Every clause is true or false for a run, never NULL, so that NOT inverts it. Every clause about a metric, param or tag tests
whether a row exists, so a run without the key never matches, not even with `!=`.
"""

from __future__ import annotations

import math
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Numeric, and_, exists, false, literal, not_, or_, select, true

from mldeck.model import DATASET_CONTEXT_TAG, RUN_NAME_TAG
from mldeck.search.errors import SearchError
from mldeck.search.moments import to_milliseconds
from mldeck.search.names import DURATION_ATTRIBUTE, TIME_ATTRIBUTES
from mldeck.search.tree import (
    PATTERN,
    PRESENCE,
    Ago,
    And,
    Comparison,
    Duration,
    Entity,
    NameMatch,
    Node,
    Not,
    Operator,
    Or,
    SearchValue,
    Timestamp,
)
from mldeck.store.expressions import variants
from mldeck.store.schema import Schema
from mldeck.store.text_match import as_number, exact, same_text


def check_characters(text: str, schema: Schema) -> None:
    """Raise `SearchError` at a character that this database cannot have in a text."""
    if schema.traits.takes_any_text:
        return
    for position, character in enumerate(text):
        if character == "\0" or "\ud800" <= character <= "\udfff":
            what = "a NUL" if character == "\0" else "a byte or half a character that is not text"
            raise SearchError(f"Expected text: no value in this database has {what}.", position, position + 1)


def run_filter(tree: Node, schema: Schema, now: int) -> ColumnElement[bool]:
    """Return the search as a condition on `schema.runs`. `'2d ago'` is relative to `now`, in ms since the epoch."""
    if isinstance(tree, And):
        return and_(true(), *(run_filter(item, schema, now) for item in tree.items))
    if isinstance(tree, Or):
        return or_(false(), *(run_filter(item, schema, now) for item in tree.items))
    if isinstance(tree, Not):
        return not_(run_filter(tree.item, schema, now))
    if isinstance(tree, NameMatch):
        # A word is taken literally: `_` and `%` are escaped.
        name = schema.tags.c.value
        return _row_of(schema, schema.tags, RUN_NAME_TAG, name.icontains(tree.word, autoescape=True))
    return _clause(tree, schema, now)


def _clause(clause: Comparison, schema: Schema, now: int) -> ColumnElement[bool]:
    if clause.kind is Entity.METRIC:
        return _metric(clause, schema)
    if clause.kind is Entity.PARAM:
        return _text_row(clause, schema, schema.params, clause.key)
    if clause.kind is Entity.TAG:
        return _text_row(clause, schema, schema.tags, clause.key)
    if clause.kind is Entity.DATASET:
        return _dataset(clause, schema)
    if clause.key == "run_name":
        return _run_name(clause, schema)
    return _attribute(clause, schema, now)


def _metric(clause: Comparison, schema: Schema) -> ColumnElement[bool]:
    """Return a condition on a latest value. NaN, stored as 0 with a flag, matches only `!=` and NOT IN (3.17's rule)."""
    metrics = schema.latest_metrics
    if clause.operator in PRESENCE:
        return _presence(clause, _row_of(schema, metrics, clause.key))
    condition = _compare(metrics.c.value, clause.operator, clause.value)
    if "is_nan" in metrics.c:
        if clause.operator in (Operator.NE, Operator.NOT_IN):
            condition = or_(condition, metrics.c.is_nan == true())
        else:
            condition = and_(condition, metrics.c.is_nan == false())
    return _row_of(schema, metrics, clause.key, condition)


def _text_row(clause: Comparison, schema: Schema, rows: FromClause, key: str) -> ColumnElement[bool]:
    """Return a condition on a param or tag. A comparison with a number matches only values that are numbers."""
    if clause.operator in PRESENCE:
        return _presence(clause, _row_of(schema, rows, key))
    if _is_numeric(clause.value):
        condition = _compare(as_number(rows.c.value), clause.operator, clause.value, exact_number=True)
    else:
        condition = compare_text(rows.c.value, clause.operator, clause.value)
    return _row_of(schema, rows, key, condition)


def _run_name(clause: Comparison, schema: Schema) -> ColumnElement[bool]:
    """Return a condition on the name in the tag, as in MLflow: MLflow 1.29 and earlier leave `runs.name` empty."""
    if clause.operator in PRESENCE:
        return _presence(clause, _row_of(schema, schema.tags, RUN_NAME_TAG, schema.tags.c.value != ""))
    return _text_row(clause, schema, schema.tags, RUN_NAME_TAG)


def _attribute(clause: Comparison, schema: Schema, now: int) -> ColumnElement[bool]:
    column = schema.run_attribute(clause.key)
    numeric = clause.key == DURATION_ATTRIBUTE or clause.key in TIME_ATTRIBUTES
    # NULL and the empty text mean the same in these databases.
    present = column.is_not(None) if numeric else and_(column.is_not(None), column != "")
    if clause.operator in PRESENCE:
        return _presence(clause, present)
    if numeric:
        return and_(column.is_not(None), _compare(column, clause.operator, _plain(clause.value, now)))
    return and_(column.is_not(None), compare_text(column, clause.operator, clause.value))


def _dataset(clause: Comparison, schema: Schema) -> ColumnElement[bool]:
    """Return the condition that a dataset of the run matches. Two clauses may be satisfied by different datasets.

    It is not an EXISTS, because no index begins with the run of an input, and reading all inputs once is quick.
    """
    datasets, inputs, input_tags = schema.datasets, schema.inputs, schema.input_tags
    if not schema.has("datasets", "inputs", "input_tags"):  # before MLflow 2.4
        return true() if clause.operator is Operator.IS_NULL else false()
    condition = inputs.c.source_id == datasets.c.dataset_uuid
    column = datasets.c[clause.key] if clause.key != "context" else input_tags.c.value
    if clause.key == "context":
        condition = and_(
            condition, input_tags.c.input_uuid == inputs.c.input_uuid, input_tags.c.name == DATASET_CONTEXT_TAG
        )
    if clause.operator not in PRESENCE:
        condition = and_(condition, compare_text(column, clause.operator, clause.value))
    found = schema.runs.c.run_uuid.in_(select(inputs.c.destination_id).where(condition))
    return found if clause.operator is not Operator.IS_NULL else not_(found)


def _presence(clause: Comparison, present: ColumnElement[bool]) -> ColumnElement[bool]:
    return present if clause.operator is Operator.IS_NOT_NULL else not_(present)


def _row_of(
    schema: Schema, rows: FromClause, key: str, condition: ColumnElement[bool] | None = None
) -> ColumnElement[bool]:
    """Return the condition that the run has this key, with a value that meets `condition`."""
    found = and_(rows.c.run_uuid == schema.runs.c.run_uuid, same_text(rows.c.key, key))
    return _exists(schema, found if condition is None else and_(found, condition))


def _exists(schema: Schema, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(condition).correlate(schema.runs)


def _is_numeric(value: SearchValue | None) -> bool:
    if isinstance(value, tuple):
        return bool(value) and not isinstance(value[0], str)
    return isinstance(value, float | int)


def _plain(value: SearchValue | None, now: int) -> SearchValue | None:
    """Return a value with times and durations converted to ms, as MLflow stores them."""
    if isinstance(value, Duration):
        return value.milliseconds
    return to_milliseconds(value, now) if isinstance(value, Ago | Timestamp) else value


def compare_text(column: ColumnElement[Any], operator: Operator, value: SearchValue | None) -> ColumnElement[bool]:
    """Compare a text column. As in MLflow, LIKE has no escape character; on SQLite, ILIKE ignores the case of ASCII letters."""
    if operator not in PATTERN:
        return _compare(exact(column), operator, value)
    if operator in (Operator.ILIKE, Operator.NOT_ILIKE):
        found = column.ilike(str(value))
    else:
        found = exact(column).like(str(value))
    return found if operator in (Operator.LIKE, Operator.ILIKE) else not_(found)


def _compare(
    column: ColumnElement[Any], operator: Operator, value: SearchValue | None, *, exact_number: bool = False
) -> ColumnElement[bool]:
    if isinstance(value, tuple):
        # An infinity equals no value that is stored, but MySQL would bind the largest number for it.
        listed = [each for each in value if each not in (math.inf, -math.inf)]
        if operator is Operator.IN:
            return column.in_(listed)
        return column.not_in(listed) if listed else column.is_not(None)
    bound = literal(value, Numeric(asdecimal=False)) if exact_number else literal(value)
    comparisons: dict[Operator, ColumnElement[bool]] = {
        Operator.EQ: column == bound,
        Operator.NE: column != bound,
        Operator.LT: column < bound,
        Operator.LE: column <= bound,
        Operator.GT: column > bound,
        Operator.GE: column >= bound,
    }
    found = comparisons[operator]
    return _without_infinity(found, column, operator, value) if value in (math.inf, -math.inf) else found


def _without_infinity(
    comparison: ColumnElement[bool], column: ColumnElement[Any], operator: Operator, infinity: SearchValue | None
) -> ColumnElement[bool]:
    """Return a comparison with an infinity as MySQL can make it, which has only numbers."""
    beyond = (Operator.LT, Operator.LE) if infinity == math.inf else (Operator.GT, Operator.GE)
    is_met = operator is Operator.NE or operator in beyond
    return variants(comparison, postgresql=comparison, mysql=column.is_not(None) if is_met else false())
