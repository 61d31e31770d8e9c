"""Values as text: nothing raises, different things look different, and nothing acts on the terminal."""

from __future__ import annotations

import math
import sys
import unicodedata
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from mldeck.format import (
    RUNNING_WIDTH,
    Neighbours,
    age_change,
    age_or_date_text,
    age_text,
    age_width,
    cell_width,
    clusters,
    cut,
    cut_middle,
    date_text,
    duration_text,
    escaped,
    exact_duration_text,
    exact_float_text,
    float_text,
    mean_of,
    number_format,
    numbers_of,
    running_change,
    running_text,
    safe,
    safe_lines,
    size_text,
    sorted_by_value,
    time_text,
    unescaped,
    unsafe_removed,
)

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
INTEGERS = st.integers(-(2**63), 2**63 - 1)
HOSTILE = st.text(st.one_of(st.characters(), st.sampled_from("\x1b\x07\x7f\x9b\n\r\t\u202e\u2066\u061c\ufeff\ud800")))
PIECES = st.lists(
    st.sampled_from(
        ["a", "表", "❤", "\ufe0f", "\u200d", "👩", "👧", "🏽", "\u0301", "\u1112", "\u1161", "\u11ab", "1", "\u20e3"]
    ),
    max_size=12,
).map("".join)
"""Characters whose width depends on what stands beside them."""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (-12.0, "-12"),
        (123456789012345.0, "123456789012345"),
        (1e15, "1e15"),
        (0.5, "0.5"),
        (0.1 + 0.2, "0.3"),
        (0.873, "0.873"),
        (5.912437, "5.912"),
        (12345.678, "12345.7"),
        (1234567.25, "1234567.2"),
        (0.00012345678, "0.0001235"),
        (3e-5, "3e-5"),
        (1.23456789e-7, "1.235e-7"),
        (1e-300, "1e-300"),
        (5e-324, "4.941e-324"),
        (2.5e20, "2.5e20"),
        (1.7976931348623157e308, "1.798e308"),
        (-0.25, "-0.25"),
        (0.99999999, "1.0"),
        (math.nan, "NaN"),
        (math.inf, "inf"),
        (-math.inf, "-inf"),
    ],
)
def test_float_text(value: float, text: str) -> None:
    assert float_text(value) == text


@given(st.floats())
def test_every_float_has_a_text_close_to_it(value: float) -> None:
    text = float_text(value)
    assert text
    if math.isfinite(value):
        # Rounding the largest floats to four digits leads beyond them.
        assert float(text) == pytest.approx(value, rel=1e-3, abs=0) or abs(value) > 1.797e308
    else:
        assert float(text) == value or (math.isnan(value) and text == "NaN")


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(-1e-3, 1e-3))
def test_floats_that_differ_in_four_digits_look_different(value: float, change: float) -> None:
    other = value * (1 + change)
    if math.isfinite(other) and f"{value:.3e}" != f"{other:.3e}" and value != other:
        assert float_text(value) != float_text(other)


@given(st.integers(-(10**15) + 1, 10**15 - 1))
def test_integers_stay_integers(value: int) -> None:
    assert float_text(float(value)) == exact_float_text(float(value)) == str(value)


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([0.8773235086692945, 0.9, 0.512345], ["0.8773", "0.9000", "0.5123"]),
        ([0.8773235086692945, 0.0512345], ["0.87732", "0.05123"]),
        ([12.345678, 0.567891, 0.0456789], ["12.346", "0.568", "0.046"]),
        ([-0.00504179, -0.0050560123], ["-0.005042", "-0.005056"]),
        ([-0.0927123, -0.301234], ["-0.09271", "-0.30123"]),
        ([0.5, 0.25], ["0.50", "0.25"]),
        ([0.1 + 0.2, 0.5], ["0.3", "0.5"]),
        ([1.0, 20.0, -3.0], ["1", "20", "-3"]),
        ([1.0, 0.8773235], ["1", "0.8773"]),
        ([1.0, 0.99999], ["1", "0.99999"]),
        ([100.5, 0.0123456, 3e-5], ["100.50", "0.01235", "3e-5"]),
        ([0.91234561, 0.91234562], ["0.91234561", "0.91234562"]),
        ([1234567.25, 2e300, -math.inf, math.nan], ["1234567.2", "2e300", "-inf", "NaN"]),
        ([], []),
    ],
)
def test_numbers_of_a_column_have_one_precision(values: list[float], texts: list[str]) -> None:
    assert list(map(number_format(values).text, values)) == texts


def test_rounding_errors_are_not_told_apart() -> None:
    values = [0.1 + 0.2, 0.3, 0.125]
    assert list(map(number_format(values, tells_apart=False).text, values)) == ["0.300", "0.300", "0.125"]


@pytest.mark.parametrize(
    ("value", "text"), [(0.25, "+0.25"), (-0.25, "-0.25"), (0.0, "0"), (-0.0, "0"), (3e-5, "+3e-5")]
)
def test_differences_have_a_sign(value: float, text: str) -> None:
    assert number_format([value]).signed(value) == text


@given(st.lists(st.one_of(st.floats(), st.floats(-10, 10)), max_size=8))
def test_numbers_that_differ_look_different(values: list[float]) -> None:
    form = number_format(values)
    finite = {value for value in values if math.isfinite(value)}
    assert len(set(map(form.text, finite))) == len(finite)


@given(st.lists(st.floats(-1e6, 1e6), max_size=8))
def test_no_number_looks_like_zero_and_none_gains_a_point(values: list[float]) -> None:
    form = number_format(values, tells_apart=False)
    for value in values:
        text = form.text(value)
        assert (float(text) == 0) == (value == 0)
        assert value != int(value) or "." not in text


@given(st.lists(st.floats(), max_size=4), st.lists(st.floats(), max_size=4))
def test_a_grown_format_tells_apart_what_each_did(left: list[float], right: list[float]) -> None:
    form = number_format(left).grown(number_format(right))
    for values in (left, right):
        finite = {value for value in values if math.isfinite(value)}
        assert len(set(map(form.text, finite))) == len(finite)


@given(st.floats(1, 1e14))
def test_neighbours_are_told_apart(value: float) -> None:
    neighbour = math.nextafter(value, math.inf)
    form = number_format([value, neighbour])
    assert form.text(value) != form.text(neighbour)


@given(st.floats())
def test_the_exact_text_can_be_typed_in_again(value: float) -> None:
    read = float(exact_float_text(value))
    assert read == value or (math.isnan(read) and math.isnan(value))


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.0 kB"),
        (9_949, "9.9 kB"),
        (9_950, "10 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (5_240_000_000, "5.2 GB"),
        (3 * 10**18, "3000 PB"),
    ],
)
def test_sizes(size: int, expected: str) -> None:
    assert size_text(size) == expected


@pytest.mark.parametrize(
    ("milliseconds", "short", "exact"),
    [
        (0, "0ms", "0.000s"),
        (850, "850ms", "0.850s"),
        (999, "999ms", "0.999s"),
        (SECOND, "1.0s", "1.000s"),
        (12_345, "12.3s", "12.345s"),
        (59_999, "59.9s", "59.999s"),
        (MINUTE, "1m 00s", "1m 00.000s"),
        (4 * MINUTE + 5_600, "4m 05s", "4m 05.600s"),
        (HOUR - 1, "59m 59s", "59m 59.999s"),
        (HOUR, "1h 00m", "1h 00m 00.000s"),
        (HOUR + 2 * MINUTE + 3_456, "1h 02m", "1h 02m 03.456s"),
        (DAY, "1d 0h", "24h 00m 00.000s"),
        (2 * DAY + 4 * HOUR + 59 * MINUTE, "2d 4h", "52h 59m 00.000s"),
        (-1_500, "-1.5s", "-1.500s"),
    ],
)
def test_durations(milliseconds: int, short: str, exact: str) -> None:
    assert (duration_text(milliseconds), exact_duration_text(milliseconds)) == (short, exact)


NOW = 1_700_000_000_000


@pytest.mark.parametrize(
    ("age", "text"),
    [
        (0, "0s"),
        (999, "0s"),
        (59 * SECOND, "59s"),
        (MINUTE, "1m"),
        (59 * MINUTE + 59 * SECOND, "59m"),
        (HOUR, "1h"),
        (23 * HOUR, "23h"),
        (DAY, "1d"),
        (14 * DAY - 1, "13d"),
        (14 * DAY, "2w"),
        (60 * DAY, "8w"),
        (61 * DAY, "2mo"),
        (364 * DAY, "11mo"),
        (366 * DAY, "12mo"),
        (730 * DAY, "23mo"),
        (731 * DAY, "2y"),
        (10_000 * DAY, "27y"),
    ],
)
def test_ages(age: int, text: str) -> None:
    assert age_text(NOW - age, NOW) == text


def test_old_and_future_times_are_dates() -> None:
    assert age_or_date_text(NOW - 14 * DAY + 1, NOW) == "13d"
    assert age_text(NOW + 2 * DAY, NOW) == date_text(NOW + 2 * DAY)
    for timestamp in (NOW - 14 * DAY, NOW + 2 * DAY):
        assert age_or_date_text(timestamp, NOW) == date_text(timestamp)
        assert time_text(timestamp).startswith(date_text(timestamp))
        assert len(date_text(timestamp)) == len("2023-11-14")


@given(INTEGERS, INTEGERS)
def test_no_time_raises(timestamp: int, now: int) -> None:
    for text in (age_text(timestamp, now), date_text(timestamp), time_text(timestamp)):
        assert text
    assert duration_text(timestamp)
    assert exact_duration_text(timestamp)


@given(st.integers(-DAY, 3_000 * DAY))
def test_an_age_changes_when_it_says(age: int) -> None:
    change = age_change(NOW - age, NOW)
    assert change.at > NOW
    assert age_text(NOW - age, change.at - 1) == age_text(NOW - age, NOW)
    assert age_text(NOW - age, change.at) != age_text(NOW - age, NOW)


@given(st.integers(-DAY, 15 * DAY))
def test_what_runs_changes_when_it_says(size: int) -> None:
    change = running_change(NOW - size, NOW)
    assert change.at > NOW
    assert running_text(NOW - size, change.at - 1) == running_text(NOW - size, NOW)
    assert running_text(NOW - size, change.at) != running_text(NOW - size, NOW)


@given(st.integers(0, 60 * DAY) | st.integers(300 * DAY, 310 * DAY) | st.integers(0, 9_999 * DAY), st.integers(0, DAY))
def test_ages_that_go_on_have_room(age: int, later: int) -> None:
    assert len(age_text(NOW - age, NOW + later)) <= age_width(NOW - age, NOW)


@given(st.integers(0, 99 * DAY))
def test_durations_that_go_on_have_room(age: int) -> None:
    assert len(running_text(NOW - age, NOW) or "") <= RUNNING_WIDTH


@pytest.mark.parametrize(("size", "text"), [(0, "0s"), (2_999, "2s"), (MINUTE, "1m 00s"), (HOUR, "1h 00m"), (-1, None)])
def test_what_runs_has_no_tenths(size: int, text: str | None) -> None:
    assert running_text(NOW - size, NOW) == text


def test_a_number_that_is_no_time_is_shown_as_it_is() -> None:
    assert time_text(2**62) == date_text(2**62) == str(2**62)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("it's [bold]x[/bold] 100%", "it's [bold]x[/bold] 100%"),
        ("résnet 雪 🚀", "résnet 雪 🚀"),
        ("a\nb\tc\r", "a↵b→c␍"),
        ("\x1b[31mred", "␛[31mred"),
        ("\x1b]52;c;aGk=\x07", "␛]52;c;aGk=␇"),
        ("\x00\x7f", "␀␡"),
        ("\x9b31m", "�31m"),
        ("abc\u202edef", "abc�def"),
        ("a\u061cb", "a�b"),
        ("zero\u200bwidth", "zero�width"),
        ("\ud800", "�"),
        ("soft\xadhyphen", "soft�hyphen"),
    ],
)
def test_safe(text: str, shown: str) -> None:
    assert safe(text) == shown


JOINED = [
    ("می\u200cخواهم", "می\u200cخواهم"),
    ("ه\u200d.ش", "ه\u200c.ش"),
    ("ශ්\u200dරී", "ශ්\u200cරී"),
    ("👩\u200d👩\u200d👧", "👩\u200c👩\u200c👧"),
    ("🏳\ufe0f\u200d🌈", "🏳\ufe0f\u200c🌈"),
    ("👩🏽\u200d💻", "👩🏽\u200c💻"),
    # Where they are no part of how anything is written they can only hide something.
    ("a\u200cb", "a�b"),
    ("a\u200db", "a�b"),
    ("م\u200c\u200cخ", "م\u200c�خ"),
    ("👩\u200d", "👩�"),
    ("\u200d👩", "�👩"),
    ("👩\u200dx", "👩�x"),
    ("\u061c\u200c", "��"),
]


@pytest.mark.parametrize(("text", "shown"), JOINED)
def test_what_belongs_to_the_script_is_no_damage(text: str, shown: str) -> None:
    assert safe(text) == shown
    assert safe(shown) == shown
    assert unescaped(escaped(text)) == text
    assert safe(escaped(text)) == escaped(text)


@example("\u200dم\u200c")
@given(st.lists(st.sampled_from([*"a表👩🏽❤مශ්\ufe0f\u200c\u200d\u061c\x1b"]), max_size=10).map("".join))
def test_joiners_leave_no_doubt_about_widths(text: str) -> None:
    shown = safe(text)
    assert safe(shown) == shown
    assert len(shown) == len(text)
    assert "\u200d" not in shown
    assert unescaped(escaped(text)) == text
    assert safe(escaped(text)) == escaped(text)
    assert cell_width(shown) == sum(cells for _, cells in clusters(shown))
    assert cell_width(unsafe_removed(text)) == cell_width(text)
    assert safe(unsafe_removed(text)) == unsafe_removed(text)


def test_a_field_shows_what_joins_as_it_is() -> None:
    assert escaped("می\u200cخواهم") == "می\u200cخواهم"
    assert escaped("👩\u200d👧") == "👩⟦200D⟧👧"


def test_safe_lines_keep_their_newlines() -> None:
    assert safe_lines("a\r\nb\x1b\n\tc") == "a\nb␛\n    c"


@given(HOSTILE)
def test_nothing_acts_on_the_terminal(text: str) -> None:
    shown = safe(text)
    assert not {unicodedata.category(each) for each in shown} & {"Cc", "Cs", "Zl", "Zp"}
    assert not {unicodedata.bidirectional(each) for each in shown} & {
        *("LRE", "RLE", "LRO", "RLO", "PDF"),
        *("LRI", "RLI", "FSI", "PDI"),
    }
    assert not set("\u061c\u200e\u200f\u200b\ufeff") & set(shown)
    assert len(shown) == len(text)
    assert safe(shown) == shown
    shown.encode()


@given(HOSTILE)
def test_safe_lines_are_safe_line_by_line(text: str) -> None:
    for line in safe_lines(text).split("\n"):
        assert safe(line) == line


@pytest.mark.parametrize(
    ("text", "width"),
    [("", 0), ("abc", 3), ("雪", 2), ("résnet", 6), ("re\u0301snet", 6), ("🚀", 2), ("ｆ", 2), ("\u0939\u0941", 1)]
    + [("✔\ufe0e", 1), ("❤\ufe0f", 2), ("1\ufe0f\u20e3", 2), ("\u1112\u1161\u11ab", 2), ("👍🏽", 2)]
    + [("👩\u200d👩\u200d👧", 2), ("\u0915\u093f", 1), ("a\x1bb", 2)],
)
def test_cell_width(text: str, width: int) -> None:
    """As wide as everything else on screen takes it to be."""
    assert cell_width(text) == cell_len(text) == width


@given(PIECES)
def test_clusters_are_all_of_a_text(text: str) -> None:
    found = list(clusters(text))
    assert "".join(each for each, _ in found) == text
    assert sum(cells for _, cells in found) == cell_width(text)
    assert all(cells == cell_width(each) <= 2 for each, cells in found)


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("rmse", 4, "rmse"),
        ("learning_rate", 6, "learn…"),
        ("learning rate", 10, "learning…"),
        ("表表表", 6, "表表表"),
        ("表表表", 5, "表表…"),
        ("表表表", 4, "表…"),
        ("e\u0301e\u0301e\u0301", 2, "e\u0301…"),
        ("❤\ufe0f❤\ufe0f", 4, "❤\ufe0f❤\ufe0f"),
        ("❤\ufe0f❤\ufe0f", 3, "❤\ufe0f…"),
        ("❤\ufe0f❤\ufe0f", 2, "…"),
        ("\u1112\u1161\u11ab\u1100\u1173\u11af", 3, "\u1112\u1161\u11ab…"),
        ("x", 0, ""),
        ("xyz", 1, "…"),
    ],
)
def test_what_is_cut_says_so(text: str, width: int, shown: str) -> None:
    assert cut(text, width) == shown


@given(PIECES.map(safe), st.integers(-3, 20))
def test_no_text_is_wider_than_it_may_be(text: str, width: int) -> None:
    assert cell_width(cut(text, width)) <= max(0, width)


MIXED = ["b", "10", None, "9", "a", "1e1", "nan", "1_000", ""]


def test_numbers_come_before_texts_and_what_is_missing_last() -> None:
    assert sorted_by_value(MIXED, lambda each: each) == ["9", "10", "1e1", "", "1_000", "a", "b", "nan", None]
    turned = sorted_by_value(MIXED, lambda each: each, descending=True)
    assert turned == ["10", "1e1", "9", "nan", "b", "a", "1_000", "", None]
    assert [str(each) for each in sorted_by_value([math.nan, 2.0, None, 1.0], lambda each: each)] == [
        "1.0", "2.0", "nan", "None",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "numbers"),
    [
        (["1", "None", "", "2.5", None], [1.0, None, None, 2.5, None]),
        (["1", "NULL", " none "], [1.0, None, None]),
        (["1", "1_000"], None),
        (["None", ""], None),
        (["1", "auto"], None),
    ],
)
def test_a_word_for_none_leaves_numbers_numbers(values: list[str | None], numbers: list[float | None] | None) -> None:
    assert numbers_of(values) == numbers


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
@example([sys.float_info.max] * 3)
@example([sys.float_info.max, -sys.float_info.max, 1.0])
def test_a_mean_never_overflows(values: list[float]) -> None:
    exact = sum(map(Fraction, values), Fraction(0)) / len(values)
    slack = Fraction(max(map(abs, values))) / 2**50 + Fraction(1, 2**1070)
    assert abs(Fraction(mean_of(values)) - exact) <= slack


# -- names in too little room

_PATHS = [
    "Default",
    "/Users/me@corp.com/churn-baseline",
    "/Users/me@corp.com/churn-deep",
    "/Users/me@corp.com/forecast",
]


@pytest.mark.parametrize(
    ("names", "width", "expected"),
    [
        (["fox", "newt"], 8, ["fox", "newt"]),
        (["candidate-one", "other"], 8, ["cand…one", "other"]),
        (["candidate-one", "candidate-two"], 9, ["ca…te-one", "ca…te-two"]),
        (["candidate-one", "candidate-two"], 4, ["…one", "…two"]),
        (["same-name", "same-name"], 5, ["sa…me", "sa…me"]),
        (["sweep-lr=0.1-seed-1", "sweep-lr=0.1-seed-2", "x"], 8, ["sw…eed-1", "sw…eed-2", "x"]),
        (["run-1", "run-10", "run-100"], 4, ["r…-1", "r…10", "…100"]),
        (["", "a"], 4, ["", "a"]),
        (["日本語の実験一", "日本語の実験二"], 8, ["日…験一", "日…験二"]),
        (_PATHS, 14, ["Default", "/Us…n-baseline", "/Use…hurn-deep", "/Us…m/forecast"]),
        (_PATHS, 22, ["Default", "/Users/…churn-baseline", "/Users/…com/churn-deep", "/Users/…p.com/forecast"]),
        (
            ["xgb-depth=3-eta=0.1-sub=0.8-seed-42", "xgb-depth=5-eta=0.1-sub=0.8-seed-42"],
            14,
            ["…3-eta=…eed-42", "…5-eta=…eed-42"],
        ),
    ],
)
def test_names_are_cut_where_they_are_alike(names: list[str], width: int, expected: list[str]) -> None:
    neighbours = Neighbours(names)
    assert [neighbours.cut(name, width) for name in names] == expected


@given(st.lists(st.one_of(HOSTILE, PIECES, st.text(max_size=30)), max_size=8), st.integers(-1, 24))
def test_cut_names_fit_and_are_safe(names: list[str], width: int) -> None:
    neighbours = Neighbours(names)
    for name in names:
        short = neighbours.cut(name, width)
        assert cell_width(short) <= max(0, width)
        assert short == safe(short)
        assert short == safe(name) or cell_width(safe(name)) > width


@example([200, 210, 400, 410], 4, "-end-of-it")
@given(
    st.lists(st.integers(0, 999), min_size=2, max_size=8, unique=True),
    st.integers(4, 30),
    st.sampled_from(["", "-end-of-it"]),
)
def test_names_that_differ_in_three_digits_stay_apart(numbers: set[int], width: int, end: str) -> None:
    names = [f"a-name-of-many-words-{number:03}{end}" for number in numbers]
    neighbours = Neighbours(names)
    assert len({neighbours.cut(name, width) for name in names}) == len(names)


def test_a_name_of_any_length_keeps_both_ends() -> None:
    assert Neighbours(["a" * 100_000]).cut("b" * 50_000 + "c" * 50_000, 9) == "bbbb…cccc"
    assert cut_middle("abcdefghij", 5) == "ab…ij"


def test_a_very_short_cut_begins_at_the_start_if_the_difference_is_near() -> None:
    aliases = Neighbours(["challenger", "champion-of-the-north"])
    assert [aliases.cut(alias, 5) for alias in ("challenger", "champion-of-the-north")] == ["chal…", "cham…"]
    assert aliases.cut("challenger", 7) == "chal…er"
    assert Neighbours(["candidate-1x", "candidate-2x"]).cut("candidate-2x", 3) == "…2x"
