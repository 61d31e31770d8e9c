"""Read what the app shows first in a second process, while this one still loads the libraries of the user interface.

Loading Textual and loading SQLAlchemy take about equally long. Side by side, the first runs are there with the first frame.
This is only an optimization: if anything goes wrong, the app reads the store itself.

The answer is JSON, not pickle, because unpickling can run code and another process is trusted with data only.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from threading import Lock

from mldeck.child import close_stdin, send, start_python

TYPE_CHECKING = False  # `typing` takes longer to import than all that this module does before the process starts
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from mldeck.ui.runs.reading import Opening
    from mldeck.ui.state.arrangement import Arrangement

_TIMEOUT_S = 10.0


class HeadStart:
    """A process that reads the first runs. Any thread may call the methods. Leaving its `with` block kills the process."""

    def __init__(self) -> None:
        # Held while the answer is read. `stop` may be called meanwhile by another thread.
        self._asking = Lock()
        self._answer: Opening | None = None
        self._is_answered = False
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> HeadStart:
        return self

    def __exit__(self, *failure: object) -> None:
        self.stop()

    def begin(self) -> None:
        """Start the process, if it has not been started. It loads the libraries and waits to be asked."""
        if self._process is None:
            with suppress(OSError):
                self._process = start_python(__name__, [], stdout=subprocess.PIPE, keep_stdin=True)

    def ask(self, path: Path, *, read_only: bool, experiment_name: str | None, mirrored: str | None = None) -> None:
        """Let the process read the first runs of a database. `mirrored` names the store that it is the mirror of.

        They are those of the named experiment; without a name, those of the experiment that the last session left, or
        else of the one with the newest run.
        """
        self.begin()
        if self._process is not None:
            send(self._process, [str(path), "ro" if read_only else "rw", experiment_name or "", mirrored or str(path)])
            close_stdin(self._process)

    def result(self) -> Opening | None:
        """Block until the process has answered what it was asked. Return None if it failed; every call returns the same."""
        with self._asking:
            if self._process is not None and not self._is_answered:
                self._is_answered = True
                self._answer = _answer_of(self._process)
            return self._answer

    def stop(self) -> None:
        """Kill the process if it is still reading. A thread that waits in `result` then gets None."""
        if self._process is None:
            return
        self._process.kill()
        with self._asking, self._process:  # waits for the process, and closes its output
            self._is_answered = True


def _answer_of(process: subprocess.Popen[bytes]) -> Opening | None:
    with process:
        try:
            answer, _ = process.communicate(timeout=_TIMEOUT_S)
            return _from_plain(json.loads(answer))
        except (subprocess.TimeoutExpired, ValueError, TypeError, LookupError, RecursionError):
            process.kill()  # because leaving the `with` waits for it
            return None


def main(_: list[str]) -> int:
    """Run in the second process. Read a question as JSON from stdin, and write the answer to stdout.

    The question is [PATH, `ro` or `rw`, EXPERIMENT, STORE]. STORE is the name by which saved state knows the store.
    """
    import gc

    gc.disable()  # the process lives for a fraction of a second

    from pathlib import Path

    from mldeck.errors import MldeckError
    from mldeck.store.interrupt import Interrupt
    from mldeck.store.store import Store
    from mldeck.ui.runs import reading
    from mldeck.ui.state.saved_state import SavedState

    question = sys.stdin.buffer.readline()
    if not question:
        return 1  # no database will be opened: the path is wrong, for example
    path, mode, experiment_name, name = json.loads(question)
    try:
        store = Store(Path(path), read_only=mode == "ro")
        opening = reading.read_opening(store, experiment_name or None, Interrupt(), SavedState.of(Path(name)))
        store.close()
    except MldeckError:
        return 1
    json.dump(_as_plain(opening), sys.stdout)
    sys.stdout.flush()
    os._exit(0)  # nothing is left to close, and Python would take longer to tidy up than the answer takes to arrive


def _as_plain(opening: Opening) -> dict[str, Any]:
    """Return the opening as JSON values. A dataclass becomes the list of its fields, in their order."""
    from mldeck.ui.state.restored import keep_choice

    page = opening.page
    choices: dict[str, Any] = {}
    if opening.chosen is not None:
        keep_choice(choices, (opening.chosen,), opening.listed)
    return {
        "experiments": [_fields(experiment) for experiment in opening.experiments.experiments],
        "chosen": None if opening.chosen is None else _fields(opening.chosen),
        "page": None
        if page is None
        else {
            "rows": _rows_as_plain(page.arrangement),
            "count": page.count,
            "records": [
                [
                    _fields(record.run),
                    record.pace and _fields(record.pace),
                    *map(dict, (record.metrics, record.params, record.tags, record.datasets)),
                ]
                for record in page.records.values()
            ],
            "columns": [[column.kind.value, column.key] for column in page.columns],
            "read": [[column.kind.value, column.key] for column in page.read],
            "summaries": [
                [key, [[value, *summary] for value, summary in groups.items()]]
                for key, groups in page.summaries.items()
            ],
            "primary": page.primary,
        },
        "choices": choices,
        "marks": dict(opening.marks),
    }


def _rows_as_plain(rows: Arrangement) -> dict[str, Any]:
    headings = [[row, _fields(heading)] for row, heading in rows.headings.items()]
    return {**vars(rows), "run_ids": list(rows.run_ids), "folded": list(rows.folded), "headings": headings}


def _from_plain(plain: dict[str, Any]) -> Opening:
    """Read what `_as_plain` returned. Raises ValueError, TypeError or LookupError for anything else."""
    from dataclasses import replace

    from mldeck.model import Column, Experiment, Kind, MetricSummary, Pace, Run, RunRecord
    from mldeck.ui.runs.reading import Experiments, Opening, RunPage
    from mldeck.ui.state.arrangement import Arrangement, GroupHeading
    from mldeck.ui.state.restored import ListChoice, kept_choice

    def columns(written: list[list[str]]) -> tuple[Column, ...]:
        return tuple(Column(Kind(kind), key) for kind, key in written)

    def rows(written: dict[str, Any]) -> Arrangement:
        headings = {row: GroupHeading(*fields) for row, fields in written["headings"]}
        return Arrangement(**{**written, "folded": frozenset(written["folded"]), "headings": headings})

    page = plain["page"]
    chosen = None if plain["chosen"] is None else Experiment(*plain["chosen"])
    return Opening(
        Experiments([Experiment(*fields) for fields in plain["experiments"]]),
        chosen,
        None
        if page is None
        else RunPage(
            rows(page["rows"]),
            page["count"],
            {
                run[0]: replace(RunRecord(Run(*run), *parts), pace=pace and Pace(*pace))
                for run, pace, *parts in page["records"]
            },
            columns(page["columns"]),
            columns(page["read"]),
            {key: {value: MetricSummary(*numbers) for value, *numbers in groups} for key, groups in page["summaries"]},
            None if page["primary"] is None else (str(page["primary"][0]), bool(page["primary"][1])),
        ),
        ListChoice() if chosen is None else kept_choice(plain["choices"], (chosen,)),
        plain["marks"],
    )


def _fields(value: object) -> list[Any]:
    return list(vars(value).values())
