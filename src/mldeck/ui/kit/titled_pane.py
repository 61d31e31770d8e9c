"""A pane whose titles change while what is in it stays: only its border is painted then.

Textual paints the whole pane again for a title, which sends all of a picture over a terminal's line.
"""

from __future__ import annotations

from typing import TypeVar

from textual.content import Content
from textual.geometry import Region
from textual.widget import Widget

_Pane = TypeVar("_Pane", bound="TitledPane")


class TitledPane(Widget):
    _is_retitled = False

    def say(self, title: str, subtitle: str) -> None:
        """Puts them into the border, as text; nothing is painted for what stands there already."""
        wanted = Content(title), Content(subtitle)
        if (self.border_title or "", self.border_subtitle or "") == tuple(each.markup for each in wanted):
            return
        self._is_retitled = True
        try:
            self.border_title, self.border_subtitle = wanted
        finally:
            self._is_retitled = False

    def refresh(
        self: _Pane, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False
    ) -> _Pane:
        if self._is_retitled:
            # As seen from the corner of what is inside the border.
            content, whole = self.content_offset, self.outer_size
            lines = (-content.y, whole.height - content.y - 1)
            regions = tuple(Region(-content.x, y, whole.width, 1) for y in lines)
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)
