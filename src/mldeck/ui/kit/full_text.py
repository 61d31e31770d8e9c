"""The message that asks for a text in full. The dialog that shows it is loaded only then."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message


@dataclass
class TextAsked(Message):
    """Asks the application to show a whole text. Both parts may be foreign text."""

    title: str
    text: str
