"""The keys of the place Runs."""

from __future__ import annotations

from mldeck.ui.kit.keys import Key

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

CHART = (
    Key("chart", "m", "chart", "chart", "Show the metric under the cursor as a chart, of all marked runs", shown=True),
)
