"""Over a real sshd, also through a long line that fails."""

from __future__ import annotations

import os
import pty
import select
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from mldeck.errors import Interrupted, StoreUnavailable, UsageError
from mldeck.model import View
from mldeck.registry.plan import plan_transition
from mldeck.store.backend import Change
from mldeck.store.edits.editor import StoreEditor
from mldeck.store.far_file import FarFile
from mldeck.store.interrupt import Interrupt
from mldeck.store.registry.editor import RegistryEditor
from mldeck.store.ssh import command
from mldeck.store.ssh.backend import SshBackend
from mldeck.store.ssh.channel import Channel
from mldeck.store.ssh.frames import Answer
from mldeck.store.ssh.writer import SshWriter
from mldeck.store.statements import at_once
from mldeck.store.store import Store
from tests.far_hosts import ENDLESS, FarStore, far_store, line_to, near_end_of_an_endless_read, use_as_ssh, writer_over
from tests.fixture_stores import FixtureStore
from tests.link import Link, running
from tests.processes import command_lines
from tests.registry_rooms import MODEL
from tests.sshd import Sshd, running_sshd
from tests.store.ssh.test_faults import GONE_WITHIN_S, LONGEST_WAIT_S, wait_until
from tests.store.test_writing import READER, held
from tests.store_reads import answer, reads

ROUND_TRIP_S = 0.2


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with running_sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture
def file(db: Path, sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FarFile:
    """The database on the host `far`, which ssh knows."""
    use_as_ssh(monkeypatch, sshd.client(tmp_path))
    return on_far(db)


@pytest.fixture
def link(db: Path, sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Link]:
    """A long line to the host `far`."""
    with running(Link(sshd.port, ROUND_TRIP_S)) as between:
        use_as_ssh(monkeypatch, sshd.client(tmp_path, between.port))
        yield between


def on_far(db: Path) -> FarFile:
    return FarFile("far", str(db), python=sys.executable)


def far_ends(sshd: Sshd) -> list[int]:
    return [pid for pid, words in sshd.descendants().items() if "-ESuc" in words]


def test_reading(file: FarFile, db: Path, sshd: Sshd) -> None:
    before = sorted(each.name for each in db.parent.iterdir())
    with closing(Store(db)) as near, far_store(file) as far:
        assert len(far_ends(sshd)) == 1
        for call in list(reads(near))[::7]:
            assert answer(call, far) == answer(call, near), call
    wait_until(lambda: not sshd.descendants(), GONE_WITHIN_S)
    assert sorted(each.name for each in db.parent.iterdir()) == before


def test_nothing_of_the_path_is_on_a_command_line(file: FarFile, db: Path, sshd: Sshd) -> None:
    with far_store(file):
        everywhere = command_lines()
    assert not [words for words in everywhere.values() if str(db) in words]


@pytest.mark.skipif(shutil.which("python3", path="/usr/bin:/bin") is None, reason="a login here finds no python3")
def test_the_python_of_the_login_is_taken(db: Path, file: FarFile) -> None:
    with far_store(FarFile("far", str(db))) as store:
        assert len(store.experiments(View.ALL)) == 9


def test_the_near_end_is_killed(file: FarFile, db: Path, sshd: Sshd) -> None:
    with near_end_of_an_endless_read("far", db) as near:
        assert len(far_ends(sshd)) == 1
        near.kill()
    wait_until(lambda: not sshd.descendants(), GONE_WITHIN_S)


def test_ctrl_c_in_a_pager_does_not_end_the_line(file: FarFile) -> None:
    """The terminal sends it to ssh as well."""
    with far_store(file) as store:
        assert store.line._channel is not None
        os.kill(store.line._channel._process.pid, signal.SIGINT)
        time.sleep(0.3)
        assert len(store.experiments(View.ALL)) == 9


class TestRefused:
    def failure(self, file: FarFile) -> str:
        with line_to(file) as line, pytest.raises(UsageError) as caught:
            line.hello()
        return str(caught.value)

    def test_an_unknown_host(self, file: FarFile) -> None:
        assert self.failure(FarFile("no-such-host.invalid", "x.db")) == "ssh knows no host no-such-host.invalid"

    def test_a_refused_key(
        self, db: Path, sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        use_as_ssh(monkeypatch, sshd.client(tmp_path, IdentityFile="/dev/null", PubkeyAuthentication="no"))
        assert self.failure(on_far(db)).startswith("far refused the login: ")
        assert capfd.readouterr().err == ""

    def test_an_unknown_key(self, db: Path, sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        use_as_ssh(monkeypatch, sshd.client(tmp_path, UserKnownHostsFile="/dev/null"))
        assert "the key of far is not known yet" in self.failure(on_far(db))

    def test_a_changed_key(self, db: Path, sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        known = tmp_path / "known_hosts"
        known.write_text(f"far {(sshd.folder / 'user_key.pub').read_text()}")
        use_as_ssh(monkeypatch, sshd.client(tmp_path, UserKnownHostsFile=str(known)))
        assert "the key of far has changed" in self.failure(on_far(db))

    def test_nobody_listens(self, db: Path, sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        use_as_ssh(monkeypatch, sshd.client(tmp_path, port=1))
        assert self.failure(on_far(db)).startswith("no connection to far: ssh: connect to host 127.0.0.1 port 1:")

    def test_no_python_there(self, file: FarFile) -> None:
        message = self.failure(FarFile("far", file.path, python="no-such-python"))
        assert message.startswith("there is no no-such-python on far; name the Python there")

    def test_no_such_file(self, file: FarFile) -> None:
        assert self.failure(FarFile("far", "/no/such.db", python=file.python)) == "far: no such file: /no/such.db"


def test_ssh_asks_on_the_terminal(db: Path, sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether an unknown host is meant is asked, and answered, before there is any screen."""
    known = tmp_path / "known_hosts"
    use_as_ssh(monkeypatch, sshd.client(tmp_path, UserKnownHostsFile=str(known), StrictHostKeyChecking="ask"))
    script = (
        "import sys; from mldeck.store.ssh.line import FarLine; from mldeck.store.ssh.command import FarFile\n"
        "line = FarLine(FarFile('far', sys.argv[1], python=sys.executable)); line.start()\n"
        "print('opened', line.hello().path, flush=True); line.close()\n"
    )
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-c", script, str(db)])
    expected = f"opened {db}\r\n".encode()
    seen = b""
    is_answered = False
    deadline = time.monotonic() + LONGEST_WAIT_S
    while expected not in seen and time.monotonic() < deadline:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                seen += os.read(terminal, 4096)
            except OSError:
                break
        if b"continue connecting" in seen and not is_answered:
            is_answered = True
            os.write(terminal, b"yes\n")
    os.close(terminal)
    os.waitpid(pid, 0)
    assert is_answered
    assert expected in seen
    assert known.read_text().startswith("far ")


class TestLongLine:
    def test_several_statements_take_one_trip(self, link: Link, db: Path) -> None:
        numbers = [text(f"SELECT {number}") for number in range(8)]
        with far_store(on_far(db)) as store:
            store.run_counts()
            requests, started = store.line.traffic.requests, time.monotonic()
            answers = store.read(lambda connection, schema: at_once(connection, numbers), None)
            taken_s = time.monotonic() - started
            assert answers == [[(number,)] for number in range(8)]
            assert store.line.traffic.requests == requests + 1
            assert taken_s < 8 * ROUND_TRIP_S, "each took a trip of its own"

    def test_what_an_idle_line_costs(self, link: Link, db: Path) -> None:
        with far_store(on_far(db)) as store:
            store.run_counts()
            time.sleep(2 * ROUND_TRIP_S)
            carried = link.carried_bytes
            for _ in range(20):
                assert store.poll() is Change.NOTHING
                time.sleep(0.05)
            assert link.carried_bytes == carried

    def test_an_interrupt_does_not_wait_for_a_trip(self, link: Link, db: Path) -> None:
        with far_store(on_far(db)) as store:
            link.round_trip_s = 4.0
            interrupt = Interrupt()
            threading.Timer(0.3, interrupt.fire).start()
            started = time.monotonic()
            with pytest.raises(Interrupted):
                store.read(lambda connection, schema: connection.execute(text("SELECT 1")).all(), interrupt)
            assert time.monotonic() - started < 3
            link.round_trip_s = 0

    def test_it_is_cut_within_a_request(self, link: Link, db: Path) -> None:
        with far_store(on_far(db)) as store:
            store.line._delay_s = 0.1
            threading.Timer(0.5, link.cut).start()
            with pytest.raises(StoreUnavailable, match="connection to far lost"):
                store.read(lambda connection, schema: connection.execute(text(ENDLESS)).all(), None)
            assert_comes_back(store)

    def test_everything_is_dropped(self, link: Link, db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Neither side is told, so ssh has to find out."""
        monkeypatch.setattr(command, "ALIVE_INTERVAL_S", 1)
        with far_store(on_far(db)) as store:
            store.line._delay_s = 0.1
            link.is_dropping = True
            with pytest.raises(StoreUnavailable, match="connection to far lost"):
                store.experiments(View.ALL)
            link.is_dropping = False
            link.cut()
            assert_comes_back(store)


class TestWriting:
    LOCKED_AT_MOST_S = 0.05

    def test_the_lock_is_held_briefly_at_any_distance(self, link: Link, db: Path) -> None:
        with far_store(on_far(db), may_write=True) as store:
            writer = store.writer()
            assert isinstance(writer, SshWriter)
            locked = []
            for stage in ("Staging", "Production", "Archived"):
                versions = store.registry().versions(MODEL)
                started = time.monotonic()
                RegistryEditor(writer).transition(plan_transition(versions, 4, stage, stage != "Archived"), "why")
                assert time.monotonic() - started > 2 * ROUND_TRIP_S
                assert writer.lock_s is not None
                locked.append(writer.lock_s)
            StoreEditor(writer, None).undo(StoreEditor(writer, None).rename_run(run_of(db), "far away"))
            locked.append(writer.lock_s or 0)
            assert 0 < min(locked) < self.LOCKED_AT_MOST_S

    @pytest.mark.parametrize("is_half_open", [False, True], ids=["cut", "half open"])
    def test_an_answer_that_is_lost(
        self, is_half_open: bool, link: Link, db: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The commit has arrived and was written; the answer is on its way when the line breaks."""
        monkeypatch.setattr(command, "ALIVE_INTERVAL_S", 1)
        with far_store(on_far(db), may_write=True) as store:
            store.line._delay_s = 0.1
            original = Channel.commit

            def commit(channel: Channel, stream: int, request: dict[str, Any]) -> Answer:
                monkeypatch.setattr(Channel, "commit", original)
                link.round_trip_s = 2.0
                threading.Thread(target=break_off).start()
                return original(channel, stream, request)

            def break_off() -> None:
                wait_until(lambda: name_of(db) == "far away")
                link.is_dropping = True
                if not is_half_open:
                    link.cut()
                wait_until(lambda: store.line.is_lost)
                link.cut()
                link.is_dropping, link.round_trip_s = False, ROUND_TRIP_S

            monkeypatch.setattr(Channel, "commit", commit)
            edit = store.editor.rename_run(run_of(db), "far away")
            assert edit.changed
            assert link.is_dropping is False, "the line had been lost"
            store.editor.undo(edit)
        assert name_of(db) != "far away"

    def test_a_line_that_is_cut_before_the_commit_arrives(
        self, link: Link, db: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        name = name_of(db)
        with far_store(on_far(db), may_write=True) as store:
            assert isinstance(store._backend, SshBackend)
            store.line._delay_s = 0.1
            writer = writer_over(store._backend, 2.0)
            original = Channel.commit

            def break_off() -> None:
                link.cut()
                link.is_dropping = False

            def commit(channel: Channel, stream: int, request: dict[str, Any]) -> Answer:
                monkeypatch.setattr(Channel, "commit", original)
                link.is_dropping = True
                threading.Timer(0.5, break_off).start()
                return original(channel, stream, request)

            monkeypatch.setattr(Channel, "commit", commit)
            with pytest.raises(StoreUnavailable, match="connection to far lost: the change was not written"):
                StoreEditor(writer, None).rename_run(run_of(db), "far away")
            assert name_of(db) == name

    def test_the_near_end_is_killed_while_the_far_end_waits_for_a_lock(
        self, file: FarFile, db: Path, sshd: Sshd
    ) -> None:
        script = (
            "import sys; from mldeck.store.far_file import FarFile; from mldeck.store.store import Store\n"
            "store = Store(FarFile('far', sys.argv[1], python=sys.executable), write=True)\n"
            "print('open', flush=True); store.editor.rename_run(sys.argv[2], 'never')\n"
        )
        name = name_of(db)
        words = [sys.executable, "-c", script, str(db), run_of(db)]
        with held(db, *READER), subprocess.Popen(words, stdout=subprocess.PIPE) as near:
            wait_until(Path(f"{db}-journal").exists)
            near.kill()
            wait_until(lambda: not sshd.descendants(), GONE_WITHIN_S)
        assert name_of(db) == name
        assert not list(db.parent.glob("mlflow.db-*"))


def run_of(db: Path) -> str:
    return FixtureStore.at(db.parent).run("rf5")


def name_of(db: Path) -> str:
    with closing(sqlite3.connect(db, timeout=LONGEST_WAIT_S)) as connection:
        query = "SELECT value FROM tags WHERE run_uuid = ? AND key = 'mlflow.runName'"
        return str(connection.execute(query, (run_of(db),)).fetchone()[0])


def assert_comes_back(store: FarStore) -> None:
    def is_back() -> bool:
        try:
            return store.poll() is Change.DATA
        except StoreUnavailable:
            return False

    wait_until(is_back)
    assert len(store.experiments(View.ALL)) == 9
