"""The state of one sitting: the store, what is looked at and in what order, and which runs are marked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from mldeck.errors import StoreUnavailable, UsageError
from mldeck.model import Column, Experiment, OrderKey, RunQuery, View
from mldeck.settings import Settings
from mldeck.ui.kit.clock import Clock
from mldeck.ui.state.arrangement import Layout
from mldeck.ui.state.columns import ColumnChoice, ColumnStyle, choice_from_json
from mldeck.ui.state.history_cache import HistoryCache
from mldeck.ui.state.metric_direction import Better, higher_is_better, remember, remembered
from mldeck.ui.state.saved_state import SavedState

if TYPE_CHECKING:
    from mldeck.artifacts.location import Places
    from mldeck.store.registry.editor import RegistryEditor
    from mldeck.store.registry.reader import RegistryReader
    from mldeck.store.store import Store


@dataclass(frozen=True)
class WayBack:
    """Good for as long as one stays on the run that one came for."""

    place: str
    run_id: str


@dataclass
class Session:
    settings: Settings
    path: Path
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
    marked: dict[str, int] = field(default_factory=dict)
    """Run ids in the order in which they were marked, each with the number of its colour in charts and lists."""
    joined: tuple[Experiment, ...] = ()
    """Experiments that were marked, to see the runs of all of them together; empty: those of `experiment`."""
    filters: dict[str, str] = field(default_factory=dict)
    """The filter of each scope that was looked at in this sitting."""
    workspace: str = "default"
    """Whose registered models are shown (MLflow 3.10 and later)."""
    agreed_places: set[str] = field(default_factory=set)
    """Hosts and folders that only the database names, and that the user agreed to in this sitting."""
    way_back: WayBack | None = None
    """Where somebody came from to look at a run."""
    histories: HistoryCache = field(default_factory=HistoryCache)
    """The metric histories that were looked at."""
    clock: Clock = field(default_factory=Clock)
    """The time on screen."""
    changes: int = 0
    """How often the database was seen to have changed: a place that has read an older state reads again when it is shown."""
    _store: Store | None = None
    _registered: Store | None = None
    """The store of the model registry, where that is another one than the store of the runs."""
    _told: set[str] = field(default_factory=set)
    """Notices."""
    _opening: Lock = field(default_factory=Lock)

    @cached_property
    def saved(self) -> SavedState:
        """What is remembered of this store from earlier sittings."""
        return SavedState.of(self.path)

    def places(self, database: Path | None = None) -> Places:
        """Where files may be looked for. `database` is the file that names the place, if it is not that of the runs."""
        from mldeck.artifacts.location import Places  # most sittings look at numbers

        agreed = (*self.settings.artifact_hosts, *self.saved.places, *self.agreed_places)
        folder = (database or self.path).resolve().parent
        return Places(folder, self.settings.artifact_roots, confirmed=frozenset(agreed))

    @property
    def store(self) -> Store:
        if self._store is None:
            raise StoreUnavailable(f"{self.path} is not open yet")
        return self._store

    @property
    def is_open(self) -> bool:
        return self._store is not None

    def untold_notices(self) -> tuple[str, ...]:
        """What the user should know of what was opened, and of what was read since; each once."""
        notices = [notice for store in self._stores() for notice in store.notices]
        if self.saved.trouble:
            notices.append(self.saved.trouble)
        untold = tuple(each for each in dict.fromkeys(notices) if each not in self._told)
        self._told.update(untold)
        return untold

    @property
    def refusal(self) -> str | None:
        """Why nothing can be changed; None when it can."""
        return self._store.read_only_reason if self._store is not None else "the store is not open yet"

    def open(self) -> None:
        """Connects; in a thread, since this is where the database library is imported."""
        from mldeck.store.store import Store

        with self._opening:
            if self._store is None:
                self._store = Store(self.path, read_only=self.settings.read_only)

    @property
    def registered(self) -> Store:
        """The store of the model registry, often that of the runs. Another one is opened by the first who asks, in a thread."""
        if not self.settings.registry_store:
            return self.store
        from mldeck.store.store import Store

        with self._opening:
            if self._registered is None:
                self._registered = Store(self._registry_path, read_only=self.settings.read_only)
            return self._registered

    @property
    def _registry_path(self) -> Path:
        from mldeck.store.address import registry_path

        return registry_path(self.settings.registry_store, self.settings.registry_origin, self.path)

    @property
    def databases(self) -> tuple[Path, ...]:
        """The store and that of the registry, often the same: what files are written never replaces them."""
        try:
            return self.path, self._registry_path
        except UsageError:  # said where the registry is opened
            return (self.path,)

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
        """Why nothing registered can be changed; None when it can."""
        return self.refusal if self._registered is None else self._registered.read_only_reason

    def poll(self) -> bool:
        """Whether others changed what is open since the last call."""
        changes = [each.poll().value for each in self._stores()]
        return any(change != "nothing" for change in changes)

    def reopen(self) -> None:
        for store in self._stores():
            store.reopen()

    def give_up(self) -> None:
        """Nobody waits for a lock any more: the deck is about to close."""
        for store in self._stores():
            store.give_up()

    def close(self) -> None:
        for store in self._stores():
            store.close()
        self._store = self._registered = None

    def _stores(self) -> list[Store]:
        return [each for each in (self._store, self._registered) if each is not None]

    def column_style(self, columns: Sequence[Column]) -> ColumnStyle:
        """How the table is to show these columns."""
        names = {each.experiment_id: each.name for each in self.scope}
        return ColumnStyle(self.choice.widths, higher_is_better(self.better), self.choice.pinned_count(columns), names)

    def forget_columns(self) -> None:
        """Another experiment was chosen: its columns are those of its last sitting."""
        self.columns = ()
        saved = self.saved.experiments.get(self.scope_id, {})
        self.choice = choice_from_json(saved.get("columns"))
        self.better = remembered(saved)

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
            self.marked = self.with_colours(run_ids)

    def with_colours(self, run_ids: Iterable[str]) -> dict[str, int]:
        """The marked runs and these, each with the number of its colour: those without one get what the fewest have."""
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
