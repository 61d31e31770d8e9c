"""Following a file store: which folders there are, which of them changed, and reading those into the mirror's tables."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mldeck.errors import StoreUnavailable
from mldeck.store.mirror.contents import (
    MODEL_FOLDERS,
    REGISTERED_FOLDERS,
    RUN_FOLDERS,
    RUN_TREE,
    Summary,
    read_experiment,
    read_history,
    read_logged_model,
    read_registered_model,
    read_run,
    registered_number,
    run_info,
)
from mldeck.store.mirror.files import (
    META,
    FilesBelow,
    Unreadable,
    clean,
    integer_of,
    quick_number,
    read_meta,
    reason_of,
    within,
)
from mldeck.store.mirror.tables import MirrorTables, RunAttributes, RunRows, Seen

TRASH = ".trash"
_REGISTRY = "models"
_RESERVED = frozenset({"tags", "datasets", "traces", "models"})
"""Folders of an experiment that are no runs."""
_EXPERIMENT, _RUN, _LOGGED, _REGISTERED = "experiment", "run", "logged model", "registered model"
_FIRST_RUNS = 100
_AT_ONCE = 100
"""Runs that are read between two commits."""
_MOST_RUNNING = 200
"""Running runs that are watched closely: the newest ones. A run that crashed is RUNNING for ever."""
_BEFORE_FIRST_S = 1.0
"""Seconds of looking through experiments after which the first runs are shown, whichever they are."""
_BETWEEN_BREATHS = 100
"""Folders that are looked at before other tasks get their turn."""
_MOST_NAMED = 3
_MOST_TROUBLES = 1000


@dataclass(slots=True)
class _Run:
    """The folder of a run that is new, or has changed."""

    place: str
    """Its path from the root."""
    info: RunAttributes
    quick: int

    @property
    def age(self) -> tuple[bool, int]:
        """Sorts the newest active runs last."""
        return self.info.lifecycle_stage == "active", self.info.start_time or 0


class FolderSource:
    """A folder such as `mlruns`. See `MirrorSource`, which this is."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._root = os.path.realpath(path)
        self._seen: dict[str, Seen] = {}
        """By path from the root."""
        self._places: dict[str, str] = {}
        """The paths of runs from the root, by run id."""
        self._troubles: dict[str, str] = {}
        """By path from the root: why it, or something in it, is not shown."""
        self._told: frozenset[str] | None = None
        """The keys of `_troubles` after the last look."""
        self._notices: tuple[str, ...] = ()
        self._missing: frozenset[str] = frozenset()
        """Experiments that the last look did not find. One that is being deleted or restored is nowhere for a moment."""
        self._wanted: str | None = None
        self._summaries: dict[str, Summary] = {}
        """Of long histories, by path."""

    @property
    def key(self) -> str:
        try:
            inode = os.stat(self._root).st_ino
        except OSError:
            inode = 0
        return f"folder:{inode}:{self._root}"

    @property
    def notices(self) -> tuple[str, ...]:
        return self._notices

    def begin(self, tables: MirrorTables, experiment: str | None, breathe: Callable[[], None]) -> None:
        self._tables = tables
        self._breathe = breathe
        self._wanted = experiment
        self._seen = {seen.place: seen for seen in tables.seen()}
        self._places = {seen.id: seen.place for seen in self._seen.values() if seen.kind == _RUN}

    def read_history(self, run_id: str, key: str) -> None:
        place = self._places.get(run_id)
        if place is None:
            return
        folder = f"{self._root}/{place}"
        try:
            values = FilesBelow(self._root, folder, ("metrics",)).values["metrics"]
        except OSError:
            return
        path = next((value.path for value in values if value.key == key), None)
        if path is not None:
            with self._tables.transaction():
                self._renew_history(run_id, key, path)

    # Looking for changes

    def look(self, in_view: Callable[[], Sequence[str]], *, thorough: bool) -> Iterator[tuple[int, int] | None]:
        tables = self._tables
        shows_runs = tables.stage > 0
        started = time.monotonic()
        watched = {*in_view(), *tables.running()[:_MOST_RUNNING]}
        experiments = self._find_experiments()
        present: set[str] = set(experiments)
        pending: dict[str, _Run] = {}
        """By id."""
        for number, (place, experiment_id) in enumerate(experiments.items(), 1):
            self._look_at_experiment(place, experiment_id)
            self._look_for_runs(place, experiment_id, watched, pending, present, thorough=thorough)
            if not shows_runs and (number == len(experiments) or time.monotonic() - started > _BEFORE_FIRST_S):
                shows_runs = True
                yield from self._read_runs(self._first_of(pending), len(pending))
        if not shows_runs:
            yield None
        self._look_at_registry(present, thorough=thorough)
        yield from self._read_pending(pending, in_view)
        for place, experiment_id in experiments.items():
            self._look_at_logged_models(place, experiment_id, present, thorough=thorough)
        self._remove_missing(present)
        self._say_troubles()

    def _first_of(self, pending: dict[str, _Run]) -> list[_Run]:
        """Take out the newest runs of the experiment that is shown first."""
        found = list(pending.values())
        if self._wanted is not None:
            wanted = self._tables.experiment_named(self._wanted)
            found = [run for run in found if run.info.experiment_id == wanted] or found
        newest = max(found, key=_age, default=None)
        if newest is None:
            return []
        shown = [run for run in found if run.info.experiment_id == newest.info.experiment_id]
        return [pending.pop(run.info.run_id) for run in sorted(shown, key=_age, reverse=True)[:_FIRST_RUNS]]

    def _find_experiments(self) -> dict[str, int]:
        """Return the ids of the experiments by path from the root, those with the newest entries first."""
        found: dict[str, int] = {}
        times_ns: dict[str, int] = {}
        for prefix in ("", f"{TRASH}/"):
            for place in self._folders(prefix):
                number = experiment_number(place.removeprefix(prefix))
                try:
                    os.stat(f"{self._root}/{place}/{META}")
                    times_ns[place] = os.stat(f"{self._root}/{place}").st_mtime_ns
                except (FileNotFoundError, NotADirectoryError):
                    continue  # not an experiment
                except OSError as error:
                    self._trouble(place, reason_of(error))
                    if place not in self._seen:
                        continue
                if number is None:
                    self._trouble(place, "its name is not the id of an experiment")
                elif number not in found.values():
                    found[place] = number
        return {place: found[place] for place in sorted(found, key=lambda place: times_ns.get(place, 0), reverse=True)}

    def _folders(self, prefix: str) -> list[str]:
        """Return the paths of what is in the root, or in the folder of deleted experiments."""
        try:
            names = os.listdir(f"{self._root}/{prefix}")
        except OSError as error:
            if not prefix:
                what = "is gone" if isinstance(error, FileNotFoundError) else f"cannot be read: {reason_of(error)}"
                raise StoreUnavailable(f"{self._path} {what}") from None
            if not isinstance(error, FileNotFoundError):
                self._trouble(TRASH, reason_of(error))
            return []
        return [prefix + name for name in names if prefix + name not in (TRASH, _REGISTRY)]

    def _look_at_experiment(self, place: str, experiment_id: int) -> None:
        folder = f"{self._root}/{place}"
        known = self._seen.get(place)
        try:
            tree = FilesBelow(self._root, folder, ("tags",))
            quick = quick_number(folder, ("datasets",))
            whole = tree.number if tree.is_settled(time.time_ns()) else None
            if known is not None and known.quick == quick and known.whole is not None and known.whole == whole:
                return
            self._forget_troubles(place, deep=False)
            experiment = read_experiment(folder, tree, experiment_id, place.startswith(TRASH), self._left_out)
        except OSError as error:
            self._trouble(place, reason_of(error))
            return
        with self._tables.transaction():
            self._tables.put_experiment(experiment)
            self._note([Seen(place, _EXPERIMENT, str(experiment_id), experiment_id, quick, whole)])

    def _look_for_runs(
        self,
        place: str,
        experiment_id: int,
        watched: Collection[str],
        pending: dict[str, _Run],
        present: set[str],
        *,
        thorough: bool,
    ) -> None:
        """Find the runs of an experiment that are new or have changed, and write the attributes of the new ones."""
        folder = f"{self._root}/{place}"
        fresh: list[RunAttributes] = []
        for number, name in enumerate(self._names(folder, place, present)):
            if number % _BETWEEN_BREATHS == 0:
                self._breathe()
            if name in _RESERVED:
                continue
            run_place = f"{place}/{name}"
            quick = self._changed(run_place, RUN_FOLDERS, RUN_TREE, present, thorough=thorough or name in watched)
            if quick is None:
                continue
            info = self._read_info(run_place, clean(name), experiment_id)
            if info is None:
                continue
            if run_place not in self._seen:
                fresh.append(info)
            pending[info.run_id] = _Run(run_place, info, quick)
        if fresh:
            with self._tables.transaction():
                self._tables.put_infos(fresh)

    def _names(self, folder: str, place: str, present: set[str]) -> list[str]:
        """Return the names of the folders in a folder. If it cannot be read, all that was known in it counts as present."""
        try:
            with os.scandir(folder) as entries:
                return [entry.name for entry in entries if self._is_folder(entry)]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            self._trouble(place, reason_of(error))
            present.update(known for known in self._seen if known.startswith(f"{place}/"))
            return []

    def _is_folder(self, entry: os.DirEntry[str]) -> bool:
        if entry.is_dir(follow_symlinks=False):
            return True
        return entry.is_symlink() and within(self._root, os.path.realpath(entry.path)) and entry.is_dir()

    def _changed(
        self, place: str, quick_names: Sequence[str], names: Sequence[str], present: set[str], *, thorough: bool
    ) -> int | None:
        """Return the quick number of a folder that is new or has changed; None if it has not, or is no such folder."""
        folder = f"{self._root}/{place}"
        known = self._seen.get(place)
        try:
            quick = quick_number(folder, quick_names)
            present.add(place)
            if known is None or known.quick != quick:
                return quick
            if not thorough:
                return None
            return (
                None
                if known.whole is not None and known.whole == FilesBelow(self._root, folder, names).number
                else quick
            )
        except (FileNotFoundError, NotADirectoryError):
            return None  # a folder of artifacts, or one that is being made or removed
        except OSError as error:
            self._trouble(place, reason_of(error))
            present.add(place)
            return None

    def _read_info(self, place: str, run_id: str, experiment_id: int) -> RunAttributes | None:
        """Return the attributes of a run; None if they cannot be read, perhaps because they are being written."""
        self._forget_troubles(place)
        try:
            return run_info(read_meta(f"{self._root}/{place}"), run_id, experiment_id)
        except FileNotFoundError:
            return None
        except Unreadable as error:
            self._trouble(f"{place}/{META}", str(error))
            return None

    def _look_at_registry(self, present: set[str], *, thorough: bool) -> None:
        for name in self._names(f"{self._root}/{_REGISTRY}", _REGISTRY, present):
            place = f"{_REGISTRY}/{name}"
            folder = f"{self._root}/{place}"
            # MLflow writes the `meta.yaml` of the model with almost every change of a version.
            quick = self._changed(place, REGISTERED_FOLDERS, (), present, thorough=False)
            known = self._seen.get(place)
            if quick is None and not (thorough and known is not None):
                continue
            try:
                whole = registered_number(folder)
                if quick is None and known is not None and known.whole == whole:
                    continue
                self._forget_troubles(place)
                model = read_registered_model(self._root, folder, clean(name), self._left_out)
            except FileNotFoundError:
                continue
            except Unreadable as error:
                self._trouble(f"{place}/{META}", str(error))
                continue
            except OSError as error:
                self._trouble(place, reason_of(error))
                continue
            with self._tables.transaction():
                self._tables.put_registered_model(model)
                number = quick if quick is not None else known.quick if known is not None else 0
                self._note([Seen(place, _REGISTERED, model.name, None, number, whole)])

    def _look_at_logged_models(self, place: str, experiment_id: int, present: set[str], *, thorough: bool) -> None:
        models_place = f"{place}/models"
        for name in self._names(f"{self._root}/{models_place}", models_place, present):
            model_place = f"{models_place}/{name}"
            quick = self._changed(model_place, MODEL_FOLDERS, MODEL_FOLDERS, present, thorough=thorough)
            if quick is None:
                continue
            folder = f"{self._root}/{model_place}"
            self._forget_troubles(model_place)
            try:
                tree = FilesBelow(self._root, folder, MODEL_FOLDERS)
                model = read_logged_model(folder, clean(name), experiment_id, tree, self._left_out)
            except FileNotFoundError:
                continue
            except Unreadable as error:
                self._trouble(f"{model_place}/{META}", str(error))
                continue
            except OSError as error:
                self._trouble(model_place, reason_of(error))
                continue
            whole = tree.number if tree.is_settled(time.time_ns()) else None
            with self._tables.transaction():
                self._tables.put_logged_model(model)
                self._note([Seen(model_place, _LOGGED, clean(name), experiment_id, quick, whole)])

    def _remove_missing(self, present: Collection[str]) -> None:
        """Remove what is not there any more. An experiment must have been missing twice."""
        gone = [seen for seen in self._seen.values() if seen.place not in present]
        missing = frozenset(seen.place for seen in gone if seen.kind == _EXPERIMENT)
        waiting = missing - self._missing
        self._missing = missing
        gone = [seen for seen in gone if not any(_is_in(seen.place, place) for place in waiting)]
        if not gone:
            return
        for seen in gone:
            del self._seen[seen.place]
            self._forget_troubles(seen.place)
        remaining = {(seen.kind, seen.id) for seen in self._seen.values()}
        lost = [seen for seen in gone if (seen.kind, seen.id) not in remaining]
        tables = self._tables
        with tables.transaction():
            tables.forget(seen.place for seen in gone)
            tables.remove_runs([seen.id for seen in lost if seen.kind == _RUN])
            for seen in lost:
                if seen.kind == _EXPERIMENT:
                    tables.remove_experiment(int(seen.id))
                elif seen.kind == _LOGGED:
                    tables.remove_logged_model(seen.id)
                elif seen.kind == _REGISTERED:
                    tables.remove_registered_model(seen.id)
        self._places = {seen.id: seen.place for seen in self._seen.values() if seen.kind == _RUN}

    # Reading

    def _read_pending(
        self, pending: dict[str, _Run], in_view: Callable[[], Sequence[str]]
    ) -> Iterator[tuple[int, int] | None]:
        """Read the runs: those that are looked at first, then the newest."""
        order = sorted(pending.values(), key=_age)
        while pending:
            found = [pending.pop(run_id) for run_id in in_view() if run_id in pending]
            while len(found) < _AT_ONCE and order:
                run = pending.pop(order.pop().info.run_id, None)
                if run is not None:
                    found.append(run)
            yield from self._read_runs(found, len(pending))

    def _read_runs(self, runs: Sequence[_Run], waiting: int) -> Iterator[tuple[int, int] | None]:
        """Read runs, commit them and yield how far the mirror is; `waiting`: how many more are to be read."""
        read: list[RunRows] = []
        seen: list[Seen] = []
        paths: dict[tuple[str, str], str] = {}
        for run in runs:
            folder = f"{self._root}/{run.place}"
            try:
                tree = FilesBelow(self._root, folder, RUN_TREE)
            except FileNotFoundError:
                continue  # removed a moment ago
            except OSError as error:
                self._trouble(run.place, reason_of(error))
                continue
            for path in tree.left_out:
                self._left_out(path, "it is a link out of the store, or no file")
            found = read_run(run.info, tree, self._summaries, self._left_out)
            read.append(found)
            whole = tree.number if tree.is_settled(time.time_ns()) else None
            seen.append(Seen(run.place, _RUN, run.info.run_id, run.info.experiment_id, run.quick, whole))
            if kept := self._tables.histories.get(run.info.run_id):
                paths |= {
                    (run.info.run_id, value.key): value.path for value in tree.values["metrics"] if value.key in kept
                }
        tables = self._tables
        with tables.transaction():
            tables.put_runs(read)
            for (run_id, key), path in paths.items():
                self._renew_history(run_id, key, path)
            self._note(seen)
        count = len(self._places)
        yield (count, count + waiting) if waiting or count == 0 else None

    def _renew_history(self, run_id: str, key: str, path: str) -> None:
        """Bring a history up to date, within a transaction."""
        try:
            history = read_history(path, self._tables.bookmark(run_id, key))
        except OSError:
            return
        self._tables.put_history(run_id, key, history)

    def _note(self, seen: Sequence[Seen]) -> None:
        self._tables.note(seen)
        for each in seen:
            self._seen[each.place] = each
            if each.kind == _RUN:
                self._places[each.id] = each.place

    # Troubles

    def _left_out(self, path: str, reason: str) -> None:
        self._trouble(path.removeprefix(f"{self._root}/"), reason)

    def _trouble(self, place: str, reason: str) -> None:
        if len(self._troubles) < _MOST_TROUBLES:
            self._troubles[place] = reason

    def _forget_troubles(self, place: str, *, deep: bool = True) -> None:
        if self._troubles:
            for known in [known for known in self._troubles if known == place or (deep and _is_in(known, place))]:
                del self._troubles[known]

    def _say_troubles(self) -> None:
        """Make notices of what could not be read in two looks, because it may be being written. The first look says all."""
        told = self._told
        shown = {place: why for place, why in self._troubles.items() if told is None or place in told}
        self._told = frozenset(self._troubles)
        if not shown:
            self._notices = ()
            return
        named = [f"{clean(place)} ({why})" for place, why in list(shown.items())[:_MOST_NAMED]]
        more = f" and {len(shown) - len(named):,} more" if len(shown) > len(named) else ""
        self._notices = (f"not all can be read: {', '.join(named)}{more}",)


def experiment_number(name: str) -> int | None:
    """Return the id that the name of a folder is; None if it is none."""
    number = integer_of(name) if name.isascii() and name.isdecimal() else None
    return number if str(number) == name else None


def _age(run: _Run) -> tuple[bool, int]:
    return run.age


def _is_in(place: str, folder: str) -> bool:
    return place == folder or place.startswith(f"{folder}/")
