"""Files that can be read, and everything in their place that cannot."""

from __future__ import annotations

import io
import os
import socket
from pathlib import Path

import pytest

from mldeck.artifacts.previews.preview import preview
from mldeck.artifacts.previews.values import NoPreview
from mldeck.artifacts.source import LocalFile, ReadTooMuch, SourceStream, UnreadableFile
from tests.artifacts.sources import Bytes
from tests.privileges import without_root_powers


def _reason(path: Path) -> str:
    found = preview(LocalFile(path))
    assert isinstance(found, NoPreview)
    return found.notes[0]


def test_an_empty_file_says_so(tmp_path: Path) -> None:
    path = tmp_path / "empty.csv"
    path.touch()
    assert preview(LocalFile(path)) == NoPreview("empty file", ("There is nothing in it.",))


def test_a_file_that_vanished_says_so(tmp_path: Path) -> None:
    path = tmp_path / "gone.txt"
    assert _reason(path) == "It no longer exists."
    path.write_text("here")
    source = LocalFile(path)
    assert source.size == 4
    path.unlink()
    assert preview(source) == NoPreview("unreadable file", ("It no longer exists.",))


def test_a_file_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    path = tmp_path / "secret.txt"
    path.write_text("hidden")
    path.chmod(0)
    with without_root_powers():
        assert _reason(path) == "You do not have permission to read it."


def test_a_named_pipe_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "pipe.txt"
    os.mkfifo(path)
    # Opening it for reading would wait for somebody who writes.
    assert "is a named pipe, not a file" in _reason(path)


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
def test_a_device_is_not_opened(device: str) -> None:
    assert "is a device, not a file" in _reason(Path(device))


def test_folders_sockets_and_links_are_not_opened(tmp_path: Path) -> None:
    assert "is a folder" in _reason(tmp_path)
    (tmp_path / "target").write_text("text")
    (tmp_path / "link").symlink_to("target")
    assert "is a symbolic link" in _reason(tmp_path / "link")
    with socket.socket(socket.AF_UNIX) as listening:
        # The path of a socket may not be long.
        os.chdir(tmp_path)
        listening.bind("socket")
        assert "is a socket" in _reason(tmp_path / "socket")


def test_a_file_that_became_a_pipe_or_a_link_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("text")
    sources = [LocalFile(path), LocalFile(path)]
    assert [source.size for source in sources] == [4, 4]
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(UnreadableFile, match="was replaced"):
        sources[0].read(0, 4)
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(OSError, match="symbolic link"):
        sources[1].read(0, 4)


def test_a_file_that_was_replaced_is_not_mixed_with_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    source = LocalFile(path)
    assert source.read(0, 1) == b"o"
    (tmp_path / "new").write_text("new")
    (tmp_path / "new").rename(path)
    assert "was replaced" in preview(source).notes[0]


def test_reads_end_where_the_file_ends(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    source = LocalFile(path)
    assert (source.name, source.size) == ("file", 10)
    assert [source.read(8, 5), source.read(10, 5), source.read(99, 5), source.read(0, 0)] == [b"89", b"", b"", b""]


def test_a_stream_behaves_like_a_file() -> None:
    data = bytes(range(256)) * 10
    stream, file = io.BufferedReader(SourceStream(Bytes(data))), io.BytesIO(data)
    for offset, whence, length in ((0, 0, 10), (5, 1, 3), (-7, 2, 100), (2000, 0, -1), (9999, 0, 1)):
        assert stream.seek(offset, whence) == file.seek(offset, whence)
        assert stream.read(length) == file.read(length)
    with pytest.raises(ValueError, match="before the start"):
        stream.seek(-1)


def test_a_stream_refuses_to_read_more_than_its_budget() -> None:
    stream = SourceStream(Bytes(b"x" * 100), budget=60)
    assert len(stream.read(50)) == 50
    with pytest.raises(ReadTooMuch):
        stream.read(50)
