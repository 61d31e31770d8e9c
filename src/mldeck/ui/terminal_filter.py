"""The last net before the terminal: no text on screen can hold a control character, wherever it comes from.

Foreign text is made safe where it is shown, so that what would act on the terminal is visible. A place that forgets it must
not let a tag move the cursor, retitle the window or write to the clipboard: every line that Textual sends passes through
here.
"""

from __future__ import annotations

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from mldeck.format import unsafe_removed


class ControlFilter(LineFilter):
    """A filter for `App.get_line_filters` that removes control characters and hyperlinks from segments.

    Widths stay the same. A hyperlink is an escape sequence that holds its target, which may be foreign text.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        if all(map(_is_harmless, segments)):
            return segments
        return [
            Segment(
                unsafe_removed(text),
                style if style is None or style.link is None else style.update_link(None),
                control,
            )
            for text, style, control in segments
        ]


def _is_harmless(segment: Segment) -> bool:
    text, style = segment.text, segment.style
    is_plain = (text.isascii() and text.isprintable()) or unsafe_removed(text) == text
    return is_plain and (style is None or style.link is None)
