"""A database driver (PEP 249) whose connections are streams of a line, for SQLAlchemy's dialect of SQLite.

It raises the errors of `sqlite3`, so that what explains those explains these. Reads know no transactions. A change is one
transaction, which the far end carries out at once: see `FarChange`.
"""

from __future__ import annotations

import sqlite3
import time
from base64 import b64encode
from collections import defaultdict, deque
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from mldeck.store.fetched import FetchedCursor
from mldeck.store.ssh.channel import NoAnswer
from mldeck.store.ssh.frames import BrokenFrame, Row, packed_json, unpack_rows
from mldeck.store.ssh.line import FarLine
from mldeck.store.statements import MAX_BOUND_VALUES, Earlier
from mldeck.store.values import MAX_INTEGER, MIN_INTEGER

_ERRORS = {
    error.__name__: error
    for error in (
        *(sqlite3.Error, sqlite3.InterfaceError, sqlite3.DatabaseError, sqlite3.DataError),
        *(sqlite3.OperationalError, sqlite3.IntegrityError, sqlite3.InternalError, sqlite3.ProgrammingError),
        sqlite3.NotSupportedError,
    )
}

_KNOWN: dict[str, tuple[Sequence[str], Sequence[Row]]] = {
    "PRAGMA read_uncommitted": (["read_uncommitted"], [(0,)]),
    "PRAGMA case_sensitive_like = ON": ([], []),
}
"""What the dialect and the reader ask of a new connection, with the answer, which is the same everywhere: (names, rows)."""

_CHANGES = ("INSERT", "UPDATE", "DELETE")
"""The first words of statements that change rows."""


class FarDriver:
    """What SQLAlchemy takes for the module of a driver."""

    apilevel = "2.0"
    threadsafety = 1
    paramstyle = "qmark"
    PARSE_DECLTYPES = sqlite3.PARSE_DECLTYPES
    PARSE_COLNAMES = sqlite3.PARSE_COLNAMES
    Binary = sqlite3.Binary
    Error = sqlite3.Error
    Warning = sqlite3.Warning
    InterfaceError = sqlite3.InterfaceError
    DatabaseError = sqlite3.DatabaseError
    DataError = sqlite3.DataError
    OperationalError = sqlite3.OperationalError
    IntegrityError = sqlite3.IntegrityError
    InternalError = sqlite3.InternalError
    ProgrammingError = sqlite3.ProgrammingError
    NotSupportedError = sqlite3.NotSupportedError

    def __init__(self, line: FarLine, sqlite_version: tuple[int, ...]) -> None:
        self._line = line
        self.sqlite_version_info = sqlite_version
        """That over there: the dialect asks it what SQLite understands."""
        self.sqlite_version = ".".join(map(str, sqlite_version))

    def connect(self, *_: Any, **__: Any) -> FarConnection:
        return FarConnection(self._line)


class _Result:
    """The names and rows of a statement."""

    def __init__(self, names: Sequence[str], rows: Sequence[Row], digest: str = "") -> None:
        self.names = names
        self.rows = rows
        self.digest = digest
        """By which the far end recognizes the answer; only where it was asked for."""


FarStatement = tuple[str, list[Any]]
"""A text, and the values that are bound to it, as they travel."""


_Answers = dict[bytes, deque[_Result | sqlite3.Error]]
"""The results of a request, by packed statement."""


class FarConnection:
    """A stream of a line."""

    fills_in = True

    def __init__(self, line: FarLine) -> None:
        self._line = line
        self._stream = line.new_stream()
        self._gathered: list[FarStatement] | None = None
        self._answers: list[_Answers] = []
        """Those of the requests that were gathered, the last one at the end."""

    def cursor(self) -> FarCursor:
        return FarCursor(self)

    def execute(self, text: str, values: Sequence[Any] = ()) -> FarCursor:
        return self.cursor().execute(text, values)

    def create_function(self, *_: Any, **__: Any) -> None:
        """Do nothing: the dialect adds a function for regular expressions, which nothing uses."""

    def commit(self) -> None:
        """Do nothing, because there are no transactions."""

    def rollback(self) -> None:
        """Do nothing, because there are no transactions."""

    def interrupt(self) -> None:
        """Stop the statement that is running. Never waits."""
        self._line.stop(self._stream)

    def close(self) -> None:
        self._line.end_stream(self._stream)

    @contextmanager
    def gathering(self) -> Iterator[None]:
        """Note the statements that are executed in the block, without rows, and ask all of them when it ends."""
        gathered: list[FarStatement] = []
        self._gathered = gathered
        try:
            yield
        finally:
            self._gathered = None
        results = self._ask(gathered) if gathered else []
        answers: _Answers = defaultdict(deque)
        for statement, result in zip(gathered, results, strict=False):
            was_asked = isinstance(result, sqlite3.Error) or result.names  # see `filled_in` in `agent`
            if was_asked:
                answers[packed_json(_filled_in(statement, results))].append(result)
        self._answers.append(answers)

    def forget_answers(self) -> None:
        """Drop the answers of the last request that was gathered, as far as no statement has taken them."""
        self._answers.pop()

    def run(self, text: str, values: Sequence[Any]) -> _Result:
        """Return what a statement gives: from the answers asked for before, or by a request of its own."""
        if text in _KNOWN:
            return _Result(*_KNOWN[text])
        statement = (text, [_bound(value) for value in values])
        waiting = self._waiting(statement)
        if self._gathered is not None:
            if not waiting:
                self._gathered.append(statement)
            return _Result((), ())
        result = waiting.popleft() if waiting else self._ask([statement])[0]
        if isinstance(result, sqlite3.Error):
            raise result
        return result

    def _waiting(self, statement: FarStatement) -> deque[_Result | sqlite3.Error] | None:
        """Return the answers of a statement that was asked in advance; None if it was not."""
        if not any(self._answers):
            return None
        key = packed_json(statement)
        return next((found for answers in reversed(self._answers) if (found := answers.get(key))), None)

    def run_many(self, text: str, values: Sequence[Sequence[Any]]) -> None:
        """Make a change, once for each list of values."""
        raise sqlite3.NotSupportedError("only reading")

    def _ask(self, statements: list[FarStatement]) -> list[_Result | sqlite3.Error]:
        """Return a result for each statement; what follows an error was not run, and has none."""
        answer = self._line.ask(self._stream, {"do": "sql", "statements": statements})
        try:
            return _results(answer.head.get("results"), answer.body, len(statements))
        except BrokenFrame as error:
            raise self._line.broken(error) from error


class FarChange(FarConnection):
    """A transaction on another machine, which holds the lock there no longer than the far end needs to carry it out.

    What is looked at before the first change is read without a lock. The far end repeats each look under the lock, and
    writes nothing if one of them is answered otherwise. A look that follows a change is answered by a transaction of its own,
    with all before it, that is rolled back. So what is written was decided on by what is there, whatever the distance.
    """

    def __init__(self, line: FarLine, wait_s: float, unrecorded: Collection[str] = ()) -> None:
        """`wait_s`: how long the far end waits for the lock. `unrecorded`: texts of looks that need not be repeated."""
        super().__init__(line)
        self._channel = line.connected()
        self._wait_s = wait_s
        self._unrecorded = unrecorded
        self._steps: list[tuple[str, Any, str | None]] = []
        self._is_locking = False
        self._far_deadline = 0.0
        """The same, by the clock of the far end."""
        self.deadline = 0.0
        """When the last moment is over at which the far end may commit, as of the monotonic clock here."""
        self.lock_s: float | None = None
        """How long the far end held the lock, when it has committed."""

    def lock_every_look(self) -> None:
        """Let looks wait for the end of other transactions."""
        self._ask([("SELECT 1", [])])  # tells what time it is there
        self._is_locking = True

    def run(self, text: str, values: Sequence[Any]) -> _Result:
        if text.lstrip()[:6].upper() not in _CHANGES:
            return super().run(text, values)
        self.run_many(text, [values])
        return _Result((), ())

    def run_many(self, text: str, values: Sequence[Sequence[Any]]) -> None:
        self._steps.append((text, [[_bound(value) for value in each] for each in values], None))
        self._is_locking = True

    def commit_change(self) -> None:
        """Carry out all of it. Raises `NoAnswer`, `Overtaken` or an error of SQLite's."""
        if self._is_locking:
            answer = self._channel.commit(self._stream, self._change([]))
            try:
                errors = _results(answer.head.get("results"), answer.body, 0)
            except BrokenFrame as error:
                raise NoAnswer(str(self._channel.broken(error))) from error
            if errors and isinstance(errors[0], sqlite3.Error):
                raise errors[0]
            lock_s = answer.head.get("lock_s")
            self.lock_s = lock_s if isinstance(lock_s, float) else None

    def interrupt(self) -> None:
        self._channel.stop(self._stream)

    def close(self) -> None:
        self._channel.tell(self._stream, {"do": "close"})

    def _ask(self, statements: list[FarStatement]) -> list[_Result | sqlite3.Error]:
        answer = self._channel.ask(self._stream, self._change(statements))
        now = answer.head.get("now")
        try:
            results = _results(answer.head.get("results"), answer.body, len(statements))
            if not isinstance(now, float):
                raise BrokenFrame("an answer without the time")
        except BrokenFrame as error:
            raise self._channel.broken(error) from error
        self.deadline = time.monotonic() + self._wait_s
        self._far_deadline = now + self._wait_s
        for (text, values), result in zip(statements, results, strict=False):
            if isinstance(result, _Result) and text not in self._unrecorded:
                self._steps.append((text, values, result.digest))
        return results

    def _change(self, asked: list[FarStatement]) -> dict[str, Any]:
        return {
            "do": "write",
            "steps": self._steps if self._is_locking else [],
            "ask": asked,
            "until": self._far_deadline if self._is_locking else None,
            "wait_s": self._wait_s,
        }


def _results(heads: Any, body: bytes, most: int) -> list[_Result | sqlite3.Error]:
    if not isinstance(heads, list) or not min(most, 1) <= len(heads) <= max(most, 1):
        raise BrokenFrame("another number of results")
    results: list[_Result | sqlite3.Error] = []
    start = 0
    for head in heads:
        if isinstance(head, dict) and "error" in head:
            # What is no error of SQLite's, but of its driver, has no name here.
            kind = _ERRORS.get(str(head["error"]), sqlite3.DatabaseError)
            results.append(kind(str(head.get("text"))))
            break
        if len(results) == most:
            raise BrokenFrame("another number of results")
        rows, start = unpack_rows(head, body, start)
        results.append(_Result([str(name) for name in head["names"]], rows, str(head.get("digest"))))
    if len(results) < most and not isinstance(results[-1], sqlite3.Error):
        raise BrokenFrame("another number of results")
    return results


def _filled_in(statement: FarStatement, results: Sequence[_Result | sqlite3.Error]) -> FarStatement:
    """Return what the far end made of a statement with answers of others (`filled_in` in `agent`)."""
    text, values = statement
    parts = text.split("?")
    filled = [parts[0]]
    bound: list[Any] = []
    for value, part in zip(values, parts[1:], strict=False):
        some = [value]
        if isinstance(value, dict) and "earlier" in value:
            earlier = results[value["earlier"]]
            some = [] if isinstance(earlier, sqlite3.Error) else [_bound(row[0]) for row in earlier.rows]
        bound += some
        filled += [", ".join("?" * len(some)), part]
    return "".join(filled), bound


def _bound(value: Any) -> Any:
    """Return a value as it travels. Raises what SQLite's driver raises for a value that cannot be bound."""
    if isinstance(value, Earlier):
        return {"earlier": value.index, "most": MAX_BOUND_VALUES}
    if isinstance(value, bytes):
        return {"b": b64encode(value).decode()}
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int) and not MIN_INTEGER <= value <= MAX_INTEGER:
        raise OverflowError("Python int too large to convert to SQLite INTEGER")
    if value is None or isinstance(value, (int, float, str)):
        if isinstance(value, str):
            value.encode()  # half a character cannot be stored
        return value
    raise sqlite3.ProgrammingError(f"a value of type {type(value).__name__} cannot be bound")


class FarCursor(FetchedCursor):
    """A cursor over there."""

    def __init__(self, connection: FarConnection) -> None:
        super().__init__()
        self.connection = connection

    def execute(self, text: str, values: Sequence[Any] = ()) -> FarCursor:
        result = self.connection.run(text, values)
        self.take([(name, None, None, None, None, None, None) for name in result.names], result.rows)
        return self

    def executemany(self, text: str, values: Sequence[Sequence[Any]]) -> FarCursor:
        self.connection.run_many(text, values)
        return self
