"""The style that whatever paints itself line by line lays all others on."""

from __future__ import annotations

from rich.style import Style
from textual.widget import Widget


class Based(Widget):
    """Comes behind other widgets among the bases of a class: Textual takes default styles from the first one only."""

    _base: Style | None = None

    @property
    def base(self) -> Style:
        """Asking Textual for it takes as long as painting a line does."""
        if self._base is None:
            self._base = self.rich_style
        return self._base

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._base = None
