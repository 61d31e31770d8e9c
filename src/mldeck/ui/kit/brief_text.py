"""A text of a few lines that shows when it is cut."""

from __future__ import annotations

from rich.text import Text
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from mldeck.format import cut, safe


class BriefText(Widget):
    """Lines of foreign text, wrapped. If there is no room for all of them, the last one in view ends in an ellipsis."""

    DEFAULT_CSS = "BriefText { width: 1fr; height: auto; }"

    def __init__(self, text: str = "", *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.text = text

    def show(self, *lines: str) -> None:
        """Show other lines."""
        text = "\n".join(lines)
        if text != self.text:
            self.text = text
            self.refresh(layout=True)

    @property
    def is_cut(self) -> bool:
        """Whether a part of the text is out of view."""
        return self.height_in_full > self.size.height

    @property
    def height_in_full(self) -> int:
        """How many lines the text has at the present width."""
        return len(wrapped_lines(self.text, self.size.width))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(wrapped_lines(self.text, width))

    def render(self) -> Text:
        width, height = self.size
        lines = wrapped_lines(self.text, width)
        if len(lines) > height > 0:
            lines[height - 1 :] = [cut(f"{lines[height - 1]} …", width)]
        return Text("\n".join(lines), no_wrap=True, end="")


def wrapped_lines(text: str, width: int) -> list[str]:
    """Return the lines of a text, made safe and wrapped between words."""
    paragraphs = (Content(safe(line)).wrap(max(1, width)) for line in text.splitlines())
    return [line.plain.rstrip() for paragraph in paragraphs for line in paragraph or [Content("")]]
