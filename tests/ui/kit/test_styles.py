"""The styles of what is painted line by line, in the colours of themes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from rich.style import Style

from mldeck.format import MISSING
from mldeck.ui.kit.styles import style_named
from mldeck.ui.themes import THEMES
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


def _brightness(colour: Style, *, background: bool = False) -> float:
    """Return the relative luminance of WCAG."""
    found = colour.bgcolor if background else colour.color
    assert found is not None
    parts = [part / 255 for part in found.get_truecolor()]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", [theme.name for theme in THEMES])
async def test_every_text_in_the_row_of_the_cursor_is_legible(
    store_copy: Callable[[str], FixtureStore], theme: str
) -> None:
    async with running_deck(store_copy("nyc-taxi").db, experiment="nyc-taxi-experiment", theme=theme) as deck:
        await deck.until_counted(45)
        table = deck.screen.table
        segments = list(table.render_line(table.header_height))
        assert MISSING in "".join(segment.text for segment in segments)
        for segment in segments:
            assert segment.style is not None
            if segment.text.strip():
                dark, light = sorted((_brightness(segment.style), _brightness(segment.style, background=True)))
                assert (light + 0.05) / (dark + 0.05) >= 4.5, segment
