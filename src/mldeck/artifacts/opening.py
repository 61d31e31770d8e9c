"""From a place to the files in it."""

from __future__ import annotations

from mldeck.artifacts.errors import ArtifactError
from mldeck.artifacts.local import LocalTree
from mldeck.artifacts.location import Located
from mldeck.artifacts.tree import ArtifactTree


def open_tree(located: Located, follow: bool = False) -> ArtifactTree:
    """Raises `ArtifactError`, with the way out, when there is nothing to open."""
    if located.path is not None:
        return LocalTree(located.path, follow)
    if located.url is not None:
        from mldeck.artifacts.remote import RemoteTree  # most artifacts are on disks

        return RemoteTree(located.url)
    raise ArtifactError(located.problem or "there are no files")
