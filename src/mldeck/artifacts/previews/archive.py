"""What is in a zip or a tar, by name and size. Nothing is unpacked."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
from itertools import islice

from mldeck.artifacts.previews.values import ArchivePreview, Member, NotThis
from mldeck.artifacts.source import ReadTooMuch, Source, SourceStream

_MAX_DIRECTORY = 1 << 22
"""How many bytes a zip's list of members may take."""
_MAX_MEMBERS = 1_000
_MAX_TAR_MEMBERS = 100
"""A tar has no list: each member stands before the next, and finding them means a read for each."""
_MAX_TAR_HEADER = 1 << 13
"""Bytes of a long name or of extended attributes. The time that tarfile's regular expressions take for them is quadratic,
and nothing stops them."""


def open_zip(source: Source) -> zipfile.ZipFile:
    """Read as far as its list of members. Raises NotThis when it has none, or a very long one."""
    try:
        return zipfile.ZipFile(SourceStream(source, _MAX_DIRECTORY))
    except ReadTooMuch as error:
        raise NotThis("Too many members to be listed.") from error
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error) as error:
        raise NotThis(f"The archive cannot be read: {error}") from error


def zip_preview(source: Source) -> ArchivePreview:
    members = open_zip(source).infolist()
    return ArchivePreview(
        kind=_zip_kind(members),
        notes=(),
        members=tuple(Member(each.filename, each.file_size, each.compress_size) for each in members[:_MAX_MEMBERS]),
        is_all=len(members) <= _MAX_MEMBERS,
    )


def _zip_kind(members: list[zipfile.ZipInfo]) -> str:
    """Other formats that are zips, by the members that only they have."""
    names = {each.filename for each in members}
    if any(name.endswith("/data.pkl") for name in names):
        return "PyTorch file (zip)"
    if "schema.json" in names:
        return "skops model (zip)"
    if {"config.json", "model.weights.h5"} <= names:
        return "Keras model (zip)"
    return "zip archive"


class _TarHeaders(io.BufferedReader):
    """A tar, of which tarfile reads each header in one go."""

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= _MAX_TAR_HEADER:
            raise ReadTooMuch("A member of the archive is described at too great length.")
        return super().read(size)


def tar_preview(source: Source) -> ArchivePreview:
    """Of the plain form only: to list a compressed one would mean to inflate all of it."""
    members: list[Member] = []
    notes: tuple[str, ...] = ()
    try:
        with tarfile.open(fileobj=_TarHeaders(SourceStream(source, _MAX_DIRECTORY * 4), 1 << 16), mode="r:") as archive:
            members.extend(Member(each.name, each.size, None) for each in islice(archive, _MAX_TAR_MEMBERS + 1))
    except ReadTooMuch:
        notes = ("Not all members could be listed.",)
    except (tarfile.TarError, OSError, ValueError, EOFError) as error:
        if not members:
            raise NotThis(f"The archive cannot be read: {error}") from error
        notes = ("The archive is cut short or broken.",)
    return ArchivePreview(
        kind="tar archive",
        notes=notes,
        members=tuple(members[:_MAX_TAR_MEMBERS]),
        is_all=len(members) <= _MAX_TAR_MEMBERS and not notes,
    )
