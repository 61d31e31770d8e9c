"""Runs in groups: which column they are grouped by, the summaries in the headings, and the order."""

from __future__ import annotations

import asyncio
import json
import statistics
from collections.abc import Callable
from pathlib import Path

import pytest

from mldeck.demo.project import make_demo
from mldeck.format import MISSING, NumberFormat, age_text
from mldeck.model import Column, Kind, MetricSummary
from mldeck.ui.details.run_cells import _NumberColumn, _Spread
from mldeck.ui.kit.clock import now_ms
from mldeck.ui.kit.dialogs.picker import PickerDialog, PickList
from mldeck.ui.runs import reading
from mldeck.ui.runs.table import RunTable
from mldeck.ui.state.columns import AGE, DURATION, ColumnChoice, ColumnSource
from mldeck.ui.state.saved_state import SavedState
from tests.fixture_stores import FixtureStore
from tests.store.test_groups import LONG, ODD, add_run, make_store
from tests.ui.deck import Deck, running_deck
from tests.ui.filter.test_filter_line import type_text
from tests.ui.runs.test_live import writing
from tests.ui.runs.test_screen import go_to_column

TAXI = "nyc-taxi-experiment"
RMSE = Column(Kind.METRIC, "rmse")
DEPTH = Column(Kind.PARAM, "max_depth")


@pytest.fixture
def taxi(store_copy: Callable[[str], FixtureStore]) -> Path:
    return store_copy("nyc-taxi").db


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A store whose groups have few values, none, or odd ones."""
    path = tmp_path / "mlflow.db"
    make_store(path, ODD).close()
    return path


def group_values(table: RunTable) -> list[str | None]:
    return [heading.value for heading in table.arrangement.headings.values()]


def heading_texts(table: RunTable, key: str) -> dict[str | None, str]:
    """Return the cells of the headings in the column of a metric, by the value of the group."""
    place = table.cells.columns.index(Column(Kind.METRIC, key))
    texts = {}
    for row, heading in table.arrangement.headings.items():
        cells = table.row_cells(row)
        assert cells is not None
        texts[heading.value] = cells[place].text
    return texts


async def group_by(deck: Deck, key: str) -> RunTable:
    table = deck.screen.table
    await deck.until(lambda: table.row_count and not deck.screen.run_pane.is_listing, "runs")
    await go_to_column(deck, key)
    await deck.press("B")
    await deck.until(lambda: table.arrangement.headings, "groups")
    return table


def runs_by_value(path: Path, key: str) -> dict[str | None, list[float]]:
    with writing(path) as connection:
        rows = connection.execute(
            "SELECT p.value, m.value FROM runs r JOIN latest_metrics m ON m.run_uuid = r.run_uuid AND m.key = ?"
            " LEFT JOIN params p ON p.run_uuid = r.run_uuid AND p.key = 'max_depth'"
            " WHERE r.experiment_id = 1 AND r.lifecycle_stage = 'active' AND m.is_nan = 0",
            (key,),
        ).fetchall()
    groups: dict[str | None, list[float]] = {}
    for value, number in rows:
        groups.setdefault(value, []).append(number)
    return groups


# -- which column


async def test_elsewhere_than_on_a_param_it_asks(taxi: Path) -> None:
    async with running_deck(taxi, experiment=TAXI) as deck:
        await deck.until_counted(45)
        await deck.press("right", "right", "B")
        await deck.until(lambda: isinstance(deck.app.screen, PickerDialog), "the picker")
        rows = deck.app.screen.query_one(PickList).rows
        assert rows[0].kind is Kind.PARAM
        assert [column.key.startswith("mlflow.") for column in rows] == sorted(
            column.key.startswith("mlflow.") for column in rows
        )
        assert {column.kind for column in rows} == {Kind.PARAM, Kind.TAG}
        await deck.press("escape")
        await deck.until(lambda: not isinstance(deck.app.screen, PickerDialog), "no picker")
        assert deck.app.session.layout.is_flat

        await deck.press("B")
        await type_text(deck, "max_dep")
        await deck.press("enter")
        table = deck.screen.table
        await deck.until(lambda: table.arrangement.headings, "groups")
        assert deck.app.session.layout.group_by == DEPTH
        assert table.visible_columns()[2] == 2, "the first metrics are in view"
        await deck.press("B")
        await deck.until(lambda: not table.arrangement.headings, "flat")
        assert table.cursor_key == RMSE, "where it was"


async def test_typed_ahead_the_name_goes_to_the_picker(taxi: Path) -> None:
    async with running_deck(taxi, experiment=TAXI) as deck:
        await deck.until_counted(45)
        await deck.press("B", *"max_depth", "enter")
        await deck.until(lambda: deck.screen.table.arrangement.headings, "groups")
        assert deck.app.session.layout.group_by == DEPTH


async def test_on_a_param_it_groups_by_that_and_back(taxi: Path) -> None:
    async with running_deck(taxi, experiment=TAXI) as deck:
        table = await group_by(deck, "max_depth")
        assert table.cursor_column == 1
        await deck.press("B")
        await deck.until(lambda: not table.arrangement.headings, "flat")
        assert table.cursor_key == DEPTH

        table.move_to(0, 1)
        await deck.press("B", *"max_depth", "enter")
        await deck.until(lambda: table.arrangement.headings, "groups")
        await deck.press("B")
        await deck.until(lambda: not table.arrangement.headings, "flat")
        assert table.cursor_column == 1, "it was on the name"


async def test_without_params_and_tags_it_says_so(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    make_store(path, [(None, 1.0)]).close()
    async with running_deck(path, experiment="e") as deck:
        await deck.until_counted(1)
        await deck.press("B")
        await deck.until_shown("no params or tags to group by")


# -- the headings


async def test_odd_values(odd: Path) -> None:
    async with running_deck(odd, size=(260, 40)) as deck:
        table = await group_by(deck, "size")
        texts = {value: text.strip() for value, text in heading_texts(table, "loss").items()}
        assert texts["alone"] == "7.25"
        assert texts["none logged"] == "–"
        assert texts["16"] == "NaN"
        assert texts["17"] == "inf"
        assert texts["18"] == "-inf"
        assert texts["19"] == "NaN"
        assert texts["8"].split() == ["0.50", "±0.25", "(3)", "0.25–0.75"]
        assert texts[LONG].split() == ["2", "±1.41", "1–3"]
        assert texts[LONG + "y"] == "5"
        name = table.columns[1].width
        cells = [table.row_cells(row) for row in table.arrangement.headings]
        names = [row[1].text for row in cells if row is not None]
        assert {len(text) for text in names} == {name}
        assert sum(text.endswith(" 2 runs") for text in names) == 7
        assert len([text for text in names if text.startswith("xxx")]) == 2
        assert len({text[:-7] for text in names}) == len(names), "long values that differ at their end look different"


async def test_the_numbers_are_those_of_statistics_and_aligned(taxi: Path) -> None:
    wanted = runs_by_value(taxi, "rmse")
    async with running_deck(taxi, experiment=TAXI, size=(200, 50)) as deck:
        table = await group_by(deck, "max_depth")
        texts = heading_texts(table, "rmse")
        width = table.columns[2].width
        counts = {heading.value: heading.count for heading in table.arrangement.headings.values()}
        assert len(wanted) > 5
        assert any(len(numbers) < counts[value] for value, numbers in wanted.items())
        for value, numbers in wanted.items():
            parts = [f"{statistics.mean(numbers):.6f}"]
            if len(numbers) > 1:
                extremes = f"{min(numbers):.6f}–{max(numbers):.6f}"
                of_how_many = [f"({len(numbers)})"] if len(numbers) < counts[value] else []
                parts += [f"±{statistics.stdev(numbers):.6f}", *of_how_many, extremes]
            elif counts[value] > 1:
                parts += ["(1)"]
            assert texts[value].split() == parts
            assert len(texts[value]) <= width
        assert len({text.index(".") for text in texts.values()}) == 1
        await deck.press("enter")
        await deck.until(lambda: table.arrangement.depths, "opened")
        run = table.row_cells(1)
        assert run is not None
        assert run[2].text.index(".") == texts["5"].index("."), "the runs of a group align with its mean"


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=str)
async def test_standard_deviations_push_no_column_out(taxi: Path, size: tuple[int, int]) -> None:
    async with running_deck(taxi, experiment=TAXI, size=size) as deck:
        await deck.until_counted(45)
        table = deck.screen.table
        before = table.columns_on_screen()
        await group_by(deck, "max_depth")
        assert table.columns_on_screen() == before
        texts = heading_texts(table, "validation-rmse")
        assert "±" in texts["5"]
        assert "±" not in texts["6"], "a single run"
        assert "  –" not in texts["5"]


async def test_a_column_that_is_wide_enough_shows_the_extremes(taxi: Path) -> None:
    async with running_deck(taxi, experiment=TAXI, size=(120, 40)) as deck:
        table = await group_by(deck, "max_depth")
        assert "–" not in heading_texts(table, "rmse")["5"]
        session = deck.app.session
        session.choice = type(session.choice)(widths={RMSE: 48})
        deck.screen.run_pane.show_style()
        assert heading_texts(table, "rmse")["5"].split()[2:] == ["3.309177–3.378090"]


async def test_metrics_that_scroll_into_view_are_summarized(odd: Path) -> None:
    with writing(odd) as connection:
        connection.execute(
            "INSERT INTO latest_metrics (key, value, is_nan, timestamp, step, run_uuid)"
            " SELECT printf('metric_%02d', n), n + start_time, 0, 0, 0, run_uuid"
            " FROM runs, (WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 25) SELECT n FROM c)"
        )
    async with running_deck(odd, size=(80, 24)) as deck:
        table = await group_by(deck, "size")
        last = table.cells.columns.index(Column(Kind.METRIC, "metric_25"))
        assert "metric_25" not in table.cells.summaries
        table.move_to(0, last)
        await deck.until(lambda: "metric_25" in table.cells.summaries, "the means of the last metric")
        assert "±" in heading_texts(table, "metric_25")["8"]


async def test_of_very_many_runs_the_rows_come_before_their_means(taxi: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_SUMMARIZED_AT_ONCE", 10)
    async with running_deck(taxi, experiment=TAXI) as deck:
        table = await group_by(deck, "max_depth")
        await deck.until(lambda: {"rmse", "validation-rmse"} <= table.cells.summaries.keys(), "means")
        assert "3.343633" in heading_texts(table, "rmse")["5"]


# -- the order


async def test_a_metric_orders_the_groups_by_their_means(taxi: Path) -> None:
    means = {value: statistics.mean(numbers) for value, numbers in runs_by_value(taxi, "rmse").items()}
    async with running_deck(taxi, experiment=TAXI) as deck:
        table = await group_by(deck, "max_depth")
        assert group_values(table)[:3] == ["5", "6", "7"], "without an order, by value"
        await deck.press("right", "s")
        ascending = sorted(means, key=means.__getitem__)
        await deck.until(lambda: group_values(table) == ascending, "the lowest mean first")
        await deck.press("s")
        await deck.until(lambda: group_values(table) == ascending[::-1], "the highest mean first")


async def test_the_better_direction_comes_first(taxi: Path) -> None:
    means = {value: statistics.mean(numbers) for value, numbers in runs_by_value(taxi, "rmse").items()}
    async with running_deck(taxi, experiment=TAXI) as deck:
        table = await group_by(deck, "max_depth")
        await deck.press("right", "b", "h", "s")
        best = sorted(means, key=means.__getitem__, reverse=True)
        await deck.until(lambda: group_values(table) == best, "the highest mean first")


async def test_other_columns_order_the_groups_by_their_first_run(odd: Path) -> None:
    async with running_deck(odd) as deck:
        table = await group_by(deck, "size")
        await go_to_column(deck, "size")
        await deck.press("s")
        numbers, texts = (
            ["16", "17", "18", "19", "8"],
            ["alone", "huge", "none logged", "times", "tiny", LONG, LONG + "y"],
        )
        await deck.until(
            lambda: group_values(table) == ["", *numbers, *texts, None], "as text, because not all are numbers"
        )
        await deck.press("number_sign")
        numbers.sort(key=int)
        await deck.until(lambda: group_values(table) == [*numbers, "", *texts, None], "numbers, texts, missing")
        await deck.press("s")
        await deck.until(lambda: group_values(table)[0] == "19", "the greatest number first")
        assert group_values(table)[-1] is None
        table.move_to(0, 1)
        await deck.press("s")
        await deck.until(lambda: group_values(table)[:2] == ["8", "16"], "by the value in the column of the name")
        await deck.press("s")
        await deck.until(lambda: group_values(table)[:2] == ["19", "18"], "the other way round")


async def test_equal_groups_are_ordered_by_their_values(odd: Path) -> None:
    with writing(odd) as connection:
        connection.execute(
            "INSERT INTO params (key, value, run_uuid) SELECT 'booster', iif(value = '17', 'zz', 'gbtree'), run_uuid"
            " FROM params WHERE key = 'size'"
        )
    async with running_deck(odd) as deck:
        table = await group_by(deck, "size")
        await go_to_column(deck, "booster")
        await deck.press("s")
        await deck.until(lambda: group_values(table)[-1] is None and group_values(table)[-2] == "17", "sorted")
        assert group_values(table)[:4] == ["8", "16", "18", "19"]


async def test_headings_show_what_the_groups_are_ordered_by(odd: Path) -> None:
    with writing(odd) as connection:
        connection.execute("UPDATE runs SET end_time = start_time + 1000 * rowid WHERE rowid < 7")
        connection.execute("UPDATE runs SET user_id = 'u' || (100 - rowid)")
    async with running_deck(odd, size=(200, 50)) as deck:
        table = await group_by(deck, "size")
        session = deck.app.session
        user = Column(Kind.ATTRIBUTE, "user_id")
        session.choice = ColumnChoice(ColumnSource.CHOSEN, (AGE, DURATION, user))
        session.columns = ()
        deck.screen.run_pane.load_columns()
        await deck.until(lambda: user in table.cells.columns, "the user")

        def shown(value: str | None, column: Column) -> str:
            row = next(row for row, heading in table.arrangement.headings.items() if heading.value == value)
            cells = table.row_cells(row)
            assert cells is not None
            return cells[table.cells.columns.index(column)].text

        assert shown("8", DURATION) == "3.5s", "the mean of the six that have ended"
        assert shown("16", DURATION) == MISSING
        assert shown("8", AGE) == age_text(5, now_ms())
        assert shown("8", user) == ""

        table.move_to(0, table.cells.columns.index(DURATION))
        await deck.press("s")
        await deck.until(lambda: group_values(table)[0] == "8", "the only one with a duration")
        table.move_to(0, table.cells.columns.index(AGE))
        await deck.press("s", "s")
        newest = {value: number for number, (value, _) in enumerate(ODD)}
        ordered = sorted(newest, key=newest.__getitem__, reverse=True)
        await deck.until(lambda: group_values(table) == ordered, "the newest group first")
        table.move_to(0, table.cells.columns.index(user))
        await deck.press("s")
        await deck.until(lambda: group_values(table) == ordered, "by the first run")
        await deck.until(lambda: shown("tiny", user) == f"u{100 - len(ODD)}", "the user of the first run")
        users = [shown(value, user) for value in group_values(table)]
        assert users == sorted(users)


async def test_a_mean_of_fewer_runs_than_the_group_has_says_so_where_there_is_little_room(taxi: Path) -> None:
    async with running_deck(taxi, experiment=TAXI, size=(80, 24)) as deck:
        table = await group_by(deck, "max_depth")
        rmse, validation = (heading_texts(table, key) for key in ("rmse", "validation-rmse"))
        assert rmse["8"].split() == ["3.387623", "(1)"]
        assert rmse["5"].split()[-1] != "(2)", "all have it"
        assert rmse[None].split() == ["3.384677", "(10)"]
        assert validation["10"].split() == ["3.298128", "(1)"]
        assert len({len(text) for text in rmse.values()}) == 1


async def test_a_mean_of_fewer_runs_has_a_short_deviation_rather_than_none(tmp_path: Path) -> None:
    async with running_deck(make_demo(tmp_path), experiment="churn-forecast", size=(80, 24)) as deck:
        table = deck.screen.table
        await deck.until(lambda: table.row_count and not deck.screen.run_pane.is_listing, "runs")
        await deck.press("B")
        await type_text(deck, "model")
        await deck.press("enter")
        await deck.until_shown("±0.02 (44)")
        assert table.visible_columns() == [0, 1, 2, 3], "both metrics are in view"


@pytest.mark.parametrize(
    ("deviation", "width", "text"),
    [
        (0.054321, 14, " ±0.054321 (3)"),
        (0.054321, 10, " ±0.05 (3)"),
        (0.054321, 4, " (3)"),
        (0.0004, 10, "       (3)"),
    ],
)
def test_a_deviation_is_shorter_beside_the_number_of_runs(deviation: float, width: int, text: str) -> None:
    column = _NumberColumn(NumberFormat(6), 1, 7)
    spread = _Spread(column, column, 1)
    assert width in spread.widths
    assert spread.fitting_width(width) == width
    assert spread.text(MetricSummary(3, 1.0, deviation, 0.5, 1.5), 4, width).rstrip() == text
    assert "(" not in spread.text(MetricSummary(4, 1.0, deviation, 0.5, 1.5), 4, width)


def test_beside_a_long_number_of_runs_a_deviation_has_room_of_its_own() -> None:
    column = _NumberColumn(NumberFormat(5), 1, 6)
    spread = _Spread(_NumberColumn(NumberFormat(5), 1, 6), column, 2)
    count, one, short, both, _ = spread.widths
    assert (count, one, short, both) == (5, 9, 11, 14)
    summary = MetricSummary(44, 0.84646, 0.02171, 0.5, 0.9)
    texts = [spread.text(summary, 45, width) for width in (count, one, short, both)]
    assert texts == [" (44)", "     (44)", " ±0.02 (44)", " ±0.02171 (44)"]


# -- the inspector and the key bar


async def test_the_inspector_shows_the_group_and_its_best_run(taxi: Path) -> None:
    lowest = min((value, key) for key, values in runs_by_value(taxi, "rmse").items() if key == "9" for value in values)[
        0
    ]
    async with running_deck(taxi, experiment=TAXI) as deck:
        table = await group_by(deck, "max_depth")
        inspector = deck.screen.inspector
        table.move_to(group_values(table).index("9"))
        await deck.until(lambda: inspector.border_title == "max_depth 9", "the group")
        await deck.until_shown("rmse             3.337 ±0.056, 3.296 to 3.418")
        assert "No run under the cursor" not in deck.frame
        assert "best run" not in deck.frame, "nobody has said which one is best"
        await deck.press("right", "b", "l", "up")
        await deck.press("down")
        await deck.until_shown(f"rmse {lowest:.3f}")
        table.move_to(len(table.run_ids) - 1)
        await deck.until_shown("10 of 13 runs")
        await deck.press("right_square_bracket")
        await deck.until_shown("This is a group: Enter in the table shows its runs.")
        await deck.press("left_square_bracket", "enter")
        await deck.until(lambda: table.arrangement.depths, "opened")
        await deck.press("down")
        await deck.until(lambda: inspector.details is not None, "a run of it")
        assert inspector.border_title == table.cursor_record.run.label  # type: ignore[union-attr]


async def test_the_key_bar_says_what_the_keys_do_now(taxi: Path) -> None:
    async with running_deck(taxi, experiment=TAXI, size=(200, 50)) as deck:
        await deck.until_counted(45)
        assert "B group by" in deck.frame
        table = await group_by(deck, "max_depth")
        await deck.until_shown("B ungroup")
        table.move_to(0, table.cells.columns.index(Column(Kind.PARAM, "learning_rate")))
        await deck.until_shown("B group by")
        table.move_to(0, 1)
        await deck.until_shown("B ungroup")
        await deck.press("B")
        await deck.until_shown("B group by")
        assert "T tree" in deck.frame
        await deck.press("T")
        await deck.until_shown("T flat")


# -- changes


async def test_means_change_in_place(odd: Path) -> None:
    async with running_deck(odd) as deck:
        table = await group_by(deck, "size")
        await deck.press("down", "enter")
        await deck.until(lambda: table.arrangement.depths, "opened")
        folded = [heading.value for heading in table.arrangement.headings.values() if not heading.is_open]
        columns = [(column.label, column.width) for column in table.columns]
        row = table.cursor_row
        with writing(odd) as connection:
            add_run(connection, "f" * 32, "alone", 8.75)
        await deck.until(lambda: heading_texts(table, "loss")["alone"].split() == ["8", "±1.06"], "the new mean")
        assert [heading.value for heading in table.arrangement.headings.values() if not heading.is_open] == folded
        assert [(column.label, column.width) for column in table.columns] == columns
        assert table.cursor_row == row


async def test_only_marked_runs_count(odd: Path) -> None:
    async with running_deck(odd) as deck:
        table = await group_by(deck, "size")
        row = group_values(table).index("8")
        table.move_to(row)
        await deck.press("enter")
        await deck.until(lambda: table.arrangement.depths, "opened")
        values = {f"{number:032x}": value for number, (_, value) in enumerate(ODD)}
        for offset in range(1, 7):
            if values[table.run_ids[row + offset]] in (0.5, 0.75):
                table.move_to(row + offset)
                await deck.press("space")
        await deck.press("M")
        await deck.until(lambda: group_values(table) == ["8"], "the marked runs")
        await deck.until(lambda: heading_texts(table, "loss")["8"].split() == ["0.62", "±0.18"], "their mean")
        await deck.press("M")
        await deck.until(lambda: len(group_values(table)) > 1, "all runs")
        await deck.until(lambda: heading_texts(table, "loss")["8"].split()[0] == "0.50", "the mean of all")


async def test_folding_reads_no_mean_again(taxi: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_deck(taxi, experiment=TAXI) as deck:
        table = await group_by(deck, "max_depth")
        asked: list[object] = []

        def read_none(*wanted: object) -> dict[str, object]:
            asked.append(wanted)
            return {}

        monkeypatch.setattr(reading, "read_summaries", read_none)
        await deck.press("enter")
        await deck.until(lambda: table.arrangement.depths, "opened")
        await deck.press("right", "s")
        await deck.until_shown("sorted by rmse ▲")
        await deck.until(lambda: not deck.screen.run_pane.is_listing, "sorted")
        assert asked == []
        assert "3.343633" in heading_texts(table, "rmse")["5"]


async def test_opened_groups_come_back(taxi: Path) -> None:
    async with running_deck(taxi, experiment=TAXI) as deck:
        table = await group_by(deck, "max_depth")
        await deck.press("enter", "G", "enter")
        await deck.until(lambda: len([each for each in table.arrangement.headings.values() if each.is_open]) == 2)
        rows = list(table.run_ids)
    async with running_deck(taxi, experiment=TAXI) as deck:
        table = deck.screen.table
        await deck.until(lambda: table.arrangement.headings, "groups")
        assert list(table.run_ids) == rows
        assert {each.value for each in table.arrangement.headings.values() if each.is_open} == {"5", None}


async def test_values_of_thousands_of_characters_are_not_saved(odd: Path) -> None:
    async with running_deck(odd) as deck:
        table = await group_by(deck, "size")
        for value in (LONG, "alone"):
            table.move_to(next(row for row, each in table.arrangement.headings.items() if each.value == value))
            await deck.press("enter")
            await deck.until(lambda: not deck.screen.run_pane.is_listing, "opened")
        assert deck.app.session.layout.opened == {LONG, "alone"}
    await asyncio.to_thread(SavedState.of(odd).flush)
    assert LONG not in json.dumps(SavedState.of(odd).experiments)
    async with running_deck(odd) as deck:
        await deck.until(lambda: deck.screen.table.arrangement.headings, "groups")
        assert deck.app.session.layout.opened == {"alone"}
