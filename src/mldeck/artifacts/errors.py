"""Errors about a run's files.

Every message is complete, and may contain foreign text: show it with `format.safe`.
"""

from __future__ import annotations

from mldeck.errors import MldeckError


class ArtifactError(MldeckError):
    """An error about files: they cannot be found, listed, read or copied."""


class NotFound(ArtifactError):
    """The file or folder does not exist."""


class NotAFile(ArtifactError):
    """The path is a folder, or something that must never be opened: a FIFO, a device, a socket."""


class LeadsOutside(ArtifactError):
    """The path leaves the artifact root, by `..` or a link, and the user did not allow that."""


class Unconfirmed(ArtifactError):
    """The place is named only by the database, and must not be opened before the user agrees."""

    def __init__(self, message: str, place: str) -> None:
        super().__init__(message)
        self.place = place
        """The place to agree to: a host as `scheme://authority`, or a local folder."""

    @property
    def is_host(self) -> bool:
        """Whether the place is a host, not a local folder."""
        return "://" in self.place


class NeedsExtra(ArtifactError):
    """The package for this object store is not installed."""
