"""The help: all keys, those of the present place first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from mldeck.ui.help.key_groups import GROUPS
from tests.fixture_stores import FixtureStore
from tests.ui.chart.chart_deck import chart_of


def test_every_key_has_an_id_of_its_own() -> None:
    counts = Counter(key.id for _, keys in GROUPS for key in keys)
    assert [key_id for key_id, count in counts.items() if count > 1] == []


async def test_the_help_of_a_chart_begins_with_the_keys_of_charts(store_copy: Callable[[str], FixtureStore]) -> None:
    async with chart_of(store_copy("mlflow-3.17.2"), ["rf5"]) as deck:
        await deck.press("question_mark")
        await deck.until_shown("Esc close")
        first = deck.frame[deck.frame.index("─ Keys") :].splitlines()[1]
        assert "Charts of metrics" in first
