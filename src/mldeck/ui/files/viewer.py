"""Shows one file, folder or model full screen."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget

from mldeck.artifacts.previews.preview import sha256
from mldeck.artifacts.previews.table import count_rows
from mldeck.artifacts.previews.text import TextFile
from mldeck.artifacts.previews.values import TablePreview, TextPage, TextPreview
from mldeck.artifacts.tree import Entry
from mldeck.errors import Interrupted, MldeckError
from mldeck.format import size_text
from mldeck.store.interrupt import Interrupt
from mldeck.ui.files.actions import FileActions
from mldeck.ui.files.keys import TAKE_FILE, VIEWER
from mldeck.ui.files.preview.pane import PreviewPane
from mldeck.ui.files.preview.text_view import TextView
from mldeck.ui.files.reading import Subject
from mldeck.ui.kit.bars import KeyBar
from mldeck.ui.kit.clipboard import CopyAsked
from mldeck.ui.kit.find_bar import FindBar
from mldeck.ui.kit.finder import NO_MATCH, Finder
from mldeck.ui.kit.grid import Grid
from mldeck.ui.kit.keys import bindings, key_name
from mldeck.ui.kit.mounting import after_refresh
from mldeck.ui.kit.questions import asks
from mldeck.ui.kit.threads import read_off_loop
from mldeck.ui.kit.titles import title_of

_STEP_S = 0.25
"""Seconds between two updates of the progress."""
_MOST_COPIED = 1 << 20
"""Bytes of a text for the clipboard at most: no terminal takes more, and many take less."""


class ArtifactScreen(Screen[None]):
    BINDINGS: ClassVar[list[BindingType]] = bindings(VIEWER, TAKE_FILE)
    focused: Reactive[Widget | None] = Reactive(None, repaint=False)  # Textual's own repaints all of the screen

    def __init__(self, subject: Subject, siblings: Sequence[Entry], databases: Collection[Path]) -> None:
        """`siblings`: the files of the same folder. `databases`: files that a download never replaces."""
        super().__init__()
        self._subject = subject
        self._siblings = siblings
        self._databases = databases
        self.pane = PreviewPane(id="file", takes_focus=True)
        self.pane.add_class("pane")
        self._finder = Finder(self, lambda grid, text: grid.find_rows(text))
        self._text_matches = TextMatches(lambda: self._text_view)
        self._working: Interrupt | None = None
        self._done = 0
        self._show_titles()  # before the first paint, because a change of a title paints the pane again

    @cached_property
    def _actions(self) -> FileActions:
        return FileActions(self, self._databases)

    def compose(self) -> ComposeResult:
        yield self.pane
        yield KeyBar(id="keys")

    @property
    def subject(self) -> Subject:
        return self._subject

    @property
    def _text_view(self) -> TextView | None:
        return self.pane.view if isinstance(self.pane.view, TextView) else None

    def on_mount(self) -> None:
        # The room for a picture is known only after the layout.
        after_refresh(self, partial(self.pane.show, self._subject))
        self.app.app_resume_signal.subscribe(self, lambda _: self._look_again())

    @work(group="look-again", exclusive=True)
    async def _look_again(self) -> None:
        """Show the file again if the program that had the terminal has changed it."""
        before = self._subject
        try:
            now = await read_off_loop(lambda _: before.as_it_is_now())
        except MldeckError as error:
            self._say(error)
            return
        if now.entry != before.entry and self._subject is before:
            self._stop()
            self._siblings = [now.entry if entry.path == now.entry.path else entry for entry in self._siblings]
            self._show(now, as_text=self.pane.as_text)

    def _show(self, subject: Subject, *, as_text: bool = False) -> None:
        self._subject = subject
        self._show_titles()
        self.pane.show(subject, as_text=as_text)

    def _show_titles(self) -> None:
        self.pane.border_title = title_of(self._subject.entry.path or self._subject.name)
        index, count = self._index, len(self._siblings)
        self.pane.border_subtitle = "" if index is None or count < 2 else f"{index + 1:,} of {count:,} files"

    @property
    def _index(self) -> int | None:
        """The index of the file among the siblings."""
        path = self._subject.entry.path
        return next((index for index, entry in enumerate(self._siblings) if entry.path == path), None)

    # -- other files, other ways to show this one

    def action_file(self, step: int) -> None:
        index = self._index
        if index is None or len(self._siblings) < 2:
            self.notify("There is no other file in this folder", timeout=2)
            return
        self._stop()
        entry = self._siblings[(index + step) % len(self._siblings)]
        self._show(replace(self._subject, entry=entry))

    def action_raw(self) -> None:
        if not self._subject.entry.is_file:
            self.notify("Only files have a raw view", timeout=2)
            return
        self._stop()
        self._show(self._subject, as_text=not self.pane.as_text)

    # -- copying and downloading

    def action_ask(self, what: str) -> None:
        if what == "download":
            self._actions.download(self._subject)
        else:
            self._open_outside(what)

    @work(group="outside", exclusive=True)
    async def _open_outside(self, variable: str) -> None:
        await self._actions.open_outside(self._subject, variable)

    def action_copy_place(self) -> None:
        self.post_message(CopyAsked(self._subject.location, "the path"))

    @asks("copy")
    async def action_copy_whole(self) -> None:
        content = self.pane.content
        entry = self._subject.entry
        if not entry.is_file or (entry.size or 0) > _MOST_COPIED:
            self.notify(
                f"Only texts up to {size_text(_MOST_COPIED)} can be copied: {key_name('download')} downloads it",
                timeout=4,
            )
            return
        encoding = content.encoding if isinstance(content, TextPreview) else "utf-8"
        try:
            text = await read_off_loop(lambda interrupt: _whole_text(self._subject, encoding, interrupt))
        except (MldeckError, OSError) as error:
            self._say(error)
            return
        self.post_message(CopyAsked(text, size_text(len(text.encode(errors="replace")))))

    # -- calculations

    @work(group="work", exclusive=True)
    async def action_work_out(self, what: str) -> None:
        if what == "rows" and not isinstance(self.pane.content, TablePreview):
            self.notify("Only tables have rows to count", timeout=2)
            return
        if not self._subject.entry.is_file:
            self.notify("Only files have a hash", timeout=2)
            return
        subject, size = self._subject, self._subject.entry.size or 0
        mine = self._working = Interrupt()
        self._done = 0

        def tell(done: int) -> None:
            self._done = done

        def say() -> None:
            share = f" {100 * self._done // size} %" if size else ""
            self.pane.add(f"calculating…{share} · {key_name('leave_file')} stops")

        def work_out() -> str:
            if what == "hash":
                return f"SHA-256 {sha256(subject.source, mine.check, tell)}"
            count = count_rows(subject.source, mine.check, tell)
            return "rows cannot be counted: the file is malformed" if count is None else f"{count:,} rows in all"

        ticks = self.set_interval(_STEP_S, say)
        found = ""
        try:
            found = await read_off_loop(lambda _: work_out())
        except Interrupted:
            self.notify("Stopped", timeout=2)
        except (MldeckError, OSError) as error:
            self._say(error)
        finally:
            mine.fire()  # If this worker is cancelled, the thread has to stop too.
            ticks.stop()
            if self._working is mine:
                self._working = None
            if self._subject is subject:
                self.pane.add(found)
        if what == "hash" and found:
            self.post_message(CopyAsked(found.removeprefix("SHA-256 "), "the hash"))

    def _say(self, error: Exception) -> None:
        self.notify(str(error), severity="warning", timeout=5)

    def _stop(self) -> bool:
        """Stop the search and the calculation. Return whether there was anything to stop."""
        view = self._text_view
        is_searching = view is not None and view.is_searching
        if view is not None and is_searching:
            view.stop_search()
        if self._working is not None:
            self._working.fire()
        return is_searching or self._working is not None

    async def action_back(self) -> None:
        """Stop what is running; if nothing is, forget the matches; if there are none, close the viewer."""
        if self._stop():
            return
        if self._finder.has_matches:
            await self._finder.forget()
        else:
            self.dismiss()

    def action_close(self) -> None:
        self.dismiss()

    # -- finding

    async def action_find(self) -> None:
        view = self.pane.view
        if isinstance(view, TextView):
            await self._finder.open_for(self._text_matches, before="keys")
        elif isinstance(view, Grid):
            await self._finder.open(view, before="keys")
        else:
            self.notify("There is no text to search here", timeout=2)

    @work(group="find", exclusive=True)
    async def on_find_bar_changed(self, message: FindBar.Changed) -> None:
        await self._finder.search(message.text)
        self._say_no_match()

    def on_find_bar_stepped(self, message: FindBar.Stepped) -> None:
        self._step(message.step)

    async def on_find_bar_closed(self, message: FindBar.Closed) -> None:
        await self._finder.close(keep=message.keep)

    def action_find_next(self) -> None:
        self._step(1)

    def action_find_previous(self) -> None:
        self._step(-1)

    @work(group="find", exclusive=True)
    async def _step(self, direction: int) -> None:
        await self._finder.step(direction)
        self._say_no_match()

    def _say_no_match(self) -> None:
        """Notify that there is no match, if the find bar is closed."""
        if not self._finder.is_open and self._text_view is not None and self._text_matches.count_text:
            self.notify(self._text_matches.count_text, timeout=2)

    def on_unmount(self) -> None:
        self._stop()


class TextMatches:
    """The matches in the text that is shown. All of the file is searched."""

    def __init__(self, shown: Callable[[], TextView | None]) -> None:
        """`shown` returns the present view, so that the search goes on in the next file."""
        self._shown = shown
        self.text = ""
        self.count_text = ""

    @property
    def widget(self) -> TextView | None:
        return self._shown()

    async def search(self, text: str) -> None:
        self.text = text
        await self.step(0)

    async def step(self, direction: int) -> None:
        view = self._shown()
        if view is not None:
            is_found = await view.find(self.text, direction)
            self.count_text = NO_MATCH if is_found is False else ""

    async def forget(self) -> None:
        self.text = ""
        view = self._shown()
        if view is not None:
            view.forget_search()


def _whole_text(subject: Subject, encoding: str, interrupt: Interrupt) -> str:
    file = TextFile(subject.source, encoding)
    parts: list[str] = []
    offset: int | None = 0
    while offset is not None:
        interrupt.check()
        page: TextPage = file.page(offset)
        parts.append(page.text)
        offset = page.next_offset
    return "".join(parts)
