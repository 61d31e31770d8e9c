"""The engine of a mirror, with a source that does what a test says."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from threading import Event, Thread

import pytest

from mldeck.errors import Interrupted, MldeckError, StoreUnavailable
from mldeck.store.interrupt import Interrupt
from mldeck.store.mirror import mirror
from mldeck.store.mirror.mirror import Mirror
from mldeck.store.mirror.tables import HistoryRows, MirrorTables


class FakeSource:
    """A source with nothing in it."""

    key = "fake"
    notices = ("something is missing",)

    def __init__(self) -> None:
        self.looks: list[bool] = []
        """For each look, whether it was thorough."""
        self.look_takes_s = 0.0
        self.error: Exception | None = None
        self.reading = Event()
        self.goes_on = Event()

    def begin(self, tables: MirrorTables, experiment: str | None, breathe: Callable[[], None]) -> None:
        self._tables = tables
        self._breathe = breathe

    def look(self, in_view: Callable[[], Sequence[str]], *, thorough: bool) -> Iterator[tuple[int, int] | None]:
        if self.error is not None:
            raise self.error
        yield (1, 2) if thorough else None
        end = time.monotonic() + self.look_takes_s
        while time.monotonic() < end:
            self._breathe()
            time.sleep(0.01)
        self.looks.append(thorough)

    def read_history(self, run_id: str, key: str) -> None:
        self.reading.set()
        self.goes_on.wait(10)
        with self._tables.transaction():
            self._tables.put_history(run_id, key, HistoryRows([(0, 0, 1.0)], "", True))


@pytest.fixture
def source() -> FakeSource:
    return FakeSource()


@pytest.fixture
def running(source: FakeSource, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    monkeypatch.setattr(mirror, "LOOK_S", 0.01)
    made = Mirror(source, is_kept=False)
    made.join()
    yield made
    source.goes_on.set()
    made.leave()


def until(is_true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_it_looks_at_everything_first_and_then_now_and_then(
    source: FakeSource, running: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    until(lambda: len(source.looks) > 3)
    assert source.looks[:4] == [True, False, False, False]
    running.refresh()
    assert True in source.looks[4:]


def test_a_slow_source_is_looked_at_less_often(source: FakeSource, running: Mirror) -> None:
    """A look may take a twentieth of the time."""
    source.look_takes_s = 0.2
    until(lambda: source.looks[-1:] == [False] and running.state == "mirror · 5 s")
    count = len(source.looks)
    time.sleep(1)
    assert len(source.looks) == count


def test_a_history_is_fetched_in_the_midst_of_a_look(source: FakeSource, running: Mirror) -> None:
    source.goes_on.set()
    until(lambda: source.looks)
    source.look_takes_s = 10
    until(lambda: running.state.startswith("mirror"))
    time.sleep(0.1)
    started = time.monotonic()
    running.fetch_history("a", "loss")
    assert time.monotonic() - started < 5


def test_waiting_for_a_history_can_be_stopped(source: FakeSource, running: Mirror) -> None:
    running.wait_until_complete()
    interrupt = Interrupt()

    def stop() -> None:
        source.reading.wait(10)
        interrupt.fire()

    stopper = Thread(target=stop)
    stopper.start()
    with pytest.raises(Interrupted):
        running.fetch_history("a", "loss", interrupt)
    stopper.join()


def test_a_source_that_is_gone(source: FakeSource, running: Mirror) -> None:
    running.wait_until_complete()
    source.error = StoreUnavailable("it is gone")
    until(lambda: running.failure)
    source.error = None
    until(lambda: running.failure is None)


def test_an_error_that_no_code_expects_is_told(source: FakeSource, running: Mirror) -> None:
    running.wait_until_complete()
    source.error = KeyError("x")
    until(lambda: running.failure)
    assert str(running.failure) == "the mirror stands still: KeyError: 'x'"
    with pytest.raises(MldeckError):
        running.wait_for_first()
    running.fetch_history("a", "loss")
    running.refresh()
    source.error = None
    running.join()  # as opening the store again does
    running.wait_until_complete()
    assert running.failure is None
    running.leave()


def test_it_rests_while_a_deck_is_loaded(source: FakeSource, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first runs are there; the others are read when the deck has opened the store, at least after a while."""
    monkeypatch.setattr(mirror, "LOOK_S", 0.01)
    made = Mirror(source, is_kept=False)
    made.prepare()
    made.wait_for_first()
    time.sleep(0.3)
    assert source.looks == []
    made.join()
    made.wait_until_complete()
    made.leave()
    made.leave()
    monkeypatch.setattr(mirror, "_MOST_REST_S", 0.1)
    made.prepare()
    made.wait_until_complete()
    made.leave()


def test_a_thread_that_hangs_is_not_joined_by_another(source: FakeSource, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaving does not wait for it for long."""
    monkeypatch.setattr(mirror, "_STOP_WAIT_S", 0.1)
    made = Mirror(source, is_kept=False)
    made.join()
    made.wait_until_complete()
    interrupt = Interrupt()
    waiting = Thread(target=lambda: made.fetch_history("a", "loss", interrupt))
    waiting.start()
    source.reading.wait(10)
    made.leave()
    with pytest.raises(StoreUnavailable):
        made.join()
    source.goes_on.set()
    waiting.join()

    def can_be_joined() -> bool:
        try:
            made.join()
        except StoreUnavailable:
            return False
        return True

    until(can_be_joined)
    made.wait_until_complete()
    made.leave()


def test_notices_wait_until_all_has_been_read(source: FakeSource, running: Mirror) -> None:
    source.look_takes_s = 0.3
    until(lambda: running.state == "reading 1 of 2 runs")
    assert running.notices == ()
    until(lambda: running.notices == source.notices)


def test_the_age_is_said_when_it_is_unusual(
    source: FakeSource, running: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    running.wait_until_complete()
    source.error = StoreUnavailable("it is gone")
    until(lambda: running.failure)
    now = time.monotonic()
    monkeypatch.setattr("mldeck.store.mirror.mirror.time.monotonic", lambda: now + 600)
    until(lambda: running.state == "mirror · 10 min")
