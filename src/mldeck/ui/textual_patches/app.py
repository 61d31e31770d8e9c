"""Patches of the application and its screens: faults, screens that are made before anybody goes to them, and questions to the
terminal."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING, Any

from textual._context import active_message_pump
from textual.app import App, ReturnType
from textual.dom import DOMNode
from textual.screen import Screen
from textual.worker import WorkerFailed, get_current_worker

if TYPE_CHECKING:
    from textual.css.types import PointerShape


class PatchedApp(App[ReturnType]):
    """An application that decides what a fault in it means, and that can make a screen ahead."""

    def handle_fault(self, error: Exception, node: DOMNode | None, *, in_worker: bool) -> bool:
        """Deal with an exception that nothing has caught. False leaves it to Textual, which ends the application.

        `node` is the widget or screen whose message was handled, or which started the worker that failed, if it is known.
        After a fault in a handler, that node handles no more messages.
        """
        return False

    def _handle_exception(self, error: Exception) -> None:
        """Ask `handle_fault` first.

        Textual has no public hook for exceptions. Relies on the name of this method, on `WorkerFailed` around what a worker
        raises, and on the context variable of the message pump.
        """
        failed = error if isinstance(error, WorkerFailed) else None
        cause = failed.error if failed else error
        pump = get_current_worker().node if failed else active_message_pump.get(None)
        node = pump if isinstance(pump, DOMNode) else None
        if not (isinstance(cause, Exception) and self.handle_fault(cause, node, in_worker=failed is not None)):
            super()._handle_exception(error)

    def close_at_once(self) -> None:
        """Close without a traceback on the screen. `exit` would wait for the handler that has just failed."""
        self._close_messages_no_wait()

    def write_to_terminal(self, text: str) -> None:
        """Send commands to the terminal, before what is painted next. Relies on `_driver`: there is no public way."""
        if self._driver is not None:
            self._driver.write(text)
            self._driver.flush()

    def expect_answers(self, is_expecting: bool) -> bool:
        """Set whether answers of the terminal are posted as `TerminalAnswer`. Return False if they would be taken for keys."""
        event = getattr(self._driver, "is_expecting", None)
        if not isinstance(event, Event):
            return False
        if is_expecting:
            event.set()
        else:
            event.clear()
        return True

    async def make_screen_ahead(self, mode: str) -> Screen[Any]:
        """Make and mount the screen of a mode without going there.

        The first visit of a large screen takes 100 ms then, instead of 390 ms. Relies on `_init_mode`; `switch_mode` is the
        only public way to make the screen of a mode, and shows it.
        """
        await self._init_mode(mode)
        return self.get_screen_stack(mode)[0]


def tell_pointer_shape_if_current(screen: Screen[Any], pointer_shape: PointerShape) -> None:
    """Tell the terminal the shape of the mouse pointer only while the screen is current.

    Textual tells it also when a screen is made ahead, so a quiet application would write to the terminal. To be used as the
    method `_watch__pointer_shape` of a screen class, which it relies on.
    """
    if screen.is_current:
        Screen._watch__pointer_shape(screen, pointer_shape)
