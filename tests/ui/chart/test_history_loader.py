"""Loading the histories of a chart: what is read, what is told, and stopping. No screen."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from mldeck.errors import MldeckError
from mldeck.model import Column, Kind
from mldeck.settings import load_settings
from mldeck.store.histories import histories
from mldeck.store.histories.points import PointCollector
from mldeck.store.store import Store
from mldeck.ui.chart.history_loader import HistoryLoader, News
from mldeck.ui.chart.view import CurveView
from mldeck.ui.kit.threads import in_thread
from mldeck.ui.state.session import Session
from tests.fixture_stores import FixtureStore
from tests.ui.chart.chart_deck import log

FORESTS = ["rf5", "rf10", "rf20"]


@pytest.fixture
def store(store_copy: Callable[[str], FixtureStore]) -> FixtureStore:
    return store_copy("mlflow-3.17.2")


@pytest.fixture
def session(store: FixtureStore) -> Iterator[Session]:
    session = Session(load_settings(), store.db)
    session.open()
    yield session
    session.close()


class Loading:
    """A loader and the news that it told."""

    def __init__(self, session: Session) -> None:
        self.news: list[News] = []
        self.loader = HistoryLoader(session, self.news.append)

    async def show(self, run_ids: list[str], metric: str | None) -> None:
        if self.loader.follow(run_ids, metric):
            assert await self.loader.load() is None

    @property
    def counts(self) -> list[int | None]:
        """The number of points of each curve; None if it is not read yet."""
        return [None if each.history is None else len(each.history) for each in self.loader.series()]


@pytest.fixture
def loading(session: Session) -> Loading:
    return Loading(session)


@pytest.fixture
def forests(store: FixtureStore) -> list[str]:
    return [store.run(label) for label in FORESTS]


async def test_the_runs_and_their_histories_are_read(loading: Loading, forests: list[str]) -> None:
    await loading.show(forests, "loss")
    assert [each.name for each in loading.loader.series()] == ["rf-depth-5", "rf-depth-10", "rf-depth-20"]
    assert loading.counts == [30, 30, 30]
    assert loading.loader.point_count == 90
    assert set(loading.news) == {News.CURVES}
    assert not loading.loader.is_reading


async def test_what_was_read_before_is_there_at_once(session: Session, forests: list[str]) -> None:
    await Loading(session).show(forests, "loss")
    again = Loading(session)
    assert again.loader.follow(forests, "loss")
    assert again.loader.point_count == 90


async def test_without_a_metric_one_is_chosen_and_told(loading: Loading, store: FixtureStore) -> None:
    await loading.show([store.run("logreg")], None)
    assert loading.loader.metrics == ("auc",)
    assert loading.news.count(News.METRICS) == 1


async def test_the_present_metric_stays_where_the_runs_have_it(loading: Loading, store: FixtureStore) -> None:
    await loading.show([store.run("logreg")], "loss")
    await loading.show([store.run("rf5")], None)
    assert loading.loader.metrics == ("loss",)
    assert News.METRICS not in loading.news


async def test_only_newer_points_are_read_again(
    loading: Loading, store: FixtureStore, forests: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    await loading.show(forests, "loss")
    monkeypatch.setattr(Store, "read_history", None)
    log(store.db, forests[0], "loss", [(100, 1.0)])
    assert loading.loader.renew()
    assert await loading.loader.load() is None
    assert loading.counts == [31, 30, 30]


async def test_groups_are_the_values_of_a_param(loading: Loading, forests: list[str]) -> None:
    await loading.show(forests, "loss")
    values = {record.params["max_depth"] for record in await loading.loader.read_values()}
    loading.loader.view = CurveView(group_by=Column(Kind.PARAM, "max_depth"))
    assert {each.group for each in loading.loader.series()} == values
    await loading.show(forests, "loss")
    assert [each.group for each in loading.loader.series()] == ["5", "10", "20"]


class Held:
    """Holds back every history after the first until released or interrupted."""

    def __init__(self) -> None:
        self.is_waiting = threading.Event()
        self.may_go = threading.Event()


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    held, reads, real = Held(), [0], Store.read_history

    def read_history(self: Store, run_id: str, key: str, window: Any, interrupt: Any, on_part: Any) -> Any:
        reads[0] += 1
        if reads[0] > 1:
            on_part(12_345)
            held.is_waiting.set()
            while not held.may_go.wait(0.005):
                interrupt.check()
        return real(self, run_id, key, window, interrupt, on_part)

    monkeypatch.setattr(Store, "read_history", read_history)
    yield held
    held.may_go.set()


async def test_reading_tells_how_far_it_is_and_can_be_stopped(loading: Loading, forests: list[str], held: Held) -> None:
    loader = loading.loader
    assert loader.follow(forests, "loss")
    task = asyncio.create_task(loader.load())
    await in_thread(held.is_waiting.wait, 10)
    assert loader.is_reading
    assert loader.progress == "1 of 3 · 12,375 points…"
    assert loading.counts == [30, None, None], "what is read is shown"
    assert loader.stop(), "a history is being read"
    assert await task is None
    assert not loader.is_reading
    assert loading.counts == [30, None, None]
    held.may_go.set()
    assert loader.renew()
    await loader.load()
    assert loading.counts == [30, None, None], "a change does not start it again"
    loader.read_on()
    await loader.load()
    assert loading.counts == [30, 30, 30]


async def test_a_change_while_reading_is_read_before_it_ends(
    loading: Loading, store: FixtureStore, forests: list[str], held: Held
) -> None:
    loader = loading.loader
    assert loader.follow(forests, "loss")
    task = asyncio.create_task(loader.load())
    await in_thread(held.is_waiting.wait, 10)
    log(store.db, forests[0], "loss", [(100, 1.0)])
    assert not loader.renew(), "it need not be begun again"
    held.may_go.set()
    assert await task is None
    assert loading.counts == [31, 30, 30]


async def test_nothing_is_read_on_when_no_history_is_being_read(loading: Loading) -> None:
    assert not loading.loader.stop()
    assert not loading.loader.renew(), "there are no runs"
    assert await loading.loader.load() is None


async def test_an_error_is_kept_until_it_is_over(
    loading: Loading, forests: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise MldeckError("the page is torn")

    loader, real = loading.loader, Store.read_history
    monkeypatch.setattr(Store, "read_history", fail)
    assert loader.follow(forests, "loss")
    error = await loader.load()
    assert error is not None
    assert error is loader.error
    assert not loader.is_reading
    monkeypatch.setattr(Store, "read_history", real)
    assert loader.renew()
    assert await loader.load() is None
    assert loader.error is None


async def test_the_points_in_a_window_are_read_until_they_are_outdated(
    loading: Loading, store: FixtureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(histories, "PointCollector", partial(PointCollector, 1_000))
    run, loader = store.run("rf5"), loading.loader
    log(store.db, run, "long", [(step, float(step % 7)) for step in range(20_000)])
    await loading.show([run], "long")
    assert (loading.counts[0] or 0) <= 1_000
    loader.view = CurveView(window=(500.0, 900.0))
    await loader.read_window()
    detail = loader.series()[0].detail
    assert detail is not None
    assert not detail.is_thinned
    assert len(detail) >= 401
    loader.view = CurveView(window=(400.0, 900.0))
    assert loader.series()[0].detail is None, "it does not cover the wider window"
    log(store.db, run, "long", [(30_000, 1.0)])
    await loading.show([run], "long")
    assert loading.news.count(News.WINDOW) == 1
