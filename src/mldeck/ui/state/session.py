"""The state of one session: the open stores, the experiment and runs on screen, their order, filter and marks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from mldeck.errors import StoreUnavailable, UsageError
from mldeck.model import Column, Experiment, OrderKey, RunQuery, View
from mldeck.settings import Settings
from mldeck.store.address import Address, file_folder, host_of, registry_address
from mldeck.store.connect import far_files, log_in
from mldeck.store.interrupt import Interrupt
from mldeck.ui.kit.clock import Clock
from mldeck.ui.state.arrangement import Layout
from mldeck.ui.state.columns import TEXTS, ColumnChoice, ColumnStyle, choice_from_json
from mldeck.ui.state.history_cache import HistoryCache
from mldeck.ui.state.metric_direction import (
    Better,
    begins_descending,
    higher_is_better,
    next_descending,
    remember,
    remembered,
)
from mldeck.ui.state.restored import (
    ListChoice,
    ShownRuns,
    keep_choice,
    kept_choice,
    left_shown,
    left_state,
    left_tab,
    left_tree,
    with_tab,
)
from mldeck.ui.state.saved_state import SavedState, SavedTheme

if TYPE_CHECKING:
    from mldeck.artifacts.file_facts import FileFacts
    from mldeck.artifacts.location import Places
    from mldeck.store.registry.editor import RegistryEditor
    from mldeck.store.registry.reader import RegistryReader
    from mldeck.store.store import Store


@dataclass(frozen=True)
class WayBack:
    """Where Esc and b lead back to, as long as the cursor stays on the run that the user came for."""

    place: str
    """The name of the place."""
    run_id: str


@dataclass
class Session:
    """The state that all places share. Which thread may do what:

    * Only the event loop changes the public attributes. Code in a thread is handed the values that it needs. Of the attributes
      it may read `settings`, `address`, `store`, `workspace`, `agreed_places` and `saved`.
    * `open`, `registered`, `registry` and `registry_editor` may open a database, so they are called in a thread. They set
      `_store` and `_registered` under a lock, each of them once before `close`.
    * `poll` and `reopen` block, and are called in a thread. `places` and `databases` may be called anywhere.
    * `histories` has a lock of its own: any thread may use it. `clock` belongs to the event loop.
    """

    settings: Settings
    address: Address
    """Where the store that holds the runs is."""
    experiment: Experiment | None = None
    """The chosen experiment; None before one is chosen."""
    experiment_view: View = View.ACTIVE
    """The stage of the listed experiments."""
    run_view: View = View.ACTIVE
    """The stage of the listed runs."""
    order: tuple[OrderKey, ...] = ()
    """The sort keys of the run table, the most important first; empty for the newest run first."""
    numeric: dict[Column, bool] = field(default_factory=dict)
    """Whether a param or tag is sorted as a number; columns that have not been looked at yet are missing."""
    filter: str = ""
    """The applied filter, in MLflow's search language."""
    columns: tuple[Column, ...] = ()
    """The columns of the run table after the name, in their order."""
    choice: ColumnChoice = field(default_factory=ColumnChoice)
    """How the user wants the columns to be chosen."""
    better: dict[str, Better] = field(default_factory=dict)
    """By metric key of this experiment: which direction is better."""
    layout: Layout = field(default_factory=Layout)
    marked: dict[str, int] = field(default_factory=dict)
    """Run ids in the order in which they were marked, each with the number of its colour in charts and lists."""
    joined: tuple[Experiment, ...] = ()
    """The experiments whose runs are shown together; empty to show the runs of `experiment` alone."""
    workspace: str = "default"
    """The workspace whose registered models are shown (MLflow 3.10 and later)."""
    agreed_places: set[str] = field(default_factory=set)
    """Hosts and folders that only the database names, and that the user accepted for this session."""
    way_back: WayBack | None = None
    """Set when another place sent the user to a run."""
    histories: HistoryCache = field(default_factory=HistoryCache)
    """The metric histories that were looked at."""
    file_facts: dict[tuple[str, int, str | None], FileFacts] = field(default_factory=dict)
    """What was read of the files of versions, by name, number and location."""
    clock: Clock = field(default_factory=Clock)
    """The time on screen."""
    theme: SavedTheme = field(default_factory=SavedTheme)
    changes: int = 0
    """How many changes of the database were seen. A place that read an older state reads again when it is shown."""
    _store: Store | None = None
    _registered: Store | None = None
    """The store of the model registry, if it is not the store of the runs."""
    _told: set[str] = field(default_factory=set)
    """Notices that the user has seen."""
    _open_lock: Lock = field(default_factory=Lock)

    @cached_property
    def saved(self) -> SavedState:
        """The state saved by earlier sessions for this store. Reading it does not raise: see `SavedState.trouble`."""
        return SavedState.of(self.address)

    def places(self, database: Address | None = None) -> Places:
        """Return the hosts and folders where artifacts may be read.

        `database` names the locations; relative paths start from the folder of its file. None for the store of the runs.
        """
        from mldeck.artifacts.location import Places  # most sessions look at numbers only

        agreed = (*self.settings.artifact_hosts, *self.saved.places, *self.agreed_places)
        address = database or self.address
        return Places(
            file_folder(address), self.settings.artifact_roots, confirmed=frozenset(agreed), far=far_files(address)
        )

    @property
    def store(self) -> Store:
        """The store of the runs. Raises `StoreUnavailable` before it is open."""
        if self._store is None:
            raise StoreUnavailable(f"{self.address} is not open yet")
        return self._store

    @property
    def is_open(self) -> bool:
        return self._store is not None

    def untold_notices(self) -> tuple[str, ...]:
        """Return what the user should know about the stores and the saved state, each notice once per session."""
        notices = [notice for store in self._stores() for notice in store.notices]
        if self.saved.trouble:
            notices.append(self.saved.trouble)
        untold = tuple(notice for notice in dict.fromkeys(notices) if notice not in self._told)
        self._told.update(untold)
        return untold

    @property
    def refusal(self) -> str | None:
        """Why the store cannot be changed; None if it can."""
        return self._store.read_only_reason if self._store is not None else "the store is not open yet"

    def open(self) -> None:
        """Open the store of the runs, unless it is open. Call it in a thread: it imports the database library."""
        with self._open_lock:
            if self._store is None:
                self._store = self._new_store(self.address)

    def _new_store(self, address: Address) -> Store:
        from mldeck.store.store import Store

        write = self.settings.writes_to(host_of(address))
        return Store(address, read_only=self.settings.read_only, write=write)

    @property
    def registered(self) -> Store:
        """The store of the model registry, often that of the runs. A separate one is opened by the first call, in a thread."""
        if not self.settings.registry_store:
            return self.store
        with self._open_lock:
            if self._registered is None:
                self._registered = self._new_store(self._registry_address)
            return self._registered

    @property
    def _registry_address(self) -> Address:
        return registry_address(self.settings.registry_store, self.settings.registry_origin, self.address)

    @property
    def databases(self) -> tuple[Path, ...]:
        """The files on this machine of the run store and of the registry's store. Exports and downloads never replace them."""
        addresses = [self.address]
        with suppress(UsageError):  # reported where the registry is opened
            addresses.append(self._registry_address)
        return tuple(address for address in addresses if isinstance(address, Path))

    @property
    def registry(self) -> RegistryReader:
        """Asked for where `registered` may be."""
        return self.registered.registry(self.workspace)

    @property
    def registry_editor(self) -> RegistryEditor:
        """Asked for where `registered` may be."""
        return self.registered.registry_editor(
            self.workspace, record_transitions=self.settings.record_transitions, tracking=self.store
        )

    @property
    def registry_refusal(self) -> str | None:
        """Why the model registry cannot be changed; None if it can."""
        return self.refusal if self._registered is None else self._registered.read_only_reason

    def poll(self) -> bool:
        """Return whether other programs changed an open database since the last call."""
        changes = [store.poll().value for store in self._stores()]
        return any(change != "nothing" for change in changes)

    def reopen(self) -> None:
        for store in self._stores():
            store.reopen()

    def log_in(self, interrupt: Interrupt) -> None:
        """Connect again to other machines, where ssh may ask on the terminal, which must be free. Waits."""
        for store in self._stores():
            log_in(store.address, interrupt)

    def give_up(self) -> None:
        """Stop waiting for database locks; the app is closing."""
        for store in self._stores():
            store.give_up()

    def close(self) -> None:
        """Write what is to be saved, and close the databases. It blocks."""
        self.saved.flush()
        self.theme.flush()
        for store in self._stores():
            store.close()
        self._store = self._registered = None

    def _stores(self) -> list[Store]:
        return [store for store in (self._store, self._registered) if store is not None]

    def column_style(self, columns: Sequence[Column]) -> ColumnStyle:
        """Return how the run table shows these columns."""
        names = {experiment.experiment_id: experiment.name for experiment in self.scope}
        return ColumnStyle(self.choice.widths, higher_is_better(self.better), self.choice.pinned_count(columns), names)

    def load_saved_choices(self) -> None:
        """Take what was saved for the present scope: columns, metric directions, and how its runs are listed."""
        self.columns = ()
        saved = self.saved.experiments.get(self.scope_id, {})
        self.choice = choice_from_json(saved.get("columns"))
        self.better = remembered(saved)
        self.list_as(kept_choice(saved, self.scope))

    def left_shown(self, experiments: Iterable[Experiment] = ()) -> ShownRuns:
        """Return which runs the last session showed, of these experiments; active ones of one that was asked for."""
        return ShownRuns() if self.settings.experiment else left_shown(self.saved.last, experiments)

    @property
    def listed(self) -> ListChoice:
        """How the runs are listed."""
        return ListChoice(self.order, self.filter, self.layout.group_by, self._opened)

    @property
    def _opened(self) -> frozenset[str | None]:
        return self.layout.opened if self.layout.group_by is not None else frozenset()

    def list_as(self, choice: ListChoice) -> None:
        """Set how the runs are to be listed."""
        self.order, self.filter = choice.order, choice.filter
        self.numeric = {key.column: key.as_number for key in choice.order if key.column.kind in TEXTS}
        self.layout = choice.layout(is_tree=left_tree(self.saved.last))

    def keep(self) -> None:
        """Save which runs are shown, how they are listed, and which are marked, if that has changed."""
        saved, layout = self.saved, self.layout
        if self.experiment is None:
            return
        has_changed = self.listed != kept_choice(saved.experiments.get(self.scope_id, {}), self.scope)
        if has_changed:
            keep_choice(saved.experiment(self.scope_id), self.scope, self.listed)
        is_tree = layout.is_tree if layout.group_by is None else left_tree(saved.last)
        shown = ShownRuns(self.joined, self.run_view, self.experiment_view, layout.only is not None)
        last = {**saved.last, **left_state(self.experiment, self.marked, is_tree=is_tree, shown=shown)}
        if has_changed or last != saved.last:
            saved.last = last
            saved.save()

    def tab(self, bar: str, names: Sequence[str]) -> int:
        """Return the index of the tab that a bar of tabs showed last; 0 if there is none of its name."""
        return left_tab(self.saved.last, bar, names)

    def keep_tab(self, bar: str, name: str) -> None:
        """Save which tab a bar of tabs shows."""
        last = with_tab(self.saved.last, bar, name)
        if last != self.saved.last:
            self.saved.last = last
            self.saved.save()

    def remember_direction(self, experiment_ids: Iterable[str], metric: str, better: Better) -> None:
        """Save in which direction a metric of these experiments gets better, and go by it from now on."""
        for experiment_id in experiment_ids:
            remember(self.saved.experiment(experiment_id), metric, better)
            if self.experiment is not None and self.experiment.experiment_id == experiment_id:
                self.better[metric] = better
        self.saved.save()

    @property
    def scope(self) -> tuple[Experiment, ...]:
        """The experiments whose runs are shown; none before one is chosen."""
        return self.joined or ((self.experiment,) if self.experiment else ())

    @property
    def scope_id(self) -> str:
        """A key for the scope: the ids of its experiments, joined by `+`."""
        return "+".join(experiment.experiment_id for experiment in self.scope)

    @property
    def query(self) -> RunQuery | None:
        """Which runs the table is to show; None before an experiment is chosen."""
        scope = self.scope
        if not scope:
            return None
        # Deleting an experiment deletes its runs with it. They are shown when only such experiments are open.
        is_deleted = all(experiment.lifecycle_stage == "deleted" for experiment in scope)
        view = View.ALL if is_deleted else self.run_view
        ids = tuple(experiment.experiment_id for experiment in scope)
        return RunQuery(ids, view, self.order, self.filter)

    def joined_with(self, experiment: Experiment) -> tuple[Experiment, ...]:
        """Return the experiments that are shown together and this one, or without it if it is among them."""
        others = tuple(other for other in self.joined if other.experiment_id != experiment.experiment_id)
        return others if len(others) < len(self.joined) else (*self.joined, experiment)

    def cycle_sort(self, column: Column, *, also: bool) -> None:
        """Sort by a column: ascending, then descending, then not at all. `also` keeps the other keys; a new one goes last.

        A metric begins with its best values, as far as is known which those are.
        """
        descending_first = begins_descending(column, self.better)
        present = next((key for key in self.order if key.column == column), None)
        if present is None:
            fresh = OrderKey(column, descending_first, self.numeric.get(column, False))
            self.order = (*self.order, fresh) if also else (fresh,)
            return
        descending = next_descending(present.descending, first=descending_first)
        turned = () if descending is None else (replace(present, descending=descending),)
        others = self.order if also else (present,)
        self.order = tuple(kept for key in others for kept in (turned if key is present else (key,)))

    def switch_sort_kind(self, column: Column) -> bool:
        """Sort a column by number instead of text, or the other way round. Return False if it is not sorted by."""
        present = next((key for key in self.order if key.column == column), None)
        if present is not None:
            self.sort_as_number(column, not present.as_number)
        return present is not None

    def sort_as_number(self, column: Column, as_number: bool) -> None:
        """Set whether a column is sorted by number, now and later in this session."""
        self.numeric[column] = as_number
        self.order = tuple(replace(key, as_number=as_number) if key.column == column else key for key in self.order)

    def toggle_marks(self, run_ids: Sequence[str]) -> None:
        """Mark these runs; unmark them if all of them are marked."""
        if all(run_id in self.marked for run_id in run_ids):
            for run_id in run_ids:
                self.marked.pop(run_id, None)
        else:
            self.marked = self.with_colours(run_ids)

    def with_colours(self, run_ids: Iterable[str]) -> dict[str, int]:
        """Return the marked runs and these, each with the number of its colour.

        Runs without a colour get the one that the fewest runs have.
        """
        from mldeck.charts.picture import SERIES_COLOURS  # not needed to show the first runs

        coloured = dict(self.marked)
        uses = Counter(coloured.values())
        for run_id in run_ids:
            if run_id not in coloured:
                number = min(range(SERIES_COLOURS), key=uses.__getitem__)
                coloured[run_id] = number
                uses[number] += 1
        return coloured


def next_view(view: View) -> View:
    views = list(View)
    return views[(views.index(view) + 1) % len(views)]
