"""MLflow 3.17's rules for names, aliases, tags and descriptions of the registry, with messages that say what to change.

Nothing here reads the database, so that a text can be checked while it is typed. Names that only older releases accept can be
read and changed; a new name must be one that every release accepts. Every check raises `MldeckError`.
"""

from __future__ import annotations

import posixpath
import re

from mldeck.errors import MldeckError
from mldeck.format import safe
from mldeck.registry.history import MAX_REASON_LENGTH
from mldeck.store.edits.rules import check_key, check_length

MAX_ALIAS_LENGTH = 255
MAX_OLD_TAG_LENGTH = 5000
MAX_TAG_LENGTH = 100_000
"""The limit since 3.0; before, it was `MAX_OLD_TAG_LENGTH`."""

_ALIAS = re.compile(r"[\w\-]+")
_VERSION_ALIAS = re.compile(r"[vV]\d+")


def check_model_name(name: str) -> None:
    """Check the name of a new or renamed model."""
    if not name.strip():
        raise MldeckError("the name of a model cannot be empty")
    for character in "/:":
        if character in name:
            raise MldeckError(f"the name of a model cannot contain {character}")
    if posixpath.normpath(name) != name or name == "." or name.startswith(".."):
        raise MldeckError(f"{safe(name)} cannot be the name of a model: MLflow would read it as a path")


def check_alias(alias: str) -> None:
    if not alias:
        raise MldeckError("an alias cannot be empty")
    if not _ALIAS.fullmatch(alias):
        raise MldeckError(f"alias {safe(alias)}: MLflow accepts only letters, digits, _ and -")
    if alias.lower() == "latest" or _VERSION_ALIAS.fullmatch(alias):
        raise MldeckError(f"alias {safe(alias)} is reserved: MLflow reads it as a version number")
    check_length("an alias", alias, MAX_ALIAS_LENGTH)


def check_registry_tag(key: str, value: str, limit: int = MAX_TAG_LENGTH) -> None:
    """Check a tag of a model or a version."""
    check_key(key)
    check_length(f"the value of tag {key}", value, limit)


def check_reason(text: str) -> None:
    """Check the reason of a stage change. MLflow has no such thing: the limit is that of the tag that stores it."""
    if len(text) > MAX_REASON_LENGTH:
        raise MldeckError(f"the reason has at most {MAX_REASON_LENGTH} characters, not {len(text):,}")
