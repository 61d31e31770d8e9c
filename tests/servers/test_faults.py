"""Servers that refuse or fail: what the user is told, how a lost connection comes back, and how a read is stopped."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text

from mldeck.errors import Interrupted, StoreUnavailable
from mldeck.model import View
from mldeck.store.address import read_address
from mldeck.store.backend import Change
from mldeck.store.interrupt import Interrupt
from mldeck.store.store import Store
from tests.fixture_stores import FixtureStore
from tests.link import Link, running
from tests.servers.database_server import PASSWORD
from tests.servers.databases import Database, Databases
from tests.servers.mariadb import NO_TLS
from tests.store.ssh.test_faults import wait_until

Ask = Callable[..., tuple[int, str, str]]

QUICKLY_S = 0.3
"""Longer than anything that waits for no round trip."""
TRIP_S = 1.0
STOPPED_WITHIN_S = 5.0
SLEEP_S = 30

EXPERIMENTS = 9


@pytest.fixture(params=["postgresql", "mariadb"])
def databases(request: pytest.FixtureRequest, databases_on: Callable[[str], Databases]) -> Databases:
    """The order of text makes no difference here."""
    return databases_on(request.param)


@pytest.fixture
def database(databases: Databases, store_copy: Callable[[str], FixtureStore]) -> Iterator[Database]:
    with databases.holding(store_copy("mlflow-3.17.2").db) as filled:
        yield filled


@pytest.fixture
def store(database: Database) -> Iterator[Store]:
    with closing(Store(read_address(database.url))) as opened:
        yield opened


def sleep(database: Database, seconds: float) -> str:
    """Return a statement that takes so long."""
    function = "pg_sleep" if database.server.kind == "postgresql" else "sleep"
    return f"SELECT {function}({seconds})"


def read_slowly(store: Store, database: Database, seconds: float, interrupt: Interrupt | None = None) -> int:
    def read(connection: object, schema: object) -> int:
        return len(connection.execute(text(sleep(database, seconds))).all())  # type: ignore[attr-defined]

    return store.read(read, interrupt)


@contextmanager
def later(seconds: float, action: Callable[[], object]) -> Iterator[None]:
    """Do it while the block runs, which must not end before."""
    thread = threading.Timer(seconds, action)
    thread.start()
    try:
        yield
    finally:
        thread.join()


class TestRefused:
    """One line, and exit status 2."""

    @staticmethod
    def refusal(ask: Ask, url: str) -> str:
        status, output, errors = ask("experiments", "-s", url)
        assert (status, output) == (2, "")
        assert errors.startswith("mldeck: ")
        assert errors.count("\n") == 1
        assert PASSWORD not in errors
        return errors

    def test_a_wrong_password(self, ask: Ask, database: Database) -> None:
        errors = self.refusal(ask, database.server.url(database.name, password="wrong-guess"))
        assert "refuses the login" in errors
        assert "wrong-guess" not in errors

    def test_no_password(self, ask: Ask, database: Database) -> None:
        assert "refuses the login" in self.refusal(ask, database.server.url(database.name, password=None))

    def test_an_unknown_user(self, ask: Ask, database: Database) -> None:
        assert "refuses the login" in self.refusal(ask, database.server.url(database.name, user="nobody-here"))

    def test_no_such_database(self, ask: Ask, database: Database) -> None:
        server = database.server
        errors = self.refusal(ask, server.url("absent", user=server.administrator))
        assert "there is no database absent at 127.0.0.1" in errors

    def test_no_tables_of_mlflow(self, ask: Ask, databases: Databases) -> None:
        databases.server.create("of_others")
        try:
            assert "MLflow" in self.refusal(ask, databases.server.url("of_others"))
            databases.server.run_script("of_others", "CREATE TABLE runs (id INTEGER)")
            assert "MLflow" in self.refusal(ask, databases.server.url("of_others"))
        finally:
            databases.server.drop("of_others")

    def test_an_unknown_host(self, ask: Ask, database: Database) -> None:
        errors = self.refusal(ask, database.url.replace("127.0.0.1", "no-such-host.invalid"))
        assert "there is no host no-such-host.invalid" in errors

    def test_nobody_listens(self, ask: Ask, database: Database) -> None:
        assert "no server answers at 127.0.0.1:1" in self.refusal(ask, database.server.url(database.name, port=1))

    def test_a_login_that_needs_tls(self, ask: Ask, database: Database) -> None:
        errors = self.refusal(ask, database.server.url(database.name, user=NO_TLS))
        assert "refuses the login" in errors
        if database.server.kind == "postgresql":
            assert "no encryption" in errors

    def test_a_server_without_the_tls_that_is_asked_for(self, ask: Ask, database: Database) -> None:
        server = database.server
        is_postgresql = server.kind == "postgresql"
        option = {"sslmode": "require"} if is_postgresql else {"ssl_mode": "REQUIRED"}
        errors = self.refusal(ask, server.url(database.name, port=None, **option))
        assert "SSL" in errors or "TLS" in errors

    def test_an_unknown_option(self, ask: Ask, database: Database) -> None:
        assert "no_such_option" in self.refusal(ask, database.server.url(database.name, no_such_option="1"))

    def test_a_user_who_may_not_read(self, ask: Ask, databases: Databases, database: Database) -> None:
        server = databases.server
        server.create("of_others")
        try:
            server.run_script("of_others", "CREATE TABLE alembic_version (version_num VARCHAR(32))")
            self.refusal(ask, server.url("of_others", user=NO_TLS))
        finally:
            server.drop("of_others")

    def test_the_driver_is_missing(self, database: Database) -> None:
        scheme = urlsplit(database.url).scheme
        module = {"postgresql": "psycopg", "mysql": "pymysql"}[scheme]
        code = (
            f"import sys; sys.modules[{module!r}] = None; from mldeck.cli import main; sys.exit(main(['experiments']))"
        )
        ended = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "MLFLOW_TRACKING_URI": database.url},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (ended.returncode, ended.stdout) == (2, "")
        assert f"mldeck[{scheme}]" in ended.stderr
        assert ended.stderr.count("\n") == 1


class TestLost:
    def test_a_session_is_ended_within_a_read(self, store: Store, database: Database) -> None:
        """The read is tried once more, and nobody notices."""
        with later(0.4, lambda: database.server.end_sessions(database.name)):
            assert read_slowly(store, database, 1.0) == 1

    def test_it_is_ended_again(self, store: Store, database: Database) -> None:
        stopped = threading.Event()

        def end_all() -> None:
            while not stopped.wait(0.2):
                database.server.end_sessions(database.name)

        thread = threading.Thread(target=end_all)
        thread.start()
        try:
            with pytest.raises(StoreUnavailable, match=r"connection to 127\.0\.0\.1:\d+ lost"):
                read_slowly(store, database, SLEEP_S)
        finally:
            stopped.set()
            thread.join()
        assert len(store.experiments(View.ALL)) == EXPERIMENTS

    def test_all_idle_sessions_are_ended(self, store: Store, database: Database) -> None:
        threads = [threading.Thread(target=read_slowly, args=(store, database, 0.3)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        database.server.end_sessions(database.name)
        for _ in range(4):
            assert len(store.experiments(View.ALL)) == EXPERIMENTS

    def test_the_server_is_stopped_and_started(self, store: Store, database: Database) -> None:
        assert store.poll() is Change.NOTHING
        database.server.service.stop()
        try:
            with pytest.raises(StoreUnavailable):
                store.experiments(View.ALL)
            wait_until(lambda: "trying again" in failure_of_poll(store))
        finally:
            database.server.service.start()
        wait_until(lambda: not failure_of_poll(store))
        assert len(store.experiments(View.ALL)) == EXPERIMENTS

    def test_the_line_is_cut_within_a_read(self, database: Database) -> None:
        with (
            running(Link(database.server.service.port)) as link,
            closing(Store(read_address(database.server.url(database.name, port=link.port)))) as store,
            later(0.4, link.cut),
        ):
            assert read_slowly(store, database, 1.0) == 1


def failure_of_poll(store: Store) -> str:
    try:
        store.poll()
    except StoreUnavailable as error:
        return str(error)
    return ""


class TestStopping:
    def test_a_slow_read_ends(self, store: Store, database: Database) -> None:
        interrupt = Interrupt()
        started = time.monotonic()
        with later(0.3, interrupt.fire), pytest.raises(Interrupted):
            read_slowly(store, database, SLEEP_S, interrupt)
        assert time.monotonic() - started < STOPPED_WITHIN_S

    def test_the_server_goes_on_with_nothing(self, store: Store, database: Database) -> None:
        interrupt = Interrupt()
        with later(0.3, interrupt.fire), pytest.raises(Interrupted):
            read_slowly(store, database, SLEEP_S, interrupt)
        sleeping = {
            "postgresql": "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(3%'",
            "mariadb": "SELECT count(*) FROM information_schema.processlist WHERE info LIKE '%SELECT sleep(3%'",
        }[database.server.kind]
        of_others = " AND pid <> pg_backend_pid()" if "pg_" in sleeping else " AND id <> connection_id()"
        wait_until(lambda: database.server.query(database.name, sleeping + of_others)[0][0] == 0)

    def test_a_stop_hits_no_other_read(self, store: Store, database: Database) -> None:
        for _ in range(3):
            interrupt = Interrupt()
            with later(0.05, interrupt.fire), pytest.raises(Interrupted):
                read_slowly(store, database, SLEEP_S, interrupt)
            for _ in range(5):
                assert len(store.experiments(View.ALL)) == EXPERIMENTS

    def test_a_long_line_does_not_make_the_deck_wait(self, database: Database) -> None:
        """`fire` is called on the event loop."""
        with (
            running(Link(database.server.service.port)) as link,
            closing(Store(read_address(database.server.url(database.name, port=link.port)))) as store,
        ):
            link.round_trip_s = TRIP_S
            interrupt = Interrupt()
            taken: list[float] = []

            def fire() -> None:
                began = time.monotonic()
                interrupt.fire()
                taken.append(time.monotonic() - began)

            with later(TRIP_S, fire), pytest.raises(Interrupted):
                read_slowly(store, database, SLEEP_S, interrupt)
            assert taken[0] < QUICKLY_S
            link.round_trip_s = 0


class TestFollowing:
    RENAMED = "UPDATE experiments SET name = 'renamed there' WHERE experiment_id = 1"

    def test_a_commit_is_noticed(self, store: Store, database: Database) -> None:
        assert store.poll() is Change.NOTHING
        database.server.run_script(database.name, self.RENAMED)
        wait_until(lambda: store.poll() is Change.DATA)
        assert "renamed there" in {each.name for each in store.experiments(View.ALL)}

    def test_reading_is_no_change(self, database: Database, databases: Databases) -> None:
        time.sleep(2.1)  # MariaDB tells when a table was changed in whole seconds
        with (
            closing(Store(read_address(database.url))) as store,
            closing(Store(read_address(database.url))) as other,
        ):
            assert store.poll() is Change.NOTHING
            for _ in range(10):
                other.experiments(View.ALL)
                time.sleep(0.1)
                assert store.poll() is Change.NOTHING

    def test_a_poll_never_waits(self, database: Database) -> None:
        with (
            running(Link(database.server.service.port)) as link,
            closing(Store(read_address(database.server.url(database.name, port=link.port)))) as store,
        ):
            link.round_trip_s = TRIP_S
            for _ in range(5):
                began = time.monotonic()
                store.poll()
                assert time.monotonic() - began < QUICKLY_S
                time.sleep(0.2)
            link.round_trip_s = 0

    def test_a_migration_is_noticed(self, databases: Databases) -> None:
        with databases.empty() as database, closing(Store(read_address(database.url))) as store:
            database.server.run_script(
                database.name,
                "ALTER TABLE runs ADD COLUMN priority INTEGER; UPDATE alembic_version SET version_num = 'f0f0f0f0f0f0'",
            )
            wait_until(lambda: store.poll() is Change.FILE)
            assert store.schema.revision == "f0f0f0f0f0f0"
            assert any("newer MLflow" in notice for notice in store.notices)


def test_only_reading_is_possible(store: Store, database: Database) -> None:
    """Also by a login that may write."""

    def write(connection: object, schema: object) -> None:
        connection.execute(text("DELETE FROM metrics"))  # type: ignore[attr-defined]

    before = database.server.query(database.name, "SELECT count(*) FROM metrics")
    with pytest.raises(Exception, match=r"read-only|READ ONLY|cannot be"):
        store.read(write, None)
    assert database.server.query(database.name, "SELECT count(*) FROM metrics") == before
