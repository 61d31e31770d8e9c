"""Waits while the database is written: shows a dialog if that takes a moment, which Esc cancels."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ClassVar, TypeVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from mldeck.errors import Interrupted, MldeckError, PerhapsWritten
from mldeck.store.interrupt import Interrupt
from mldeck.ui.kit.dialogs.text import TextDialog
from mldeck.ui.kit.threads import in_thread

_PATIENCE_S = 0.5
"""Seconds before the dialog is shown."""

_Result = TypeVar("_Result")


class WaitingDialog(ModalScreen[None]):
    """Says what a write may be waiting for. Esc interrupts the write; the dialog closes when `end` is called."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "give_up", "cancel")]

    def __init__(self, interrupt: Interrupt) -> None:
        super().__init__()
        self._interrupt = interrupt
        self._is_over = False

    def compose(self) -> ComposeResult:
        with Vertical(id="waiting", classes="dialog") as pane:
            pane.border_title = "Waiting"
            pane.border_subtitle = Content("Esc cancel")
            yield Static("Another program is writing to the database, or the line to it is slow…", markup=False)

    def action_give_up(self) -> None:
        self._interrupt.fire()

    def end(self) -> None:
        self._is_over = True
        if self.is_active:
            self.dismiss()

    def on_screen_resume(self) -> None:
        if self._is_over:  # It ended while the command palette was open.
            self.dismiss()


async def write_with_wait_dialog(app: App[str], write: Callable[[Interrupt], _Result]) -> _Result:
    """Write in a thread, with a dialog if it takes long. Raises what `write` raises: `Interrupted` if the user cancels."""
    interrupt = Interrupt()
    writing = asyncio.ensure_future(in_thread(write, interrupt))
    try:
        done, _ = await asyncio.wait({writing}, timeout=_PATIENCE_S)
        if not done:
            dialog = WaitingDialog(interrupt)
            await app.push_screen(dialog)
            await asyncio.wait({writing})
            dialog.end()
        return await writing
    except asyncio.CancelledError:
        interrupt.fire()
        writing.cancel()  # Its result is not needed any more.
        raise


async def write_or_explain(
    app: App[str],
    write: Callable[[Interrupt], _Result],
    outcome: str = "Nothing was changed",
    *,
    reraise: tuple[type[MldeckError], ...] = (),
) -> _Result | None:
    """Write in a thread, as `write_with_wait_dialog` does. Return None if that failed, after the user has been told.

    `outcome` says what has not happened. Cancelling is answered by a toast, an error by a dialog that stays until it is
    closed. Errors of the types in `reraise` are the caller's.
    """
    try:
        return await write_with_wait_dialog(app, write)
    except reraise:
        raise
    except Interrupted:
        app.notify(f"Cancelled; {outcome[:1].lower()}{outcome[1:]}", timeout=3)
    except PerhapsWritten as error:
        app.push_screen(TextDialog("Perhaps changed", str(error)))
    except MldeckError as error:
        app.push_screen(TextDialog(outcome, str(error)))
    return None
