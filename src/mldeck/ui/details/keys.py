"""The keys of an inspector, and of the metrics in it."""

from __future__ import annotations

from mldeck.ui.kit.keys import Key

INSPECTOR = (
    Key("next_tab", "right_square_bracket", "tab(1)", "next tab", "Next tab of the inspector", shown=True, rank=45),
    Key("previous_tab", "left_square_bracket", "tab(-1)", "previous tab", "Previous tab of the inspector"),
)

METRIC_VIEW = (
    Key(
        "metric_view",
        "v",
        "other_view",
        "charts/list",
        "Switch between charts and a list of the metrics",
        shown=True,
        rank=4,
    ),
)
