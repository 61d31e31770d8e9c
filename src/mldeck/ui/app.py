"""The application: theme, places, and what to do when something goes wrong. Small on purpose."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.screen import Screen

from mldeck.errors import UsageError
from mldeck.settings import Settings
from mldeck.ui.head_start import HeadStart
from mldeck.ui.keys import DECK, bindings, key_text
from mldeck.ui.screens.runs import RunsScreen
from mldeck.ui.session import Session
from mldeck.ui.themes import THEMES


class DeckApp(App[str]):
    """The result is a message for stderr when the deck had to give up; None after a normal end."""

    TITLE = "mldeck"
    CSS_PATH = ["styles/deck.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = bindings(DECK)
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "ctrl+p"

    def __init__(self, settings: Settings, path: Path, head_start: HeadStart | None = None) -> None:
        super().__init__()
        for theme in THEMES:
            self.register_theme(theme)
        if settings.theme not in self.available_themes:
            raise UsageError(f"no theme {settings.theme}; there are {', '.join(sorted(self.available_themes))}")
        self.theme = settings.theme
        self.session = Session(settings, path, head_start)

    def get_default_screen(self) -> Screen[None]:
        return RunsScreen(self.session)

    def action_help(self) -> None:
        from mldeck.ui.dialogs.help_dialog import HelpDialog

        self.push_screen(HelpDialog())

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """What can be done here and now: whatever has a key."""
        yield SystemCommand("Change theme", "Choose the colours", self.action_change_theme)
        seen = set()
        for active in screen.active_bindings.values():
            binding = active.binding
            if binding.description and binding.tooltip and active.enabled and binding.action not in seen:
                seen.add(binding.action)
                action = partial(self.run_action, binding.action, active.node)
                yield SystemCommand(
                    f"{binding.description.capitalize()}  {key_text(binding.key)}", binding.tooltip, action
                )


def run_deck(settings: Settings, path: Path, head_start: HeadStart | None = None) -> int:
    """Runs the deck until the user leaves; the exit status."""
    import sys

    app = DeckApp(settings, path, head_start)
    try:
        message = app.run()
    finally:
        app.session.close()
    if message:
        print(f"mldeck: {message}", file=sys.stderr)
        return 1
    return app.return_code or 0
