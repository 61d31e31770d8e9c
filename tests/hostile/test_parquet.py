"""Parquet files of a few bytes that unpack to gigabytes: only the helper that reads them takes the memory, up to a limit."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from threading import Event

import pytest

from mldeck.artifacts.previews import parquet
from mldeck.artifacts.previews.preview import preview
from mldeck.artifacts.previews.values import BinaryPreview, TablePreview
from mldeck.errors import Interrupted
from tests.artifacts.sources import Bytes

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

_MEASURE = """\
import json, resource, sys
from pathlib import Path
from threading import Event
from mldeck.artifacts.previews.preview import preview
from mldeck.artifacts.source import LocalFile

before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
found = preview(LocalFile(Path(sys.argv[1])))
print(json.dumps([resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, found.kind, found.notes]))
"""


def _packed(values: object) -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.table({"a": values}), stream, compression="zstd")
    return stream.getvalue()


def test_a_file_that_unpacks_to_gigabytes_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(_packed(pa.array(["x" * 1_000_000] * 900)))
    assert path.stat().st_size < 1_000
    done = subprocess.run([sys.executable, "-c", _MEASURE, str(path)], capture_output=True, check=True)
    grown, kind, notes = json.loads(done.stdout)
    assert kind == "Parquet table"
    assert notes == ["The Parquet file cannot be read: it takes too much memory"]
    assert grown < 50 * (1 << 20) // (1 if sys.platform == "darwin" else 1024)


def test_no_more_text_is_shown_than_a_table_can_hold() -> None:
    table = pa.table({f"c{number}": ["x" * 2_000] * 1_000 for number in range(100)})
    stream = io.BytesIO()
    pq.write_table(table, stream)
    found = preview(Bytes(stream.getvalue(), "a.parquet"))
    assert isinstance(found, TablePreview)
    assert len(found.rows) < 50
    assert (found.row_count, found.is_all) == (1_000, False)


def test_an_overtaken_table_stops_and_the_next_one_is_read() -> None:
    overtaken = Event()

    def check() -> None:
        if parquet._helper._process is not None:
            overtaken.set()
        if overtaken.is_set():
            raise Interrupted("stopped")

    parquet._helper.end()
    data = _packed(pa.array(range(10)))
    with pytest.raises(Interrupted):
        preview(Bytes(data, "a.parquet"), check=check)
    assert parquet._helper._process is None
    assert isinstance(preview(Bytes(data, "a.parquet")), TablePreview)


def test_what_reading_raises_is_not_blamed_on_the_file() -> None:
    class Vanishing(Bytes):
        reads = 0

        def read(self, offset: int, length: int) -> bytes:
            self.reads += 1
            if self.reads > 1:
                raise FileNotFoundError(2, "no such file")
            return super().read(offset, length)

    found = preview(Vanishing(_packed(pa.array(range(10))), "a.parquet"))
    assert found.notes == ("It no longer exists.",)


def test_a_broken_one_leaves_the_helper_as_it_is() -> None:
    assert isinstance(preview(Bytes(b"PAR1\xff\0\xff\0PAR1", "a.parquet")), BinaryPreview)
    assert isinstance(preview(Bytes(_packed(pa.array([1])), "a.parquet")), TablePreview)
