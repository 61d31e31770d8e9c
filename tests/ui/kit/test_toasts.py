"""What is said in passing goes again, also on a machine that is too busy to show it in time."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mldeck.ui.kit.toasts import toast_text
from tests.fixture_stores import FixtureStore
from tests.ui.deck import running_deck
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
        ("a" * 160, "a" * 160),
        ("a" * 161, f"{'a' * 80}…{'a' * 79}"),
        (f"Deleted {'a' * 300} from {'b' * 300}", f"Deleted {'a' * 80}…{'a' * 79} from {'b' * 80}…{'b' * 79}"),
        ("a b " * 100 + "end", f"{'a b ' * 50}…{'a b ' * 49}end"),
        ("", ""),
    ],
)
def test_only_what_is_long_is_shortened(message: str, shown: str) -> None:
    assert toast_text(message) == shown
