"""The pool of connections and the watcher, over connections that do as they are told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import pytest

from mldeck.errors import StoreUnavailable
from mldeck.store.backend import Change
from mldeck.store.schema import Traits
from mldeck.store.server_database import ServerDatabase
from mldeck.store.servers import links, watch
from mldeck.store.servers.driver import DatabaseFacts
from mldeck.store.servers.errors import Fault
from mldeck.store.servers.filling import Statement, StatementAnswer
from mldeck.store.servers.links import Link, LinkPool, PooledConnection
from mldeck.store.servers.watch import ServerWatcher

DATABASE = ServerDatabase("postgresql", "db.example", "ml", "ada", "hunter2")
COLUMNS = {"runs": frozenset({"run_uuid"})}
PATIENCE_S = 10


class Lost(Exception):
    """What this driver raises when a connection has ended."""


class Wire:
    """A connection whose statements last until they are stopped, if it is told so."""

    def __init__(self) -> None:
        self.is_lost = False
        self.is_closed = False
        self.blocks = False
        self.fails = False
        self.asked: list[str] = []
        self.cancels = 0
        self.cancelled = threading.Event()

    def ask(self, statements: Sequence[Statement], timeout_s: float | None) -> list[StatementAnswer | Exception]:
        self.asked += [text for text, _ in statements]
        if self.is_lost or self.fails:
            return [Lost("gone")]
        if self.blocks:
            assert self.cancelled.wait(PATIENCE_S)
            self.blocks = False
            return [Lost("stopped")]
        return [StatementAnswer([("one",)], [(1,)]) for _ in statements]

    def cancel(self) -> None:
        self.cancels += 1
        self.cancelled.set()

    def close(self) -> None:
        self.is_closed = True


class Driver:
    """A server whose state and tables are attributes."""

    traits = Traits(has_rowids=False)
    dialect: Any = None
    error: type[Exception] = Lost

    def __init__(self) -> None:
        self.wires: list[Wire] = []
        self.is_down = False
        self.number: Hashable = 1
        self.revision = "first"
        self.tables: Mapping[str, frozenset[str]] = COLUMNS
        self.questions = 0

    def connect(self) -> Wire:
        if self.is_down:
            raise StoreUnavailable("no server")
        self.wires.append(Wire())
        return self.wires[-1]

    def fault_of(self, error: BaseException) -> Fault:
        return Fault.LOST

    def words_of(self, error: BaseException) -> str:
        return str(error)

    def opening(self, link: Link) -> DatabaseFacts:
        raise NotImplementedError

    def columns(self, link: Link) -> Mapping[str, frozenset[str]]:
        return self.tables

    def state(self, link: Link) -> tuple[Hashable, str | None]:
        self.questions += 1
        (answer,) = link.ask([("STATE", ())], None)
        if isinstance(answer, Exception):
            raise answer
        return self.number, self.revision


@pytest.fixture
def driver() -> Driver:
    return Driver()


@pytest.fixture
def pool(driver: Driver) -> LinkPool:
    return LinkPool(driver.connect)


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it takes too long"
        time.sleep(0.01)


class TestPool:
    def test_an_idle_connection_is_used_again(self, pool: LinkPool, driver: Driver) -> None:
        PooledConnection(pool).close()
        PooledConnection(pool).close()
        assert len(driver.wires) == 1

    def test_only_a_few_are_kept(self, pool: LinkPool, driver: Driver) -> None:
        used = [PooledConnection(pool) for _ in range(links.MOST_IDLE + 2)]
        for connection in used:
            connection.close()
        assert sum(wire.is_closed for wire in driver.wires) == 2

    def test_all_but_one_are_closed_after_a_while(
        self, pool: LinkPool, driver: Driver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        used = [PooledConnection(pool) for _ in range(3)]
        for connection in used:
            connection.close()
        monkeypatch.setattr(links, "IDLE_S", -1.0)
        PooledConnection(pool).close()
        assert [wire.is_closed for wire in driver.wires].count(False) == 2  # the one in use, and the one used last

    def test_a_lost_one_is_not_used_again(self, pool: LinkPool, driver: Driver) -> None:
        PooledConnection(pool).close()
        driver.wires[0].is_lost = True
        PooledConnection(pool).close()
        assert (len(driver.wires), driver.wires[0].is_closed) == (2, True)

    def test_what_is_in_use_when_the_pool_is_closed_is_closed_later(self, pool: LinkPool, driver: Driver) -> None:
        connection = PooledConnection(pool)
        pool.close()
        assert not driver.wires[0].is_closed
        connection.close()
        assert driver.wires[0].is_closed


class TestStop:
    def test_it_ends_the_statement_and_the_connection_is_clean_afterwards(self, pool: LinkPool, driver: Driver) -> None:
        connection = PooledConnection(pool)
        wire = driver.wires[0]
        wire.blocks = True
        threading.Timer(0.05, connection.stop).start()
        with pytest.raises(Lost, match="stopped"):
            connection.cursor().execute("SLOW")
        connection.close()
        until(lambda: wire.asked == ["SLOW", "SELECT 1"])
        until(lambda: pool._idle)
        assert len(driver.wires) == 1

    def test_it_never_waits_and_is_repeated_until_the_read_ends(
        self, pool: LinkPool, driver: Driver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(links, "STOP_AGAIN_S", 0.01)
        connection = PooledConnection(pool)
        wire = driver.wires[0]
        slow = threading.Event()

        def cancel() -> None:
            wire.cancels += 1
            slow.wait(PATIENCE_S)

        monkeypatch.setattr(wire, "cancel", cancel)
        began = time.monotonic()
        connection.stop()
        assert time.monotonic() - began < 0.1
        slow.set()
        until(lambda: wire.cancels > 2)
        connection.close()
        until(lambda: pool._idle)
        cancels = wire.cancels
        time.sleep(0.05)
        assert wire.cancels == cancels

    def test_a_connection_that_cannot_be_cleaned_is_closed(self, pool: LinkPool, driver: Driver) -> None:
        connection = PooledConnection(pool)
        connection.stop()
        driver.wires[0].is_lost = True
        connection.close()
        until(lambda: driver.wires[0].is_closed)
        assert pool._idle == []


class TestWatcher:
    @pytest.fixture
    def watcher(self, pool: LinkPool, driver: Driver, monkeypatch: pytest.MonkeyPatch) -> ServerWatcher:
        monkeypatch.setattr(watch, "PAUSE_S", 0.0)
        monkeypatch.setattr(watch, "PATIENCE", 0)
        monkeypatch.setattr(watch, "FIRST_DELAY_S", 0.01)
        return ServerWatcher(DATABASE, driver, pool, DatabaseFacts(COLUMNS, {}, "first", 1))

    def polled(self, watcher: ServerWatcher, driver: Driver) -> Change:
        """Poll until the server was asked once more, and return what the poll after that says."""
        asked = driver.questions
        until(lambda: watcher.poll() is Change.NOTHING and driver.questions > asked)
        until(lambda: not watcher._asking.locked())
        return watcher.poll()

    def test_nothing_has_changed(self, watcher: ServerWatcher, driver: Driver) -> None:
        assert self.polled(watcher, driver) is Change.NOTHING

    def test_a_commit_is_told_once(self, watcher: ServerWatcher, driver: Driver) -> None:
        driver.number = 2
        changes: list[Change] = []
        while driver.questions <= 5:
            changes.append(watcher.poll())
            time.sleep(0.001)
        assert changes.count(Change.DATA) == 1
        assert changes.count(Change.NOTHING) == len(changes) - 1

    def test_a_migration_is_told_until_it_is_opened_again(self, watcher: ServerWatcher, driver: Driver) -> None:
        driver.revision = "second"
        until(lambda: watcher.poll() is Change.FILE)
        assert watcher.poll() is Change.FILE

    def test_other_columns_are_noticed_after_a_read_that_missed_one(
        self, watcher: ServerWatcher, driver: Driver
    ) -> None:
        driver.tables = {"runs": frozenset({"run_uuid", "name"})}
        assert self.polled(watcher, driver) is Change.NOTHING
        watcher.doubt_tables()
        until(lambda: watcher.poll() is Change.FILE)

    def test_the_same_columns_are_no_change(self, watcher: ServerWatcher, driver: Driver) -> None:
        watcher.doubt_tables()
        assert self.polled(watcher, driver) is Change.NOTHING

    def test_a_connection_that_was_cut_while_idle_is_no_trouble(self, watcher: ServerWatcher, driver: Driver) -> None:
        assert self.polled(watcher, driver) is Change.NOTHING
        cut = driver.wires[0]
        cut.fails = True
        assert self.polled(watcher, driver) is Change.NOTHING
        assert len(driver.wires) == 2

    def test_a_server_that_is_down_is_told_and_asked_again(self, watcher: ServerWatcher, driver: Driver) -> None:
        driver.is_down = True
        errors: list[str] = []

        def failed() -> bool:
            try:
                watcher.poll()
            except StoreUnavailable as error:
                errors.append(str(error))
            return bool(errors)

        until(failed)
        assert errors == ["no server"]
        driver.is_down, driver.number = False, 2

        def recovered() -> bool:
            try:
                return watcher.poll() is Change.DATA
            except StoreUnavailable:
                return False

        until(recovered)

    def test_nothing_is_asked_when_nobody_polls_or_after_the_end(self, watcher: ServerWatcher, driver: Driver) -> None:
        assert self.polled(watcher, driver) is Change.NOTHING
        until(lambda: not watcher._asking.locked())
        watcher.close()
        asked = driver.questions
        for _ in range(5):
            watcher.poll()
            time.sleep(0.01)
        assert driver.questions == asked
