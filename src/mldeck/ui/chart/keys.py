"""The keys of charts."""

from __future__ import annotations

from mldeck.ui.kit.keys import Key, moves

CHART_PLACE = (
    Key("leave_chart", "escape", "back", "back", "Stop reading; otherwise go back to the runs"),
    Key("close_chart", "q", "close", "close", "Go back to the runs at once", shown=True, pinned=True),
)

CURVES = (
    *moves(
        Key("cross_right", "right", "crosshair(1)", "crosshair", "Move the crosshair to the right", shown=True),
        Key("cross_left", "left", "crosshair(-1)", "left", "Move the crosshair to the left"),
        Key(
            "cross_far_right",
            "shift+right",
            "crosshair(10)",
            "far right",
            "Move the crosshair ten columns to the right",
        ),
        Key("cross_far_left", "shift+left", "crosshair(-10)", "far left", "Move the crosshair ten columns to the left"),
        Key("cross_first", "home", "crosshair_edge(-1)", "first", "Move the crosshair to the left end"),
        Key("cross_last", "end", "crosshair_edge(1)", "last", "Move the crosshair to the right end"),
    ),
    Key("zoom_in", "plus,equals_sign", "zoom(1)", "zoom", "Zoom in around the crosshair", shown=True),
    Key("zoom_out", "minus", "zoom(-1)", "zoom out", "Zoom out"),
    Key("pan_left", "less_than_sign", "pan(-1)", "pan left", "Move the zoomed window to the left"),
    Key("pan_right", "greater_than_sign", "pan(1)", "pan right", "Move the zoomed window to the right"),
    Key("reset_view", "0", "reset_view", "all", "Show everything and remove the crosshair", shown=True),
    Key("x_axis", "a", "x_axis", "x axis", "Switch the x axis: steps, relative time, wall time", shown=True),
    Key("log_axis", "l", "log_axis", "log", "Toggle logarithmic y axis", shown=True),
    Key("y_range", "r", "y_range", "y range", "Switch the y range: all values, without outliers, custom"),
    Key(
        "smoother",
        "right_square_bracket",
        "smooth(1)",
        "smooth",
        "Smooth more; the raw curve stays visible, but faint",
        shown=True,
    ),
    Key("rougher", "left_square_bracket", "smooth(-1)", "smooth less", "Smooth less"),
    Key("next_metric", "n", "metric(1)", "next metric", "Show the next metric", shown=True),
    Key("previous_metric", "p", "metric(-1)", "previous metric", "Show the previous metric"),
    Key("choose_metrics", "m", "choose_metrics", "metrics", "Choose a metric, or several on the same axes", shown=True),
    *moves(
        Key("next_run", "down,j", "choose_run(1)", "next run", "Select the next run in the legend"),
        Key("previous_run", "up,k", "choose_run(-1)", "previous run", "Select the previous run in the legend"),
    ),
    Key("solo", "o", "solo", "solo", "Highlight the selected run", shown=True),
    Key("toggle_run", "space", "toggle_run", "hide", "Hide or show the selected run", shown=True),
    Key("group_runs", "g", "group", "group", "Group the runs by a param or tag: mean with min–max band", shown=True),
    Key("go_to_run", "enter", "open", "go to run", "Go to the selected run in the run table"),
    Key("copy_value", "y", "copy", "copy", "Copy the exact value of the selected run"),
    Key("export_chart", "E", "export", "export", "Export the chart as text or SVG, or its points as CSV", shown=True),
)

SMALL_CHARTS = (
    *moves(
        Key("chart_right", "right,l", "move(1)", "right", "Next chart"),
        Key("chart_left", "left,h", "move(-1)", "left", "Previous chart"),
        Key("chart_down", "down,j", "move_row(1)", "down", "Chart below"),
        Key("chart_up", "up,k", "move_row(-1)", "up", "Chart above"),
        Key("charts_down", "pagedown,ctrl+d", "page(1)", "next page", "Next page of charts"),
        Key("charts_up", "pageup,ctrl+u", "page(-1)", "previous page", "Previous page of charts"),
        Key("first_chart", "g,home", "edge(-1)", "first", "First chart"),
        Key("last_chart", "G,end", "edge(1)", "last", "Last chart"),
    ),
    Key("open_chart", "enter", "open", "full screen", "Open the chart full screen; unfold a group", shown=True, rank=2),
    Key("fold_charts", "z", "fold", "fold", "Fold or unfold the group of charts", shown=True, rank=3),
    Key("copy_metric", "y", "copy", "copy", "Copy the latest value of the metric"),
)
