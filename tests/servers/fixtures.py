"""The servers as fixtures, one of each for every process of tests; they start with the first test that needs them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.servers.databases import Databases
    from tests.servers.mariadb import Mariadb
    from tests.servers.postgresql import Postgresql
    from tests.servers.service import Service

SERVERS = ("postgresql", "postgresql-icu", "mariadb")
"""Kinds of databases on servers; on the second one text is ordered as people do."""


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgresql]:
    from tests.servers.postgresql import running_postgresql

    with running_postgresql() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb() -> Iterator[Mariadb]:
    from tests.servers.mariadb import running_mariadb

    with running_mariadb() as server:
        yield server


@pytest.fixture(scope="session")
def pgbouncer(postgresql: Postgresql) -> Iterator[Service]:
    """In transaction mode, before the PostgreSQL server."""
    from tests.servers.postgresql import running_pgbouncer

    with running_pgbouncer(postgresql) as service:
        yield service


@pytest.fixture(scope="session")
def databases_on(request: pytest.FixtureRequest) -> Callable[[str], Databases]:
    """Call it with one of `SERVERS` for databases there."""
    from tests.servers.databases import Databases
    from tests.servers.postgresql import ICU

    found: dict[str, Databases] = {}

    def databases(kind: str) -> Databases:
        if kind not in found:
            server = request.getfixturevalue(kind.partition("-")[0])
            server = server.with_locale(ICU) if kind == "postgresql-icu" else server
            found[kind] = Databases(server, orders_bytes=kind == "postgresql")
        return found[kind]

    return databases


@pytest.fixture(params=SERVERS)
def databases(request: pytest.FixtureRequest, databases_on: Callable[[str], Databases]) -> Databases:
    """Databases of each kind of server in turn."""
    return databases_on(request.param)
