"""The connection and cursor of a driver (PEP 249) that asks several statements in one request, each answered completely."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from mldeck.store.fetched import FetchedCursor
from mldeck.store.servers.filling import Statement, StatementAnswer, can_repeat, filled_in, needs, nested

_CAST = re.compile(r"(?<=\)s)::\w+")

Asker = Callable[[list[Statement]], "list[StatementAnswer | Exception]"]
"""A function that returns an answer, or the driver's error, for each statement. What follows an error may be missing."""


class AnsweredConnection:
    """A connection whose statements go through `ask`. There are no transactions: see the asker."""

    fills_in = True

    def __init__(self, ask: Asker) -> None:
        self._ask = ask
        self._gathered: list[Statement] | None = None
        self._answers: list[dict[str, deque[StatementAnswer | Exception]]] = []
        """Those of the requests that were gathered, by statement; the last request is the last."""

    def cursor(self) -> AnsweredCursor:
        return AnsweredCursor(self)

    def commit(self) -> None:
        """Do nothing."""

    def rollback(self) -> None:
        """Do nothing."""

    @contextmanager
    def gathering(self) -> Iterator[None]:
        """Note the statements that are executed in the block, without rows, and ask all of them when it ends."""
        gathered: list[Statement] = []
        self._gathered = gathered
        try:
            yield
        finally:
            self._gathered = None
        answers: dict[str, deque[StatementAnswer | Exception]] = defaultdict(deque)
        for statement, answer in self._answered(gathered):
            answers[_key(statement)].append(answer)
        self._answers.append(answers)

    def _answered(self, gathered: list[Statement]) -> Iterator[tuple[Statement, StatementAnswer | Exception]]:
        """Ask statements in as few requests as their need of each other's answers allows. Yield those that were answered."""
        answers: dict[int, StatementAnswer] = {}
        waiting = dict(enumerate(gathered))
        while waiting:
            present: dict[int, Statement] = {}
            lists = {index: statement for index, statement in waiting.items() if can_repeat(statement)}
            for index, statement in list(waiting.items()):
                if needs(statement) <= answers.keys():
                    del waiting[index]
                    if (complete := filled_in(statement, answers)) is not None:
                        present[index] = complete
                elif needs(statement) <= lists.keys():
                    del waiting[index]
                    present[index] = nested(statement, lists)
            found = self._ask(list(present.values())) if present else []
            for index, answer in zip(present, found, strict=False):
                if not isinstance(answer, StatementAnswer):
                    yield present[index], answer
                    return  # what follows an error was not asked
                answers[index] = answer
            for index in present:
                if (complete := filled_in(gathered[index], answers)) is not None:
                    yield complete, answers[index]
            if not present:
                return  # what is left needs answers that there are not

    def forget_answers(self) -> None:
        """Drop the answers of the last request that was gathered, as far as no statement has taken them."""
        self._answers.pop()

    def run(self, statement: Statement) -> StatementAnswer:
        """Return what a statement gives: from the answers asked for before, or by a request of its own."""
        waiting = self._waiting(statement)
        if self._gathered is not None:
            if not waiting:
                self._gathered.append(statement)
            return StatementAnswer()
        answer = waiting.popleft() if waiting else self._ask([statement])[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _waiting(self, statement: Statement) -> deque[StatementAnswer | Exception] | None:
        """Return the answers of a statement that was asked in advance; None if it was not."""
        if not any(self._answers):
            return None
        key = _key(statement)
        return next((found for answers in reversed(self._answers) if (found := answers.get(key))), None)


def _key(statement: Statement) -> str:
    """Return a text that is the same for a statement with the same values, and with no others."""
    text, values = statement
    # A cast is no difference: before the values are known, their type is that of the column.
    return repr((_CAST.sub("", text), sorted(values.items()) if isinstance(values, Mapping) else tuple(values)))


class AnsweredCursor(FetchedCursor):
    """A cursor of a server's driver."""

    def __init__(self, connection: AnsweredConnection) -> None:
        super().__init__()
        self.connection = connection

    def execute(self, text: str, values: Any = ()) -> AnsweredCursor:
        answer = self.connection.run((text, values))
        self.take(answer.columns, answer.rows)
        return self

    def executemany(self, text: str, values: Sequence[Any]) -> AnsweredCursor:
        raise NotImplementedError("only reading")
