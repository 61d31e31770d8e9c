"""A database that is not what its schema promises: what is odd is shown as what it is or missing, what is gone is named."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import pytest

from mldeck.errors import MldeckError
from mldeck.model import Column, Kind, OrderKey, RunQuery, View
from mldeck.store.store import Store
from tests.fixture_stores import FixtureStore
from tests.hostile import damaged
from tests.hostile.damaged import FIXTURES, LONG, LONGEST_LINE, commands, complaint, damage, state, variant
from tests.store_rows import all_rows

Ask = Callable[..., tuple[int, str, str]]
CopyOf = Callable[[str], FixtureStore]

NEWEST, OLDEST = FIXTURES
BLOB = b"\x00\xff"


def change(store: FixtureStore, *statements: str, values: tuple[object, ...] = ()) -> None:
    with closing(sqlite3.connect(store.db)) as connection, connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        for statement in statements:
            connection.execute(statement, values)


def only_line(err: str) -> str:
    (line,) = err.splitlines()
    return line


def runs_as_json(ask: Ask, store: FixtureStore) -> tuple[dict[str, dict[str, object]], str]:
    """By id, and what was said beside them."""
    status, out, err = ask("runs", "-s", store.db, "--view", "all", "--format", "json")
    assert status == 0, err
    return {run["run_id"]: run for run in json.loads(out)}, err


def test_the_fuzzer_asks_what_a_whole_store_answers(store_copy: CopyOf, ask: Ask) -> None:
    for name in FIXTURES:
        store = store_copy(name)
        for words in commands(store):
            status, out, err = ask(*words)
            assert status == 0, words
            assert not err or re.fullmatch(r"mldeck: no run in .+ has .+\n", err), words
            assert out


@pytest.mark.parametrize("seed", range(24))
def test_no_damage_ends_in_a_traceback(seed: int, store_copy: CopyOf, ask: Ask) -> None:
    store = store_copy(FIXTURES[seed % len(FIXTURES)])
    what = variant(store.db, seed)
    damage(store.db, what)
    before = state(store.db)
    for words in commands(store):
        status, _, err = ask(*words)
        assert complaint(status, err) is None, (what, words, err)
    assert state(store.db) == before, what


def test_every_kind_of_damage_is_among_them(store_copy: CopyOf) -> None:
    db = store_copy(NEWEST).db
    assert {variant(db, seed).kind for seed in range(24)} == set(damaged.KINDS)


def test_a_column_takes_away_what_it_carries(store_copy: CopyOf, ask: Ask) -> None:
    store = store_copy(NEWEST)
    whole, _ = runs_as_json(ask, store)
    change(store, "ALTER TABLE runs RENAME COLUMN user_id TO owner")
    found, err = runs_as_json(ask, store)
    assert found == {run_id: run | {"user_id": None} for run_id, run in whole.items()}
    assert only_line(err) == f"mldeck: {store.db}: table runs has no column user_id"


@pytest.mark.parametrize(
    ("table", "column", "words"),
    [
        ("runs", "run_uuid", ["runs"]),
        ("runs", "experiment_id", ["runs"]),
        ("experiments", "name", ["experiments"]),
        ("params", "key", ["runs", "--format", "csv"]),
        ("latest_metrics", "value", ["runs"]),
        ("latest_metrics", "is_nan", ["runs"]),
        ("registered_models", "workspace", ["models"]),
        ("model_versions", "version", ["models"]),
        ("registered_model_aliases", "alias", ["models"]),
    ],
)
def test_a_column_that_nothing_can_be_made_without_is_named(
    table: str, column: str, words: list[str], store_copy: CopyOf, ask: Ask
) -> None:
    store = store_copy(NEWEST)
    change(store, f"ALTER TABLE {table} RENAME COLUMN {column} TO {column}_old")
    status, _, err = ask(*words, "-s", store.db)
    assert status == 1
    assert err.splitlines()[-1].startswith(f"mldeck: {store.db} ")
    assert err.endswith(f"no such column: {table}.{column}\n")


def test_a_table_that_others_need_is_named(store_copy: CopyOf, ask: Ask) -> None:
    store = store_copy(NEWEST)
    change(store, "DROP TABLE logged_model_params")
    run = store.run("model_logged")
    status, _, err = ask("artifacts", "list", run, "-s", store.db)
    assert status == 1
    assert only_line(err).endswith("no such table: logged_model_params")


def test_generated_columns_are_read(store_copy: CopyOf, ask: Ask) -> None:
    store = store_copy(NEWEST)
    whole, _ = runs_as_json(ask, store)
    change(
        store,
        "ALTER TABLE runs RENAME COLUMN user_id TO kept",
        "ALTER TABLE runs ADD COLUMN user_id AS (upper(kept))",
    )
    found, err = runs_as_json(ask, store)
    assert [run["user_id"] for run in found.values()] == [str(run["user_id"]).upper() for run in whole.values()]
    assert err == ""


@pytest.mark.parametrize("table", ["runs", "experiments", "latest_metrics", "params", "tags", "registered_models"])
def test_a_view_in_the_place_of_a_table_is_read(table: str, store_copy: CopyOf, ask: Ask) -> None:
    store = store_copy(NEWEST)
    questions = [["runs", "--format", "csv"], ["models"]]
    whole = [ask(*words, "-s", store.db) for words in questions]
    change(store, f"ALTER TABLE {table} RENAME TO base", f"CREATE VIEW {table} AS SELECT * FROM base")
    assert [ask(*words, "-s", store.db) for words in questions] == whole


def test_a_view_of_nothing_is_told_by_whoever_needs_it(store_copy: CopyOf, ask: Ask) -> None:
    store = store_copy(NEWEST)
    change(store, "DROP TABLE params", "CREATE VIEW params AS SELECT * FROM gone")
    assert ask("experiments", "-s", store.db)[0] == 0
    status, _, err = ask("runs", "-s", store.db)
    assert status == 1
    assert only_line(err).endswith("no such table: main.gone")


@pytest.mark.parametrize("value", ["yesterday", BLOB, float("inf"), LONG])
def test_a_time_that_is_no_number_is_missing(value: object, store_copy: CopyOf, ask: Ask) -> None:
    store = store_copy(NEWEST)
    run_id = store.run("logreg")
    whole, _ = runs_as_json(ask, store)
    change(store, f"UPDATE runs SET start_time = ? WHERE run_uuid = '{run_id}'", values=(value,))
    found, err = runs_as_json(ask, store)
    assert found == whole | {run_id: whole[run_id] | {"start_time": None}}
    assert only_line(err).startswith(f"mldeck: {store.db}: runs.start_time holds a value that is not a number (")
    assert len(err) < LONGEST_LINE
    columns = "run_id,start_time,end_time,duration"
    status, out, _ = ask(
        "runs", "-s", store.db, "--format", "csv", "--columns", columns, "-o", "end_time", "--limit", "0"
    )
    assert status == 0
    (line,) = (line for line in out.splitlines() if line.startswith(run_id))
    assert line == f"{run_id},,{whole[run_id]['end_time']},"
    by_duration = (OrderKey(Column(Kind.ATTRIBUTE, "duration")),)
    with closing(Store(store.db)) as opened:
        query = RunQuery((str(whole[run_id]["experiment_id"]),), View.ALL, by_duration)
        assert run_id not in opened.run_ids(replace(query, filter="duration >= 0s"))
        ids = opened.run_ids(query)
    lengths = [whole[each]["end_time"] for each in ids[: ids.index(run_id)]]
    assert None not in lengths  # it comes with those that have no duration


@pytest.mark.parametrize(
    ("value", "read"), [("12", 12), ("1700000000000.0", 1_700_000_000_000), (1_700_000_000_000.75, 1_700_000_000_000)]
)
def test_a_number_that_is_stored_as_another_kind_is_that_number(value: object, read: int, store_copy: CopyOf) -> None:
    store = store_copy(NEWEST)
    change(
        store, "CREATE TABLE bare AS SELECT * FROM runs", "DROP TABLE runs", "CREATE TABLE runs AS SELECT * FROM bare"
    )
    change(store, "UPDATE runs SET end_time = ?", values=(value,))
    with closing(Store(store.db)) as opened:
        details = opened.run_details(store.run("logreg"))
    assert details is not None
    assert details.run.end_time == read


@pytest.mark.parametrize("value", ["high", BLOB])
def test_a_metric_that_is_no_number_is_nan(value: object, store_copy: CopyOf, ask: Ask) -> None:
    store = store_copy(NEWEST)
    run_id = store.run("logreg")
    for table in ("metrics", "latest_metrics"):
        change(store, f"UPDATE {table} SET value = ? WHERE run_uuid = '{run_id}' AND key = 'auc'", values=(value,))
    found, err = runs_as_json(ask, store)
    metrics = found[run_id]["metrics"]
    assert isinstance(metrics, dict)
    assert metrics["auc"] == "nan"
    assert "latest_metrics.value holds a value that is not a number" in only_line(err)
    _, out, _ = ask("runs", "-s", store.db, "--format", "csv", "--columns", "run_id,metrics.auc", "--limit", "0")
    assert f"{run_id},nan" in out.splitlines()
    with closing(Store(store.db)) as opened:
        assert [str(each) for each in opened.read_history(run_id, "auc").values] == ["nan"]
        (span,) = opened.history_outline(run_id, "auc", 10)
        assert (span.low, span.high, span.nan_count) == (None, None, 1)
        query = RunQuery((str(found[run_id]["experiment_id"]),), View.ALL)
        best = opened.best_values(query, {"auc": True})["auc"]
    assert isinstance(best, float)


def test_points_without_a_step_or_a_time_are_left_out(store_copy: CopyOf) -> None:
    store = store_copy(NEWEST)
    run_id = store.run("logreg")
    with closing(Store(store.db)) as opened:
        whole = opened.read_history(run_id, "loss")
    change(
        store,
        f"UPDATE metrics SET step = 'third' WHERE run_uuid = '{run_id}' AND key = 'loss' AND step = {whole.steps[3]}",
        f"UPDATE metrics SET timestamp = x'00' WHERE run_uuid = '{run_id}' AND key = 'loss' AND step = {whole.steps[5]}",
    )
    with closing(Store(store.db)) as opened:
        found = opened.read_history(run_id, "loss")
        spans = opened.history_outline(run_id, "loss", 5)
    kept = [index for index in range(len(whole)) if index not in (3, 5)]
    assert list(found.steps) == [whole.steps[index] for index in kept]
    assert list(found.values) == [whole.values[index] for index in kept]
    assert (spans[0].first_step, spans[-1].last_step) == (whole.steps[0], whole.steps[-1])


@pytest.mark.parametrize(
    ("value", "shown"), [(5, "5"), (1.5, "1.5"), (b"bytes", "bytes"), (BLOB, "\0�"), ("CAST", "a�"), (None, None)]
)
def test_what_is_no_text_is_shown_as_what_it_is(value: object, shown: str | None, store_copy: CopyOf, ask: Ask) -> None:
    store = store_copy(NEWEST)
    change(store, "CREATE TABLE bare AS SELECT * FROM experiments", "DROP TABLE experiments")
    change(
        store,
        "CREATE TABLE experiments (experiment_id, name, artifact_location, lifecycle_stage, creation_time,"
        " last_update_time, workspace)",
        "INSERT INTO experiments SELECT experiment_id, name, artifact_location, lifecycle_stage, creation_time,"
        " last_update_time, workspace FROM bare",
    )
    if value == "CAST":
        change(store, "UPDATE experiments SET name = CAST(x'61ff' AS TEXT)")
    else:
        change(store, "UPDATE experiments SET name = ?", values=(value,))
    status, out, err = ask("experiments", "-s", store.db, "--format", "json")
    assert (status, err) == (0, "")
    assert {each["name"] for each in json.loads(out)} == {shown or ""}


def test_an_experiment_without_a_number_is_left_out(store_copy: CopyOf, ask: Ask) -> None:
    store = store_copy(NEWEST)
    change(
        store,
        "CREATE TABLE bare AS SELECT * FROM experiments",
        "DROP TABLE experiments",
        "ALTER TABLE bare RENAME TO experiments",
        "UPDATE experiments SET experiment_id = 'first' WHERE name = 'churn-baseline'",
    )
    status, out, err = ask("experiments", "-s", store.db, "--format", "json")
    assert status == 0
    names = {each["name"] for each in json.loads(out)}
    assert names
    assert "churn-baseline" not in names
    assert "experiments.experiment_id holds a value that is not a number (first)" in only_line(err)


def test_what_nobody_thought_of_is_said_in_one_line(store_copy: CopyOf) -> None:
    store = store_copy(NEWEST)
    with (
        closing(Store(store.db)) as opened,
        pytest.raises(MldeckError, match="cannot be read: ValueError: invalid literal"),
    ):
        opened.run_ids(RunQuery(("no number",)))


def test_messages_are_cut(store_copy: CopyOf, ask: Ask) -> None:
    store = store_copy(NEWEST)
    change(store, "UPDATE runs SET name = ?", values=(LONG,))
    status, _, err = ask("plot", LONG, "-s", store.db, "-m", "loss")
    assert status == 2
    assert len(only_line(err)) < LONGEST_LINE
    assert err.endswith("…\n")


def test_an_edit_puts_back_what_was_there_however_odd(store_copy: CopyOf) -> None:
    store = store_copy(NEWEST)
    run_id = store.run("logreg")
    change(store, f"UPDATE runs SET deleted_time = x'00ff', name = x'00ff' WHERE run_uuid = '{run_id}'")
    before = all_rows(store.db)
    with closing(Store(store.db)) as opened:
        done = opened.editor.delete_runs([run_id])
        assert all_rows(store.db) != before
        opened.editor.undo(done)
    assert all_rows(store.db) == before


def test_an_odd_value_of_a_dataset_column(store_copy: CopyOf) -> None:
    store = store_copy(NEWEST)
    change(store, "UPDATE datasets SET digest = x'61'", "DROP TABLE input_tags")
    run_id = store.run("parent")
    with closing(Store(store.db)) as opened:
        (row,) = opened.iter_rows([run_id], [Column(Kind.DATASET, "digest")])
        details = opened.run_details(run_id)
    assert details is not None
    assert details.datasets == ()
    assert row == [None]


def test_text_that_is_not_utf_8_is_read_in_every_way(store_copy: CopyOf, ask: Ask) -> None:
    store = store_copy(NEWEST)
    run_id = store.run("logreg")
    change(store, f"UPDATE params SET value = CAST(x'61ff' AS TEXT) WHERE run_uuid = '{run_id}' AND key = 'solver'")
    change(store, "UPDATE runs SET run_uuid = CAST(x'62ff' AS TEXT) WHERE run_uuid = ?", values=(store.run("rf5"),))
    found, err = runs_as_json(ask, store)
    params = found[run_id]["params"]
    assert isinstance(params, dict)
    assert (params["solver"], err) == ("a�", "")
    status, out, err = ask(
        "runs", "-s", store.db, "--format", "csv", "--columns", "run_id,params.solver", "--limit", "0"
    )
    assert (status, err) == (0, "")
    assert f"{run_id},a�" in out.splitlines()
    with closing(Store(store.db)) as opened:
        assert "b�" in opened.run_ids(RunQuery((str(found[run_id]["experiment_id"]),)))
