"""Whether a model's files are where the database says: the question of whoever registers a version, or promotes it."""

from __future__ import annotations

from mldeck.artifacts.errors import ArtifactError, NotThere
from mldeck.artifacts.location import Located, Places, locate
from mldeck.artifacts.mlmodel import FILE_NAME
from mldeck.artifacts.opening import open_tree


def has_mlmodel(uri: str | None, places: Places, owner: str | None = None) -> bool:
    """Whether an MLmodel file is directly below it."""
    return holds_mlmodel(locate(uri, places, owner))


def holds_mlmodel(located: Located) -> bool:
    if located.path is not None:
        try:
            return (located.path / FILE_NAME).is_file()
        except OSError as error:
            raise ArtifactError(f"{located.path} cannot be looked at: {error.strerror}") from error
    try:
        return located.found and open_tree(located).entry(FILE_NAME).is_file
    except NotThere:
        return False
