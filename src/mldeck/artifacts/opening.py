"""From a place to the files in it."""

from __future__ import annotations

from mldeck.artifacts.errors import ArtifactError, Unconfirmed
from mldeck.artifacts.local import LocalTree
from mldeck.artifacts.location import Located
from mldeck.artifacts.tree import ArtifactTree


def open_tree(located: Located, follow: bool = False) -> ArtifactTree:
    """Open what was located. Every tree of files is opened here.

    `follow`: whether links may lead out of it. Raises `Unconfirmed` when only the database names the place, and
    `ArtifactError`, with the way out, when there is nothing to open.
    """
    question = unconfirmed(located)
    if question is not None:
        raise question
    if located.path is not None:
        tree = LocalTree(located.path, follow)
        if located.real not in (None, tree.real_root):
            raise ArtifactError(f"{located.path} leads elsewhere than it did a moment ago; read again to look at it")
        return tree
    if located.url is not None:
        from mldeck.artifacts.remote import RemoteTree  # most artifacts are on disks

        return RemoteTree(located.url)
    raise ArtifactError(located.problem or "there are no files")


def unconfirmed(located: Located) -> Unconfirmed | None:
    """The error that stands for the question to ask first; None when there is none."""
    place = located.unconfirmed
    return None if place is None else Unconfirmed(_why_not_looked_at(located, place), place)


def _why_not_looked_at(located: Located, place: str) -> str:
    if located.url is not None:
        return f"{located.where}: not connected, since only the database names {place}"
    if located.where == place:
        return f"{place}: not looked into, since only the database names it, and it is no folder that MLflow made"
    return f"{located.where}: not looked into, since it leads to {place}, which is no folder that MLflow made"
