"""What the choice of columns needs to know of the store; every method blocks, and belongs in a thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mldeck.model import Column, Kind, RunQuery
from mldeck.store.interrupt import Interrupt
from mldeck.ui.state.columns import ColumnSource

if TYPE_CHECKING:
    from mldeck.store.store import Store


@dataclass(frozen=True)
class ColumnReader:
    store: Store
    query: RunQuery
    sample: Sequence[str]
    """Run ids: what differs, differs between these."""

    def keys(self, kind: Kind, interrupt: Interrupt) -> list[str]:
        """All keys of the database, by name."""
        return self.store.list_keys(kind, (), interrupt)

    def found(self, source: ColumnSource, interrupt: Interrupt) -> tuple[Column, ...]:
        """The columns of an automatic source."""
        if source is ColumnSource.PRESENT:
            return self.store.present_columns(self.query, interrupt)
        return self.store.differing_columns(self.sample, interrupt)
