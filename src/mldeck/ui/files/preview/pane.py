"""Previews a file, folder or model: a line about it, notes, and a view for its kind."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from mldeck.artifacts.previews.binary import hex_lines
from mldeck.artifacts.previews.preview import WHITE, PreviewRequest
from mldeck.artifacts.previews.values import (
    ArchivePreview,
    ArrayPreview,
    BinaryPreview,
    ImagePreview,
    NoPreview,
    TablePreview,
    TextPreview,
    TreePreview,
)
from mldeck.errors import Interrupted
from mldeck.format import safe, size_text, time_text
from mldeck.helper import Unanswered
from mldeck.ui.files.model_card_reading import Card
from mldeck.ui.files.preview.image_view import ImageView, picture_text
from mldeck.ui.files.preview.table_view import archive_view, array_view, rows_text, table_view
from mldeck.ui.files.preview.text_view import TextView
from mldeck.ui.files.preview.value_tree import ValueTree
from mldeck.ui.files.reading import FolderContent, Subject, SubjectContent, read_content
from mldeck.ui.kit.graphics import Graphics, Way, graphics_of
from mldeck.ui.kit.grid import Cell, Grid
from mldeck.ui.kit.keys import key_name
from mldeck.ui.kit.line_view import LineView
from mldeck.ui.kit.text_styles import rendered_markdown
from mldeck.ui.kit.threads import read_off_loop

_PATIENCE_S = 0.5
"""Seconds of reading before the pane says so."""
_LONGEST_MARKDOWN = 1 << 17
"""Characters that are rendered at most; a page of text has half of that at most."""


@dataclass(frozen=True)
class _Body:
    """The view for a content, a part of the line about it, and notes."""

    view: Widget | None
    about: str
    notes: tuple[str, ...] = ()


class PreviewPane(Widget):
    """Shows one subject at a time. It stays on screen until the next one has been read."""

    class Shown(Message):
        """Posted when another view is shown."""

    def __init__(self, *, id: str | None = None, takes_focus: bool = False) -> None:
        """`takes_focus`: the view gets the focus if nothing else has it."""
        super().__init__(id=id)
        self._takes_focus = takes_focus
        self.subject: Subject | None = None
        self._shown: Subject | None = None
        """The subject of the present view, while another one may be being read."""
        self.content: SubjectContent | None = None
        self.view: Widget | None = None
        self.as_text = False
        self._zoom = 0
        """Steps by which the picture is zoomed in."""
        self.about = ""
        self.extra = ""
        """The result of a calculation: a hash, a number of rows."""

    def compose(self) -> ComposeResult:
        yield Static("", id="preview-about", markup=False)
        yield Static("", id="preview-notes", markup=False)
        yield Container(id="preview-body")

    @property
    def body(self) -> Container:
        return self.query_one("#preview-body", Container)

    def show(self, subject: Subject | None, *, as_text: bool = False) -> None:
        entry = None if subject is None else subject.entry
        before = None if self.subject is None else self.subject.entry
        if entry is None or before is None or entry.path != before.path:
            self._zoom = 0
        if entry != before:
            self.extra = ""
        self.subject, self.as_text = subject, as_text
        self._load()

    def show_again(self) -> None:
        self._load()

    @work(group="preview", exclusive=True)
    async def _load(self) -> None:
        subject = self.subject
        if subject is None:
            await self._put(None, _Body(None, ""))
            return
        patience = self.set_timer(_PATIENCE_S, lambda: self._say_about("reading…"))
        try:
            content = await self._read(subject)
            body = await self._body(subject, content, max(20, self.body.size.width - 1))
        except Interrupted:
            return
        finally:
            patience.stop()
        await self._put(content, body)

    async def _read(self, subject: Subject) -> SubjectContent:
        """Read what is to be shown: the first picture once more, if the terminal has said that it can draw it better."""
        graphics = graphics_of(self.app)
        content = await self._read_for(subject, graphics)
        is_in_blocks = isinstance(content, ImagePreview) and bool(content.rows)
        if is_in_blocks and graphics is not None and await graphics.learn() is not Way.BLOCKS:
            return await self._read_for(subject, graphics)
        return content

    async def _read_for(self, subject: Subject, graphics: Graphics | None) -> SubjectContent:
        room, pixels = self.body.size, None if graphics is None else graphics.cell_pixels
        cells = max(10, room.width), max(4, room.height)
        request = PreviewRequest(cells, WHITE, self.as_text, self._zoom, pixels)
        return await read_off_loop(lambda interrupt: read_content(subject, request, interrupt.check))

    async def _body(self, subject: Subject, content: SubjectContent, width: int) -> _Body:
        if isinstance(content, TextPreview) and content.is_markdown and not self.as_text:
            text = content.page.text[:_LONGEST_MARKDOWN]
            try:
                lines = await read_off_loop(lambda interrupt: rendered_markdown(text, width, interrupt.check))
            except Unanswered as error:
                return _Body(TextView(subject.source, content), "", (*content.notes, f"Shown as text: {error}."))
            cut = (
                ()
                if content.page.next_offset is None
                else (f"This is the beginning: {key_name('raw')} shows all of it as text.",)
            )
            cells = [[Cell(*piece) for piece in line] for line in lines]
            return _Body(LineView(cells, id="preview-markdown"), "", (*content.notes, *cut))
        if isinstance(content, ImagePreview) and content.size[1]:
            before = self.view if isinstance(self.view, ImageView) and self._shown is subject else None
            return _Body(ImageView(content, before), picture_text(content), content.notes)
        return _body_of(subject, content)

    async def _put(self, content: SubjectContent | None, body: _Body) -> None:
        had_focus = self.view is not None and self.view.has_focus
        takes_focus = had_focus or (self._takes_focus and self.screen.focused is None)
        with self.app.batch_update():
            # Cancelling this worker, for another subject or to close, must not cancel the removal of the old view.
            await asyncio.shield(self.body.remove_children())
            self.content, self.about, self._shown, self.view = content, body.about, self.subject, body.view
            if body.view is not None:
                body.view.add_class("preview-view")
                await self.body.mount(body.view)
            notes = self.query_one("#preview-notes", Static)
            notes.update("\n".join(safe(note) for note in body.notes))
            notes.display = bool(body.notes)
            self._say_about()
            if takes_focus and body.view is not None:
                self.screen.set_focus(body.view)  # here, so that it is painted once
        self.post_message(self.Shown())

    def _say_about(self, instead: str = "") -> None:
        self.query_one("#preview-about", Static).update(Content(safe(instead or self.description)))

    @property
    def description(self) -> str:
        """The line about the subject: kind, size, time and so on."""
        entry = None if self.subject is None else self.subject.entry
        if entry is None:
            return ""
        kind = self.content.title if isinstance(self.content, Card) else getattr(self.content, "kind", "")
        size = "" if entry.size is None else size_text(entry.size)
        when = "" if entry.modified is None else time_text(entry.modified)
        state = self.view.state if isinstance(self.view, TextView) else ""
        return " · ".join(part for part in (kind, self.extra, self.about, size, when, state) if part)

    def add(self, extra: str) -> None:
        """Show the result of a calculation, or its progress."""
        self.extra = extra
        self._say_about()

    @on(TextView.Moved)
    def _moved(self, message: TextView.Moved) -> None:
        message.stop()
        self._say_about()

    @on(ImageView.Resized)
    def _resized(self, message: ImageView.Resized) -> None:
        message.stop()
        self._load()

    @on(ImageView.ZoomAsked)
    def _zoomed(self, message: ImageView.ZoomAsked) -> None:
        message.stop()
        self._zoom = message.zoom
        self._load()

    @on(Grid.CursorMoved)
    def _cursor_moved(self, message: Grid.CursorMoved) -> None:
        message.stop()


def _body_of(subject: Subject, content: SubjectContent) -> _Body:
    if isinstance(content, Card):
        from mldeck.ui.files.model_card import ModelCard

        return _Body(ModelCard(content), "MLflow model", (content.problem,) if content.problem else ())
    if isinstance(content, FolderContent):
        return _Body(LineView(_folder_lines(content), id="preview-folder"), "folder")
    if isinstance(content, TextPreview):
        return _Body(TextView(subject.source, content), "", content.notes)
    if isinstance(content, TreePreview):
        return _Body(ValueTree(content.root), "", content.notes)
    if isinstance(content, TablePreview):
        return _Body(table_view(content), rows_text(content), content.notes)
    if isinstance(content, ImagePreview):
        return _Body(None, picture_text(content), content.notes)
    if isinstance(content, ArrayPreview):
        return _Body(array_view(content), _all_text(content.is_all), content.notes)
    if isinstance(content, ArchivePreview):
        return _Body(
            archive_view(content), f"{len(content.members):,} members{_all_text(content.is_all)}", content.notes
        )
    if isinstance(content, BinaryPreview):
        lines = [[Cell(line)] for line in hex_lines(content.head)]
        return _Body(LineView(lines, id="preview-bytes"), "its first bytes", content.notes)
    assert isinstance(content, NoPreview)
    return _Body(None, "", content.notes)


def _all_text(is_all: bool) -> str:
    return "" if is_all else " (the first of them)"


def _folder_lines(content: FolderContent) -> list[list[Cell]]:
    total = content.total
    counts = (("files", total.files), ("folders", total.folders))
    lines = [[Cell(f"  {name:9}", "dim"), Cell(f"{number:,}")] for name, number in counts]
    lines.append([Cell("  size     ", "dim"), Cell(size_text(total.size))])
    if content.where:
        lines.append([Cell("  where    ", "dim"), Cell(safe(content.where))])
    lines += [[Cell("  not read ", "warn"), Cell(safe(path))] for path in total.unreadable]
    return lines
