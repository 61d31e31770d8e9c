"""Key tables, from which the bindings, the key bar, the help and the command palette are made.

This module holds the keys of the kit's own widgets; the `keys` module of each folder holds those of the folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

from textual.binding import Binding, BindingType
from textual.keys import KEY_NAME_REPLACEMENTS, key_to_character

_USUAL_RANK = 20
_default_keys: dict[str, str] = {}
"""The keys of all tables that are loaded, by id."""
_chosen_keys: dict[str, str] = {}
"""The keys of the settings, by id."""


@dataclass(frozen=True, slots=True)
class Key:
    id: str
    """Stable name for remapping, which no other key has."""
    keys: str
    """The keys by Textual's names, separated by commas. The first one is shown."""
    action: str
    label: str
    """Two or three words for the key bar."""
    help: str
    """One sentence for the help and the palette."""
    shown: bool = False
    """Whether it is in the key bar if there is room for it."""
    rank: int = _USUAL_RANK
    """Position in the key bar: the lower, the more often people use it. Those of equal rank keep their order."""
    pinned: bool = False
    """Whether it is at the right of the key bar at any width."""
    is_move: bool = False
    """Whether it only moves the cursor or scrolls, which the palette leaves out."""

    def __post_init__(self) -> None:
        _default_keys[self.id] = self.keys


def moves(*keys: Key) -> tuple[Key, ...]:
    """Return keys that only move the cursor or scroll."""
    return tuple(replace(key, is_move=True) for key in keys)


SORT = Key(
    "sort",
    "O",
    "sort",
    "sort",
    "Sort by the column under the cursor, best metric values first; again: reversed, then off",
    shown=True,
    rank=11,
)
"""The key that sorts, in every table. Some have another help and further keys."""

GRID = (
    *moves(
        Key("down", "down,j", "move(1)", "down", "One row down"),
        Key("up", "up,k", "move(-1)", "up", "One row up"),
        Key("page_down", "pagedown", "page(1)", "page down", "One page down"),
        Key("page_up", "pageup", "page(-1)", "page up", "One page up"),
        Key("half_page_down", "ctrl+d", "half_page(1)", "half a page down", "Half a page down"),
        Key("half_page_up", "ctrl+u", "half_page(-1)", "half a page up", "Half a page up"),
        Key("first", "g,home", "edge(-1)", "first", "Go to the first row, in a tree from any depth"),
        Key("last", "G,end", "edge(1)", "last", "Go to the last row, in a tree the last unfolded one"),
    ),
    Key("open", "enter", "open", "open", "Open"),
    Key("copy", "y", "copy", "copy", "Copy what the cursor is on to the clipboard", shown=True, rank=42),
)

COLUMNS = moves(
    Key("left", "left,h", "column(-1)", "left", "One column to the left"),
    Key("right", "right,l", "column(1)", "right", "One column to the right"),
)

TABLE = (
    *COLUMNS,
    Key("go_to_column", "C", "go_to_column", "go to column", "Go to a column by typing a part of its name"),
)


FOLDS = moves(
    Key("fold_row", "left,h", "fold", "fold", "Close the folder or branch, or go to its parent"),
    Key("unfold_row", "right,l", "unfold", "unfold", "Open the folder or branch, or go to its first child"),
)


LINES = moves(
    Key("lines_left", "left,h", "column(-1)", "left", "Scroll long lines to the left"),
    Key("lines_right", "right,l", "column(1)", "right", "Scroll long lines to the right"),
)


@dataclass(frozen=True)
class _Entry(Binding.Group):
    """The table entry of a binding. The group is what Textual hands on when it copies a binding."""

    key: Key | None = None


def bindings(*groups: tuple[Key, ...]) -> list[BindingType]:
    return [
        Binding(key.keys, key.action, key.label, id=key.id, tooltip=key.help, show=key.shown, group=_Entry(key=key))
        for group in groups
        for key in group
    ]


def entry_of(binding: Binding) -> Key | None:
    """Return the table entry that a binding was made from; None for a binding that is in no table."""
    return binding.group.key if isinstance(binding.group, _Entry) else None


_KEY_NAMES = {
    "escape": "Esc",
    "space": "Space",
    "enter": "Enter",
    "shift+up": "⇧↑",
    "shift+down": "⇧↓",
    "backspace": "Bksp",
    "delete": "Del",
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

_UNICODE_NAMES = {name: unicode_name for unicode_name, name in KEY_NAME_REPLACEMENTS.items()}


@cache
def character_of(key: str) -> str | None:
    """Return the character that a key types, `/` for `slash`; None for other keys."""
    return key_to_character(_UNICODE_NAMES.get(key, key))


def key_text(keys: str) -> str:
    """Return keys for people to read: `down,j` becomes `↓ j`."""
    return " ".join(_KEY_NAMES.get(key) or character_of(key) or key for key in keys.split(","))


def use_keys(keymap: Mapping[str, str]) -> None:
    """Let messages name the keys of the settings, given by id."""
    _chosen_keys.clear()
    _chosen_keys.update(keymap)


def key_name(key_id: str) -> str:
    """Return the key of a table entry, for a message: the first one, by the settings. The table has to be loaded."""
    return key_text((_chosen_keys.get(key_id) or _default_keys[key_id]).partition(",")[0])


class _KeyNames(dict[str, object]):
    def __missing__(self, key_id: str) -> str:
        return key_name(key_id)


def with_keys(text: str, **values: object) -> str:
    """Return a text in which `{mark}` and the like are replaced by the key with that id, or by one of `values`."""
    return text.format_map(_KeyNames(values))
