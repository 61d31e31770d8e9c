"""What is said in passing goes again, also on a machine that is too busy to show it in time."""

from __future__ import annotations

from collections.abc import Callable

from textual.widgets._toast import Toast

from tests.fixture_stores import FixtureStore
from tests.ui.deck import running_deck


async def test_a_message_whose_time_is_over_before_it_is_shown(store_copy: Callable[[str], FixtureStore]) -> None:
    async with running_deck(store_copy("mlflow-2.9.2").db) as deck:
        deck.app.notify("too late", timeout=3)
        await deck.until(lambda: len(deck.app._notifications), "it is there")
        (message,) = deck.app._notifications
        message.timeout = 0.0  # it took so long to come to this
        assert message.has_expired
        assert message.time_left > 0, "Textual would wait for it for good"
        toast = Toast(message)
        await deck.app.screen.mount(toast)
        await deck.until(lambda: not toast.is_attached, "it goes")
        assert not list(deck.app._notifications)
