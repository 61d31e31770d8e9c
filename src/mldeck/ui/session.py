"""The state of one sitting: the store, what is looked at and in what order, and which runs are marked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from mldeck.errors import StoreUnavailable
from mldeck.model import Column, Experiment, OrderKey, RunQuery, View
from mldeck.settings import Settings
from mldeck.store.interrupt import Interrupt
from mldeck.ui.arranging import Layout
from mldeck.ui.best import Better, higher_is_better
from mldeck.ui.best import remembered as remembered_directions
from mldeck.ui.column_choice import ColumnChoice, Look, from_memory
from mldeck.ui.head_start import HeadStart
from mldeck.ui.memory import StoreMemory

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
    numeric: dict[Column, bool] = field(default_factory=dict)
    """Whether a param or tag is sorted as the number that it is, as far as that was found out."""
    filter: str = ""
    columns: tuple[Column, ...] = ()
    """What the run table shows behind the name, in that order."""
    choice: ColumnChoice = field(default_factory=ColumnChoice)
    """Where the columns come from."""
    better: dict[str, Better] = field(default_factory=dict)
    """By metric of this experiment: which direction is the better one."""
    layout: Layout = field(default_factory=Layout)
    marked: dict[str, None] = field(default_factory=dict)
    """Run ids in the order in which they were marked."""
    joined: tuple[Experiment, ...] = ()
    """Experiments that were marked, to see the runs of all of them together; empty: those of `experiment`."""
    filters: dict[str, str] = field(default_factory=dict)
    """The filter of each scope that was looked at in this sitting."""
    _store: Store | None = None

    @cached_property
    def memory(self) -> StoreMemory:
        """What is remembered of this store from earlier sittings."""
        return StoreMemory.of(self.path)

    @property
    def store(self) -> Store:
        if self._store is None:
            raise StoreUnavailable(f"{self.path} is not open yet")
        return self._store

    @property
    def is_open(self) -> bool:
        return self._store is not None

    @property
    def refusal(self) -> str | None:
        """Why nothing can be changed; None when it can."""
        return self._store.read_only_reason if self._store is not None else "the store is not open yet"

    def open(self) -> None:
        """Connects; in a thread, since this is where the database library is imported."""
        from mldeck.store.store import Store

        self._store = Store(self.path, read_only=self.settings.read_only)

    def close(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None

    def look(self, columns: Sequence[Column]) -> Look:
        """How the table is to show these columns."""
        names = {each.experiment_id: each.name for each in self.scope}
        return Look(self.choice.widths, higher_is_better(self.better), self.choice.pinned_count(columns), names)

    def forget_columns(self) -> None:
        """Another experiment was chosen: its columns are those of its last sitting."""
        self.columns = ()
        remembered = self.memory.experiments.get(self.scope_id, {})
        self.choice = from_memory(remembered.get("columns"))
        self.better = remembered_directions(remembered)

    @property
    def scope(self) -> tuple[Experiment, ...]:
        """The experiments whose runs are shown; none before one is chosen."""
        return self.joined or ((self.experiment,) if self.experiment else ())

    @property
    def scope_id(self) -> str:
        """Tells scopes apart; of a single experiment, its id."""
        return "+".join(each.experiment_id for each in self.scope)

    @property
    def query(self) -> RunQuery | None:
        """Which runs the table is to show; None before an experiment is chosen."""
        scope = self.scope
        if not scope:
            return None
        # Deleting an experiment deletes its runs with it; whoever looks into one wants to see them.
        is_deleted = all(each.lifecycle_stage == "deleted" for each in scope)
        view = View.ALL if is_deleted else self.run_view
        return RunQuery(tuple(each.experiment_id for each in scope), view, self.order, self.filter)

    def toggle_joined(self, experiment: Experiment) -> None:
        """Adds an experiment to those that are shown together, or takes it out."""
        others = tuple(each for each in self.joined if each.experiment_id != experiment.experiment_id)
        self.joined = others if len(others) < len(self.joined) else (*self.joined, experiment)

    def cycle_sort(self, column: Column, *, also: bool) -> None:
        """Ascending, then descending, then not any more. `also`: the other keys stay, and a new one goes behind them."""
        present = next((key for key in self.order if key.column == column), None)
        if present is None:
            fresh = OrderKey(column, as_number=self.numeric.get(column, False))
            self.order = (*self.order, fresh) if also else (fresh,)
            return
        turned = () if present.descending else (replace(present, descending=True),)
        others = self.order if also else (present,)
        self.order = tuple(each for key in others for each in (turned if key is present else (key,)))

    def switch_sort_kind(self, column: Column) -> bool:
        """Numbers instead of text, or the other way round; whether the column is one that is sorted by."""
        present = next((key for key in self.order if key.column == column), None)
        if present is not None:
            self.sort_as_number(column, not present.as_number)
        return present is not None

    def sort_as_number(self, column: Column, as_number: bool) -> None:
        """How this column is sorted from now on, and now if it is sorted by."""
        self.numeric[column] = as_number
        self.order = tuple(replace(key, as_number=as_number) if key.column == column else key for key in self.order)

    def toggle_marks(self, run_ids: Sequence[str]) -> None:
        """Marks them; if all of them are marked, takes the marks away."""
        if all(run_id in self.marked for run_id in run_ids):
            for run_id in run_ids:
                self.marked.pop(run_id, None)
        else:
            self.marked.update(dict.fromkeys(run_ids))


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
