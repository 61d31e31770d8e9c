"""Textual's command palette, without what ends the deck in it."""

from __future__ import annotations

from contextlib import suppress

from textual.command import CommandPalette


class DeckPalette(CommandPalette):
    def _action_command_list(self, action: str) -> None:
        """Move in the list. Textual looks up the line of a command also where there is no room for any line."""
        with suppress(KeyError):
            super()._action_command_list(action)
