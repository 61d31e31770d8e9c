"""Viewing, downloading and opening the files and models that the inspector lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.screen import Screen

from mldeck.ui.files.actions import FileActions
from mldeck.ui.files.reading import Subject
from mldeck.ui.state.session import Session

if TYPE_CHECKING:
    from mldeck.artifacts.tree import Entry
    from mldeck.ui.files.tree import FileTree


class RunFileActions:
    def __init__(self, screen: Screen[None], session: Session) -> None:
        self._screen = screen
        self._actions = FileActions(screen, session.databases)

    def act(self, tree: FileTree, action: str) -> None:
        """Do something with the entry under the tree's cursor; `action` is one of `FileTree.Asked`."""
        if tree.files is None or tree.cursor_entry is None:
            return
        subject = Subject(tree.files.tree, tree.cursor_entry, tree.files)
        if action == "view":
            self.view(subject, tree.folder_files)
        elif action == "download":
            self._actions.download(subject)
        else:
            self._screen.run_worker(self._actions.open_outside(subject, action), group="outside", exclusive=True)

    def view(self, subject: Subject, siblings: Sequence[Entry] = ()) -> None:
        """Show a file or model full screen. `siblings`: the files that the viewer can go to from there."""
        from mldeck.ui.files.viewer import ArtifactScreen

        self._screen.app.push_screen(ArtifactScreen(subject, siblings, self._actions.databases))
