"""Edits as frozen values that record every changed row: enough to describe and to undo them. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TypeAlias

DbValue: TypeAlias = str | int | float | bytes | None
"""A value as it is stored."""
DbValues: TypeAlias = tuple[DbValue, ...]


class EditKind(str, Enum):
    RENAME = "rename"
    NOTE = "note"
    SET_TAG = "set tag"
    DELETE_TAG = "delete tag"
    DELETE = "delete"
    RESTORE = "restore"
    CREATE = "create"
    ALIAS = "alias"


class EditSubject(str, Enum):
    RUN = "run"
    EXPERIMENT = "experiment"
    MODEL = "registered model"


@dataclass(frozen=True, slots=True)
class RowChange:
    """One row before and after an edit; None where the row did not exist, or does not exist any more."""

    key: DbValues
    before: DbValues | None
    after: DbValues | None


@dataclass(frozen=True, slots=True)
class RowSet:
    """Changes to rows of one table that concern the same columns."""

    table: str
    key_columns: tuple[str, ...]
    """The primary key, or another unique key. Rows whose keys differ only in the last column are looked up together."""
    columns: tuple[str, ...]
    """The columns whose values `before` and `after` of each row are, in this order."""
    rows: tuple[RowChange, ...]

    def inverse(self) -> RowSet:
        """Return the changes that undo these."""
        rows = tuple(RowChange(row.key, row.after, row.before) for row in self.rows)
        return RowSet(self.table, self.key_columns, self.columns, rows)


@dataclass(frozen=True, slots=True)
class Edit:
    """An edit that was made, with each row that it changed."""

    kind: EditKind
    subject: EditSubject
    ids: tuple[str, ...]
    """Ids of the edited runs or experiments, or names of registered models."""
    summary: str
    """A description in the past tense, without a full stop: "renamed run brash-fox-12 to calm-newt-7"."""
    row_sets: tuple[RowSet, ...] = ()
    """The changed rows, in the order in which they were written."""
    undo_refusal: str | None = None
    """Why it cannot be undone; None when it can."""

    @property
    def changed(self) -> bool:
        """Whether any row is different now."""
        return any(row.before != row.after for row_set in self.row_sets for row in row_set.rows)

    @property
    def run_ids(self) -> tuple[str, ...]:
        """Ids of the runs whose own row is different now, including the runs of a deleted or restored experiment."""
        sets = (row_set for row_set in self.row_sets if row_set.table == "runs")
        return tuple(str(row.key[0]) for row_set in sets for row in row_set.rows if row.before != row.after)

    @property
    def removed_assessments(self) -> int:
        """The number of evaluation results deleted together with their runs (MLflow 3.11 and later)."""
        sets = (row_set for row_set in self.row_sets if row_set.table == "assessments")
        return sum(row.after is None for row_set in sets for row in row_set.rows)

    def inverse(self) -> Edit:
        """Return the edit that undoes this one, as a value: nothing is read or written."""
        return replace(
            self,
            kind=_OPPOSITES.get(self.kind, self.kind),
            summary=_inverse_summary(self.summary),
            row_sets=tuple(row_set.inverse() for row_set in reversed(self.row_sets)),
        )


_OPPOSITES = {EditKind.DELETE: EditKind.RESTORE, EditKind.RESTORE: EditKind.DELETE}
_UNDID = "undid: "


def _inverse_summary(summary: str) -> str:
    return summary.removeprefix(_UNDID) if summary.startswith(_UNDID) else f"{_UNDID}{summary}"


@dataclass(frozen=True, slots=True)
class NewExperiment:
    """An experiment that was created."""

    experiment_id: str
    artifact_location: str
    edit: Edit
