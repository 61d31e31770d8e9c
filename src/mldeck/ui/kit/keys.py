"""Key tables, from which the bindings, the key bar, the help and the command palette are made.

This module holds the keys of the kit's own widgets; the `keys` module of each folder holds those of the folder.
"""

from __future__ import annotations

from dataclasses import dataclass

from textual.binding import Binding, BindingType


@dataclass(frozen=True, slots=True)
class Key:
    id: str
    """Stable name of the binding, for remapping."""
    keys: str
    """The keys by Textual's names, separated by commas. The first one is shown."""
    action: str
    label: str
    """Two or three words for the key bar."""
    help: str
    """One sentence for the help and the palette."""
    shown: bool = False
    """Whether it is in the key bar."""


GRID = (
    Key("down", "down,j", "move(1)", "down", "One row down"),
    Key("up", "up,k", "move(-1)", "up", "One row up"),
    Key("page_down", "pagedown", "page(1)", "page down", "One page down"),
    Key("page_up", "pageup", "page(-1)", "page up", "One page up"),
    Key("half_page_down", "ctrl+d", "half_page(1)", "half a page down", "Half a page down"),
    Key("half_page_up", "ctrl+u", "half_page(-1)", "half a page up", "Half a page up"),
    Key("first", "g,home", "edge(-1)", "first", "Go to the first row"),
    Key("last", "G,end", "edge(1)", "last", "Go to the last row"),
    Key("open", "enter", "open", "open", "Open"),
    Key("copy", "y", "copy", "copy", "Copy what the cursor is on to the clipboard", shown=True),
)

COLUMNS = (
    Key("left", "left,h", "column(-1)", "left", "One column to the left"),
    Key("right", "right,l", "column(1)", "right", "One column to the right"),
)

TABLE = (
    *COLUMNS,
    Key("go_to_column", "C", "go_to_column", "go to column", "Go to a column by typing a part of its name"),
)


FOLDS = (
    Key("fold_row", "left,h", "fold", "fold", "Close the folder or branch, or go to its parent"),
    Key("unfold_row", "right,l", "unfold", "unfold", "Open the folder or branch, or go to its first child"),
)


LINES = (
    Key("lines_left", "left,h", "column(-1)", "left", "Scroll long lines to the left"),
    Key("lines_right", "right,l", "column(1)", "right", "Scroll long lines to the right"),
)


def bindings(*groups: tuple[Key, ...]) -> list[BindingType]:
    return [
        Binding(key.keys, key.action, key.label, id=key.id, tooltip=key.help, show=key.shown)
        for group in groups
        for key in group
    ]


_KEY_NAMES = {
    "question_mark": "?",
    "number_sign": "#",
    "slash": "/",
    "colon": ":",
    "right_square_bracket": "]",
    "left_square_bracket": "[",
    "right_curly_bracket": "}",
    "left_curly_bracket": "{",
    "full_stop": ".",
    "asterisk": "*",
    "at": "@",
    "escape": "Esc",
    "space": "Space",
    "enter": "Enter",
    "shift+up": "⇧↑",
    "shift+down": "⇧↓",
    "plus": "+",
    "equals_sign": "=",
    "minus": "-",
    "comma": ",",
    "backspace": "Bksp",
    "delete": "Del",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "shift+left": "⇧←",
    "shift+right": "⇧→",
    "tab": "Tab",
    "shift+tab": "⇧Tab",
    "pagedown": "PgDn",
    "pageup": "PgUp",
    "down": "↓",
    "up": "↑",
    "left": "←",
    "right": "→",
    "home": "Home",
    "end": "End",
}


def key_text(keys: str) -> str:
    """Return keys for people to read: `down,j` becomes `↓ j`."""
    return " ".join(_KEY_NAMES.get(key, key) for key in keys.split(","))
