"""URLs of databases on servers, as MLflow writes them and as psql and mysql do."""

from __future__ import annotations

import pytest

from mldeck.store.address import read_address, state_key
from mldeck.store.server_database import ServerDatabase, server_database

SECRET = "s3cr3t"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgresql://host/db", ServerDatabase("postgresql", "host", "db")),
        ("postgres://host/db", ServerDatabase("postgresql", "host", "db")),
        ("PostgreSQL+psycopg2://host/db", ServerDatabase("postgresql", "host", "db")),
        ("postgresql+asyncpg://ada@host/db", ServerDatabase("postgresql", "host", "db", "ada")),
        ("mysql+pymysql://ada:pw@host:3307/db", ServerDatabase("mysql", "host", "db", "ada", "pw", 3307)),
        ("mysql+mysqldb://host/db", ServerDatabase("mysql", "host", "db")),
        ("mariadb+mariadbconnector://host/db", ServerDatabase("mysql", "host", "db")),
        (
            "postgresql://ada%40x:p%40s%2Fs%3A%25@host/my%20db",
            ServerDatabase("postgresql", "host", "my db", "ada@x", "p@s/s:%"),
        ),
        ("postgresql://ada:p/s@host/db", ServerDatabase("postgresql", "host", "db", "ada", "p/s")),
        ("postgresql://ada:p@s@host/db", ServerDatabase("postgresql", "host", "db", "ada", "p@s")),
        ("postgresql://ada:@host/db", ServerDatabase("postgresql", "host", "db", "ada")),
        ("postgresql://[::1]:5433/db", ServerDatabase("postgresql", "::1", "db", port=5433)),
        ("postgresql:///db", ServerDatabase("postgresql", "", "db")),
        ("postgresql:///?service=prod", ServerDatabase("postgresql", options=(("service", "prod"),))),
        (
            "postgresql://host/db?sslmode=verify-full&options=-csearch_path%3Dml",
            ServerDatabase(
                "postgresql", "host", "db", options=(("sslmode", "verify-full"), ("options", "-csearch_path=ml"))
            ),
        ),
        (
            "postgresql:///db?host=one:5432&host=two:5433",
            ServerDatabase("postgresql", "", "db", options=(("host", "one:5432"), ("host", "two:5433"))),
        ),
        (
            "postgresql://ada:p@host/db?user=x@y",
            ServerDatabase("postgresql", "host", "db", "ada", "p", None, (("user", "x@y"),)),
        ),
    ],
)
def test_it_is_read_as_it_is_meant(text: str, expected: ServerDatabase) -> None:
    assert read_address(text) == expected


@pytest.mark.parametrize(
    "text", ["mysql.db", "postgresql", "postgresql:/x", "host:postgresql://x", "sqlite:///x", "./mysql://x"]
)
def test_other_texts_are_no_databases_on_servers(text: str) -> None:
    assert server_database(text) is None


@pytest.mark.parametrize(
    ("text", "name", "place"),
    [
        (
            f"postgresql+psycopg2://ada:{SECRET}@h.example:5433/ml",
            "postgresql://ada@h.example:5433/ml",
            "h.example:5433",
        ),
        (f"mysql://ada@h/ml?passwd={SECRET}&ssl_key_password={SECRET}", "mysql://ada@h/ml", "h"),
        (f"postgresql://a%40b:{SECRET}@[::1]/ml", "postgresql://a%40b@[::1]/ml", "[::1]"),
        (f"postgresql:///ml?password={SECRET}&sslpassword={SECRET}", "postgresql:///ml", "localhost"),
    ],
)
def test_no_name_of_it_has_a_password(text: str, name: str, place: str) -> None:
    database = read_address(text)
    assert isinstance(database, ServerDatabase)
    assert (str(database), database.place) == (name, place)
    for shown in (str(database), repr(database), f"{database!r}", database.key, state_key(database), database.place):
        assert SECRET not in shown
    assert read_address(name) == ServerDatabase(database.system, database.host, "ml", database.user, port=database.port)


def test_saved_state_knows_a_database_by_what_is_read_of_it_not_by_how_it_is_reached() -> None:
    one = read_address("postgresql+psycopg2://ada:old@h/ml?sslmode=require&options=-csearch_path%3Dteam")
    same = read_address("postgresql://ada:new@h/ml?options=-csearch_path%3Dteam&sslrootcert=/x")
    other = read_address("postgresql://ada:new@h/ml?options=-csearch_path%3Dother")
    assert state_key(one) == state_key(same)
    assert state_key(one) != state_key(other)


def test_a_password_is_taken_out_of_what_a_server_says() -> None:
    database = ServerDatabase(
        "mysql", "h", "ml", "ada", "hunter2", options=(("ssl_key_password", "hunter2more"), ("ssl_ca", "/x"))
    )
    assert database.hidden("no hunter2, no hunter2more, but /x") == "no ***, no ***, but /x"
