"""The keys that work in every place."""

from __future__ import annotations

from mldeck.ui.kit.keys import Key

DECK = (
    Key("runs_place", "1", "place('runs')", "runs", "Go to the runs"),
    Key("models_place", "2", "place('models')", "models", "Go to the registered models"),
    Key("compare_place", "3", "place('compare')", "compare", "Compare the marked runs"),
    Key("help", "question_mark", "help", "help", "Show all keys", shown=True),
    Key("palette", "ctrl+p,colon", "command_palette", "commands", "Find an action by name"),
    Key("quit", "q,ctrl+q", "quit", "quit", "Leave mldeck"),
)

PLACE = (
    Key(
        "find", "slash", "find", "find", "Find text in the focused pane, also in the headers of its columns", shown=True
    ),
    Key("find_next", "n", "find_next", "next match", "Go to the next match"),
    Key("find_previous", "N", "find_previous", "previous match", "Go to the previous match"),
    Key("refresh", "ctrl+r", "refresh", "refresh", "Read everything again"),
    Key("next_pane", "tab", "app.focus_next", "next pane", "Go to the next pane"),
    Key("previous_pane", "shift+tab", "app.focus_previous", "previous pane", "Go to the previous pane"),
    Key("back", "escape", "back", "back", "Go back one step; stop what is being read"),
)
