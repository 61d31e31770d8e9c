"""The filter line: typing, errors, completions, history, and saved filters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.worker import Worker

from mldeck.model import Column, Kind, OrderKey, RunQuery
from mldeck.store.store import Store
from mldeck.ui.filter.filter_line import CandidateList, FilterLine
from mldeck.ui.state.saved_state import SavedState
from tests.fixture_stores import FixtureStore
from tests.ui.deck import Deck, running_deck

TAXI = "nyc-taxi-experiment"
NAMES = {"<": "less_than_sign", ">": "greater_than_sign", "=": "equals_sign", ".": "full_stop", " ": "space"}
NAMES |= {"'": "apostrophe", "`": "grave_accent", "-": "minus", "_": "underscore", "/": "slash", "%": "percent_sign"}


async def type_text(deck: Deck, text: str) -> None:
    await deck.press(*(NAMES.get(character, character) for character in text))


def candidates(deck: Deck) -> list[str]:
    shown = deck.screen.query_one(CandidateList)
    return [candidate.text for candidate in shown.candidates] if shown.display else []


async def test_the_table_follows_the_typed_filter(store_copy: Callable[[str], FixtureStore]) -> None:
    path = store_copy("nyc-taxi").db
    store = Store(path)
    text = "params.max_depth > 10 and metrics.rmse < 3.4"
    wanted = store.run_ids(RunQuery(("1",), filter=text))
    store.close()
    async with running_deck(path, experiment=TAXI) as deck:
        await deck.until_counted(45)
        await deck.press("f")
        await type_text(deck, text)
        await deck.until(lambda: list(deck.screen.table.run_ids) == wanted, "filtered")
        assert f"{len(wanted)} of 45 runs" in deck.frame
        assert "MLflow would reject this" in deck.frame
        await deck.press("enter")
        await deck.until(lambda: deck.screen.table.has_focus, "the table has the focus")
        assert text in deck.frame
    assert SavedState.of(path).history == [text]


async def test_an_error_is_pointed_at_and_the_table_stays(store_copy: Callable[[str], FixtureStore]) -> None:
    async with running_deck(store_copy("nyc-taxi").db, experiment=TAXI) as deck:
        await deck.until_counted(45)
        await deck.press("f")
        deck.screen.run_pane.filter_line._input.value = "metrics.rmse <"  # as pasted, so that no part of it is a filter
        await deck.until_shown("Expected a number")
        assert deck.screen.table.row_count == 45
        line = next(line for line in deck.frame.splitlines() if "▲ Expected" in line)
        typed = next(line for line in deck.frame.splitlines() if "metrics.rmse <" in line)
        assert line.index("▲") >= typed.index("<")


async def until_answered(deck: Deck) -> None:
    """Wait until the typed text has been parsed, and its completions are known."""
    line = deck.screen.run_pane.filter_line
    await deck.until(lambda: not any(worker.group == "complete" for worker in running(deck)), "completions are known")
    await deck.until(lambda: not line._held, "judged")
    await deck.until(lambda: not any(worker.group == "runs" for worker in running(deck)), "nothing is being read")


def running(deck: Deck) -> list[Worker[object]]:
    return [worker for worker in deck.screen.workers if not worker.is_finished]


async def test_a_name_that_no_run_has_is_questioned(store_copy: Callable[[str], FixtureStore]) -> None:
    async with running_deck(store_copy("nyc-taxi").db, experiment=TAXI) as deck:
        await deck.until_counted(45)
        await deck.press("f")
        await type_text(deck, "params.max_deptt > 3")
        await deck.until_shown("no run has params.max_deptt (did you mean max_depth?)")
        await deck.press("enter")
        await deck.until_shown("0 of 45 runs")  # it is valid, as it is for MLflow
        await until_checked(deck)
        assert "no run has params.max_deptt (did you mean max_depth?)" in deck.frame
        await deck.press("f", *["backspace"] * 5)
        await type_text(deck, "h > 3")
        await deck.until(lambda: "no run has" not in deck.frame, "the right name")


async def until_checked(deck: Deck) -> None:
    await deck.until(lambda: not any(worker.group in ("check", "runs") for worker in running(deck)), "checked")


async def test_an_unknown_name_is_told_again_after_a_restart(store_copy: Callable[[str], FixtureStore]) -> None:
    path = store_copy("nyc-taxi").db
    async with running_deck(path, experiment=TAXI) as deck:
        await deck.until_counted(45)
        await deck.press("f")
        await type_text(deck, "params.max_deptt > 3")
        await deck.press("enter")  # before the names have been checked
        await deck.until_shown("no run has params.max_deptt (did you mean max_depth?)")
    async with running_deck(path, experiment=TAXI) as deck:
        await deck.until_shown("no run has params.max_deptt (did you mean max_depth?)")
        await deck.press("F")
        await deck.until_counted(45)
        assert "no run has" not in deck.frame


async def test_an_error_is_readable_to_its_end_at_80_columns(store_copy: Callable[[str], FixtureStore]) -> None:
    async with running_deck(store_copy("nyc-taxi").db, experiment=TAXI, size=(80, 24)) as deck:
        await deck.until_counted(45)
        await deck.press("f")
        await type_text(deck, "statsu = 'x'")
        await deck.until_shown("For a metric write metrics.statsu.")
        assert "status?" in deck.frame
        assert deck.screen.table.row_count == 45


@pytest.mark.parametrize("text", ["statsu", "metrics.rmse < 0", "status = 'FAILED' and zzz"])
async def test_rows_stay_while_a_filter_that_no_run_matches_is_typed(
    store_copy: Callable[[str], FixtureStore], text: str
) -> None:
    async with running_deck(store_copy("nyc-taxi").db, experiment=TAXI) as deck:
        await deck.until_counted(45)
        table, counts = deck.screen.table, set()
        show = table.show

        def watched(*arguments: Any, **options: Any) -> None:
            show(*arguments, **options)
            counts.add(table.row_count)

        table.show = watched  # type: ignore[method-assign]
        good, _, rest = text.rpartition(" and ")
        await deck.press("f")
        if good:
            await type_text(deck, good)
            await deck.until_shown("1 of 45 runs")
        await type_text(deck, f" and {rest}" if good else rest)
        await deck.until_shown("No run matches this")
        if text == "statsu":
            await type_text(deck, " = 'x'")
            await deck.until_shown("status?")
        await until_checked(deck)
        assert 0 not in counts
        assert table.row_count == (1 if good else 45)
        assert deck.app.session.filter.removesuffix(" and") == good  # MLflow skips an AND at the end
        if text == "statsu":
            await deck.press(*["backspace"] * 6)
        await deck.press("enter")
        await deck.until_shown("0 of 45 runs")
        assert table.row_count == 0


@pytest.mark.parametrize(
    "text",
    [
        "met",  # metrics.
        "stat",  # status
        "status = 'FAILED' or par",  # params.
        "max_d",  # no word of the language, but the beginning of a param of the store
    ],
)
async def test_a_word_that_may_become_a_field_is_applied_on_enter(
    store_copy: Callable[[str], FixtureStore], text: str
) -> None:
    path = store_copy("nyc-taxi").db
    store = Store(path)
    found = store.run_ids(RunQuery(("1",), filter=text))
    store.close()
    async with running_deck(path, experiment=TAXI) as deck:
        await deck.until_counted(45)
        applied: list[str] = []
        apply = deck.screen.run_pane.apply_filter
        deck.screen.run_pane.apply_filter = lambda text: (applied.append(text), apply(text))  # type: ignore[method-assign, assignment, func-returns-value]
        await deck.press("f")
        deck.screen.run_pane.filter_line._input.text = text  # as pasted, so that no part of it is applied
        await deck.until_shown("Enter searches for that word in names")
        await until_answered(deck)
        assert applied == []
        assert deck.screen.table.row_count == 45
        await deck.press("enter")
        await deck.until(lambda: applied == [text], "applied")
        await deck.until_shown(f"{len(found)} of 45 runs")


async def test_a_word_that_cannot_become_a_field_is_applied_at_once(store_copy: Callable[[str], FixtureStore]) -> None:
    async with running_deck(store_copy("nyc-taxi").db, experiment=TAXI) as deck:
        await deck.until_counted(45)
        await deck.press("f")
        await type_text(deck, "candidate")
        await deck.until_shown("3 of 45 runs")
        assert deck.screen.run_pane.filter_line._input.has_focus


async def test_an_empty_table_names_the_applied_filter_not_a_malformed_one(
    store_copy: Callable[[str], FixtureStore],
) -> None:
    async with running_deck(store_copy("nyc-taxi").db, experiment=TAXI) as deck:
        await deck.until_counted(45)
        await deck.press("f")
        await type_text(deck, "zzz")
        await deck.press("enter")
        await deck.until_shown("No run matches zzz")
        await deck.press("f")
        await type_text(deck, " < 1")
        await deck.until_shown("Expected an attribute")
        assert any(
            line.endswith("No run matches zzz") for line in (row.rstrip(" │") for row in deck.frame.splitlines())
        )
        assert "matches the filter" not in deck.frame
        await deck.press(*["backspace"] * 4)
        await type_text(deck, "y")
        await deck.until_shown("No run matches zzzy")


async def test_enter_is_not_overtaken_by_an_earlier_filter(store_copy: Callable[[str], FixtureStore]) -> None:
    """A complete filter is still waiting to be applied when Enter applies a longer one."""
    async with running_deck(store_copy("nyc-taxi").db, experiment=TAXI) as deck:
        await deck.until_counted(45)
        await deck.press("f")
        deck.screen.run_pane.filter_line.post_message(FilterLine.Changed("candidate"))
        deck.screen.run_pane.filter_line._input.text = "status = 'FAILED'"
        await deck.press("enter")
        assert deck.app.session.filter == "status = 'FAILED'"
        assert not deck.screen._debouncer.is_waiting("filter")
        await deck.until_shown("1 of 45 runs")


async def test_one_key_removes_the_filter(store_copy: Callable[[str], FixtureStore]) -> None:
    async with running_deck(store_copy("nyc-taxi").db, experiment=TAXI) as deck:
        await deck.until_counted(45)
        await deck.press("f")
        await type_text(deck, "zzz")
        await deck.press("enter")
        await deck.until_shown("No run matches zzz")
        assert "F clears it" in deck.frame
        await deck.press("F")
        await deck.until_counted(45)
        assert "zzz" not in deck.frame
        assert deck.screen.table.has_focus
        await deck.press("F")
        await deck.until_shown("There is no filter")


async def test_escape_undoes_the_change(store_copy: Callable[[str], FixtureStore]) -> None:
    async with running_deck(store_copy("nyc-taxi").db, experiment=TAXI) as deck:
        await deck.until_counted(45)
        await deck.press("f")
        await type_text(deck, "candidate")
        await deck.until_shown("3 of 45 runs")
        await deck.press("escape")
        if not deck.screen.table.has_focus:  # the first Esc closed the completions
            await deck.press("escape")
        await deck.until_counted(45)
        assert "filter" not in deck.frame.splitlines()[2]


async def test_escape_leaves_at_once_where_nothing_was_edited(store_copy: Callable[[str], FixtureStore]) -> None:
    async with running_deck(store_copy("nyc-taxi").db, experiment=TAXI) as deck:
        await deck.until_counted(45)
        await deck.press("f")
        await deck.until(lambda: candidates(deck), "they open by themselves on an empty line")
        await deck.press("escape")
        await deck.until(lambda: deck.screen.table.has_focus, "the table has the focus")
        await deck.press("f")
        await type_text(deck, "params.max_depth > 10 ")
        await deck.press("enter")
        await deck.until(lambda: deck.screen.table.has_focus, "the filter is applied")
        filtered = list(deck.screen.table.run_ids)
        await deck.press("f")
        await deck.until(lambda: "AND " in candidates(deck), "they open by themselves after a filter")
        await deck.press("escape")
        await deck.until(lambda: deck.screen.table.has_focus and not candidates(deck), "the filter as it was")
        assert list(deck.screen.table.run_ids) == filtered
        assert deck.screen.run_pane.filter_line.text.strip() == "params.max_depth > 10"


async def test_escape_closes_the_completions_of_typed_text_first(store_copy: Callable[[str], FixtureStore]) -> None:
    async with running_deck(store_copy("nyc-taxi").db, experiment=TAXI) as deck:
        await deck.until_counted(45)
        await deck.press("f")
        await deck.until(lambda: candidates(deck), "they open by themselves")
        line = deck.screen.run_pane.filter_line
        await deck.press("down")
        await deck.until(lambda: deck.screen.query_one(CandidateList).is_chosen, "a candidate is chosen")
        await deck.press("escape")
        await deck.until(lambda: not candidates(deck), "the choice is given up")
        assert line.has_focus_within
        await type_text(deck, "par")
        await deck.until(lambda: candidates(deck), "completions")
        await deck.press("escape")
        await deck.until(lambda: not candidates(deck), "closed")
        assert (line.has_focus_within, line.text) == (True, "par")


async def test_completion_names_keys_and_quotes_them(store_copy: Callable[[str], FixtureStore]) -> None:
    async with running_deck(store_copy("mlflow-3.17.2").db, experiment="churn-baseline") as deck:
        await deck.until_counted(12)
        await deck.press("f")
        await type_text(deck, "metrics.val/a")
        await deck.until(lambda: "`val/accuracy` " in candidates(deck), "the key is offered")
        await deck.press("tab")
        assert deck.screen.run_pane.filter_line.text == "metrics.`val/accuracy` "
        await deck.until(lambda: "< " in candidates(deck), "operators are offered")
        await type_text(deck, "< 0.9 ")
        await deck.until(lambda: "AND " in candidates(deck), "connectives are offered")


async def test_completion_names_values_that_exist(store_copy: Callable[[str], FixtureStore]) -> None:
    async with running_deck(store_copy("mlflow-3.17.2").db, experiment="churn-baseline") as deck:
        await deck.until_counted(12)
        await deck.press("f")
        await type_text(deck, "params.solver = ")
        await deck.until(lambda: candidates(deck)[:2] == ["'rf' ", "'lbfgs' "], "values, the most frequent first")
        await deck.press("down", "down", "enter")
        assert deck.screen.run_pane.filter_line.text == "params.solver = 'lbfgs' "
        await deck.press("enter")
        await deck.until(lambda: deck.run_names == ["baseline-logreg"], "filtered")


async def test_history_goes_back_and_forth(store_copy: Callable[[str], FixtureStore]) -> None:
    path = store_copy("nyc-taxi").db
    saved = SavedState.of(path)
    saved.add_filter("status = 'FAILED'")
    saved.add_filter("status = 'RUNNING'")
    saved.flush()
    async with running_deck(path, experiment=TAXI) as deck:
        await deck.until_counted(45)
        await deck.press("f", "up")
        assert deck.screen.run_pane.filter_line.text == "status = 'RUNNING'"
        await deck.press("up")
        assert deck.screen.run_pane.filter_line.text == "status = 'FAILED'"
        await deck.until_shown("1 of 45 runs")
        await deck.press("down", "down")
        assert deck.screen.run_pane.filter_line.text == ""


async def test_a_starred_filter_is_offered_again(store_copy: Callable[[str], FixtureStore]) -> None:
    path = store_copy("nyc-taxi").db
    async with running_deck(path, experiment=TAXI) as deck:
        await deck.until_counted(45)
        await deck.press("f")
        await type_text(deck, "candidate")
        await deck.press("ctrl+s")
        await deck.until_shown("Save this filter as")
        await type_text(deck, "mine")
        await deck.press("enter")
        await deck.until_shown("Saved as mine")
    assert SavedState.of(path).starred == {"mine": "candidate"}
    async with running_deck(path, experiment=TAXI) as deck:
        await deck.until_counted(45)
        await deck.press("f")
        await deck.until(lambda: candidates(deck)[:1] == ["candidate"], "offered")
        await deck.until_shown("★ mine")


@pytest.mark.parametrize("text", ["'; DROP TABLE runs; --", "tags.`a` = '[/x]'", "100%_", "\\", "[@click=quit]"])
async def test_hostile_filters_are_only_text(store_copy: Callable[[str], FixtureStore], text: str) -> None:
    path = store_copy("nyc-taxi").db
    async with running_deck(path, experiment=TAXI) as deck:
        await deck.until_counted(45)
        await deck.press("f")
        deck.screen.run_pane.filter_line._input.value = text
        await deck.until(lambda: text in deck.frame, "typed")
        await deck.press("ctrl+r")
        assert deck.app.is_running
    store = Store(path)
    assert len(store.run_ids(RunQuery(("1",)))) == 45
    store.close()


async def test_params_that_are_numbers_are_sorted_as_numbers(store_copy: Callable[[str], FixtureStore]) -> None:
    path = store_copy("nyc-taxi").db
    depth = Column(Kind.PARAM, "max_depth")
    store = Store(path)
    as_number = store.run_ids(RunQuery(("1",), order=(OrderKey(depth, as_number=True),)))
    as_text = store.run_ids(RunQuery(("1",), order=(OrderKey(depth),)))
    store.close()
    assert as_number != as_text
    async with running_deck(path, experiment=TAXI) as deck:
        await deck.until_counted(45)
        table = deck.screen.table
        table.move_to(0, table.cells.columns.index(depth))
        await deck.press("s")
        await deck.until(lambda: list(table.run_ids) == as_number, "sorted as numbers")
        depths = [table.row_cells(row)[table.cursor_column].text for row in table.visible_rows]  # type: ignore[index]
        known = [int(depth) for depth in depths if depth != "–"]
        assert known == sorted(known)
        await deck.press("number_sign")
        await deck.until(lambda: list(table.run_ids) == as_text, "sorted as text")


async def test_several_sort_keys(store_copy: Callable[[str], FixtureStore]) -> None:
    path = store_copy("nyc-taxi").db
    status, rmse = Column(Kind.ATTRIBUTE, "status"), Column(Kind.METRIC, "rmse")
    store = Store(path)
    wanted = store.run_ids(RunQuery(("1",), order=(OrderKey(status), OrderKey(rmse, descending=True))))
    store.close()
    async with running_deck(path, experiment=TAXI) as deck:
        await deck.until_counted(45)
        table = deck.screen.table
        await deck.press("s")
        await deck.until_shown("sorted by status ▲")
        table.move_to(0, table.cells.columns.index(rmse))
        await deck.press("S")
        await deck.until_shown("sorted by rmse ▲")
        await deck.press("S")
        await deck.until(lambda: list(table.run_ids) == wanted, "sorted by both")
        assert "rmse ▼2" in deck.frame
        await deck.press("S")
        await deck.until(lambda: [key.column for key in deck.app.session.order] == [status], "one key again")
