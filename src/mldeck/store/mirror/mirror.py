"""The engine of a mirror: one thread fills the file, and follows its source. Standard library only."""

from __future__ import annotations

import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Condition, Thread
from typing import Protocol

from mldeck.errors import MldeckError, StoreUnavailable
from mldeck.store.interrupt import Interrupt
from mldeck.store.mirror.places import MirrorPlace, claim_place
from mldeck.store.mirror.tables import MirrorTables, remove_files

LOOK_S = 2.0
"""Seconds between two looks for changes, unless a look takes long."""
SWEEP_S = 60.0
"""Seconds between two looks at everything."""
_MOST_SHARE = 0.05
"""The part of the time that looking for changes may take."""
MOST_IN_VIEW = 200
"""Runs that count as being looked at: those that were read last."""
_REFRESH_WAIT_S = 5.0
_MOST_REST_S = 2.0
"""Seconds that a deck is given to show the first runs before the others are read."""
_WAIT_STEP_S = 0.05
_STOP_WAIT_S = 1.0


class MirrorSource(Protocol):
    """What a mirror is made of. Its methods are called by the thread of the mirror."""

    @property
    def key(self) -> str:
        """A text that tells this source from all others, also when it is opened again."""

    @property
    def notices(self) -> tuple[str, ...]:
        """Sentences about what could not be read. Asked for by any thread."""

    def begin(self, tables: MirrorTables, experiment: str | None, breathe: Callable[[], None]) -> None:
        """Take the tables, which may hold what was there in an earlier session.

        `experiment` is the name or id of the one whose runs are wanted first. `breathe` is to be called now and then, outside
        of transactions, during what takes long without a commit.
        """

    def look(self, in_view: Callable[[], Sequence[str]], *, thorough: bool) -> Iterator[tuple[int, int] | None]:
        """Bring the mirror up to date. Yields after each commit: (things read, things to read) if there is much to read.

        `in_view` returns the runs that are looked at now, the last ones first: they are read first, and watched closely.

        After the first one, the experiments and the newest runs can be shown. A look at what has hardly changed yields
        nothing, and changes of runs that are not in view may escape it, unless it is `thorough`. Raises `StoreUnavailable`
        when the source is gone.
        """

    def read_history(self, run_id: str, key: str) -> None:
        """Put the whole history of a metric into the tables. Does nothing if there is none."""


class _Stopped(Exception):
    """The thread is to end."""


@dataclass(eq=False)
class _Task:
    """Something that another thread waits for."""

    do: Callable[[], None]
    is_done: bool = False


class Mirror:
    """A mirror of a source. Any thread may call the methods; those that wait say so."""

    def __init__(self, source: MirrorSource, *, is_kept: bool, experiment: str | None = None) -> None:
        """With `is_kept`, the file outlives the process and serves the next one."""
        self._source = source
        self._experiment = experiment
        self._is_kept = is_kept
        self._changed = Condition()
        """Guards all attributes below, and is notified when one of them changes."""
        self._place: MirrorPlace | None = None
        self._thread: Thread | None = None
        self._ending: Thread | None = None
        """The last thread that was told to end."""
        self._users = 0
        self._stage = 0
        self._progress: tuple[int, int] | None = None
        """(things read, things to read) while there is much to read."""
        self._failure: MldeckError | None = None
        self._looked_at: float | None = None
        """When the last look ended, by the monotonic clock."""
        self._pause_s = LOOK_S
        self._sweeps = 0
        self._wants_sweep = True
        self._in_view: dict[str, None] = {}
        self._tasks: deque[_Task] = deque()
        self._is_stopping = False
        self._rests = False

    # Using it

    def prepare(self) -> None:
        """Begin to use the mirror for a deck that is being loaded: with its first runs, it rests until they are shown.

        Two threads in one process slow each other down. The next call of `join` ends the rest.
        """
        self._rests = True
        self.join()

    def join(self) -> None:
        """Begin to use the mirror. The first user starts the thread.

        Raises `StoreUnavailable` while the thread of the last user still hangs in a file system that does not answer.
        """
        with self._changed:
            if self._ending is not None and self._ending.is_alive():
                raise StoreUnavailable("the folder does not answer")
            self._users += 1
            self._changed.notify_all()
            if self._thread is None or not self._thread.is_alive():
                self._is_stopping, self._failure, self._sweeps, self._wants_sweep = False, None, 0, True
                self._thread = Thread(target=self._work, name="mirror", daemon=True)
                self._thread.start()

    def leave(self) -> None:
        """End a use. The last user stops the thread, and waits a moment for it."""
        with self._changed:
            self._users -= 1
            thread = self._thread
            if self._users or thread is None:
                return
            self._is_stopping, self._thread, self._ending = True, None, thread
            self._changed.notify_all()
        thread.join(_STOP_WAIT_S)

    def wait_for_first(self) -> Path:
        """Wait until the first runs can be read, and return the file. Raises what prevents it."""
        with self._changed:
            self._changed.wait_for(lambda: self._stage > 0 or self._failure is not None or self._is_stopping)
            if self._stage == 0 or self._place is None:
                raise self._failure or StoreUnavailable("the mirror was closed")
            return self._place.path

    def wait_until_complete(self, tell: Callable[[str], None] | None = None) -> None:
        """Wait until everything has been read at least once by this process, and `tell` how far it is, about each second."""
        told = time.monotonic()
        while True:
            with self._changed:
                if self._failure is not None:
                    raise self._failure
                if self._sweeps > 0 or self._is_stopping:
                    return
                self._changed.wait(_WAIT_STEP_S)
                progress = self._progress
            if tell is not None and progress is not None and time.monotonic() - told >= 1:
                told = time.monotonic()
                tell(_progress_text(progress))

    def refresh(self) -> None:
        """Look at everything now, and wait for it, though not for long."""
        with self._changed:
            before, self._wants_sweep = self._sweeps, True
            self._changed.notify_all()
            self._changed.wait_for(
                lambda: self._sweeps > before or self._failure is not None or self._is_stopping, _REFRESH_WAIT_S
            )

    def show(self, run_ids: Sequence[str]) -> None:
        """Note which runs are looked at: they are read first, and watched closely."""
        with self._changed:
            for run_id in run_ids[:MOST_IN_VIEW]:
                self._in_view.pop(run_id, None)
                self._in_view[run_id] = None
            for run_id in list(self._in_view)[: max(0, len(self._in_view) - MOST_IN_VIEW)]:
                del self._in_view[run_id]

    def fetch_history(self, run_id: str, key: str, interrupt: Interrupt | None = None) -> None:
        """Wait until the history of a metric is in the mirror. Raises `Interrupted`."""
        task = _Task(lambda: self._source.read_history(run_id, key))
        with self._changed:
            thread = self._thread
            if thread is None or not thread.is_alive():
                return
            self._tasks.append(task)
            self._changed.notify_all()
            try:
                while not (task.is_done or self._is_stopping) and thread.is_alive():
                    self._changed.wait(_WAIT_STEP_S)
                    if interrupt is not None:
                        interrupt.check()
            finally:
                if task in self._tasks:
                    self._tasks.remove(task)  # nobody waits for it any more

    @property
    def failure(self) -> MldeckError | None:
        """Why the source cannot be read now."""
        return self._failure

    @property
    def notices(self) -> tuple[str, ...]:
        return () if self._progress is not None else self._source.notices

    @property
    def state(self) -> str:
        """How far the mirror is, or how old what it shows may be."""
        progress, looked_at = self._progress, self._looked_at
        if progress is not None:
            return _progress_text(progress)
        if looked_at is None:
            return "mirror · catching up"
        usual = self._pause_s + 1
        age = time.monotonic() - looked_at
        # The usual age stands still, so that the screen is not painted for it each second.
        return f"mirror · {age_text(usual if age <= 2 * usual else age)}"

    # The thread

    def _work(self) -> None:
        tables: MirrorTables | None = None
        place: MirrorPlace | None = None
        failure: MldeckError | None = None
        try:
            place = claim_place(self._source.key, is_kept=self._is_kept)
            tables = MirrorTables(place.path)
            self._source.begin(tables, self._experiment, self._breathe)
            with self._changed:
                self._place, self._stage = place, tables.stage
                self._changed.notify_all()
            self._follow(tables)
        except (OSError, sqlite3.Error) as error:
            if place is not None and isinstance(error, sqlite3.DatabaseError) and not _is_passing(error):
                remove_files(place.path)  # it is damaged; the next time it is made anew
            failure = MldeckError(f"the mirror cannot be written: {error}")
        except Exception as error:  # noqa: BLE001 - foreign files may say what no code expects: it is told, and what is read stays
            failure = MldeckError(f"the mirror stands still: {type(error).__name__}: {error}")
        finally:
            if tables is not None:
                tables.close()
            if place is not None:
                place.release()
            with self._changed:
                self._place, self._stage, self._failure = None, 0, failure or self._failure
                self._changed.notify_all()

    def _rest(self) -> None:
        """Let the deck load, if one is being loaded."""
        with self._changed:
            if self._rests:
                self._rests = False
                self._changed.wait_for(lambda: self._users > 1 or self._is_stopping, _MOST_REST_S)

    def _follow(self, tables: MirrorTables) -> None:
        if self._stage > 0:
            self._rest()
        swept = -SWEEP_S
        sweep_s = SWEEP_S
        while not self._is_stopping:
            started = time.monotonic()
            with self._changed:
                thorough = self._wants_sweep or started - swept >= sweep_s
                self._wants_sweep = False
            try:
                for progress in self._source.look(self._runs_in_view, thorough=thorough):
                    self._advance(tables, 1, progress)
                    self._rest()
                    self._breathe()
            except _Stopped:
                return
            except StoreUnavailable as error:
                self._fail(error)
                self._pause(LOOK_S)
                continue
            took = time.monotonic() - started
            if thorough:
                swept, sweep_s = time.monotonic(), max(SWEEP_S, took / _MOST_SHARE)
            with self._changed:
                self._failure = None
                self._progress = None
                self._looked_at = time.monotonic()
                self._pause_s = max(LOOK_S, took / _MOST_SHARE) if not thorough else self._pause_s
                self._sweeps += thorough
            self._advance(tables, 2 if thorough else 1, None)
            self._pause(self._pause_s)

    def _advance(self, tables: MirrorTables, stage: int, progress: tuple[int, int] | None) -> None:
        tables.set_stage(stage)
        with self._changed:
            self._stage = max(self._stage, stage)
            if progress is not None:
                self._progress = progress
            self._changed.notify_all()

    def _fail(self, error: MldeckError) -> None:
        with self._changed:
            self._failure = error
            self._changed.notify_all()

    def _pause(self, seconds: float) -> None:
        """Wait, and do meanwhile what is asked for."""
        end = time.monotonic() + seconds
        while True:
            self._serve()
            with self._changed:
                left = end - time.monotonic()
                if left <= 0 or self._is_stopping or self._wants_sweep:
                    return
                if not self._tasks:
                    self._changed.wait(left)

    def _breathe(self) -> None:
        """Do what is asked for, in the midst of a look. Raises `_Stopped` when nobody uses the mirror any more."""
        self._serve()
        if self._is_stopping:
            raise _Stopped

    def _serve(self) -> None:
        while True:
            with self._changed:
                if not self._tasks:
                    return
                task = self._tasks.popleft()
            try:
                task.do()
            finally:
                with self._changed:
                    task.is_done = True
                    self._changed.notify_all()

    def _runs_in_view(self) -> list[str]:
        """Return the runs that are looked at, the last ones first."""
        with self._changed:
            return list(reversed(self._in_view))


def _is_passing(error: sqlite3.Error) -> bool:
    """Return whether an error is about the moment, such as a full disk, and not about what is in the file."""
    return isinstance(error, sqlite3.OperationalError)


def age_text(seconds: float) -> str:
    """Return `3 s` or `4 min`."""
    whole = round(seconds)
    return f"{whole} s" if whole < 100 else f"{round(whole / 60)} min"


def _progress_text(progress: tuple[int, int]) -> str:
    return f"reading {progress[0]:,} of {progress[1]:,} runs"
