"""Running the deck in memory: wait for what should be true, never for time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual.app import App
from textual.pilot import Pilot

from mldeck.settings import load_settings
from mldeck.store.address import Address
from mldeck.ui.app import DeckApp
from mldeck.ui.runs.screen import RunsScreen
from mldeck.ui.state.saved_state import SavedState
from tests.ui.textual_insides import screen_strips

TIMEOUT_S = 15.0
TOAST_S = 8.0


class Deck:
    """A running deck and what one wants to know of it."""

    def __init__(self, app: DeckApp, pilot: Pilot[str]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def screen(self) -> RunsScreen:
        for screen in self.app.screen_stack:
            if isinstance(screen, RunsScreen):
                return screen
        raise AssertionError("the place Runs is not there")

    @property
    def frame(self) -> str:
        return frame_text(self.app)

    @property
    def run_names(self) -> list[str]:
        """What stands in the name column of the rows in view."""
        table = self.screen.table
        rows = (table.row_cells(row) for row in table.visible_rows)
        return ["…" if cells is None else cells[1].text for cells in rows]

    async def press(self, *keys: str) -> None:
        """All at once, as over a slow line; a key that needs what the one before it has to read is pressed by itself."""
        keyboard = self.app.key_queue
        sent = keyboard.sent + len(keys)

        def is_done() -> bool:
            return keyboard.sent >= sent and keyboard.is_idle

        await asyncio.gather(*(self.pilot.press(key) for key in keys))
        if not is_done():  # a busy machine
            await self.until(is_done, "all keys are dealt with")
            await self.pilot.pause()

    async def until(self, is_true: Callable[[], object], what: str = "") -> None:
        """Waits until it is; the frame is in the message if it never is."""
        end = time.monotonic() + TIMEOUT_S
        while not is_true():
            assert time.monotonic() < end, f"never happened: {what}\n{self.frame}"
            await asyncio.sleep(0.01)

    async def until_shown(self, text: str) -> None:
        await self.until(lambda: text in self.frame, text)

    async def until_counted(self, count: int) -> None:
        noun = "run" if count == 1 else "runs"
        await self.until(
            lambda: self.screen.table.row_count == count and f"{count:,} {noun}" in self.frame, f"{count} runs"
        )


def forget_last_session(db: Path) -> None:
    """Begin without the marks and the tabs of an earlier deck on the store."""
    saved = SavedState.of(db)
    if saved.last:
        saved.last = {}
        saved.save()
        saved.flush()


def frame_text(app: App[str]) -> str:
    """The screen as lines of text, without colours."""
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in screen_strips(app))


def _let_toasts_stay(app: DeckApp) -> None:
    """Until a busy machine has come to look at them."""
    notify = app.notify

    def notify_longer(message: str, *, timeout: float | None = None, **options: Any) -> None:
        notify(message, timeout=max(timeout or 0, TOAST_S), **options)

    app.notify = notify_longer  # type: ignore[method-assign]


@asynccontextmanager
async def running_deck(
    path: Address,
    *,
    size: tuple[int, int] = (120, 40),
    experiment: str | None = None,
    read_only: bool = False,
    theme: str | None = None,
    registry_store: Path | None = None,
) -> AsyncIterator[Deck]:
    registry = None if registry_store is None else str(registry_store)
    settings = load_settings(experiment=experiment, read_only=read_only, theme=theme, registry_store=registry)
    app = DeckApp(settings, path)
    _let_toasts_stay(app)
    async with app.run_test(size=size, notifications=True) as pilot:
        deck = Deck(app, pilot)
        try:
            yield deck
        finally:
            app.exit()
    app.session.close()
