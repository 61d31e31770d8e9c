"""Keys in the order in which they were typed, each sent to where those before it have moved the focus.

Textual sends a key to the widget that has the focus when the key arrives. A fast typist or a slow line delivers several at
once: behind `/`, which moves the focus to the line for finding, the others would still go to the table, as commands. So would
what is typed behind a key that opens a menu, which takes a moment. And in the first second there is nothing yet that most
keys are about: they wait until the store is open.

However long that takes, no key becomes anything else than it was meant to be: what cannot be sent is dropped, and said.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from textual import events
from textual.message import Message
from textual.screen import ModalScreen

from mldeck.ui.kit.questions import is_about_to_ask

if TYPE_CHECKING:
    from textual.app import App
    from textual.timer import Timer
    from textual.widget import Widget

_MOST_WAITING = 256
_LOOK_S = 0.01
_PATIENCE_S = 10.0
"""How long keys wait. Then whatever they wait for never comes, and they are dropped."""

_LEAVES = frozenset({"ctrl+q", "ctrl+c"})
"""Never text, and never made to wait."""

_ALWAYS = frozenset(
    "q question_mark colon ctrl+p ctrl+r escape tab shift+tab up down left right j k h l g G home end pageup pagedown"
    " ctrl+d ctrl+u".split()
)
"""What can be done before the store is open."""


class Passed(Message):
    """Goes behind a key from the widget that it is sent to up to the application, and so arrives when the key is dealt with.

    It goes a second time, behind the messages that the key has caused, such as that a line was submitted.
    """

    def __init__(self, number: int, *, again: bool = True) -> None:
        super().__init__()
        self.number = number
        self.again = again


class Keyboard:
    """What is typed or pasted, one after the other: the next is sent when the one before it has been dealt with."""

    def __init__(
        self, app: App[str], send: Callable[[events.Event], Awaitable[None]], is_open: Callable[[], bool]
    ) -> None:
        """`send`: Textual's own way with an event. `is_open`: whether there is a store that keys can be about."""
        self._app = app
        self._send = send
        self._is_open = is_open
        self._waiting: deque[events.Key | events.Paste] = deque(maxlen=_MOST_WAITING)
        self.sent = 0
        """How many keys and pastes were sent until now."""
        self._target: Widget | None = None
        """Where the last one was sent, until it has been dealt with."""
        self._screen: Widget | None = None
        """What was on top when it was sent."""
        self._sent_at = time.monotonic()
        self._lookout: Timer | None = None

    @property
    def is_idle(self) -> bool:
        """Whether all that was typed has been dealt with."""
        return not self._waiting and (self._target is None or not self._target.is_attached)

    @property
    def _rested_s(self) -> float:
        """Seconds since the last key was sent."""
        return time.monotonic() - self._sent_at

    async def rest(self, seconds: float) -> None:
        """Until nothing has been typed for so long."""
        while True:
            missing = seconds - self._rested_s
            if missing <= 0:
                return
            await asyncio.sleep(missing)

    async def take(self, event: events.Key | events.Paste) -> None:
        if isinstance(event, events.Key) and event.key in _LEAVES:
            self._waiting.clear()
            await self._send(event)
            return
        self._waiting.append(event)
        await self._send_waiting()

    async def passed(self, message: Passed) -> None:
        if message.number != self.sent:
            return
        again = Passed(message.number, again=False)
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
            # Not forwarded: it was a key that comes before all others, and something may have come up by it.
            self._follow(target if event.is_forwarded else self._app.screen)
        if self._waiting and self._lookout is None:
            self._lookout = self._app.set_interval(_LOOK_S, self._look)

    def _is_free(self) -> bool:
        """Whether what is typed next can go where the focus is."""
        if self._target is None and self._app.screen is not self._screen:
            self._follow(self._app.screen)  # a dialog, say, which first gives the focus to one of its own
        return self._target is None and not self._is_about_to_ask()

    def _follow(self, target: Widget) -> None:
        self._screen = self._app.screen
        self._target = target if target.post_message(Passed(self.sent)) else None

    def _is_about_to_ask(self) -> bool:
        """What is typed next is then an answer, and no command."""
        if isinstance(self._app.screen, ModalScreen):
            return False
        return is_about_to_ask(self._app.workers)

    def _may_be_sent(self, event: events.Key | events.Paste) -> bool:
        if self._is_open() or isinstance(self._app.screen, ModalScreen):
            return True
        return isinstance(event, events.Key) and event.key in _ALWAYS

    async def _look(self) -> None:
        """What goes behind a key is lost with a widget that the key removes; and nothing says that a question comes up."""
        if self._target is not None and not self._target.is_attached:
            self._target = None
        await self._send_waiting()
        if self._waiting and time.monotonic() - self._waiting[0].time > _PATIENCE_S:
            self._waiting.clear()
            self._target = None
            why = "mldeck is busy" if self._is_open() else "the store is not open yet"
            self._app.notify(f"What was typed was dropped: {why}", severity="warning", timeout=5)
        if not self._waiting and self._lookout is not None:
            self._lookout.stop()
            self._lookout = None
