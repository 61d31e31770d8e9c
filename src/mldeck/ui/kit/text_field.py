"""Text fields that show somebody else's text, and give it back as it was.

Control characters in a field are shown as their code, `⟦1B⟧`, so that they neither act on the terminal nor hide, and are
restored in the text that the field returns. Tags, names, notes and filters come from a database that others write to.
"""

from __future__ import annotations

from textual import events
from textual.widgets import Input, TextArea

from mldeck.format import escaped, unescaped


class TextField(Input):
    """A line for one text. Use `text` and `cursor`: `value` and `cursor_position` are about what is on screen."""

    def __init__(
        self,
        text: str = "",
        *,
        id: str,
        placeholder: str = "",
        select_on_focus: bool = True,
        keeps_lines: bool = False,
    ) -> None:
        """`keeps_lines`: pasted line ends are part of the text, and shown as codes. Else a blank takes their place."""
        super().__init__(escaped(text), placeholder, id=id, compact=True, select_on_focus=select_on_focus)
        self._keeps_lines = keeps_lines
        self.cursor_blink = False  # a blinking cursor is output that nobody asked for

    @property
    def text(self) -> str:
        """The text as it is to be used, control characters included."""
        return unescaped(self.value)

    @text.setter
    def text(self, text: str) -> None:
        self.value = escaped(text)

    @property
    def cursor(self) -> int:
        """The index of the cursor in `text`."""
        return len(unescaped(self.value[: self.cursor_position]))

    @cursor.setter
    def cursor(self, index: int) -> None:
        self.cursor_position = len(escaped(self.text[:index]))

    def on_paste(self, event: events.Paste) -> None:
        """Take all of the lines, where Textual takes the first one and says nothing."""
        event.prevent_default()
        event.stop()
        text = event.text.strip("\r\n")
        if "\n" not in text:  # most terminals end the lines of what is pasted as the Enter key does
            text = text.replace("\r", "\n")
        self.replace(text if self._keeps_lines else " ".join(text.splitlines()), *sorted(self.selection))

    def replace(self, text: str, start: int, end: int) -> None:
        """Put typed or pasted text in the place of what stands from `start` to `end` on screen."""
        super().replace(escaped(text), start, end)


class TextBox(TextArea):
    """A field for a text of several lines."""

    def __init__(self, text: str, *, id: str) -> None:
        # The widget writes one kind of line end. A text that mixes them keeps the odd ones as codes.
        without_pairs = text.replace("\r\n", "")
        is_uniform = "\r" not in without_pairs and ("\r" not in text or "\n" not in without_pairs)
        super().__init__(
            escaped(text, "\r\n\t" if is_uniform else "\n\t"), id=id, soft_wrap=True, tab_behavior="indent"
        )
        self.cursor_blink = False

    @property
    def whole_text(self) -> str:
        """The text as it is to be saved, control characters included."""
        return unescaped(self.text)
