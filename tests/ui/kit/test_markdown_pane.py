"""Notes and descriptions: Markdown of any size, without a pause; HTML is text."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from mldeck.ui.kit.markdown_pane import MarkdownPane


class NoteApp(App[None]):
    def compose(self) -> ComposeResult:
        yield MarkdownPane(id="note")


@asynccontextmanager
async def shown(text: str) -> AsyncIterator[tuple[Pilot[None], list[str]]]:
    app = NoteApp()
    async with app.run_test(size=(60, 20)) as pilot:
        pane = app.query_one(MarkdownPane)
        pane.show(text)
        end = time.monotonic() + 30
        while not pane.row_count:
            assert time.monotonic() < end, "never happened: the note is rendered"
            await asyncio.sleep(0.02)
        yield pilot, [pane.row_text(row).rstrip() for row in range(pane.row_count)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<p>Do <b>not</b> deploy</p>", ["<p>Do <b>not</b> deploy</p>"]),
        ("<div>\nWARNING\n</div>", ["<div>", "WARNING", "</div>"]),
        ("replace <DATE> here", ["replace <DATE> here"]),
        ("| a | b |\n|---|---|\n| x | y |", ["x", "y"]),
        ("```python\nx = 1\n```", ["x = 1"]),
        ("~~gone~~ & kept", ["gone", "& kept"]),
    ],
)
async def test_nothing_that_was_written_is_lost(text: str, words: list[str]) -> None:
    async with shown(text) as (_, lines):
        for word in words:
            assert any(word in line for line in lines), lines


@pytest.mark.parametrize(
    "text", ["- a\n" * 2_000, "a\n\n" * 2_000, ">" * 8_000 + "a", "| a |\n|---|\n" + "| b |\n" * 1_000]
)
async def test_a_long_note_never_keeps_the_deck_waiting(text: str) -> None:
    """Processor time between two turns of the event loop: what else the machine does does not count."""
    longest, last = 0.0, time.thread_time()

    async def watch() -> None:
        nonlocal longest, last
        while True:
            await asyncio.sleep(0.01)
            now = time.thread_time()
            longest, last = max(longest, now - last), now

    watching = asyncio.ensure_future(watch())
    async with shown(text) as (_, lines):
        assert lines
    watching.cancel()
    assert longest < 3  # a widget for each item took fifteen seconds


async def test_the_width_is_that_of_the_pane() -> None:
    async with shown("word " * 100) as (pilot, lines):
        assert max(map(len, lines)) <= 60
        await pilot.resize_terminal(30, 20)
        pane = pilot.app.query_one(MarkdownPane)
        end = time.monotonic() + 30
        while max(len(pane.row_text(row).rstrip()) for row in range(pane.row_count)) > 30:
            assert time.monotonic() < end, "never happened: rendered for another width"
            await asyncio.sleep(0.02)


async def test_nothing_is_under_the_scroll_bar() -> None:
    async with shown("abcd " * 300) as (pilot, lines):
        pane = pilot.app.query_one(MarkdownPane)
        end = time.monotonic() + 30
        while not pane.show_vertical_scrollbar:  # it comes with the next layout
            assert time.monotonic() < end, "never happened: the scroll bar"
            await asyncio.sleep(0.02)
        assert max(map(len, lines)) <= pane.line_width
