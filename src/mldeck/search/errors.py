"""What is wrong with a search, and where."""

from __future__ import annotations

from mldeck.errors import UsageError

MOST_CHARACTERS = 20_000
"""Room for the ids of five hundred runs; a longer search, or sort key, is not even looked at."""


class SearchError(UsageError):
    """The text cannot be read as a search. The message says in plain words what was expected at `position`."""

    def __init__(self, message: str, position: int, end: int | None = None, item: int | None = None) -> None:
        # A message quotes what was typed or pasted; no control character may reach the terminal with it.
        super().__init__("".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in message))
        self.position = position
        """Character offset of the first character that is wrong; the length of the text when something is missing."""
        self.end = position if end is None else end
        """Character offset behind the last character that is wrong."""
        self.item = item
        """Which item of a list the text was, counted from 0; None when it was not in a list."""

    @property
    def span(self) -> tuple[int, int]:
        return self.position, self.end


def reject_too_long(text: str) -> None:
    if len(text) > MOST_CHARACTERS:
        message = f"Expected a shorter search: {MOST_CHARACTERS:,} characters at most, and this one has {len(text):,}."
        raise SearchError(message, MOST_CHARACTERS, len(text))
