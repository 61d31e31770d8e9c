"""What all places have in common: the bars, opening and following the store, quick find, and saying what is wrong."""

from __future__ import annotations

import asyncio
import gc
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from mldeck.errors import MldeckError, StoreUnavailable
from mldeck.format import safe
from mldeck.ui.app_keys import PLACE
from mldeck.ui.kit.bars import KeyBar
from mldeck.ui.kit.clock import pass_time
from mldeck.ui.kit.debounce import Debouncer
from mldeck.ui.kit.finder import Finder
from mldeck.ui.kit.grid import Grid
from mldeck.ui.kit.keys import bindings
from mldeck.ui.kit.threads import in_thread, read_off_loop
from mldeck.ui.state.session import Session
from mldeck.ui.top_bar import TopBar

if TYPE_CHECKING:
    from textual.css.types import PointerShape

    from mldeck.model import Run
    from mldeck.store.histories.outline import HistorySpan
    from mldeck.ui.kit.find_bar import FindBar

POLL_S = 0.4
"""How often the deck looks whether the database changed: what others commit is on screen within a second."""

_MAX_PAUSE_S = 5.0
_RETRY_S = 1.0

_BUSY_S = 0.5
"""Reading that takes longer says so."""

_MOMENT_S = 0.3
"""How long a place waits for what is in it before it is shown for the first time."""

_MIN_WIDTH, _MIN_HEIGHT = 60, 16
_AnyWidget = TypeVar("_AnyWidget", bound=Widget)


class Place(Screen[None]):
    """A screen over the store. The subclass says what is in it, and reads it again when it is told to."""

    NAME: ClassVar[str] = ""
    """As the application calls it, and as it stands in the bar at the top."""
    BINDINGS: ClassVar[list[BindingType]] = bindings(PLACE)
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-normal"), (160, "-wide")]

    class Opened(Message):
        """The store is open, and will be followed."""

    @dataclass
    class RunWanted(Message):
        """Asks the application to show a run in the place Runs."""

        run: Run
        come_back_to: str | None = None
        """The `NAME` of the place that `b` goes back to; None leaves the way back as it is."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.finder = Finder(self, self.find_rows)
        self.busy = ""
        """What has been going on for a while; empty if nothing has."""
        self._debouncer = Debouncer(self)
        self._is_stale = True
        """Whether something on screen is older than the database, as far as is known."""
        self._seen_changes = 0
        """`Session.changes` when everything was read last."""
        self._comes_back = asyncio.Event()
        self._is_coming_up = False
        self._has_been_read = asyncio.Event()
        """At least once."""

    # -- what a place consists of

    @abstractmethod
    def compose_body(self) -> ComposeResult:
        """The panes between the bars."""

    @property
    @abstractmethod
    def main_grid(self) -> Grid | None:
        """Where the focus goes back to, and where text is found; None where there is no list."""

    async def before_open(self) -> None:
        """Show something before the store is open. `open_store` waits for it; most places have nothing to show yet."""

    @abstractmethod
    async def read_again(self) -> None:
        """Reads everything on screen, with cursor, scrolling and marks where they are. Raises `MldeckError`."""

    @abstractmethod
    async def find_rows(self, grid: Grid, text: str) -> Sequence[int]:
        """Rows of a grid that contain the text; none, and nothing marked as found any more, for an empty text."""

    @abstractmethod
    def show_title(self) -> None:
        """Says what is shown, and what is going on."""

    def unavailable(self, action: str) -> str | None:
        """Why an action cannot be done now, so that its key is dimmed; None when it can."""
        return None

    def compose(self) -> ComposeResult:
        yield TopBar(str(self.session.path), self.NAME, id="top")
        with Container(id="body"):
            yield from self.compose_body()
        yield KeyBar(id="keys")
        yield Static(f"mldeck needs at least {_MIN_WIDTH}x{_MIN_HEIGHT} characters", id="too-small")

    @property
    def top_bar(self) -> TopBar:
        return self.query_one(TopBar)

    def on_mount(self) -> None:
        self.open_store()

    def on_unmount(self) -> None:
        self.leave_store()

    def leave_store(self) -> None:
        """The deck is about to close."""
        self.session.give_up()

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.width < _MIN_WIDTH or event.size.height < _MIN_HEIGHT, "-too-small")

    # -- opening and following

    @work(group="open", exclusive=True)
    async def open_store(self) -> None:
        """Show what is known already, connect as soon as the file can be read, then follow its changes."""
        session = self.session
        if not session.is_open:
            await self.before_open()
        while not session.is_open:
            try:
                await in_thread(session.open)
                self._tell_notices()
            except StoreUnavailable as error:
                self._say_trouble(error)
                await asyncio.sleep(_RETRY_S)
            except MldeckError as error:
                self.app.exit(str(error), return_code=1)
                return
        self.top_bar.set_trouble("")
        self._show_state()
        _collect_garbage_again()
        self.follow()
        self.post_message(self.Opened())

    @work(group="follow", exclusive=True)
    async def follow(self) -> None:
        """Looks whether others changed the database, and reads what is on screen again when they did.

        A large store that changes all the time is not read all the time: the pause grows with what reading costs.
        """
        while True:
            started = time.monotonic()
            if self.is_shown or self._is_coming_up:
                await self._catch_up()
                self._has_been_read.set()
            self._comes_back.clear()
            pause = max(POLL_S, min(_MAX_PAUSE_S, 2 * (time.monotonic() - started)))
            with suppress(asyncio.TimeoutError):  # until Python 3.11 not the builtin one
                await asyncio.wait_for(self._comes_back.wait(), pause)

    async def _catch_up(self) -> None:
        session = self.session
        try:
            has_changed = await in_thread(session.poll)
            if not self.query(TopBar):
                return  # the deck is being closed, and has nothing left to show it on
            if has_changed:
                session.changes += 1
                self._show_state()
            if self._is_stale or self._seen_changes != session.changes:
                self._is_stale, self._seen_changes = False, session.changes
                await self.read_again()
                self.top_bar.set_trouble("")
                self._tell_notices()
        except MldeckError as error:
            self._is_stale = True
            self._say_trouble(error)

    def on_screen_resume(self) -> None:
        """Time has passed meanwhile."""
        pass_time(self)

    def _tell_notices(self) -> None:
        for notice in self.session.untold_notices():
            self.notify(notice, timeout=10)

    @property
    def is_shown(self) -> bool:
        """Whether this is the place that one is in, be it below a dialog."""
        return self in self.app.screen_stack[:1]  # none is there any more when the deck is closed

    def _compositor_refresh(self) -> None:
        """Textual renders a place that comes up while nothing is to be shown yet, and throws that away."""
        if not self.app._batch_count:
            super()._compositor_refresh()

    def _watch__pointer_shape(self, pointer_shape: PointerShape) -> None:
        """Textual tells the terminal about it also when the place is made before one goes there; a quiet deck sends nothing."""
        if self.is_current:
            super()._watch__pointer_shape(pointer_shape)

    async def come_up(self) -> None:
        """It is shown next, or may soon be. The first time, what is in it is read before, for a moment, to be painted once."""
        if not self._has_been_read.is_set():
            self._is_coming_up = True
            self._comes_back.set()
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._has_been_read.wait(), _MOMENT_S)
            self._is_coming_up = False

    def come_back(self) -> None:
        """Another place was looked at meanwhile: what changed in it is shown at once."""
        self.top_bar.show_marked(len(self.session.marked))
        self._comes_back.set()

    @work(group="refresh", exclusive=True)
    async def action_refresh(self) -> None:
        with self.reporting_trouble():
            if self.session.is_open:
                await in_thread(self.session.reopen)
                await self.read_again()
                self.top_bar.set_trouble("")
                self.notify("Read again", timeout=1)

    def _show_state(self) -> None:
        store = self.session.store
        mode = "read-only" if store.read_only_reason else "rw"
        self.top_bar.set_state(f"{'copy' if store.is_copy else 'live'} · {mode}")
        self.query_one(KeyBar).refresh()  # what can be done may be something else now

    # -- saying what is going on

    def says_why_not(self, reason: str | None) -> bool:
        """Whether there is a reason why nothing can be changed; if so, it is said."""
        if reason:
            self.notify(f"Read-only: {reason}", severity="warning", timeout=4)
        return bool(reason)

    @contextmanager
    def reporting_trouble(self) -> Iterator[None]:
        """A store that cannot be read now is said at the top; `follow` takes the message away when it can."""
        try:
            yield
        except MldeckError as error:
            self._is_stale = True
            self._say_trouble(error)

    def _say_trouble(self, error: MldeckError) -> None:
        # The bar names the file already.
        path = self.session.path
        self.top_bar.set_trouble(str(error).removeprefix(f"{path} is ").removeprefix(f"{path} "))

    @contextmanager
    def saying_busy(self, what: str) -> Iterator[None]:
        def say() -> None:
            self.busy = f"{what}… Esc stops"
            self.show_title()

        timer = self.set_timer(_BUSY_S, say)
        try:
            yield
        finally:
            timer.stop()
            if self.busy:
                self.busy = ""
                self.show_title()

    def settle(self, what: str, action: Callable[[], object]) -> None:
        """Does it when nothing more of this kind has happened for a moment."""
        self._debouncer.call(action, what)

    def forget_settling(self, what: str) -> None:
        """What was to be done has been overtaken."""
        self._debouncer.cancel(what)

    async def read_outline(self, run_id: str, key: str, slices: int) -> Sequence[HistorySpan] | None:
        """Read the history of a metric for an inspector, cut into slices; None if it cannot be read, which is reported."""
        with self.reporting_trouble():
            store = self.session.store
            return await read_off_loop(lambda interrupt: store.history_outline(run_id, key, slices, interrupt))
        return None

    # -- going back, and quick find

    async def action_back(self) -> None:
        """One step: stop what is being read, drop the matches, or go back to the main pane."""
        if self.busy:
            self.stop_reading()
            self.notify("Stopped", timeout=2)
        elif self.finder.has_matches:
            await self.finder.forget()
        elif self.main_grid is not None and not self.main_grid.has_focus:
            self.set_focus(self.main_grid)

    @abstractmethod
    def stop_reading(self) -> None:
        """Stops what takes long, and leaves on screen what was there."""

    async def action_find(self) -> None:
        focused = self.focused
        grid = focused if isinstance(focused, Grid) else self.main_grid
        if grid is None:
            self.notify("There is no list here to find anything in", timeout=3)
        else:
            await self.finder.open(grid, before="keys")

    @work(group="find", exclusive=True)
    async def on_find_bar_changed(self, message: FindBar.Changed) -> None:
        with self.reporting_trouble():
            await self.finder.search(message.text)

    async def on_find_bar_stepped(self, message: FindBar.Stepped) -> None:
        await self.finder.step(message.step)

    async def on_find_bar_closed(self, message: FindBar.Closed) -> None:
        await self.finder.close(keep=message.keep)

    async def action_find_next(self) -> None:
        await self.finder.step(1)

    async def action_find_previous(self) -> None:
        await self.finder.step(-1)


def pane(widget: _AnyWidget, title: str) -> _AnyWidget:
    """The widget with a border and a title."""
    widget.add_class("pane")
    widget.border_title = title
    return widget


def no_match_text(what: str, search: str) -> str:
    """Why a list is empty: the filter that was applied is named, since another one may just be typed."""
    return f"{what} matches {safe(search)}\n\nf changes the filter, F takes it away."


def retitle(widget: Widget, title: str, subtitle: str) -> None:
    """Titles that are so already are not painted again."""
    named, noted = Content(safe(title)), Content(safe(subtitle))
    if widget.border_title != named.markup:
        widget.border_title = named
    if widget.border_subtitle != noted.markup:
        widget.border_subtitle = noted


def _collect_garbage_again() -> None:
    """The command line switched it off for the start; what was made until now stays, and need not be looked at again."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
