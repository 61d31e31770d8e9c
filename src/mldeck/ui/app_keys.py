"""The keys that work in every place."""

from __future__ import annotations

from mldeck.ui.kit.keys import Key, moves

HELP = Key("help", "question_mark", "app.help", "help", "Show all keys", shown=True, rank=1, pinned=True)
LEAVE = Key("leave", "ctrl+q", "leave", "leave", "Leave mldeck, also from a dialog or text field without typed text")

DECK = (
    Key("runs_place", "1", "place('runs')", "runs", "Go to the runs"),
    Key("models_place", "2", "place('models')", "models", "Go to the registered models"),
    Key("compare_place", "3", "place('compare')", "compare", "Compare the marked runs"),
    HELP,
    Key("palette", "ctrl+p,colon", "command_palette", "commands", "Find an action by its name or description"),
    Key("quit", "q", "quit", "quit", "Leave mldeck", shown=True, pinned=True),
    LEAVE,
)

FIND = (
    Key(
        "find",
        "slash",
        "find",
        "find",
        "Find text in the focused pane, also in the headers of its columns",
        shown=True,
        rank=40,
    ),
    Key("find_next", "n", "find_next", "next match", "Go to the next match"),
    Key("find_previous", "N", "find_previous", "previous match", "Go to the previous match"),
)

CLOSE_HELP = Key(
    "close_help", "escape,q,enter,question_mark", "close", "close", "Close the help", shown=True, pinned=True
)

PLACE = (
    *FIND,
    Key("refresh", "ctrl+r", "refresh", "refresh", "Read everything again"),
    *moves(
        Key("next_pane", "tab", "app.focus_next", "next pane", "Go to the next pane"),
        Key("previous_pane", "shift+tab", "app.focus_previous", "previous pane", "Go to the previous pane"),
    ),
    Key("back", "escape", "back", "back", "Go back one step; stop what is being read"),
)
