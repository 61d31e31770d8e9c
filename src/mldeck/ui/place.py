"""The base class of all places: the bars, opening and following the store, quick find, and messages."""

from __future__ import annotations

import asyncio
import gc
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.message import Message
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from mldeck.errors import LoginNeeded, MldeckError, StoreUnavailable
from mldeck.format import cut_middle, safe
from mldeck.store.address import host_of
from mldeck.store.interrupt import Interrupt
from mldeck.ui.app_keys import PLACE
from mldeck.ui.kit.bars import KeyBar
from mldeck.ui.kit.clock import pass_time
from mldeck.ui.kit.debounce import Debouncer
from mldeck.ui.kit.external_program import out_of_the_way
from mldeck.ui.kit.finder import Finder
from mldeck.ui.kit.grid import Grid
from mldeck.ui.kit.keys import bindings, key_name
from mldeck.ui.kit.threads import in_thread, read_off_loop
from mldeck.ui.state.session import Session
from mldeck.ui.textual_patches.app import tell_pointer_shape_if_current
from mldeck.ui.textual_patches.widgets import set_border_titles
from mldeck.ui.top_bar import TopBar

if TYPE_CHECKING:
    from mldeck.model import Run
    from mldeck.store.histories.outline import HistorySpan
    from mldeck.store.store import Store
    from mldeck.ui.kit.find_bar import FindBar

POLL_S = 0.4
"""Seconds between two polls of the database, so that the commits of others are on screen within a second."""

_MAX_PAUSE_S = 5.0
_RETRY_S = 1.0

_BUSY_S = 0.5
"""Seconds of reading before the title says so."""

_MOMENT_S = 0.3
"""Seconds that the first visit of a place waits for its data."""

_MIN_WIDTH, _MIN_HEIGHT = 60, 16
BORDER_CELLS = 6
"""Cells of a border's upper line on both sides of the title."""

_MOST_HOST_CELLS = 24

_AnyWidget = TypeVar("_AnyWidget", bound=Widget)


class Place(Screen[None]):
    """A screen over the store. A subclass composes its panes, and reads their data whenever it is asked to."""

    NAME: ClassVar[str] = ""
    """The name of the place in the application, and in the bar at the top."""
    BINDINGS: ClassVar[list[BindingType]] = bindings(PLACE)
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-normal"), (160, "-wide")]
    _watch__pointer_shape = tell_pointer_shape_if_current

    class Opened(Message):
        """Posted when the store is open and is being followed."""

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
        """The text about an operation that takes long; empty if there is none."""
        self._debouncer = Debouncer(self)
        self._is_stale = True
        """Whether something on screen is known to be older than the database."""
        self.opened_from = ""
        """The `NAME` of the place that was shown before; empty if none was."""
        self._seen_changes = 0
        """The value of `Session.changes` at the last reading."""
        self._comes_back = asyncio.Event()
        self._is_coming_up = False
        self._has_been_read = asyncio.Event()
        """Set after the first reading."""

    # -- what a subclass provides

    @abstractmethod
    def compose_body(self) -> ComposeResult:
        """The panes between the bars."""

    @property
    @abstractmethod
    def main_grid(self) -> Grid | None:
        """The grid that the focus goes back to and that find searches; None if the place has no list."""

    async def before_open(self) -> None:
        """Show something before the store is open. `open_store` waits for it; most places have nothing to show yet."""

    @abstractmethod
    async def read_again(self) -> None:
        """Read everything on screen again, and keep cursor, scrolling and marks. Raise `MldeckError` if it cannot be read."""

    @abstractmethod
    async def find_rows(self, grid: Grid, text: str) -> Sequence[int]:
        """Return the rows of a grid that contain the text, and mark them. An empty text clears the marks."""

    @abstractmethod
    def show_title(self) -> None:
        """Put what is shown, and what is being done, into the titles."""

    def unavailable(self, action: str) -> str | None:
        """Return why an action is not possible now, which dims its key; None if it is possible."""
        return None

    def label_now(self, action: str, label: str) -> str:
        """Return the label of a key for what it does now; `label` is the usual one."""
        return label

    def compose(self) -> ComposeResult:
        yield TopBar(str(self.session.address), self.NAME, id="top")
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
        """Stop waiting for the store, because the application closes."""
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
        """Poll the database for changes of others, and read what is on screen again after each.

        The pause grows with the time that reading takes, so that a large store that changes all the time is not read all the
        time.
        """
        while True:
            started = time.monotonic()
            if self.is_shown or self._is_coming_up:
                await self._catch_up()
                self._has_been_read.set()
            self._comes_back.clear()
            pause = max(POLL_S, min(_MAX_PAUSE_S, 2 * (time.monotonic() - started)))
            with suppress(asyncio.TimeoutError):  # not the builtin TimeoutError before Python 3.11
                await asyncio.wait_for(self._comes_back.wait(), pause)

    async def _catch_up(self) -> None:
        session = self.session
        try:
            has_changed = await in_thread(session.poll)
            if not self.query(TopBar):
                return  # the application is closing
            if has_changed:
                session.changes += 1
                self._show_state()
            self._show_age()
            if self._is_stale or self._seen_changes != session.changes:
                self._is_stale, self._seen_changes = False, session.changes
                await self.read_again()
                self.top_bar.set_trouble("")
                self._tell_notices()
        except MldeckError as error:
            self._is_stale = True
            self._say_trouble(error)

    def on_screen_resume(self) -> None:
        """Bring the times up to date: they stood still while another screen was shown."""
        pass_time(self)

    def _tell_notices(self) -> None:
        for notice in self.session.untold_notices():
            self.notify(notice, timeout=10)

    @property
    def is_shown(self) -> bool:
        """Whether this is the present place, also while a dialog covers it."""
        return self in self.app.screen_stack[:1]  # the stack is empty when the application has closed

    async def before_show(self) -> None:
        """Prepare the place. The first time, wait up to 0.3 s for its data, so that it is painted once, complete."""
        if not self._has_been_read.is_set():
            self._is_coming_up = True
            self._comes_back.set()
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._has_been_read.wait(), _MOMENT_S)
            self._is_coming_up = False

    def after_show(self) -> None:
        """Show at once what has changed while another place was shown."""
        self.top_bar.show_marked(len(self.session.marked))
        self._comes_back.set()

    @work(group="refresh", exclusive=True)
    async def action_refresh(self) -> None:
        with self.reporting_trouble():
            if self.session.is_open:
                try:
                    await in_thread(self.session.reopen)
                except LoginNeeded:
                    interrupt = Interrupt()
                    with out_of_the_way(self.app, interrupt):
                        self.session.log_in(interrupt)
                    await in_thread(self.session.reopen)
                await self.read_again()
                self.top_bar.set_trouble("")
                self.notify("Read again", timeout=1)

    def _show_state(self) -> None:
        self._show_age()
        self.query_one(KeyBar).refresh()  # which keys are dimmed may have changed

    def _show_age(self) -> None:
        """Show whether the store can be changed, and how current what is shown is: that of a mirror moves with time."""
        self.top_bar.set_state(_state_text(self.session.store))

    # -- messages

    def check_writable(self, refusal: str | None) -> None:
        """Raise `MldeckError` if there is a reason why nothing can be changed."""
        if refusal:
            raise MldeckError(f"Read-only: {refusal}")

    @contextmanager
    def reporting_trouble(self) -> Iterator[None]:
        """Show an error of the store in the bar at the top. `follow` removes it when the store can be read again."""
        try:
            yield
        except MldeckError as error:
            self._is_stale = True
            self._say_trouble(error)

    def _say_trouble(self, error: MldeckError) -> None:
        # The bar names the file already.
        name = self.session.address
        way_out = f" · {key_name('refresh')} logs in" if isinstance(error, LoginNeeded) else ""
        self.top_bar.set_trouble(str(error).removeprefix(f"{name} is ").removeprefix(f"{name} ") + way_out)

    @contextmanager
    def saying_busy(self, what: str) -> Iterator[None]:
        """Show that `what` is being done, if it takes longer than half a second."""

        def say() -> None:
            self.busy = f"{what}… {key_name('back')} stops"
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
        """Call the action when `what` has not been asked for again for a moment."""
        self._debouncer.call(action, what)

    def forget_settling(self, what: str) -> None:
        """Cancel the waiting call for `what`."""
        self._debouncer.cancel(what)

    async def read_outlines(
        self, run_id: str, keys: Sequence[str], slices: int
    ) -> Mapping[str, Sequence[HistorySpan]] | None:
        """Read histories for an inspector, cut into slices; None if they cannot be read, which is reported.

        It is the first one alone, which can be shown at once, unless each request takes a trip: then all of them.
        """
        with self.reporting_trouble():
            store = self.session.store
            some = keys if store.is_distant else keys[:1]
            return await read_off_loop(lambda interrupt: store.history_outlines(run_id, some, slices, interrupt))
        return None

    # -- going back, and quick find

    async def action_back(self) -> None:
        """Go back one step: stop reading, clear the matches, focus the main grid, or leave for another place."""
        if self.busy:
            self.stop_reading()
            self.notify("Stopped", timeout=2)
        elif self.finder.has_matches:
            await self.finder.forget()
        elif self.main_grid is not None and not self.main_grid.has_focus:
            self.set_focus(self.main_grid)
        else:
            await self.go_to_earlier_place()

    async def go_to_earlier_place(self) -> None:
        """Go back to the place that led here, if this place is left so. By default, it is not."""

    @abstractmethod
    def stop_reading(self) -> None:
        """Stop what takes long, and leave the screen as it was."""

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
    """Return the widget after giving it a border and a title."""
    widget.add_class("pane")
    widget.border_title = title
    return widget


def no_match_text(what: str, search: str, filter_key: str, clear_key: str) -> str:
    """Return why a list is empty. It names the filter that was applied, because another one may be being typed.

    `filter_key` and `clear_key` are the ids of the keys that change and clear it.
    """
    ways = f"{key_name(filter_key)} changes the filter, {key_name(clear_key)} clears it."
    return f"{what} matches {safe(search)}\n\n{ways}"


def retitle(widget: Widget, title: str, subtitle: str, extent: str = "") -> None:
    """Set the titles in a widget's border, which may hold foreign text.

    `extent` says which part of the content is in view. It follows the title, of which the middle is left out to make room.
    """
    title = safe(title)
    if extent:
        extent = f" · {extent}"
        title = cut_middle(title, widget.outer_size.width - BORDER_CELLS - len(extent)) + extent
    set_border_titles(widget, title, safe(subtitle))


def _collect_garbage_again() -> None:
    """Switch the collector on after the start. All objects made until now stay, so it need not look at them again."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def _state_text(store: Store) -> str:
    """Return how the store is read, on which machine if it is another one, and whether it can be changed."""
    if host := host_of(store.address):
        mode = "read-only" if store.read_only_reason else "writing"
        return f"live on {cut_middle(safe(host), _MOST_HOST_CELLS)} · {mode}"
    return f"{store.state} · {'read-only' if store.read_only_reason else 'rw'}"
