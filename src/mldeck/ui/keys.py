"""Every key in one table: from it come the bindings, the key bar, the help and the command palette."""

from __future__ import annotations

from dataclasses import dataclass

from textual.binding import Binding, BindingType


@dataclass(frozen=True, slots=True)
class Key:
    id: str
    """Stable name, for remapping."""
    keys: str
    """As Textual writes them, separated by commas; the first is the one that is shown."""
    action: str
    label: str
    """Two or three words for the key bar."""
    help: str
    """One sentence for the help and the palette."""
    shown: bool = False
    """Whether the key bar has room for it."""


DECK = (
    Key("help", "question_mark", "help", "help", "Show all keys", shown=True),
    Key("palette", "ctrl+p,colon", "command_palette", "commands", "Find an action by its name"),
    Key("quit", "q,ctrl+q", "quit", "quit", "Leave mldeck"),
)

PLACE = (
    Key("find", "slash", "find", "find", "Find text in the pane that has the focus", shown=True),
    Key("find_next", "n", "find_next", "next match", "Go to the next match"),
    Key("find_previous", "N", "find_previous", "previous match", "Go to the previous match"),
    Key("refresh", "ctrl+r", "refresh", "refresh", "Read everything again"),
    Key("next_pane", "tab", "app.focus_next", "next pane", "Go to the next pane"),
    Key("previous_pane", "shift+tab", "app.focus_previous", "previous pane", "Go to the previous pane"),
    Key("back", "escape", "back", "back", "Go back one step; stop what is being read"),
)

GRID = (
    Key("down", "down,j", "move(1)", "down", "One row down"),
    Key("up", "up,k", "move(-1)", "up", "One row up"),
    Key("page_down", "pagedown", "page(1)", "page down", "One page down"),
    Key("page_up", "pageup", "page(-1)", "page up", "One page up"),
    Key("half_page_down", "ctrl+d", "half_page(1)", "half a page down", "Half a page down"),
    Key("half_page_up", "ctrl+u", "half_page(-1)", "half a page up", "Half a page up"),
    Key("first", "g,home", "edge(-1)", "first", "To the first row"),
    Key("last", "G,end", "edge(1)", "last", "To the last row"),
    Key("open", "enter", "open", "open", "Go in"),
    Key("copy", "y", "copy", "copy", "Copy what the cursor is on to the clipboard", shown=True),
)

COLUMNS = (
    Key("left", "left,h", "column(-1)", "left", "One column to the left"),
    Key("right", "right,l", "column(1)", "right", "One column to the right"),
)

RUN_PLACE = (Key("filter", "f", "filter", "filter", "Filter the runs, in MLflow's search language", shown=True),)

RUNS = (
    Key("sort", "s", "sort", "sort", "Sort by the column under the cursor: ascending, descending, off", shown=True),
    Key("sort_also", "S", "sort_also", "sort also", "Sort also by the column under the cursor, behind the others"),
    Key("sort_kind", "number_sign", "sort_kind", "number/text", "Sort the param as numbers, or as the text that it is"),
    Key("mark", "space", "mark", "mark", "Mark or unmark the run under the cursor", shown=True),
    Key("view_runs", "v", "cycle_view", "active/deleted", "Show active, deleted or all runs", shown=True),
)

EXPERIMENTS = (
    Key("view_experiments", "v", "cycle_view", "active/deleted", "Show active, deleted or all experiments", shown=True),
)

INSPECTOR = (
    Key("next_tab", "right_square_bracket", "tab(1)", "next tab", "Next tab of the inspector", shown=True),
    Key("previous_tab", "left_square_bracket", "tab(-1)", "previous tab", "Previous tab of the inspector"),
)

GROUPS = (
    ("Everywhere", (*DECK, *PLACE)),
    ("Lists and tables", (*GRID, *COLUMNS)),
    ("Runs", (*RUN_PLACE, *RUNS)),
    ("Experiments", EXPERIMENTS),
    ("Inspector", INSPECTOR),
)
"""For the help."""


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
    "escape": "Esc",
    "space": "Space",
    "enter": "Enter",
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
    """`down,j` as a person reads it: ↓ j."""
    return " ".join(_KEY_NAMES.get(key, key) for key in keys.split(","))
