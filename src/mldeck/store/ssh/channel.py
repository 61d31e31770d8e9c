"""One ssh process with the far end behind it: requests from any thread, and what the far end tells unasked.

Standard library only. No method waits for the other machine but `ask` and `hello`.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import threading
import time
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, Any

from mldeck.errors import Interrupted, MldeckError, StoreUnavailable
from mldeck.format import safe
from mldeck.store.far_file import FarFile
from mldeck.store.sqlite.files import MLFLOW_TABLES
from mldeck.store.ssh.command import command_words
from mldeck.store.ssh.failures import is_last_word, lost, no_answer, no_ssh, refusal
from mldeck.store.ssh.frames import (
    ANSWER,
    CHANGE,
    FAILURE,
    FRAME,
    LONGEST_NOISE,
    MAGIC,
    REQUEST,
    STOP,
    Answer,
    BrokenFrame,
    Frame,
    read_frame,
    request_frame,
    unpack_answer,
)
from mldeck.store.ssh.hello import FarState, Hello

_WITHOUT_KEYBOARD_SIGNALS = ("sh", "-c", 'trap "" INT QUIT; exec "$@"', "sh")
"""Words before a command that make it ignore Ctrl+C and Ctrl+\\: the terminal sends those to ssh too while a pager runs."""
_AGENT = Path(__file__).with_name("agent.py")
_OPENING = 1
"""The number of the first request, which opens the database; stream 0 belongs to openings."""
_MOST_ERRORS = 8 << 10
"""Bytes of ssh's messages that are kept."""
HEARTBEAT_S = 60.0
"""Seconds after which an idle line tells the far end that it is still there: where the network ended without a word, nothing
else would end the far end. It gives up after some of these."""
_STOP_WAIT_S = 5.0
"""Seconds that the far end gets to say whether it could still stop a commit."""
_END_WAIT_S = 0.5
"""Seconds that ssh gets to end by itself."""
_LAST_WORDS_WAIT_S = 0.5


@dataclass
class Traffic:
    """What went over the connections to a far end, for tests and benchmarks."""

    requests: int = 0
    """Without the openings that come with a connection, and without what is told unasked."""
    sent_bytes: int = 0
    received_bytes: int = 0


class _Pending:
    """A request that is not answered yet, and the answer."""

    def __init__(self, stream: int, *, is_commit: bool = False) -> None:
        self.stream = stream
        self.is_commit = is_commit
        self.done = threading.Event()
        self.frame: Frame | None = None
        self.error: MldeckError | None = None

    def fail(self, error: MldeckError) -> None:
        self.error = error
        self.done.set()


class NoAnswer(Exception):
    """The answer to a commit did not come, so that it is not known whether it was written."""


class Channel:
    """A connection. It begins when it is made, and never begins anew once it is lost."""

    def __init__(
        self,
        file: FarFile,
        traffic: Traffic,
        *,
        may_ask: bool,
        may_write: bool,
        lock_wait_s: float,
    ) -> None:
        """Start ssh. If it `may_ask`, it may do so on the terminal, and its messages go there until the far end answers.

        `may_write`: whether the far end may change the database. `lock_wait_s`: how long it waits to open one that is
        locked. Raises `UsageError` when ssh does not start.
        """
        self.lost_at: float | None = None
        """When the connection was lost, as of the monotonic clock; None while it stands."""
        self._last_told: tuple[int, FarState] | None = None
        self._file = file
        self._traffic = traffic
        self._lock = threading.Lock()
        self._outbox: SimpleQueue[bytes | None] = SimpleQueue()
        self._number = _OPENING
        self._opening = _Pending(0)
        self._pending: dict[int, _Pending] = {_OPENING: self._opening}
        self._has_begun = False
        self._may_ask = may_ask
        self._has_logged_in = threading.Event()
        """Set when the far end has begun, and when it is known that it will not."""
        self._is_telling = may_ask
        self._errors = b""
        self._errors_ended = threading.Event()
        self._ended = threading.Event()
        words = command_words(file, may_ask=may_ask)
        if shutil.which(words[0]) is None:
            raise no_ssh(words[0])
        self._process = subprocess.Popen(
            [*_WITHOUT_KEYBOARD_SIGNALS, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=not may_ask,  # without a terminal, nothing can be asked on it
        )
        agent = zlib.compress(_AGENT.read_bytes(), 9)
        self._outbox.put(b"%d\n" % len(agent) + agent)
        self._outbox.put(request_frame(REQUEST, _OPENING, _opening_request(file, lock_wait_s, may_write)))
        for work in (self._write, self._read, self._hear):
            threading.Thread(target=work, name=f"ssh {work.__name__}", daemon=True).start()

    def state(self, hello: Hello) -> FarState:
        """Return the last that the far end told about the database it opened with this hello. Never waits."""
        told = self._last_told
        return told[1] if told is not None and told[0] == hello.opening else hello.state

    def hello(self, timeout_s: float) -> Hello:
        """Wait for the far end to open the database, and return what it says. Raises `MldeckError` if it cannot.

        The time is counted from the login on where the user may have to answer ssh first.
        """
        if self._may_ask and has_terminal():
            self._has_logged_in.wait()
        if not self._opening.done.wait(timeout_s):
            raise StoreUnavailable(f"{self._file.place} did not answer within {timeout_s:g} s")
        return self._hello(self._answer(self._opening))

    def open_again(self, *, may_write: bool) -> Hello:
        """Let the far end open the database once more. Raises `MldeckError` if it cannot."""
        return self._hello(self.ask(0, _opening_request(self._file, 0, may_write)))

    def _hello(self, answer: Answer) -> Hello:
        try:
            return Hello.parsed(answer.head)
        except BrokenFrame as error:
            raise self.broken(error) from error

    def ask(self, stream: int, request: dict[str, Any]) -> Answer:
        """Wait for the answer to a request.

        Raises `Interrupted` when `stop` is called meanwhile, `StoreUnavailable` when the connection is lost, what the far
        end refuses, and `OSError` when it is about files.
        """
        pending = self._sent(_Pending(stream), request)
        pending.done.wait()
        return self._answer(pending)

    def commit(self, stream: int, request: dict[str, Any]) -> Answer:
        """Wait for the answer to a request that writes, even after `stop`, which may come too late.

        Raises `NoAnswer` when it is not known whether it was written, and what `ask` raises when nothing was.
        """
        pending = self._sent(_Pending(stream, is_commit=True), request)
        pending.done.wait()
        if pending.frame is None:
            raise NoAnswer(str(pending.error)) from pending.error
        try:
            unpack_answer(pending.frame)
        except BrokenFrame as error:
            raise NoAnswer(str(self.broken(error))) from error
        return self._answer(pending)

    def _sent(self, pending: _Pending, request: dict[str, Any]) -> _Pending:
        with self._lock:
            if self.lost_at is not None:
                raise lost(self._file)
            number = self._number = self._number + 1
            data = request_frame(REQUEST, number, {**request, "stream": pending.stream})
            self._pending[number] = pending
            self._traffic.requests += 1
            self._outbox.put(data)
        return pending

    def tell(self, stream: int, request: dict[str, Any]) -> None:
        """Send a request that has no answer."""
        with self._lock:
            self._number += 1
            self._outbox.put(request_frame(REQUEST, self._number, {**request, "stream": stream}))

    def stop(self, stream: int) -> None:
        """Stop what is asked in this stream: `ask` ends at once, and the far end stops working on it."""
        with self._lock:
            for number, pending in list(self._pending.items()):
                if pending.stream == stream:
                    self._outbox.put(request_frame(STOP, number, {"stream": stream}))
                    if pending.is_commit:
                        threading.Timer(_STOP_WAIT_S, self._end, (number, "it was stopped")).start()
                    else:
                        del self._pending[number]
                        pending.fail(Interrupted("stopped"))

    def broken(self, error: BrokenFrame) -> StoreUnavailable:
        """Give up the connection because of an answer that does not fit, and return the error for that."""
        found = lost(self._file, f"it sent {error}")
        self._lose(found)
        self._process.kill()
        return found

    def close(self) -> None:
        """End the connection, which ends the far end. Waits a moment for ssh, then kills it."""
        self._outbox.put(None)
        if not self._ended.wait(_END_WAIT_S):
            self._process.kill()
            if not self._ended.wait(_END_WAIT_S):
                self._lose(lost(self._file))  # something that ssh started has its output open

    def _answer(self, pending: _Pending) -> Answer:
        if pending.error is not None:
            raise pending.error
        assert pending.frame is not None  # one of them is set before `done`
        try:
            answer = unpack_answer(pending.frame)
        except BrokenFrame as error:
            raise self.broken(error) from error
        if pending.frame.kind == FAILURE:
            raise self._failure(answer.head)
        return answer

    def _failure(self, head: dict[str, Any]) -> MldeckError | OSError:
        if "refusal" in head:
            return refusal(self._file, head)
        text = str(head.get("text"))
        if "errno" in head:
            number = getattr(errno, str(head["errno"]), errno.EIO)
            return OSError(number if isinstance(number, int) else errno.EIO, text, str(head.get("path")))
        return MldeckError(f"{self._file.place} failed: {head.get('error')}: {text}")

    def _write(self) -> None:
        stdin = self._process.stdin
        assert stdin is not None  # a pipe
        with suppress(OSError):  # the reading thread notices the end
            while True:
                try:
                    data = self._outbox.get(timeout=HEARTBEAT_S)
                except Empty:
                    data = request_frame(STOP, 0, {"stream": 0})  # stops nothing
                if data is None:
                    break
                stdin.write(data)
                stdin.flush()
                self._traffic.sent_bytes += len(data)
        with suppress(OSError):
            stdin.close()

    def _read(self) -> None:
        stdout = self._process.stdout
        assert stdout is not None  # a pipe
        noise, error = b"", None
        with stdout:
            try:
                noise = _noise_before_magic(stdout)
                self._has_begun = noise.endswith(MAGIC)
                if self._has_begun:
                    self._has_logged_in.set()
                while self._has_begun and (frame := read_frame(stdout.read)) is not None:
                    self._traffic.received_bytes += FRAME.size + len(frame.data)
                    self._take(frame)
            except (BrokenFrame, OSError) as found:
                error = found
        if error is not None or len(noise) >= LONGEST_NOISE:
            self._process.kill()
        self._outbox.put(None)
        status = self._process.wait()
        self._errors_ended.wait(_LAST_WORDS_WAIT_S)
        self._lose(self._reason(status, noise, error))
        self._ended.set()

    def _take(self, frame: Frame) -> None:
        if frame.kind == CHANGE:
            head = unpack_answer(frame).head
            opening = head.get("opening")
            if isinstance(opening, int):
                self._last_told = opening, FarState.parsed(head.get("state"))
            return
        if frame.kind not in (ANSWER, FAILURE):
            raise BrokenFrame("a frame of an unknown kind")
        self._is_telling = False  # before anybody learns of it who might paint a screen
        with self._lock:
            pending = self._pending.pop(frame.number, None)
        if pending is not None:  # else it was stopped
            pending.frame = frame
            pending.done.set()

    def _reason(self, status: int, noise: bytes, error: Exception | None) -> MldeckError:
        errors = self._errors.decode(errors="replace")
        if not self._has_begun:
            return no_answer(self._file, status, errors, noise.decode(errors="replace"))
        said = [line for line in errors.splitlines() if line.strip()]
        return lost(self._file, f"it sent {error}" if isinstance(error, BrokenFrame) else said[-1] if said else "")

    def _hear(self) -> None:
        stderr = self._process.stderr
        assert stderr is not None  # a pipe
        with stderr, suppress(OSError):
            while line := stderr.readline(_MOST_ERRORS):
                self._errors = (self._errors + line)[-_MOST_ERRORS:]
                if self._is_telling and not is_last_word(line):
                    os.write(2, f"{safe(line.decode(errors='replace').rstrip())}\n".encode())
        self._errors_ended.set()

    def _lose(self, error: MldeckError) -> None:
        """Let every request fail, also later ones."""
        with self._lock:
            if self.lost_at is not None:
                return
            self.lost_at = time.monotonic()
            pending = list(self._pending.values())
            self._pending.clear()
        for each in pending:
            each.fail(error)
        self._has_logged_in.set()

    def _end(self, number: int, reason: str) -> None:
        """Let a request fail that may still be answered."""
        with self._lock:
            pending = self._pending.pop(number, None)
        if pending is not None:
            pending.fail(StoreUnavailable(f"{self._file.place} did not answer: {reason}"))


def has_terminal() -> bool:
    """Return whether ssh can ask for anything."""
    try:
        os.close(os.open(os.ctermid(), os.O_RDWR))
    except OSError:
        return False
    return True


def _opening_request(file: FarFile, lock_wait_s: float, may_write: bool) -> dict[str, Any]:
    return {
        "do": "open",
        "stream": 0,
        "path": file.path,
        "tables": MLFLOW_TABLES,
        "wait_s": lock_wait_s,
        "may_write": may_write,
    }


def _noise_before_magic(stdout: IO[bytes]) -> bytes:
    """Read up to the end of the magic, of the stream, or of the patience with what a login prints."""
    noise = bytearray()
    while not noise.endswith(MAGIC) and len(noise) < LONGEST_NOISE:
        byte = stdout.read(1)
        if not byte:
            break
        noise += byte
    return bytes(noise)
