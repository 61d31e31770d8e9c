"""The size and the signature of a model version, which are compared before it replaces another one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mldeck.artifacts.location import Located
from mldeck.artifacts.mlmodel import FILE_NAME, Signature, SignatureField, read_mlmodel
from mldeck.artifacts.opening import open_tree
from mldeck.artifacts.source import Check, no_check
from mldeck.artifacts.tree import ArtifactTree, count
from mldeck.errors import MldeckError
from mldeck.format import MISSING, size_text

MOST_ENTRIES = 10_000
"""The number of files and folders after which counting stops."""

_SHORT = {"input": ("in", "in"), "output": ("out", "out"), "param": ("param", "params")}
"""The short words for one and for several of each part of a signature."""


@dataclass(frozen=True)
class FileFacts:
    """The facts about the files of a model; each is None if it cannot be known."""

    size: int | None = None
    """The size of all files, in bytes."""
    is_whole: bool = True
    """Whether all files were counted, so that the size is not larger."""
    signature: Signature | None = None
    """The signature; one of no parts if the model has none."""

    @property
    def size_text(self) -> str:
        return MISSING if self.size is None else f"{'' if self.is_whole else '≥ '}{size_text(self.size)}"

    @property
    def signature_text(self) -> str:
        """The numbers of fields of the signature: `8 in, 1 out`."""
        if self.signature is None:
            return MISSING
        counts = ((len(fields), part) for part, fields in _parts(self.signature) if fields)
        return ", ".join(f"{number} {_SHORT[part][number > 1]}" for number, part in counts) or "none"


UNKNOWN_FACTS = FileFacts()
NO_SIGNATURE = Signature(None, None, None)


def read_facts(located: Located | None, check: Check = no_check) -> FileFacts:
    """Count the files of a model and read its signature. Raises only what `check` raises.

    A place that only the database names is not opened: nothing is known about it.
    """
    if located is None:
        return UNKNOWN_FACTS
    try:
        tree = open_tree(located)
        total = count(tree, check=check, limit=MOST_ENTRIES)
    except MldeckError:
        check()
        return UNKNOWN_FACTS
    if not total.files:
        return UNKNOWN_FACTS  # In an object store, this is how a folder that does not exist looks.
    return FileFacts(total.size, not (total.unreadable or total.more), _signature(tree, check))


def _signature(tree: ArtifactTree, check: Check) -> Signature | None:
    try:
        model = read_mlmodel(tree.file(FILE_NAME), check)
    except (MldeckError, OSError):
        check()
        return None
    if model.signature_error is not None:
        return None
    return model.signature or NO_SIGNATURE


def signature_changes(now: FileFacts, then: FileFacts) -> tuple[str, ...] | None:
    """Return how the signature `then` differs from `now`, a phrase for each field; None if one of them is not known.

    Named fields may change places: MLflow finds them by their names.
    """
    if now.signature is None or then.signature is None:
        return None
    changes: list[str] = []
    for (part, before), (_, after) in zip(_parts(now.signature), _parts(then.signature), strict=True):
        changes += _field_changes(part, _by_name(before), _by_name(after))
    return tuple(changes)


def signature_verdict(now: FileFacts, then: FileFacts) -> str:
    """Return `same` or `differs`; empty if one of the signatures is not known."""
    changes = signature_changes(now, then)
    return "" if changes is None else "differs" if changes else "same"


def _parts(signature: Signature) -> Iterator[tuple[str, tuple[SignatureField, ...]]]:
    for name, fields in zip(_SHORT, (signature.inputs, signature.outputs, signature.params), strict=True):
        yield name, fields or ()


def _by_name(fields: tuple[SignatureField, ...]) -> dict[str, SignatureField]:
    return {field.name or str(number): field for number, field in enumerate(fields, 1)}


def _field_changes(part: str, before: dict[str, SignatureField], after: dict[str, SignatureField]) -> Iterator[str]:
    for name, field in before.items():
        other = after.get(name)
        if other is None:
            yield f"{part} {name} is gone"
        elif _kind(other) != _kind(field):
            yield f"{part} {name} is {_kind(other)}, not {_kind(field)}"
        elif other.default != field.default:
            yield f"{part} {name} has another default"
    for name in after:
        if name not in before:
            yield f"{part} {name} is new"


def _kind(field: SignatureField) -> str:
    """Return the type of a field, its shape, and whether it may be missing."""
    shape = f" {field.shape}" if field.shape else ""
    return f"{field.type}{shape}{'' if field.required else ' (optional)'}"
