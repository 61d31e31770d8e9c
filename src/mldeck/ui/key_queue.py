"""A queue of keys: each is sent when the one before it has been handled, to the widget that has the focus then.

Textual sends a key to the widget that has the focus when the key arrives. A fast typist or a slow line delivers several keys
at once. After `/`, which opens the find bar, the others would still go to the table, as commands. So would keys typed after
one that opens a menu, which takes a moment. In the first second most keys have nothing to act on, so they wait until the
store is open.

However long that takes, text never becomes a command: keys that cannot be sent are dropped, and a message says so.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import TYPE_CHECKING

from textual import events
from textual.message import Message
from textual.screen import ModalScreen

from mldeck.ui.kit.questions import is_about_to_ask

if TYPE_CHECKING:
    from textual.app import App
    from textual.timer import Timer
    from textual.widget import Widget

_MAX_WAITING = 256
_LOOK_S = 0.01
_PATIENCE_S = 10.0
"""Seconds that keys wait before they are dropped."""

_WORD_JUMPS = {"alt+f": "ctrl+right", "alt+b": "ctrl+left"}

_COPY = "ctrl+c"
"""A key that is never text and never waits. It tells how to leave if there is nothing to copy."""


class KeyHandled(Message):
    """A marker posted after a key. It bubbles from the target widget to the application, and arrives when the key is handled.

    It is posted a second time, to come after the messages that the key has caused, such as the submission of a line.
    """

    def __init__(self, number: int, *, again: bool = True) -> None:
        super().__init__()
        self.number = number
        self.again = again


class KeyQueue:
    """The keys and pastes that wait to be sent, in the order in which they were typed."""

    def __init__(
        self,
        app: App[str],
        send: Callable[[events.Event], Awaitable[None]],
        is_open: Callable[[], bool],
        leaving: Collection[str],
        early: Collection[str],
        chosen: Collection[str],
    ) -> None:
        """`send` is Textual's own handler of an event. `is_open` returns whether the store is open.

        `leaving` are keys that never wait, and work in dialogs, too. `early` are keys that work before the store is open.
        `chosen` are the keys of the settings, which alone may be letters with Alt.
        """
        self._app = app
        self._send = send
        self._is_open = is_open
        self._leaving = leaving
        self._early = early
        self._chosen = chosen
        self._waiting: deque[events.Key | events.Paste] = deque(maxlen=_MAX_WAITING)
        self.sent = 0
        """The number of keys and pastes sent so far."""
        self._target: Widget | None = None
        """The widget that is handling the last key; None when it has been handled."""
        self._screen: Widget | None = None
        """The screen that was on top when the last key was sent."""
        self._sent_at = time.monotonic()
        self._lookout: Timer | None = None

    @property
    def is_idle(self) -> bool:
        """Whether all keys have been handled."""
        return not self._waiting and (self._target is None or not self._target.is_attached)

    @property
    def has_text(self) -> bool:
        """Whether text waits to be sent."""
        return any(isinstance(event, events.Paste) or event.is_printable for event in self._waiting)

    def clear(self) -> None:
        """Drop the keys that wait."""
        self._waiting.clear()

    @property
    def _rested_s(self) -> float:
        """Seconds since the last key was sent."""
        return time.monotonic() - self._sent_at

    async def rest(self, seconds: float) -> None:
        """Wait until no key has been sent for so many seconds."""
        while True:
            missing = seconds - self._rested_s
            if missing <= 0:
                return
            await asyncio.sleep(missing)

    async def take(self, event: events.Key | events.Paste) -> None:
        if isinstance(event, events.Key) and event.key in self._leaving:
            await self._app.run_action("leave")
            return
        if isinstance(event, events.Key) and event.key == _COPY:
            self._waiting.clear()
            await self._send(event)
            return
        self._waiting.extend(self._as_typed(event))
        await self._send_waiting()

    def _as_typed(self, event: events.Key | events.Paste) -> Sequence[events.Key | events.Paste]:
        """Return Esc and a letter for a letter with Alt that no setting has chosen.

        Terminals send the same for both, and Textual takes Esc and a letter that arrive together for Alt. In a text field the
        letter is left out, so that no text becomes a command; but there Alt and `f` or `b` go by a word, as terminals of macOS
        send it for Option and an arrow. (Before other characters, Textual drops the Esc.)
        """
        if not isinstance(event, events.Key) or not event.key.startswith("alt+") or event.key in self._chosen:
            return (event,)
        letter = event.character
        if letter is None:
            return (event,)
        word_jump = _WORD_JUMPS.get(event.key)
        is_typing = self._app.focused is not None and self._app.focused.check_consume_key(letter, letter)
        escape = events.Key("escape", "\x1b")
        if is_typing:
            return (escape if word_jump is None else events.Key(word_jump, None),)
        return escape, events.Key(letter, letter)

    async def handled(self, message: KeyHandled) -> None:
        if message.number != self.sent:
            return
        again = KeyHandled(message.number, again=False)
        if self._target is None or not message.again or not self._target.post_message(again):
            self._target = None
            await self._send_waiting()

    async def _send_waiting(self) -> None:
        while self._waiting and self._is_free() and self._may_be_sent(self._waiting[0]):
            event = self._waiting.popleft()
            self.sent += 1
            self._sent_at = time.monotonic()
            target = self._app.focused or self._app.screen
            await self._send(event)
            # Not forwarded: it was a priority binding, which may have opened a screen.
            self._follow(target if event.is_forwarded else self._app.screen)
        if self._waiting and self._lookout is None:
            self._lookout = self._app.set_interval(_LOOK_S, self._look)

    def _is_free(self) -> bool:
        """Return whether the next key can be sent to the focus."""
        if self._target is None and self._app.screen is not self._screen:
            self._follow(self._app.screen)  # a dialog, which has yet to set its focus
        return self._target is None and not self._is_about_to_ask()

    def _follow(self, target: Widget) -> None:
        self._screen = self._app.screen
        self._target = target if target.post_message(KeyHandled(self.sent)) else None

    def _is_about_to_ask(self) -> bool:
        """Return whether a dialog is about to open: the next key is the answer to it, not a command."""
        if isinstance(self._app.screen, ModalScreen):
            return False
        return is_about_to_ask(self._app.workers)

    def _may_be_sent(self, event: events.Key | events.Paste) -> bool:
        if self._is_open() or isinstance(self._app.screen, ModalScreen):
            return True
        return isinstance(event, events.Key) and event.key in self._early

    async def _look(self) -> None:
        """Check again: a marker is lost with a widget that its key removes, and no message tells that a dialog has opened."""
        if self._target is not None and not self._target.is_attached:
            self._target = None
        await self._send_waiting()
        if self._waiting and time.monotonic() - self._waiting[0].time > _PATIENCE_S:
            self._waiting.clear()
            self._target = None
            why = "mldeck is busy" if self._is_open() else "the store is not open yet"
            self._app.notify(f"Keys dropped: {why}", severity="warning", timeout=5)
        if not self._waiting and self._lookout is not None:
            self._lookout.stop()
            self._lookout = None
