"""A deck with the files of one run open, and what one wants to know of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from mldeck.ui.files.logged_models import LoggedModelList
from mldeck.ui.files.pane import ArtifactPane
from mldeck.ui.files.preview.pane import PreviewPane
from mldeck.ui.files.preview.text_view import TextView
from mldeck.ui.files.tree import FileTree
from mldeck.ui.files.viewer import ArtifactScreen
from tests.ui.deck import Deck, forget_last_session, running_deck

TAXI = "nyc-taxi-experiment"
CHURN = "churn-baseline"


class FileDeck(Deck):
    @property
    def files(self) -> FileTree:
        return self.screen.query_one(FileTree)

    @property
    def pane(self) -> ArtifactPane:
        return self.screen.query_one(ArtifactPane)

    @property
    def models(self) -> LoggedModelList:
        return self.screen.query_one(LoggedModelList)

    @property
    def names(self) -> list[str]:
        """What stands in the name column, all rows of it."""
        files = self.files
        return [(files.line_cells(row) or files.row_cells(row))[0].text for row in range(files.row_count)]

    @property
    def cursor_path(self) -> str | None:
        entry = self.files.cursor_entry
        return None if entry is None else entry.path

    @property
    def viewer(self) -> ArtifactScreen:
        screen = next((each for each in self.app.screen_stack if isinstance(each, ArtifactScreen)), None)
        assert screen is not None, f"no file is shown\n{self.frame}"
        return screen

    @property
    def preview(self) -> PreviewPane:
        return self.viewer.pane

    @property
    def text(self) -> TextView:
        assert isinstance(self.preview.view, TextView), self.frame
        return self.preview.view

    async def go_to(self, path: str) -> None:
        """Opens what the path lies in, and puts the cursor there."""
        parts = path.split("/")
        for length in range(1, len(parts) + 1):
            here = "/".join(parts[:length])
            await self.until(lambda here=here: here in self._paths, here)  # type: ignore[misc]
            self.files.move_to(self._paths.index(here))
            if length < len(parts):
                await self.press("right")
        await self.until(lambda: self.cursor_path == path, path)

    @property
    def _paths(self) -> list[str | None]:
        return [row.path if row.entry is not None else None for row in self.files._rows]

    async def view(self, path: str) -> None:
        """Shows it full screen."""
        await self.go_to(path)
        await self.press("v")
        await self.until_viewed(path)

    async def until_viewed(self, path: str) -> None:
        await self.until(lambda: isinstance(self.app.screen, ArtifactScreen), "the file, full screen")
        pane = self.preview
        await self.until(
            lambda: pane.subject is not None and pane.subject.entry.path == path and pane.content is not None, path
        )
        await self.until(lambda: pane.view is None or (pane.view.is_mounted and pane.view.size.width), "its view")


@asynccontextmanager
async def files_of(
    path: Path,
    run_id: str,
    *,
    experiment: str = CHURN,
    size: tuple[int, int] = (120, 40),
    theme: str | None = None,
    tab: str = "Artifacts",
) -> AsyncIterator[FileDeck]:
    """The run is under the cursor, and its tab of files, or of models, has the focus."""
    forget_last_session(path)
    async with running_deck(path, experiment=experiment, size=size, theme=theme) as plain:
        deck = FileDeck(plain.app, plain.pilot)
        table = deck.screen.table
        await deck.until(lambda: run_id in table.run_ids, "the runs")
        table.move_to(list(table.run_ids).index(run_id))
        inspector = deck.screen.inspector
        await deck.until(
            lambda: inspector.details is not None and inspector.details.run.run_id == run_id, "the inspector"
        )
        await deck.press(*["right_square_bracket"] * (4 if tab == "Artifacts" else 5))
        kind = FileTree if tab == "Artifacts" else LoggedModelList
        await deck.until(lambda: deck.screen.query(kind), f"the tab {tab}")
        await deck.press("enter")
        if tab == "Artifacts":
            await deck.until(lambda: deck.files.has_focus and deck.files.files is not None, "the files")
            await deck.until(lambda: deck.files._folders.listed, "the list")  # type: ignore[union-attr]
        else:
            await deck.until(lambda: deck.models.has_focus, "the models")
        yield deck
