"""The reads of the place Models, and how it sorts versions, without a screen."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from mldeck.artifacts.location import Places
from mldeck.model import Column, Kind, Run, RunRecord
from mldeck.registry.nouns import ModelQuery, ModelVersion, RegisteredModel
from mldeck.search.errors import SearchError
from mldeck.store.interrupt import Interrupt
from mldeck.store.store import Store
from mldeck.ui.models.reading import (
    CardMetric,
    RegistryListing,
    VersionOrder,
    VersionRuns,
    Versions,
    read_details,
    read_listing,
    read_version_runs,
    read_versions,
    same_model,
    sorted_rows,
)
from mldeck.ui.state.saved_state import SavedState
from tests.fixture_stores import DESCRIBED_FIXTURES, FixtureStore

RMSE, DEPTH = Column(Kind.METRIC, "rmse"), Column(Kind.PARAM, "depth")


def record(run_id: str, metrics: Mapping[str, float], depth: str | None = None) -> RunRecord:
    run = Run(run_id, f"run-{run_id}", "1", "FINISHED", "active")
    return RunRecord(run, metrics, {} if depth is None else {"depth": depth})


def table(rmse: Mapping[int, float], depth: Mapping[int, str] | None = None) -> tuple[Versions, VersionRuns]:
    """Return versions 4 to 1. Each has a run of its own, except 4, which has none."""
    numbers = (4, 3, 2, 1)
    versions = tuple(ModelVersion("m", each, "None", run_id=None if each == 4 else str(each)) for each in numbers)
    records = {
        str(each): record(str(each), {"rmse": rmse[each]} if each in rmse else {}, (depth or {}).get(each))
        for each in numbers[1:]
    }
    return Versions("m", versions, records), VersionRuns((RMSE, DEPTH), records)


def order_of(data: Versions, runs: VersionRuns, column: str | Column, *, descending: bool = False) -> list[int]:
    return [data.versions[row].version for row in sorted_rows(data, runs, VersionOrder(column, descending))]


def test_versions_without_a_value_come_last_in_both_directions() -> None:
    data, runs = table({3: 2.0, 2: math.nan, 1: 1.0})
    assert order_of(data, runs, RMSE) == [1, 3, 2, 4], "NaN before what is missing, as runs are sorted"
    assert order_of(data, runs, RMSE, descending=True) == [3, 1, 2, 4]


def test_params_that_are_numbers_are_sorted_as_numbers() -> None:
    assert order_of(*table({}, {3: "10", 2: "9", 1: "1e2"}), DEPTH) == [2, 3, 1, 4]
    assert order_of(*table({}, {3: "10", 2: "9", 1: "deep"}), DEPTH) == [2, 3, 1, 4]
    assert order_of(*table({}, {3: "10", 2: "9", 1: "deep"}), DEPTH, descending=True) == [3, 2, 1, 4]


def test_only_matching_versions_are_listed() -> None:
    data, runs = table({3: 2.0})
    assert sorted_rows(data, VersionRuns(runs.columns, runs.records, frozenset("2")), None) == (2,)


@pytest.mark.parametrize(("greater", "best"), [(True, 3.0), (False, 1.0), (None, None)])
def test_the_best_value(greater: bool | None, best: float | None) -> None:
    records = [record(str(value), {"rmse": value}) for value in (1.0, 3.0, math.nan, math.inf)]
    assert CardMetric("rmse", greater).best_of([*records, record("none", {})]) == best


def test_a_single_value_is_not_the_best() -> None:
    assert CardMetric("rmse", True).best_of([record("1", {"rmse": 1.0})]) is None


class TestTheSameModel:
    before = RegistryListing((RegisteredModel("a", 1), RegisteredModel("b", 2)))

    def test_by_its_name(self) -> None:
        now = RegistryListing((RegisteredModel("b", 7),))
        assert same_model(self.before.models[1], self.before, now) is now.models[0]

    def test_by_its_creation_time_under_a_new_name(self) -> None:
        now = RegistryListing((RegisteredModel("a", 1), RegisteredModel("c", 2)))
        assert same_model(self.before.models[1], self.before, now) is now.models[1]

    def test_not_a_model_that_was_there_before(self) -> None:
        twin = RegistryListing((*self.before.models, RegisteredModel("twin", 2)))
        now = RegistryListing((RegisteredModel("a", 1), RegisteredModel("twin", 2), RegisteredModel("c", 3)))
        assert same_model(twin.models[1], twin, now) is None


@pytest.fixture
def taxi(store_copy: Callable[[str], FixtureStore]) -> FixtureStore:
    return store_copy("nyc-taxi")


class TestReading:
    def test_the_metric_of_the_cards(self, store_copy: Callable[[str], FixtureStore], tmp_path: Path) -> None:
        """The chosen metric; else one with a known direction; else one that tells the runs apart."""
        fixture = store_copy("mlflow-3.17.2")
        store, memory = Store(fixture.db), SavedState(tmp_path / "none")

        def read(wanted: str | None = None) -> Versions:
            return read_versions(store, store.registry(), "churn-model", memory, wanted, Interrupt())

        found = read()
        assert found.metric is not None
        assert found.metric.greater_is_better is None
        assert set(found.records) == {each.run_id for each in found.versions if each.run_id}
        assert len({each.metrics.get(found.metric.key) for each in found.records.values()}) > 1
        said, other = [key for key in found.metrics if key != found.metric.key][:2]
        memory.experiment(fixture.experiment("churn"))["best"] = {"absent": "higher", said: "lower"}
        assert read().metric == CardMetric(said, False)
        assert read(other).metric == CardMetric(other)
        store.close()

    def test_a_filter_that_cannot_be_parsed(self, taxi: FixtureStore, tmp_path: Path) -> None:
        store = Store(taxi.db)
        data = read_versions(
            store, store.registry(), "nyc-taxi-regressor", SavedState(tmp_path / "none"), None, Interrupt()
        )
        with pytest.raises(SearchError):
            read_version_runs(store, data, "metrics.rmse <", Interrupt())
        assert read_version_runs(store, data, "metrics.rmse > 1000", Interrupt()).matching == frozenset()
        store.close()

    @pytest.mark.parametrize("fixture_store", DESCRIBED_FIXTURES, indirect=True)
    def test_every_store(self, fixture_store: FixtureStore, tmp_path: Path) -> None:
        """Every model and version of every release can be read."""
        store, memory = Store(fixture_store.db), SavedState(tmp_path / "none")
        registry, places = store.registry(), Places(fixture_store.path)
        listing = read_listing(registry, ModelQuery(), Interrupt())
        assert listing.has_registry is bool(listing.models)
        for model in listing.models:
            data = read_versions(store, registry, model.name, memory, None, Interrupt())
            assert len(data.versions) == model.version_count
            for version in data.versions:
                details = read_details(store, registry, version, places, Interrupt())
                assert (details.run is None) == (data.record(version) is None)
                assert details.files is not None
        store.close()
