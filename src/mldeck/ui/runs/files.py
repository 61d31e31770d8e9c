"""The part of the place Runs that deals with the files and models of runs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from textual import work

from mldeck.ui.runs.copy_and_export import TakeAway

if TYPE_CHECKING:
    from mldeck.artifacts.tree import Entry
    from mldeck.ui.files.actions import FileActions
    from mldeck.ui.files.logged_models import ModelList
    from mldeck.ui.files.reading import Subject
    from mldeck.ui.files.tree import ArtifactTree


class RunFiles(TakeAway):
    @cached_property
    def _file_actions(self) -> FileActions:
        from mldeck.ui.files.actions import FileActions  # most sittings look at numbers

        return FileActions(self, self.session.databases)

    def on_artifact_tree_asked(self, message: ArtifactTree.Asked) -> None:
        from mldeck.ui.files.reading import Subject

        tree = message.tree
        if tree.files is None or tree.cursor_entry is None:
            return
        subject = Subject(tree.files.tree, tree.cursor_entry, tree.files)
        if message.what == "view":
            self._view(subject, tree.folder_files)
        elif message.what == "download":
            self._file_actions.download(subject)
        else:
            self._open_outside(subject, message.what)

    @work(group="outside", exclusive=True)
    async def _open_outside(self, subject: Subject, variable: str) -> None:
        await self._file_actions.open_outside(subject, variable)

    def on_model_list_viewed(self, message: ModelList.Viewed) -> None:
        self._view(message.subject, ())

    def _view(self, subject: Subject, siblings: Sequence[Entry]) -> None:
        from mldeck.ui.files.viewer import ArtifactScreen

        self.app.push_screen(ArtifactScreen(subject, siblings, self._file_actions.databases))
