"""The members of zip and tar archives, by name and size. Nothing is unpacked."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
from itertools import islice

from mldeck.artifacts.previews.values import ArchivePreview, Member, NotPreviewable
from mldeck.artifacts.source import ReadTooMuch, Source, SourceStream

_MAX_DIRECTORY = 1 << 22
"""The most bytes of a zip's list of members."""
_MAX_MEMBERS = 1_000
_MAX_TAR_MEMBERS = 100
"""A tar has no list of members: each precedes the next, and finding one takes a read."""
_MAX_TAR_HEADER = 1 << 13
"""The most bytes of a long name or of extended attributes.

The time of tarfile's regular expressions for them is quadratic, and cannot be interrupted.
"""


def open_zip(source: Source) -> zipfile.ZipFile:
    """Open a zip and read its list of members. Raises NotPreviewable if it has none, or a very long one."""
    try:
        return zipfile.ZipFile(SourceStream(source, _MAX_DIRECTORY))
    except ReadTooMuch as error:
        raise NotPreviewable("Too many members to list.") from error
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error) as error:
        raise NotPreviewable(f"The archive cannot be read: {error}") from error


def zip_preview(source: Source) -> ArchivePreview:
    """Return the members of a zip. Raises NotPreviewable if they cannot be listed."""
    members = open_zip(source).infolist()
    return ArchivePreview(
        kind=_zip_kind(members),
        notes=(),
        members=tuple(Member(info.filename, info.file_size, info.compress_size) for info in members[:_MAX_MEMBERS]),
        is_all=len(members) <= _MAX_MEMBERS,
    )


def _zip_kind(members: list[zipfile.ZipInfo]) -> str:
    """Return the format of a zip, as told by members that only that format has."""
    names = {info.filename for info in members}
    if any(name.endswith("/data.pkl") for name in names):
        return "PyTorch file (zip)"
    if "schema.json" in names:
        return "skops model (zip)"
    if {"config.json", "model.weights.h5"} <= names:
        return "Keras model (zip)"
    return "zip archive"


class _TarHeaders(io.BufferedReader):
    """A tar whose headers tarfile reads in one read each; refuses to read an overlong one."""

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= _MAX_TAR_HEADER:
            raise ReadTooMuch("The header of a member is too long.")
        return super().read(size)


def tar_preview(source: Source) -> ArchivePreview:
    """Return the members of an uncompressed tar; listing a compressed one would decompress all of it.

    Raises NotPreviewable if the file cannot be read as a tar.
    """
    members: list[Member] = []
    notes: tuple[str, ...] = ()
    try:
        with tarfile.open(fileobj=_TarHeaders(SourceStream(source, _MAX_DIRECTORY * 4), 1 << 16), mode="r:") as archive:
            members.extend(Member(info.name, info.size, None) for info in islice(archive, _MAX_TAR_MEMBERS + 1))
    except ReadTooMuch:
        notes = ("Not all members could be listed.",)
    except (tarfile.TarError, OSError, ValueError, EOFError) as error:
        if not members:
            raise NotPreviewable(f"The archive cannot be read: {error}") from error
        notes = ("The archive is truncated or damaged.",)
    return ArchivePreview(
        kind="tar archive",
        notes=notes,
        members=tuple(members[:_MAX_TAR_MEMBERS]),
        is_all=len(members) <= _MAX_TAR_MEMBERS and not notes,
    )
