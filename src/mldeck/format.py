"""Show values as text in the same way everywhere: numbers, times, durations, and strings from the database.

Standard library only; Rich is imported when the width of a non-ASCII text is needed.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timezone
from functools import cached_property
from itertools import islice
from operator import itemgetter
from typing import NamedTuple, TypeVar

_Item = TypeVar("_Item")

Value = str | float | None
"""A param's text, a metric's number, or nothing logged."""

MISSING = "–"
"""Shown for a value that was not logged, to distinguish it from NaN, inf and an empty text."""

_SECOND, _MINUTE, _HOUR, _DAY = 1_000, 60_000, 3_600_000, 86_400_000
_SIZE_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
LEAST_DIGITS = 4
"""The smallest number of significant digits shown of numbers that have more."""
_MAX_DIGITS = 17
"""Enough decimal digits to distinguish any two floats."""
_EXPONENT_BELOW, _EXPONENT_FROM = 1e-4, 1e15
"""The sizes of numbers that are written without an exponent."""

_LONGEST_NAME = 1_000
"""Characters of a name of which the middle may be shown; of a longer one only both ends are."""
_MOST_NEIGHBOURS = 2_000
_LAST = "\U0010ffff"
_CONTEXT = 2
"""Characters shown before the first one that tells a name apart."""
_SHORT, _ROOMY = 6, 14
"""Cells that are too few for two ellipses, and enough for a little of the text that is the same in other names."""

_MAX_MESSAGE = 600
"""Characters of a message."""

_JOINING = "[\u0620-\u180d\u180f-\u1cff]"
"""Letters and marks of scripts that use joiners: from Arabic to those of India and south-east Asia."""
_PICTOGRAPH = "[\u2194\u2195\u2600-\u27bf\u2b1b\ufe0f\U0001f000-\U0001faff]"
_JOINER = f"(?:(?<={_JOINING})[\u200c\u200d]|(?<={_PICTOGRAPH})[\u200c\u200d](?={_PICTOGRAPH}))"
_UNSAFE_CHARACTERS = (
    "["
    "\x00-\x1f\x7f-\x9f"  # control characters: could move the cursor, retitle the window, write to the clipboard
    # Invisible characters, and those that change the direction of the text:
    "\xad\u061c\u180e\u200b-\u200f\u2028\u2029\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f\ud800-\udfff"
    "]"
)
_UNSAFE = re.compile(f"(?P<joiner>{_JOINER})|{_UNSAFE_CHARACTERS}")
_NON_JOINER = "\u200c"
_UNSAFE_OR_SKIPPED = re.compile("(?s:\u200d.?)|" + _UNSAFE.pattern)
"""Unsafe characters, a joiner together with the character behind it: Rich counts that character as drawn with the previous."""
_PICTURES = {"\n": "↵", "\r": "␍", "\t": "→", "\x1b": "␛", "\x7f": "␡"}


def safe(text: str) -> str:
    """Return the text as one line that is safe to print: control and invisible characters become visible symbols.

    Joiners between letters or pictographs belong to the text, but terminals disagree about the width of joined characters.
    Each such joiner is therefore replaced by a non-joiner: the emoji of a family becomes its members.
    """
    if text.isascii() and text.isprintable():
        return text
    return _UNSAFE.sub(_picture, text)


def message_text(text: str) -> str:
    """Return a message as one safe line of at most 600 characters; it may quote a text of any length."""
    return safe(text if len(text) <= _MAX_MESSAGE else text[:_MAX_MESSAGE] + "…")


def safe_lines(text: str) -> str:
    """Return a text that is safe to print and keeps its line breaks; tabs become spaces."""
    return "\n".join(safe(line.expandtabs(4)) for line in text.splitlines())


_ESCAPED = re.compile("⟦([0-9A-F]{2,6})⟧")
_BRACKET = "⟦"


def escaped(text: str, kept: str = "") -> str:
    """Return the text for an input field: unsafe characters are replaced by their code, as in `⟦1B⟧`.

    `unescaped` restores them. Characters in `kept` are not replaced, for example line breaks in a field of several lines.
    """
    if text.isascii() and text.isprintable():
        return text
    text = text.replace(_BRACKET, _code(_BRACKET))
    return _UNSAFE.sub(lambda found: found.group() if _is_kept(found, kept) else _code(found.group()), text)


def _is_kept(found: re.Match[str], kept: str) -> bool:
    return found.group() in kept or (found["joiner"] == _NON_JOINER)


def unescaped(text: str) -> str:
    """Return the text that `escaped` was given. Codes that `escaped` never writes are left as they were typed."""
    return _ESCAPED.sub(lambda found: _character(found) or found.group(), text)


def _code(character: str) -> str:
    return f"{_BRACKET}{ord(character):02X}⟧"


def _character(found: re.Match[str]) -> str | None:
    code = int(found.group(1), 16)
    character = chr(code) if code <= 0x10FFFF else ""
    is_escaped = character == _BRACKET or _UNSAFE.fullmatch(character) is not None
    return character if is_escaped and _code(character) == found.group() else None


def unsafe_removed(text: str) -> str:
    """Replace every unsafe character by as many U+FFFD as it has cells, so that the width of the text does not change."""
    if text.isascii() and text.isprintable():
        return text
    removed = _UNSAFE_OR_SKIPPED.sub(lambda found: found["joiner"] or "\ufffd" * cell_width(found.group()), text)
    # A joiner is unsafe once the letter before it was removed.
    return removed if removed == text else unsafe_removed(removed)


def _picture(found: re.Match[str]) -> str:
    if found["joiner"]:
        return _NON_JOINER
    character = found.group()
    if character in _PICTURES:
        return _PICTURES[character]
    code = ord(character)
    return chr(0x2400 + code) if code < 0x20 else "\ufffd"


def cell_width(text: str) -> int:
    """Return the number of terminal cells that a text takes, as Rich counts them for everything else on the screen."""
    if text.isascii() and text.isprintable():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def clusters(text: str) -> Iterator[tuple[str, int]]:
    """Yield each character together with the marks drawn on it (accents, variation selectors), and its width in cells."""
    whole, width = "", 0
    for character in text:
        longer = whole + character
        if whole and (cell_width(character) == 0 or cell_width(longer) == width):
            whole, width = longer, cell_width(longer)
            continue
        if whole:
            yield whole, width
        whole, width = character, cell_width(character)
    if whole:
        yield whole, width


def cut(text: str, width: int) -> str:
    """Return at most `width` cells of a safe text; an ellipsis replaces what was cut off."""
    if cell_width(text) <= width:
        return text
    if width < 1:
        return ""
    if text.isascii():
        return text[: width - 1].rstrip() + "…"
    kept, room = [], width - 1
    for cluster, cells in clusters(text):
        room -= cells
        if room < 0:
            break
        kept.append(cluster)
    return "".join(kept).rstrip() + "…"


def cut_middle(text: str, width: int, distinct: int = 0) -> str:
    """Return at most `width` cells of a safe text; an ellipsis replaces its middle.

    `distinct` is the index of the character that tells it apart from others. That is kept, with as much after it as fits; if
    necessary, a second ellipsis replaces what is between it and the end.
    """
    if cell_width(text) <= width:
        return text
    if width < 1:
        return ""
    room = width - 1
    end = room // 2
    start = cell_width(text[: distinct + 1])
    if start > room - end:
        rest = text[distinct:]
        if start <= min(room, _SHORT) and cell_width(rest) > room:
            return f"{_start_of(text, start)}…{_end_of(text, room - start)}"
        if cell_width(rest) > room:
            if room < _SHORT:
                return f"…{_start_of(rest, room)}"
            context, lead = (_CONTEXT, room // 5) if room >= _ROOMY else (0, 0)
            wanted = text[max(0, distinct - context) :]
            return f"{_start_of(text, lead)}…{cut_middle(wanted, room - lead, context)}"
        # The start is the same in others.
        end = max(room - room // 3, min(room, cell_width(rest) + _CONTEXT))
    return f"{_start_of(text, room - end).rstrip()}…{_end_of(text, end)}"


def _start_of(text: str, width: int) -> str:
    """Return as many characters from the start of a safe text as fit into `width` cells."""
    if text.isascii():
        return text[:width]
    return "".join(_fitting(clusters(text), width))


def _end_of(text: str, width: int) -> str:
    if text.isascii():
        return text[max(0, len(text) - width) :]
    return "".join(reversed(list(_fitting(reversed(list(clusters(text))), width))))


def _fitting(pieces: Iterable[tuple[str, int]], width: int) -> Iterator[str]:
    for piece, cells in pieces:
        width -= cells
        if width < 0:
            return
        yield piece


class Neighbours:
    """The texts of a list. Each is cut so that what tells it apart from the others is kept.

    They are looked at when the first text has to be cut, the first 2,000 of them.
    """

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._texts = tuple(islice(texts, _MOST_NEIGHBOURS))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Neighbours) and self._texts == other._texts

    def __hash__(self) -> int:
        return hash(self._texts)

    @cached_property
    def _sorted(self) -> list[str]:
        return sorted(set(map(_safe_name, self._texts)))

    def cut(self, text: str, width: int) -> str:
        """Return at most `width` cells of a text, made safe."""
        text = _safe_name(text)
        return text if cell_width(text) <= width else cut_middle(text, width, self._distinct(text))

    def _distinct(self, text: str) -> int:
        """Return the index from which on it differs from all other texts.

        It may differ from some of them a little earlier: of the numbers 200, 210 and 400 all digits are kept.
        """
        place = bisect_left(self._sorted, text)
        after = place + (self._sorted[place : place + 1] == [text])
        others = (*self._sorted[max(0, place - 1) : place], *self._sorted[after : after + 1])
        latest = max((_shared_start(text, other) for other in others), default=0)
        if latest == len(text):
            return latest  # the others go on after its end
        beginning = text[: max(0, latest - _CONTEXT)]
        alike = self._sorted[bisect_left(self._sorted, beginning) : bisect_right(self._sorted, f"{beginning}{_LAST}")]
        outermost = (alike[0], alike[-1]) if alike else ()
        return min((_shared_start(text, other) for other in outermost if other != text), default=latest)


def _shared_start(text: str, other: str) -> int:
    """Return the number of characters with which both texts begin."""
    differing = (place for place, (one, two) in enumerate(zip(text, other, strict=False)) if one != two)
    return next(differing, min(len(text), len(other)))


def _safe_name(text: str) -> str:
    if len(text) > _LONGEST_NAME:
        text = f"{text[: _LONGEST_NAME // 2]}…{text[-_LONGEST_NAME // 2 :]}"
    return safe(text)


class NumberFormat(NamedTuple):
    """How numbers that are shown together are written: all with the same number of decimals.

    Whole numbers have no point. A number of which fewer than two digits would be left has decimals of its own. Very small and
    very large numbers have an exponent: 3e-5 is never 0.00.
    """

    decimals: int = 1
    digits: int = LEAST_DIGITS
    """Significant digits of numbers with decimals of their own, or with an exponent."""

    def text(self, value: float) -> str:
        if not math.isfinite(value):
            return "NaN" if math.isnan(value) else "inf" if value > 0 else "-inf"
        size = abs(value)
        if size < _EXPONENT_FROM and value == int(value):
            return str(int(value))
        if not _EXPONENT_BELOW <= size < _EXPONENT_FROM:
            return _short_exponent(f"{value:.{self.digits}g}")
        if size >= 10.0 ** (1 - self.decimals):
            return f"{value:.{self.decimals}f}"
        text = f"{value:.{_decimals_of(size, self.digits)}f}".rstrip("0")
        return f"{text}0" if text[-1] == "." else text

    def signed(self, value: float) -> str:
        """Return a difference: with a sign, unless it is zero."""
        return f"+{self.text(value)}" if value > 0 else self.text(value)

    def grown(self, other: NumberFormat) -> NumberFormat:
        """Return a format for the numbers of both."""
        return NumberFormat(max(self.decimals, other.decimals), max(self.digits, other.digits))


def number_format(values: Iterable[float], *, tells_apart: bool = True) -> NumberFormat:
    """Return the format of numbers that are shown together, such as those of a column.

    The largest has 4 or 5 significant digits; all have more if different numbers would look alike. `tells_apart` is False for
    numbers that were computed: the last digits of differences and means are rounding errors.
    """
    distinct = {value for value in values if math.isfinite(value)}
    fractions = [value for value in distinct if value != int(value)]
    sizes = [size for size in map(abs, fractions) if _EXPONENT_BELOW <= size < _EXPONENT_FROM]
    low, high = min(sizes, default=1.0), max(sizes, default=1.0)
    for digits in range(LEAST_DIGITS, _MAX_DIGITS + 1):
        decimals = min(_decimals_of(low, digits), _decimals_of(high, digits) + 1)
        while decimals > 1 and all(f"{size:.{decimals}f}"[-1] == "0" for size in sizes):
            decimals -= 1
        form = NumberFormat(decimals, digits)
        texts: Iterable[str] = map(form.text, distinct) if tells_apart else ()
        if len(fractions) < len(distinct):
            texts = map(_without_zeros, texts)  # 1.0000 looks like 1
        if not tells_apart or len(set(texts)) == len(distinct):
            return form
    return NumberFormat(_decimals_of(low, _MAX_DIGITS), _MAX_DIGITS)


def float_text(value: float) -> str:
    """Return a number that is shown by itself, with at most 4 significant digits or all digits before the point."""
    return number_format((value,)).text(value)


def _decimals_of(size: float, digits: int) -> int:
    """Return the digits after the point, at least one, of a positive number with so many significant digits."""
    return max(1, digits - 1 - math.floor(math.log10(size)))


def _without_zeros(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text


def _short_exponent(text: str) -> str:
    mantissa, mark, exponent = text.partition("e")
    return f"{mantissa}e{int(exponent)}" if mark else text


def exact_float_text(value: float) -> str:
    """Return the number with all its digits: read back, it is the same float."""
    if math.isfinite(value) and value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return _short_exponent(repr(value)) if math.isfinite(value) else float_text(value)


def size_text(size: int) -> str:
    """Return a number of bytes with at most three digits before the point: 812 B, 1.5 kB, 23 MB, 5.2 GB (powers of 1000)."""
    value, index = float(size), 0
    while value >= 999.5 and index < len(_SIZE_UNITS) - 1:
        value /= 1000
        index += 1
    return f"{value:.{1 if index and value < 9.95 else 0}f} {_SIZE_UNITS[index]}"


def duration_text(milliseconds: int) -> str:
    """Return a duration in its one or two largest units: 850ms, 12.3s, 4m 05s, 3h 20m, 2d 4h."""
    sign, size = ("-" if milliseconds < 0 else ""), abs(milliseconds)
    if size < _SECOND:
        text = f"{size}ms"
    elif size < _MINUTE:
        text = f"{size // 100 / 10:.1f}s"
    elif size < _HOUR:
        text = f"{size // _MINUTE}m {size % _MINUTE // _SECOND:02d}s"
    elif size < _DAY:
        text = f"{size // _HOUR}h {size % _HOUR // _MINUTE:02d}m"
    else:
        text = f"{size // _DAY}d {size % _DAY // _HOUR}h"
    return sign + text


def exact_duration_text(milliseconds: int) -> str:
    """Return a duration to the millisecond: 1h 02m 03.456s."""
    sign, size = ("-" if milliseconds < 0 else ""), abs(milliseconds)
    minutes, rest = divmod(size, _MINUTE)
    seconds, thousandths = divmod(rest, _SECOND)
    if not minutes:
        return f"{sign}{seconds}.{thousandths:03d}s"
    hours, minutes = divmod(minutes, 60)
    text = f"{minutes:02d}m" if hours else f"{minutes}m"
    return f"{sign}{f'{hours}h ' if hours else ''}{text} {seconds:02d}.{thousandths:03d}s"


class TextChange(NamedTuple):
    """The next change of a text that depends on the current time."""

    at: int
    """When the text changes, in milliseconds since the epoch."""
    unit: int
    """The time until it changes again, about, in milliseconds."""


class _AgeUnit(NamedTuple):
    name: str
    size: int
    end: float
    """The age from which a larger unit is used, in milliseconds."""


_RECENT = 14 * _DAY
_YEAR = 365 * _DAY + 6 * _HOUR
_MONTH = _YEAR // 12
_AGE_UNITS = (
    _AgeUnit("s", _SECOND, _MINUTE),
    _AgeUnit("m", _MINUTE, _HOUR),
    _AgeUnit("h", _HOUR, _DAY),
    _AgeUnit("d", _DAY, _RECENT),
    _AgeUnit("w", 7 * _DAY, 2 * _MONTH),
    _AgeUnit("mo", _MONTH, 2 * _YEAR),
    _AgeUnit("y", _YEAR, math.inf),
)


def age_text(timestamp: int, now: int) -> str:
    """Return how long ago a time was, in one unit (12s, 5m, 3h, 6d, 2w, 3mo, 2y), or the local date of a future time."""
    age = now - timestamp
    if age < 0:
        return date_text(timestamp)
    unit = _age_unit(age)
    return f"{age // unit.size}{unit.name}"


def age_or_date_text(timestamp: int, now: int) -> str:
    """Return the age of a time in the last 14 days, and the local date of any other."""
    return age_text(timestamp, now) if 0 <= now - timestamp < _RECENT else date_text(timestamp)


def _age_unit(age: int) -> _AgeUnit:
    return next(unit for unit in _AGE_UNITS if age < unit.end)


def age_change(timestamp: int, now: int) -> TextChange:
    """Return when `age_text` will change next. `age_or_date_text` changes at no other time."""
    age = now - timestamp
    if age < 0:
        return TextChange(timestamp, _SECOND)
    unit = _age_unit(age)
    return TextChange(timestamp + int(min((age // unit.size + 1) * unit.size, unit.end)), unit.size)


def age_width(timestamp: int, now: int) -> int:
    """Return the largest width in cells that `age_text` has from now until a day later."""
    return max(len("59m"), len(age_text(timestamp, now)), len(age_text(timestamp, now + _DAY)))


def running_text(start: int, now: int) -> str | None:
    """Return how long something has been running, in whole seconds at first: 42s, 4m 05s. None before the start."""
    size = now - start
    if size < 0:
        return None
    return f"{size // _SECOND}s" if size < _MINUTE else duration_text(size)


def running_change(start: int, now: int) -> TextChange:
    """Return when `running_text` will change next."""
    size = now - start
    if size < 0:
        return TextChange(start, _SECOND)
    unit = _SECOND if size < _HOUR else _MINUTE if size < _DAY else _HOUR
    return TextChange(start + (size // unit + 1) * unit, unit)


RUNNING_WIDTH = len("59m 59s")
"""The largest width of `running_text` in the first hundred days, in cells."""


def date_text(timestamp: int) -> str:
    """Return the local date of a time in ms; a number that is not a valid time is returned as digits."""
    moment = local_time(timestamp)
    return str(timestamp) if moment is None else f"{moment:%Y-%m-%d}"


def time_text(timestamp: int) -> str:
    """Return the local date and time, to the second, of a time in ms; a number that is not a valid time as digits."""
    moment = local_time(timestamp)
    return str(timestamp) if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"


def time_or_missing(timestamp: int | None) -> str:
    return MISSING if timestamp is None else time_text(timestamp)


def local_time(timestamp: int) -> datetime | None:
    """Return a time in ms in the local time zone; None for a number that is not a valid time."""
    try:
        return datetime.fromtimestamp(timestamp / 1000, timezone.utc).astimezone()
    except (ValueError, OverflowError, OSError):
        return None


# -- texts that are numbers

_NUMBER = re.compile(r"\s*[-+]?([0-9]+([.][0-9]*)?|[.][0-9]+)(e[-+]?[0-9]+)?\s*", re.ASCII | re.IGNORECASE)
NUMBER_WORDS = {
    **dict.fromkeys(["", "none", "null"]),
    "nan": math.nan,
    "inf": math.inf,
    "+inf": math.inf,
    "-inf": -math.inf,
}
"""Words that may occur in a param of numbers, in lower case, and their values: None for words that mean "no number"."""


def number_of(value: Value) -> float | None:
    """Return the value as a number, None if it is not one. Filters and sorting read texts by the same rule."""
    if not isinstance(value, str):
        return value
    return float(value) if _NUMBER.fullmatch(value) else None


def mean_of(values: Sequence[float]) -> float:
    """Return the arithmetic mean of finite numbers, of which there is at least one. It never overflows."""
    half = math.fsum(value / 2 / len(values) for value in values)
    return max(min(values), min(max(values), 2 * half))


def numbers_of(values: Sequence[Value]) -> list[float | None] | None:
    """Return one number per value, None for missing ones; or None in all if some text is neither a number nor a word of
    `NUMBER_WORDS`, or if there are texts but no number among them."""
    numbers: list[float | None] = []
    found = False
    for value in values:
        number = number_of(value)
        found = found or number is not None
        if number is None and isinstance(value, str):
            word = value.strip().lower()
            if word not in NUMBER_WORDS:
                return None
            number = NUMBER_WORDS[word]
        numbers.append(number)
    return numbers if found or all(value is None for value in values) else None


def sorted_by_value(
    items: Iterable[_Item], value_of: Callable[[_Item], Value], *, descending: bool = False
) -> list[_Item]:
    """Sort as runs are sorted: numbers, then texts, then NaN, then missing values.

    `descending` reverses numbers and texts within their groups; the order of the groups stays.
    """
    numbers: list[tuple[float, _Item]] = []
    texts: list[tuple[str, _Item]] = []
    not_a_number: list[_Item] = []
    missing: list[_Item] = []
    for item in items:
        value = value_of(item)
        number = number_of(value)
        if value is None:
            missing.append(item)
        elif number is None:
            texts.append((str(value), item))
        elif math.isnan(number):
            not_a_number.append(item)
        else:
            numbers.append((number, item))
    numbers.sort(key=itemgetter(0), reverse=descending)
    texts.sort(key=itemgetter(0), reverse=descending)
    return [*(item for _, item in numbers), *(item for _, item in texts), *not_a_number, *missing]
