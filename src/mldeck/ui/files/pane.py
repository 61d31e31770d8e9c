"""The inspector's tab of artifacts: where they are, their tree, and if there is room a preview of what the cursor is on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events, on, work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from mldeck.artifacts.errors import Unconfirmed
from mldeck.errors import MldeckError
from mldeck.format import safe
from mldeck.model import RunDetails
from mldeck.ui.files.consent import is_agreed
from mldeck.ui.files.preview.pane import PreviewPane
from mldeck.ui.files.reading import Subject, no_files_text, read_run_files, where_lines
from mldeck.ui.files.tree import FileTree
from mldeck.ui.kit.debounce import Debouncer
from mldeck.ui.kit.grid import Grid
from mldeck.ui.kit.keys import key_name
from mldeck.ui.kit.styles import style_named
from mldeck.ui.kit.threads import read_off_loop
from mldeck.ui.state.session import Session

if TYPE_CHECKING:
    from rich.text import Text

_LEAST_WIDTH = 84
"""Width in cells from which on the preview is beside the tree."""
_TALL = 24
"""Height in lines from which on there is room for the preview below the tree."""


class ArtifactPane(Widget):
    def __init__(self, session: Session, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._session = session
        self._run: RunDetails | None = None
        self._debouncer = Debouncer(self)
        self._where: list[tuple[str, str]] = []

    def compose(self) -> ComposeResult:
        yield Static("", id="artifact-where", markup=False)
        with Horizontal(id="artifact-body"):
            yield FileTree(id="artifact-tree")
            yield PreviewPane(id="artifact-preview")

    def on_mount(self) -> None:
        # The program that had the terminal may have changed files.
        self.app.app_resume_signal.subscribe(self, lambda _: self.show_again())

    @property
    def files(self) -> FileTree:
        return self.query_one(FileTree)

    @property
    def preview(self) -> PreviewPane:
        return self.query_one(PreviewPane)

    def show(self, details: RunDetails | None, empty_text: str) -> None:
        """Show the files of a run as they are now. Without a run, `empty_text` says why."""
        before, self._run = self._run, details
        if details is None or before is None or details.run.run_id != before.run.run_id:
            self.files.empty_text = empty_text if details is None else "reading…"
            self.files.show(None)
            self._say_where([])
            self.preview.show(None)
        if details is not None:
            self._load(details)

    def show_again(self) -> None:
        """Read the files of the run again."""
        if self._run is not None:
            self._load(self._run)

    @work(group="files", exclusive=True)
    async def _load(self, details: RunDetails) -> None:
        session, run = self._session, details.run
        if not session.is_open:
            return
        try:
            files = await read_off_loop(lambda interrupt: read_run_files(session, run, interrupt))
        except MldeckError as error:
            self._say_where([(str(error), "warn")])
            return
        self._say_where(where_lines(files.tree))
        self.files.empty_text = no_files_text(files.tree)
        self.files.show(files)

    @on(FileTree.Asked)
    def _asked(self, message: FileTree.Asked) -> None:
        if message.what == "confirm":
            message.stop()
            if self.files.cursor_unconfirmed is not None:
                self._confirm(self.files.cursor_unconfirmed)

    @work(group="confirm", exclusive=True)
    async def _confirm(self, place: Unconfirmed) -> None:
        if await is_agreed(self.app, self._session, place):
            self.show_again()

    def _say_where(self, lines: list[tuple[str, str]]) -> None:
        self._where = lines
        where = self.query_one("#artifact-where", Static)
        where.display = bool(lines)
        if not self.files.is_searching:
            where.update(self._where_text())

    def _where_text(self) -> Text:
        from rich.text import Text

        problem = self.files.problem
        lines = self._where
        if problem:
            # The problem often begins with the place that could not be listed.
            lines = [*(line for line in lines if not problem.startswith(line[0])), (problem, "warn")]
        parts = [(safe(line) + "\n", style_named(self, style or "dim")) for line, style in lines]
        text = Text.assemble(*parts, overflow="fold")
        text.rstrip()
        return text

    def notify_style_update(self) -> None:
        super().notify_style_update()
        if self._where and self.is_mounted:
            self._say_where(self._where)

    # -- the preview

    def on_resize(self, event: events.Resize) -> None:
        is_wide = event.size.width >= _LEAST_WIDTH
        self.set_class(not is_wide and event.size.height >= _TALL, "-stacked")
        self.preview.display = is_wide or event.size.height >= _TALL
        self._settle()

    @on(Grid.CursorMoved)
    def _moved(self, message: Grid.CursorMoved) -> None:
        message.stop()
        if message.grid is self.files:
            self._say_where(self._where)
            self._settle()

    def _settle(self) -> None:
        self._debouncer.call(self._preview_cursor)

    def _preview_cursor(self) -> None:
        if not self.preview.display:
            return
        subject, shown = self.subject, self.preview.subject
        if subject is None or shown is None or not subject.looks_like(shown):
            self.preview.show(subject)

    @property
    def subject(self) -> Subject | None:
        """The file or folder under the cursor."""
        files, entry = self.files.files, self.files.cursor_entry
        return None if files is None or entry is None else Subject(files.tree, entry, files)

    @on(FileTree.Searching)
    def _searching(self, message: FileTree.Searching) -> None:
        message.stop()
        where = self.query_one("#artifact-where", Static)
        if message.looked_at is None:
            where.update(self._where_text())
        else:
            where.update(Content(f"searching… {message.looked_at:,} names · {key_name('back')} stops"))
