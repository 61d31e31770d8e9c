"""Copies a file or folder out: asks for the destination, shows the progress, and asks before it replaces anything."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static
from textual.worker import Worker

from mldeck.addresses import absolute, typed_path
from mldeck.artifacts.copying import CopyResult, copy_out, path_for
from mldeck.artifacts.tree import ArtifactTree
from mldeck.destination import AlreadyThere, Destination
from mldeck.errors import Interrupted, MldeckError
from mldeck.format import safe, size_text
from mldeck.store.interrupt import Interrupt
from mldeck.ui.kit.text_field import TextField
from mldeck.ui.kit.threads import read_off_loop
from mldeck.ui.kit.titles import title_of

_PATIENCE_S = 0.5
"""Seconds of copying before the progress is shown."""
_STEP_S = 0.25
"""Seconds between two updates of the progress."""


class DownloadDialog(ModalScreen["CopyResult | None"]):
    """The dialog. The result is what was copied; None if nothing was."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "cancel")]

    def __init__(self, tree: ArtifactTree, path: str, name: str, databases: Collection[Path]) -> None:
        """`name`: suggested name of the copy. `databases`: files that are never replaced."""
        super().__init__()
        self._tree = tree
        self._source = path
        self._file_name = name
        self._databases = databases
        self._may_replace = ""
        """The destination that exists and was asked about; Enter on the same one again replaces it."""
        self._worker: Worker[None] | None = None
        self._done: tuple[int, int] | None = None
        """Bytes that are copied, and bytes in all; None until they have been counted."""

    def compose(self) -> ComposeResult:
        with Vertical(id="download", classes="dialog") as pane:
            pane.border_title = title_of(f"Download {self._file_name}")
            pane.border_subtitle = Content("Enter copy · Esc cancel")
            yield TextField("./", id="download-path")
            yield Static("", id="download-state", markup=False)

    def on_mount(self) -> None:
        line = self.query_one(TextField)
        line.focus()
        line.cursor = len(line.text)
        self._say_where()

    @property
    def is_copying(self) -> bool:
        return self._worker is not None and self._worker.is_running

    def _say(self, text: str) -> None:
        self.query_one("#download-state", Static).update(safe(text))

    @property
    def _typed(self) -> str:
        return self.query_one(TextField).text.strip() or "."

    def _path(self, text: str) -> Path:
        try:
            return path_for(self._file_name, typed_path(text))
        except (OSError, ValueError) as error:  # Not a possible name.
            raise MldeckError(f"{text} was not written: {error}") from error

    @on(Input.Changed)
    def _say_where(self) -> None:
        if self.is_copying:
            return
        try:
            self._say(f"to {absolute(self._path(self._typed))}")
        except MldeckError as error:
            self._say(str(error))

    @on(Input.Submitted)
    def _start(self) -> None:
        if not self.is_copying:
            text = self._typed
            self._worker = self._copy(text, replace=text == self._may_replace)

    @work(group="copy", exclusive=True)
    async def _copy(self, text: str, *, replace: bool) -> None:
        self._may_replace, self._done = "", None
        steps = self.set_interval(_STEP_S, self._say_progress, pause=True)
        patience = self.set_timer(_PATIENCE_S, steps.resume)
        try:
            copied = await read_off_loop(lambda interrupt: self._write(text, replace, interrupt))
        except AlreadyThere as error:
            self._may_replace = text
            self._say(f"{self._path(text)} {error.reason.removeprefix('it ')}: Enter replaces it.")
        except Interrupted:
            self._say("Stopped; nothing was written.")
        except MldeckError as error:
            self._say(str(error))
        else:
            self.dismiss(copied)
        finally:
            patience.stop()
            steps.stop()

    def _write(self, text: str, replace: bool, interrupt: Interrupt) -> CopyResult:
        destination = Destination(self._path(text), self._databases, replace=replace)

        def tell(done: int, total: int) -> None:
            self._done = (done, total)

        return copy_out(self._tree, self._source, destination, progress=tell, check=interrupt.check)

    def _say_progress(self) -> None:
        if self._done is None:
            self._say("counting… Esc stops")
        else:
            done, total = self._done
            self._say(f"{size_text(done)} of {size_text(total)}… Esc stops")

    def action_cancel(self) -> None:
        """Stop copying; if nothing is being copied, close the dialog."""
        if self._worker is not None and self.is_copying:
            self._worker.cancel()
            self._say("Stopped; nothing was written.")
        else:
            self.dismiss(None)
