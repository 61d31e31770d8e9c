"""Actions on a file of an artifact tree, wherever it is shown: download it, or open it in another program."""

from __future__ import annotations

import tempfile
from collections.abc import Collection
from pathlib import Path

from textual.screen import Screen

from mldeck.artifacts.copying import CopyResult, copy_out
from mldeck.artifacts.plain_name import plain_name
from mldeck.destination import Destination
from mldeck.errors import MldeckError
from mldeck.format import size_text
from mldeck.ui.files.reading import Subject
from mldeck.ui.kit.external_program import run_outside
from mldeck.ui.kit.threads import read_off_loop

_MOST_REASONS = 3


class FileActions:
    """The actions, with their dialogs and notifications on a screen."""

    def __init__(self, screen: Screen[None], databases: Collection[Path]) -> None:
        """`databases`: files that a download never replaces."""
        self._screen = screen
        self.databases = databases

    def download(self, subject: Subject) -> None:
        from mldeck.ui.files.download_dialog import DownloadDialog

        name = plain_name(subject.name.rpartition("/")[2], "artifacts")
        dialog = DownloadDialog(subject.tree, subject.entry.path, name, self.databases)
        self._screen.app.push_screen(dialog, self._downloaded)

    def _downloaded(self, copied: CopyResult | None) -> None:
        if copied is None:
            return
        files = "1 file" if copied.files == 1 else f"{copied.files:,} files"
        text = f"{files}, {size_text(copied.size)}: {copied.destination}"
        self._screen.notify(text, timeout=5)
        if copied.skipped:
            reasons = "; ".join(f"{path}: {why}" for path, why in copied.skipped[:_MOST_REASONS])
            more = len(copied.skipped) - _MOST_REASONS
            left_out = f"{len(copied.skipped):,} skipped: {reasons}" + (f"; and {more:,} more" if more > 0 else "")
            self._screen.notify(left_out, severity="warning", timeout=10)

    async def open_outside(self, subject: Subject, variable: str) -> None:
        """Open a file in $PAGER or $EDITOR; a remote file as a copy that is deleted afterwards. Call it in a worker."""
        if not subject.entry.is_file:
            self._screen.notify("Only files can be opened in another program", timeout=3)
            return
        with tempfile.TemporaryDirectory(prefix="mldeck-", ignore_cleanup_errors=True) as folder:
            try:
                path = subject.tree.local_path(subject.entry.path)
                if path is None:
                    path = await self._copied(subject, Path(folder))
            except MldeckError as error:
                self._screen.notify(str(error), severity="warning", timeout=5)
                return
            problem = run_outside(self._screen.app, variable, path)
        if problem:
            self._screen.notify(problem, severity="warning", timeout=5)

    async def _copied(self, subject: Subject, folder: Path) -> Path:
        path = folder / plain_name(subject.entry.name, "file")
        destination = Destination(path, self.databases)
        self._screen.notify("Fetching a copy…", timeout=2)
        await read_off_loop(
            lambda interrupt: copy_out(subject.tree, subject.entry.path, destination, check=interrupt.check)
        )
        path.chmod(0o400)
        return path
