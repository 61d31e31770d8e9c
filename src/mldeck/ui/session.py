"""The state of one sitting: the store, what is looked at and in what order, and which runs are marked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from mldeck.errors import StoreUnavailable
from mldeck.model import Column, Experiment, OrderKey, RunQuery, View
from mldeck.settings import Settings
from mldeck.store.interrupt import Interrupt
from mldeck.ui.head_start import HeadStart

if TYPE_CHECKING:
    from mldeck.store.store import Store

_Result = TypeVar("_Result")


@dataclass
class Session:
    settings: Settings
    path: Path
    head_start: HeadStart | None = None
    """Reads what is shown first, in another process; None where that is not wanted, as in tests."""
    experiment: Experiment | None = None
    experiment_view: View = View.ACTIVE
    run_view: View = View.ACTIVE
    order: tuple[OrderKey, ...] = ()
    columns: tuple[Column, ...] = ()
    """Metrics and params that the run table shows."""
    marked: dict[str, None] = field(default_factory=dict)
    """Run ids in the order in which they were marked."""
    _store: Store | None = None

    @property
    def store(self) -> Store:
        if self._store is None:
            raise StoreUnavailable(f"{self.path} is not open yet")
        return self._store

    @property
    def is_open(self) -> bool:
        return self._store is not None

    def open(self) -> None:
        """Connects; in a thread, since this is where the database library is imported."""
        from mldeck.store.store import Store

        self._store = Store(self.path, read_only=self.settings.read_only)

    def close(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None

    @property
    def query(self) -> RunQuery | None:
        """Which runs the table is to show; None before an experiment is chosen."""
        if self.experiment is None:
            return None
        # Deleting an experiment deletes its runs with it; whoever looks into one wants to see them.
        view = View.ALL if self.experiment.lifecycle_stage == "deleted" else self.run_view
        return RunQuery((self.experiment.experiment_id,), view, self.order)

    def cycle_sort(self, column: Column) -> None:
        """Ascending, then descending, then MLflow's own order again."""
        present = self.order[0] if self.order and self.order[0].column == column else None
        if present is None:
            self.order = (OrderKey(column),)
        else:
            self.order = () if present.descending else (OrderKey(column, descending=True),)

    def toggle_mark(self, run_id: str) -> None:
        if run_id in self.marked:
            del self.marked[run_id]
        else:
            self.marked[run_id] = None


def next_view(view: View) -> View:
    views = list(View)
    return views[(views.index(view) + 1) % len(views)]


async def read_off_loop(read: Callable[[Interrupt], _Result]) -> _Result:
    """Reads in a thread. Whoever cancels the waiting also stops the read, so that no stale answer costs anything."""
    interrupt = Interrupt()
    try:
        return await asyncio.to_thread(read, interrupt)
    except asyncio.CancelledError:
        interrupt.fire()
        raise
