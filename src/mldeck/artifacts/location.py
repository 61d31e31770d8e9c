"""Where an artifact URI leads on this machine.

Databases record absolute paths of the machine that wrote them, and stores are copied and mounted elsewhere. So a path is
looked for where the user says such paths lie now, where the database says, and then, by the longest end of it that still
names the run's (or the model's) own folder, below the database's folder. Shorter ends are never taken: they could be
another run's.

A database is somebody else's text, and must not choose what mldeck lists, copies and connects to. A place is looked into
without a question where MLflow's layout says that it holds the files of a run or model, or where the user named it; any
other is `unconfirmed`.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path

from mldeck.addresses import host_of, printable
from mldeck.artifacts.references import Lookup, is_reference, meanings
from mldeck.artifacts.uris import SERVER_SCHEME, ArtifactUri, Parts, owner_of, parse_uri, tails

OBJECT_STORES = frozenset("s3 gs gcs abfs abfss wasb wasbs sftp ftp hdfs viewfs".split())
"""Schemes that are listed through fsspec."""

_USUAL_FOLDERS = ("", "mlruns", "mlartifacts")
"""Where MLflow and its server put artifacts, below the folder in which they are started."""

_PLAIN_AUTHORITY = re.compile(r"[^\s\x00-\x1f\x7f?#\\]+")
"""Of a host or bucket. With any other character, libraries disagree on where it ends, and so on whom to connect to."""

_NOWHERE = {
    "": "the database does not say where its files are",
    "dummy-source": "it has no files: MLflow keeps a prompt in the database",
    "REDACTED-SOURCE-PATH": "where its files were was erased when the version was deleted",
}


def _current_folder() -> Path | None:
    try:
        return Path.cwd()
    except FileNotFoundError:
        return None


@dataclass(frozen=True)
class Places:
    """What is known of this machine."""

    database_folder: Path
    roots: tuple[tuple[str, str], ...] = ()
    """What the user says: (old, new), a path or URI as the database has it and where that is now."""
    current_folder: Path | None = field(default_factory=_current_folder)
    """None where it was deleted."""
    confirmed: frozenset[str] = frozenset()
    """Hosts (`scheme://authority`) and folders that the user agreed to look into."""
    follow: bool = False
    """Whether the database may lead anywhere on this machine, by paths and by links."""

    @property
    def folders(self) -> tuple[Path, ...]:
        """Where a relative path may have started, the likelier first."""
        return tuple(dict.fromkeys(filter(None, (self.database_folder, self.current_folder))))


class How(str, Enum):
    """How files were found, or why they were not."""

    RECORDED = "recorded"
    MAPPED = "mapped"
    BESIDE_DATABASE = "beside_database"
    CURRENT_FOLDER = "current_folder"
    SERVER_FOLDER = "server_folder"
    MOVED = "moved"
    REMOTE = "remote"
    NOTHING_LOGGED = "nothing_logged"
    NOT_FOUND = "not_found"
    UNRESOLVABLE = "unresolvable"

    @property
    def words(self) -> str:
        return _WORDS[self]


_WORDS = {
    How.RECORDED: "where the database says",
    How.MAPPED: "where you say it is now",
    How.BESIDE_DATABASE: "relative to the database's folder",
    How.CURRENT_FOLDER: "relative to the current folder",
    How.SERVER_FOLDER: "in the folder that MLflow's server makes",
    How.MOVED: "moved, found by the end of its path",
    How.REMOTE: "in an object store",
    How.NOTHING_LOGGED: "nothing logged",
    How.NOT_FOUND: "not found",
    How.UNRESOLVABLE: "no place known",
}


@dataclass(frozen=True)
class Located:
    """Where files are, and where the database says that they should be."""

    uri: str | None
    """As the database has it."""
    how: How
    path: Path | None = None
    """On this machine."""
    real: Path | None = None
    """The real path when it was located; None where nothing was looked at."""
    url: str | None = None
    """In an object store; whether anything is there was not looked at."""
    unconfirmed: str | None = None
    """The host (`scheme://authority`) or real folder that only the database names, until the user agrees to it."""
    looked_at: tuple[str, ...] = ()
    """Every place that was tried, in this order."""
    problem: str | None = None
    """Why there is nothing to open, and the way out."""

    @property
    def where(self) -> str | None:
        """The place that was found, for people."""
        return self.url and printable(self.url) if self.path is None else str(self.path)

    @property
    def found(self) -> bool:
        return self.where is not None

    @property
    def moved(self) -> bool:
        """Whether it was found elsewhere than the database says."""
        return self.how in (How.MAPPED, How.MOVED)


def locate(uri: str | None, places: Places, owner: str | None = None, look_up: Lookup | None = None) -> Located:
    """`owner` is the id of the run or model that the files belong to, where the caller knows it.

    `look_up` answers what `runs:/` and `models:/` URIs stand for in this database.
    """
    if uri is None:
        return Located(uri, How.UNRESOLVABLE, problem=_NOWHERE[""])
    if not is_reference(uri):
        return _locate_place(uri, places, owner)
    found = [_locate_place(meaning, places, None) for meaning in meanings(uri, look_up)]
    if not found:
        return Located(uri, How.UNRESOLVABLE, problem=f"{printable(uri)}: the database has no such model or run")
    best = next((each for each in found if each.found), found[0])
    looked_at = tuple(dict.fromkeys(place for each in found for place in each.looked_at))
    return replace(best, uri=uri, looked_at=looked_at)


@dataclass(frozen=True)
class _Candidate:
    how: How
    base: Path
    rest: Parts

    @property
    def path(self) -> Path:
        return self.base.joinpath(*self.rest)


def _locate_place(text: str, places: Places, owner: str | None) -> Located:
    reason = _NOWHERE.get(text.strip())
    if reason is not None:
        return Located(text, How.UNRESOLVABLE, problem=reason)
    uri = parse_uri(text)
    owner = owner or next(filter(None, map(owner_of, uri.readings)), None)
    looked_at: dict[str, None] = {}
    candidates: list[_Candidate] = []
    unknown = None
    for candidate in _candidates(uri, places, owner):
        if isinstance(candidate, str):
            return Located(text, How.MAPPED, url=candidate, looked_at=tuple(looked_at))
        looked_at[str(candidate.path)] = None
        candidates.append(candidate)
        try:
            if _exists(candidate.path):
                real = Path(os.path.realpath(candidate.path))
                unconfirmed = _unconfirmed_folder(candidate, real, places)
                return Located(
                    text, candidate.how, candidate.path, real, looked_at=tuple(looked_at), unconfirmed=unconfirmed
                )
        except OSError as error:
            unknown = unknown or f"{candidate.path} cannot be looked at: {error.strerror}"
    if uri.scheme in OBJECT_STORES and _PLAIN_AUTHORITY.fullmatch(uri.authority):
        url, host = text.partition("?")[0], host_of(text)
        unconfirmed = None if host in places.confirmed else host
        return Located(text, How.REMOTE, url=url, looked_at=tuple(looked_at), unconfirmed=unconfirmed)
    if unknown is not None:
        return Located(text, How.NOT_FOUND, looked_at=tuple(looked_at), problem=unknown)
    return _not_found(uri, places, owner, candidates, tuple(looked_at))


def _unconfirmed_folder(candidate: _Candidate, real: Path, places: Places) -> str | None:
    """Where a path leads, unless the user named it or MLflow would have made it for a run or model."""
    if places.follow or _is_laid_out_by_mlflow(candidate.path, real):
        return None
    if candidate.how is How.MAPPED and real.is_relative_to(os.path.realpath(candidate.base)):
        return None
    return None if any(real.is_relative_to(each) for each in places.confirmed) else str(real)


def _is_laid_out_by_mlflow(path: Path, real: Path) -> bool:
    """Whether it is `…/ID/artifacts` or below, and no link or `..` leads elsewhere from the folder of the run or model on.

    People do link the folders above: those of experiments and of whole stores.
    """
    owner = owner_of(path.parts)
    if owner is None:
        return False
    index = path.parts.index(owner)
    return real == Path(os.path.realpath(Path(*path.parts[:index])), *path.parts[index:])


def _exists(path: Path) -> bool:
    """Raises OSError if only somebody with more permissions can know."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError, ValueError):  # the last: a zero byte in the name
        return False
    return True


def _candidates(uri: ArtifactUri, places: Places, owner: str | None) -> Iterator[_Candidate | str]:
    """Where to look, in this order; a text is a place in an object store, where nothing can be looked at yet."""
    yield from _mapped(uri, places)
    if uri.scheme == SERVER_SCHEME:
        for folder in places.folders:
            yield from _each(How.SERVER_FOLDER, folder / "mlartifacts", uri.readings)
    elif uri.scheme:
        return
    elif not uri.is_absolute:
        for how, folder in zip((How.BESIDE_DATABASE, How.CURRENT_FOLDER), places.folders, strict=False):
            yield from _each(how, folder, uri.readings)
    elif not uri.is_windows:
        yield from _each(How.RECORDED, Path("/"), uri.readings)
    if owner is not None:
        ends = dict.fromkeys(tail for parts in uri.readings for tail in tails(parts, owner))
        for tail in sorted(ends, key=len, reverse=True):
            for folder in places.folders:
                for usual in _USUAL_FOLDERS:
                    yield _Candidate(How.MOVED, folder / usual, tail)


def _each(how: How, base: Path, readings: Iterable[Parts]) -> Iterator[_Candidate]:
    return (_Candidate(how, base, parts) for parts in readings)


def _mapped(uri: ArtifactUri, places: Places) -> Iterator[_Candidate | str]:
    for old, new in places.roots:
        rest = uri.below(parse_uri(old))
        if rest is None:
            continue
        target = parse_uri(new)
        if target.scheme in OBJECT_STORES:
            yield "/".join((new.rstrip("/"), *rest))
        else:
            folder = Path("/") if target.is_absolute else places.current_folder or places.database_folder
            base = folder.joinpath(*target.readings[0])
            yield _Candidate(How.MAPPED, base, rest)


def _not_found(
    uri: ArtifactUri, places: Places, owner: str | None, candidates: Iterable[_Candidate], looked_at: tuple[str, ...]
) -> Located:
    hint = f"--artifact-root {shlex.quote(f'{_root_hint(uri, owner)}=FOLDER')}"
    above = next(filter(None, (_folder_above(each, owner) for each in candidates)), None)
    if above is not None:
        problem = f"nothing logged: {above} has no folder {owner}; if the files are elsewhere, say so with {hint}"
        return Located(uri.text, How.NOTHING_LOGGED, looked_at=looked_at, problem=problem)
    if looked_at:
        problem = (
            f"no files at {printable(uri.text)}, where the database says they are, nor below {places.database_folder}; "
            f"say where they are with {hint}"
        )
        return Located(uri.text, How.NOT_FOUND, looked_at=looked_at, problem=problem)
    place = printable(uri.text)
    kind = "a path of Windows" if uri.is_windows else f"{uri.scheme}:"
    problem = f"{place}: {kind} is not a place that mldeck can list; if you have its files here, use {hint}"
    return Located(uri.text, How.UNRESOLVABLE, problem=problem)


def _folder_above(candidate: _Candidate, owner: str | None) -> Path | None:
    """The folder of the experiment, or of all experiments, when it is there.

    MLflow makes a run's folder with its first file, so a run without files has none. What lies above the artifacts, such
    as the database's folder, says nothing.
    """
    if owner not in candidate.rest:
        return None
    index = candidate.rest.index(owner)
    for length in (index, index - 1):
        folder = candidate.base.joinpath(*candidate.rest[:length])
        if length > 0 and os.path.isdir(folder):  # noqa: PTH112  (what cannot be looked at is not there)
            return folder
    return None


def _root_hint(uri: ArtifactUri, owner: str | None) -> str:
    """What stands before the folders of the experiment and the run: the part that usually was moved."""
    if uri.scheme == SERVER_SCHEME:
        return f"{SERVER_SCHEME}:"
    parts = next((each for each in uri.readings if owner in each), uri.readings[0])
    index = parts.index(owner) if owner in parts else len(parts)
    kept = parts[: max(0, index - (2 if parts[index - 1 : index] == ("models",) else 1))]
    if uri.scheme:
        start = printable(f"{uri.scheme}://{uri.authority}/")
    elif uri.is_windows and not uri.authority.endswith(":"):
        start = rf"\\{uri.authority}/"
    else:
        start = f"{uri.authority}/" if uri.is_absolute else ""
    return start + "/".join(kept) or "."
