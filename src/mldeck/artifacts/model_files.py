"""The check that a model's files are where the database says, made when a version is registered or promoted."""

from __future__ import annotations

from mldeck.artifacts.errors import ArtifactError, NotFound
from mldeck.artifacts.far import FarTree
from mldeck.artifacts.location import Located, Places, locate
from mldeck.artifacts.mlmodel import FILE_NAME
from mldeck.artifacts.opening import open_tree


def has_mlmodel(uri: str | None, places: Places, owner: str | None = None) -> bool:
    """Return whether the folder at `uri` directly contains an MLmodel file.

    `owner` is the id of the run or model that owns the folder. Raises `ArtifactError` if the answer cannot be found
    out.
    """
    return holds_mlmodel(locate(uri, places, owner))


def holds_mlmodel(located: Located) -> bool:
    """Return whether a located folder directly contains an MLmodel file.

    Raises `ArtifactError` if that cannot be found out.
    """
    if located.path is not None:
        try:
            return (located.path / FILE_NAME).is_file()
        except OSError as error:
            raise ArtifactError(f"{located.path} cannot be read: {error.strerror}") from error
    try:
        if located.far is not None:
            return FarTree(located.far, follow=True).entry(FILE_NAME).is_file
        return located.found and open_tree(located).entry(FILE_NAME).is_file
    except NotFound:
        return False
