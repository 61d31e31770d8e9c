"""Which columns the run table of an experiment shows, in what order, how wide, and which of them stay in sight.

Pure values: what the dialog edits, the table shows, and the saved state keeps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from mldeck.model import Column, Kind

AGE = Column(Kind.ATTRIBUTE, "start_time")
DURATION = Column(Kind.ATTRIBUTE, "duration")
EXPERIMENT = Column(Kind.ATTRIBUTE, "experiment_id")
"""Shown by its name; there when several experiments are shown together."""
DEFAULT_ATTRIBUTES = (AGE, DURATION)
"""Status and name are always there, and no matter of choice."""

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
DATASETS = tuple(Column(Kind.DATASET, key) for key in ("name", "digest", "context"))

LABELS: Mapping[Column, str] = {
    AGE: "age",
    DURATION: "time",
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
"""What stands above a column, where it is not the key."""

MIN_WIDTH, MAX_WIDTH = 4, 120
_KIND_ORDER = tuple(Kind)


class ColumnSource(str, Enum):
    """Where the columns come from."""

    DIFFERING = "differing"
    """What differs between the runs on screen: what a table shows before anybody chose."""
    PRESENT = "present"
    """What at least one of the listed runs has."""
    CHOSEN = "chosen"
    """What the user picked, in that order."""


@dataclass(frozen=True)
class ColumnChoice:
    source: ColumnSource = ColumnSource.DIFFERING
    columns: tuple[Column, ...] = ()
    """Those chosen by hand; of no meaning for the other sources."""
    pinned: tuple[Column, ...] = ()
    """Stay on the left when one scrolls to the right, if they are shown."""
    widths: Mapping[Column, int] = field(default_factory=dict)
    """Cells, where the width was set by hand."""

    def arranged(self, found: Iterable[Column], kept: Iterable[Column] = ()) -> tuple[Column, ...]:
        """The columns behind the name: the pinned ones first.

        `found` is what the source has now, `kept` what was shown before: a live table loses no column.
        """
        columns: Sequence[Column] = self.columns
        if self.source is not ColumnSource.CHOSEN:
            fixed = frozenset(DEFAULT_ATTRIBUTES)
            merged = dict.fromkeys(each for each in (*kept, *found) if each not in fixed)
            by_kind = sorted(merged, key=lambda column: _KIND_ORDER.index(column.kind))
            columns = (*DEFAULT_ATTRIBUTES, *by_kind)
        return pinned_first(columns, self.pinned)

    def pinned_count(self, columns: Sequence[Column]) -> int:
        """How many of the arranged columns are pinned."""
        return len(set(self.pinned).intersection(columns))


@dataclass(frozen=True)
class ColumnStyle:
    """What the user wants of the columns, whatever is in them."""

    widths: Mapping[Column, int] = field(default_factory=dict)
    """Set by hand; the others fit their values."""
    greater_is_better: Mapping[str, bool] = field(default_factory=dict)
    """Metrics that have a best value."""
    pinned: int = 0
    """So many columns behind the name stay in sight."""
    experiment_names: Mapping[str, str] = field(default_factory=dict)
    """By experiment id."""


def is_sortable(column: Column) -> bool:
    """What MLflow sorts by, and the duration."""
    if column.kind is Kind.ATTRIBUTE:
        return column.key not in ("experiment_id", "lifecycle_stage")
    return column.kind is not Kind.DATASET


def pinned_first(columns: Sequence[Column], pinned: Iterable[Column]) -> tuple[Column, ...]:
    held = frozenset(pinned)
    return (*(each for each in columns if each in held), *(each for each in columns if each not in held))


def label_of(column: Column) -> str:
    return LABELS.get(column, column.key)


# -- in the saved state of a store


def choice_to_json(choice: ColumnChoice) -> dict[str, Any]:
    return {
        "source": choice.source.value,
        "columns": [_written(each) for each in choice.columns],
        "pinned": [_written(each) for each in choice.pinned],
        "widths": [[*_written(column), width] for column, width in choice.widths.items()],
    }


def choice_from_json(written: object) -> ColumnChoice:
    """What was remembered; the default for whatever of it cannot be understood."""
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


def _written(column: Column) -> list[str]:
    return [column.kind.value, column.key]


def _columns(written: object) -> list[Column]:
    items = written if isinstance(written, list) else []
    always = ("status", "run_name")
    found = (column for column in map(_column, items) if column is not None)
    return [each for each in found if each.kind is not Kind.ATTRIBUTE or each.key not in always]


def _column(written: object) -> Column | None:
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
        column = _column(item)
        if column is not None and len(item) == 3 and type(item[2]) is int:
            widths[column] = max(MIN_WIDTH, min(MAX_WIDTH, item[2]))
    return widths
