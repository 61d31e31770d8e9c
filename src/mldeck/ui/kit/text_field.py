"""Text fields that show text from others, and return it unchanged.

Tags, names, notes and filters come from a database that others write to. Control characters in a field are shown as their code,
`⟦1B⟧`, so that they neither act on the terminal nor hide; the text that the field returns has them back.
"""

from __future__ import annotations

from typing import Any

from textual import events
from textual.screen import Screen
from textual.widgets import Input, TextArea

from mldeck.format import escaped, unescaped


class TextField(Input):
    """A field of one line. Use `text` and `cursor`: `value` and `cursor_position` are those of the escaped text on screen."""

    def __init__(
        self,
        text: str = "",
        *,
        id: str,
        placeholder: str = "",
        select_on_focus: bool = True,
        keeps_lines: bool = False,
    ) -> None:
        """`keeps_lines`: pasted line ends are kept, and shown as codes. Otherwise they are replaced by blanks."""
        super().__init__(escaped(text), placeholder, id=id, compact=True, select_on_focus=select_on_focus)
        self._given = self.value
        self._keeps_lines = keeps_lines
        self.cursor_blink = False  # A blinking cursor would send output while the application is idle.

    @property
    def text(self) -> str:
        """The text that was typed, with its control characters."""
        return unescaped(self.value)

    @text.setter
    def text(self, text: str) -> None:
        self.value = self._given = escaped(text)

    @property
    def is_edited(self) -> bool:
        """Whether the user has changed the text that it was given."""
        return self.value != self._given

    @property
    def cursor(self) -> int:
        """The index of the cursor in `text`."""
        return len(unescaped(self.value[: self.cursor_position]))

    @cursor.setter
    def cursor(self, index: int) -> None:
        self.cursor_position = len(escaped(self.text[:index]))

    def on_paste(self, event: events.Paste) -> None:
        """Paste all lines; Textual would paste the first one only."""
        event.prevent_default()
        event.stop()
        text = event.text.strip("\r\n")
        if "\n" not in text:  # Most terminals send carriage returns in pasted text, as for the Enter key.
            text = text.replace("\r", "\n")
        self.replace(text if self._keeps_lines else " ".join(text.splitlines()), *sorted(self.selection))

    def replace(self, text: str, start: int, end: int) -> None:
        """Replace the escaped text from `start` to `end` with typed or pasted text."""
        super().replace(escaped(text), start, end)


class TextBox(TextArea):
    """A field of several lines."""

    def __init__(self, text: str, *, id: str) -> None:
        # The widget writes one kind of line end. In a text that mixes them, the others are kept as codes.
        without_pairs = text.replace("\r\n", "")
        is_uniform = "\r" not in without_pairs and ("\r" not in text or "\n" not in without_pairs)
        super().__init__(
            escaped(text, "\r\n\t" if is_uniform else "\n\t"), id=id, soft_wrap=True, tab_behavior="indent"
        )
        self._given = self.text
        self.cursor_blink = False

    @property
    def is_edited(self) -> bool:
        """Whether the user has changed the text that it was given."""
        return self.text != self._given

    @property
    def whole_text(self) -> str:
        """The text to be saved, with its control characters."""
        return unescaped(self.text)


def has_typed_text(screen: Screen[Any]) -> bool:
    """Return whether a field on a screen has text that would be lost with it."""
    fields = (*screen.query(TextField), *screen.query(TextBox))
    return any(field.is_edited for field in fields)
