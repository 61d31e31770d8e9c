"""The keys of the place Compare."""

from __future__ import annotations

from mldeck.ui.kit.keys import Key

COMPARE = (
    Key("next_view", "right_curly_bracket", "view(1)", "next view", "Next view of the marked runs", shown=True),
    Key("previous_view", "left_curly_bracket", "view(-1)", "previous view", "Previous view of the marked runs"),
    Key(
        "export_view", "E", "export", "export", "Export what is shown to a file: the picture or the numbers", shown=True
    ),
    Key("unmark", "space", "unmark", "take out", "Take the mark of the run under the cursor away", shown=True),
    Key("mark_again", "ctrl+z", "mark_again", "put back", "Put back the run that was taken out last"),
)

COMPARE_TABLE = (
    Key("baseline", "b", "baseline", "baseline", "Show how far all runs are from the one under the cursor", shown=True),
    Key("transpose", "t", "transpose", "transpose", "Turn the table: runs as columns, or as rows", shown=True),
    Key("all_columns", "a", "all", "all/differing", "Show everything, or only what differs", shown=True),
    Key(
        "own_columns",
        "full_stop",
        "own",
        "MLflow's own",
        "Show MLflow's own tags and system metrics, or fold them away",
    ),
    Key("sort_runs", "s", "sort", "sort", "Sort the runs by what is under the cursor: up, down, as marked", shown=True),
    Key(
        "better", "asterisk", "better", "best", "Say when the metric under the cursor is best, to mark its best values"
    ),
    Key("fold_group", "z", "fold", "fold", "Fold or unfold the group under the cursor"),
    Key("open_run", "o", "open_run", "open run", "Go to the run under the cursor in the place Runs"),
)

PARALLEL = (
    Key("axis_right", "right", "axis(1)", "axis", "To the next axis", shown=True),
    Key("axis_left", "left", "axis(-1)", "left", "To the axis before"),
    Key("run_down", "down,j", "run(1)", "run", "To the next run down the axis; moves the end of a brush", shown=True),
    Key("run_up", "up,k", "run(-1)", "up", "To the next run up the axis; moves the end of a brush"),
    Key("runs_down", "pagedown", "run(10)", "far down", "Ten runs down the axis, or ten rows"),
    Key("runs_up", "pageup", "run(-10)", "far up", "Ten runs up the axis, or ten rows"),
    Key("axis_top", "g,home", "edge(-1)", "top", "To the run at the top of the axis"),
    Key("axis_foot", "G,end", "edge(1)", "foot", "To the run at the foot of the axis"),
    Key("brush", "b", "brush", "brush", "Brush a range of the axis: ↑ ↓ move its end, b the other one", shown=True),
    Key("end_brush", "enter", "end_brush", "open run", "Keep the brush; go to the run in the place Runs", shown=True),
    Key("give_up_brush", "escape", "give_up", "give up", "Give the brush up; go back one step"),
    Key("clear_brush", "backspace,delete", "clear_brush", "clear", "Clear the brush of the axis, else all brushes"),
    Key("keep_brushed", "M", "keep", "only these", "Mark only the runs within the brushes", shown=True),
    Key("choose_axes", "a", "choose_axes", "axes", "Choose and order the axes", shown=True),
    Key("add_axis", "plus,equals_sign", "add_axis", "add", "Add an axis right of the one under the cursor"),
    Key("remove_axis", "minus,x", "remove_axis", "remove", "Remove the axis under the cursor", shown=True),
    Key("axis_later", "shift+right,greater_than_sign", "move_axis(1)", "to the right", "Move the axis to the right"),
    Key("axis_earlier", "shift+left,less_than_sign", "move_axis(-1)", "to the left", "Move the axis to the left"),
    Key("log_of_axis", "l", "log", "log", "Logarithmic axis under the cursor, or linear", shown=True),
    Key("line_colours", "c", "role('colour')", "colour", "Choose what colours the lines", shown=True),
    Key("own_line_colours", "C", "own_colours", "own colours", "Each run in its own colour, as everywhere"),
    Key("copy_run_id", "y", "copy", "copy", "Copy the id of the run under the cursor"),
)

PLANE = (
    Key("run_right", "right", "step('right')", "run", "To the next run on the right", shown=True),
    Key("run_left", "left", "step('left')", "left", "To the next run on the left"),
    Key("run_above", "up,k", "step('up')", "up", "To the next run above"),
    Key("run_below", "down,j", "step('down')", "down", "To the next run below"),
    Key("next_dot", "full_stop", "next_run(1)", "next", "To the next run line by line, also in the same place"),
    Key("dot_before", "comma", "next_run(-1)", "before", "To the run before, line by line"),
    Key("open_dot", "enter", "open_run", "open run", "Go to the run under the cursor in the place Runs", shown=True),
    Key("x_of_plane", "x", "role('x')", "x axis", "Choose the x axis", shown=True),
    Key("y_of_plane", "y", "role('y')", "y axis", "Choose the y axis", shown=True),
    Key("log_x", "X", "log('x')", "log x", "Logarithmic x axis, or linear", shown=True),
    Key("log_y", "Y", "log('y')", "log y", "Logarithmic y axis, or linear", shown=True),
)

SCATTER = (
    Key("dot_colours", "c", "role('colour')", "colour", "Choose what colours the runs", shown=True),
    Key("own_dot_colours", "C", "own_colours", "own colours", "Each run in its own colour, as everywhere"),
)

CONTOUR = (
    Key("contour_metric", "m", "role('metric')", "metric", "Choose the metric whose values are the shades", shown=True),
    Key("log_metric", "M", "log('metric')", "log metric", "Shades by the logarithm of the metric, or linear"),
)

IMPORTANCE = (
    Key("param_down", "down,j", "move(1)", "down", "To the next param"),
    Key("param_up", "up,k", "move(-1)", "up", "To the param before"),
    Key("params_down", "pagedown,ctrl+d", "page(1)", "page down", "One page down"),
    Key("params_up", "pageup,ctrl+u", "page(-1)", "page up", "One page up"),
    Key("first_param", "g,home", "edge(-1)", "first", "To the param that goes with the metric most"),
    Key("last_param", "G,end", "edge(1)", "last", "To the last param"),
    Key("scatter_param", "enter", "scatter", "scatter", "Show the metric over the param as a scatter", shown=True),
    Key("importance_metric", "m", "role('metric')", "metric", "Choose the metric", shown=True),
    Key("copy_param", "y", "copy", "copy", "Copy the name of the param", shown=True),
)
