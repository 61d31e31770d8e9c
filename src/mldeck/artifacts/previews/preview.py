"""Detects what a file is, by its first bytes and its name, and previews it without reading more than necessary.

Everything here may block on a disk or a network, so call it off the event loop. Nothing is unpickled or executed.
"""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NamedTuple, TypeVar

from mldeck.artifacts.previews.archive import tar_preview, zip_preview
from mldeck.artifacts.previews.array import MAGIC, npy_preview, npz_preview
from mldeck.artifacts.previews.binary import binary_preview
from mldeck.artifacts.previews.encoding import decode, text_encoding
from mldeck.artifacts.previews.image import image_preview
from mldeck.artifacts.previews.json_table import first_rows, table_of
from mldeck.artifacts.previews.names import is_json, is_markdown, is_plain_text, is_yaml, lexer_of, misnamed, table_kind
from mldeck.artifacts.previews.parquet import parquet_preview
from mldeck.artifacts.previews.table import table_preview
from mldeck.artifacts.previews.text import PAGE, TextFile
from mldeck.artifacts.previews.tree import MAX_JSON, MAX_YAML, NotATree, check_size, parse_json, parse_yaml
from mldeck.artifacts.previews.values import RGB, NoPreview, NotPreviewable, Preview, TextPreview, TreePreview
from mldeck.artifacts.source import Check, LimitedSource, Progress, Source, chunks, no_check, no_progress
from mldeck.errors import MldeckError

WHITE: RGB = (255, 255, 255)
"""The usual background of plots; transparent plots have black axes."""
_SECONDS = 10
"""Processor seconds before a preview is abandoned: some libraries never finish on a hostile file."""
_LATIN_NOTE = "Not UTF-8: each byte is shown as a Latin-1 character."
_REASONS = {
    errno.ENOENT: "It no longer exists.",
    errno.EACCES: "You do not have permission to read it.",
    errno.EPERM: "You do not have permission to read it.",
    errno.ELOOP: "It was replaced by a symbolic link while it was being read.",
    errno.ESTALE: "It no longer exists.",
}

_From = TypeVar("_From")
_To = TypeVar("_To")

Reader = Callable[[Source], Preview]
"""Raises NotPreviewable if the file is not what it seemed to be."""

_IMAGES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a")
_ZIPS = (b"PK\x03\x04", b"PK\x05\x06")
_READERS: dict[bytes, Reader] = {MAGIC: npy_preview}
_ENCODING_NAMES = {"utf-8": "UTF-8", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16", "latin-1": "Latin-1"}


class PreviewRequest(NamedTuple):
    """A request for a preview: the available room, and how to show the file."""

    cells: tuple[int, int] = (80, 24)
    """The available (columns, lines) for an image; an image that does not fit well may take more."""
    background: RGB = WHITE
    """The colour behind the transparent parts of an image."""
    as_text: bool = False
    """Whether to show the text itself instead of the table or tree that it contains."""
    zoom: int = 0
    """Zoom steps relative to the initial size of an image; negative is smaller."""
    cell_pixels: tuple[int, int] | None = None
    """The width and height of a cell in pixels, for a terminal that draws pictures; None for half blocks."""


_DEFAULT_REQUEST = PreviewRequest()


def preview(source: Source, request: PreviewRequest = _DEFAULT_REQUEST, check: Check = no_check) -> Preview:
    """Return what can be shown of a file, with notes on what is wrong with it. Raises only what `check` raises."""
    try:
        if source.size == 0:
            return NoPreview(kind="empty file", notes=("There is nothing in it.",))
        watched = LimitedSource(source, check, _SECONDS)
        return _preview(watched, request, watched.check)
    except OSError as error:
        reason = _REASONS.get(error.errno or 0) or f"It cannot be read: {error.strerror or error}."
        return NoPreview(kind="unreadable file", notes=(reason,))
    except MldeckError as error:
        check()
        return NoPreview(kind="unreadable file", notes=(str(error),))


def sha256(source: Source, check: Check = no_check, progress: Progress = no_progress) -> str:
    """Return the SHA-256 of the whole file, in hex."""
    digest = hashlib.sha256()
    for data in chunks(source, 0, check, progress):
        digest.update(data)
    return digest.hexdigest()


def _preview(source: Source, request: PreviewRequest, check: Check) -> Preview:
    head = source.read(0, PAGE)
    encoding = text_encoding(head)
    reader = _packed_reader(source.name, head, request, check)
    if reader is None and encoding is not None and not request.as_text:
        reader = _text_reader(source.name, decode(head, encoding), encoding, check)
    notes: tuple[str, ...] = ()
    found: Preview | None = None
    if reader is not None:
        try:
            found = reader(source)
        except NotPreviewable as reason:
            notes = (str(reason),)
        except (RecursionError, MemoryError):
            # Any library may get here: by headers nested in headers, or by a size that a file only claims to have.
            notes = ("It cannot be parsed: it is nested too deeply or unpacks to too much.",)
        except (MldeckError, OSError):
            raise
        except Exception:  # noqa: BLE001 - a library may raise anything on a damaged file
            notes = ("It cannot be parsed: it is damaged.",)
    if found is None and encoding is not None:
        found = _text(source, encoding, notes)
    if found is None:
        found = binary_preview(source.name, head, notes)
    return replace(found, notes=(*found.notes, *misnamed(source.name, found)))


def _packed_reader(name: str, head: bytes, request: PreviewRequest, check: Check) -> Reader | None:
    """Return the reader for a format recognised by its first bytes, whatever the name; None for other formats."""
    if head.startswith(_IMAGES) or (head.startswith(b"RIFF") and head[8:12] == b"WEBP"):
        return lambda source: image_preview(
            source, request.cells, request.background, check, request.zoom, request.cell_pixels
        )
    if head.startswith(_ZIPS):
        return npz_preview if name.lower().endswith(".npz") else zip_preview
    if head.startswith(b"PAR1"):
        return lambda source: parquet_preview(source, check)
    if head[257:262] == b"ustar":
        return tar_preview
    return next((reader for magic, reader in _READERS.items() if head.startswith(magic)), None)


def _text_reader(name: str, head: str, encoding: str, check: Check) -> Reader | None:
    """Return the reader for structured text, by its name; None for plain text.

    JSON is also recognised without a telling name. A log may start with `[` as well.
    """
    if (kind := table_kind(name)) is not None:
        return lambda source: table_preview(source, kind)
    if is_yaml(name):
        return lambda source: _yaml(source, encoding, check)
    if is_json(name):
        return lambda source: _json(source, encoding)
    if lexer_of(name) is None and not is_plain_text(name) and head.lstrip()[:1] in {"{", "["}:
        return lambda source: _json_or_text(source, encoding)
    return None


def _text(source: Source, encoding: str, notes: tuple[str, ...]) -> TextPreview:
    return TextPreview(
        kind=f"{_ENCODING_NAMES[encoding]} text",
        notes=(*notes, _LATIN_NOTE) if encoding == "latin-1" else notes,
        encoding=encoding,
        lexer=lexer_of(source.name),
        is_markdown=is_markdown(source.name),
        page=TextFile(source, encoding).page(),
    )


def _json(source: Source, encoding: str) -> Preview:
    if source.size > MAX_JSON:
        try:
            return first_rows(source)
        except NotPreviewable:
            raise NotPreviewable(_too_large(MAX_JSON)) from None
    root = _as_tree(parse_json, decode(source.read(0, MAX_JSON), encoding))
    table = table_of(root)
    if table is not None:
        return table
    _as_tree(check_size, root)
    return TreePreview(kind="JSON", notes=(), root=root, is_yaml=False)


def _json_or_text(source: Source, encoding: str) -> Preview:
    """Preview text that starts like JSON. If it is not JSON it is plain text, and no note calls it broken."""
    try:
        return _json(source, encoding)
    except (NotPreviewable, RecursionError):
        return _text(source, encoding, ())


def _yaml(source: Source, encoding: str, check: Check) -> Preview:
    if source.size > MAX_YAML:
        raise NotPreviewable(_too_large(MAX_YAML))
    root = _as_tree(partial(parse_yaml, check=check), decode(source.read(0, MAX_YAML), encoding))
    return TreePreview(kind="YAML", notes=(), root=root, is_yaml=True)


def _as_tree(step: Callable[[_From], _To], value: _From) -> _To:
    try:
        return step(value)
    except NotATree as error:
        raise NotPreviewable(str(error)) from error


def _too_large(limit: int) -> str:
    return f"Larger than {limit >> 10} kB: shown as text, not as a tree."
