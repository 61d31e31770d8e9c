"""Opens a located folder of artifacts as a tree."""

from __future__ import annotations

from mldeck.artifacts.errors import ArtifactError, Unconfirmed
from mldeck.artifacts.far import FarTree
from mldeck.artifacts.local import LocalTree
from mldeck.artifacts.location import Located
from mldeck.artifacts.tree import ArtifactTree


def open_tree(located: Located, follow: bool = False) -> ArtifactTree:
    """Open a located folder. This is the only way to open a tree of files.

    `follow` allows links that lead out of it. Raises `Unconfirmed` if only the database names the place, and
    `ArtifactError`, with a way out, if there is nothing to open.
    """
    question = unconfirmed(located)
    if question is not None:
        raise question
    if located.path is not None:
        tree = LocalTree(located.path, follow)
        if located.real not in (None, tree.real_root):
            raise ArtifactError(f"{located.path} now leads to another folder than a moment ago; reload to open it")
        return tree
    if located.far is not None:
        return FarTree(located.far, follow)
    if located.url is not None:
        from mldeck.artifacts.remote import RemoteTree  # imported late, because most artifacts are on disks

        return RemoteTree(located.url)
    raise ArtifactError(located.problem or "there are no files")


def unconfirmed(located: Located) -> Unconfirmed | None:
    """Return the error for a place that needs the user's consent; None if it needs none."""
    place = located.unconfirmed
    return None if place is None else Unconfirmed(_reason_not_opened(located, place), place)


def _reason_not_opened(located: Located, place: str) -> str:
    if located.url is not None:
        return f"{located.where}: not connected, because only the database names {place}"
    if located.where == place:
        return f"{place}: not opened, because only the database names it, and it is not a folder that MLflow made"
    return f"{located.where}: not opened, because it leads to {place}, which is not a folder that MLflow made"
