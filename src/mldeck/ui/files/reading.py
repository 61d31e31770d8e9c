"""Reads for the artifact tree and the previews: where files are, what is in folders, and what a file is. No Textual.

Everything that accesses a disk, a network or the database is called in a thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from mldeck.addresses import printable
from mldeck.artifacts.errors import Unconfirmed
from mldeck.artifacts.location import Located, LocationStatus, Places, locate
from mldeck.artifacts.mlmodel import FILE_NAME, read_mlmodel
from mldeck.artifacts.opening import open_tree
from mldeck.artifacts.previews.preview import PreviewRequest, preview
from mldeck.artifacts.previews.values import NoPreview, Preview
from mldeck.artifacts.run_tree import RunTree, run_tree
from mldeck.artifacts.source import Check, Source, no_check
from mldeck.artifacts.tree import ArtifactTree, Entry, EntryKind, Total, count
from mldeck.errors import MldeckError
from mldeck.model import Run
from mldeck.registry.nouns import LoggedModel, ModelVersion, came_from
from mldeck.ui.files.model_card_reading import Card, ModelFolder, read_card
from mldeck.ui.kit.keys import with_keys

if TYPE_CHECKING:
    from mldeck.store.interrupt import Interrupt
    from mldeck.ui.state.session import Session


# -- the files of a run


@dataclass(frozen=True)
class RunFiles:
    """The artifact tree of a run, and what the database knows about the models in it."""

    run_id: str
    tree: RunTree
    models: tuple[LoggedModel, ...] = ()
    versions: tuple[ModelVersion, ...] = ()
    """The versions that were registered from the run or from one of its models."""

    def model_folder(self, path: str) -> ModelFolder:
        """Return a folder that is known to hold a model."""
        model = self._model_at(path)
        uri = model.uri if model is not None else f"runs:/{self.run_id}/{path}"
        versions = () if model is None else tuple(version for version in self.versions if came_from(version, model))
        return ModelFolder(self.tree, path, uri, self.tree.location(path), model, versions)

    def _model_at(self, path: str) -> LoggedModel | None:
        model_id = next((branch.model_id for branch in self.tree.branches if branch.label == path), None)
        if model_id is not None:
            return next((model for model in self.models if model.model_id == model_id), None)
        return next((model for model in self.models if model.model_id is None and model.name == path), None)


def read_run_files(session: Session, run: Run, interrupt: Interrupt | None = None) -> RunFiles:
    models = session.store.registry().models_of_run(run.run_id, interrupt)
    model_ids = tuple(model.model_id for model in models if model.model_id)
    versions = session.registry.versions_of_run(run.run_id, model_ids, interrupt)
    return RunFiles(run.run_id, run_tree(run.artifact_uri, run.run_id, models, session.places()), models, versions)


def where_lines(tree: RunTree) -> list[tuple[str, str]]:
    """Return where the files are, and where the database says that they should be: lines with the names of their styles."""
    lines = list(_about(tree.own, "")) if not tree.branches or tree.own.how is not LocationStatus.NOTHING_LOGGED else []
    problems = [line for branch in tree.branches for line in _about(branch.located, f"{branch.name}: ") if line[1]]
    # Models are usually moved or deleted together with the run's own files: each state is said once.
    said = {style for _, style in lines}
    return lines + [line for line in problems if line[1] not in said][:3]


def no_files_text(tree: RunTree) -> str:
    """Return the text for a tree without files."""
    text = "No files: mlflow.log_artifact() and log_figure() put some here."
    if tree.own.how is LocationStatus.NOTHING_LOGGED:
        text += "\nIf they were moved: mldeck --artifact-root OLD=NEW"
    return text


def _about(located: Located, prefix: str) -> Iterator[tuple[str, str]]:
    if located.how is LocationStatus.NOTHING_LOGGED:
        yield f"{prefix}{printable(located.uri or '')}: nothing there", "dim"
    elif located.problem:
        yield prefix + located.problem, "warn"
    elif located.how is LocationStatus.RECORDED or located.how is LocationStatus.REMOTE:
        yield prefix + str(located.where), ""
    else:
        text = f"{prefix}{located.where} ({located.how.words}), recorded as {_recorded(located)}"
        yield text, "accent" if located.moved else ""


def _recorded(located: Located) -> str:
    """Return the recorded location, without the end that it shares with the present one."""
    parts = printable(located.uri or "").split("/")
    ends = zip(reversed(parts), reversed((located.where or "").split("/")), strict=False)
    same = sum(1 for _ in takewhile(lambda end: end[0] == end[1], ends))
    return "/".join([*parts[:-same], "…"]) if 0 < same < len(parts) else "/".join(parts)


# -- folders, opened and closed

_NOT_OPENED = "not opened"
_OPEN_ASKS = "{state} · {open} asks"
"""Shown for a place that only the database names."""


class TreeRow(NamedTuple):
    """One row of the tree: an entry of a folder, or a word about the folder's content."""

    path: str
    depth: int
    entry: Entry | None = None
    word: str = ""
    """Shown if there is no entry; the path is then that of the folder."""


class Listing(NamedTuple):
    """The contents of a folder."""

    entries: Sequence[Entry] = ()
    problem: str = ""
    """Why it could not be listed."""
    unconfirmed: Unconfirmed | None = None
    """The place to ask about before the folder is listed."""


@dataclass
class Folders:
    """The open folders of a tree, and what was found in them."""

    tree: ArtifactTree
    opened: set[str] = field(default_factory=lambda: {""})
    listed: dict[str, Listing] = field(default_factory=dict)

    def wanted(self) -> list[str]:
        """Return the open folders that have a row and have not been listed."""
        return [row.path for row in self.rows() if row.entry is None and row.path not in self.listed]

    def rows(self) -> list[TreeRow]:
        rows: list[TreeRow] = []
        waiting = [iter(self._inside("", 0))]
        while waiting:
            row = next(waiting[-1], None)
            if row is None:
                waiting.pop()
                continue
            rows.append(row)
            if row.entry is not None and row.entry.is_dir and row.path in self.opened:
                waiting.append(iter(self._inside(row.path, row.depth + 1)))
        return rows

    def _inside(self, folder: str, depth: int) -> Iterable[TreeRow]:
        listing = self.listed.get(folder)
        if listing is None:
            return (TreeRow(folder, depth, word="…"),)
        if listing.unconfirmed is not None:
            # For the top folder the place is named above the tree.
            return (
                TreeRow(folder, depth, word=with_keys(_OPEN_ASKS, state=listing.problem if folder else _NOT_OPENED)),
            )
        if listing.problem:
            # For the top folder the reason is given above the tree.
            return (TreeRow(folder, depth, word=listing.problem if folder else "cannot be listed"),)
        if not listing.entries:
            return (TreeRow(folder, depth, word="empty" if folder else ""),) if folder else ()
        return (TreeRow(entry.path, depth, entry) for entry in listing.entries)

    def show(self, paths: Iterable[str]) -> None:
        """Open all folders above these paths."""
        for path in paths:
            parts = path.split("/")[:-1]
            self.opened.update("/".join(parts[: length + 1]) for length in range(len(parts)))


def list_folders(tree: ArtifactTree, folders: Iterable[str], check: Check = no_check) -> dict[str, Listing]:
    found = {}
    for folder in folders:
        try:
            found[folder] = Listing(tree.entries(folder, check))
        except Unconfirmed as error:
            found[folder] = Listing(problem=str(error), unconfirmed=error)
        except MldeckError as error:
            check()
            found[folder] = Listing(problem=str(error))
    return found


# -- what a file or folder is


@dataclass(frozen=True)
class FolderContent:
    """A folder, with the total of everything below it."""

    entry: Entry
    total: Total
    where: str | None


SubjectContent = Preview | Card | FolderContent


@dataclass(frozen=True)
class Subject:
    """A file, folder or model of a tree that is to be shown."""

    tree: ArtifactTree
    entry: Entry
    files: RunFiles | None = None
    """The files of its run; None for the tree of a single model."""
    model: ModelFolder | None = None
    """The model that the folder is known to hold."""

    @property
    def name(self) -> str:
        logged = None if self.model is None else self.model.model
        return self.entry.name or (self.tree.name if logged is None else logged.name)

    @property
    def source(self) -> Source:
        return self.tree.file(self.entry.path)

    def looks_like(self, other: Subject) -> bool:
        """Return whether the other one looks the same, as far as can be told without reading it again."""
        return self._known == other._known

    @property
    def _known(self) -> tuple[object, ...]:
        files = self.files
        of_run = () if files is None else (files.run_id, files.models, files.versions, files.tree.unconfirmed)
        return (self.entry, *of_run)

    def as_it_is_now(self) -> Subject:
        """Return the subject with the present size and time of its file, unless it is remote. Raises `MldeckError`."""
        path = self.entry.path
        if not self.entry.is_file or self.tree.local_path(path) is None:
            return self
        return replace(self, entry=self.tree.entry(path))

    @property
    def location(self) -> str:
        """Its path or URI outside of mldeck."""
        if self.files is not None:
            return self.files.tree.location(self.entry.path) or self.entry.path
        return "/".join(part for part in (self.tree.name, self.entry.path) if part)


def read_content(subject: Subject, request: PreviewRequest, check: Check = no_check) -> SubjectContent:
    """Read what is to be shown of a subject. Problems become part of the result; raises only what `check` raises."""
    entry = subject.entry
    try:
        if entry.is_file:
            return preview(subject.source, request, check)
        if not entry.is_dir:
            led = f": {entry.target}" if entry.target else ""
            return NoPreview(entry.kind.words + led, (_NEVER_OPENED.get(entry.kind, "It cannot be opened."),))
        model = subject.model or _model_in(subject)
        if model is not None:
            return read_card(model, check)
        return FolderContent(entry, count(subject.tree, entry.path, check=check), subject.location)
    except MldeckError as error:
        check()
        return NoPreview("unreadable", (str(error),))


_NEVER_OPENED = {
    EntryKind.ESCAPE: "The link leads out of the artifacts and is not followed; mldeck artifacts get --follow does.",
    EntryKind.BROKEN: "The target of the link does not exist.",
    EntryKind.FIFO: "Named pipes are never opened.",
    EntryKind.SOCKET: "Sockets are never opened.",
    EntryKind.DEVICE: "Devices are never opened.",
    EntryKind.UNREADABLE: "You may not read it.",
}


def _model_in(subject: Subject) -> ModelFolder | None:
    path = subject.entry.path
    try:
        found = subject.tree.entry(f"{path}/{FILE_NAME}".strip("/"))
    except MldeckError:
        return None
    if not found.is_file:
        return None
    if subject.files is not None:
        return subject.files.model_folder(path)
    return ModelFolder(subject.tree, path, subject.location, subject.location)


# -- the models of a run or of an experiment


def model_subject(
    session: Session, model: LoggedModel, versions: Sequence[ModelVersion], interrupt: Interrupt
) -> Subject:
    """Return the folder of a logged model, wherever it is. Raises `ArtifactError` if it is not found."""
    if model.model_id is not None:
        # Models in the list of an experiment come without params, metrics and tags.
        whole = session.store.registry().logged_model(model.model_id, interrupt)
        model = model if whole is None else replace(whole, step=model.step)
    tree, located = _opened(model, session.places())
    return Subject(
        tree,
        Entry("", EntryKind.FOLDER, is_dir=True),
        model=ModelFolder(tree, "", model.uri, located.where, model, tuple(versions)),
    )


def _opened(model: LoggedModel, places: Places) -> tuple[ArtifactTree, Located]:
    located = locate(model.artifact_location, places, model.model_id or model.run_id)
    return open_tree(located), located


@dataclass(frozen=True)
class ModelFacts:
    """The facts about a logged model that the list of models in the database does not hold."""

    flavors: tuple[str, ...]
    versions: tuple[ModelVersion, ...]
    problem: str = ""
    """Why the files could not be read."""


def read_model_facts(session: Session, model: LoggedModel, interrupt: Interrupt) -> ModelFacts:
    model_ids = (model.model_id,) if model.model_id else ()
    versions = session.registry.versions_of_run(model.run_id or "", model_ids, interrupt)
    flavors, problem = model.flavors, ""
    try:
        if not flavors:
            tree, _ = _opened(model, session.places())
            flavors = tuple(flavor.name for flavor in read_mlmodel(tree.file(FILE_NAME), interrupt.check).flavors)
    except Unconfirmed:
        problem = with_keys(_OPEN_ASKS, state=_NOT_OPENED)
    except (MldeckError, OSError) as error:
        problem = str(error)
    return ModelFacts(flavors, tuple(version for version in versions if came_from(version, model)), problem)
