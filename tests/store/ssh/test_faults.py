"""Lines that fail: what the user is told, how a lost line comes back, and that nothing of it stays behind."""

from __future__ import annotations

import os
import shlex
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from mldeck.errors import Interrupted, LoginNeeded, MldeckError, StoreUnavailable, UsageError
from mldeck.model import View
from mldeck.store.backend import Change
from mldeck.store.far_file import FarFile
from mldeck.store.interrupt import Interrupt
from mldeck.store.ssh import agent
from mldeck.store.ssh import channel as channel_module
from mldeck.store.ssh import line as line_module
from mldeck.store.ssh.command import command_words
from mldeck.store.ssh.frames import FRAME, LARGEST_FRAME, MAGIC
from mldeck.store.ssh.line import FarLine
from tests.far_hosts import (
    ENDLESS,
    FarStore,
    far_file,
    far_store,
    line_to,
    near_end_of_an_endless_read,
    shell_for_ssh,
    use_as_ssh,
)
from tests.store.test_files import locked_by_another_process

LONGEST_WAIT_S = 20.0
GONE_WITHIN_S = 5.0


@pytest.fixture
def pids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[int]]:
    """The processes at the far end, in the order in which they were started."""
    log = tmp_path / "pids"
    log.touch()
    use_as_ssh(monkeypatch, shell_for_ssh(f"echo $$ >> {shlex.quote(str(log))}"))
    return lambda: [int(line) for line in log.read_text().split()]


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(is_so: Callable[[], bool], within_s: float = LONGEST_WAIT_S) -> None:
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


def failure(
    monkeypatch: pytest.MonkeyPatch,
    words: str,
    file: FarFile | None = None,
    lock_wait_s: float = line_module.LOCK_WAIT_S,
) -> str:
    """Return why a line could not be opened."""
    use_as_ssh(monkeypatch, words)
    opening = line_to(file or far_file("/data/mlflow.db"), lock_wait_s=lock_wait_s)
    with pytest.raises(UsageError) as caught, opening as line:
        line.hello()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def saying(errors: str, status: int) -> str:
    """Return words for an ssh that prints this and ends."""
    return shell_for_ssh(after=f"printf '%s\\n' {shlex.quote(errors)} >&2; exit {status}")


def sending(data: bytes, then: str = "import sys; sys.stdin.read()") -> str:
    """Return words for an ssh whose far end sends this."""
    script = f"import sys; sys.stdout.buffer.write({data!r}); sys.stdout.flush(); {then}"
    return shell_for_ssh(after=f"exec {shlex.quote(sys.executable)} -c {shlex.quote(script)}")


class TestWords:
    """One sentence for each way in which a line does not come about."""

    def test_no_ssh(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert failure(monkeypatch, "no-such-ssh") == (
            "no-such-ssh is not installed here: mldeck reaches other machines through it"
        )

    @pytest.mark.parametrize(
        ("errors", "status", "expected"),
        [
            ("ssh: Could not resolve hostname x: Name or service not known", 255, "ssh knows no host elsewhere"),
            (
                "ssh: connect to host elsewhere port 22: Connection refused",
                255,
                "no connection to elsewhere: ssh: connect to host elsewhere port 22: Connection refused",
            ),
            (
                "ada@elsewhere: Permission denied (publickey).",
                255,
                "elsewhere refused the login: ada@elsewhere: Permission denied (publickey).",
            ),
            (
                "Host key verification failed.",
                255,
                "the key of elsewhere is not known yet: connect once with `ssh elsewhere`",
            ),
            (
                "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.",
                255,
                "the key of elsewhere has changed: see what `ssh elsewhere` says",
            ),
            ("", 255, "no connection to elsewhere"),
            (
                "bash: line 1: exec: python3: not found",
                127,
                "there is no /opt/python on elsewhere; name the Python there: ssh://elsewhere/…?python=/path/to/python3",
            ),
            ("SyntaxError: invalid syntax", 1, "/opt/python on elsewhere is too old: Python 3.6 or later is needed"),
            (
                "AttributeError: 'file' object has no attribute 'buffer'",
                1,
                "/opt/python on elsewhere is too old: Python 3.6 or later is needed",
            ),
            (
                "ModuleNotFoundError: No module named '_sqlite3'",
                1,
                "/opt/python on elsewhere did not answer: ModuleNotFoundError: No module named '_sqlite3'",
            ),
        ],
    )
    def test_what_ssh_says(self, monkeypatch: pytest.MonkeyPatch, errors: str, status: int, expected: str) -> None:
        file = FarFile("elsewhere", "/data/mlflow.db", python="/opt/python")
        assert failure(monkeypatch, saying(errors, status), file) == expected

    def test_no_python_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        message = failure(monkeypatch, shell_for_ssh(), far_file("/data/mlflow.db", python="no-such-python"))
        assert message.startswith("there is no no-such-python on elsewhere")

    def test_something_else_answers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        message = failure(monkeypatch, shell_for_ssh(after="echo 'This account is not available.'"))
        assert message.endswith("did not answer: This account is not available.")

    def test_noise_without_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert "did not answer: y" in failure(monkeypatch, shell_for_ssh(after="exec yes"))

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            *[("host", text) for text in ("-oProxyCommand=x", "", "a b", "a;b", "$(x)", "a/b", "u@h", "a\nb")],
            *[("user", text) for text in ("-l", "", "a b", "a;b", "`x`")],
            *[("python", text) for text in ("-c", "", "python 3", "python;x", "$P", "py'thon")],
            *[("path", text) for text in ("", "a\0b")],
            *[("port", number) for number in (0, 65536)],
        ],
    )
    def test_words_that_mean_something_else_are_refused(self, field: str, value: str | int) -> None:
        words: dict[str, object] = {"host": "elsewhere", "path": "mlflow.db", field: value}
        with pytest.raises(UsageError):
            FarFile(**words)  # type: ignore[arg-type]

    def test_the_words_of_ssh(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("MLDECK_SSH")
        file = FarFile("elsewhere", "a $(path) of 'any' kind", "ada", 2222)
        words = command_words(file, may_ask=True)
        assert words[:4] == ["ssh", "-T", "-x", "-a"]
        assert words[-7:-1] == ["-p", "2222", "-l", "ada", "--", "elsewhere"]
        assert words[-1].startswith("exec python3 -ESuc 'import")
        assert not any("$(path)" in word or word.startswith("BatchMode") for word in words)
        assert "BatchMode=yes" in command_words(file, may_ask=False)

    def test_names(self) -> None:
        assert FarFile("h", "p.db").name == "ssh://h/~/p.db"
        assert FarFile("h", "~/p.db").name == "ssh://h/~/p.db"
        assert FarFile("h", "/p.db", "ada", 22).name == "ssh://ada@h:22/p.db"
        assert FarFile("::1", "/p.db", port=22).name == "ssh://[::1]:22/p.db"


class TestMessagesOfSsh:
    """They go to the terminal while it is free, and never after that."""

    def test_they_are_shown_until_the_far_end_answers(
        self, db: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        use_as_ssh(
            monkeypatch, shell_for_ssh("echo 'Warning: added the key' >&2; printf 'escape \\033[31m' >&2; echo >&2")
        )
        with line_to(db) as line:
            line.hello()
        shown = capfd.readouterr()
        assert shown.err.splitlines()[0] == "Warning: added the key"
        assert "\033" not in shown.err
        assert shown.out == ""

    def test_they_are_not_shown_later(
        self, db: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        late = shell_for_ssh("(sleep 1; echo 'late words' >&2) & exec 3>&1")
        use_as_ssh(monkeypatch, late)
        with line_to(db) as line:
            line.hello()
            time.sleep(1.5)
        assert capfd.readouterr().err == ""

    def test_the_last_words_are_only_in_the_message(
        self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        assert "refused the login" in failure(monkeypatch, saying("a@b: Permission denied (publickey).", 255))
        assert capfd.readouterr().err == ""

    def test_a_line_without_end_is_not_kept(
        self, db: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        use_as_ssh(monkeypatch, shell_for_ssh("head -c 327680 /dev/zero | tr '\\0' x >&2"))
        with line_to(db) as line:
            line.hello()
            parts = capfd.readouterr().err.splitlines()
            assert len("".join(parts)) == 327_680
            assert max(map(len, parts)) <= 8192
            assert line._channel is not None
            assert len(line._channel._errors) <= 8192

    def test_noise_of_a_login_is_skipped(self, db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        use_as_ssh(monkeypatch, shell_for_ssh("echo welcome; head -c 60000 /dev/zero"))
        with far_store(db) as store:
            assert len(store.experiments(View.ALL)) == 9


BAD_FRAMES = {
    "a frame that is too long": FRAME.pack(LARGEST_FRAME + 1, 1, 3),
    "a head that is longer than its answer": FRAME.pack(8, 1, 3) + b"\x00\x00\xff\xff{}{}",
    "no JSON": FRAME.pack(8, 1, 3) + b"\x00\x00\x00\x04{abc",
    "deep JSON": FRAME.pack(100004, 1, 3) + b"\x00\x01\x86\xa0" + b"[" * 100000,
    "no compressed data": FRAME.pack(8, 1, 0x83) + b"notzlib!",
    "no head": FRAME.pack(2, 1, 3) + b"xx",
    "an unknown kind": FRAME.pack(6, 1, 9) + b"\x00\x00\x00\x02{}",
    "an empty opening": FRAME.pack(6, 1, 3) + b"\x00\x00\x00\x02{}",
}


class TestNonsense:
    @pytest.mark.parametrize("name", BAD_FRAMES)
    def test_it_ends_the_line_with_a_message(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        assert failure(monkeypatch, sending(MAGIC + BAD_FRAMES[name])).startswith(
            "connection to elsewhere lost (it sent "
        )

    def test_a_frame_that_ends_early(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert (
            failure(monkeypatch, sending(MAGIC + FRAME.pack(100, 1, 3) + b"half", "")) == "connection to elsewhere lost"
        )

    def test_data_that_unpacks_to_too_much(self, monkeypatch: pytest.MonkeyPatch) -> None:
        make = (
            "import zlib, struct; p = zlib.compressobj(9); "
            "d = b''.join(p.compress(bytes(1 << 20)) for _ in range(257)) + p.flush(); "
            "o = sys.stdout.buffer; o.write(struct.pack('>IIB', len(d), 1, 0x83) + d); o.flush(); sys.stdin.read()"
        )
        assert "too much of it" in failure(monkeypatch, sending(MAGIC, make))

    def test_a_hello_that_says_the_wrong_things(self, monkeypatch: pytest.MonkeyPatch) -> None:
        head = b'{"opening":1,"columns":7}'
        data = MAGIC + FRAME.pack(4 + len(head), 1, 3) + len(head).to_bytes(4, "big") + head
        assert "an opening that cannot be understood" in failure(monkeypatch, sending(data))


class TestLost:
    def cut(self, store: FarStore) -> None:
        """End ssh, as when the network fails."""
        channel = store.line._channel
        assert channel is not None
        channel._process.kill()
        wait_until(lambda: store.line.is_lost)

    def test_reads_fail_and_come_back(self, db: Path) -> None:
        with far_store(db) as store:
            store.line._delay_s = 0.1
            store.experiments(View.ALL)
            self.cut(store)
            with pytest.raises(StoreUnavailable, match="connection to elsewhere lost"):
                store.experiments(View.ALL)
            self.assert_comes_back(store, Change.DATA)
            assert len(store.experiments(View.ALL)) == 9
            assert store.poll() is Change.NOTHING

    def assert_comes_back(self, store: FarStore, expected: Change) -> None:
        deadline = time.monotonic() + LONGEST_WAIT_S
        while True:
            started = time.monotonic()
            try:
                change = store.poll()
            except StoreUnavailable as error:
                message = str(error)
            else:
                assert change is expected
                return
            assert message == "connection to elsewhere lost · trying again"
            assert time.monotonic() - started < 1, "polling never waits"
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def test_a_migration_meanwhile_is_seen(self, db: Path) -> None:
        with far_store(db) as store:
            store.line._delay_s = 0.1
            self.cut(store)
            with closing(sqlite3.connect(db)) as connection:
                connection.execute("ALTER TABLE experiments RENAME COLUMN creation_time TO once")
            self.assert_comes_back(store, Change.FILE)
            assert {each.creation_time for each in store.experiments(View.ALL)} == {None}

    def test_in_the_middle_of_a_request(self, db: Path) -> None:
        with far_store(db) as store:
            threading.Timer(0.3, self.cut, [store]).start()
            with pytest.raises(StoreUnavailable, match="connection to elsewhere lost"):
                store.read(lambda connection, schema: connection.execute(text(ENDLESS)).all(), None)

    def test_it_is_tried_again_later_and_later(self, db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with far_store(db) as store:
            line = store.line
            line._delay_s = 0.05
            self.cut(store)
            use_as_ssh(monkeypatch, saying("ssh: no route", 255))
            keep_trying(line, lambda: line._delay_s >= 0.4)
            use_as_ssh(monkeypatch, shell_for_ssh())
            keep_trying(line, lambda: not line.is_lost)
            assert line._delay_s == line_module.FIRST_DELAY_S

    def test_the_delays_of_every_line(self) -> None:
        assert (line_module.FIRST_DELAY_S, line_module.LONGEST_DELAY_S) == (1, 30)

    def test_connecting_again_never_asks(self, db: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        log = tmp_path / "words"
        use_as_ssh(monkeypatch, shell_for_ssh(f'echo "$*" >> {shlex.quote(str(log))}'))
        with far_store(db) as store:
            self.cut(store)
            store.reopen()
            assert len(store.experiments(View.ALL)) == 9
        first, second = [line for line in log.read_text().splitlines() if "ConnectTimeout" in line]
        assert "BatchMode" not in first
        assert "BatchMode=yes" in second

    def test_reopening_says_why_not(self, db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with far_store(db) as store:
            self.cut(store)
            use_as_ssh(monkeypatch, saying("ada@elsewhere: Permission denied (publickey).", 255))
            with pytest.raises(LoginNeeded, match="elsewhere refused the login"):
                store.reopen()
            with pytest.raises(LoginNeeded, match="connection to elsewhere lost"):
                store.poll()

    def test_logging_in_can_be_given_up(self, db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with far_store(db) as store:
            self.cut(store)
            use_as_ssh(monkeypatch, shell_for_ssh(after="sleep 3"))
            interrupt = Interrupt()
            threading.Timer(0.3, interrupt.fire).start()
            started = time.monotonic()
            with pytest.raises(MldeckError):
                store.line.log_in(interrupt)
            assert time.monotonic() - started < 2.5
            use_as_ssh(monkeypatch, shell_for_ssh())
            store.line.log_in(Interrupt())
            assert len(store.experiments(View.ALL)) == 9

    def test_a_closed_line_stays_closed(self, db: Path, pids: Callable[[], list[int]]) -> None:
        with line_to(db) as line:
            line.hello()
            line.close()
            line._delay_s = 0
            line.try_again()
            with pytest.raises(StoreUnavailable):
                line.open()
        assert len(pids()) == 1


def keep_trying(line: FarLine, is_enough: Callable[[], bool]) -> None:
    def tried() -> bool:
        line.try_again()
        return is_enough()

    wait_until(tried)


class TestStopped:
    def test_an_interrupt_ends_a_read_at_once(self, db: Path, pids: Callable[[], list[int]]) -> None:
        with far_store(db) as store:
            interrupt = Interrupt()
            threading.Timer(0.3, interrupt.fire).start()
            with pytest.raises(Interrupted):
                store.read(lambda connection, schema: connection.execute(text(ENDLESS)).all(), interrupt)
            # The same stream is free again, because the far end has stopped too.
            assert len(store.experiments(View.ALL)) == 9
            wait_until(lambda: is_idle(pids()[0]))

    def test_a_far_end_that_hangs(self, db: Path, pids: Callable[[], list[int]]) -> None:
        with far_store(db) as store:
            os.kill(pids()[0], signal.SIGSTOP)
            interrupt = Interrupt()
            fired: list[float] = []

            def fire() -> None:
                started = time.monotonic()
                interrupt.fire()
                fired.append(time.monotonic() - started)

            threading.Timer(0.2, fire).start()
            with pytest.raises(Interrupted):
                store.read(lambda connection, schema: connection.execute(text("SELECT 1")).all(), interrupt)
            assert fired[0] < 0.5
            started = time.monotonic()
            store.close()
            assert time.monotonic() - started < 3
        assert not is_alive(pids()[0])

    def test_stopping_waits_for_nothing_when_the_pipe_is_full(self, db: Path, pids: Callable[[], list[int]]) -> None:
        with far_store(db) as store:
            os.kill(pids()[0], signal.SIGSTOP)
            interrupt = Interrupt()
            large = text("SELECT :value").bindparams(value="x" * (4 << 20))
            threading.Timer(0.3, interrupt.fire).start()
            with pytest.raises(Interrupted):
                store.read(lambda connection, schema: connection.execute(large).all(), interrupt)

    def test_ctrl_c_in_a_pager_does_not_end_the_line(self, db: Path, pids: Callable[[], list[int]]) -> None:
        with far_store(db) as store:
            os.kill(pids()[0], signal.SIGINT)
            os.kill(pids()[0], signal.SIGQUIT)
            assert len(store.experiments(View.ALL)) == 9

    def test_one_stream_does_not_wait_for_another(self, db: Path) -> None:
        with far_store(db) as store:
            interrupt = Interrupt()
            ended = threading.Event()

            def read_long() -> None:
                with pytest.raises(Interrupted):
                    store.read(lambda connection, schema: connection.execute(text(ENDLESS)).all(), interrupt)
                ended.set()

            threading.Thread(target=read_long).start()
            for _ in range(3):
                assert len(store.experiments(View.ALL)) == 9
            assert not ended.is_set()
            interrupt.fire()
            assert ended.wait(LONGEST_WAIT_S)


def is_idle(pid: int) -> bool:
    def ticks() -> int:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return int(words[11]) + int(words[12])

    before = ticks()
    time.sleep(0.3)
    return ticks() - before < 10


class TestGone:
    def test_after_closing(self, db: Path, pids: Callable[[], list[int]]) -> None:
        with far_store(db) as store:
            store.experiments(View.ALL)
        (pid,) = pids()
        wait_until(lambda: not is_alive(pid), GONE_WITHIN_S)

    def test_after_closing_while_a_statement_runs(self, db: Path, pids: Callable[[], list[int]]) -> None:
        with far_store(db) as store:

            def read_long() -> None:
                with pytest.raises(MldeckError):
                    store.read(lambda connection, schema: connection.execute(text(ENDLESS)).all(), None)

            reading = threading.Thread(target=read_long)
            reading.start()
            time.sleep(0.3)
        reading.join(LONGEST_WAIT_S)
        assert not reading.is_alive()
        wait_until(lambda: not is_alive(pids()[0]), GONE_WITHIN_S)

    def test_after_the_near_end_was_killed(self, db: Path, pids: Callable[[], list[int]]) -> None:
        before = sorted(file.name for file in db.parent.iterdir())
        with near_end_of_an_endless_read("elsewhere", db) as near:
            time.sleep(0.3)
            (pid,) = pids()
            assert is_alive(pid)
            near.kill()
        wait_until(lambda: not is_alive(pid), GONE_WITHIN_S)
        assert sorted(file.name for file in db.parent.iterdir()) == before

    def test_while_it_waits_for_a_lock(self, db: Path, pids: Callable[[], list[int]]) -> None:
        with locked_by_another_process(db):
            with line_to(db):
                wait_until(lambda: len(pids()) == 1)
                time.sleep(0.5)
            wait_until(lambda: not is_alive(pids()[0]), GONE_WITHIN_S)


@pytest.fixture(autouse=True)
def no_threads_are_left() -> Iterator[None]:
    before = set(threading.enumerate())  # a command tested before keeps its line
    yield
    names = ("ssh _read", "ssh _write")
    wait_until(lambda: not [each for each in threading.enumerate() if each.name in names and each not in before])


class TestSilence:
    def test_a_far_end_that_never_opens_the_database(self, db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(line_module, "ANSWER_WAIT_S", 0.3)
        said = failure(monkeypatch, sending(MAGIC), far_file(db), lock_wait_s=0.2)
        assert said == "elsewhere did not answer within 0.5 s"

    @pytest.mark.parametrize("has_terminal", [False, True])
    def test_a_login_that_hangs(self, has_terminal: bool, db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where there is a terminal, it may be the user who has not answered yet."""
        monkeypatch.setattr(channel_module, "has_terminal", lambda: has_terminal)
        monkeypatch.setattr(line_module, "ANSWER_WAIT_S", 0.3)
        use_as_ssh(monkeypatch, shell_for_ssh("sleep 1.5"))
        with line_to(db, lock_wait_s=0.2) as line:
            if has_terminal:
                monkeypatch.setattr(line_module, "ANSWER_WAIT_S", LONGEST_WAIT_S)
                assert line.hello().opening == 1
            else:
                with pytest.raises(UsageError, match=r"elsewhere did not answer within 0\.5 s"):
                    line.hello()

    def test_the_far_end_is_gone_when_it_hears_nothing(
        self, db: Path, pids: Callable[[], list[int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        impatient = tmp_path / "agent.py"
        source = channel_module._AGENT.read_text(encoding="utf-8")
        assert "SILENCE_S = 300\n" in source
        impatient.write_text(source.replace("SILENCE_S = 300\n", "SILENCE_S = 1\n"), encoding="utf-8")
        monkeypatch.setattr(channel_module, "_AGENT", impatient)
        with line_to(db) as line:
            line.hello()
            wait_until(lambda: not is_alive(pids()[0]), GONE_WITHIN_S)
        monkeypatch.setattr(channel_module, "HEARTBEAT_S", 0.2)
        with line_to(db) as line:
            line.hello()
            time.sleep(2)
            assert is_alive(pids()[1])

    def test_some_signs_of_life_may_be_lost(self) -> None:
        assert agent.SILENCE_S >= 4 * channel_module.HEARTBEAT_S


def test_starting_returns_at_once(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_as_ssh(monkeypatch, shell_for_ssh("sleep 1"))
    line = FarLine(far_file(db))
    started = time.monotonic()
    line.start()
    assert time.monotonic() - started < 0.8
    line.hello()
    line.close()
