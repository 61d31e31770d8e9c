"""The error that says what is wrong with a search, and where."""

from __future__ import annotations

from mldeck.errors import UsageError

MOST_CHARACTERS = 20_000
"""The longest search, or sort key, that is read. It holds the ids of five hundred runs."""


class SearchError(UsageError):
    """The text is not a valid search. The message says in plain words what was expected at `position`."""

    def __init__(self, message: str, position: int, end: int | None = None, item: int | None = None) -> None:
        # The message quotes what was typed or pasted: escape control characters so that none reaches the terminal.
        super().__init__("".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in message))
        self.position = position
        """The offset of the first wrong character, or the length of the text if something is missing."""
        self.end = position if end is None else end
        """The offset after the last wrong character."""
        self.item = item
        """The index of the item, counted from 0, if the text was an item of a list; else None."""

    @property
    def span(self) -> tuple[int, int]:
        """The offsets (`position`, `end`)."""
        return self.position, self.end


def reject_too_long(text: str) -> None:
    """Raise SearchError if the text has more than `MOST_CHARACTERS` characters."""
    if len(text) > MOST_CHARACTERS:
        message = f"Expected a shorter search: at most {MOST_CHARACTERS:,} characters, this one has {len(text):,}."
        raise SearchError(message, MOST_CHARACTERS, len(text))
