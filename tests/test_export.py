"""Files of runs: what is in them, that they are whole or not there, and what the store is asked for."""

from __future__ import annotations

import csv
import json
import os
import sqlite3
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mldeck.destination import AlreadyThere, Destination, NotWritten
from mldeck.errors import Interrupted
from mldeck.export import TABLE_FORMATS, Format, RunsShown, export_runs
from mldeck.model import Column, Kind, OrderKey, RunFields, RunQuery, View
from mldeck.run_text import markdown_lines
from mldeck.search.python import search_call
from mldeck.store.interrupt import Interrupt
from mldeck.store.runs.rows import ATTRIBUTES
from mldeck.store.store import Store
from tests.fixture_stores import FixtureStore
from tests.many_runs import EXPERIMENT_ID, add_many_runs, run_id_of

CopyOf = Callable[[str], FixtureStore]
RUN_ID, NAME = Column(Kind.ATTRIBUTE, "run_id"), Column(Kind.ATTRIBUTE, "run_name")
HOSTILE = '\x1b]0;owned\x07[/x]|\x9b31m\u202e`\n*second*,"line"\rend\\'
EVERYTHING = RunQuery(tuple(str(number) for number in range(12)), View.ALL)


@pytest.fixture
def fixture(store_copy: CopyOf) -> FixtureStore:
    return store_copy("mlflow-3.17.2")


@pytest.fixture
def store(fixture: FixtureStore) -> Iterator[Store]:
    opened = Store(fixture.db)
    yield opened
    opened.close()


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def all_columns(store: Store) -> tuple[Column, ...]:
    keys = store.keys_of_runs(store.run_ids(EVERYTHING))
    datasets = [Column(Kind.DATASET, key) for key in ("name", "digest", "context")]
    return (*(Column(Kind.ATTRIBUTE, name) for name in ATTRIBUTES), *keys, *datasets)


class TestRows:
    def test_they_are_what_the_records_say(self, fixture_store: FixtureStore) -> None:
        store = Store(fixture_store.db)
        columns = all_columns(store)
        ids = store.run_ids(EVERYTHING)
        fields = RunFields.of(columns)
        rows = list(store.iter_rows(ids, columns))
        assert len(rows) == len(ids)
        for row, record in zip(rows, store.iter_records(ids, fields), strict=True):
            for column, value in zip(columns, row, strict=True):
                if column.kind is Kind.ATTRIBUTE:
                    assert value == (getattr(record.run, column.key) or None), column
                else:
                    values = {
                        Kind.METRIC: record.metrics,
                        Kind.PARAM: record.params,
                        Kind.TAG: record.tags,
                        Kind.DATASET: record.datasets,
                    }
                    expected = values[column.kind].get(column.key)
                    assert value == expected or str(value) == str(expected) == "nan", column
        store.close()

    def test_runs_with_many_more_keys_than_are_wanted(self, fixture: FixtureStore, store: Store) -> None:
        run_id = fixture.run("rf10")
        with closing(sqlite3.connect(fixture.db)) as connection, connection:
            many = ((f"many/{number}", str(number), run_id) for number in range(3000))
            connection.executemany("INSERT INTO params (key, value, run_uuid) VALUES (?, ?, ?)", many)
        few = [Column(Kind.PARAM, "many/7"), Column(Kind.PARAM, "solver")]
        assert list(store.iter_rows([run_id], few)) == [["7", "rf"]]
        (row,) = store.iter_rows([run_id], [Column(Kind.PARAM, f"many/{number}") for number in range(3000)])
        assert row == [str(number) for number in range(3000)]

    def test_bytes_that_are_no_text_do_not_end_it(self, fixture: FixtureStore, store: Store) -> None:
        with closing(sqlite3.connect(fixture.db)) as connection, connection:
            connection.execute(
                "UPDATE params SET value = CAST(x'61ff62' AS TEXT) WHERE key = 'solver' AND run_uuid = ?",
                (fixture.run("rf10"),),
            )
        columns = [RUN_ID, Column(Kind.PARAM, "solver")]
        ids = [fixture.run("rf10"), fixture.run("logreg")]
        assert list(store.iter_rows(ids, columns)) == [[ids[0], "a\ufffdb"], [ids[1], "lbfgs"]]

    def test_a_run_that_is_gone_is_left_out(self, fixture: FixtureStore, store: Store) -> None:
        ids = [fixture.run("rf10"), "0" * 32, fixture.run("logreg")]
        assert list(store.iter_rows(ids, [RUN_ID])) == [[ids[0]], [ids[2]]]


class TestFiles:
    def test_csv(self, fixture: FixtureStore, store: Store, tmp_path: Path) -> None:
        auc = Column(Kind.METRIC, "auc")
        query = RunQuery((fixture.experiment("churn"),), order=(OrderKey(auc, True),), filter="params.solver = 'rf'")
        told: list[tuple[int, int]] = []
        count = export_runs(
            store,
            RunsShown(query, (RUN_ID, auc)),
            Destination(tmp_path / "runs.csv", ()),
            Format.CSV,
            progress=lambda done, total: told.append((done, total)),
        )
        ids = store.run_ids(query)
        lines = read_csv(tmp_path / "runs.csv")
        assert [line["run_id"] for line in lines] == ids
        assert list(lines[0]) == ["run_id", "metrics.auc"]
        assert count == len(ids)
        assert told[-1] == (count, count)

    def test_only_some_of_them(self, store: Store, tmp_path: Path) -> None:
        ids = store.run_ids(EVERYTHING)
        shown = RunsShown(EVERYTHING, (RUN_ID,), only=frozenset(ids[1:3]))
        assert export_runs(store, shown, Destination(tmp_path / "runs.csv", ()), Format.CSV) == 2
        assert [line["run_id"] for line in read_csv(tmp_path / "runs.csv")] == ids[1:3]

    def test_json(self, fixture: FixtureStore, store: Store, tmp_path: Path) -> None:
        columns = (Column(Kind.METRIC, "auc"), Column(Kind.METRIC, "loss"))
        shown = RunsShown(EVERYTHING, columns, {fixture.experiment("churn"): "churn-baseline"})
        export_runs(store, shown, Destination(tmp_path / "runs.json", ()), Format.JSON)
        text = (tmp_path / "runs.json").read_text("utf-8")
        found = {run["run_id"]: run for run in json.loads(text, parse_constant=lambda name: pytest.fail(name))}
        assert found[fixture.run("diverged")]["metrics"] == {"auc": "nan", "loss": "nan"}
        assert found[fixture.run("diverged")]["params"] == {}
        assert found[fixture.run("rf10")]["experiment"] == "churn-baseline"

    @pytest.mark.parametrize("form", TABLE_FORMATS)
    def test_any_text(self, fixture: FixtureStore, store: Store, tmp_path: Path, form: Format) -> None:
        path, run_id = tmp_path / f"runs{form.suffix}", fixture.run("rf10")
        with closing(sqlite3.connect(fixture.db)) as connection, connection:
            connection.execute("UPDATE runs SET name = ? WHERE run_uuid = ?", (HOSTILE, run_id))
            connection.execute("INSERT INTO params (key, value, run_uuid) VALUES (?, ?, ?)", (HOSTILE, HOSTILE, run_id))
        param = Column(Kind.PARAM, HOSTILE)
        shown = RunsShown(EVERYTHING, (RUN_ID, NAME, param), only={run_id})
        assert export_runs(store, shown, Destination(path, ()), form) == 1
        if form is Format.CSV:
            assert read_csv(path) == [{"run_id": run_id, "run_name": HOSTILE, str(param): HOSTILE}]
        elif form is Format.JSON:
            (run,) = json.loads(path.read_text("utf-8"))
            assert (run["run_name"], run["params"]) == (HOSTILE, {HOSTILE: HOSTILE})
        else:
            lines = path.read_text("utf-8").split("\n")
            assert len(lines) == 4
            assert all(line.isprintable() for line in lines)
            # A bar that is not escaped ends a cell.
            assert [line.replace("\\\\", "").replace("\\|", "").count("|") for line in lines[:3]] == [4, 4, 4]

    def test_no_runs(self, store: Store, tmp_path: Path) -> None:
        for form, text in (
            (Format.CSV, "run_id,run_name\n"),
            (Format.JSON, "[]\n"),
            (Format.MARKDOWN, "| run_id | run_name |\n| --- | --- |\n"),
        ):
            path = tmp_path / f"runs{form.suffix}"
            assert export_runs(store, RunsShown(RunQuery(("999",)), (RUN_ID, NAME)), Destination(path, ()), form) == 0
            assert path.read_text().replace("\\_", "_") == text


def test_markdown_is_for_people() -> None:
    columns = (NAME, Column(Kind.METRIC, "rmse"), Column(Kind.PARAM, "rmse"), Column(Kind.ATTRIBUTE, "duration"))
    rows = [["_a_ max_depth <b>", 0.1 + 0.2, None, 61_000], ["[x](http://y)", float("nan"), "1", None]]
    assert list(markdown_lines(columns, rows)) == [
        "| run_name | metrics.rmse | params.rmse | duration |\n",
        "| --- | ---: | --- | ---: |\n",
        "| \\_a\\_ max_depth \\<b\\> | 0.30000000000000004 | – | 1m 01s |\n",
        "| \\[x\\](http\\://y) | NaN | 1 | – |\n",
    ]


class TestWholeOrNotAtAll:
    SHOWN = RunsShown(EVERYTHING, (RUN_ID,))

    def test_nothing_is_replaced_unless_told(self, store: Store, tmp_path: Path) -> None:
        path = tmp_path / "runs.csv"
        path.write_text("precious")
        with pytest.raises(AlreadyThere, match=r"runs\.csv was not written: it already exists"):
            export_runs(store, self.SHOWN, Destination(path, ()), Format.CSV)
        assert path.read_text() == "precious"
        assert export_runs(store, self.SHOWN, Destination(path, (), replace=True), Format.CSV) > 0
        assert path.read_text().startswith("run_id\n")
        assert not [each.name for each in tmp_path.iterdir() if each.suffix == ".part"]

    def test_a_file_that_appears_meanwhile_stays(self, store: Store, tmp_path: Path) -> None:
        path = tmp_path / "out" / "runs.csv"
        path.parent.mkdir()

        def make(done: int, total: int) -> None:
            path.write_text("precious")

        with pytest.raises(AlreadyThere):
            export_runs(store, self.SHOWN, Destination(path, ()), Format.CSV, progress=make)
        assert [each.read_text() for each in path.parent.iterdir()] == ["precious"]

    def test_what_a_link_leads_to_is_replaced(self, store: Store, tmp_path: Path) -> None:
        (tmp_path / "real.csv").write_text("old")
        (tmp_path / "link.csv").symlink_to("real.csv")
        export_runs(store, self.SHOWN, Destination(tmp_path / "link.csv", (), replace=True), Format.CSV)
        assert (tmp_path / "link.csv").is_symlink()
        assert (tmp_path / "real.csv").read_text().startswith("run_id\n")

    def test_stopped(self, store: Store, tmp_path: Path) -> None:
        folder = tmp_path / "out"
        folder.mkdir()
        interrupt = Interrupt()
        seen: list[list[str]] = []

        def stop(done: int, total: int) -> None:
            seen.append([each.name for each in folder.iterdir()])
            if done:
                interrupt.fire()

        with pytest.raises(Interrupted):
            export_runs(
                store, self.SHOWN, Destination(folder / "runs.csv", ()), Format.CSV, progress=stop, interrupt=interrupt
            )
        assert len(seen) == 2
        assert all(len(names) == 1 and names[0] != "runs.csv" for names in seen)
        assert not list(folder.iterdir())

    @pytest.mark.parametrize("name", ["no/runs.csv", ".", "x" * 300, "a\0b"])
    def test_places_that_cannot_be(self, store: Store, tmp_path: Path, name: str) -> None:
        with pytest.raises(NotWritten):
            export_runs(store, self.SHOWN, Destination(tmp_path / name, (), replace=True), Format.CSV)
        assert not list(tmp_path.glob("*.part")) + list(tmp_path.glob(".*.part"))

    def test_never_the_database_itself(self, fixture: FixtureStore, store: Store) -> None:
        before = fixture.db.read_bytes()
        link = fixture.path / "innocent.csv"
        link.symlink_to(fixture.db)
        hard = fixture.path / "hard.csv"
        os.link(fixture.db, hard)
        for path in (fixture.db, Path(f"{fixture.db}-wal"), link, hard):
            with pytest.raises(NotWritten, match="tracking database itself"):
                export_runs(store, self.SHOWN, Destination(path, (fixture.db,), replace=True), Format.CSV)
        assert fixture.db.read_bytes() == before


def test_memory_does_not_grow_with_the_runs(fixture: FixtureStore, store: Store, tmp_path: Path) -> None:
    add_many_runs(fixture.db, 20_000)
    columns = (RUN_ID, Column(Kind.METRIC, "loss"), Column(Kind.PARAM, "seed"))
    query = RunQuery((EXPERIMENT_ID,))
    ids_alone = 20_000 * 130
    store.run_ids(query, 1)
    tracemalloc.start()
    count = export_runs(store, RunsShown(query, columns), Destination(tmp_path / "runs.csv", ()), Format.CSV)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 20_000
    assert peak < ids_alone + 8_000_000
    lines = read_csv(tmp_path / "runs.csv")
    assert lines[0] == {"run_id": run_id_of(19_999), "metrics.loss": lines[0]["metrics.loss"], "params.seed": "19999"}
    assert len(lines) == 20_000


class TestPython:
    def test_quoting(self) -> None:
        order = (OrderKey(Column(Kind.METRIC, "a b"), True), OrderKey(Column(Kind.PARAM, "x"), as_number=True))
        text = search_call(RunQuery(("1",), View.DELETED, order, 'tags.a = "it\'s"'), [HOSTILE])
        called: dict[str, object] = {}
        assert text.isascii()
        code = text.replace("import mlflow\nfrom mlflow.entities import ViewType\n", "")
        exec(code, {"mlflow": _Recorder(called), "ViewType": _Views})  # our own words, and quoted texts
        assert called == {
            "experiment_names": [HOSTILE],
            "filter_string": 'tags.a = "it\'s"',
            "run_view_type": "deleted",
            "order_by": ["metrics.`a b` DESC", "params.x ASC"],
        }
        assert "# MLflow sorts 'params.x' as text" in text

    def test_what_mlflow_cannot_do_is_said(self) -> None:
        order = (OrderKey(Column(Kind.ATTRIBUTE, "duration")),)
        text = search_call(RunQuery(("1",), order=order, filter="candidate or metrics.a > 1"), ["x"])
        assert "# MLflow does not accept this filter" in text
        assert "# MLflow cannot sort by 'attributes.duration'" in text
        assert "order_by" not in text
        assert "#" not in search_call(RunQuery(("1",), filter="metrics.a > 1"), ["x"])


class _Recorder:
    def __init__(self, called: dict[str, object]) -> None:
        self._called = called

    def search_runs(self, **arguments: object) -> None:
        self._called.update(arguments)


class _Views:
    DELETED_ONLY = "deleted"
