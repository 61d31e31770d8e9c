"""Values of another type than their column: SQLite stores any type in any column, and exporters and editors write anything.

The column types here are those of `Schema`. With them, every value that is read has the type of its column or is missing, so
that no code behind the store has to check. In a text column, other types are read as text; in a number column, what is not a
number is read as missing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy import BigInteger, Dialect, Float, String
from sqlalchemy.types import TypeDecorator

from mldeck.format import number_of

_Number = TypeVar("_Number", int, float)

_LONGEST_NUMBER = 40
"""Longest text, in characters, that is read as a number."""
_MAX_SHOWN = 40
"""Characters of a mistyped value that a notice shows."""
MIN_INTEGER, MAX_INTEGER = -(2**63), 2**63 - 1
"""The range of integers in SQLite, and in an `array("q")`."""


class MistypedValues:
    """The first value that is not a number, of each number column where one was read. May be used from any thread."""

    def __init__(self) -> None:
        self._found: dict[str, str] = {}

    def note(self, column: str, value: object) -> None:
        """Remember a value of `column`, which is written as "metrics.value"."""
        if column not in self._found:
            shown = text_of(value)
            self._found[column] = shown if len(shown) <= _MAX_SHOWN else shown[:_MAX_SHOWN] + "…"

    @property
    def notices(self) -> tuple[str, ...]:
        return tuple(
            f"{column} holds a value that is not a number ({shown}), which is treated as missing"
            for column, shown in dict(self._found).items()
        )


class LenientText(TypeDecorator[str]):
    """A text column. NULL is read as the empty text when `is_required`, otherwise as None."""

    impl = String
    cache_ok = True

    def __init__(self, is_required: bool = False) -> None:
        super().__init__()
        self.is_required = is_required

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], str | None]:
        nothing = "" if self.is_required else None

        def read(value: Any) -> str | None:
            if type(value) is str:
                return value
            return nothing if value is None else text_of(value)

        return read


class LenientInteger(TypeDecorator[int]):
    """An integer column, whose name is written as "metrics.step"."""

    impl = BigInteger
    cache_ok = True

    def __init__(self, column: str, mistyped: MistypedValues) -> None:
        super().__init__()
        self.column = column
        self.mistyped = mistyped

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], int | None]:
        column, note = self.column, self.mistyped.note

        def read(value: Any) -> int | None:
            if value is None or type(value) is int:
                return value
            return _noted(integer_of(value), value, column, note)

        return read


class LenientFloat(TypeDecorator[float]):
    """A float column, whose name is written as "metrics.value"."""

    impl = Float
    cache_ok = True

    def __init__(self, column: str, mistyped: MistypedValues) -> None:
        super().__init__()
        self.column = column
        self.mistyped = mistyped

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], float | None]:
        column, note = self.column, self.mistyped.note

        def read(value: Any) -> float | None:
            if value is None or type(value) is float:
                return value
            return _noted(float_of(value), value, column, note)

        return read


def _noted(number: _Number | None, value: object, column: str, note: Callable[[str, object], None]) -> _Number | None:
    if number is None:
        note(column, value)
    return number


def text_of(value: object) -> str:
    """Return a stored value as text; None as the empty text."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return "" if value is None else str(value)


def float_of(value: object) -> float | None:
    """Return a stored value as a float, None when it is not a number. Text may be one, in a column without a type."""
    if isinstance(value, str):
        return number_of(value) if len(value) <= _LONGEST_NUMBER else None
    return float(value) if isinstance(value, (int, float, Decimal)) else None


def integer_of(value: object) -> int | None:
    """Return a stored value as an integer without its fraction; None when it is no number, or too large for SQLite."""
    if isinstance(value, str):
        number = float_of(value)
        try:
            value = number if number is None else int(value)  # a float would lose digits
        except ValueError:
            value = number
    if isinstance(value, Decimal) or (isinstance(value, float) and math.isfinite(value)):
        value = int(value)  # servers calculate integers of more than 64 bits as decimals
    return value if isinstance(value, int) and MIN_INTEGER <= value <= MAX_INTEGER else None
