"""Which columns the run table of an experiment shows, in which order, how wide, and which of them are pinned.

Pure values: the dialog edits them, the table shows them, and the saved state keeps them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import islice
from typing import Any

from mldeck.model import SYSTEM_METRIC_PREFIX, Column, Kind

STATE = Column(Kind.ATTRIBUTE, "status")
NAME = Column(Kind.ATTRIBUTE, "run_name")
AGE = Column(Kind.ATTRIBUTE, "start_time")
DURATION = Column(Kind.ATTRIBUTE, "duration")
EXPERIMENT = Column(Kind.ATTRIBUTE, "experiment_id")
"""Shows the name of the experiment; added when several experiments are shown together."""
DEFAULT_ATTRIBUTES = (AGE, DURATION)
"""Shown unless the user chose the columns. Status and name are always shown, and cannot be chosen."""

ATTRIBUTES = (
    AGE,
    DURATION,
    Column(Kind.ATTRIBUTE, "end_time"),
    Column(Kind.ATTRIBUTE, "user_id"),
    Column(Kind.ATTRIBUTE, "run_id"),
    EXPERIMENT,
    Column(Kind.ATTRIBUTE, "lifecycle_stage"),
    Column(Kind.ATTRIBUTE, "artifact_uri"),
    # MLflow keeps these as tags, and shows them among the attributes.
    Column(Kind.TAG, "mlflow.source.name"),
    Column(Kind.TAG, "mlflow.source.git.commit"),
)
TEXTS = (Kind.PARAM, Kind.TAG)
"""Kinds that are text in the database. Runs can be grouped by them."""
DATASETS = tuple(Column(Kind.DATASET, key) for key in ("name", "digest", "context"))

LABELS: Mapping[Column, str] = {
    NAME: "name",
    AGE: "age",
    DURATION: "duration",
    Column(Kind.ATTRIBUTE, "end_time"): "ended",
    Column(Kind.ATTRIBUTE, "user_id"): "user",
    Column(Kind.ATTRIBUTE, "run_id"): "run id",
    EXPERIMENT: "experiment",
    Column(Kind.ATTRIBUTE, "lifecycle_stage"): "stage",
    Column(Kind.ATTRIBUTE, "artifact_uri"): "artifacts",
    Column(Kind.TAG, "mlflow.source.name"): "source",
    Column(Kind.TAG, "mlflow.source.git.commit"): "git commit",
    **{column: f"dataset {column.key}" for column in DATASETS},
}
"""Column headers that differ from the key."""

MIN_WIDTH, MAX_WIDTH = 4, 120
"""Limits for widths that the user sets, in cells."""

_KIND_ORDER = tuple(Kind)

_MAIN_METRICS = 2
"""Metrics shown before age and duration, so that a terminal of 80 columns shows one."""


class ColumnSource(str, Enum):
    """How the columns are chosen. The values are written to the saved state."""

    DIFFERING = "differing"
    """Columns that differ between the runs on screen: the default."""
    PRESENT = "present"
    """Columns that at least one of the listed runs has a value for."""
    CHOSEN = "chosen"
    """Columns that the user picked, in this order."""


@dataclass(frozen=True)
class ColumnChoice:
    source: ColumnSource = ColumnSource.DIFFERING
    columns: tuple[Column, ...] = ()
    """The picked columns; ignored for the other sources."""
    pinned: tuple[Column, ...] = ()
    """Columns that stay on the left when the table scrolls, if they are shown."""
    widths: Mapping[Column, int] = field(default_factory=dict)
    """Widths that the user set, in cells."""

    def arranged(
        self,
        found: Iterable[Column],
        kept: Sequence[Column] = (),
        attributes: Sequence[Column] = DEFAULT_ATTRIBUTES,
    ) -> tuple[Column, ...]:
        """Return the columns after the name: the pinned ones, the main metrics, the attributes, then all others by kind.

        `found` are the columns of the source now, the most important metric first. `kept` are those shown before: a live table
        loses no column, and new ones do not move them.
        """
        if self.source is ColumnSource.CHOSEN:
            return pinned_first(self.columns, self.pinned)
        merged = dict.fromkeys(column for column in (*kept, *found) if column not in attributes)
        # If only one was shown before, a second one must not move the attributes.
        count = min(_MAIN_METRICS, sum(map(self._may_lead, kept))) or _MAIN_METRICS
        main = tuple(islice(filter(self._may_lead, merged), count))
        others = sorted(
            (column for column in merged if column not in main), key=lambda column: _KIND_ORDER.index(column.kind)
        )
        return pinned_first((*main, *attributes, *others), self.pinned)

    def _may_lead(self, column: Column) -> bool:
        is_own_metric = column.kind is Kind.METRIC and not column.key.startswith(SYSTEM_METRIC_PREFIX)
        return is_own_metric and column not in self.pinned

    def pinned_count(self, columns: Sequence[Column]) -> int:
        """Return how many of these columns are pinned."""
        return len(set(self.pinned).intersection(columns))


@dataclass(frozen=True)
class ColumnStyle:
    """How the run table shows its columns, independent of the values in them."""

    widths: Mapping[Column, int] = field(default_factory=dict)
    """Widths that the user set, in cells; other columns fit their values."""
    greater_is_better: Mapping[str, bool] = field(default_factory=dict)
    """By key of the metrics that have a best value: whether that is the highest."""
    pinned: int = 0
    """How many columns after the name are pinned."""
    experiment_names: Mapping[str, str] = field(default_factory=dict)
    """By experiment id."""


def is_sortable(column: Column) -> bool:
    """Return whether runs can be sorted by a column: what MLflow can sort by, and the duration."""
    if column.kind is Kind.ATTRIBUTE:
        return column.key not in ("experiment_id", "lifecycle_stage")
    return column.kind is not Kind.DATASET


def pinned_first(columns: Sequence[Column], pinned: Iterable[Column]) -> tuple[Column, ...]:
    held = frozenset(pinned)
    return (*(column for column in columns if column in held), *(column for column in columns if column not in held))


def label_of(column: Column) -> str:
    return LABELS.get(column, column.key)


# -- in the saved state of a store


def choice_to_json(choice: ColumnChoice) -> dict[str, Any]:
    return {
        "source": choice.source.value,
        "columns": [column_pair(column) for column in choice.columns],
        "pinned": [column_pair(column) for column in choice.pinned],
        "widths": [[*column_pair(column), width] for column, width in choice.widths.items()],
    }


def choice_from_json(written: object) -> ColumnChoice:
    """Read what `choice_to_json` returned. Malformed parts, which a user may have edited, become the default."""
    if not isinstance(written, dict):
        return ColumnChoice()
    try:
        source = ColumnSource(written.get("source"))
    except ValueError:
        source = ColumnSource.DIFFERING
    columns = tuple(dict.fromkeys(_columns(written.get("columns"))))
    if source is ColumnSource.CHOSEN and not isinstance(written.get("columns"), list):
        source = ColumnSource.DIFFERING
    pinned = tuple(dict.fromkeys(_columns(written.get("pinned"))))
    return ColumnChoice(source, columns, pinned, _widths(written.get("widths")))


def column_pair(column: Column) -> list[str]:
    return [column.kind.value, column.key]


def _columns(written: object) -> list[Column]:
    items = written if isinstance(written, list) else []
    always = ("status", "run_name")
    found = (column for column in map(column_of_pair, items) if column is not None)
    return [column for column in found if column.kind is not Kind.ATTRIBUTE or column.key not in always]


def column_of_pair(written: object) -> Column | None:
    """Return the column that begins with what `column_pair` returned; None for anything else."""
    match written:
        case [str(kind), str(key), *_]:
            try:
                return Column(Kind(kind), key)
            except ValueError:
                return None
    return None


def _widths(written: object) -> dict[Column, int]:
    widths = {}
    for item in written if isinstance(written, list) else []:
        column = column_of_pair(item)
        if column is not None and len(item) == 3 and type(item[2]) is int:
            widths[column] = max(MIN_WIDTH, min(MAX_WIDTH, item[2]))
    return widths
