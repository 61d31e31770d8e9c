"""The artifacts of a run as a tree. A folder is listed when it is opened."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import work
from textual.binding import BindingType
from textual.message import Message

from mldeck.artifacts.errors import Unconfirmed
from mldeck.artifacts.tree import Entry, EntryKind, find
from mldeck.errors import Interrupted, MldeckError
from mldeck.format import Neighbours, cell_width, safe, size_text, time_text
from mldeck.store.interrupt import Interrupt
from mldeck.ui.files.keys import TAKE_FILE, VIEW_FILE
from mldeck.ui.files.reading import Folders, RunFiles, TreeRow, list_folders
from mldeck.ui.kit.cell_text import indentation
from mldeck.ui.kit.grid import GAP, Cell, Grid, GridColumn
from mldeck.ui.kit.keys import FOLDS, bindings
from mldeck.ui.kit.threads import in_thread, read_off_loop

_SIZE_WIDTH, _DATE_WIDTH = 8, 19
_LEAST_NAME = 24
_STEP_S = 0.25
_ODD = frozenset(
    {EntryKind.ESCAPE, EntryKind.BROKEN, EntryKind.FIFO, EntryKind.SOCKET, EntryKind.DEVICE, EntryKind.UNREADABLE}
)


class FileTree(Grid):
    """A table whose rows are the entries of open folders."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(VIEW_FILE, TAKE_FILE, FOLDS)

    @dataclass
    class Asked(Message):
        """Posted when something is to be done with the entry under the cursor."""

        tree: FileTree
        what: str
        """`view`, `download`, `PAGER`, `EDITOR` or `confirm`."""

    @dataclass
    class Searching(Message):
        """Posted to show the progress of a search."""

        looked_at: int | None
        """Number of names that were compared so far; None at the end."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.files: RunFiles | None = None
        self._folders: Folders | None = None
        self._rows: Sequence[TreeRow] = ()
        self._neighbours = Neighbours()
        self._search: Interrupt | None = None
        self._searching = False
        self._opened_before: frozenset[str] | None = None
        """The folders that were open before the search."""

    # -- what is shown

    def show(self, files: RunFiles | None) -> None:
        """Show the files of a run. For the same run as before, folders stay open and the cursor stays on its entry."""
        is_same = files is not None and self.files is not None and files.run_id == self.files.run_id
        before = self._folders
        self.files = files
        if files is None:
            self._folders = None
        else:
            self._folders = Folders(files.tree)
            if is_same and before is not None:
                self._folders.opened, self._folders.listed = before.opened, before.listed
        if not is_same:
            self._search, self._opened_before = None, None
            self.cursor_row = 0
            self.scroll_rows_to(0)
        self._arrange()
        self.list_again()

    def list_again(self) -> None:
        """List all open folders again."""
        if self._folders is not None:
            self._list(
                sorted(folder for folder in self._folders.opened if not folder or folder in self._folders.listed)
            )

    @work(group="list-again", exclusive=True)
    async def _list(self, paths: Sequence[str]) -> None:
        await self._read(paths)

    async def _read(self, paths: Iterable[str]) -> None:
        folders = self._folders
        if folders is None:
            return
        wanted = list(paths)
        found = await read_off_loop(lambda interrupt: list_folders(folders.tree, wanted, interrupt.check))
        if folders is not self._folders:
            return
        if any(folders.listed.get(path) != listing for path, listing in found.items()):
            folders.listed.update(found)
            self._arrange()

    def _arrange(self) -> None:
        """Make the rows anew. The cursor and the top row stay on their paths."""
        cursor, top = self._path_at(self.cursor_row), self._path_at(self.top_row)
        self._rows = self._folders.rows() if self._folders is not None else ()
        self._neighbours = Neighbours(row.entry.name for row in self._rows if row.entry is not None)
        self.set_content(len(self._rows))
        if self._rows:
            places = {row.path: index for index, row in enumerate(self._rows) if row.entry is not None}
            offset = self.top_row if top is None else places.get(top, self.top_row)
            self.scroll_rows_to(offset)
            moved = self.cursor_row if cursor is None else places.get(cursor, self.cursor_row)
            self.move_to(min(moved, len(self._rows) - 1))
        self.post_message(self.CursorMoved(self))

    def _path_at(self, row: int) -> str | None:
        return self._rows[row].path if row < len(self._rows) and self._rows[row].entry is not None else None

    def fitting_columns(self) -> tuple[GridColumn, ...]:
        # Whether there is a scroll bar is known only when the rows are.
        room = self.size.width - self.styles.scrollbar_size_vertical - _SIZE_WIDTH - GAP
        has_date = room - _DATE_WIDTH - GAP >= _LEAST_NAME
        name = room - (_DATE_WIDTH + GAP if has_date else 0)
        columns = (GridColumn("name", max(1, name)), GridColumn("size", _SIZE_WIDTH, right=True))
        return (*columns, GridColumn("modified", _DATE_WIDTH)) if has_date else columns

    @property
    def problem(self) -> str:
        """Why the top folder cannot be listed; empty if it can."""
        top = None if self._folders is None else self._folders.listed.get("")
        return "" if top is None else top.problem

    def line_cells(self, row: int) -> Sequence[Cell] | None:
        """Return the row of a word about a folder, which takes the whole line."""
        at = self._rows[row]
        if at.entry is not None:
            return None
        indent = indentation(at.depth, self.columns[0].width)
        return [Cell(f"{indent}  {safe(at.word)}", "dim" if at.word in ("…", "empty") else "warn")]

    def row_cells(self, row: int) -> Sequence[Cell]:
        at = self._rows[row]
        if at.entry is None:
            return ()
        width, entry = self.columns[0].width, at.entry
        indent = indentation(at.depth, width)
        modified = Cell("" if entry.modified is None else time_text(entry.modified), "dim")
        return (
            Cell(indent + self._label(entry, width - len(indent)), _style(entry)),
            Cell(self._measure(entry), "dim"),
            modified,
        )

    def _label(self, entry: Entry, width: int) -> str:
        assert self._folders is not None
        mark = ("▾ " if entry.path in self._folders.opened else "▸ ") if entry.is_dir else "  "
        end = "/" if entry.is_dir else ""
        if entry.kind is EntryKind.MODEL:
            end += f"  model {safe(entry.target or '')}"
        elif entry.target is not None:
            end += f" → {safe(entry.target)}"
        if entry.kind in _ODD:
            end += f"  ({entry.kind.words})"
        room = max(width - len(mark) - cell_width(end), width // 2)
        return mark + self._neighbours.cut(entry.name, room) + end

    def _measure(self, entry: Entry) -> str:
        """Return the size of a file, or the number of entries of a folder as soon as that is known."""
        assert self._folders is not None
        if not entry.is_dir:
            return "" if entry.size is None else size_text(entry.size)
        listing = self._folders.listed.get(entry.path)
        return "" if listing is None or listing.problem else f"{len(listing.entries):,}"

    @property
    def is_searching(self) -> bool:
        return self._searching

    # -- the cursor

    @property
    def cursor_entry(self) -> Entry | None:
        return self._rows[self.cursor_row].entry if self._rows else None

    @property
    def cursor_unconfirmed(self) -> Unconfirmed | None:
        """The place to ask about before the folder of the cursor's row is listed; None if there is nothing to ask."""
        if not self._rows or self._folders is None:
            return None
        listing = self._folders.listed.get(self._rows[self.cursor_row].path)
        return None if listing is None else listing.unconfirmed

    def copied_text(self) -> str | None:
        """Return the location outside of mldeck."""
        entry, files = self.cursor_entry, self.files
        return None if entry is None or files is None else files.tree.location(entry.path) or entry.path

    def row_text(self, row: int) -> str:
        entry = self._rows[row].entry
        return "" if entry is None else entry.name

    @property
    def folder_files(self) -> list[Entry]:
        """The files in the folder of the entry under the cursor."""
        entry = self.cursor_entry
        if entry is None or self._folders is None:
            return []
        listing = self._folders.listed.get(entry.path.rpartition("/")[0])
        return [found for found in listing.entries if not found.is_dir] if listing is not None else []

    # -- opening and closing

    def action_open(self) -> None:
        entry = self.cursor_entry
        if entry is None:
            if self.cursor_unconfirmed is not None:
                self.post_message(self.Asked(self, "confirm"))
            return
        if not entry.is_dir:
            self.action_ask("view")
        elif self._folders is not None and entry.path in self._folders.opened:
            self._fold(entry.path)
        else:
            self._unfold(entry.path)

    def action_unfold(self) -> None:
        """Open the folder; if it is open, go to its first entry."""
        entry = self.cursor_entry
        if entry is None or self._folders is None or not entry.is_dir:
            return
        if entry.path in self._folders.opened:
            self.action_move(1)
        else:
            self._unfold(entry.path)

    def action_fold(self) -> None:
        """Close the folder; from anything else, go to the folder that contains it."""
        if not self._rows or self._folders is None:
            return
        at = self._rows[self.cursor_row]
        if at.entry is not None and at.entry.is_dir and at.path in self._folders.opened:
            self._fold(at.path)
            return
        above = (row for row in range(self.cursor_row - 1, -1, -1) if self._rows[row].depth < at.depth)
        self.move_to(next(above, self.cursor_row))

    def _unfold(self, path: str) -> None:
        assert self._folders is not None
        self._folders.opened.add(path)
        self._arrange()
        self._list_opened(path)

    def _fold(self, path: str) -> None:
        assert self._folders is not None
        self._folders.opened.discard(path)
        self._arrange()

    @work(group="open")
    async def _list_opened(self, path: str) -> None:
        await self._read([path])

    def action_ask(self, what: str) -> None:
        if self.cursor_entry is not None:
            self.post_message(self.Asked(self, what))

    # -- finding

    async def find_rows(self, text: str) -> Sequence[int]:
        """Search the whole tree. Folders with matches are open until the search ends."""
        folders = self._folders
        if self._search is not None:
            self._search.fire()
        if folders is None:
            return ()
        if self._opened_before is None:
            self._opened_before = frozenset(folders.opened)
        if not text:
            self._close_search(folders)
            return ()
        search = self._search = Interrupt()
        looked_at = 0

        def tell(count: int) -> None:
            nonlocal looked_at
            looked_at = count

        self._searching = True
        ticks = self.set_interval(_STEP_S, lambda: self.post_message(self.Searching(looked_at)))
        try:
            found = await in_thread(find, folders.tree, text, progress=tell, check=search.check)
            folders.opened = set(self._opened_before or folders.opened)
            folders.show(entry.path for entry in found.entries)
            await self._read(folders.wanted())
            while missing := [path for path in folders.wanted() if path not in folders.listed]:
                if folders is not self._folders:
                    return ()  # Other files came meanwhile.
                await self._read(missing)
        except Interrupted:
            return ()
        except MldeckError as error:
            self.notify(str(error), severity="warning")
            return ()
        finally:
            ticks.stop()
            if self._search is search or self._search is None:
                self._searching = False
                self.post_message(self.Searching(None))
        self._arrange()
        wanted = {entry.path for entry in found.entries}
        if found.more:
            self.notify(f"Only the first {len(wanted):,} matches are shown", timeout=3)
        return [index for index, row in enumerate(self._rows) if row.entry is not None and row.path in wanted]

    def _close_search(self, folders: Folders) -> None:
        """Close the folders that were opened to show matches, except those above the cursor."""
        entry = self.cursor_entry
        folders.opened = set(self._opened_before or ())
        if entry is not None:
            folders.show([entry.path])
        self._search, self._opened_before = None, None
        self._arrange()


def _style(entry: Entry) -> str:
    if entry.kind in _ODD:
        return "warn"
    if entry.kind is EntryKind.MODEL:
        return "name"
    return "accent" if entry.is_dir else ""
