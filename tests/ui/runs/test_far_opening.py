"""The first runs of a store on another machine take two requests, however they are listed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from mldeck.model import Column, Kind, OrderKey, View
from mldeck.store.interrupt import Interrupt
from mldeck.store.store import Store
from mldeck.ui.runs.reading import Opening, read_opening
from mldeck.ui.state.restored import ListChoice, keep_choice, left_state
from mldeck.ui.state.saved_state import SavedState
from tests.far_hosts import FarStore, far_store, shell_for_ssh, use_as_ssh
from tests.fixture_stores import FixtureStore

TAXI = "nyc-taxi-experiment"
SORTED = ListChoice((OrderKey(Column(Kind.METRIC, "rmse"), descending=True),), "metrics.rmse > 0")


@pytest.fixture
def taxi(store_copy: Callable[[str], FixtureStore], monkeypatch: pytest.MonkeyPatch) -> Path:
    use_as_ssh(monkeypatch, shell_for_ssh())
    return store_copy("nyc-taxi").db


def opened(store: Store, name: str | None = None) -> Opening:
    return read_opening(store, name, Interrupt())


def requests_of(store: FarStore, name: str | None = None) -> int:
    before = store.line.traffic.requests
    opened(store, name)
    return store.line.traffic.requests - before


def leave(db: Path, choice: ListChoice, mark: str | None = None) -> None:
    """Save how the taxi runs are listed, and a mark."""
    with closing(Store(db)) as store:
        experiment = next(found for found in store.experiments(View.ACTIVE) if found.name == TAXI)
    saved = SavedState.of(db)
    keep_choice(saved.experiment(experiment.experiment_id), (experiment,), choice)
    saved.last = left_state(experiment, {mark: 1} if mark else {}, is_tree=False)
    saved.save()
    saved.flush()


def without_pace(opening: Opening) -> str:
    """Return all of an opening but the paces, which a distant database is asked for later. NaN is not equal to itself."""
    assert opening.page is not None
    records = {run_id: replace(record, pace=None) for run_id, record in opening.page.records.items()}
    return repr(replace(opening, page=replace(opening.page, records=records)))


@pytest.mark.parametrize(
    ("name", "left"),
    [(None, None), (TAXI, None), (None, ListChoice()), (None, SORTED)],
    ids=["newest", "named", "left", "sorted"],
)
def test_the_first_runs_take_two_requests(taxi: Path, name: str | None, left: ListChoice | None) -> None:
    with closing(Store(taxi)) as store:
        if left is not None:
            page = opened(store, TAXI).page
            assert page is not None
            leave(taxi, left, page.arrangement.run_ids[3])
        expected = opened(store, name)
    assert expected.page is not None
    assert expected.page.records
    with far_store(taxi) as far:
        assert requests_of(far, name) == 2
        assert without_pace(opened(far, name)) == without_pace(expected)


@pytest.mark.parametrize("release", ["mlflow-1.2.0", "mlflow-1.30.1", "mlflow-2.9.2", "mlflow-3.17.2"])
def test_older_databases_take_few_requests(
    store_copy: Callable[[str], FixtureStore], monkeypatch: pytest.MonkeyPatch, release: str
) -> None:
    use_as_ssh(monkeypatch, shell_for_ssh())
    db = store_copy(release).db
    with closing(Store(db)) as store:
        expected = opened(store)
    with far_store(db) as far:
        assert requests_of(far) <= 3  # runs without a name in their row are named by a tag
        assert without_pace(opened(far)) == without_pace(expected)


def test_a_wrong_guess_is_only_slower(taxi: Path) -> None:
    leave(taxi, SORTED, "gone")
    with closing(sqlite3.connect(taxi)) as connection:
        connection.execute("UPDATE experiments SET creation_time = 1")  # another store at the same path
        connection.commit()
    with closing(Store(taxi)) as store:
        expected = opened(store)
    with far_store(taxi) as far:
        assert without_pace(opened(far)) == without_pace(expected)


def test_no_experiment_and_no_run(taxi: Path) -> None:
    with closing(sqlite3.connect(taxi)) as connection:
        connection.execute("UPDATE runs SET lifecycle_stage = 'deleted'")
        connection.commit()
    with far_store(taxi) as far:
        assert opened(far).page is not None
    with closing(sqlite3.connect(taxi)) as connection:
        connection.execute("UPDATE experiments SET lifecycle_stage = 'deleted'")
        connection.commit()
    with far_store(taxi) as far:
        assert opened(far).chosen is None


def test_the_histories_of_small_charts_take_two_requests(
    store_copy: Callable[[str], FixtureStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    use_as_ssh(monkeypatch, shell_for_ssh())
    fixture = store_copy("mlflow-3.17.2")
    run_id, keys = fixture.run("logreg"), ["loss", "auc", "no such metric"]
    with closing(Store(fixture.db)) as store:
        expected = store.history_outlines(run_id, keys, 40)
    assert len(expected["loss"]) > 1
    assert expected["no such metric"] == ()
    with far_store(fixture.db) as far:
        before = far.line.traffic.requests
        assert far.history_outlines(run_id, keys, 40) == expected
        assert far.line.traffic.requests == before + 2
