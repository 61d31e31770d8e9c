"""What can go wrong with a run's files. As everywhere, a message is complete, and may hold somebody else's text: show it
with `format.safe`."""

from __future__ import annotations

from mldeck.errors import MldeckError


class ArtifactError(MldeckError):
    """Files that cannot be found, listed, read or copied."""


class NotThere(ArtifactError):
    """There is no such file or folder."""


class NotAFile(ArtifactError):
    """A folder, or something that must never be opened: a FIFO, a device, a socket."""


class Escapes(ArtifactError):
    """It leads out of the artifact root, by `..` or a link, and nobody asked to follow it."""


class Unconfirmed(ArtifactError):
    """A place that only the database names, and that is not opened before the user agrees."""

    def __init__(self, message: str, place: str) -> None:
        super().__init__(message)
        self.place = place
        """The host, as `scheme://authority`, or the folder of this machine to agree to."""

    @property
    def is_host(self) -> bool:
        return "://" in self.place


class NeedsExtra(ArtifactError):
    """The package that speaks to this object store is not installed."""
