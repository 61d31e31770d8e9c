"""No password of an address is shown, wherever the address stands."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldeck.addresses import printable
from mldeck.artifacts.location import Places, locate
from mldeck.errors import UsageError
from mldeck.store.address import read_address, state_key
from tests.fixture_stores import FixtureStore
from tests.terminal.terminal import mldeck

SECRET = "hunter2"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("sftp://ada:secret@host/a@b", "sftp://ada:***@host/a@b"),
        ("s3://bucket/a:b@c", "s3://bucket/a:b@c"),
        ("sftp://host:22/a@b", "sftp://host:22/a@b"),
        ("sftp://ada@host/x", "sftp://ada@host/x"),
        ("postgresql://ada:p@ss@host/db", "postgresql://ada:***@host/db"),
        ("postgresql://ada:p/ss@host/db", "postgresql://ada:***@host/db"),
        ("postgresql://:p:a@host", "postgresql://:***@host"),
        ("mysql+pymysql://u:p@[::1]:3306/db?ssl=1", "mysql+pymysql://u:***@[::1]:3306/db?ssl=1"),
        ("postgresql://h/db?user=u&password=p&x=1", "postgresql://h/db?user=u&password=***&x=1"),
        ("wasbs://c@a.blob/x?sig=abc&se=1", "wasbs://c@a.blob/x?sig=***&se=1"),
        ("https://h/x?X-Amz-Signature=abc", "https://h/x?X-Amz-Signature=***"),
        ("/home/ada:x@y/mlruns", "/home/ada:x@y/mlruns"),
        ("", ""),
    ],
)
def test_what_is_shown(address: str, shown: str) -> None:
    assert printable(address) == shown
    assert printable(shown) == shown


@given(st.text(st.characters(exclude_characters="@"), min_size=1), st.sampled_from(["/path", "", "/a@b", ":22/x"]))
def test_no_password_survives(password: str, end: str) -> None:
    shown = printable(f"sftp://ada:<{password}>@host{end}")
    assert f"<{password}>" not in shown


@pytest.mark.parametrize("scheme", ["ftp", "weird", "dbfs", "http", "sftp", "s3"])
def test_no_message_about_a_place_repeats_it(scheme: str, tmp_path: Path) -> None:
    uri = f"{scheme}://ada:{SECRET}@host/mlruns/0/{'a' * 32}/artifacts"
    located = locate(uri, Places(tmp_path), "a" * 32)
    assert SECRET not in f"{located.problem} {located.where} {located.looked_at}"


@pytest.mark.parametrize("scheme", ["mssql", "oracle+cx_oracle", "http", "weird"])
def test_no_message_about_a_store_repeats_it(scheme: str) -> None:
    with pytest.raises(UsageError) as error:
        read_address(f"{scheme}://ada:{SECRET}@host/db", "MLFLOW_TRACKING_URI")
    assert SECRET not in str(error.value)


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_no_name_of_a_store_has_it(scheme: str) -> None:
    address = read_address(f"{scheme}://ada:{SECRET}@host/db", "MLFLOW_TRACKING_URI")
    assert SECRET not in f"{address} {address!r} {state_key(address)}"


def test_the_deck_does_not_show_it(store_copy: Callable[[str], FixtureStore]) -> None:
    store = store_copy("mlflow-3.17.2").db
    with sqlite3.connect(store) as database:
        for table, column in (("runs", "artifact_uri"), ("experiments", "artifact_location")):
            database.execute(f"UPDATE {table} SET {column} = 'weird://ada:{SECRET}@host/1/' || rowid || '/artifacts'")
        database.execute(f"UPDATE model_versions SET source = 'weird://ada:{SECRET}@host/x', storage_location = source")
    database.close()
    with mldeck(store, cols=160, rows=50) as deck:
        deck.wait_for("live · rw")
        deck.wait_for("weird://ada:***@host")
        deck.send("]]]]")
        deck.wait_for("--artifact-root")
        deck.settle()
        deck.send("]")
        deck.settle()
        deck.press("2", "ersion")
        deck.settle()
        deck.send("q")
        assert deck.wait_exit() == 0
    assert SECRET.encode() not in deck.raw
