"""Every method that reads a store, on a database and on a file store of the same runs."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from mldeck.store.mlruns_folder import MlrunsFolder
from mldeck.store.store import Store
from tests.file_stores import write_as_folder
from tests.fixture_stores import unpack
from tests.store_reads import answer, reads


def comparable(value: object) -> object:
    """Leave out the number of a row, and the order in which the database keeps rows that are asked for without one."""
    if isinstance(value, dict):
        return {key: comparable(each) for key, each in value.items() if key != "mark"}
    if isinstance(value, list):
        found = [comparable(each) for each in value]
        is_mapping = all(isinstance(each, tuple) and len(each) == 2 and str(each[0])[:1] in "'\"" for each in found)
        return sorted(found, key=repr) if is_mapping else found
    return tuple(map(comparable, value)) if isinstance(value, tuple) else value


def test_they_answer_the_same(tmp_path: Path) -> None:
    database = unpack("search", tmp_path / "database") / "mlflow.db"
    write_as_folder(database, tmp_path / "mlruns")
    with closing(Store(database)) as near, closing(Store(MlrunsFolder(tmp_path / "mlruns"))) as store:
        store.wait_until_complete(print)
        assert store.reading_notices == ()
        calls = list(reads(near))[::3]
        assert len(calls) > 500
        for call in calls:
            assert comparable(answer(call, store)) == comparable(answer(call, near)), call
