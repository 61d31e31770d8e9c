"""Values that are not what their column says: SQLite keeps whatever it is given, and exporters and editors give it anything.

The types here are those of the columns of `Schema`, so that what is read is text, a whole number, a number, or missing, and
nobody behind the store has to look. What is no text is shown as text; what is no number is missing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import BigInteger, Dialect, Float, String
from sqlalchemy.types import TypeDecorator

from mldeck.format import number_of

_Number = TypeVar("_Number", int, float)

_LONGEST_NUMBER = 40
"""Characters of a text that may be a number."""
_SHOWN = 40
MIN_INTEGER, MAX_INTEGER = -(2**63), 2**63 - 1
"""What SQLite, and an array of whole numbers, can hold."""


class MistypedValues:
    """What was read instead of a number: the first such value of each column."""

    def __init__(self) -> None:
        self._found: dict[str, str] = {}

    def note(self, place: str, value: object) -> None:
        if place not in self._found:
            shown = text_of(value)
            self._found[place] = shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "…"

    @property
    def notices(self) -> tuple[str, ...]:
        return tuple(
            f"{place} holds what is no number ({shown}): it counts as missing"
            for place, shown in dict(self._found).items()
        )


class LenientText(TypeDecorator[str]):
    """Of a column that is never NULL, NULL reads as the empty text, too."""

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
    """A whole number in the column `place`."""

    impl = BigInteger
    cache_ok = True

    def __init__(self, place: str, mistyped: MistypedValues) -> None:
        super().__init__()
        self.place = place
        self.mistyped = mistyped

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], int | None]:
        place, note = self.place, self.mistyped.note

        def read(value: Any) -> int | None:
            if value is None or type(value) is int:
                return value
            return _noted(integer_of(value), value, place, note)

        return read


class LenientFloat(TypeDecorator[float]):
    """A number in the column `place`."""

    impl = Float
    cache_ok = True

    def __init__(self, place: str, mistyped: MistypedValues) -> None:
        super().__init__()
        self.place = place
        self.mistyped = mistyped

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], float | None]:
        place, note = self.place, self.mistyped.note

        def read(value: Any) -> float | None:
            if value is None or type(value) is float:
                return value
            return _noted(float_of(value), value, place, note)

        return read


def _noted(number: _Number | None, value: object, place: str, note: Callable[[str, object], None]) -> _Number | None:
    if number is None:
        note(place, value)
    return number


def text_of(value: object) -> str:
    """What a cell holds, as text; nothing is the empty text."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return "" if value is None else str(value)


def float_of(value: object) -> float | None:
    """None for what is no number. Text may be one: in a column without a type it stays text."""
    if isinstance(value, str):
        return number_of(value) if len(value) <= _LONGEST_NUMBER else None
    return float(value) if isinstance(value, (int, float)) else None


def integer_of(value: object) -> int | None:
    """The same, without what is behind the point; None, too, for what is too large for SQLite."""
    if isinstance(value, str):
        number = float_of(value)
        try:
            value = number if number is None else int(value)  # a float has no room for all of its digits
        except ValueError:
            value = number
    if isinstance(value, float) and math.isfinite(value):
        value = int(value)
    return value if isinstance(value, int) and MIN_INTEGER <= value <= MAX_INTEGER else None
