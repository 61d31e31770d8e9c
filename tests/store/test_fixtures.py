"""Reading stores that real MLflow releases wrote.

Every store with a manifest has the same contents, as far as its release could store them. Where a test distinguishes releases,
they stored something different.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing

import pytest

from mldeck.model import (
    ALL_FIELDS,
    Column,
    DatasetInput,
    Kind,
    Metric,
    OrderKey,
    RunCount,
    RunDetails,
    RunFields,
    RunQuery,
    View,
)
from mldeck.store.store import Store
from tests.fixture_stores import FixtureStore

START = 1_700_000_000_000
MINUTE = 60_000

NAMES = {
    "logreg": "baseline-logreg",
    "rf5": "rf-depth-5",
    "rf10": "rf-depth-10",
    "rf20": "rf-depth-20",
    "diverged": "diverged",
    "running": "running-now",
    "killed": "killed-by-user",
    "steps": "step-semantics",
    "odd_name": 'it\'s "quoted" `tick` 100% 雪 [bold]x[/bold]',
    "deleted": "deleted-run",
    "restored": "restored-run",
    "renamed": "after-rename",
    "parent": "hpo-sweep",
    "child0": "trial-0",
    "child1": "trial-1",
    "child2": "trial-2",
    "grandchild": "retry",
    "fluent": "fluent-run",
    "in_s3": "run-in-s3",
    "in_proxied": "run-in-proxied",
    "in_relative": "run-in-relative",
    "in_renamed": "run-in-renamed",
    "in_deleted_experiment": "inside-deleted",
    "scheduled": "scheduled",
    "model_logged": "model-logged",
}
EXPERIMENT_NAMES = {
    "default": "Default",
    "churn": "churn-baseline",
    "images": "team/résnet images",
    "s3": "s3-backed",
    "proxied": "proxied",
    "relative": "relative-root",
    "empty": "empty-experiment",
    "deleted": "old-deleted",
    "renamed": "renamed-experiment",
}
CHURN = (
    "logreg rf5 rf10 rf20 diverged running killed steps unnamed odd_name deleted restored renamed".split()  # by start time
)


class Opened:
    """A fixture and the store that reads it."""

    def __init__(self, fixture: FixtureStore, store: Store) -> None:
        self.fixture = fixture
        self.store = store
        self.labels = {run_id: label for label, run_id in fixture.manifest["runs"].items()}

    @property
    def version(self) -> tuple[int, int]:
        """The release of the MLflow that wrote the values."""
        major, minor, *_ = self.fixture.manifest["mlflow_version"].split(".")
        return int(major), int(minor)

    @property
    def schema_version(self) -> tuple[int, int]:
        """The release of the MLflow that made or last migrated the tables."""
        migrated_by = self.fixture.manifest["notes"].get("migrated_by")
        if migrated_by is None:
            return self.version
        major, minor, *_ = migrated_by.split(".")
        return int(major), int(minor)

    def details(self, label: str) -> RunDetails:
        details = self.store.run_details(self.fixture.run(label))
        assert details is not None
        return details

    def metrics(self, label: str) -> dict[str, Metric]:
        return {metric.key: metric for metric in self.details(label).metrics}

    def listed(
        self, experiment: str, view: View = View.ACTIVE, *order: OrderKey, limit: int | None = None
    ) -> list[str]:
        query = RunQuery((self.fixture.experiment(experiment),), view, order)
        return [self.labels[run_id] for run_id in self.store.run_ids(query, limit)]


@pytest.fixture
def opened(fixture_store: FixtureStore) -> Iterator[Opened]:
    with closing(Store(fixture_store.db)) as store:
        yield Opened(fixture_store, store)


def by(kind: Kind, key: str, *, descending: bool = False) -> OrderKey:
    return OrderKey(Column(kind, key), descending)


class TestExperiments:
    def test_names_and_stages(self, opened: Opened) -> None:
        found = {
            experiment.experiment_id: (experiment.name, experiment.lifecycle_stage)
            for experiment in opened.store.experiments(View.ALL)
        }
        assert found == {
            opened.fixture.experiment(label): (name, "deleted" if label == "deleted" else "active")
            for label, name in EXPERIMENT_NAMES.items()
        }

    def test_views(self, opened: Opened) -> None:
        names = {view: {experiment.name for experiment in opened.store.experiments(view)} for view in View}
        assert names[View.ALL] == set(EXPERIMENT_NAMES.values())
        assert names[View.DELETED] == {"old-deleted"}
        assert names[View.ACTIVE] == names[View.ALL] - names[View.DELETED]

    def test_newest_first_and_by_id_without_creation_times(self, opened: Opened) -> None:
        experiments = opened.store.experiments(View.ALL)
        if opened.version >= (1, 29):
            times = [experiment.creation_time for experiment in experiments]
            assert None not in times
            assert times == sorted(times, key=lambda time: -(time or 0))
            assert experiments[0].name in ("to-be-renamed", "renamed-experiment")
        else:
            assert {experiment.creation_time for experiment in experiments} == {None}
            assert [experiment.experiment_id for experiment in experiments] == [str(number) for number in range(9)]

    def test_notes(self, opened: Opened) -> None:
        notes = {
            experiment.name: experiment.note for experiment in opened.store.experiments(View.ALL) if experiment.note
        }
        assert notes == {"churn-baseline": "**Churn** baseline models.\n\nOwner: alice — see wiki."}

    def test_artifact_locations(self, opened: Opened) -> None:
        locations = {experiment.name: experiment.artifact_location for experiment in opened.store.experiments(View.ALL)}
        root = opened.fixture.path.resolve()
        assert locations["churn-baseline"] == f"{root}/artifacts/1"
        assert locations["team/résnet images"] == f"file://{root}/artifacts/images"
        assert locations["s3-backed"] == "s3://example-bucket/mlflow/s3"
        assert locations["proxied"] == "mlflow-artifacts:/proxied"

    def test_counts(self, opened: Opened) -> None:
        counts = opened.store.run_counts()
        active = {label: counts.get(opened.fixture.experiment(label), RunCount()).active for label in EXPERIMENT_NAMES}
        deleted = {
            label: counts.get(opened.fixture.experiment(label), RunCount()).deleted for label in EXPERIMENT_NAMES
        }
        expected_active = dict.fromkeys(EXPERIMENT_NAMES, 1) | {"churn": 12, "images": 6, "empty": 0}
        expected_deleted = dict.fromkeys(EXPERIMENT_NAMES, 0) | {"churn": 1}
        if "model_logged" in opened.fixture.manifest["runs"]:
            expected_active["images"] += 1
        if opened.version >= (1, 28):  # deleting an experiment deletes its runs
            expected_active["deleted"], expected_deleted["deleted"] = 0, 1
        assert (active, deleted) == (expected_active, expected_deleted)
        assert counts[opened.fixture.experiment("churn")].newest_start == START + 99 * MINUTE


class TestRuns:
    def test_names(self, opened: Opened) -> None:
        """Before 1.30 the column is empty, even after a migration, and the name is in a tag."""
        names = {label: opened.details(label).run.run_name for label in opened.fixture.manifest["runs"]}
        unnamed = names.pop("unnamed")
        assert names == {label: name for label, name in NAMES.items() if label in names}
        assert len(names) == (25 if opened.version >= (3, 0) else 24)
        if opened.version >= (1, 30):
            assert unnamed  # "adjective-noun-123"
        else:
            assert unnamed is None
            assert opened.details("unnamed").run.label == opened.fixture.run("unnamed")

    def test_a_list_of_runs_has_the_same_names(self, opened: Opened) -> None:
        ids = list(opened.labels)
        records = opened.store.run_records(ids, RunFields())
        assert {run_id: record.run for run_id, record in records.items()} == {
            run_id: opened.details(label).run for run_id, label in opened.labels.items()
        }

    def test_statuses(self, opened: Opened) -> None:
        expected = dict.fromkeys(opened.fixture.manifest["runs"], "FINISHED")
        expected |= {"diverged": "FAILED", "grandchild": "FAILED", "running": "RUNNING", "scheduled": "SCHEDULED"}
        expected["killed"] = "KILLED" if opened.version >= (1, 5) else "RUNNING"
        assert {label: opened.details(label).run.status for label in expected} == expected

    def test_times(self, opened: Opened) -> None:
        logreg = opened.details("logreg").run
        assert (logreg.start_time, logreg.end_time, logreg.duration) == (START, START + 5 * MINUTE, 5 * MINUTE)
        running = opened.details("running").run
        assert (running.start_time, running.end_time, running.duration) == (START + 60 * MINUTE, None, None)
        if opened.version >= (1, 30):  # before, a status could only be set together with an end time
            assert opened.details("scheduled").run.end_time is None

    def test_user_and_artifact_uri(self, opened: Opened) -> None:
        details = opened.details("logreg")
        assert details.experiment_name == "churn-baseline"
        root = opened.fixture.path.resolve()
        assert details.run.artifact_uri == f"{root}/artifacts/1/{details.run.run_id}/artifacts"
        assert dict(details.tags)["mlflow.user"] == "alice"
        assert opened.details("fluent").run.user_id

    def test_deleted_and_restored(self, opened: Opened) -> None:
        deleted, restored = opened.details("deleted").run, opened.details("restored").run
        assert (deleted.lifecycle_stage, restored.lifecycle_stage) == ("deleted", "active")
        assert restored.deleted_time is None
        assert (deleted.deleted_time is not None) == (opened.version >= (1, 28))

    def test_views(self, opened: Opened) -> None:
        newest_first = CHURN[::-1]
        assert opened.listed("churn", View.ALL) == newest_first
        assert opened.listed("churn", View.DELETED) == ["deleted"]
        assert opened.listed("churn") == [label for label in newest_first if label != "deleted"]
        assert opened.listed("churn", limit=3) == ["renamed", "restored", "odd_name"]
        assert opened.listed("empty") == []

    def test_active_runs_of_a_deleted_experiment(self, opened: Opened) -> None:
        """Up to 1.25 they stay active; only the run's own stage matters."""
        view = View.DELETED if opened.version >= (1, 28) else View.ACTIVE
        assert opened.listed("deleted", view) == ["in_deleted_experiment"]

    def test_several_experiments(self, opened: Opened) -> None:
        everything = RunQuery(tuple(opened.fixture.manifest["experiments"].values()), View.ALL)
        assert {opened.labels[run_id] for run_id in opened.store.run_ids(everything)} == set(opened.labels.values())

    def test_a_missing_run(self, opened: Opened) -> None:
        assert opened.store.run_details("0" * 32) is None
        assert opened.store.run_records(["0" * 32], ALL_FIELDS) == {}
        (only,) = opened.store.iter_records(["0" * 32, opened.fixture.run("rf5")], ALL_FIELDS)
        assert only.run.run_name == "rf-depth-5"


class TestMetrics:
    def test_latest_value_step_and_time(self, opened: Opened) -> None:
        metrics = opened.metrics("logreg")
        assert metrics["loss"] == Metric("loss", math.exp(-19 / 6.0), START + 19_000, 19)
        assert metrics["val/accuracy"].value == pytest.approx(0.88)
        assert metrics["auc"] == Metric("auc", 0.873, START + 30_000, 0)
        assert metrics["big_int"].value == 123456789012345.0
        assert metrics["tiny"].value == 1e-300

    def test_which_point_is_the_latest(self, opened: Opened) -> None:
        """The point with the greatest (step, time, value), where NaN counts as 0; 1.2 has no table of latest metrics."""
        latest = opened.metrics("steps")
        values = {key: (metric.step, metric.value) for key, metric in latest.items()}
        step, value = values.pop("nan_then_neg")
        assert step == 1
        assert math.isnan(value)
        assert values == {
            "neg": (-1, 3.0),
            "out_of_order": (5, 10.0),
            "same_step": (0, 2.0),
            "same_step_old_ts": (0, 7.0),
            "same_step_ts": (0, 1.5),
            "nan_then_pos": (1, 1.0),
            "duplicate": (2, 4.0),
            "sparse": (1_000_000, 0.3),
        }
        assert latest["same_step"].timestamp == START + 80 * MINUTE + 1000

    def test_nan_and_infinities(self, opened: Opened) -> None:
        metrics = opened.metrics("diverged")
        assert math.isnan(metrics["loss"].value)
        assert math.isnan(metrics["auc"].value)
        assert metrics["score"].value == -math.inf
        assert metrics["only_inf"].value == math.inf

    def test_a_table_row_has_the_same_values(self, opened: Opened) -> None:
        ids = list(opened.labels)
        records = opened.store.run_records(ids, ALL_FIELDS)
        for run_id, label in opened.labels.items():
            details = opened.details(label)
            assert repr(dict(sorted(records[run_id].metrics.items()))) == repr(
                {metric.key: metric.value for metric in details.metrics}
            )
            assert (records[run_id].params, records[run_id].tags) == (dict(details.params), dict(details.tags))

    def test_only_the_requested_keys(self, opened: Opened) -> None:
        run_id = opened.fixture.run("rf5")
        record = opened.store.run_records([run_id], RunFields(("auc", "nope"), ("C",), ("stage",)))[run_id]
        assert (record.metrics, record.params, record.tags) == ({"auc": 0.91}, {"C": "10"}, {"stage": "dev"})
        bare = opened.store.run_records([run_id], RunFields())[run_id]
        assert (bare.metrics, bare.params, bare.tags) == ({}, {}, {})

    def test_outline_of_a_short_history(self, opened: Opened) -> None:
        spans = opened.store.history_outline(opened.fixture.run("logreg"), "loss", 20)
        assert [span.position for span in spans] == list(range(20))
        for step, span in enumerate(spans):
            assert span.low == span.high == pytest.approx(math.exp(-step / 6.0))
            assert span.nan_count == 0

    def test_outline_with_nan_and_infinity(self, opened: Opened) -> None:
        spans = opened.store.history_outline(opened.fixture.run("diverged"), "loss", 4)
        assert [(span.position, span.low, span.high, span.nan_count) for span in spans] == [
            (0, 1.0, 1.0, 0),
            (1, 5.0, 5.0, 0),
            (2, math.inf, math.inf, 0),
            (3, None, None, 1),
        ]

    def test_outline_keeps_extremes_and_gaps(self, opened: Opened) -> None:
        run_id = opened.fixture.run("logreg")
        (low, high) = (math.exp(-19 / 6.0), 1.0)
        for slices in (1, 2, 3, 7, 80):
            spans = opened.store.history_outline(run_id, "loss", slices)
            assert min(span.low or 0 for span in spans) == pytest.approx(low)
            assert max(span.high or 0 for span in spans) == high
            assert {span.position for span in spans} <= set(range(slices))
        sparse = opened.store.history_outline(opened.fixture.run("steps"), "sparse", 10)
        assert [(span.position, span.low) for span in sparse] == [(0, 0.1), (9, 0.3)]
        assert [span.high for span in sparse] == [0.2, 0.3]

    def test_no_history(self, opened: Opened) -> None:
        assert opened.store.history_outline(opened.fixture.run("logreg"), "nope", 10) == ()
        assert opened.store.history_outline("0" * 32, "loss", 10) == ()


def test_params(opened: Opened) -> None:
    params = dict(opened.details("logreg").params)
    assert len(params.pop("long")) == opened.fixture.manifest["notes"]["max_param_value"]
    assert params == {
        "solver": "lbfgs",
        "C": "1.0",
        "max_iter": "100",
        "fit_intercept": "True",
        "class_weight": "None",
        "unicode": "üñîçødé 中文 🚀",
        "empty": "",
        "multi line": "a\nb\tc",
        "nested/key": "1e-3",
        "json": '{"a": [1, 2], "q": "it\'s"}',
    }
    assert list(params) == sorted(params)


def test_tags(opened: Opened) -> None:
    tags = dict(opened.details("logreg").tags)
    assert tags["mlflow.note.content"] == "First **baseline**.\nLooks OK ✅"
    assert tags["mlflow.source.git.commit"] == "0123456789abcdef0123456789abcdef01234567"
    assert (tags["developer"], tags["release.candidate"], tags["stage"]) == ("alice", "false", "dev")
    renamed = dict(opened.details("renamed").tags)
    assert renamed["keep"] == "2"
    assert "tmp" not in renamed
    assert dict(opened.details("fluent").tags)["t1"] == "v1"


class TestNesting:
    def test_parent_child_grandchild(self, opened: Opened) -> None:
        parent, child, grandchild = (opened.details(label) for label in ("parent", "child1", "grandchild"))
        assert (parent.parent_id, parent.parent) == (None, None)
        assert [run.run_name for run in parent.children] == ["trial-0", "trial-1", "trial-2"]
        assert parent.children_count == 3
        assert child.parent_id == parent.run.run_id
        assert child.parent == parent.run
        assert [run.run_id for run in child.children] == [grandchild.run.run_id]
        assert grandchild.parent == child.run
        assert (grandchild.children, grandchild.children_count) == ((), 0)

    def test_a_missing_parent(self, opened: Opened) -> None:
        with closing(sqlite3.connect(opened.fixture.db)) as connection, connection:
            connection.execute(
                "UPDATE tags SET value = ? WHERE key = 'mlflow.parentRunId' AND run_uuid = ?",
                ("f" * 32, opened.fixture.run("child0")),
            )
        details = opened.details("child0")
        assert (details.parent_id, details.parent) == ("f" * 32, None)
        assert opened.details("parent").children_count == 2

    def test_a_run_that_is_its_own_parent(self, opened: Opened) -> None:
        run_id = opened.fixture.run("child0")
        with closing(sqlite3.connect(opened.fixture.db)) as connection, connection:
            connection.execute("UPDATE tags SET value = run_uuid WHERE key = 'mlflow.parentRunId'")
        details = opened.details("child0")
        assert details.parent == details.run
        assert [child.run_id for child in details.children] == [run_id]


def test_datasets(opened: Opened) -> None:
    """Since 2.4; the context may be missing."""
    train = ("cifar10-train", "abc12345", "local", '{"uri": "/data/cifar10/train"}', "training")
    test = ("cifar10-test", "def67890", "http", '{"url": "https://example.org/test.csv"}', "eval")

    def plain(datasets: Sequence[DatasetInput]) -> list[tuple[str | None, ...]]:
        return [(found.name, found.digest, found.source_type, found.source, found.context) for found in datasets]

    expected = {label: [test, train] for label in ("parent", "child0", "child1")}
    expected["child2"] = [(*test[:4], None)]  # type: ignore[list-item]
    if opened.version < (2, 4):
        expected = {}
    for label in opened.fixture.manifest["runs"]:
        found = opened.details(label).datasets
        assert plain(found) == expected.get(label, [])
        assert [dataset.profile for dataset in found if dataset.name == "cifar10-train"] == [
            '{"num_rows": 50000, "num_elements": 100000}'
        ] * (label in expected and label != "child2")


class TestOrder:
    """Values first, then NaN, then runs without one, in both directions; ties newest first."""

    WITHOUT_AUC = ("renamed", "restored", "odd_name", "unnamed", "steps", "killed")

    def test_by_metric(self, opened: Opened) -> None:
        ascending = opened.listed("churn", View.ALL, by(Kind.METRIC, "auc"))
        descending = opened.listed("churn", View.ALL, by(Kind.METRIC, "auc", descending=True))
        tail = ["diverged", *self.WITHOUT_AUC]
        assert ascending == ["running", "logreg", "rf5", "rf20", "rf10", "deleted", *tail]
        assert descending == ["deleted", "rf20", "rf10", "rf5", "logreg", "running", *tail]

    def test_by_a_metric_with_infinity(self, opened: Opened) -> None:
        assert opened.listed("churn", View.ALL, by(Kind.METRIC, "score"))[0] == "diverged"
        assert opened.listed("churn", View.ALL, by(Kind.METRIC, "only_inf", descending=True))[0] == "diverged"

    def test_by_a_metric_that_no_run_has(self, opened: Opened) -> None:
        assert opened.listed("churn", View.ALL, by(Kind.METRIC, "nope")) == CHURN[::-1]

    def test_by_param_as_text(self, opened: Opened) -> None:
        without = [label for label in CHURN[::-1] if label not in ("logreg", "rf5", "rf10", "rf20")]
        ascending = opened.listed("churn", View.ALL, by(Kind.PARAM, "C"))
        descending = opened.listed("churn", View.ALL, by(Kind.PARAM, "C", descending=True))
        assert ascending == ["logreg", "rf5", "rf10", "rf20", *without]  # 1.0, 10, 9.5, abc
        assert descending == ["rf20", "rf10", "rf5", "logreg", *without]

    def test_an_empty_param_is_a_value(self, opened: Opened) -> None:
        assert opened.listed("churn", View.ALL, by(Kind.PARAM, "empty", descending=True))[0] == "logreg"

    def test_by_tag_upper_case_first(self, opened: Opened) -> None:
        assert opened.listed("churn", View.ALL, by(Kind.TAG, "developer"))[:5] == [
            "rf20",
            "rf10",
            "logreg",
            "rf5",
            "diverged",
        ]

    def test_by_start_time(self, opened: Opened) -> None:
        assert opened.listed("churn", View.ALL, by(Kind.ATTRIBUTE, "start_time")) == CHURN
        assert opened.listed("churn", View.ALL, by(Kind.ATTRIBUTE, "start_time", descending=True)) == CHURN[::-1]

    def test_by_end_time_running_runs_last(self, opened: Opened) -> None:
        unfinished = ["running"] if opened.version >= (1, 5) else ["killed", "running"]
        for descending in (False, True):
            listed = opened.listed("churn", View.ALL, by(Kind.ATTRIBUTE, "end_time", descending=descending))
            assert listed[-len(unfinished) :] == unfinished

    def test_by_duration(self, opened: Opened) -> None:
        longest_first = opened.listed("churn", View.ALL, by(Kind.ATTRIBUTE, "duration", descending=True))
        assert longest_first[:4] == ["rf20", "rf10", "rf5", "logreg"]
        assert longest_first[-1] == "running"

    def test_by_status_then_metric(self, opened: Opened) -> None:
        order = (by(Kind.ATTRIBUTE, "status", descending=True), by(Kind.METRIC, "auc", descending=True))
        listed = opened.listed("churn", View.ACTIVE, *order)
        assert listed[:7] == ["running", "killed", "rf20", "rf10", "rf5", "logreg", "renamed"]
        assert listed[-1] == "diverged"

    def test_by_run_name_uses_the_column_as_mlflow_does(self, opened: Opened) -> None:
        listed = opened.listed("churn", View.ALL, by(Kind.ATTRIBUTE, "run_name"))
        if opened.version >= (1, 30):
            named = [label for label in listed if label != "unnamed"]
            assert named == sorted(named, key=lambda label: NAMES[label])
        else:
            assert listed == CHURN[::-1]  # all are empty there, so the tie-break decides


def test_columns_that_differ(opened: Opened) -> None:
    ids = [opened.fixture.run(label) for label in ("rf5", "rf10", "rf20")]
    columns = [str(column) for column in opened.store.differing_columns(ids)]
    assert columns == ["metrics.auc", "metrics.loss", "params.C", "params.max_depth"]
    alone = [str(column) for column in opened.store.differing_columns(ids[:1])]
    assert alone == [
        "metrics.auc",
        "metrics.loss",
        *(f"params.{key}" for key in ("C", "max_depth", "n_estimators", "solver")),
    ]
    assert opened.store.differing_columns([]) == ()


def test_nan_differs_from_zero_although_it_is_stored_as_zero(opened: Opened) -> None:
    ids = [opened.fixture.run(label) for label in ("diverged", "running")]
    with closing(sqlite3.connect(opened.fixture.db)) as connection, connection:
        for table in ("metrics", "latest_metrics") if opened.schema_version >= (1, 3) else ("metrics",):
            connection.execute(f"UPDATE {table} SET value = 0.0 WHERE run_uuid = ? AND key = 'auc'", ids[1:])
    assert Column(Kind.METRIC, "auc") in opened.store.differing_columns(ids)


def test_all_keys_of_runs(opened: Opened) -> None:
    ids = [opened.fixture.run(label) for label in ("diverged", "child0")]
    columns = [str(column) for column in opened.store.keys_of_runs(ids)]
    assert columns[:6] == [
        "metrics.auc",
        "metrics.loss",
        "metrics.only_inf",
        "metrics.score",
        "metrics.val_acc",
        "params.batch_size",
    ]
    assert columns[6] == "params.lr"
    assert {"tags.developer", "tags.mlflow.parentRunId", "tags.mlflow.user"} <= set(columns[7:])
    assert opened.store.keys_of_runs([]) == ()


class TestFind:
    @pytest.fixture
    def find(self, opened: Opened) -> Mapping[str, Sequence[str]]:
        columns = (Column(Kind.PARAM, "solver"), Column(Kind.PARAM, "unicode"), Column(Kind.TAG, "developer"))
        query = RunQuery((opened.fixture.experiment("churn"),), View.ALL)

        class Found(dict[str, Sequence[str]]):
            def __missing__(self, text: str) -> list[str]:
                found = opened.store.find_runs(query, text, columns)
                return sorted(opened.labels[run_id] for run_id in found)

        return Found()

    def test_names(self, find: Mapping[str, Sequence[str]]) -> None:
        assert find["rf-depth"] == find["RF-Depth"] == ["rf10", "rf20", "rf5"]
        assert find["running-now"] == ["running"]

    def test_shown_values_only(self, find: Mapping[str, Sequence[str]]) -> None:
        assert find["lbfgs"] == ["logreg"]
        assert find["carol"] == ["diverged"]
        assert find["bob"] == ["rf20", "rf5"]
        assert find["1e-3"] == []  # the value of a param that is not shown

    def test_statuses_and_ids(self, opened: Opened, find: Mapping[str, Sequence[str]]) -> None:
        assert find["failed"] == ["diverged"]
        assert find[opened.fixture.run("steps")[4:20].upper()] == ["steps"]

    def test_wildcards_are_plain_characters(self, find: Mapping[str, Sequence[str]]) -> None:
        assert find["100%"] == ["odd_name"]
        assert find["%"] == ["odd_name"]
        assert find["_"] == []
        assert find["\\"] == []
        assert find["`tick`"] == ["odd_name"]

    def test_any_alphabet(self, find: Mapping[str, Sequence[str]]) -> None:
        assert find["雪"] == ["odd_name"]
        assert find["ÜÑ"] == []
        assert find["üñî"] == ["logreg"]

    def test_only_the_case_of_ascii_letters_is_ignored(self, opened: Opened, find: Mapping[str, Sequence[str]]) -> None:
        with closing(sqlite3.connect(opened.fixture.db)) as connection, connection:
            connection.execute("UPDATE params SET value = 'GRÜN İ' WHERE key = 'unicode'")
        assert find["GRÜN İ"] == find["grÜn"] == ["logreg"]


def test_the_schema_is_known(opened: Opened) -> None:
    assert opened.store.notices == ()
