"""What PyMySQL is told, from a URL and the environment. No server is asked."""

from __future__ import annotations

import math
import sys
from typing import Any

import pytest

from mldeck.errors import UsageError
from mldeck.store.server_database import server_database
from mldeck.store.servers.mysql import _CONVERSIONS, _parameters, _version


def told(url: str) -> dict[str, Any]:
    database = server_database(url)
    assert database is not None
    return _parameters(database)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mysql://ada:pw@h:3307/ml", {"host": "h", "port": 3307, "database": "ml", "user": "ada", "password": b"pw"}),
        ("mysql://h/ml?charset=utf8&local_infile=1", {"host": "h", "database": "ml"}),
        (
            "mysql+mysqldb://h/ml?ssl_ca=/ca.pem&ssl_check_hostname=true&connect_timeout=3",
            {"host": "h", "database": "ml", "ssl_ca": "/ca.pem", "ssl_verify_identity": True, "connect_timeout": 3},
        ),
        ("mysql://h/ml?ssl_mode=disabled", {"host": "h", "database": "ml", "ssl_disabled": True}),
        ("mysql://h/ml?ssl_mode=REQUIRED", {"host": "h", "database": "ml", "ssl": {"verify_mode": "none"}}),
        ("mysql:///ml?unix_socket=/tmp/s&passwd=pw", {"database": "ml", "unix_socket": "/tmp/s", "password": b"pw"}),
        ("mysql://ada:p%C3%A4ss@h/ml", {"host": "h", "database": "ml", "user": "ada", "password": "päss".encode()}),
    ],
)
def test_options_are_kept(url: str, expected: dict[str, Any]) -> None:
    assert told(url) == expected


def test_the_environment_gives_the_password_that_the_url_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYSQL_PWD", "from there")
    assert told("mysql://ada@h/ml")["password"] == b"from there"
    assert told("mysql://ada:pw@h/ml")["password"] == b"pw"


@pytest.mark.parametrize(
    ("query", "words"), [("sslmode=require", "no option sslmode"), ("port=x", "x is no value for")]
)
def test_what_pymysql_does_not_know_is_refused_without_the_password(query: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        told(f"mysql://ada:hunter2@h/ml?{query}")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8.0.36", (False, (8, 0, 36))),
        ("8.4.0-log", (False, (8, 4, 0))),
        ("5.5.5-10.11.6-MariaDB-0+deb12u1", (True, (10, 11, 6))),
        ("11.4.2-MariaDB-ubu2404", (True, (11, 4, 2))),
        ("strange", (False, ())),
    ],
)
def test_versions_are_read(text: str, expected: tuple[bool, tuple[int, ...]]) -> None:
    assert _version(text) == expected


def test_the_largest_number_stands_for_infinity() -> None:
    written = _CONVERSIONS[float]
    assert float(written(math.inf, None)) == sys.float_info.max
    assert float(written(-math.inf, None)) == -sys.float_info.max
    assert float(written(0.1, None)) == 0.1
