"""The texts that are accepted for STORE."""

from __future__ import annotations

from pathlib import Path

import pytest

from mldeck.errors import UsageError
from mldeck.store.address import read_address
from mldeck.store.mlruns_folder import MlrunsFolder


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("mlflow.db", "{cwd}/mlflow.db"),
        ("./a/../mlflow.db", "{cwd}/a/../mlflow.db"),
        ("/data/mlflow.db", "/data/mlflow.db"),
        ("~/mlflow.db", "{home}/mlflow.db"),
        ("with space%20?#.db", "{cwd}/with space%20?#.db"),
        ("./odd:name.db", "{cwd}/odd:name.db"),
        ("sqlite:///mlflow.db", "{cwd}/mlflow.db"),
        ("sqlite:///sub/mlflow.db", "{cwd}/sub/mlflow.db"),
        ("sqlite:////data/mlflow.db", "/data/mlflow.db"),
        ("SQLite:////data/mlflow.db", "/data/mlflow.db"),
        ("sqlite+pysqlite:////data/mlflow.db", "/data/mlflow.db"),
        ("sqlite:////data/mlflow.db?timeout=60&x=%2F", "/data/mlflow.db"),
        ("sqlite:////data/my%20runs/mlflow.db", "/data/my runs/mlflow.db"),
        ("sqlite:////data/no#1.db", "/data/no#1.db"),
    ],
)
def test_it_names_a_file(text: str, path: str, isolated: Path) -> None:
    assert read_address(text) == Path(path.format(cwd=Path.cwd(), home=isolated))


@pytest.mark.parametrize(
    ("text", "folder"),
    [
        ("mlruns", "mlruns"),
        (".", "mlruns"),
        ("file:{cwd}/mlruns", "mlruns"),
        ("file://{cwd}/my%20runs", "my runs"),
        ("file:my%20runs", "my runs"),
        ("file://localhost{cwd}/mlruns", "mlruns"),
        ("trash", "trash"),
    ],
)
def test_it_names_a_file_store(text: str, folder: str, isolated: Path) -> None:
    for name in ("mlruns/0", "my runs/123456789012345678", "trash/.trash/7"):
        (isolated / name).mkdir(parents=True)
        (isolated / name / "meta.yaml").touch()
    assert read_address(text.format(cwd=isolated)) == MlrunsFolder(isolated / folder)


def test_a_database_goes_before_a_file_store(isolated: Path) -> None:
    (isolated / "mlruns" / "0").mkdir(parents=True)
    (isolated / "mlruns" / "0" / "meta.yaml").touch()
    (isolated / "mlflow.db").touch()
    assert read_address(".") == isolated / "mlflow.db"


def test_a_folder_of_files_of_runs_is_no_file_store(isolated: Path) -> None:
    (isolated / "mlruns" / "0" / ("a" * 32) / "artifacts").mkdir(parents=True)
    assert read_address("mlruns") == isolated / "mlruns"


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("mlruns\0.db", "names no file"),
        ("sqlite://", "names no file"),
        ("sqlite:///", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite://host/mlflow.db", "names no file"),
        ("sqlite:mlflow.db", "names no file"),
        ("sqlite:///a%00b.db", "names no file"),
        ("http://localhost:5000", "the server's --backend-store-uri"),
        ("https://mlflow.example.org/x", "the server's --backend-store-uri"),
        ("HTTP://localhost:5000", "the server's --backend-store-uri"),
        ("file://host/mlruns", "names no folder of this machine"),
        ("file://", "names no folder of this machine"),
        ("mssql+pyodbc://host/db", "mldeck reads PostgreSQL, MySQL and MariaDB"),
        ("oracle+cx_oracle://host/db", "mldeck reads PostgreSQL, MySQL and MariaDB"),
        ("postgresql://host", "write postgresql://[USER[:PASSWORD]@]HOST[:PORT]/DATABASE"),
        ("mysql://u@host/", "write mysql://[USER[:PASSWORD]@]HOST[:PORT]/DATABASE"),
        ("postgresql://u@host:99999/db", "99999 is not a port"),
        ("postgresql://u@[::1/db", "write postgresql://"),
        ("databricks://profile", "the scheme databricks: is not supported"),
        ("s3://bucket/mlflow.db", "the scheme s3: is not supported"),
        ("~nobody-of-this-name/mlflow.db", "no home"),
    ],
)
def test_messages_say_what_to_do_instead(text: str, advice: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_address(text)
    assert advice in str(caught.value)


@pytest.mark.parametrize(
    "text", ["postgresql//ada:hunter2@h/ml", "mysql+pymysql:/ada:hunter2@h/ml", "postgres:ada:hunter2@h/ml"]
)
def test_a_server_without_its_punctuation_is_no_file_and_not_repeated(text: str) -> None:
    with pytest.raises(
        UsageError, match=r"the address of a server \(from X\) has no ://; write (postgres|mysql)"
    ) as caught:
        read_address(text, "X")
    assert "hunter2" not in str(caught.value)


def test_messages_name_the_origin_of_the_text() -> None:
    with pytest.raises(UsageError, match=r"http://localhost:5000 \(from MLFLOW_TRACKING_URI\)"):
        read_address("http://localhost:5000", "MLFLOW_TRACKING_URI")


def test_a_password_is_not_repeated() -> None:
    with pytest.raises(UsageError) as caught:
        read_address("postgresql+psycopg2://ada:s3cr%40t@db.example.org:0/mlflow?password=0ther", "MLFLOW_TRACKING_URI")
    assert "s3cr" not in str(caught.value)
    assert "0ther" not in str(caught.value)
    assert "db.example.org:0/mlflow" in str(caught.value)
