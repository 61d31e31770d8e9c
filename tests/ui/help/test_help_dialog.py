"""The help: all keys, those of the focused pane first, each once; it moves and finds as tables do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager

from mldeck.ui.help.dialog import HelpDialog
from mldeck.ui.help.help_lines import HelpLines
from mldeck.ui.help.key_groups import GROUPS
from mldeck.ui.help.sections import OTHER_PANES, Section, key_sections
from tests.fixture_stores import FixtureStore
from tests.ui.chart.chart_deck import chart_of
from tests.ui.deck import Deck, running_deck
from tests.ui.files.artifact_deck import files_of

TAXI = "nyc-taxi-experiment"


def here(deck: Deck) -> list[Section]:
    """The sections of the keys that work where the focus is."""
    sections = key_sections(deck.app.screen.active_bindings.values(), {})
    return sections[: [section.title for section in sections].index(OTHER_PANES)]


def keys_in(sections: list[Section]) -> Iterator[str]:
    for section in sections:
        for keys, _ in section.entries:
            yield from keys.split(" ")


def test_every_key_has_an_id_of_its_own() -> None:
    counts = Counter(key.id for _, keys in GROUPS for key in keys)
    assert [key_id for key_id, count in counts.items() if count > 1] == []


async def test_the_help_of_a_chart_begins_with_the_keys_of_charts(store_copy: Callable[[str], FixtureStore]) -> None:
    async with chart_of(store_copy("mlflow-3.17.2"), ["rf5"]) as deck:
        await deck.press("question_mark")
        await deck.until_shown("Esc close")
        first = deck.frame[deck.frame.index("─ Keys") :].splitlines()[1]
        assert "Charts of metrics" in first


async def test_it_begins_with_the_focused_pane(store_copy: Callable[[str], FixtureStore]) -> None:
    async with running_deck(store_copy("nyc-taxi").db, experiment=TAXI) as deck:
        await deck.until_counted(45)
        assert here(deck)[0].title == "Runs"
        assert here(deck)[-1].title == "Everywhere"
        await deck.press("shift+tab")
        assert here(deck)[0].title == "Experiments"
        await deck.press("c")
        await deck.until_shown("Columns of")
        await deck.press("question_mark")
        await deck.until(lambda: isinstance(deck.app.screen, HelpDialog), "the help")
        assert deck.app.screen.query_one(HelpLines).row_text(0) == "Choosing columns"


async def test_no_key_is_listed_twice(store_copy: Callable[[str], FixtureStore]) -> None:
    """A key with several meanings has one of them where the focus is."""
    async with running_deck(store_copy("mlflow-3.17.2").db, experiment="churn-baseline") as deck:
        await deck.until_counted(12)
        for keys in ((), ("shift+tab",), ("2",), ("tab",), ("1",)):
            await deck.press(*keys)
            counts = Counter(keys_in(here(deck)))
            assert counts["?"] == 1
            assert [key for key, count in counts.items() if count > 1] == []
    async with chart_of(store_copy("mlflow-3.17.2"), ["rf5"]) as chart:
        meanings = {keys: help_text for section in here(chart) for keys, help_text in section.entries}
        assert meanings["n"] == "Show the next metric"
        assert meanings["N"] == "Go to the previous match"
        assert meanings["q"] == "Go back to the runs at once"
        assert meanings["ctrl+q"].startswith("Leave mldeck")


async def test_a_file_full_screen_lists_no_key_that_does_nothing(store_copy: Callable[[str], FixtureStore]) -> None:
    store = store_copy("mlflow-3.17.2")
    async with files_of(store.db, store.run("logreg")) as deck:
        await deck.go_to("metrics.json")
        assert "v" in keys_in(here(deck))
        await deck.press("v")
        await deck.until(lambda: deck.preview.view is not None, "the file")
        assert here(deck)[0].title == "Files"  # a JSON file folds as the tree does
        assert [keys for keys, _ in here(deck)[0].entries] == ["d", "o", "e", "← h", "→ l"]
        assert "v" not in keys_in(here(deck))


@asynccontextmanager
async def helping(path: object, **options: object):  # type: ignore[no-untyped-def]
    async with running_deck(path, experiment=TAXI, **options) as deck:  # type: ignore[arg-type]
        await deck.until_counted(45)
        await deck.press("question_mark")
        await deck.until_shown("Esc close")
        yield deck, deck.app.screen.query_one(HelpLines)


async def test_it_moves_as_tables_do(store_copy: Callable[[str], FixtureStore]) -> None:
    async with helping(store_copy("nyc-taxi").db) as (deck, lines):
        await deck.press("G")
        assert lines.cursor_row == lines.row_count - 1
        assert "a bare word: part of the run's name" in deck.frame
        await deck.press("g")
        assert (lines.cursor_row, lines.top_row) == (0, 0)
        await deck.press("ctrl+d", "j")
        assert lines.cursor_row == lines.page_size // 2 + 1


async def test_it_finds_text(store_copy: Callable[[str], FixtureStore]) -> None:
    async with helping(store_copy("nyc-taxi").db) as (deck, lines):
        await deck.press("slash", *"nested runs")
        await deck.until_shown("1 of 2")
        assert lines.row_text(lines.cursor_row) == "T Toggle the tree: nested runs below their parents"
        await deck.press("enter", "n")
        assert lines.row_text(lines.cursor_row).startswith("z Fold or unfold the nested runs")
        await deck.press("N")
        assert lines.row_text(lines.cursor_row).startswith("T ")
        await deck.press("q")
        await deck.until(lambda: deck.app.screen is deck.screen, "closed")


async def test_a_wrapped_entry_is_found_as_a_whole(store_copy: Callable[[str], FixtureStore]) -> None:
    async with helping(store_copy("nyc-taxi").db, size=(80, 24)) as (deck, lines):
        await deck.press("slash", *"marked runs, and the run")
        await deck.until_shown("1 of 1")
        row = lines.cursor_row
        assert lines.row_text(row).startswith("m Show a chart")
        assert lines.row_text(row + 1) == ""  # its second line


async def test_the_column_of_keys_is_as_wide_as_the_keys(store_copy: Callable[[str], FixtureStore]) -> None:
    async with helping(store_copy("nyc-taxi").db) as (deck, lines):
        widths = {len(lines.line_cells(row)[0].text) for row in range(1, 10)}
        longest = max(len(keys) for keys in (entry[0] for entry in here_of(deck)))
        assert widths == {2 + longest + 2}


def here_of(deck: Deck) -> list[tuple[str, str]]:
    """The entries of the first section, as the run table has the focus behind the help."""
    return list(key_sections(deck.screen.active_bindings.values(), {})[0].entries)
