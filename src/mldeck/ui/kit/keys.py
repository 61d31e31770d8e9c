"""Every key in a table: from them come the bindings, the key bar, the help and the command palette.

Those of charts are in `chart_keys`, which is not needed to show the first runs.
"""

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
    Key("runs_place", "1", "place('runs')", "runs", "Go to the runs"),
    Key("models_place", "2", "place('models')", "models", "Go to the registered models"),
    Key("compare_place", "3", "place('compare')", "compare", "Compare the marked runs"),
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

RUN_PLACE = (
    Key("filter", "f", "filter", "filter", "Filter the runs, in MLflow's search language", shown=True),
    Key("clear_filter", "F", "clear_filter", "no filter", "Take the filter away: show all runs again"),
)

TAKE_AWAY = (
    Key("copy_as", "Y", "copy_as", "copy as", "Copy run id, cell, row as JSON, or the filter as Python"),
    Key("export", "E", "export", "export", "Export the table to a file: CSV, JSON or Markdown", shown=True),
)

RUN_COLUMNS = (
    Key("columns", "c", "columns", "columns", "Choose, order, pin and size the columns of the run table", shown=True),
    Key("best", "b", "best", "best", "Say when the metric under the cursor is best, to highlight its best value"),
)

COLUMN_LIST = (
    Key("toggle_column", "space", "show_or_hide", "show/hide", "Show or hide the column", shown=True),
    Key("column_up", "K,shift+up", "move_column(-1)", "up", "Move the column up, which is to the left", shown=True),
    Key("column_down", "J,shift+down", "move_column(1)", "down", "Move the column down, to the right", shown=True),
    Key("pin_column", "p", "pin", "pin", "Pin the column: it stays in sight when one scrolls", shown=True),
    Key("wider", "plus,equals_sign", "resize_column(1)", "wider", "Make the column wider", shown=True),
    Key("narrower", "minus", "resize_column(-1)", "narrower", "Make the column narrower", shown=True),
    Key("fit_column", "0", "fit", "fit", "Make the column as wide as its values need"),
    Key("apply_columns", "enter", "apply", "apply", "Show the columns as they were chosen", shown=True),
)

COLUMN_DIALOG = (
    Key("search_columns", "slash", "search", "search", "Search among the columns", shown=True),
    Key("differing", "d", "use('differing')", "what differs", "Only what differs between these runs"),
    Key("present", "a", "use('present')", "what is here", "Only what some run here has"),
    Key("default_columns", "r", "use('default')", "reset", "As if nobody had ever chosen"),
    Key("next_group", "right_square_bracket", "group(1)", "next group", "Next group of columns"),
    Key("previous_group", "left_square_bracket", "group(-1)", "previous group", "Previous group of columns"),
    Key("leave_columns", "escape", "back", "leave", "End the search; leave all columns as they were"),
)

RUNS = (
    Key("sort", "s", "sort", "sort", "Sort by the column under the cursor: ascending, descending, off", shown=True),
    Key("sort_also", "S", "sort_also", "sort also", "Sort also by the column under the cursor, behind the others"),
    Key("sort_kind", "number_sign", "sort_kind", "number/text", "Sort the param as numbers, or as the text that it is"),
    Key("mark", "space", "mark", "mark", "Mark or unmark the run under the cursor", shown=True),
    Key("mark_down", "shift+down", "mark_to(1)", "mark down", "Mark this run and the next one"),
    Key("mark_up", "shift+up", "mark_to(-1)", "mark up", "Mark this run and the one before"),
    Key("compare", "equals_sign", "app.place('compare')", "compare", "Compare the marked runs", shown=True),
    Key("mark_all", "ctrl+a", "mark_all", "mark all", "Mark all listed runs, or unmark them"),
    Key("only_marked", "M", "layout('marked')", "only marked", "Show only the marked runs, or all again"),
    Key("tree", "T", "layout('tree')", "tree", "Show nested runs below their parents, or flat"),
    Key("groups", "B", "layout('groups')", "group by", "Group by the param or tag under the cursor, or not any more"),
    Key("fold", "z", "layout('fold')", "fold", "Fold or unfold the nested runs or the group under the cursor"),
    Key("view_runs", "v", "cycle_view", "active/deleted", "Show active, deleted or all runs", shown=True),
)

EDITS = (
    Key(
        "edit",
        "e",
        "edit",
        "edit",
        "Edit name, note or tags of the run, the marked runs, or the experiment",
        shown=True,
    ),
    Key("delete", "x", "delete", "delete", "Delete the run, the marked runs, or the experiment (asks)"),
    Key("restore", "X", "restore", "restore", "Restore the deleted run, marked runs, or experiment"),
    Key("undo", "ctrl+z", "undo", "undo", "Take the last edit of this sitting back"),
)

REGISTER = (
    Key("register", "r", "register", "register", "Register a model of the run, or of each marked run", shown=True),
)

EXPERIMENTS = (
    Key("mark_experiment", "space", "mark", "join", "Show the runs of several experiments together", shown=True),
    Key("view_experiments", "v", "cycle_view", "active/deleted", "Show active, deleted or all experiments", shown=True),
)

INSPECTOR = (
    Key("next_tab", "right_square_bracket", "tab(1)", "next tab", "Next tab of the inspector", shown=True),
    Key("previous_tab", "left_square_bracket", "tab(-1)", "previous tab", "Previous tab of the inspector"),
)

FOLDS = (
    Key("fold_row", "left,h", "fold", "fold", "Close the folder or branch, or go to the one that this is in"),
    Key("unfold_row", "right,l", "unfold", "unfold", "Open the folder or branch, or go into it"),
)

VIEW_FILE = (Key("view_file", "v", "ask('view')", "view", "Show the file, folder or model full screen", shown=True),)

TAKE_FILE = (
    Key(
        "download", "d", "ask('download')", "download", "Copy the file or folder to a place of your choice", shown=True
    ),
    Key("pager", "o", "ask('PAGER')", "$PAGER", "Open the file in $PAGER (less, if it is not set)", shown=True),
    Key("editor", "e", "ask('EDITOR')", "$EDITOR", "Open the file in $EDITOR (vi, if it is not set)", shown=True),
)

LINES = (
    Key("lines_left", "left,h", "column(-1)", "left", "Back to the beginning of long lines"),
    Key("lines_right", "right,l", "column(1)", "right", "On to the end of long lines"),
)

TEXT = (
    Key("wrap", "w", "wrap", "wrap", "Break long lines, or do not", shown=True),
    Key("line_numbers", "number_sign", "numbers", "line numbers", "Show the numbers of the lines, or do not"),
)

PICTURE = (
    Key("zoom_in", "plus,equals_sign", "zoom(1)", "larger", "Show the picture larger", shown=True),
    Key("zoom_out", "minus", "zoom(-1)", "smaller", "Show the picture smaller, down to all of it"),
    Key("zoom_back", "0", "zoom(0)", "as it was", "Show the picture as it came up"),
    Key("picture_down", "j", "scroll_down", "down", "On to the end of the picture"),
    Key("picture_up", "k", "scroll_up", "up", "Back to the beginning of the picture"),
    Key("picture_left", "h", "scroll_left", "left", "To the left of the picture"),
    Key("picture_right", "l", "scroll_right", "right", "To the right of the picture"),
    Key("picture_page_down", "ctrl+d", "page_down", "page down", "One page of the picture down"),
    Key("picture_page_up", "ctrl+u", "page_up", "page up", "One page of the picture up"),
    Key("picture_first", "g", "scroll_home", "first", "To the top of the picture"),
    Key("picture_last", "G", "scroll_end", "last", "To the end of the picture"),
)

VIEWER = (
    Key("leave_file", "escape", "back", "back", "Stop what is being worked out; else go back"),
    Key("find_in_file", "slash", "find", "find", "Find a text in the whole file", shown=True),
    Key("next_found", "n", "find_next", "next match", "Go to the next match"),
    Key("previous_found", "N", "find_previous", "previous match", "Go to the previous match"),
    Key("next_file", "right_square_bracket", "file(1)", "next file", "Show the next file of the folder", shown=True),
    Key("previous_file", "left_square_bracket", "file(-1)", "previous file", "Show the previous file of the folder"),
    Key("raw", "R", "raw", "raw", "Show the text itself instead of what was made of it, or back", shown=True),
    Key("copy_whole", "Y", "copy_whole", "copy text", "Copy the text of the file to the clipboard"),
    Key("copy_place", "c", "copy_place", "copy path", "Copy the path of the file to the clipboard", shown=True),
    Key("file_hash", "s", "work_out('hash')", "SHA-256", "Work out the SHA-256 of the file", shown=True),
    Key("count_rows", "r", "work_out('rows')", "count rows", "Count the rows of the table"),
)

CHART = (
    Key("chart", "m", "chart", "chart", "Show the metric under the cursor as a chart, of all marked runs", shown=True),
)

METRIC_VIEW = (
    Key("metric_view", "v", "other_view", "charts/list", "Show the metrics as charts, or as a list", shown=True),
)

MODEL_PLACE = (
    Key("filter_models", "f", "filter", "filter", "Filter the models, or the versions by their runs", shown=True),
    Key("clear_model_filter", "F", "clear_filter", "no filter", "Take the filter away: show all of them again"),
    Key("turn_versions", "v", "turn", "board/table", "Show the versions as a board, or as a table", shown=True),
    Key("open_source_run", "o", "open_run", "run", "Go to the run it came from; b comes back", shown=True),
    Key("card_metric", "m", "card_metric", "metric", "Choose the metric on the cards", shown=True),
    Key("workspace", "W", "workspace", "workspace", "Choose the workspace whose models are shown"),
    Key("export_versions", "E", "export", "export", "Export the versions to a file: CSV, JSON or Markdown"),
)

MODEL_LIST = (Key("sort_models", "S", "sort", "sort", "Sort by the column under the cursor: name or age", shown=True),)

STAGE_KEYS = (
    Key("to_staging", "s", "stage('Staging')", "staging", "Move the version to Staging, after a review", shown=True),
    Key("to_production", "p", "stage('Production')", "production", "Move it to Production, after a review", shown=True),
    Key("archive_version", "a", "stage('Archived')", "archive", "Archive the version, after a review", shown=True),
    Key("to_no_stage", "n", "stage('None')", "no stage", "Move the version out of all stages; or go to the next match"),
    Key("card_right", "shift+right,greater_than_sign", "move_card(1)", "next stage", "Move the card to the next stage"),
    Key("card_left", "shift+left,less_than_sign", "move_card(-1)", "stage before", "Move the card to the stage before"),
    Key("undo_stage", "u", "undo_stage", "undo", "Undo the last change of stage of this model", shown=True),
    Key("put_back", "P", "put_back", "put back", "Put back what was in Production before, after a review"),
    Key(
        "history", "H", "history", "history", "Show the history of the model: what was in which stage when", shown=True
    ),
)

MODEL_EDITS = (
    Key("describe", "d", "describe", "description", "Edit the description of the version or the model", shown=True),
    Key("tag_version", "t", "tags", "tags", "Set or delete a tag of the version or the model", shown=True),
    Key("aliases", "at", "aliases", "aliases", "Set, move or delete aliases", shown=True),
    Key("rename_model", "R", "rename", "rename", "Rename the model"),
    Key("delete_version", "D", "delete", "delete", "Delete the version, or the model with all its versions (asks)"),
    Key("undo_edit", "ctrl+z", "undo_edit", "undo edit", "Take the last edit of this sitting back"),
)

VERSION_TABLE = (
    Key("sort_versions", "S", "sort", "sort", "Sort by the column under the cursor: up, down, off", shown=True),
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
    """`down,j` as a person reads it: ↓ j."""
    return " ".join(_KEY_NAMES.get(key, key) for key in keys.split(","))
