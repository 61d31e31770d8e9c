"""Statements that need the answers of others of the same request: put these into their text, or wait for them.

A statement is a text with `%s`, or `%(name)s` and perhaps a type, and its bound values; see `Earlier`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mldeck.store.statements import MAX_BOUND_VALUES, Earlier

Statement = tuple[str, Any]
"""The text, and its bound values as the driver takes them."""


@dataclass(frozen=True)
class StatementAnswer:
    """What a statement gave."""

    columns: Sequence[Sequence[Any]] = ()
    """The `description` of a cursor; empty if there are no rows to fetch."""
    rows: Sequence[tuple[Any, ...]] = ()


_BOUND = re.compile(r"%%|%s|%\((?P<name>\w+)\)s(?P<type>(?:::\w+)?)")
_FIRST_COLUMN = re.compile(
    r"\s*SELECT\s+(?:DISTINCT\s+)?(?:[\w`\"]+\.)?(?P<column>[\w`\"]+)(?:\s+AS\s+(?P<label>[\w`\"]+))?\s*[,\s]"
)


def needs(statement: Statement) -> frozenset[int]:
    """Return the positions of the statements whose answers this one needs."""
    values = statement[1]
    bound = values.values() if isinstance(values, Mapping) else values
    return frozenset(value.index for value in bound if isinstance(value, Earlier))


def can_repeat(statement: Statement) -> bool:
    """Return whether a statement may be a part of another one, too: a list that is cheap to read, unlike a sorted page."""
    return not needs(statement) and "LIMIT" not in statement[0] and _FIRST_COLUMN.match(statement[0]) is not None


def filled_in(statement: Statement, answers: Mapping[int, StatementAnswer]) -> Statement | None:
    """Return the statement with the first column of earlier answers in it, written as SQLAlchemy writes lists.

    None if such a column is empty or longer than a list may be: no statement is asked like that.
    """
    if not needs(statement):
        return statement
    lists = {index: [row[0] for row in answers[index].rows] for index in needs(statement)}
    if not all(0 < len(some) <= MAX_BOUND_VALUES for some in lists.values()):
        return None

    def named(name: str, type_name: str, value: Earlier) -> tuple[str, dict[str, Any]]:
        base = name.removesuffix("_1")
        found = {f"{base}_{number}": each for number, each in enumerate(lists[value.index], 1)}
        return ", ".join(f"%({each})s{type_name}" for each in found), found

    def listed(value: Earlier) -> tuple[str, list[Any]]:
        found = lists[value.index]
        return ", ".join(["%s"] * len(found)), found

    return _replaced(statement, named, listed)


def nested(statement: Statement, earlier: Mapping[int, Statement]) -> Statement:
    """Return the statement with earlier ones in it, each as a subquery of its first column."""

    def subquery(text: str) -> str:
        found = _FIRST_COLUMN.match(text)
        assert found is not None  # see `can_repeat`
        return f"SELECT earlier.{found['label'] or found['column']} FROM ({text}) AS earlier"

    def named(name: str, type_name: str, value: Earlier) -> tuple[str, dict[str, Any]]:
        text, values = earlier[value.index]
        renamed = re.sub(r"%\((\w+)\)s", rf"%(earlier_{value.index}_\1)s", text)
        return subquery(renamed), {f"earlier_{value.index}_{key}": each for key, each in values.items()}

    def listed(value: Earlier) -> tuple[str, list[Any]]:
        text, values = earlier[value.index]
        return subquery(text), list(values)

    return _replaced(statement, named, listed)


def _replaced(statement: Statement, named: Any, listed: Any) -> Statement:
    """Return the statement with another text and other values in the place of each `Earlier`."""
    text, values = statement
    if isinstance(values, Mapping):
        bound: dict[str, Any] = {}

        def by_name(found: re.Match[str]) -> str:
            name = found["name"]
            if name is None or not isinstance(values[name], Earlier):
                return found[0]
            inner, inner_values = named(name, found["type"], values[name])
            bound.update(inner_values)
            return str(inner)

        replaced = _BOUND.sub(by_name, text)
        return replaced, {name: value for name, value in values.items() if not isinstance(value, Earlier)} | bound
    in_order: list[Any] = []
    rest: Sequence[Any] = list(values)
    position = iter(rest)

    def by_position(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return found[0]
        value = next(position)
        if not isinstance(value, Earlier):
            in_order.append(value)
            return found[0]
        inner, inner_values = listed(value)
        in_order.extend(inner_values)
        return str(inner)

    return _BOUND.sub(by_position, text), tuple(in_order)
