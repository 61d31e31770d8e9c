"""A program on a pseudo-terminal, and the screen that it draws there.

What the program sends is kept byte for byte and fed to an emulated screen; nothing is read in the background, so a
program that sends much goes on only while somebody waits for it. Waiting is for a state, with a limit, and shows the
frame when the state does not come.
"""

from __future__ import annotations

import base64
import codecs
import fcntl
import itertools
import os
import re
import select
import signal
import struct
import subprocess
import sysconfig
import termios
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple
from unicodedata import category, combining

import pyte

MLDECK = str(Path(sysconfig.get_path("scripts")) / "mldeck")
"""The command as pip installed it."""

ENTER, TAB, BACKSPACE = "\r", "\t", "\x7f"
ESC = "\x1b[27u"
"""As terminals send it that tell keys apart. The lone byte (`BARE_ESC`) is taken for a key only after a pause."""
BARE_ESC = "\x1b"
UP, DOWN, RIGHT, LEFT = "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D"
PAGE_UP, PAGE_DOWN = "\x1b[5~", "\x1b[6~"

PATIENCE_S = 20.0
"""How long to wait for something that takes a moment on an idle machine."""

WRAPPING, CURSOR_VISIBLE, ALTERNATE_SCREEN = 7, 25, 1049

_CLIPBOARD = re.compile(rb"\x1b\]52;c;([A-Za-z0-9+/=]*)(?:\x07|\x1b\\)")
_MODE = re.compile(rb"\x1b\[\?([0-9;]+)([hl])")
# What the emulation does not know: private and intermediate bytes, strings for the terminal, the keyboard protocol.
_UNKNOWN = re.compile(
    rb"\x1b\[[<>=][0-9;:]*[ -/]*[@-~]|\x1b\[\??[0-9;]*[ -/]+[@-~]|\x1b[P_^].*?\x1b\\|\x1b\[\?[0-9;]*u"
    rb"|\x1b\[[0-9;]*t|\x1b\[[0-9]*(?::[0-9]*)+[0-9;:]*m",
    re.DOTALL,
)
_UNFINISHED = re.compile(rb"(?:\x1b|\x1b\[[0-?]*[ -/]*|\x1b[P_\]X^](?:(?!\x1b\\|\x07).)*)\Z", re.DOTALL)
_READ_BYTES = 1 << 16

Condition = str | re.Pattern[str] | Callable[[], object]


class Chunk(NamedTuple):
    """What arrived at once, and when (`time.monotonic`)."""

    time: float
    data: bytes


class _Screen(pyte.Screen):
    """pyte's screen without its answers to questions, which nobody would read."""

    def report_device_status(self, *_: Any, **__: Any) -> None:
        pass

    def report_device_attributes(self, *_: Any, **__: Any) -> None:
        pass

    def repeat_last(self, count: int = 1, **_: Any) -> None:
        """The sequence `CSI n b`."""
        if self.cursor.x:
            self.draw(self.buffer[self.cursor.y][self.cursor.x - 1].data * max(1, count))


class _Stream(pyte.Stream):
    csi = {**pyte.Stream.csi, "b": "repeat_last"}
    events = frozenset(itertools.chain(pyte.Stream.events, ["repeat_last"]))


class Terminal:
    """Use it in a `with` block: at its end the program is gone, whatever happened."""

    def __init__(
        self,
        argv: Sequence[str | os.PathLike[str]],
        *,
        cols: int = 120,
        rows: int = 40,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        separate_stderr: bool = False,
        emulate: bool = True,
    ) -> None:
        """`separate_stderr`: errors go to `errors` instead of the screen.

        Without `emulate`, bytes are only stamped and kept; `replay` feeds them to the screen. It costs less while the
        program runs, for those who measure it.
        """
        self.chunks: list[Chunk] = []
        self._emulate = emulate
        self._screen = _Screen(cols, rows)
        self._stream = _Stream(self._screen)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = b""
        self._master, self._slave = os.openpty()
        self._set_size(cols, rows)
        self.settings_before = termios.tcgetattr(self._slave)
        variables = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES", "TMUX", "STY")}
        variables |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8", **(env or {})}
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [os.fspath(word) for word in argv],
            stdin=self._slave,
            stdout=self._slave,
            stderr=subprocess.PIPE if separate_stderr else self._slave,
            env=variables,
            cwd=cwd,
            start_new_session=True,
            preexec_fn=_take_terminal,
        )
        os.set_blocking(self._master, False)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.process.stderr is not None:
            self.process.stderr.close()
        for descriptor in (self._master, self._slave):
            os.close(descriptor)

    # -- what the program sent

    @property
    def raw(self) -> bytes:
        """All of it."""
        return b"".join(chunk.data for chunk in self.chunks)

    @property
    def lines(self) -> list[str]:
        """What is on the screen, line by line, without the blanks on the right."""
        # Not `display`: it fails on the half of a wide character whose other half was written over.
        rows, columns = range(self._screen.lines), range(self._screen.columns)
        return ["".join(self._screen.buffer[y][x].data for x in columns).rstrip() for y in rows]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def copied(self) -> list[str]:
        """What was put on the clipboard, oldest first."""
        return [base64.b64decode(found).decode() for found in _CLIPBOARD.findall(self.raw)]

    @property
    def state(self) -> str:
        """What stands at the right end of the first line, behind a gap."""
        return re.split(r" {2,}", self.lines[0])[-1]

    def row_of(self, text: str) -> int | None:
        """The first line that contains the text, from 0."""
        return next((row for row, line in enumerate(self.lines) if text in line), None)

    @property
    def background(self) -> str:
        """The colour behind most characters on the screen."""
        colours: Counter[str] = Counter(cell.bg for cell in self._cells)
        return colours.most_common(1)[0][0]

    def colours(self) -> set[str]:
        """Of all characters on the screen, in front and behind."""
        return {colour for cell in self._cells for colour in (cell.fg, cell.bg)}

    @property
    def _cells(self) -> Iterator[Any]:
        rows = self._screen.buffer
        return (rows[y][x] for y in range(self._screen.lines) for x in range(self._screen.columns))

    def modes(self) -> dict[int, bool]:
        """The terminal modes that the program touched: whether it left them on."""
        found: dict[int, bool] = {}
        for numbers, switch in _MODE.findall(self.raw):
            found.update(dict.fromkeys(map(int, numbers.split(b";")), switch == b"h"))
        return found

    @property
    def errors(self) -> str:
        """With `separate_stderr`, after the end of the program."""
        assert self.process.stderr is not None
        return self.process.stderr.read().decode()

    # -- reading

    def read(self, seconds: float = 0.0) -> bytes:
        """What arrives next, at most one chunk; empty when nothing does in that time."""
        ready, _, _ = select.select([self._master], [], [], max(0.0, seconds))
        if not ready:
            return b""
        try:
            data = os.read(self._master, _READ_BYTES)
        except OSError:
            return b""
        if data:
            self.chunks.append(Chunk(time.monotonic(), data))
            if self._emulate:
                self.feed(data)
        return data

    def feed(self, data: bytes) -> None:
        """Draws it on the emulated screen."""
        data = self._held + data
        unfinished = _UNFINISHED.search(data)
        self._held = data[unfinished.start() :] if unfinished else b""
        if unfinished:
            data = data[: unfinished.start()]
        self._stream.feed("".join(map(_drawable, self._decoder.decode(_UNKNOWN.sub(b"", data)))))

    def wait_for(self, condition: Condition, timeout: float = PATIENCE_S, *, gone: bool = False) -> float:
        """Reads until the text or pattern is on the screen (`gone`: no longer is), or the function says yes.

        Returns how many seconds that took. Fails with the frame when it takes longer than `timeout`.
        """
        started = time.monotonic()
        holds = self._condition(condition, gone)
        while not holds():
            left = started + timeout - time.monotonic()
            if left <= 0 or (self.process.poll() is not None and not self._drain()):
                ended = self.process.poll()
                what = "timeout" if ended is None else f"the program ended with {ended}"
                raise AssertionError(
                    f"{what}: waited {timeout:g} s for {'no ' if gone else ''}{condition!r}\n{self.frame()}"
                )
            self.read(min(left, 0.05))
        return time.monotonic() - started

    def _condition(self, condition: Condition, gone: bool) -> Callable[[], object]:
        if callable(condition):
            return condition
        pattern = re.compile(re.escape(condition)) if isinstance(condition, str) else condition
        return lambda: (pattern.search(self.text) is None) is gone

    def _drain(self) -> bool:
        return bool(self.read(0))

    def settle(self, quiet: float = 0.6, timeout: float = PATIENCE_S) -> None:
        """Reads until nothing was sent for `quiet` seconds."""
        deadline = time.monotonic() + timeout
        while self.read(quiet):
            if time.monotonic() > deadline:
                raise AssertionError(f"still sending after {timeout:g} s\n{self.frame()}")

    def bytes_sent_within(self, seconds: float) -> bytes:
        deadline, sent = time.monotonic() + seconds, b""
        while (left := deadline - time.monotonic()) > 0:
            sent += self.read(left)
        return sent

    def wait_exit(self, timeout: float = PATIENCE_S) -> int:
        """The exit status; everything that was sent has been read."""
        deadline = time.monotonic() + timeout
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                raise AssertionError(f"still running after {timeout:g} s\n{self.frame()}")
            self.read(0.02)
        while self._drain():
            pass
        return self.process.returncode

    def frame(self) -> str:
        """The screen in a box, for messages."""
        width = self._screen.columns
        edge = "+" + "-" * width + "+"
        return "\n".join([edge, *(f"|{line:<{width}}|" for line in self.lines), edge])

    # -- acting

    def send(self, keys: str) -> float:
        """Types; the time at which it did."""
        return self.send_bytes(keys.encode())

    def send_bytes(self, data: bytes) -> float:
        now = time.monotonic()
        os.write(self._master, data)
        return now

    def press(self, keys: str, condition: Condition, timeout: float = PATIENCE_S, *, gone: bool = False) -> None:
        """Types, and waits for what should come of it."""
        self.send(keys)
        self.wait_for(condition, timeout, gone=gone)

    def copy(self) -> str:
        """Presses `y`: what was copied."""
        before = len(self.copied)
        self.press("y", lambda: len(self.copied) > before)
        return self.copied[-1]

    def resize(self, cols: int, rows: int) -> None:
        """As when somebody pulls at the window: the kernel tells the program by a signal."""
        self._screen.resize(rows, cols)
        self._set_size(cols, rows)

    def _set_size(self, cols: int, rows: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, cols * 8, rows * 16))

    # -- what the program leaves behind

    def assert_left_as_found(self) -> None:
        """After the end: the shell's own screen, a visible cursor, no mode on, and the line discipline as before."""
        modes = self.modes()
        on = {mode for mode, is_on in modes.items() if is_on}
        assert on <= {WRAPPING, CURSOR_VISIBLE}, f"modes left on: {sorted(on)}"
        assert modes.get(WRAPPING, True), "lines are not wrapped"
        assert modes.get(CURSOR_VISIBLE, True), "the cursor is hidden"
        assert termios.tcgetattr(self._slave) == self.settings_before


def _drawable(character: str) -> str:
    """pyte drops what follows a character without a width, unless it is a combining mark."""
    if character < "\u0300" or combining(character) or category(character) not in ("Mn", "Me", "Cf"):
        return character
    return ""


def mldeck(*words: str | os.PathLike[str], **options: Any) -> Terminal:
    """The installed command, started."""
    return Terminal([MLDECK, *words], **options)


def painted_rows(data: bytes, columns: range, rows: range) -> list[int]:
    """The lines that something was painted on, from there on or further to the right; all from 0, once for each painting."""
    places = re.findall(rb"\x1b\[(\d+);(\d+)H", data)
    return [int(row) - 1 for row, column in places if int(row) - 1 in rows and int(column) - 1 in columns]


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def until(predicate: Callable[[], object], timeout: float = PATIENCE_S, pause: float = 0.02) -> None:
    """Waits for what cannot be seen on a screen."""
    deadline = time.monotonic() + timeout
    while not predicate():
        assert time.monotonic() < deadline, f"did not come true in {timeout:g} s"
        time.sleep(pause)


def _take_terminal() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
