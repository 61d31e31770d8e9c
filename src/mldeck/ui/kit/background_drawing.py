"""Draws pictures in a worker thread. Requests that arrive meanwhile are coalesced: only the latest is drawn."""

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


class BackgroundDrawing(Widget, Generic[AnyDrawing]):
    """A widget around a picture that is drawn anew for each size."""

    drawing: AnyDrawing | None = None
    """The drawing that is shown; None before the first one."""
    _wanted = 0
    """Number of requests so far."""
    _drawn = 0
    """Number of the request that was drawn last."""
    _is_drawing = False

    @property
    def plot(self) -> PictureView:
        return self.query_one(PictureView)

    @abstractmethod
    def drawer(self, size: tuple[int, int]) -> Callable[[], AnyDrawing]:
        """Return a function that draws the present content for a size in cells: columns, rows.

        It is called in a thread, and must not read anything that may change meanwhile.
        """

    @abstractmethod
    def show_drawing(self) -> None:
        """Show `drawing`, which has just changed."""

    def redraw(self) -> None:
        """Draw the present content as soon as the drawing in progress is finished."""
        self._wanted += 1
        if not self._is_drawing and self.is_mounted:
            self._draw()

    @property
    def is_drawn(self) -> bool:
        """Whether the latest request has been drawn."""
        return self._drawn == self._wanted

    async def drawn(self) -> None:
        """Wait until the latest request has been drawn, or there is no room to draw in."""
        for worker in [worker for worker in self.workers if worker.node is self and worker.group == "draw"]:
            with suppress(WorkerError):
                await worker.wait()

    @work(group="draw")
    async def _draw(self) -> None:
        if self._is_drawing:  # Requested twice before the first worker began.
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
