"""NumPy's arrays and archives: described by their headers and lists, never unpacked."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mldeck.artifacts.previews.preview import preview
from mldeck.artifacts.previews.values import (
    ArchivePreview,
    ArrayInfo,
    ArrayPreview,
    BinaryPreview,
    Member,
)
from tests.artifacts.sources import Bytes, CountedFile


def _npy(array: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("array", "dtype"),
    [
        (np.zeros((3, 4)), "float64"),
        (np.zeros(5, dtype=">i2"), "int16 (big-endian)"),
        (np.zeros((), dtype=bool), "bool"),
        (np.zeros((2, 0, 3), dtype="c8", order="F"), "complex64"),
        (np.array(["abc"]), "str3"),
        (np.array([b"abc"]), "bytes3"),
        (np.array(["2024-01-01"], dtype="datetime64[D]"), "datetime64[D]"),
        (np.zeros(2, dtype=[("x", "f4"), ("y", "i8", (2,))]), "{x: float32, y: int64(2,)}"),
        (np.zeros(2, dtype=[(("a title", "x"), [("z", "f4")])]), "{x: {z: float32}}"),
    ],
)
def test_a_saved_array_is_described_by_its_header(array: Any, dtype: str) -> None:
    found = preview(Bytes(_npy(array), "a.npy"))
    assert isinstance(found, ArrayPreview)
    is_fortran = array.ndim > 1 and array.flags.f_contiguous and not array.flags.c_contiguous
    assert found.arrays == (ArrayInfo("a.npy", dtype, array.shape, is_fortran),)
    assert found.notes == ()


def test_an_array_of_objects_is_not_loaded() -> None:
    found = preview(Bytes(_npy(np.array([{}, print], dtype=object)), "a.npy"))
    assert isinstance(found, ArrayPreview)
    assert found.arrays[0].dtype == "object"
    assert "never loaded" in found.notes[0]


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_saved_together_are_listed(save: Any) -> None:
    stream = io.BytesIO()
    save(stream, weights=np.ones((1000, 10), dtype="f4"), bias=np.ones(10))
    found = preview(Bytes(stream.getvalue(), "model.npz"))
    assert isinstance(found, ArrayPreview)
    assert [(each.name, each.dtype, each.shape) for each in found.arrays] == [
        ("weights", "float32", (1000, 10)),
        ("bias", "float64", (10,)),
    ]
    assert found.is_all


@pytest.mark.parametrize(
    "header",
    [
        b"{'descr': '<f8', 'shape': (3,)}",
        b"(" * 300,
        b"-" * 9000 + b"1",
        b"__import__('os').abort()",
        b"\xff\xfe",
        # Numbers that Python refuses to turn from or into decimal digits.
        b"{'descr': '<f%s', 'fortran_order': False, 'shape': ()}" % (b"9" * 5000),
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (0x%s,)}" % (b"f" * 9000),
        b"{'descr': 0x%s, 'fortran_order': False, 'shape': ()}" % (b"f" * 9000),
        b"{'descr': [(0x%s, 'f4')], 'fortran_order': False, 'shape': ()}" % (b"f" * 9000),
        b"{'descr': [('x', 'f4', (-1,))], 'fortran_order': False, 'shape': ()}",
        b"{'descr': [()], 'fortran_order': False, 'shape': ()}",
    ],
)
def test_a_header_that_makes_no_sense_is_said_to(header: bytes) -> None:
    found = preview(Bytes(b"\x93NUMPY\x01\0" + len(header).to_bytes(2, "little") + header + b"\0" * 4, "a.npy"))
    assert isinstance(found, BinaryPreview)
    assert found.kind == "NumPy array"
    assert "header of the array" in found.notes[0]


def _zip(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return stream.getvalue()


def test_a_zip_bomb_is_only_listed(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("zeros", "w") as member:
        for _ in range(64):
            member.write(bytes(1 << 20))
    source = CountedFile(path)
    found = preview(source)
    assert isinstance(found, ArchivePreview)
    assert [(each.name, each.size) for each in found.members] == [("zeros", 1 << 26)]
    assert source.bytes_read < 1 << 18


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_an_array_bomb_is_inflated_no_further_than_its_header(tmp_path: Path, compression: int) -> None:
    path = tmp_path / "bomb.npz"
    path.write_bytes(_zip({"bomb.npy": bytes(1 << 26)}, compression))
    found = preview(CountedFile(path))
    assert isinstance(found, ArrayPreview)
    assert found.arrays[0].dtype.startswith("unreadable")
    assert found.arrays[0].shape is None


def test_the_members_of_an_archive() -> None:
    found = preview(Bytes(_zip({"a/b.txt": b"12345", "a/data.pkl": b"x"}, zipfile.ZIP_STORED), "model.pt"))
    assert isinstance(found, ArchivePreview)
    assert found.members == (Member("a/b.txt", 5, 5), Member("a/data.pkl", 1, 1))
    assert found.kind == "PyTorch file (zip)"


def test_many_members_are_cut() -> None:
    found = preview(Bytes(_zip({f"{number}": b"" for number in range(1_200)}), "many.zip"))
    assert isinstance(found, ArchivePreview)
    assert (len(found.members), found.is_all) == (1_000, False)


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_a_tar_is_listed_as_far_as_is_cheap(tmp_path: Path, form: int) -> None:
    path = tmp_path / "many.tar"
    with tarfile.open(path, "w", format=form) as archive:
        for number in range(300):
            member = tarfile.TarInfo(f"{'folder/' * 20}{number}")
            member.size = 100_000
            archive.addfile(member, io.BytesIO(bytes(member.size)))
    source = CountedFile(path)
    found = preview(source)
    assert isinstance(found, ArchivePreview)
    assert (len(found.members), found.is_all) == (100, False)
    assert found.members[7] == Member(f"{'folder/' * 20}7", 100_000, None)
    assert source.bytes_read < source.size / 2


@pytest.mark.parametrize("cut", [100, 300, 700])
def test_archives_cut_short_are_explained(tmp_path: Path, cut: int) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for number in range(3):
            archive.addfile(tarfile.TarInfo(f"{number}"))
    found = preview(Bytes((tmp_path / "a.tar").read_bytes()[:cut], "a.tar"))
    assert isinstance(found, (ArchivePreview, BinaryPreview))
    found = preview(Bytes(_zip({"a": bytes(5000), "b": b""}, zipfile.ZIP_STORED)[:cut], "a.zip"))
    assert isinstance(found, BinaryPreview)
    assert "cannot be read" in found.notes[0]
