"""Lines that are pasted into a field of one line: all of them arrive."""

from __future__ import annotations

import pytest
from textual import events
from textual.app import App, ComposeResult

from mldeck.ui.kit.text_field import TextField


class FieldApp(App[None]):
    def __init__(self, field: TextField) -> None:
        super().__init__()
        self.field = field

    def compose(self) -> ComposeResult:
        yield self.field


@pytest.mark.parametrize(
    ("keeps_lines", "pasted", "text"),
    [
        (False, "metrics.a > 1\nAND metrics.b < 2\n", "metrics.a > 1 AND metrics.b < 2"),
        (False, "one\r\ntwo", "one two"),
        (True, "one\ntwo\n", "one\ntwo"),
        (True, "one\r\ntwo", "one\r\ntwo"),
        (True, "one\rtwo\r", "one\ntwo"),
        (False, "one\rtwo\r", "one two"),
        (False, "\n", ""),
        (False, "plain", "plain"),
    ],
)
async def test_no_line_is_lost(keeps_lines: bool, pasted: str, text: str) -> None:
    field = TextField(id="field", keeps_lines=keeps_lines)
    async with FieldApp(field).run_test() as pilot:
        field.focus()
        field.post_message(events.Paste(pasted))
        await pilot.pause()
        assert field.text == text
        assert "\n" not in field.value


async def test_pasting_replaces_what_is_selected() -> None:
    field = TextField(id="field")
    async with FieldApp(field).run_test() as pilot:
        field.text = "before"
        field.focus()
        field.select_all()
        field.post_message(events.Paste("after\nit"))
        await pilot.pause()
        assert field.text == "after it"
