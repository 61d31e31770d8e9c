"""What is said in passing goes again, also on a machine that is too busy to show it in time."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mldeck.ui.kit.bars import KeyBar
from mldeck.ui.kit.dialogs.text import TextDialog
from mldeck.ui.kit.form_controls import ButtonBar
from mldeck.ui.kit.toasts import toast_text
from tests.fixture_stores import FixtureStore
from tests.ui.deck import running_deck
from tests.ui.models.models_deck import models_deck
from tests.ui.textual_insides import Toast


async def test_a_long_name_leaves_room_for_what_is_said_of_it(store_copy: Callable[[str], FixtureStore]) -> None:
    async with running_deck(store_copy("mlflow-2.9.2").db) as deck:
        deck.app.notify(f"{'n' * 400} 3 is in Production · u undoes it", timeout=3)
        await deck.until_shown("undoes it")
        (toast,) = deck.app.screen.query(Toast)
        assert toast.content_size.height <= 4


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("a" * 207, "a" * 207),
        ("a" * 208, f"{'a' * 60}…{'a' * 59}"),
        (f"Deleted {'a' * 300} from {'b' * 300}", f"Deleted {'a' * 30}…{'a' * 29} from {'b' * 30}…{'b' * 29}"),
        ("", ""),
    ],
)
def test_only_what_is_long_is_shortened(message: str, shown: str) -> None:
    assert toast_text(message, 80) == shown


def test_a_long_sentence_loses_its_middle() -> None:
    text = toast_text("a b " * 100 + "end", 80)
    assert text.startswith("a b a b ")
    assert text.endswith(" a b end")
    assert "…" in text
    assert 180 < len(text) <= 207


@pytest.mark.parametrize("width", [60, 80, 200])
async def test_a_toast_has_three_lines_at_most(store_copy: Callable[[str], FixtureStore], width: int) -> None:
    async with running_deck(store_copy("mlflow-2.9.2").db, size=(width, 24)) as deck:
        for message in (f"{'n' * 90} 3 is in Production · u undoes it", "some words " * 30, "名前" * 200):
            deck.app.clear_notifications()
            deck.app.notify(message, timeout=30)
            await deck.until(
                lambda: len(deck.app.screen.query(Toast)) == 1 and deck.app.screen.query_one(Toast).size, "shown"
            )
            assert 1 <= deck.app.screen.query_one(Toast).content_size.height <= 3


async def test_a_toast_covers_no_keys_and_no_buttons(store_copy: Callable[[str], FixtureStore]) -> None:
    store = store_copy("mlflow-3.17.2")
    async with models_deck(store.db, size=(80, 24)) as deck:
        deck.app.notify("some words " * 30, timeout=30)
        await deck.until_shown("some words")
        keys = deck.app.screen.query_one(KeyBar).region
        assert not any(toast.region.overlaps(keys) for toast in deck.app.screen.query(Toast))
        assert deck.app.screen.query_one(Toast).region.y == 0
        await deck.press("p")
        await deck.until_shown("[ Promote ]")
        await deck.until_shown("some words")
        assert not any(toast.region.overlaps(keys) for toast in deck.app.screen.query(Toast))
        buttons = deck.app.screen.query_one(ButtonBar).region
        assert not any(toast.region.overlaps(buttons) for toast in deck.app.screen.query(Toast))


async def test_a_short_message_covers_the_top_bar_only(store_copy: Callable[[str], FixtureStore]) -> None:
    async with running_deck(store_copy("mlflow-2.9.2").db, size=(80, 24)) as deck:
        deck.app.notify("churn-scorer 4 is in Production · 3 archived · u undoes it", timeout=30)
        await deck.until_shown("u undoes it")
        region = deck.app.screen.query_one(Toast).region
        assert (region.y, region.height, region.width) == (0, 1, 58 + 3)
        assert region.right == 80, "nothing of the bar is left beside it"


async def test_the_palette_shows_messages_in_full(store_copy: Callable[[str], FixtureStore]) -> None:
    async with running_deck(store_copy("mlflow-2.9.2").db, size=(80, 24)) as deck:
        deck.app.notify(f"Deleted {'n' * 150}-end of {'m' * 150}", timeout=1)
        await deck.press("colon", *"messages")
        await deck.until_shown("Show the messages so far")
        await deck.press("enter")
        await deck.until(lambda: isinstance(deck.app.screen, TextDialog), "the messages")
        await deck.until_shown("n-end of")
