"""The application: theme, places, and what happens when something goes wrong. Small on purpose."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from textual import events, work
from textual.app import SystemCommand
from textual.binding import BindingType
from textual.dom import DOMNode
from textual.driver import Driver
from textual.filter import LineFilter
from textual.notifications import Notify, SeverityLevel
from textual.screen import ModalScreen, Screen
from textual.theme import ThemeProvider

from mldeck.errors import MldeckError
from mldeck.format import safe
from mldeck.settings import Settings
from mldeck.store.address import Address
from mldeck.ui.app_keys import DECK, LEAVE, PLACE
from mldeck.ui.key_queue import KeyHandled, KeyQueue
from mldeck.ui.kit.cell_text import cell_text
from mldeck.ui.kit.clipboard import Clipboard, CopyAsked
from mldeck.ui.kit.clock import pass_time
from mldeck.ui.kit.full_text import TextAsked
from mldeck.ui.kit.graphics import Graphics
from mldeck.ui.kit.keys import COLUMNS, GRID, Key, bindings, entry_of, key_name, key_text, use_keys
from mldeck.ui.kit.threads import in_thread, wait_for_threads
from mldeck.ui.kit.toasts import toast_text
from mldeck.ui.palette import Actions, ActionsElsewhere
from mldeck.ui.place import Place
from mldeck.ui.runs.first_read import HeadStart
from mldeck.ui.runs.screen import RunsScreen
from mldeck.ui.state.session import Session, WayBack
from mldeck.ui.terminal_filter import ControlFilter
from mldeck.ui.textual_patches.answers import TerminalAnswer
from mldeck.ui.textual_patches.app import PatchedApp
from mldeck.ui.textual_patches.command_palette import DeckPalette
from mldeck.ui.textual_patches.driver import forgiving
from mldeck.ui.textual_patches.stylesheet import ParsedStyles
from mldeck.ui.textual_patches.widgets import LateNotification
from mldeck.ui.themes import THEMES, check_theme

_QUIET_S = 0.5
"""Seconds without a key press before background preloading starts."""

_SWITCH_S = 0.01
"""Seconds without painting while the place changes, so that the new place is painted only once."""

_LONGEST_NAMED = 60
"""Cells of a copied text that the message about it shows."""

_KEPT_MESSAGES = 100

_GRACE_S = 1.0
"""Seconds that running threads get to finish after the terminal has been restored."""

_CLOSING_S = 5.0
"""Seconds that closing the database may take. The system closes it when the process ends."""


_EARLY_IDS = frozenset({"help", "palette", "quit", "refresh", "back"})
_EARLY = [key for key in (*DECK, *PLACE, *GRID, *COLUMNS) if key.is_move or key.id in _EARLY_IDS]
"""The keys that work before the store is open."""


class DeckApp(PatchedApp[str]):
    """The application. Its return value is an error message for stderr, or None after a normal exit."""

    TITLE = "mldeck"
    CSS_PATH = ["styles/deck.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = bindings(DECK)
    DEFAULT_MODE = "runs"
    COMMANDS = {Actions, ActionsElsewhere}
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "ctrl+p"

    def __init__(self, settings: Settings, address: Address, head_start: HeadStart | None = None) -> None:
        super().__init__()
        for theme in THEMES:
            self.register_theme(theme)
        check_theme(settings.theme)
        self.session = Session(settings, address)
        saved = None if settings.fixes_theme else self.session.theme.read()
        self.theme = saved if saved is not None and saved in self.available_themes else settings.theme
        self.stylesheet = ParsedStyles(self.get_css_variables())
        self._themes: dict[Screen[Any], str] = {}
        """The theme that each place was styled with."""
        self.add_mode("runs", lambda: RunsScreen(self.session, head_start))
        self.add_mode("models", self._models_screen)
        self.add_mode("compare", self._compare_screen)
        self._keymap_of_settings = _keymap(settings)
        self.set_keymap(self._keymap_of_settings)
        use_keys(self._keymap_of_settings)
        self.key_queue = KeyQueue(
            self,
            super().on_event,
            lambda: self.session.is_open,
            leaving=self._keys_of(LEAVE),
            early=frozenset(name for key in _EARLY for name in self._keys_of(key)),
            chosen=frozenset(",".join(self._keymap_of_settings.values()).split(",")),
        )
        self._going = asyncio.Lock()
        """Held while a place is made or shown, so that only one is at a time."""
        self._is_leaving = False
        self._control_filter = ControlFilter()
        self._copies = Clipboard(super().copy_to_clipboard)
        self.graphics = Graphics(self, settings.images)
        self._copied = ""
        self._messages: deque[str] = deque(maxlen=_KEPT_MESSAGES)
        """The newest messages in full, also those that a toast had no room for."""
        self.crash: str | None = None
        """The message for stderr after a bug of mldeck has ended it; None otherwise."""

    def on_mount(self) -> None:
        self._leave_on_signals()
        self.watch(self, "theme", self.session.theme.save, init=False)
        self.keep_time()

    def _leave_on_signals(self) -> None:
        """Leave as with `q` on SIGTERM, and on SIGHUP, when the terminal is gone."""
        loop = asyncio.get_running_loop()
        for name in ("SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None and sys.platform != "win32" and threading.current_thread() is threading.main_thread():
                loop.add_signal_handler(number, self.exit)

    def exit(self, *result: Any, **options: Any) -> None:
        """Cancel all workers first, because the widgets that their results are for will be gone."""
        self._is_leaving = True
        self._suspend_no_more()
        self.workers.cancel_all()
        super().exit(*result, **options)

    def _suspend_no_more(self) -> None:
        """Ignore ctrl+z from now on: Textual would wait for itself, or take the terminal back when the process continues."""
        if sys.platform != "win32" and not self.is_headless and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTSTP, signal.SIG_IGN)
            signal.signal(signal.SIGCONT, signal.SIG_DFL)

    def handle_fault(self, error: Exception, node: DOMNode | None, *, in_worker: bool) -> bool:
        """Say in one line that a bug ended mldeck; tests get the exception itself.

        A worker that could not read or write, and did not say so, gets a message and ends nothing. Nor does anything end when a
        worker or a widget has outlived its screen and looks for what was there.
        """
        if node is not None and self._has_outlived(node):
            return True
        if in_worker and isinstance(error, MldeckError):
            self.notify(str(error), severity="warning", timeout=8)
            return True
        if self.is_headless:
            return False
        if self.crash is None:
            from mldeck.ui.crash import report

            self.crash = report(error)
        self._suspend_no_more()
        self.close_at_once()
        return True

    def _has_outlived(self, node: DOMNode) -> bool:
        """Return whether a widget or screen is gone, or about to go. Places stay when another one is shown."""
        screens = (ancestor for ancestor in node.ancestors_with_self if isinstance(ancestor, Screen))
        screen = next(screens, None)
        is_kept = isinstance(screen, Place) or screen in self.screen_stack
        return not (node is self or (is_kept and node.is_attached and node.is_running))

    def get_driver_class(self) -> type[Driver]:
        return forgiving(super().get_driver_class())

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's filters, and the one that keeps control characters from the terminal."""
        return [*super().get_line_filters(), self._control_filter]

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Show a message. It may hold foreign text, so it is made safe and is never markup."""
        timeout = self.NOTIFICATION_TIMEOUT if timeout is None else timeout
        text = safe(message)
        self._messages.append(text)
        shown = toast_text(text, self.size.width)
        self.post_message(Notify(LateNotification(shown, safe(title), severity, timeout, markup=False)))

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, (events.Key, events.Paste)) and not event.is_forwarded:
            await self.key_queue.take(event)
        else:
            await super().on_event(event)

    async def on_key_handled(self, message: KeyHandled) -> None:
        await self.key_queue.handled(message)

    def on_terminal_answer(self, message: TerminalAnswer) -> None:
        self.graphics.note(message.text)

    @property
    def clipboard(self) -> str:
        """The text that was copied last, for pasting within mldeck."""
        return self._copied

    def copy_to_clipboard(self, text: str) -> None:
        """Copy without a message, as Textual does with selected text."""
        self._copy(text, None)

    def on_copy_asked(self, message: CopyAsked) -> None:
        self._copy(message.text, message.what)

    def on_text_asked(self, message: TextAsked) -> None:
        from mldeck.ui.kit.dialogs.text import TextDialog

        self.push_screen(TextDialog(message.title, message.text))

    def show_messages(self) -> None:
        """Show the messages so far, the newest first."""
        newest_first = "\n\n".join(reversed(self._messages))
        self.on_text_asked(TextAsked("Messages", newest_first or "There was no message yet."))

    def _copy(self, text: str, what: str | None) -> None:
        # Half of a surrogate pair, as in JSON or for a byte of a file name, cannot be encoded.
        self._copied = text.encode(errors="replace").decode()
        self._put_on_clipboard(self._copied, what)

    @work(group="clipboard")
    async def _put_on_clipboard(self, text: str, what: str | None) -> None:
        said = await self._copies.put(text, cell_text(what or "an empty text", _LONGEST_NAMED))
        if what is not None:
            self.notify(said, timeout=3)

    def delay_update(self, delay: float = _SWITCH_S) -> None:
        """Delay painting while the place changes, for less time than Textual does."""
        super().delay_update(min(delay, _SWITCH_S))

    def refresh_css(self, animate: bool = True) -> None:
        """Style the screens again only if the theme has changed since.

        Textual styles the place that is left and the new one at every change of place.
        """
        stack = self.screen_stack
        if not stack or self._themes.get(stack[0]) != self.theme:
            super().refresh_css(animate)
            self._themes |= dict.fromkeys(stack[:1], self.theme)

    @work(group="clock")
    async def keep_time(self) -> None:
        """Repaint the texts that change with time, on the screens in view."""
        clock = self.session.clock
        while True:
            await clock.until_due()
            clock.strike()
            for screen in self.screen_stack:
                if screen.is_current:
                    pass_time(screen)

    @work(group="preload")
    async def on_place_opened(self) -> None:
        """Make the place Models and read its data while the user does nothing, because its first visit takes long."""
        await asyncio.sleep(_QUIET_S)
        from mldeck.ui.preload import preload

        await in_thread(preload)
        await self.key_queue.rest(_QUIET_S)
        async with self._going:
            if self._place("models") is None:
                self._themes[await self.make_screen_ahead("models")] = self.theme
        if (models := self._place("models")) is not None:
            await models.before_show()

    def _keys_of(self, key: Key) -> list[str]:
        """Return the keys of a table entry, by the settings."""
        return self._keymap_of_settings.get(key.id, key.keys).split(",")

    def _models_screen(self) -> Screen[None]:
        from mldeck.ui.models.screen import ModelsScreen  # many sessions are about runs alone

        return ModelsScreen(self.session)

    def _compare_screen(self) -> Screen[None]:
        from mldeck.ui.compare.screen import CompareScreen  # most sessions look at one run at a time

        return CompareScreen(self.session)

    async def action_place(self, name: str) -> None:
        """Show another place, as it was left."""
        async with self._going:
            made, left = self._place(name), self.current_mode
            if made is not None:
                await made.before_show()
            if self._is_leaving:
                return
            await self.switch_mode(name)
        place = self._place(name)
        if place is not None and not self._is_leaving:
            if left != name:
                place.opened_from = left
            place.after_show()

    @work(group="go", exclusive=True)
    async def on_place_run_wanted(self, message: Place.RunWanted) -> None:
        """Show a run in the place Runs, and remember where `b` goes back to."""
        run, origin = message.run, message.come_back_to
        if origin is not None:
            self.session.way_back = WayBack(origin, run.run_id)
        await self.action_place("runs")
        runs = self._place("runs")
        if isinstance(runs, RunsScreen):
            runs.go_to(run)
            if origin is not None:
                runs.notify(f"{key_name('best')} goes back to {origin.capitalize()}", timeout=3)

    def _place(self, name: str) -> Place | None:
        """Return a place; None as long as it has not been made."""
        try:
            stack = self.get_screen_stack(name)
        except KeyError:
            return None
        return stack[0] if stack and isinstance(stack[0], Place) else None

    def action_command_palette(self) -> None:
        if not isinstance(self.screen, DeckPalette):
            self.push_screen(DeckPalette(id="--command-palette"))

    def search_themes(self) -> None:
        self.push_screen(DeckPalette(providers=[ThemeProvider], placeholder="Search for themes…"))

    def action_help_quit(self) -> None:
        """Answer ctrl+c, which leaves most programs, but copies in Textual. Its own message would show its markup here."""
        self.notify(f"{key_name(LEAVE.id)} leaves mldeck", timeout=3)

    def action_leave(self) -> None:
        """Leave, also from a dialog, unless that would lose typed text."""
        from mldeck.ui.kit.text_field import TextBox, TextField, has_typed_text  # a text field takes a while to load

        dialogs = [screen for screen in self.screen_stack if isinstance(screen, ModalScreen)]
        is_typing = isinstance(self.focused, (TextField, TextBox)) and self.key_queue.has_text
        if any(map(has_typed_text, dialogs)) or (dialogs and is_typing):
            self.notify("Text was typed here. Esc closes the dialog without it", severity="warning", timeout=4)
        else:
            self.key_queue.clear()
            self.exit()

    def action_help(self) -> None:
        from mldeck.ui.help.dialog import HelpDialog
        from mldeck.ui.help.sections import key_sections

        self.push_screen(HelpDialog(key_sections(self.screen.active_bindings.values(), self._keymap_of_settings)))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Yield a command for every key that works here and now but moves, for every theme, and for what has no key.

        The themes are found by their names, and not among what the palette offers unasked.
        """
        yield SystemCommand("Change theme", "Choose the colours", self.action_change_theme)
        yield SystemCommand("Messages", "Show the messages so far in full, the newest first", self.show_messages)
        for theme in self.available_themes:
            yield SystemCommand(
                f"Theme {theme}", "Use these colours", partial(setattr, self, "theme", theme), discover=False
            )
        seen = set()
        for active in screen.active_bindings.values():
            binding = active.binding
            # `app.X` of a screen and `X` of the application are the same action.
            name = binding.action.removeprefix("app.")
            entry = entry_of(binding)
            is_move = entry is not None and entry.is_move
            if binding.description and binding.tooltip and active.enabled and not is_move and name not in seen:
                seen.add(name)
                action = partial(self.run_action, binding.action, active.node)
                yield SystemCommand(
                    f"{binding.description.capitalize()}  {key_text(binding.key)}", binding.tooltip, action
                )


def _keymap(settings: Settings) -> Mapping[str, str]:
    """Return the keys of the settings by id. Raises `UsageError` if any of them is wrong."""
    if not settings.keys:
        return {}
    from mldeck.ui.help.keymap import keymap_of_settings  # few users change keys

    return keymap_of_settings(settings.keys)


def run_deck(settings: Settings, address: Address, head_start: HeadStart | None = None) -> int:
    """Run the application until the user leaves, and return the exit status."""
    app = DeckApp(settings, address, head_start)
    try:
        message = app.run()
    finally:
        wait_for_threads(_GRACE_S)
        # A thread that waits for a file system may hold the database's lock.
        closing = threading.Thread(target=app.session.close, daemon=True)
        closing.start()
        closing.join(_CLOSING_S)
    if app.crash is not None:
        print(app.crash, file=sys.stderr)
        return 1
    if message:
        print(f"mldeck: {message}", file=sys.stderr)
        return 1
    return app.return_code or 0
