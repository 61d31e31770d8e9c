"""Changing a file on another machine: one short transaction there, waiting, cancelling, refusals, and lost answers."""

from __future__ import annotations

import os
import shlex
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from mldeck.errors import Interrupted, MldeckError, Overtaken, PerhapsWritten, StoreUnavailable
from mldeck.model import RUN_NAME_TAG, View
from mldeck.registry.plan import plan_transition
from mldeck.store import backend as backend_module
from mldeck.store.backend import written
from mldeck.store.edits.changes import RowChange, RowSet
from mldeck.store.edits.db_rows import Outcome, outcome, write_rows
from mldeck.store.edits.editor import StoreEditor
from mldeck.store.edits.runs import delete_runs, rename_run
from mldeck.store.interrupt import Interrupt
from mldeck.store.registry.editor import RegistryEditor
from mldeck.store.ssh import channel as channel_module
from mldeck.store.ssh import frames
from mldeck.store.ssh.backend import SshBackend
from mldeck.store.ssh.channel import Channel, NoAnswer
from mldeck.store.ssh.frames import Answer
from mldeck.store.ssh.writer import SshWriter
from mldeck.store.store import Store
from tests.editing import NEWEST, sql
from tests.far_hosts import (
    ENDLESS,
    FarStore,
    far_file,
    far_store,
    line_to,
    shell_for_ssh,
    use_as_ssh,
    writer_over,
)
from tests.fixture_stores import FixtureStore
from tests.registry_rooms import MODEL
from tests.store.ssh.test_far_files import without_powers_over_there
from tests.store.ssh.test_faults import GONE_WITHIN_S, LONGEST_WAIT_S, is_alive, wait_until
from tests.store.test_files import crash_a_writer
from tests.store.test_writing import FAST_S, READER, SOON_S, WRITER, held
from tests.store_rows import all_rows, difference

CopyOf = Callable[[str], FixtureStore]


@pytest.fixture
def fixture(store_copy: CopyOf) -> FixtureStore:
    return store_copy(NEWEST)


@pytest.fixture
def pids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[int]]:
    """The processes at the far end, in the order in which they were started."""
    log = tmp_path / "pids"
    log.touch()
    use_as_ssh(monkeypatch, shell_for_ssh(f"echo $$ >> {shlex.quote(str(log))}"))
    return lambda: [int(line) for line in log.read_text().split()]


@pytest.fixture
def far(fixture: FixtureStore, pids: object) -> Iterator[FarStore]:
    with far_store(fixture.db, may_write=True) as store:
        store.line._delay_s = 0.05
        yield store


def writer_of(far: FarStore, wait_s: float = 20.0, look_up_wait_s: float = LONGEST_WAIT_S) -> SshWriter:
    assert isinstance(far._backend, SshBackend)
    return writer_over(far._backend, wait_s, None, look_up_wait_s)


def editor_of(far: FarStore, wait_s: float = 20.0, look_up_wait_s: float = LONGEST_WAIT_S) -> StoreEditor:
    return StoreEditor(writer_of(far, wait_s, look_up_wait_s), None)


def name_tag(fixture: FixtureStore) -> str:
    found = sql(fixture, "SELECT value FROM tags WHERE run_uuid = ? AND key = ?", fixture.run("rf5"), RUN_NAME_TAG)
    return str(found[0][0])


def lose(far: FarStore) -> None:
    assert far.line._channel is not None
    far.line._channel._process.kill()


# One short transaction


def test_a_change_is_one_request_after_the_looks(far: FarStore, fixture: FixtureStore) -> None:
    done: list[str] = []

    def noted(channel: Channel, stream: int, request: dict[str, Any]) -> Answer:
        done.append(request["do"])
        return original(channel, stream, request)

    original = Channel.commit
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Channel, "commit", noted)
        requests = far.line.traffic.requests
        writer = writer_of(far)
        StoreEditor(writer, None).rename_run(fixture.run("rf5"), "far away")
    assert done == ["write"]
    assert far.line.traffic.requests - requests <= 6
    assert name_tag(fixture) == "far away"
    assert writer.lock_s is not None
    assert writer.lock_s > 0


def test_a_promotion_takes_few_trips(far: FarStore) -> None:
    plan = plan_transition(far.registry().versions(MODEL), 4, "Production", True)
    requests = far.line.traffic.requests
    far.registry_editor().transition(plan, "why")
    assert far.line.traffic.requests - requests <= 8


def test_nothing_is_locked_while_it_is_decided(far: FarStore, fixture: FixtureStore) -> None:
    """Neither by looks before the first change, nor by those after it."""
    with writer_of(far).writing() as (connection, schema):
        rename_run(connection, schema, fixture.run("rf5"), "far away")
        names = text("SELECT value FROM tags WHERE run_uuid = :run AND key = :key")
        values = {"run": fixture.run("rf5"), "key": RUN_NAME_TAG}
        assert connection.execute(names, values).scalar() == "far away", "as it will be"
        assert name_tag(fixture) != "far away"
        with held(fixture.db, "BEGIN IMMEDIATE"):
            pass
    assert name_tag(fixture) == "far away"


def test_an_edit_is_made_anew_when_others_overtake_it(far: FarStore, fixture: FixtureStore) -> None:
    made: list[Any] = []

    def edit(connection: Any, schema: Any) -> None:
        rename_run(connection, schema, fixture.run("rf5"), "mine")
        if not made:
            sql(fixture, "UPDATE tags SET value = 'theirs' WHERE run_uuid = ?", fixture.run("rf5"))
        made.append(1)

    written(writer_of(far), edit)
    assert len(made) == 2
    assert name_tag(fixture) == "mine"


def test_overtaken_after_the_first_change(far: FarStore, fixture: FixtureStore) -> None:
    """The id that the database gave at the first try may be given to somebody else before the commit."""
    made: list[Any] = []

    def edit(connection: Any, schema: Any) -> int:
        connection.execute(text("INSERT INTO experiments (name, lifecycle_stage) VALUES ('ours', 'active')"))
        number = connection.execute(text("SELECT experiment_id FROM experiments WHERE name = 'ours'")).scalar_one()
        if not made:
            sql(fixture, "INSERT INTO experiments (name, lifecycle_stage) VALUES ('theirs', 'active')")
        made.append(number)
        return int(number)

    number = written(writer_of(far), edit)
    assert made == [number - 1, number]
    assert sql(fixture, "SELECT name FROM experiments WHERE experiment_id = ?", number) == [("ours",)]


def test_an_edit_that_is_overtaken_again_and_again_is_given_up(
    far: FarStore, fixture: FixtureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backend_module, "OVERTAKEN_WAIT_S", FAST_S)
    count = 0

    def edit(connection: Any, schema: Any) -> None:
        nonlocal count
        rename_run(connection, schema, fixture.run("rf5"), "mine")
        count += 1
        sql(fixture, "UPDATE tags SET value = ? WHERE run_uuid = ?", f"theirs {count}", fixture.run("rf5"))

    with pytest.raises(Overtaken, match="the database was changed meanwhile; nothing was changed from here"):
        written(writer_of(far), edit)
    assert name_tag(fixture) == f"theirs {count}"


def test_an_edit_is_based_on_the_state_when_it_gets_the_lock(far: FarStore, fixture: FixtureStore) -> None:
    with held(fixture.db, "BEGIN IMMEDIATE", "UPDATE runs SET lifecycle_stage = 'deleted'") as other:
        timer = threading.Timer(FAST_S, other.execute, ["COMMIT"])
        timer.start()
        with pytest.raises(MldeckError, match="is deleted; restore it first"):
            editor_of(far).rename_run(fixture.run("rf5"), "x")
        timer.join()


def test_a_new_table_counts_as_a_change(far: FarStore, fixture: FixtureStore) -> None:
    made: list[Any] = []

    def edit(connection: Any, schema: Any) -> None:
        rename_run(connection, schema, fixture.run("rf5"), "mine")
        if not made:
            sql(fixture, "ALTER TABLE runs ADD COLUMN another TEXT")
        made.append("another" in schema._columns["runs"])

    written(writer_of(far), edit)
    assert made == [False, True]


def test_many_writers_all_succeed(far: FarStore, fixture: FixtureStore) -> None:
    runs = [fixture.run(label) for label in ("rf5", "rf10", "rf20", "steps")]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: editor_of(far).set_run_tag(runs, f"k{number}", str(number)), range(12)))
    assert sql(fixture, "SELECT count(*) FROM tags WHERE key GLOB 'k[0-9]*'") == [(12 * len(runs),)]


# Waiting for the lock


@pytest.mark.parametrize("statements", [WRITER, READER], ids=["writer", "reader"])
def test_it_waits_until_the_lock_is_free(statements: tuple[str, ...], far: FarStore, fixture: FixtureStore) -> None:
    with held(fixture.db, *statements) as other:
        timer = threading.Timer(FAST_S, other.execute, ["ROLLBACK"])
        timer.start()
        started = time.monotonic()
        editor_of(far).rename_run(fixture.run("rf5"), "after them")
        assert time.monotonic() - started > FAST_S / 2
        timer.join()
    assert name_tag(fixture) == "after them"


@pytest.mark.parametrize("statements", [WRITER, READER], ids=["writer", "reader"])
def test_a_lock_that_stays_is_reported_and_nothing_is_changed(
    statements: tuple[str, ...], far: FarStore, fixture: FixtureStore
) -> None:
    before = all_rows(fixture.db)
    with (
        held(fixture.db, *statements),
        pytest.raises(StoreUnavailable, match=r"locked by another program for 0\.3 s; nothing was changed"),
    ):
        editor_of(far, FAST_S).rename_run(fixture.run("rf5"), "never")
    assert difference(before, all_rows(fixture.db)) == {}
    editor_of(far).rename_run(fixture.run("rf5"), "now")


@pytest.mark.parametrize("statements", [WRITER, READER], ids=["writer", "reader"])
def test_waiting_can_be_cancelled_at_once(statements: tuple[str, ...], far: FarStore, fixture: FixtureStore) -> None:
    before = all_rows(fixture.db)
    interrupt = Interrupt()
    with held(fixture.db, *statements):
        threading.Timer(FAST_S, interrupt.fire).start()
        started = time.monotonic()
        with pytest.raises(Interrupted, match="nothing was changed"):
            editor_of(far).rename_run(fixture.run("rf5"), "never", interrupt)
        assert time.monotonic() - started < SOON_S
    assert difference(before, all_rows(fixture.db)) == {}


def test_a_look_is_interrupted(far: FarStore) -> None:
    interrupt = Interrupt()
    threading.Timer(FAST_S, interrupt.fire).start()
    with pytest.raises(Interrupted), writer_of(far).writing(interrupt) as (connection, _):
        connection.exec_driver_sql(ENDLESS)


def test_an_edit_cancelled_before_the_commit_is_not_written(far: FarStore, fixture: FixtureStore) -> None:
    before = all_rows(fixture.db)
    interrupt = Interrupt()

    def half() -> None:
        with writer_of(far).writing(interrupt) as (connection, schema):
            rename_run(connection, schema, fixture.run("rf5"), "never")
            interrupt.fire()

    with pytest.raises(Interrupted):
        half()
    assert difference(before, all_rows(fixture.db)) == {}


# All or nothing


@pytest.mark.parametrize("error", [RuntimeError("mine"), MldeckError("refused"), KeyboardInterrupt()])
def test_an_error_in_the_middle_changes_nothing(error: BaseException, far: FarStore, fixture: FixtureStore) -> None:
    before = all_rows(fixture.db)

    def half() -> None:
        with writer_of(far).writing() as (connection, schema):
            rename_run(connection, schema, fixture.run("rf5"), "half")
            delete_runs(connection, schema, [fixture.run("rf10")], 1)
            raise error

    with pytest.raises(type(error)):
        half()
    assert difference(before, all_rows(fixture.db)) == {}


@pytest.mark.parametrize("table", ["runs", "tags"])
def test_a_database_error_in_the_middle_changes_nothing(table: str, far: FarStore, fixture: FixtureStore) -> None:
    sql(fixture, f"CREATE TRIGGER broken BEFORE UPDATE ON {table} BEGIN SELECT RAISE(ABORT, 'no room'); END")
    before = all_rows(fixture.db)
    with pytest.raises(MldeckError, match="no room; nothing was changed"):
        editor_of(far).rename_run(fixture.run("rf5"), "half")
    assert difference(before, all_rows(fixture.db)) == {}


def test_foreign_keys_are_enforced(far: FarStore) -> None:
    orphan = RowSet("tags", ("key", "run_uuid"), ("value",), (RowChange(("k", "0" * 32), None, ("v",)),))
    with (
        pytest.raises(MldeckError, match="FOREIGN KEY constraint failed; nothing was changed"),
        writer_of(far).writing() as (connection, _),
    ):
        write_rows(connection, [orphan])


def test_a_full_disk(fixture: FixtureStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands for it is a limit of the size of files over there."""
    use_as_ssh(monkeypatch, shell_for_ssh("ulimit -f 8; trap '' XFSZ"))
    before = all_rows(fixture.db)
    with far_store(fixture.db, may_write=True) as far:
        with pytest.raises(MldeckError, match=r"could not be changed: .*(full|disk I/O error).*; nothing was changed"):
            editor_of(far).set_run_note([fixture.run("rf5")], "x" * 8_000)
        assert far.run_counts()
    assert difference(before, all_rows(fixture.db)) == {}


# Refusals


def test_without_leave_the_far_end_writes_nothing(fixture: FixtureStore) -> None:
    before = all_rows(fixture.db)
    with line_to(fixture.db) as line:
        line.hello()
        change: Any = ("DELETE FROM tags", [[]], None)
        request = {"do": "write", "steps": [change], "ask": [], "until": time.monotonic() + 9, "wait_s": 9}
        with pytest.raises(MldeckError, match="is only read"):
            line.ask(1, request)
    assert difference(before, all_rows(fixture.db)) == {}


def test_leave_that_is_given_later(fixture: FixtureStore) -> None:
    with line_to(fixture.db) as line:
        line.hello()
        line.allow_writing()
        line.hello()
        store = FarStore(line)
        assert store.read_only_reason is None
        editor_of(store).rename_run(fixture.run("rf5"), "now")
    assert name_tag(fixture) == "now"


def test_read_only_wins(fixture: FixtureStore) -> None:
    with line_to(fixture.db, may_write=True) as line:
        line.hello()
        backend = SshBackend(line, read_only=True)
        assert backend.read_only_reason == "opened with --read-only"
        with pytest.raises(MldeckError, match="cannot be changed: opened with --read-only"):
            backend.writer().check_writable()
        backend.close()


def test_a_change_that_arrives_too_late_is_not_made(far: FarStore, fixture: FixtureStore) -> None:
    """The near end may have looked already, and said that it was not written."""
    before = all_rows(fixture.db)
    change: Any = ("DELETE FROM tags", [[]], None)
    with pytest.raises(StoreUnavailable, match="arrived too late; nothing was changed"):
        far.line.ask(9, {"do": "write", "steps": [change], "ask": [], "until": time.monotonic() - 1, "wait_s": 9})
    assert difference(before, all_rows(fixture.db)) == {}


@pytest.mark.parametrize("when", ["before", "later"])
@pytest.mark.parametrize("what", ["file", "folder"])
def test_read_only_by_file_mode(what: str, when: str, fixture: FixtureStore, monkeypatch: pytest.MonkeyPatch) -> None:
    target = fixture.db if what == "file" else fixture.path
    mode = target.stat().st_mode & 0o777
    with without_powers_over_there(monkeypatch):
        if when == "before":
            target.chmod(mode & ~0o222)
        try:
            with far_store(fixture.db, may_write=True) as far:
                target.chmod(mode & ~0o222)
                if when == "before":
                    assert (
                        far.read_only_reason == f"{'the file' if what == 'file' else 'its folder'} cannot be written to"
                    )
                with pytest.raises(MldeckError, match=r"cannot be (changed|written)"):
                    editor_of(far).rename_run(fixture.run("rf5"), "x")
        finally:
            target.chmod(mode)


def test_a_newer_mlflow_is_only_read(far: FarStore, fixture: FixtureStore) -> None:
    sql(fixture, "UPDATE alembic_version SET version_num = 'fedcba987654'")
    before = all_rows(fixture.db)
    with pytest.raises(MldeckError, match="newer MLflow than this mldeck knows"):
        editor_of(far).rename_run(fixture.run("rf5"), "x")
    assert difference(before, all_rows(fixture.db)) == {}


def test_half_a_character(far: FarStore, fixture: FixtureStore) -> None:
    before = all_rows(fixture.db)
    with pytest.raises(MldeckError, match="nothing was changed: the text contains"):
        editor_of(far).set_run_note([fixture.run("rf5")], "\udcff")
    assert difference(before, all_rows(fixture.db)) == {}


# The file afterwards


def test_write_ahead_log(fixture: FixtureStore) -> None:
    sql(fixture, "PRAGMA journal_mode = WAL")
    with far_store(fixture.db, may_write=True) as far:
        with held(fixture.db, *READER):
            edit = editor_of(far, FAST_S).rename_run(fixture.run("rf5"), "in the log")
        with held(fixture.db, *WRITER), pytest.raises(StoreUnavailable, match="locked"):
            editor_of(far, FAST_S).undo(edit)
        assert name_tag(fixture) == "in the log"
        wait_until(lambda: quietly(far.poll) is not None)
        assert far.run_details(fixture.run("rf5")).run.run_name == "in the log"  # type: ignore[union-attr]
    assert sql(fixture, "PRAGMA journal_mode") == [("wal",)]


def quietly(call: Callable[[], Any]) -> Any:
    with suppress(StoreUnavailable):
        return call()
    return None


def test_the_file_is_left_as_mlflow_keeps_it(far: FarStore, fixture: FixtureStore) -> None:
    before = sql(fixture, "PRAGMA schema_version")
    editor_of(far).delete_experiments([fixture.experiment("churn")])
    assert sql(fixture, "PRAGMA schema_version") == before
    assert sql(fixture, "PRAGMA journal_mode") == [("delete",)]
    assert sql(fixture, "PRAGMA integrity_check") == [("ok",)]
    assert not list(fixture.path.glob("mlflow.db-*"))


def test_what_a_crashed_writer_left_is_put_right_where_mldeck_may_write(fixture: FixtureStore) -> None:
    crash_a_writer(fixture.db)
    with far_store(fixture.db, may_write=True) as far:
        assert far.experiments(View.ALL)
    assert not list(fixture.path.glob("mlflow.db-*"))


# Lost lines


def test_a_line_that_is_lost_before_the_commit(far: FarStore, fixture: FixtureStore) -> None:
    before = all_rows(fixture.db)

    def half() -> None:
        with writer_of(far).writing() as (connection, schema):
            rename_run(connection, schema, fixture.run("rf5"), "never")
            lose(far)
            wait_until(lambda: far.line.is_lost)

    with pytest.raises(StoreUnavailable, match="connection to elsewhere lost"):
        half()
    assert difference(before, all_rows(fixture.db)) == {}


def test_a_request_that_is_cut_in_its_middle(
    far: FarStore, fixture: FixtureStore, pids: Callable[[], list[int]]
) -> None:
    """The far end has not got all of it, so it makes none of it."""
    before = all_rows(fixture.db)
    original = frames.request_frame

    def cut(kind: int, number: int, request: dict[str, Any]) -> bytes:
        data = original(kind, number, request)
        if request.get("do") == "write":
            threading.Timer(0.2, lose, [far]).start()
            return data[: len(data) // 2]
        return data

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(channel_module, "request_frame", cut)
        with pytest.raises((StoreUnavailable, PerhapsWritten)):
            editor_of(far, FAST_S, FAST_S).rename_run(fixture.run("rf5"), "never")
    assert difference(before, all_rows(fixture.db)) == {}


def lost_after(monkeypatch: pytest.MonkeyPatch, far: FarStore, then: Callable[[], object] = lambda: None) -> None:
    """Let the answer to the next commit be lost, together with the line, after it was written over there."""
    original = Channel.commit

    def commit(channel: Channel, stream: int, request: dict[str, Any]) -> Answer:
        monkeypatch.setattr(Channel, "commit", original)
        original(channel, stream, request)
        then()
        lose(far)
        wait_until(lambda: far.line.is_lost)
        raise NoAnswer("connection to elsewhere lost")

    monkeypatch.setattr(Channel, "commit", commit)


def test_a_commit_whose_answer_is_lost_is_looked_up(
    far: FarStore, fixture: FixtureStore, monkeypatch: pytest.MonkeyPatch, pids: Callable[[], list[int]]
) -> None:
    lost_after(monkeypatch, far)
    edit = editor_of(far).rename_run(fixture.run("rf5"), "written")
    assert edit.summary == "renamed run rf-depth-5 to written"
    assert len(pids()) == 2
    assert name_tag(fixture) == "written"
    editor_of(far).undo(edit)


CHANGES: dict[str, Callable[[StoreEditor, RegistryEditor, FixtureStore, Store], object]] = {
    "delete": lambda runs, models, fixture, store: runs.delete_runs([fixture.run("rf5")]),
    "create experiment": lambda runs, models, fixture, store: runs.create_experiment("fresh"),
    "rename model": lambda runs, models, fixture, store: models.rename_model(MODEL, "other name"),
    "delete model": lambda runs, models, fixture, store: models.delete_model(MODEL),
    "promote": lambda runs, models, fixture, store: models.transition(
        plan_transition(store.registry().versions(MODEL), 4, "Production", True), "why"
    ),
    "unrecorded": lambda runs, models, fixture, store: models.set_alias(MODEL, "fresh", 2),
}


@pytest.mark.parametrize("name", CHANGES)
def test_every_kind_of_change_is_told_from_none(
    name: str, far: FarStore, fixture: FixtureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = all_rows(fixture.db)
    writer = writer_of(far, FAST_S)
    editors = StoreEditor(writer, fixture.path), RegistryEditor(writer)

    def never(channel: Channel, stream: int, request: dict[str, Any]) -> Answer:
        monkeypatch.setattr(Channel, "commit", original)
        raise NoAnswer("the line broke")

    original = Channel.commit
    monkeypatch.setattr(Channel, "commit", never)
    started = time.monotonic()
    with pytest.raises(StoreUnavailable, match="connection to elsewhere lost: the change was not written"):
        CHANGES[name](*editors, fixture, far)
    assert time.monotonic() - started > FAST_S, "until then the far end could still have written it"
    assert difference(before, all_rows(fixture.db)) == {}
    lost_after(monkeypatch, far)
    CHANGES[name](*editors, fixture, far)
    assert difference(before, all_rows(fixture.db)) != {}


def test_others_changed_the_same_meanwhile(
    far: FarStore, fixture: FixtureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change() -> None:
        sql(fixture, "UPDATE tags SET value = 'theirs' WHERE run_uuid = ?", fixture.run("rf5"))
        sql(fixture, "UPDATE runs SET name = 'theirs' WHERE run_uuid = ?", fixture.run("rf5"))

    lost_after(monkeypatch, far, change)
    with pytest.raises(PerhapsWritten, match="whether it was is not known: others have changed the same since"):
        editor_of(far, FAST_S).rename_run(fixture.run("rf5"), "mine")


def test_a_line_that_does_not_come_back(far: FarStore, fixture: FixtureStore, monkeypatch: pytest.MonkeyPatch) -> None:
    lost_after(monkeypatch, far, lambda: use_as_ssh(monkeypatch, shell_for_ssh(after="exit 255")))
    with pytest.raises(PerhapsWritten, match="this could not be looked up"):
        editor_of(far, FAST_S, FAST_S).rename_run(fixture.run("rf5"), "written")
    assert name_tag(fixture) == "written"


def test_looking_up_can_be_cancelled(far: FarStore, fixture: FixtureStore, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt = Interrupt()
    lost_after(monkeypatch, far, lambda: use_as_ssh(monkeypatch, shell_for_ssh(after="exit 255")))
    threading.Timer(2 * FAST_S, interrupt.fire).start()
    started = time.monotonic()
    with pytest.raises(PerhapsWritten):
        editor_of(far).rename_run(fixture.run("rf5"), "written", interrupt)
    assert time.monotonic() - started < SOON_S


@pytest.mark.parametrize("statements", [WRITER, READER], ids=["for the lock", "in the commit"])
def test_the_far_end_is_killed_while_it_waits(
    statements: tuple[str, ...], far: FarStore, fixture: FixtureStore, pids: Callable[[], list[int]]
) -> None:
    before = all_rows(fixture.db)
    with held(fixture.db, *statements) as other:
        threading.Timer(FAST_S, os.kill, [pids()[0], signal.SIGKILL]).start()
        threading.Timer(3 * FAST_S, other.execute, ["ROLLBACK"]).start()
        with pytest.raises(StoreUnavailable, match="the change was not written"):
            editor_of(far, 4 * FAST_S).rename_run(fixture.run("rf5"), "never")
    assert difference(before, all_rows(fixture.db)) == {}
    editor_of(far).rename_run(fixture.run("rf5"), "now")
    assert sql(fixture, "PRAGMA integrity_check") == [("ok",)]


def test_the_near_end_is_gone_while_the_far_end_waits(fixture: FixtureStore, pids: Callable[[], list[int]]) -> None:
    """The far end writes nothing any more, and is gone soon."""
    before = all_rows(fixture.db)
    with far_store(fixture.db, may_write=True) as far, held(fixture.db, *READER):

        def write() -> None:
            with suppress(MldeckError):
                editor_of(far, 30, FAST_S).rename_run(fixture.run("rf5"), "x")

        writing = threading.Thread(target=write)
        writing.start()
        wait_until(Path(f"{fixture.db}-journal").exists)
        far.line.close()
        wait_until(lambda: not is_alive(pids()[0]), GONE_WITHIN_S)
        writing.join(LONGEST_WAIT_S)
    assert difference(before, all_rows(fixture.db)) == {}
    assert not list(fixture.path.glob("mlflow.db-*"))


def test_a_far_end_that_hangs_in_a_commit(
    far: FarStore, fixture: FixtureStore, pids: Callable[[], list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Esc waits some seconds for it, because it may have written already."""
    monkeypatch.setattr(channel_module, "_STOP_WAIT_S", FAST_S)
    interrupt = Interrupt()
    original = Channel.commit

    def commit(channel: Channel, stream: int, request: dict[str, Any]) -> Answer:
        os.kill(pids()[0], signal.SIGSTOP)
        threading.Timer(0.1, interrupt.fire).start()
        return original(channel, stream, request)

    monkeypatch.setattr(Channel, "commit", commit)
    started = time.monotonic()
    with pytest.raises(PerhapsWritten):
        editor_of(far).rename_run(fixture.run("rf5"), "x", interrupt)
    assert time.monotonic() - started < SOON_S
    os.kill(pids()[0], signal.SIGKILL)


def test_broken_answers_to_a_commit(far: FarStore, fixture: FixtureStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """What they mean is looked up."""
    original = Channel.commit

    def commit(channel: Channel, stream: int, request: dict[str, Any]) -> Answer:
        original(channel, stream, request)
        return Answer({"results": [{"names": ["a"], "kinds": [], "count": 0}]}, b"")

    monkeypatch.setattr(Channel, "commit", commit)
    editor_of(far).rename_run(fixture.run("rf5"), "written")
    assert name_tag(fixture) == "written"


def test_outcomes(fixture: FixtureStore) -> None:
    key = (RUN_NAME_TAG, fixture.run("rf5"))
    name = name_tag(fixture)

    def found(*rows: RowChange) -> Outcome:
        row_set = RowSet("tags", ("key", "run_uuid"), ("value",), rows)
        with closing(Store(fixture.db)) as store:
            return store.read(lambda connection, schema: outcome(connection, [row_set]), None)

    absent = ("absent", fixture.run("rf5"))
    assert found(RowChange(key, ("x",), (name,))) is Outcome.WRITTEN
    assert found(RowChange(key, (name,), ("x",))) is Outcome.NOT_WRITTEN
    assert found(RowChange(key, ("x",), ("y",))) is Outcome.UNCLEAR
    assert found(RowChange(absent, None, ("y",))) is Outcome.NOT_WRITTEN
    assert found(RowChange(absent, ("y",), None)) is Outcome.WRITTEN
    assert found(RowChange(absent, None, ("y",)), RowChange(key, ("x",), (name,))) is Outcome.UNCLEAR
    assert found(RowChange(absent, ("x",), ("y",)), RowChange(key, ("x",), (name,))) is Outcome.WRITTEN
    assert found(RowChange(key, ("x",), ("x",))) is Outcome.WRITTEN


# Who


def test_the_record_of_a_promotion_names_the_machine(fixture: FixtureStore, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(Store(far_file(fixture.db), write=True)) as store:
        plan = plan_transition(store.registry().versions(MODEL), 4, "Staging", False)
        done = store.registry_editor().transition(plan, "why")
        assert done.via == "elsewhere"
        (value,) = sql(fixture, "SELECT value FROM model_version_tags WHERE key = ?", done.key)[0]
        assert '"via":"elsewhere"' in value
        events = store.registry().history(MODEL)
        assert [each.transition for each in events if each.transition] == [done]
