"""The card of a model: what its MLmodel file and the database say about it, and the code that loads it. No Textual."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from mldeck.addresses import printable
from mldeck.artifacts.errors import ArtifactError
from mldeck.artifacts.mlmodel import (
    FILE_NAME,
    MalformedModel,
    MLmodel,
    Signature,
    SignatureField,
    loading_code,
    read_mlmodel,
    requirement_files,
)
from mldeck.artifacts.previews.encoding import decode
from mldeck.artifacts.source import Check, no_check
from mldeck.artifacts.tree import ArtifactTree, count
from mldeck.errors import MldeckError
from mldeck.format import exact_float_text, size_text, time_text
from mldeck.registry.nouns import LoggedModel, ModelVersion
from mldeck.ui.kit.keys import key_name

_MAX_TEXT = 1 << 14
"""Bytes of a file that are shown in the card at most."""
_MAX_LINES = 60
"""Lines of a file that are shown in the card at most."""
_MAX_CARD_LINES = 10_000
_LONGEST = 4_000
"""Characters of a name or a text in one line of the card at most."""
_STATUS_STYLES = {"READY": "good", "FAILED": "bad", "PENDING": "warn"}


@dataclass(frozen=True)
class ModelFolder:
    """A folder that holds a model, and what the database knows about it."""

    tree: ArtifactTree
    path: str
    uri: str
    """The URI by which MLflow loads it."""
    where: str | None
    """The location of the folder; None if it is unknown."""
    model: LoggedModel | None = None
    """Its record in the database; None if there is none."""
    versions: tuple[ModelVersion, ...] = ()
    """The versions that were registered from it."""


class CardLine(NamedTuple):
    name: str = ""
    text: str = ""
    style: str = ""
    """Name of the style of the text."""
    copied: str = ""
    """The text that `y` copies, if it is more than the line: the whole snippet, for code."""
    is_heading: bool = False
    is_code: bool = False


@dataclass(frozen=True)
class Card:
    title: str
    lines: tuple[CardLine, ...]
    problem: str = ""
    """Faults of the MLmodel file, as sentences."""


def read_card(folder: ModelFolder, check: Check = no_check) -> Card:
    title = folder.path or (folder.model.name if folder.model else folder.uri)
    try:
        model = read_mlmodel(folder.tree.file(f"{folder.path}/{FILE_NAME}".strip("/")), check)
    except MalformedModel as error:
        problem = str(error)
        if error.line and f"line {error.line}" not in problem:
            problem = f"line {error.line}: {problem}"
        text = _text_lines(FILE_NAME, error.text)
        return Card(title, _bounded((*text, *_version_lines(folder), *_record_lines(folder))), problem)
    except (MldeckError, OSError) as error:
        check()
        return Card(title, _bounded((*_version_lines(folder), *_record_lines(folder))), str(error))
    return Card(title, _bounded(_lines(folder, model, check)))


def _bounded(lines: Iterable[CardLine]) -> tuple[CardLine, ...]:
    """Return the first lines, each cut to a length that can be drawn."""
    shown = [_cut(line) for line in islice(lines, _MAX_CARD_LINES + 1)]
    if len(shown) > _MAX_CARD_LINES:
        shown[-1] = CardLine(text=f"… and more: these are the first {_MAX_CARD_LINES:,} lines", style="dim")
    return tuple(shown)


def _cut(line: CardLine) -> CardLine:
    if max(len(line.name), len(line.text)) <= _LONGEST:
        return line
    copied = line.copied or line.text or line.name
    return line._replace(name=_cut_text(line.name), text=_cut_text(line.text), copied=copied)


def _cut_text(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def _lines(folder: ModelFolder, model: MLmodel, check: Check) -> Iterator[CardLine]:
    yield from _about(folder, model, check)
    yield CardLine("Flavors", is_heading=True)
    for flavor in model.flavors:
        yield CardLine(flavor.name, flavor.version or "", "accent")
        yield from (CardLine(f"  {key}", value, "dim") for key, value in flavor.settings if value != flavor.version)
    yield from _signature_lines(model.signature, model.signature_error)
    for snippet in loading_code(model, folder.uri):
        yield CardLine(f"Load it: {snippet.title}", f"{key_name('copy')} copies", copied=snippet.code, is_heading=True)
        yield from (CardLine(text=line, copied=snippet.code, is_code=True) for line in snippet.code.splitlines())
    yield from _record_lines(folder)
    yield from _example_lines(folder, model)
    yield from _requirement_lines(folder, model)
    yield from _pair_lines("Metadata", model.metadata)
    yield from _pair_lines("Other fields of MLmodel", model.others)


def _about(folder: ModelFolder, model: MLmodel, check: Check) -> Iterator[CardLine]:
    yield CardLine("uri", printable(folder.uri), "accent")
    if folder.where:
        yield CardLine("where", folder.where)
    try:
        total = count(folder.tree, folder.path, check=check)
        files = "file" if total.files == 1 else "files"
        yield CardLine("size", f"{size_text(total.size)} in {total.files:,} {files}")
    except ArtifactError as error:
        yield CardLine("size", str(error), "warn")
    if model.model_size_bytes is not None:
        yield CardLine("size in MLmodel", size_text(model.model_size_bytes), "dim")
    named = (
        ("MLflow", model.mlflow_version),
        ("created (UTC)", model.utc_time_created),
        ("run", model.run_id),
        ("model id", model.model_id),
        ("model uuid", None if model.model_uuid == model.model_id else model.model_uuid),
        ("path", None if model.artifact_path == folder.where else model.artifact_path),
    )
    yield from (CardLine(name, value) for name, value in named if value)
    yield from _version_lines(folder)


def _signature_lines(signature: Signature | None, error: str | None) -> Iterator[CardLine]:
    yield CardLine("Signature", is_heading=True)
    if error:
        yield CardLine(text=error, style="warn")
    if signature is None:
        if not error:
            yield CardLine(text="none: infer_signature() makes one when the model is logged", style="dim")
        return
    for name, fields in (("inputs", signature.inputs), ("outputs", signature.outputs), ("params", signature.params)):
        if fields is None:
            continue
        yield CardLine(name, f"{len(fields)}", "dim")
        yield from _field_lines(fields)


def _field_lines(fields: Iterable[SignatureField]) -> Iterator[CardLine]:
    for field in fields:
        parts = [field.type]
        if field.shape is not None:
            parts.append(f"shape {field.shape}")
        if field.default is not None:
            parts.append(f"default {field.default}")
        elif not field.required:
            parts.append("optional")
        yield CardLine(f"  {'–' if field.name is None else field.name}", "  ".join(parts))


def _record_lines(folder: ModelFolder) -> Iterator[CardLine]:
    """Yield what the database knows about the model, whether or not its files can be read."""
    model = folder.model
    if model is not None:
        yield CardLine("Logged model", is_heading=True)
        yield CardLine("name", model.name)
        message = f": {model.status_message}" if model.status_message else ""
        yield CardLine("status", model.status + message, _STATUS_STYLES.get(model.status, ""))
        if model.model_id:
            yield CardLine("id", model.model_id)
        if model.run_id:
            yield CardLine("source run", model.run_id)
        if model.step is not None:
            yield CardLine("step", str(model.step))
        if model.model_type:
            yield CardLine("type", model.model_type)
        if model.creation_time is not None:
            yield CardLine("created", time_text(model.creation_time))
        latest = {metric.key: metric for metric in model.metrics}  # The metrics are in the order of their steps.
        points = ((key, f"{exact_float_text(metric.value)}  at step {metric.step}") for key, metric in latest.items())
        yield from _pair_lines("Metrics, latest values", points)
        yield from _pair_lines("Params", model.params.items())
        yield from _pair_lines("Tags", model.tags.items())


def _version_lines(folder: ModelFolder) -> Iterator[CardLine]:
    yield CardLine("Registered", is_heading=True)
    for version in folder.versions:
        aliases = "".join(f"  @{alias}" for alias in version.aliases)
        yield CardLine(f"{version.name} v{version.version}", f"{version.stage}{aliases}", "accent")
    if not folder.versions:
        yield CardLine(text="no version was registered from it", style="dim")


def _pair_lines(title: str, pairs: Iterable[tuple[str, str]]) -> Iterator[CardLine]:
    lines = [CardLine(key or "value", value) for key, value in pairs]
    if lines:
        yield CardLine(title, is_heading=True)
        yield from lines


def _example_lines(folder: ModelFolder, model: MLmodel) -> Iterator[CardLine]:
    yield from _pair_lines("Input example", model.input_example)
    name = dict(model.input_example).get("artifact_path")
    if name:
        yield from _file_lines(folder, name)


def _requirement_lines(folder: ModelFolder, model: MLmodel) -> Iterator[CardLine]:
    try:
        present = {entry.name for entry in folder.tree.entries(folder.path) if entry.is_file}
    except ArtifactError:
        return
    for name in requirement_files(model, present):
        yield CardLine(name, is_heading=True)
        yield from _file_lines(folder, name)


def _file_lines(folder: ModelFolder, name: str) -> Iterator[CardLine]:
    try:
        source = folder.tree.file(f"{folder.path}/{name}".strip("/"))
        text = decode(source.read(0, _MAX_TEXT), "utf-8")
        yield from _text_lines("", text, is_cut=source.size > _MAX_TEXT)
    except (MldeckError, OSError) as error:
        yield CardLine(text=str(error), style="warn")


def _text_lines(title: str, text: str, *, is_cut: bool = False) -> Iterator[CardLine]:
    if title:
        yield CardLine(title, is_heading=True)
    lines = text.split("\n")
    yield from (CardLine(text=line, copied=text, is_code=True) for line in lines[:_MAX_LINES] if line.strip())
    if is_cut or len(lines) > _MAX_LINES:
        yield CardLine(text="… and more: open the file to read all of it", style="dim")
