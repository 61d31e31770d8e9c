"""All keys in groups, in the order of the help, and which keys work at the same time."""

from __future__ import annotations

from mldeck.ui.app_keys import CLOSE_HELP, DECK, FIND, HELP, LEAVE, PLACE
from mldeck.ui.chart.keys import CHART_PLACE, CURVES, SMALL_CHARTS
from mldeck.ui.compare.keys import COMPARE, COMPARE_TABLE, CONTOUR, IMPORTANCE, PARALLEL, PLANE, SCATTER
from mldeck.ui.details.keys import INSPECTOR, METRIC_VIEW
from mldeck.ui.files.keys import PICTURE, TAKE_FILE, TEXT, VIEW_FILE, VIEWER
from mldeck.ui.kit.keys import COLUMNS, FOLDS, GRID, LINES, TABLE, Key
from mldeck.ui.models.keys import MODEL_EDITS, MODEL_LIST, MODEL_PLACE, STAGE_KEYS, VERSION_TABLE
from mldeck.ui.runs.keys import (
    CHART,
    COLUMN_DIALOG,
    COLUMN_LIST,
    EDITS,
    EXPERIMENTS,
    REGISTER,
    RUN_COLUMNS,
    RUN_PLACE,
    RUNS,
    TAKE_AWAY,
)

GROUPS = (
    ("Lists and tables", (*GRID, *TABLE)),
    ("Everywhere", (*DECK, *PLACE)),
    ("Runs", (*RUN_PLACE, *CHART, *RUN_COLUMNS, *RUNS, *TAKE_AWAY)),
    ("Choosing columns", (*COLUMN_LIST, *COLUMN_DIALOG)),
    ("Edits", (*EDITS, *REGISTER)),
    ("Experiments", EXPERIMENTS),
    ("Inspector", INSPECTOR),
    ("Files", (*VIEW_FILE, *TAKE_FILE, *FOLDS)),
    ("A file, full screen", (*VIEWER, *TEXT, *LINES, *PICTURE)),
    ("Small charts", (*METRIC_VIEW, *SMALL_CHARTS)),
    ("Charts of metrics", (*CHART_PLACE, *CURVES)),
    ("Changing models", (*STAGE_KEYS, *MODEL_EDITS)),
    ("Models", (*MODEL_PLACE, *MODEL_LIST, *VERSION_TABLE)),
    ("Compare", (*COMPARE, *COMPARE_TABLE)),
    ("Compare: parallel coordinates", PARALLEL),
    ("Compare: scatter and contour", (*PLANE, *SCATTER, *CONTOUR)),
    ("Compare: importance", IMPORTANCE),
    ("Help", (CLOSE_HELP,)),
)

PLACES = {
    "Runs": "runs",
    "Choosing columns": "runs",
    "Edits": "runs",
    "Experiments": "runs",
    "Inspector": "runs",
    "Files": "runs",
    "A file, full screen": "runs",
    "Small charts": "runs",
    "Charts of metrics": "runs",
    "Changing models": "models",
    "Models": "models",
    "Compare": "compare",
    "Compare: parallel coordinates": "compare",
    "Compare: scatter and contour": "compare",
    "Compare: importance": "compare",
}
"""The place where each group of keys works, or from which it is reached; groups that work nearly everywhere have none."""

GENERAL_TITLES = frozenset({"Lists and tables", "Everywhere"})
"""The groups whose keys work nearly everywhere."""

_IN_RUNS = (*RUN_PLACE, *RUN_COLUMNS, *TAKE_AWAY, *INSPECTOR, *CHART, *EDITS, *REGISTER, *PLACE, *DECK)
_IN_MODELS = (*STAGE_KEYS, *MODEL_PLACE, *MODEL_EDITS, *INSPECTOR, *PLACE, *DECK)
_IN_COMPARE = (*COMPARE, *PLACE, *DECK)
_IN_VIEWER = (*VIEWER, *TAKE_FILE, *DECK)
_METRIC_PANES = ((*METRIC_VIEW, *GRID), (*METRIC_VIEW, *SMALL_CHARTS))

CONTEXTS: tuple[tuple[Key, ...], ...] = (
    (*RUNS, *TABLE, *GRID, *_IN_RUNS),
    (*EXPERIMENTS, *GRID, *_IN_RUNS),
    (*COLUMNS, *GRID, *_IN_RUNS),
    (*LINES, *GRID, *_IN_RUNS),
    (*VIEW_FILE, *TAKE_FILE, *FOLDS, *GRID, *_IN_RUNS),
    *((*pane, *_IN_RUNS) for pane in _METRIC_PANES),
    (*COLUMN_LIST, *COLUMN_DIALOG, *GRID, HELP, LEAVE),
    (*MODEL_LIST, *TABLE, *GRID, *_IN_MODELS),
    (*VERSION_TABLE, *TABLE, *GRID, *_IN_MODELS),
    (*LINES, *GRID, *_IN_MODELS),
    *((*pane, *_IN_MODELS) for pane in _METRIC_PANES),
    (*COMPARE_TABLE, *TABLE, *GRID, *_IN_COMPARE),
    *((*view, *_IN_COMPARE) for view in (CURVES, PARALLEL, (*PLANE, *SCATTER), (*PLANE, *CONTOUR), IMPORTANCE)),
    (*CURVES, *CHART_PLACE, *PLACE, *DECK),
    *((*pane, *GRID, *_IN_VIEWER) for pane in ((*TEXT, *LINES), TABLE, FOLDS)),
    (*PICTURE, *_IN_VIEWER),
    (*GRID, *FIND, CLOSE_HELP, LEAVE),
)
"""The keys that work at the same time, for each widget that can have the focus."""
