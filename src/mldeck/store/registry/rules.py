"""What MLflow 3.17 takes for names, aliases, tags and descriptions of the registry, in words a person can act on.

Nothing here looks at the database, so that a text can be checked while it is typed. Names that older releases took are
read everywhere; only a new name must be one that every release takes.
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
"""Since 3.0."""

_ALIAS = re.compile(r"[\w\-]+")
_VERSION_ALIAS = re.compile(r"[vV]\d+")


def check_model_name(name: str) -> None:
    """Of a new model, or for a model that is renamed."""
    if not name.strip():
        raise MldeckError("the name of a model cannot be empty")
    for character in "/:":
        if character in name:
            raise MldeckError(f"the name of a model cannot contain {character}")
    if posixpath.normpath(name) != name or name == "." or name.startswith(".."):
        raise MldeckError(f"{safe(name)} cannot be the name of a model: MLflow takes it for a path")


def check_alias(alias: str) -> None:
    if not alias:
        raise MldeckError("an alias cannot be empty")
    if not _ALIAS.fullmatch(alias):
        raise MldeckError(f"alias {safe(alias)}: MLflow takes letters, digits, _ and - only")
    if alias.lower() == "latest" or _VERSION_ALIAS.fullmatch(alias):
        raise MldeckError(f"alias {safe(alias)} is reserved: MLflow reads it as the number of a version")
    check_length("an alias", alias, MAX_ALIAS_LENGTH)


def check_registry_tag(key: str, value: str, limit: int = MAX_TAG_LENGTH) -> None:
    """Of a model or a version."""
    check_key(key)
    check_length(f"the value of tag {key}", value, limit)


def check_reason(text: str) -> None:
    """MLflow knows nothing of it: the limit is that of the tag that keeps it."""
    if len(text) > MAX_REASON_LENGTH:
        raise MldeckError(f"the reason has at most {MAX_REASON_LENGTH} characters, not {len(text):,}")
