"""A helper process for work on foreign data that may take forever or use too much memory. It can be killed.

How long Pygments' regular expressions or pyarrow take over a file cannot be predicted, and a thread cannot be stopped: one
match may take hours and block the whole program. A helper process stays alive for further questions, so that it is started
only once.

The two processes exchange JSON, one message per line; nothing is ever unpickled. To answer a question about a file, the
helper asks the calling process for its bytes, because only that process knows where the file is.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from threading import Lock
from typing import Any

from mldeck.child import start_python

Read = Callable[[int, int], bytes]
"""Return bytes of a file, given the offset and the number of bytes."""

_TICK_S = 0.05
_WAIT_FACTOR = 6
"""The longest wait for an answer, as a multiple of the helper's own CPU time limit, because the machine may be busy."""
_MAX_ANSWER_BYTES = 1 << 26


class Unanswered(Exception):
    """The helper could not answer, or was killed before it did. The message gives the reason in words for the user."""


def _never_stop() -> None:
    pass


def _no_file(offset: int, length: int) -> bytes:
    raise OSError("no file was handed over")


class Helper:
    """A process that runs `serve` in one of mldeck's modules. Any thread may ask; one question is answered at a time."""

    def __init__(self, module: str, seconds: int, memory: int) -> None:
        """`seconds` limits the CPU time of an answer, `memory` the address space of the process, in bytes."""
        self._module = module
        self._seconds = seconds
        self._memory = memory
        self._asking = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._received = b""

    def ask(self, question: object, check: Callable[[], None] = _never_stop, read: Read = _no_file) -> Any:
        """Return the answer, which, like the question, is any JSON value. Wait for other threads' questions first.

        `check` is called about every 50 ms and may raise to stop waiting; `read` returns bytes of the file that the question
        is about. Raises `Unanswered` and what these two raise. The process is killed then, and the next question starts a
        new one.
        """
        while not self._asking.acquire(timeout=_TICK_S):
            check()
        try:
            return self._answer(question, check, read)
        except BaseException:
            self.end()
            raise
        finally:
            self._asking.release()

    def end(self) -> None:
        """Kill the process if there is one."""
        process, self._process = self._process, None
        self._received = b""
        if process is not None:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):  # buffered data can no longer be written
                    if stream is not None:
                        stream.close()

    def _answer(self, question: object, check: Callable[[], None], read: Read) -> Any:
        try:
            self._start()
            self._send(json.dumps(question).encode() + b"\n")
            while True:
                message = json.loads(self._line(check))
                if "read" not in message:
                    break
                data = read(*message["read"])
                self._send(b"%d\n" % len(data) + data)
        except (BrokenPipeError, EOFError) as error:
            raise Unanswered(f"it takes more than {self._seconds} s or too much memory") from error
        if "failed" in message:
            raise Unanswered(message["failed"])
        return message["answer"]

    def _start(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        self.end()
        words = [str(self._seconds), str(self._memory)]
        try:
            self._process = start_python(self._module, words, stdout=subprocess.PIPE, keep_stdin=True)
        except OSError as error:
            raise Unanswered(f"no process can be started for it: {error.strerror}") from error
        atexit.unregister(self.end)
        atexit.register(self.end)

    def _send(self, data: bytes) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(data)
        self._process.stdin.flush()

    def _line(self, check: Callable[[], None]) -> bytes:
        assert self._process is not None
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        poller = select.poll()
        poller.register(descriptor, select.POLLIN)
        pieces, end = [self._received], time.monotonic() + _WAIT_FACTOR * self._seconds
        while b"\n" not in pieces[-1]:
            check()
            if time.monotonic() > end or sum(map(len, pieces)) > _MAX_ANSWER_BYTES:
                raise EOFError
            if poller.poll(1_000 * _TICK_S):
                pieces.append(os.read(descriptor, 1 << 20))
                if not pieces[-1]:
                    raise EOFError
        line, _, self._received = b"".join(pieces).partition(b"\n")
        return line


def serve(words: list[str], answer: Callable[[Any, Read], object]) -> int:
    """Answer questions in the helper process until its standard input is closed; return the exit status.

    `words` are the limits of CPU seconds per answer and of memory in bytes. The kernel kills the process when an answer
    takes longer; an answer that needs more memory fails.
    """
    import resource

    seconds, memory = map(int, words)
    with contextlib.suppress(ValueError, OSError):  # not every system supports this limit
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def read(offset: int, length: int) -> bytes:
        _send({"read": [offset, length]})
        return sys.stdin.buffer.read(int(sys.stdin.buffer.readline()))

    while question := sys.stdin.buffer.readline():
        # The default action kills at once; a handler in Python would run only after the library call has returned.
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_PROF, seconds)
        try:
            message = {"answer": answer(json.loads(question), read)}
        except MemoryError:
            message = {"failed": "it takes too much memory"}
        except RecursionError:
            message = {"failed": "it is nested too deeply"}
        except Unanswered as error:
            message = {"failed": str(error)}
        except Exception as error:  # noqa: BLE001 - libraries raise anything for foreign data
            message = {"failed": f"{type(error).__name__}: {error}"[:200]}
        _send(message)
        signal.setitimer(signal.ITIMER_PROF, 0)
    return 0


def _send(message: dict[str, Any]) -> None:
    sys.stdout.buffer.write(json.dumps(message).encode() + b"\n")
    sys.stdout.buffer.flush()
