"""Reads what the deck shows first in a process of its own, while this one still loads the screen's libraries.

Loading Textual and loading SQLAlchemy take about as long as each other; side by side, the first runs are there with the
first frame. It is a head start and nothing more: whatever goes wrong, the deck reads for itself.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mldeck.ui.run_reading import Opening

_NOTHING_S = 10.0


class HeadStart:
    """Begins to read at once; `result` waits for the answer."""

    def __init__(self, path: Path, *, read_only: bool, experiment_name: str | None) -> None:
        words = [str(path), "ro" if read_only else "rw", experiment_name or ""]
        self._process: subprocess.Popen[bytes] | None
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError:
            self._process = None

    def result(self) -> Opening | None:
        """Blocks until the process has answered; None if it could not."""
        import pickle

        from mldeck.ui.run_reading import Opening

        if self._process is None:
            return None
        try:
            answer, _ = self._process.communicate(timeout=_NOTHING_S)
            opening = pickle.loads(answer)  # written by ourselves, a moment ago, into a pipe that nobody else holds
        except (subprocess.TimeoutExpired, pickle.UnpicklingError, EOFError, ValueError):
            self.stop()
            return None
        return opening if isinstance(opening, Opening) else None

    def stop(self) -> None:
        """Ends the process if it is still reading."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        if self._process is not None and self._process.stdout is not None:
            self._process.stdout.close()


def main(words: list[str]) -> int:
    """The process: PATH, `ro` or `rw`, EXPERIMENT; the answer goes to the standard output."""
    import pickle

    from mldeck.errors import MldeckError
    from mldeck.store.interrupt import Interrupt
    from mldeck.store.store import Store
    from mldeck.ui import run_reading

    path, mode, experiment_name = words
    try:
        store = Store(Path(path), read_only=mode == "ro")
        opening = run_reading.read_opening(store, experiment_name or None, Interrupt())
        store.close()
    except MldeckError:
        return 1
    sys.stdout.buffer.write(pickle.dumps(opening))
    return 0


if __name__ == "__main__":
    import gc

    gc.disable()  # it lives for a fraction of a second
    sys.exit(main(sys.argv[1:]))
