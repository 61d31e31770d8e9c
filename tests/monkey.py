"""Thousands of random keys, of those that the help names, against the real program in a terminal of its own.

    python -m tests.monkey --seeds 10 --keys 3000

Nothing ends the deck, it says nothing on standard error, and it goes on answering. It is resized between the keys, down to one
column and one row, and runs beside what keeps a processor busy. The same seed types the same keys; what they meet
depends on how fast the machine is.

Whether it still answers is not measured in seconds, which say how busy the machine is: it must not use the processor for long
without painting anything, nor sleep for long when it has something to answer.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from textual.keys import KEY_NAME_REPLACEMENTS, key_to_character

from mldeck.demo.project import make_demo
from mldeck.ui.help.key_groups import GROUPS
from tests.processes import descendants
from tests.terminal.hostile import make_hostile_store
from tests.terminal.terminal import ESC, Terminal, mldeck

SIZES = ((80, 24), (120, 40))
STORES: Mapping[str, Callable[[Path], Path]] = {"demo": make_demo, "hostile": make_hostile_store}

_LEAVING = frozenset({"q", "ctrl+q"})
_PALETTE = frozenset({"ctrl+p", "colon"})
_PALETTE_KEYS = 8
"""Most keys that are typed after one that opens the command palette, which offers to leave, too."""
_SEQUENCES = {
    "enter": "\r",
    "tab": "\t",
    "escape": ESC,
    "backspace": "\x7f",
    "delete": "\x1b[3~",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "pageup": "\x1b[5~",
    "pagedown": "\x1b[6~",
    "shift+tab": "\x1b[Z",
    "shift+up": "\x1b[1;2A",
    "shift+down": "\x1b[1;2B",
    "shift+right": "\x1b[1;2C",
    "shift+left": "\x1b[1;2D",
}
_UNICODE_NAMES = {name: unicode_name for unicode_name, name in KEY_NAME_REPLACEMENTS.items()}
_SMALL = ((1, 1), (1, 24), (80, 1), (2, 5), (20, 3), (60, 16), (59, 15), (200, 50))

_BUSY_S = 15.0
"""Processor time without painting anything, after which the deck is taken to be caught in something."""
_ASLEEP_S = 30.0
_POLL_S = 0.05
_LOOK_EVERY = 100
"""Keys between two looks at whether the deck still answers."""
_TRIES = 12
_HELP = b" Keys "
_SHOWN = 60
"""Keys that a failure tells, the last ones."""
_FED = 500
"""Of what the deck sent, the last pieces: they make the frame that a failure shows."""


class Failure(AssertionError):
    """What the deck must not do, with all that is known of it."""


def key_bytes(name: str) -> str:
    """What a terminal sends for a key, as Textual calls it."""
    if name in _SEQUENCES:
        return _SEQUENCES[name]
    if name.startswith("ctrl+") and len(name) == len("ctrl+x"):
        return chr(ord(name[-1]) & 31)
    character = key_to_character(_UNICODE_NAMES.get(name, name))
    assert character is not None, f"no terminal sends {name}: add it to _SEQUENCES"
    return character


def documented_keys() -> list[str]:
    """The names of all keys that the help names, but for those that leave; as often as there is something that they do."""
    names = (name for _, keys in GROUPS for key in keys for name in key.keys.split(","))
    return [name for name in names if name not in _LEAVING]


class Monkey:
    def __init__(self, folder: Path, store: str, size: tuple[int, int], seed: int) -> None:
        self._name = f"{store} store, {size[0]}x{size[1]}, seed {seed}"
        self._size = size
        self._dice = random.Random(f"{store} {size} {seed}")
        self._home = folder
        (folder / "store").mkdir()
        self._path = STORES[store](folder / "store")
        self._keys = documented_keys()
        self.typed: list[str] = []
        """Names of keys, and sizes."""

    def __str__(self) -> str:
        return self._name

    def play(self, count: int) -> None:
        """Type so many keys."""
        while count > 0:
            with self._deck() as deck:
                Watch(deck, self._fail).until(lambda: b"live" in _sent_since(deck, 0), "the store is opened")
                count = self._play(deck, count)

    @contextmanager
    def _deck(self) -> Iterator[Terminal]:
        variables = {f"XDG_{kind}_HOME": str(self._home / kind) for kind in ("CONFIG", "STATE", "CACHE", "DATA")}
        # A pager and an editor that are over at once. An abort makes Python say where it is.
        variables |= {"HOME": str(self._home), "PAGER": "true", "EDITOR": "true", "PYTHONFAULTHANDLER": "1"}
        columns, rows = self._size
        with mldeck(
            self._path, cols=columns, rows=rows, env=variables, cwd=self._home, separate_stderr=True, emulate=False
        ) as deck:
            yield deck

    def _play(self, deck: Terminal, count: int) -> int:
        """Until all is typed or the deck has been left; how many keys are left."""
        dice, watch = self._dice, Watch(deck, self._fail)
        is_small = False
        while count > 0:
            may_leave, keys_left = False, min(count, _LOOK_EVERY)
            while keys_left:
                name = dice.choice(self._keys)
                self.typed.append(name)
                count, keys_left = count - 1, keys_left - 1
                if name in _PALETTE and not may_leave:
                    may_leave, keys_left = True, min(count, dice.randint(0, _PALETTE_KEYS))
                if deck.process.poll() is None:
                    deck.send(key_bytes(name))
                if dice.random() < 0.02:
                    size = self._size if is_small else dice.choice(_SMALL)
                    is_small = not is_small
                    self.typed.append("{}x{}".format(*size))
                    deck.resize(*size)
                watch.look(dice.choice((0.0, 0.0, 0.01, 0.1)))
            deck.resize(*self._size)
            is_small = False
            if not watch.answers():
                self._check_left(deck, may_leave)
                return count
        self.typed.append("ctrl+q")
        watch.leave()
        self._check_left(deck, may_leave=True)
        return 0

    def _check_left(self, deck: Terminal, may_leave: bool) -> None:
        """Somebody asked it to end, and it has put the terminal in order."""
        status, said = deck.wait_exit(), deck.errors
        if status or said or not may_leave:
            self._fail(deck, f"it ended with {status}", said)
        deck.assert_left_as_found()

    def _fail(self, deck: Terminal, what: str, said: str = "") -> None:
        if deck.process.poll() is None:
            deck.process.send_signal(signal.SIGABRT)
            deck.process.wait()
            said += deck.errors
        log = self._home / "STATE" / "mldeck" / "crash.log"
        if log.exists():
            said += log.read_text("utf-8")
        typed = " ".join(self.typed[-_SHOWN:])
        deck.feed(_sent_since(deck, -_FED))
        raise Failure(f"{self._name}, after {len(self.typed)} keys: {what}\n{typed}\n{deck.frame()}\n{said}")


class Watch:
    """Looks at whether the deck goes on."""

    def __init__(self, deck: Terminal, fail: Callable[[Terminal, str], None]) -> None:
        self._deck = deck
        self._fail = fail
        self._painted_at = self._processor_s
        """Processor time that it had used when it painted last."""

    @property
    def _processor_s(self) -> float:
        try:
            fields = Path(f"/proc/{self._deck.process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def _is_asleep(self) -> bool:
        """Whether neither it nor what it started has anything to do."""
        pids = (self._deck.process.pid, *descendants(self._deck.process.pid))
        return not any(state in "RD" for pid in pids for state in _thread_states(pid))

    def look(self, seconds: float) -> bool:
        """Read what is painted within that time; whether anything was."""
        deck = self._deck
        has_painted = False
        while deck.read(seconds if not has_painted else 0.0):
            has_painted = True
        if has_painted:
            self._painted_at = self._processor_s
        elif "T" in _thread_states(deck.process.pid):
            # ctrl+z came while the pager or editor had the terminal: bring it back, as somebody would in a shell.
            os.killpg(deck.process.pid, signal.SIGCONT)
        elif self._processor_s - self._painted_at > _BUSY_S:
            self._fail(deck, f"busy for {_BUSY_S:g} s of processor time without painting anything")
        return has_painted

    def until(self, is_true: Callable[[], object], what: str, patience_s: float = _ASLEEP_S) -> bool:
        """Wait for what is done at once when it is its turn; without `what`, whether it was."""
        asleep_s = 0.0
        while not is_true():
            if self._deck.process.poll() is None and not self.look(_POLL_S) and self._is_asleep:
                asleep_s += _POLL_S
            if asleep_s > patience_s:
                if what:
                    self._fail(self._deck, f"asleep for {patience_s:g} s, and never happened: {what}")
                return False
        return True

    @property
    def _is_over(self) -> bool:
        return self._deck.process.poll() is not None

    def answers(self) -> bool:
        """Go back to where nothing is open, and ask for help; False if the deck has ended."""
        deck, begin = self._deck, len(self._deck.chunks)
        if not self._try(ESC + "?", lambda: self._is_over or _HELP in _sent_since(deck, begin)):
            self._fail(deck, "no help comes up")
        return not self._is_over

    def leave(self) -> None:
        if not self._try(ESC + key_bytes("ctrl+q"), lambda: self._is_over):
            self._fail(self._deck, "it does not end")

    def _try(self, keys: str, is_done: Callable[[], object]) -> bool:
        """Type them again and again: what is open is closed one after the other."""
        for _ in range(_TRIES):
            if not self._is_over:
                self._deck.send(keys)
            if self.until(is_done, "", 2.0):
                return True
        return False


def _sent_since(deck: Terminal, begin: int) -> bytes:
    return b"".join(chunk.data for chunk in deck.chunks[begin:])


def _thread_states(pid: int) -> Iterator[str]:
    """A letter for each thread, as in /proc: `R` runs, or would if there were a processor for it."""
    for thread in Path(f"/proc/{pid}/task").glob("*/stat"):
        with suppress(OSError):
            yield thread.read_text().rpartition(")")[2].split()[0]


@contextmanager
def burner() -> Iterator[None]:
    """A processor is busy with something else."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        try:
            yield
        finally:
            process.kill()


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.monkey", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=10, help="how many (%(default)s)")
    parser.add_argument("--first-seed", type=int, default=1, help="where they begin (%(default)s)")
    parser.add_argument("--keys", type=int, default=3_000, help="for each seed, store and size (%(default)s)")
    parser.add_argument("--store", choices=STORES, action="append", help="only this one")
    parser.add_argument("--idle", action="store_true", help="without what keeps a processor busy")
    options = parser.parse_args()
    failures = 0
    with nullcontext() if options.idle else burner():
        for seed in range(options.first_seed, options.first_seed + options.seeds):
            for store in options.store or STORES:
                for size in SIZES:
                    began = time.monotonic()
                    with tempfile.TemporaryDirectory(prefix="mldeck-monkey-") as folder:
                        monkey = Monkey(Path(folder), store, size, seed)
                        try:
                            monkey.play(options.keys)
                            result = f"{len(monkey.typed):,} keys"
                        except AssertionError as failure:
                            failures += 1
                            result = f"FAILED\n{failure}"
                    print(f"{monkey} {result} {time.monotonic() - began:.0f} s", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
