"""Reads from the store what the column dialog offers. All methods block: call them in a thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mldeck.model import Column, Kind, RunQuery
from mldeck.store.interrupt import Interrupt
from mldeck.ui.runs.reading import found_columns
from mldeck.ui.state.columns import ColumnSource

if TYPE_CHECKING:
    from mldeck.store.store import Store


@dataclass(frozen=True)
class ColumnReader:
    store: Store
    query: RunQuery
    sample: Sequence[str]
    """Ids of the runs that are compared to find the columns that differ."""

    def keys(self, kind: Kind, interrupt: Interrupt) -> list[str]:
        """Return all keys of a kind in the database, sorted."""
        return self.store.list_keys(kind, (), interrupt)

    def found(self, source: ColumnSource, interrupt: Interrupt) -> tuple[Column, ...]:
        """Return the columns of an automatic source."""
        primary = self.store.primary_metric(self.query.experiment_ids[0], interrupt)
        return found_columns(self.store, self.query, source, self.sample, primary, interrupt, also_newest=True)
