"""Asks the user before something is changed: for names, texts (here or in $EDITOR), tags and confirmations."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ParamSpec

from textual.screen import Screen

from mldeck.errors import MldeckError
from mldeck.ui.kit.dialogs.line_input import LineDialog
from mldeck.ui.kit.dialogs.menu import Choice, MenuDialog, confirmation
from mldeck.ui.kit.external_program import run_outside
from mldeck.ui.kit.keys import key_name

_P = ParamSpec("_P")


def outcome_text(summary: str, undo_key: str | None, undo_refusal: str | None) -> str:
    """Return a sentence about an edit that was written, and how to undo it, or why that is not possible.

    `undo_key` is the id of the key that undoes it; None if none does.
    """
    hint = undo_refusal if undo_key is None else f"{key_name(undo_key)} undoes it"
    sentence = f"{summary[:1].upper()}{summary[1:]}"
    return f"{sentence} · {hint}" if hint else sentence


class Prompts:
    """Prompts over a screen. Call the methods in a worker; they return None if nothing is to be changed."""

    def __init__(self, screen: Screen[None]) -> None:
        self._screen = screen

    async def _name(self, title: str, present: str) -> str | None:
        name = await self._screen.app.push_screen_wait(LineDialog(title, present))
        return None if name is None or name == present else name

    async def _note(self, title: str, present: str, *, in_editor: bool) -> str | None:
        text = self._edited_outside(present) if in_editor else _Unread(present)
        if isinstance(text, _Unread):
            from mldeck.ui.kit.dialogs.text_editor import TextEditorDialog

            if text.why:
                self._screen.notify(f"{text.why} The text is offered here again.", severity="warning", timeout=8)
            text = await self._screen.app.push_screen_wait(TextEditorDialog(title, text.text))
        return None if text is None or text == present else text

    async def _note_anywhere(self, title: str, present: str) -> str | None:
        """Edit the text here, or if there is an $EDITOR, wherever the user chooses."""
        if not has_editor():
            return await self._note(title, present, in_editor=False)
        choices = [Choice("deck", "d", "Edit it here"), Choice("editor", "e", "Edit it in $EDITOR")]
        chosen = await self._screen.app.push_screen_wait(MenuDialog(title, choices))
        return None if chosen is None else await self._note(title, present, in_editor=chosen == "editor")

    async def _tag(self, title: str, check: Callable[[str, str], None]) -> tuple[str, str] | None:
        from mldeck.ui.kit.dialogs.tag import TagDialog

        return await self._screen.app.push_screen_wait(TagDialog(title, problem_of(check)))

    async def _key(self, keys: Iterable[str], last: str) -> str | None:
        """Ask for the key of a tag to delete. Keys that start with `last` come last."""
        ordered = sorted(keys, key=lambda key: (key.startswith(last), key))
        return await self._screen.app.push_screen_wait(
            MenuDialog("Delete which tag?", [Choice(key, "", key) for key in ordered])
        )

    async def _is_confirmed(self, title: str, text: str, verb: str) -> bool:
        return await self._screen.app.push_screen_wait(confirmation(title, text, verb)) == "yes"

    def _edited_outside(self, text: str) -> str | _Unread | None:
        """Edit a text in $EDITOR. Return the new text, or None if the editor failed."""
        with tempfile.TemporaryDirectory(prefix="mldeck-", ignore_cleanup_errors=True) as folder:
            file = Path(folder) / "note.md"
            file.write_bytes(text.encode(errors="replace"))
            problem = run_outside(self._screen.app, "EDITOR", file)
            if problem:
                self._screen.notify(f"{problem}; the note is unchanged", severity="warning", timeout=5)
                return None
            return _read_back(file, text)


@dataclass(frozen=True)
class _Unread:
    """A text that still has to be edited here."""

    text: str
    why: str = ""
    """A sentence about the failure of the editor."""


def _read_back(file: Path, before: str) -> str | _Unread:
    try:
        data = file.read_bytes()
    except OSError as error:
        return _Unread(before, f"$EDITOR left no file that can be read ({error.strerror}).")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return _Unread(data.decode("latin-1"), "$EDITOR left a text that is not UTF-8; each byte became a character.")
    # Editors add a line end to the last line.
    return text if before.endswith("\n") else text.removesuffix("\n")


def has_editor() -> bool:
    return "EDITOR" in os.environ


def problem_of(check: Callable[_P, None]) -> Callable[_P, str | None]:
    """Return a function that returns the message of the error that `check` raises, or None if it raises none."""

    def problem(*texts: _P.args, **named: _P.kwargs) -> str | None:
        try:
            check(*texts, **named)
        except MldeckError as error:
            return str(error)
        return None

    return problem
