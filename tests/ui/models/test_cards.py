"""The cards of the board: every line has the right width, whatever its content."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mldeck.format import cell_width, safe
from mldeck.model import Run, RunRecord
from mldeck.registry.nouns import ModelVersion
from mldeck.ui.kit.clock import Clock
from mldeck.ui.models.cards import CARD_HEIGHT, Cards
from mldeck.ui.models.reading import CardMetric, Versions

NOW = 1_000_000_000_000
names = st.text(max_size=20)


@st.composite
def boards(draw: st.DrawFn) -> Versions:
    versions, records = [], {}
    for number in range(1, draw(st.integers(1, 4)) + 1):
        run_id = draw(st.none() | st.just(f"r{number}"))
        versions.append(
            ModelVersion(
                "m",
                draw(st.integers(0, 10**12)) * 10 + number,
                "None",
                status=draw(st.sampled_from(["READY", "FAILED_REGISTRATION"]) | names),
                creation_time=draw(st.none() | st.integers(0, 2 * NOW)),
                source=draw(st.none() | names),
                run_id=run_id,
                aliases=tuple(draw(st.lists(names, max_size=2))),
            )
        )
        if run_id is not None and draw(st.booleans()):
            metrics = {"acc": draw(st.floats())} if draw(st.booleans()) else {}
            records[run_id] = RunRecord(Run(run_id, draw(names), "1", "FINISHED", "active"), metrics)
    return Versions("m", tuple(versions), records, CardMetric("acc", draw(st.none() | st.booleans())))


@given(boards(), st.integers(10, 44), st.booleans(), st.integers(0, 10_000))
def test_every_line_is_as_wide_as_the_card(data: Versions, width: int, is_cursor: bool, below: int) -> None:
    cards = Cards(data, Clock(lambda: NOW))
    for row in range(len(data.versions)):
        for line in range(CARD_HEIGHT):
            cells = cards.line(row, line, width, edge="dim", is_cursor=is_cursor, below=below)
            text = "".join(cell.text for cell in cells)
            # The number of a version is never cut.
            assert cell_width(text) == width or (line == 0 and len(str(data.versions[row].version)) + 5 > width)
            assert safe(text) == text


def one(value: float, width: int, *others: float) -> str:
    values = (value, *others)
    versions = tuple(ModelVersion("m", number, "None", run_id=str(number)) for number in range(len(values)))
    records = {
        str(number): RunRecord(Run(str(number), "r", "1", "FINISHED", "active"), {"acc": each})
        for number, each in enumerate(values)
    }
    cards = Cards(Versions("m", versions, records, CardMetric("acc", True)), Clock(lambda: NOW))
    return "".join(cell.text for cell in cards.line(0, 2, width, edge="", is_cursor=False, below=0))


def test_decimal_points_are_aligned() -> None:
    assert one(0.5, 20, 0.125).endswith("0.500 │")
    assert one(5.0, 20, 0.125).endswith("5     │")
    assert one(0.125, 20, 0.5).endswith("0.125 │")


def test_the_best_value_is_marked() -> None:
    assert "★ 0.50" in one(0.5, 20, 0.25)
    assert "★" not in one(0.25, 20, 0.5)


def test_a_number_is_rounded_rather_than_cut() -> None:
    assert one(0.12345678901, 10, 0.12345678902) == "│0.123457│"


def test_the_name_of_the_metric_is_never_cut() -> None:
    assert one(0.5, 20).startswith("│ acc")
    assert "a" not in one(0.123456, 10)
