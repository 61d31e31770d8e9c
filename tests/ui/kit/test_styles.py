"""The styles of what is painted line by line, in the colours of themes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mldeck.ui.kit.styles import style_named
from tests.fixture_stores import FixtureStore
from tests.ui.deck import running_deck


@pytest.mark.parametrize("theme", ["mldeck-dark", "mldeck-light", "ansi-dark", "ansi-light"])
@pytest.mark.parametrize("name", ["cursor", "cursor-blurred"])
async def test_the_cursor_is_seen_in_every_theme(
    store_copy: Callable[[str], FixtureStore], theme: str, name: str
) -> None:
    async with running_deck(store_copy("mlflow-3.17.2").db, theme=theme) as deck:
        table = deck.screen.table
        style, plain = style_named(table, name), table.rich_style
        is_tinted = style.bgcolor is not None and not style.bgcolor.is_default and style.bgcolor != plain.bgcolor
        assert is_tinted or style.underline
