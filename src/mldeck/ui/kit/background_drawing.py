"""Draws a picture off the event loop: what is wanted while one is being drawn is drawn next, and nothing that was overtaken."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

from textual import on, work
from textual.widget import Widget
from textual.worker import WorkerError

from mldeck.ui.kit.picture_view import PictureView
from mldeck.ui.kit.threads import in_thread

AnyDrawing = TypeVar("AnyDrawing")


class Redrawing(Widget, Generic[AnyDrawing]):
    """A widget around a picture, which is drawn anew for every size."""

    drawing: AnyDrawing | None = None
    """What is shown; None before the first one."""
    _wanted = 0
    _drawn = 0
    _is_drawing = False

    @property
    def plot(self) -> PictureView:
        return self.query_one(PictureView)

    @abstractmethod
    def drawer(self, size: tuple[int, int]) -> Callable[[], AnyDrawing]:
        """What draws for this size what is to be seen now. It is called in a thread, and looks at nothing that changes."""

    @abstractmethod
    def show_drawing(self) -> None:
        """`drawing` is another one now."""

    def redraw(self) -> None:
        self._wanted += 1
        if not self._is_drawing and self.is_mounted:
            self._draw()

    @property
    def is_drawn(self) -> bool:
        """Whether what is on screen is the newest there is."""
        return self._drawn == self._wanted

    async def drawn(self) -> None:
        """Waits until it is, or there is no room to draw in."""
        for worker in [each for each in self.workers if each.node is self and each.group == "draw"]:
            with suppress(WorkerError):
                await worker.wait()

    @work(group="draw")
    async def _draw(self) -> None:
        if self._is_drawing:  # asked for twice before the first of them began
            return
        self._is_drawing = True
        try:
            while not self.is_drawn:
                wanted, size = self._wanted, self.plot.size
                if not size.width or not size.height:
                    return
                self.drawing = await in_thread(self.drawer((size.width, size.height)))
                self._drawn = wanted
                self.show_drawing()
        finally:
            self._is_drawing = False

    @on(PictureView.Resized)
    def _resized(self, message: PictureView.Resized) -> None:
        message.stop()
        self.redraw()
