"""The export dialog: asks for a path and a format, writes the file, shows the progress, and can be stopped."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static
from textual.worker import Worker

from mldeck.addresses import typed_path
from mldeck.destination import AlreadyThere, Destination
from mldeck.errors import Interrupted, MldeckError
from mldeck.format import cut, safe
from mldeck.store.interrupt import Interrupt
from mldeck.ui.kit.bars import TabBar
from mldeck.ui.kit.text_field import TextField
from mldeck.ui.kit.threads import read_off_loop
from mldeck.ui.kit.titles import title_of

if TYPE_CHECKING:
    from mldeck.export import Format
    from mldeck.run_text import CellGuard

_PATIENCE_S = 0.5
"""Seconds before the progress is shown."""

_STEP_S = 0.25
"""Seconds between updates of the progress."""

_FORMULA_WIDTH = 24
_FORMULA_CHOICE = "ctrl+g writes ' before such texts, Enter keeps them."


@dataclass
class ExportProgress:
    """How far a file is written. The writing thread sets it, the event loop reads it."""

    things: str = "runs"
    """The plural of the items that are counted."""
    done: int = 0
    total: int | None = None
    """None while the items are still being read."""

    def tell(self, done: int, total: int) -> None:
        self.done, self.total = done, total

    def __str__(self) -> str:
        return "reading…" if self.total is None else f"{self.done:,} of {self.total:,} {self.things}…"


@dataclass(frozen=True)
class ExportJob:
    """A file that is to be written."""

    destination: Destination
    form: Format
    guards: Sequence[CellGuard]
    """What keeps a spreadsheet from taking a text of a CSV for a formula."""
    progress: ExportProgress
    interrupt: Interrupt


WriteFile: TypeAlias = Callable[[ExportJob], int]
"""Write the file, and return the number of items in it. Called in a thread."""


class ExportDialog(ModalScreen["tuple[Path, int] | None"]):
    """The result is the path and the number that `write` returned; None if nothing was written."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel"),
        Binding("ctrl+g", "guard", "write formulas as text", priority=True),
        Binding("down,tab", "turn(1)", "next format", priority=True),
        Binding("up,shift+tab", "turn(-1)", "previous format", priority=True),
    ]

    def __init__(
        self,
        title: str,
        path: str,
        formats: Sequence[Format],
        databases: Collection[Path],
        write: WriteFile,
        things: str = "runs",
    ) -> None:
        """`path` is offered for editing; its suffix chooses the format. `databases` are never overwritten."""
        super().__init__()
        self._title = title
        self._formats = tuple(formats)
        self._format = self._format_of(path) or self._formats[0]
        self._path = path
        self._databases = databases
        self._write_file = write
        self._things = things
        self._may_overwrite = ""
        """The path of an existing file that Enter, pressed again, overwrites."""
        self._may_hold_formulas = ""
        """The path to which Enter, pressed again, writes texts that would be formulas in a spreadsheet."""
        self._worker: Worker[None] | None = None

    def compose(self) -> ComposeResult:
        with Vertical(id="export", classes="dialog") as pane:
            pane.border_title = title_of(self._title)
            pane.border_subtitle = Content("Enter write · ↑↓ format · Esc cancel")
            yield TabBar([form.value for form in self._formats], id="export-formats")
            yield TextField(self._path, id="export-path")
            yield Static("", id="export-state", markup=False)

    def on_mount(self) -> None:
        self._show_format()
        self._line.focus()

    @property
    def is_writing(self) -> bool:
        return self._worker is not None and self._worker.is_running

    # -- path and format

    def _format_of(self, path: str) -> Format | None:
        from mldeck.export import Format  # loaded on the first export

        form = Format.of(path)
        return form if form in self._formats else None

    def _show_format(self) -> None:
        self.query_one(TabBar).activate(self._formats.index(self._format))

    def _say(self, text: str) -> None:
        self.query_one("#export-state", Static).update(safe(text))

    @property
    def _line(self) -> TextField:
        return self.query_one(TextField)

    @on(Input.Changed)
    def _follow_suffix(self) -> None:
        self._format = self._format_of(self._line.text) or self._format
        self._show_format()
        if not self.is_writing:
            self._say("")

    @on(TabBar.Chosen)
    def _choose(self, message: TabBar.Chosen) -> None:
        self._turn_to(min(message.index, len(self._formats) - 1))

    def action_turn(self, step: int) -> None:
        self._turn_to((self._formats.index(self._format) + step) % len(self._formats))

    def _turn_to(self, index: int) -> None:
        """Choose a format. A suffix that stands for a format is changed with it, any other is kept."""
        if self.is_writing:
            return
        line = self._line
        known = self._format_of(line.text) is not None
        self._format = self._formats[index]
        if known:
            line.text = line.text[: line.text.rindex(".")] + self._format.suffix
        self._show_format()

    # -- writing

    @on(Input.Submitted)
    def _submit(self) -> None:
        from mldeck.run_text import refuse_formula

        self._start(() if self._line.text.strip() == self._may_hold_formulas else (refuse_formula,))

    def action_guard(self) -> None:
        """Write a CSV in which a spreadsheet takes no text for a formula."""
        from mldeck.run_text import without_formula

        self._start((without_formula,))

    def _start(self, guards: Sequence[CellGuard]) -> None:
        text = self._line.text.strip()
        if text and not self.is_writing:
            self._worker = self._write(text, guards, overwrite=text == self._may_overwrite)

    @work(group="export", exclusive=True)
    async def _write(self, text: str, guards: Sequence[CellGuard], *, overwrite: bool) -> None:
        from mldeck.run_text import FormulaFound

        progress, form, write = ExportProgress(self._things), self._format, self._write_file
        said = self.set_timer(_PATIENCE_S, lambda: self._say_progress(progress))
        steps = self.set_interval(_STEP_S, lambda: self._say_progress(progress), pause=True)
        self.set_timer(_PATIENCE_S, steps.resume)
        self._may_overwrite, path = "", Path(text)
        try:
            path = typed_path(text)
            destination = Destination(path, self._databases, replace=overwrite)
            count = await read_off_loop(
                lambda interrupt: write(ExportJob(destination, form, guards, progress, interrupt))
            )
        except AlreadyThere as error:
            self._may_overwrite = text
            self._say(f"{error.reason.capitalize()}: Enter replaces it.")
        except FormulaFound as error:
            self._may_hold_formulas = text
            self._may_overwrite = text if overwrite else ""
            self._say(f"A spreadsheet would compute {cut(safe(error.text), _FORMULA_WIDTH)}. {_FORMULA_CHOICE}")
        except Interrupted:
            self._say("Stopped; nothing was written.")
        except MldeckError as error:
            self._fail(str(error))
        else:
            self.dismiss((path, count))
        finally:
            said.stop()
            steps.stop()

    def _say_progress(self, progress: ExportProgress) -> None:
        if self.is_writing:
            self._say(f"{progress} Esc stops")

    def _fail(self, message: str) -> None:
        from mldeck.ui.kit.dialogs.text import TextDialog

        self._say("")
        self.app.push_screen(TextDialog("Not exported", message))

    def action_cancel(self) -> None:
        """Stop the write; if none is running, close."""
        if self._worker is not None and self.is_writing:
            self._worker.cancel()
            self._say("Stopped; nothing was written.")
        else:
            self.dismiss(None)
