"""The keys of the place Compare."""

from __future__ import annotations

from dataclasses import replace

from mldeck.ui.kit.keys import SORT, Key, moves

COMPARE = (
    Key(
        "next_view", "right_curly_bracket", "view(1)", "next view", "Next view of the marked runs", shown=True, rank=10
    ),
    Key("previous_view", "left_curly_bracket", "view(-1)", "previous view", "Previous view of the marked runs"),
    Key(
        "export_view",
        "E",
        "export",
        "export",
        "Export the view to a file, as a picture or as numbers",
        shown=True,
        rank=41,
    ),
    Key("unmark", "space", "unmark", "unmark", "Unmark the run under the cursor", shown=True, rank=30),
    Key("mark_again", "ctrl+z", "mark_again", "mark again", "Mark the run again that was unmarked last"),
)

COMPARE_TABLE = (
    Key(
        "baseline",
        "b",
        "baseline",
        "baseline",
        "Show the difference of all runs from the one under the cursor",
        shown=True,
    ),
    Key("transpose", "t", "transpose", "transpose", "Transpose the table: runs as columns, or as rows", shown=True),
    Key("all_columns", "a", "all", "all/differing", "Show everything, or only what differs", shown=True),
    Key(
        "own_columns",
        "full_stop",
        "own",
        "MLflow's own",
        "Fold or unfold MLflow's own tags and the system metrics",
    ),
    replace(
        SORT,
        id="sort_runs",
        keys="O,s",
        help="Sort the runs by the line under the cursor; again: descending, as marked",
    ),
    Key(
        "better",
        "asterisk",
        "better",
        "best",
        "Choose whether higher or lower is better for the metric under the cursor",
    ),
    Key("fold_group", "z", "fold", "fold", "Fold or unfold the group under the cursor"),
    Key("open_run", "o", "open_run", "open run", "Go to the run under the cursor in Runs"),
)

PARALLEL = (
    *moves(
        Key("axis_right", "right", "axis(1)", "axis", "Next axis", shown=True),
        Key("axis_left", "left", "axis(-1)", "left", "Previous axis"),
        Key("run_down", "down,j", "run(1)", "run", "Next run down the axis; moves the end of a brush", shown=True),
        Key("run_up", "up,k", "run(-1)", "up", "Next run up the axis; moves the end of a brush"),
        Key("runs_down", "pagedown", "run(10)", "far down", "Ten runs down the axis; ten rows of a brush"),
        Key("runs_up", "pageup", "run(-10)", "far up", "Ten runs up the axis; ten rows of a brush"),
        Key("axis_top", "g,home", "edge(-1)", "top", "Run at the top of the axis"),
        Key("axis_foot", "G,end", "edge(1)", "foot", "Run at the foot of the axis"),
    ),
    Key(
        "brush",
        "b",
        "brush",
        "brush",
        "Brush a range of the axis by moving its end; again: by its other end",
        shown=True,
    ),
    Key("end_brush", "enter", "end_brush", "open run", "Keep the brush; otherwise go to the run in Runs", shown=True),
    Key("give_up_brush", "escape", "give_up", "cancel", "Cancel the brush; otherwise go back one step"),
    Key(
        "clear_brush",
        "backspace,delete",
        "clear_brush",
        "clear",
        "Clear the brush of the axis; if it has none, all brushes",
    ),
    Key("keep_brushed", "M", "keep", "only these", "Mark only the runs within the brushes", shown=True),
    Key("choose_axes", "a", "choose_axes", "axes", "Choose and order the axes", shown=True),
    Key("add_axis", "plus,equals_sign", "add_axis", "add", "Add an axis right of the one under the cursor"),
    Key("remove_axis", "minus,x", "remove_axis", "remove", "Remove the axis under the cursor", shown=True),
    Key("axis_later", "shift+right,greater_than_sign", "move_axis(1)", "to the right", "Move the axis to the right"),
    Key("axis_earlier", "shift+left,less_than_sign", "move_axis(-1)", "to the left", "Move the axis to the left"),
    Key("log_of_axis", "l", "log", "log", "Toggle logarithmic scale of the axis under the cursor", shown=True),
    Key("line_colours", "c", "role('colour')", "colour", "Choose what colours the lines", shown=True),
    Key("own_line_colours", "C", "own_colours", "own colours", "Give each run its own colour, as in the other views"),
    Key("copy_run_id", "y", "copy", "copy", "Copy the id of the run under the cursor"),
)

PLANE = (
    *moves(
        Key("run_right", "right", "step('right')", "run", "Next run to the right", shown=True),
        Key("run_left", "left", "step('left')", "left", "Next run to the left"),
        Key("run_above", "up,k", "step('up')", "up", "Next run above"),
        Key("run_below", "down,j", "step('down')", "down", "Next run below"),
        Key("next_dot", "full_stop", "next_run(1)", "next", "Next run line by line, including those in the same place"),
        Key("dot_before", "comma", "next_run(-1)", "previous", "Previous run line by line"),
    ),
    Key("open_dot", "enter", "open_run", "open run", "Go to the run under the cursor in Runs", shown=True),
    Key("x_of_plane", "x", "role('x')", "x axis", "Choose the x axis", shown=True),
    Key("y_of_plane", "y", "role('y')", "y axis", "Choose the y axis", shown=True),
    Key("log_x", "X", "log('x')", "log x", "Toggle logarithmic x axis", shown=True),
    Key("log_y", "Y", "log('y')", "log y", "Toggle logarithmic y axis", shown=True),
)

SCATTER = (
    Key("dot_colours", "c", "role('colour')", "colour", "Choose what colours the runs", shown=True),
    Key("own_dot_colours", "C", "own_colours", "own colours", "Give each run its own colour, as in the other views"),
)

CONTOUR = (
    Key("contour_metric", "m", "role('metric')", "metric", "Choose the metric that sets the shading", shown=True),
    Key("log_metric", "M", "log('metric')", "log metric", "Toggle shading by the logarithm of the metric"),
)

IMPORTANCE = (
    *moves(
        Key("param_down", "down,j", "move(1)", "down", "Next param"),
        Key("param_up", "up,k", "move(-1)", "up", "Previous param"),
        Key("params_down", "pagedown,ctrl+d", "page(1)", "page down", "Page down"),
        Key("params_up", "pageup,ctrl+u", "page(-1)", "page up", "Page up"),
        Key("first_param", "g,home", "edge(-1)", "first", "First param, the most strongly related to the metric"),
        Key("last_param", "G,end", "edge(1)", "last", "Last param"),
    ),
    Key("scatter_param", "enter", "scatter", "scatter", "Open the scatter of the metric over the param", shown=True),
    Key("importance_metric", "m", "role('metric')", "metric", "Choose the metric", shown=True),
    Key("copy_param", "y", "copy", "copy", "Copy the name of the param", shown=True),
)
