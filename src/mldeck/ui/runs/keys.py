"""The keys of the place Runs."""

from __future__ import annotations

from dataclasses import replace

from mldeck.ui.kit.keys import SORT, Key

RUN_PLACE = (
    Key("filter", "f", "filter", "filter", "Filter the runs, in MLflow's search language", shown=True, rank=10),
    Key("clear_filter", "F", "clear_filter", "clear filter", "Clear the filter: show all runs again"),
)

TAKE_AWAY = (
    Key("copy_as", "Y", "copy_as", "copy as", "Copy the run id, cell, row as JSON, or filter as Python"),
    Key("export", "E", "export", "export", "Export the table to a file: CSV, JSON or Markdown", shown=True, rank=41),
)

RUN_COLUMNS = (
    Key(
        "columns",
        "c",
        "columns",
        "columns",
        "Choose, order, pin and resize the columns of the run table",
        shown=True,
        rank=15,
    ),
    Key("best", "b", "best", "best", "Choose whether higher or lower is better, to highlight the best value"),
)

COLUMN_LIST = (
    Key("toggle_column", "space", "show_or_hide", "show/hide", "Show or hide the column", shown=True),
    Key("column_up", "K,shift+up", "move_column(-1)", "up", "Move the column up (to the left)", shown=True),
    Key("column_down", "J,shift+down", "move_column(1)", "down", "Move the column down (to the right)", shown=True),
    Key("pin_column", "p", "pin", "pin", "Pin the column: it stays on screen when the table scrolls", shown=True),
    Key("wider", "plus,equals_sign", "resize_column(1)", "wider", "Make the column wider", shown=True),
    Key("narrower", "minus", "resize_column(-1)", "narrower", "Make the column narrower", shown=True),
    Key("fit_column", "0", "fit", "fit", "Fit the column to its values"),
    Key("apply_columns", "enter", "apply", "apply", "Apply the choice of columns", shown=True),
)

COLUMN_DIALOG = (
    Key("search_columns", "slash", "search", "search", "Search among the columns", shown=True),
    Key("differing", "d", "use('differing')", "what differs", "Only columns that differ between these runs"),
    Key("present", "a", "use('present')", "all with values", "All columns that have values here"),
    Key("default_columns", "r", "use('default')", "reset", "Reset to the defaults"),
    Key("next_group", "right_square_bracket", "group(1)", "next group", "Next group of columns"),
    Key("previous_group", "left_square_bracket", "group(-1)", "previous group", "Previous group of columns"),
    Key("leave_columns", "escape", "back", "leave", "End the search; leave without changes", shown=True, pinned=True),
)

RUNS = (
    replace(SORT, keys="O,s"),
    Key("sort_also", "S", "sort_also", "sort also", "Sort also by the column under the cursor, after the others"),
    Key("sort_kind", "number_sign", "sort_kind", "number/text", "Sort the param or tag as numbers, or as text"),
    Key("mark", "space", "mark", "mark", "Mark or unmark the run under the cursor", shown=True, rank=12),
    Key("mark_down", "shift+down", "mark_to(1)", "mark down", "Mark this run and the next one"),
    Key("mark_up", "shift+up", "mark_to(-1)", "mark up", "Mark this run and the previous one"),
    Key("compare", "equals_sign", "app.place('compare')", "compare", "Compare the marked runs", shown=True, rank=14),
    Key("mark_all", "ctrl+a", "mark_all", "mark all", "Mark or unmark all listed runs"),
    Key("only_marked", "M", "layout('marked')", "only marked", "Toggle between the marked runs and all runs"),
    Key("tree", "T", "layout('tree')", "tree", "Toggle the tree: nested runs below their parents", shown=True, rank=18),
    Key(
        "groups",
        "B",
        "layout('groups')",
        "group by",
        "Group by the param or tag under the cursor, or by one that you pick; ungroup",
        shown=True,
        rank=19,
    ),
    Key("fold", "z", "layout('fold')", "fold", "Fold or unfold the nested runs or the group under the cursor"),
    Key("view_runs", "v", "cycle_view", "active/deleted", "Show active, deleted or all runs", shown=True, rank=43),
)

EDITS = (
    Key(
        "edit",
        "e",
        "edit",
        "edit",
        "Edit the name, note or tags of the run, the marked runs, or the experiment",
        shown=True,
        rank=16,
    ),
    Key(
        "create_experiment",
        "A",
        "create_experiment",
        "create experiment",
        "Create an experiment, which has no runs yet",
        shown=True,
        rank=44,
    ),
    Key("delete", "x", "delete", "delete", "Delete the run, the marked runs, or the experiment (asks)"),
    Key("restore", "X", "restore", "restore", "Restore the deleted run, the marked runs, or the experiment"),
    Key("undo", "ctrl+z", "undo", "undo", "Undo the last edit of this session"),
)

REGISTER = (
    Key(
        "register",
        "r",
        "register",
        "register",
        "Register a model of the run, or of each marked run",
        shown=True,
        rank=17,
    ),
)

EXPERIMENTS = (
    Key(
        "mark_experiment", "space", "mark", "join", "Show the runs of several experiments together", shown=True, rank=3
    ),
    Key(
        "view_experiments",
        "v",
        "cycle_view",
        "active/deleted",
        "Show active, deleted or all experiments",
        shown=True,
        rank=4,
    ),
)

CHART = (
    Key(
        "chart",
        "m",
        "chart",
        "chart",
        "Show a chart of the metric under the cursor: the marked runs, and the run under the cursor",
        shown=True,
        rank=13,
    ),
)
