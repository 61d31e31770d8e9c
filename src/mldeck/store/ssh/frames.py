"""The frames that travel between mldeck and its far end. Standard library only.

A frame is a length, the number of the request, a kind, and that many bytes; those of the far end are compressed when its kind
says so. A request is JSON. An answer is a head of JSON, with its length before it, and packed rows. Nothing that comes from
there is trusted: each length is checked before anything is read or unpacked, and what does not fit raises `BrokenFrame`.
"""

from __future__ import annotations

import base64
import json
import struct
import sys
import zlib
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

MAGIC = b"\x00mldeck far end 1\n\xff"
"""What the far end sends first. All before it is noise: what the other machine prints at a login."""
LONGEST_NOISE = 64 << 10
FRAME = struct.Struct(">IIB")
LARGEST_FRAME = 256 << 20
"""Bytes of a frame, and of what it unpacks to."""

REQUEST, STOP, ANSWER, FAILURE, CHANGE = 1, 2, 3, 4, 5
_PACKED = 0x80
_HEAD_LENGTH = struct.Struct(">I")
_ID_LENGTH = 32

Row = tuple[Any, ...]


class BrokenFrame(Exception):
    """The other side sent something that is no frame."""


@dataclass(frozen=True)
class Frame:
    """A frame of the far end, not unpacked yet."""

    kind: int
    number: int
    """The number of the request that it answers; 0 when nothing was asked."""
    data: bytes
    is_packed: bool


@dataclass(frozen=True)
class Answer:
    """What the far end answered to one request."""

    head: dict[str, Any]
    body: bytes


def request_frame(kind: int, number: int, request: dict[str, Any]) -> bytes:
    """Raises `UnicodeEncodeError` for half a character that is no part of the name of a file."""
    data = packed_json(request)
    return FRAME.pack(len(data), number, kind) + data


def packed_json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def read_frame(read: Callable[[int], bytes]) -> Frame | None:
    """Read the next frame; None at the end of the stream."""
    start = read(FRAME.size)
    if len(start) < FRAME.size:
        return None
    length, number, kind = FRAME.unpack(start)
    if length > LARGEST_FRAME:
        raise BrokenFrame(f"a frame of {length:,} bytes")
    data = read(length)
    if len(data) < length:
        return None
    return Frame(kind & ~_PACKED, number, data, bool(kind & _PACKED))


def unpack_answer(frame: Frame) -> Answer:
    data = _unpacked(frame.data) if frame.is_packed else frame.data
    if len(data) < _HEAD_LENGTH.size:
        raise BrokenFrame("an answer without a head")
    (length,) = _HEAD_LENGTH.unpack_from(data)
    end = _HEAD_LENGTH.size + length
    if end > len(data):
        raise BrokenFrame("a head that is longer than its answer")
    head = _json(data[_HEAD_LENGTH.size : end])
    if not isinstance(head, dict):
        raise BrokenFrame("a head that is no object")
    return Answer(head, data[end:])


def _unpacked(data: bytes) -> bytes:
    decompress = zlib.decompressobj()
    try:
        found = decompress.decompress(data, LARGEST_FRAME)
    except zlib.error as error:
        raise BrokenFrame(str(error)) from error
    if not decompress.eof:
        raise BrokenFrame("compressed data without an end, or too much of it")
    return found


def _json(data: bytes) -> Any:
    try:
        return json.loads(data.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError) as error:
        raise BrokenFrame("text that is not JSON") from error


def unpack_rows(head: Any, body: bytes, start: int) -> tuple[list[Row], int]:
    """Return the rows of one statement, packed in `body` from `start` on, and where they end."""
    try:
        count, kinds = head["count"], [(str(kind), int(size)) for kind, size in head["kinds"]]
        if type(count) is not int or len(kinds) != len(head["names"]):
            raise BrokenFrame("rows that are described wrongly")
    except (TypeError, KeyError, ValueError) as error:
        raise BrokenFrame("rows that are described wrongly") from error
    columns: list[Sequence[Any]] = []
    for kind, size in kinds:
        if size < 0 or start + size > len(body):
            raise BrokenFrame("a column that is longer than its answer")
        column = _column(kind, body[start : start + size]) if count else []
        if len(column) != count:
            raise BrokenFrame("a column with another number of rows")
        columns.append(column)
        start += size
    return list(zip(*columns, strict=True)), start


def _column(kind: str, data: bytes) -> Sequence[Any]:
    if kind in ("q", "d"):
        numbers = array(kind)
        if len(data) % numbers.itemsize:
            raise BrokenFrame("half a number")
        numbers.frombytes(data)
        if sys.byteorder == "big":
            numbers.byteswap()
        return numbers
    if kind == "h":
        text = data.hex()
        return [text[at : at + _ID_LENGTH] for at in range(0, len(text), _ID_LENGTH)]
    values = _json(data)
    if kind not in ("j", "b") or not isinstance(values, list):
        raise BrokenFrame("a column of an unknown kind")
    return [_bytes(value) if isinstance(value, dict) else value for value in values] if kind == "b" else values


def _bytes(packed: dict[str, Any]) -> bytes:
    try:
        return base64.b64decode(packed["b"], validate=True)
    except (KeyError, TypeError, ValueError) as error:
        raise BrokenFrame("bytes that are packed wrongly") from error
