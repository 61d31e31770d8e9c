"""A command palette that survives a terminal without room for its list."""

from __future__ import annotations

from contextlib import suppress

from textual.command import CommandPalette


class DeckPalette(CommandPalette):
    """Textual's palette, whose list raises `KeyError` when it is paged without room. Relies on `_action_command_list`."""

    def _action_command_list(self, action: str) -> None:
        """Move in the list."""
        with suppress(KeyError):
            super()._action_command_list(action)
