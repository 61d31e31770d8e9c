"""The cache of histories, stopping a read, and the steps that a window needs. No screen."""

from __future__ import annotations

from array import array
from collections.abc import Callable

import pytest

from mldeck.charts.curves import Axis
from mldeck.errors import Interrupted
from mldeck.model import History
from mldeck.store.interrupt import Interrupt
from mldeck.store.store import Store
from mldeck.ui.chart.history_reading import ReadProgress, read_or_renew, steps_within
from mldeck.ui.state.history_cache import HistoryCache, SeriesKey
from tests.fixture_stores import DESCRIBED_FIXTURES, FixtureStore
from tests.ui.runs.test_live import writing


def history(run_id: str, count: int, *, was_stopped: bool = False, of: int | None = None) -> History:
    return History(
        run_id,
        "loss",
        array("q", range(count)),
        array("d", range(count)),
        array("q", [1_000 * each for each in range(count)]),
        point_count=of or count,
        was_stopped=was_stopped,
    )


def test_the_least_recently_used_history_is_dropped_first() -> None:
    cache = HistoryCache(most_bytes=24 * 25)
    a, b, c = (SeriesKey(name, "loss") for name in "abc")
    cache.add(history("a", 10))
    cache.add(history("b", 10))
    assert cache.get(a) is not None
    cache.add(history("c", 10))
    assert cache.get(b) is None
    assert cache.get(a) is not None
    assert cache.get(c) is not None
    assert cache.size == 24 * 20


def test_one_history_is_kept_whatever_its_size() -> None:
    cache = HistoryCache(most_bytes=1)
    cache.add(history("a", 10))
    assert cache.get(SeriesKey("a", "loss")) is not None


def test_a_history_counts_once_and_a_stopped_one_is_not_kept() -> None:
    cache = HistoryCache()
    cache.add(history("a", 10))
    cache.add(history("a", 12))
    cache.add(history("b", 5, was_stopped=True))
    assert cache.size == 24 * 12
    assert cache.get(SeriesKey("b", "loss")) is None


def test_progress_counts_what_is_done_and_what_is_being_read() -> None:
    reading = ReadProgress(3)

    def read(interrupt: Interrupt, on_part: Callable[[int], None]) -> History:
        on_part(70)
        assert str(reading) == "0 of 3 · 70 points…"
        return history("a", 100)

    assert reading.read(read, Interrupt()) is not None
    assert str(reading) == "1 of 3 · 100 points…"
    assert str(ReadProgress(1)) == "0 points…"


def test_stopping_fires_the_interrupt_of_what_is_being_read() -> None:
    reading, interrupt = ReadProgress(2), Interrupt()

    def read(given: Interrupt, on_part: Callable[[int], None]) -> History:
        reading.stop()
        assert given.fired
        return history("a", 3, was_stopped=True)

    found = reading.read(read, interrupt)
    assert found is not None
    assert found.was_stopped
    assert reading.read(read, Interrupt()) is None, "and nothing is begun any more"


def test_a_read_that_was_stopped_before_it_began_has_no_result() -> None:
    def read(interrupt: Interrupt, on_part: Callable[[int], None]) -> History:
        raise Interrupted("stopped")

    assert ReadProgress(1).read(read, Interrupt()) is None


@pytest.mark.parametrize("fixture_store", DESCRIBED_FIXTURES, indirect=True)
def test_only_newer_points_of_a_known_history_are_read(
    fixture_store: FixtureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = SeriesKey(fixture_store.run("logreg"), "loss")
    store, cache = Store(fixture_store.db), HistoryCache()
    try:
        first = read_or_renew(store, cache, key, Interrupt(), lambda count: None)
        monkeypatch.setattr(Store, "read_history", None)
        again = read_or_renew(store, cache, key, Interrupt(), lambda count: None)
        assert again.is_unchanged_since(first)
        with writing(fixture_store.db) as connection:
            connection.execute(
                "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES ('loss', 9.5, 1, ?, 99999, 0)",
                (key.run_id,),
            )
        grown = read_or_renew(store, cache, key, Interrupt(), lambda count: None)
        assert len(grown) == len(first) + 1
        assert cache.get(key) is grown
    finally:
        store.close()


@pytest.mark.parametrize(
    ("axis", "window", "expected"),
    [
        (Axis.STEP, (10.4, 20.6), (9, 21)),
        (Axis.RELATIVE, (3_000.0, 5_000.0), (2, 6)),
        (Axis.WALL, (3_000.0, 5_000.0), (2, 6)),
        (Axis.WALL, (-5.0, -1.0), None),
        (Axis.WALL, (0.0, 99_000.0), (0, 99)),
    ],
)
def test_the_steps_that_a_window_needs(
    axis: Axis, window: tuple[float, float], expected: tuple[int, int] | None
) -> None:
    assert steps_within(history("a", 100), axis, window, 0) == expected
