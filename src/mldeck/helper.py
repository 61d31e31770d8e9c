"""Work on foreign data that may never end, or take any amount of memory, in a process of ours that can be ended.

What Pygments' regular expressions or pyarrow make of a file cannot be foreseen, and cannot be stopped in a thread: one match
may take hours, and keeps the whole program waiting. A helper stays for the next question, so that it is started but once.

The two speak JSON, a line for each message. Nothing is ever unpickled. For questions about a file the helper reads through the
process that asks, which alone knows where the file lies.
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
"""Bytes of a file: from an offset on, so many."""

_TICK_S = 0.05
_PATIENCE = 6
"""How much longer than the helper may work its answer is waited for: the machine may be busy."""
_LONGEST_ANSWER = 1 << 26


class Unanswered(Exception):
    """The helper could not answer, or was ended before it did. The message says why, in words for a person."""


def _nobody_stops() -> None:
    pass


def _nothing_to_read(offset: int, length: int) -> bytes:
    raise OSError("no file was handed over")


class Helper:
    """The process that `serve`s in a module of ours. It answers one question at a time, whichever thread asks."""

    def __init__(self, module: str, seconds: int, memory: int) -> None:
        self._module = module
        self._seconds = seconds
        self._memory = memory
        self._asking = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._received = b""

    def ask(self, question: object, check: Callable[[], None] = _nobody_stops, read: Read = _nothing_to_read) -> Any:
        """Raises what `check` and `read` raise, and Unanswered; then the helper is ended, and the next question starts one."""
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
        process, self._process = self._process, None
        self._received = b""
        if process is not None:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):  # what was not written yet cannot be written any more
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
        waiting = select.poll()
        waiting.register(descriptor, select.POLLIN)
        pieces, end = [self._received], time.monotonic() + _PATIENCE * self._seconds
        while b"\n" not in pieces[-1]:
            check()
            if time.monotonic() > end or sum(map(len, pieces)) > _LONGEST_ANSWER:
                raise EOFError
            if waiting.poll(1_000 * _TICK_S):
                pieces.append(os.read(descriptor, 1 << 20))
                if not pieces[-1]:
                    raise EOFError
        line, _, self._received = b"".join(pieces).partition(b"\n")
        return line


def serve(words: list[str], answer: Callable[[Any, Read], object]) -> int:
    """Answer questions until nobody is there to ask. The system ends the process when an answer takes too much."""
    import resource

    seconds, memory = map(int, words)
    with contextlib.suppress(ValueError, OSError):  # not every system has such a limit
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def read(offset: int, length: int) -> bytes:
        _say({"read": [offset, length]})
        return sys.stdin.buffer.read(int(sys.stdin.buffer.readline()))

    while question := sys.stdin.buffer.readline():
        # A handler in Python would wait for the end of what it should end.
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
        except Exception as error:  # noqa: BLE001 - whatever a library makes of foreign data
            message = {"failed": f"{type(error).__name__}: {error}"[:200]}
        _say(message)
        signal.setitimer(signal.ITIMER_PROF, 0)
    return 0


def _say(message: dict[str, Any]) -> None:
    sys.stdout.buffer.write(json.dumps(message).encode() + b"\n")
    sys.stdout.buffer.flush()
