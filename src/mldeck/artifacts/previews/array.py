"""NumPy's `.npy` and `.npz`: shapes and types from the headers. Arrays are not read, and objects never unpickled."""

from __future__ import annotations

import ast
import re
import struct
import zipfile
import zlib
from itertools import islice

from mldeck.artifacts.previews.archive import open_zip
from mldeck.artifacts.previews.values import ArrayInfo, ArrayPreview, NotPreviewable
from mldeck.artifacts.source import Source

MAGIC = b"\x93NUMPY"
_PREFIX = len(MAGIC) + 2
_MAX_HEADER = 10_000
"""In bytes; NumPy itself reads no longer ones."""
_MAX_ARRAYS = 200
_SUFFIX = ".npy"
_NAMES = {
    "f": "float",
    "i": "int",
    "u": "uint",
    "c": "complex",
    "b": "bool",
    "S": "bytes",
    "a": "bytes",
    "U": "str",
    "V": "void",
}
_TYPE = re.compile(r"([<>|=]?)([a-zA-Z])(\d{0,9})(\[[^\]]*\])?")
_LARGEST = 1 << 63
_OBJECTS = "An array of Python objects is a pickle: it is never loaded."
# The compressions that NumPy writes; others cannot be decompressed in part.
_COMPRESSIONS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}


class _BadHeader(ValueError):
    pass


def npy_preview(source: Source) -> ArrayPreview:
    """Return the header of an array. Raises NotPreviewable if it is invalid."""
    try:
        info = _read_header(source.read(0, _PREFIX + 4 + _MAX_HEADER), source.name)
    except _BadHeader as error:
        raise NotPreviewable(f"The header of the array cannot be read: {error}.") from error
    notes = (_OBJECTS,) if "object" in info.dtype else ()
    return ArrayPreview(kind="NumPy array", notes=notes, arrays=(info,), is_all=True)


def npz_preview(source: Source) -> ArrayPreview:
    """Return the headers of all arrays, decompressing nothing else.

    Raises NotPreviewable if the file is not a zip of arrays.
    """
    archive = open_zip(source)
    members = [info for info in archive.infolist() if info.filename.endswith(_SUFFIX)]
    if not members:
        raise NotPreviewable("It contains no arrays.")
    arrays = tuple(_member(archive, member) for member in islice(members, _MAX_ARRAYS))
    notes = (_OBJECTS,) if any("object" in array.dtype for array in arrays) else ()
    return ArrayPreview(kind="NumPy arrays", notes=notes, arrays=arrays, is_all=len(arrays) == len(members))


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> ArrayInfo:
    name = member.filename.removesuffix(_SUFFIX)
    try:
        if member.compress_type not in _COMPRESSIONS:
            raise _BadHeader("compressed in a way that NumPy does not use")
        with archive.open(member) as file:
            return _read_header(file.read(_PREFIX + 4 + _MAX_HEADER), name)
    except _BadHeader as error:
        return ArrayInfo(name, f"unreadable: {error}", None, False)
    # A zip may be encrypted (RuntimeError), truncated (EOFError) or otherwise damaged.
    except (OSError, RuntimeError, EOFError, ValueError, struct.error, zipfile.BadZipFile, zlib.error) as error:
        return ArrayInfo(name, f"unreadable: {error}", None, False)


def _read_header(data: bytes, name: str) -> ArrayInfo:
    if not data.startswith(MAGIC) or len(data) < _PREFIX + 4:
        raise _BadHeader("it does not start like an array")
    length_format = "<H" if data[len(MAGIC)] == 1 else "<I"
    (length,) = struct.unpack_from(length_format, data, _PREFIX)
    start = _PREFIX + struct.calcsize(length_format)
    if length > _MAX_HEADER:
        raise _BadHeader("it is too long")
    if len(data) < start + length:
        raise _BadHeader("the file is truncated")
    try:
        header = ast.literal_eval(data[start : start + length].decode("utf-8").strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise _BadHeader("it is not in NumPy's format") from error
    if not isinstance(header, dict) or not header.keys() >= {"descr", "shape", "fortran_order"}:
        raise _BadHeader("it is not in NumPy's format")
    return ArrayInfo(name, _dtype(header["descr"]), _shape(header["shape"]), bool(header["fortran_order"]))


def _shape(value: object) -> tuple[int, ...]:
    if not isinstance(value, tuple) or not all(isinstance(size, int) and 0 <= size < _LARGEST for size in value):
        raise _BadHeader("it has an invalid shape")
    return value


def _dtype(descr: object) -> str:
    """Return a type as NumPy prints it: float64, int8 (big-endian), {x: float32, y: str5}."""
    if isinstance(descr, list):
        return "{" + ", ".join(map(_field, descr)) + "}"
    found = _TYPE.fullmatch(descr) if isinstance(descr, str) else None
    if found is None:
        raise _BadHeader("it has an invalid type")
    order, kind, size, unit = found.groups()
    if kind == "O":
        return "object"
    if kind in "mM":
        return ("datetime64" if kind == "M" else "timedelta64") + (unit or "")
    # The size of text is in characters, of everything else but bool in bits.
    width = "" if kind == "b" else size if kind in "SaUV" else str(8 * int(size or 0))
    return _NAMES.get(kind, kind) + width + (" (big-endian)" if order == ">" and kind not in "Sa" else "")


def _field(field: object) -> str:
    """Return a field of a structured type: (name or (title, name), type[, shape])."""
    if not isinstance(field, tuple) or len(field) not in {2, 3}:
        raise _BadHeader("it has an invalid type")
    name, descr, *shape = field
    shown = name[-1] if isinstance(name, tuple) and name else name
    if not isinstance(shown, str):
        raise _BadHeader("it has an invalid name")
    return f"{shown}: {_dtype(descr)}{_shape(shape[0]) if shape else ''}"
