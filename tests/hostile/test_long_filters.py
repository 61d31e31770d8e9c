"""Filters that are long or deeply nested: reading one takes time in proportion, and what is too much is said."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable
from contextlib import closing, suppress
from types import SimpleNamespace
from typing import Any

import pytest
from textual import events

from mldeck.addresses import printable
from mldeck.artifacts.references import meanings
from mldeck.format import number_of
from mldeck.model import RunQuery
from mldeck.registry.nouns import ModelQuery
from mldeck.search.complete import complete
from mldeck.search.errors import MOST_CHARACTERS, SearchError
from mldeck.search.language import MODELS, RUNS, Language
from mldeck.search.moments import read_time
from mldeck.search.order import parse_order
from mldeck.search.parse import parse
from mldeck.search.print import to_text
from mldeck.store.store import Store
from mldeck.ui.state.saved_state import SavedState
from tests.fixture_stores import FixtureStore
from tests.ui.deck import running_deck

TOO_LONG = f"at most 20,000 characters, this one has {100_000:,}"

LONG = [
    ("", "a", ""),
    ("metrics.a < ", "1", ""),
    ("metrics.a ", "<", "x"),
    ("", "a ", ""),
    ("metrics.", "a.", ""),
    ("", "(", ""),
    ("", "(", ")a"),
    ("", "not ", "a"),
    ("a ", "and a ", ""),
    ("", "(a or ", ""),
    ("a or ", "and ", ""),
    ("params.a = '", "x", ""),
    ("", "'\"`", ""),
    ("metrics.", "`a`.", ""),
    ("run_id in (", "'a',", "'a')"),
    ("run_id in (", "'a',", ""),
    ("duration < ", "1m", "x"),
    ("start_time < '1d", " ", "x'"),
    ("start_time < '", "1d ", "ag'"),
]
"""How it begins, what is repeated, and how it ends."""

NESTED: list[Callable[[int], str]] = [
    lambda levels: "not " * levels + "a",
    lambda levels: "not (" * levels + "a" + ")" * levels,
    lambda levels: "(" * levels + "a" + " or a)" * levels,
    lambda levels: "not (tags.a = 'x' or " * levels + "tags.a != 'x'" + ")" * levels,
    lambda levels: "(a and (tags.a LIKE 'x' or " * levels + "a" + "))" * levels,
    lambda levels: "a or " * levels + "a",
    lambda levels: "a " * levels,
]
"""To so many levels, in words that are in both languages."""

NESTED_FOR_RUNS: list[Callable[[int], str]] = [
    lambda levels: "not (metrics.a < 1 or " * levels + "dataset.context = 'a'" + ")" * levels,
    lambda levels: "not (params.a < 1 and " * levels + "run_name = 'x'" + ")" * levels,
]


NO_REGISTRY: Any = SimpleNamespace(alias_uri=lambda *_: None, version_uri=lambda *_: None)


def growth(read: Callable[[str], object], start: str, repeated: str, end: str, length: int) -> float:
    """How many times as long it takes to read four times as much: 4 if all goes well, 16 if it is quadratic."""

    def seconds(length: int) -> float:
        """The least processor time of several: what else the machine does only adds to it."""
        text = start + repeated * ((length - len(start + end)) // len(repeated)) + end
        times = []
        for _ in range(4):
            begun = time.thread_time()
            with suppress(SearchError):
                read(text)
            times.append(time.thread_time() - begun)
        return min(times)

    seconds(100)  # the parser is made
    # The least of several once more: the machine may do something else during all of one, and what is quadratic stays so.
    return min(seconds(length) / seconds(length // 4) for _ in range(3))


@pytest.mark.parametrize("read", [parse, lambda text: complete(text, len(text))], ids=["parse", "complete"])
@pytest.mark.parametrize(("start", "repeated", "end"), LONG)
def test_reading_a_filter_takes_as_long_as_the_filter_is(
    read: Callable[[str], object], start: str, repeated: str, end: str
) -> None:
    assert growth(read, start, repeated, end, MOST_CHARACTERS) < 10


@pytest.mark.parametrize(
    ("read", "start", "repeated", "end"),
    [
        (read_time, "1d", " ", "x"),
        (lambda text: list(meanings(text, NO_REGISTRY)), "models:", "/", ""),
        (lambda text: list(meanings(text, NO_REGISTRY)), "models:", "/", "/a@"),
        (number_of, "", "1", "x"),
        (printable, "s3://bucket/a", "?", ""),
    ],
    ids=["moment", "version", "alias", "number", "address"],
)
def test_so_does_reading_what_a_database_says(
    read: Callable[[str], object], start: str, repeated: str, end: str
) -> None:
    assert growth(read, start, repeated, end, 40_000) < 10


@pytest.mark.parametrize("language", [RUNS, MODELS], ids=lambda language: language.noun)
def test_what_is_too_long_is_not_looked_at(language: Language) -> None:
    assert parse("a" * MOST_CHARACTERS, language) is not None
    with pytest.raises(SearchError, match=TOO_LONG):
        parse("'" * 100_000, language)
    with pytest.raises(SearchError, match=TOO_LONG):
        parse_order("'" * 100_000)
    assert complete("a" * (MOST_CHARACTERS + 1), 1) is None


@pytest.mark.parametrize("nested", NESTED + NESTED_FOR_RUNS)
def test_the_deepest_search_for_runs_is_answered(
    nested: Callable[[int], str], store_copy: Callable[[str], FixtureStore]
) -> None:
    deepest = _deepest(nested, RUNS)
    tree = parse(deepest)
    assert parse(to_text(tree)) == tree
    with closing(Store(store_copy("mlflow-3.17.2").db)) as store:
        store.run_ids(RunQuery(("1",), filter=deepest))


@pytest.mark.parametrize("nested", NESTED)
def test_the_deepest_search_for_models_is_answered(
    nested: Callable[[int], str], store_copy: Callable[[str], FixtureStore]
) -> None:
    with closing(Store(store_copy("mlflow-3.17.2").db)) as store:
        store.registry().models(ModelQuery(_deepest(nested, MODELS)))


def _deepest(nested: Callable[[int], str], language: Language) -> str:
    """With as many levels as can be read."""

    def is_too_much(levels: int) -> bool:
        try:
            parse(nested(levels), language)
        except SearchError:
            return True
        return False

    levels = bisect_right(range(1_000), False, key=is_too_much) - 1
    assert 10 < levels < 999
    return nested(levels)


@pytest.mark.parametrize("text", ["not " * 2_400, "not (" * 1_900, "(" * 9_999, "a and (a or (" * 700])
def test_what_is_nested_deeper_than_python_goes_is_a_search_that_is_wrong(text: str) -> None:
    for whole in (text + "a", text + "a" + ")" * text.count("(")):
        with pytest.raises(SearchError):
            parse(whole[:MOST_CHARACTERS])
    complete(text, len(text))


@pytest.mark.parametrize("words", [("runs",), ("models",)])
def test_a_command_says_it_and_does_not_repeat_the_filter(
    words: tuple[str, ...], ask: Callable[..., tuple[int, str, str]], store_copy: Callable[[str], FixtureStore]
) -> None:
    status, out, error = ask(*words, "--store", store_copy("nyc-taxi").db, "-f", "x" * 100_000)
    assert (status, out) == (2, "")
    assert TOO_LONG in error
    assert len(error) < 1_000


async def test_a_long_paste_is_refused_and_taken_back(store_copy: Callable[[str], FixtureStore]) -> None:
    async with running_deck(store_copy("nyc-taxi").db, experiment="nyc-taxi-experiment") as deck:
        await deck.until_counted(45)
        await deck.press("f")
        deck.app.post_message(events.Paste("x" * 100_000))
        await deck.until_shown(TOO_LONG)
        await deck.press("enter", "ctrl+s", "y")
        await deck.until_shown("this one has 100,001")
        assert (deck.screen.table.row_count, deck.app.session.filter) == (45, "")
        await deck.press("escape")
        await deck.until(lambda: deck.screen.table.has_focus, "taken back")
        assert "at most 20,000 characters" not in deck.frame
        assert SavedState.of(deck.app.session.address).history == []


@pytest.mark.parametrize(
    "words",
    [
        ("runs", "-f", "tags.a = '\udcff'"),
        ("runs", "-o", "metrics.`\udcff`"),
        ("models", "\udcff"),
        ("promote", "nyc-taxi-regressor", "1", "Archived", "--yes", "--reason", "\udcff"),
    ],
)
def test_a_byte_that_is_no_text_is_wrong_usage(
    words: tuple[str, ...], ask: Callable[..., tuple[int, str, str]], store_copy: Callable[[str], FixtureStore]
) -> None:
    status, _, error = ask(*words, "--store", store_copy("nyc-taxi").db)
    assert status == 2
    assert "that is not text" in error
