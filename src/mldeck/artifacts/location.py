"""Finds where an artifact URI leads on this machine.

Databases record absolute paths of the machine that wrote them, and stores are copied and mounted elsewhere. So a path
is tried first where the user mapped it, then where the database says, and then below the database's folder, by the
longest end of the path that still contains the run's (or the model's) own folder. Shorter ends are never tried, because
they could belong to another run.

A database is foreign text, and must not decide what mldeck lists, copies and connects to. A place is opened without
asking if MLflow's layout shows that it holds the files of a run or model, or if the user named it; any other place is
`unconfirmed`.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path

from mldeck.addresses import host_of, printable
from mldeck.artifacts.far import FarFiles, FarFolder
from mldeck.artifacts.references import Lookup, is_reference, meanings
from mldeck.artifacts.uris import SERVER_SCHEME, ArtifactUri, Parts, owner_of, parse_uri, tails

OBJECT_STORES = frozenset("s3 gs gcs abfs abfss wasb wasbs sftp ftp hdfs viewfs".split())
"""Schemes that are read through fsspec."""

_USUAL_FOLDERS = ("", "mlruns", "mlartifacts")
"""The folders in which MLflow and its server put artifacts, below the folder in which they were started."""

_TRASH = ".trash"
"""The folder of a file store that holds deleted experiments."""

_PLAIN_AUTHORITY = re.compile(r"[^\s\x00-\x1f\x7f?#\\]+")
"""A valid host or bucket.

With other characters libraries disagree on where it ends, and so on which host to connect to.
"""

_NOWHERE = {
    "": "the database does not say where its files are",
    "dummy-source": "it has no files: MLflow keeps a prompt in the database",
    "REDACTED-SOURCE-PATH": "the location of its files was erased when the version was deleted",
}


def _current_folder() -> Path | None:
    try:
        return Path.cwd()
    except FileNotFoundError:
        return None


@dataclass(frozen=True)
class Places:
    """The facts about this machine, and the user's choices, by which files are located."""

    database_folder: Path | None
    """None if the database is no file of this machine."""
    roots: tuple[tuple[str, str], ...] = ()
    """The user's mappings (old, new): a path or URI as in the database, and where that is now."""
    current_folder: Path | None = field(default_factory=_current_folder)
    """None if it was deleted."""
    confirmed: frozenset[str] = frozenset()
    """Hosts (`scheme://authority`) and folders that the user agreed to open."""
    far: FarFiles | None = None
    """The files of the machine that the database is on and that its paths are of; None for this one."""
    follow: bool = False
    """Whether the database may lead anywhere on this machine, by paths and by links."""

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders that a relative path may start from, the likelier first."""
        if self.far is not None:
            return ()
        return tuple(dict.fromkeys(filter(None, (self.database_folder, self.current_folder))))


class LocationStatus(str, Enum):
    """The way in which files were found, or the reason why they were not."""

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
    LocationStatus.RECORDED: "where the database says",
    LocationStatus.MAPPED: "where you say it is now",
    LocationStatus.BESIDE_DATABASE: "relative to the database's folder",
    LocationStatus.CURRENT_FOLDER: "relative to the current folder",
    LocationStatus.SERVER_FOLDER: "in the folder of MLflow's server",
    LocationStatus.MOVED: "moved, found by the end of its path",
    LocationStatus.REMOTE: "in an object store",
    LocationStatus.NOTHING_LOGGED: "nothing logged",
    LocationStatus.NOT_FOUND: "not found",
    LocationStatus.UNRESOLVABLE: "no known place",
}


@dataclass(frozen=True)
class Located:
    """The location of files, and the URI that the database records for them."""

    uri: str | None
    """The URI as recorded in the database."""
    how: LocationStatus
    path: Path | None = None
    """The path on this machine."""
    real: Path | None = None
    """The path with all links resolved at the time; None if nothing was found on this machine."""
    far: FarFolder | None = None
    """The folder on the machine of the database, if that is another one."""
    url: str | None = None
    """The URL in an object store; whether it exists was not checked."""
    unconfirmed: str | None = None
    """The host (`scheme://authority`) or real folder that only the database names and the user has not agreed to."""
    looked_at: tuple[str, ...] = ()
    """Every place that was tried, in order."""
    problem: str | None = None
    """Why there is nothing to open, and what the user can do."""

    @property
    def where(self) -> str | None:
        """The place that was found, for users."""
        if self.far is not None:
            return self.far.name
        return self.url and printable(self.url) if self.path is None else str(self.path)

    @property
    def found(self) -> bool:
        return self.where is not None

    @property
    def moved(self) -> bool:
        """Whether it was found elsewhere than the database says."""
        return self.how in (LocationStatus.MAPPED, LocationStatus.MOVED)


def locate(uri: str | None, places: Places, owner: str | None = None, look_up: Lookup | None = None) -> Located:
    """Locate the files of a URI.

    `owner` is the id of the run or model that owns the files, if the caller knows it. `look_up` resolves `runs:/` and
    `models:/` URIs in this database.
    """
    if uri is None:
        return Located(uri, LocationStatus.UNRESOLVABLE, problem=_NOWHERE[""])
    if not is_reference(uri):
        return _locate_place(uri, places, owner)
    found = [_locate_place(meaning, places, None) for meaning in meanings(uri, look_up)]
    if not found:
        return Located(
            uri, LocationStatus.UNRESOLVABLE, problem=f"{printable(uri)}: the database has no such model or run"
        )
    best = next((located for located in found if located.found), found[0])
    looked_at = tuple(dict.fromkeys(place for located in found for place in located.looked_at))
    return replace(best, uri=uri, looked_at=looked_at)


@dataclass(frozen=True)
class _Candidate:
    """A path to try."""

    how: LocationStatus
    base: Path
    rest: Parts

    @property
    def path(self) -> Path:
        return self.base.joinpath(*self.rest)


def _locate_place(text: str, places: Places, owner: str | None) -> Located:
    reason = _NOWHERE.get(text.strip())
    if reason is not None:
        return Located(text, LocationStatus.UNRESOLVABLE, problem=reason)
    uri = parse_uri(text)
    owner = owner or next(filter(None, map(owner_of, uri.readings)), None)
    looked_at: dict[str, None] = {}
    candidates: list[_Candidate] = []
    unknown = None
    for candidate in _candidates(uri, places, owner):
        if isinstance(candidate, str):
            return Located(text, LocationStatus.MAPPED, url=candidate, looked_at=tuple(looked_at))
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
            unknown = unknown or f"{candidate.path} cannot be read: {error.strerror}"
    if places.far is not None and (paths := list(_far_candidates(uri, owner))):
        return _locate_far(uri, places, owner, places.far, paths, tuple(looked_at))
    if uri.scheme in OBJECT_STORES and _PLAIN_AUTHORITY.fullmatch(uri.authority):
        url, host = text.partition("?")[0], host_of(text)
        unconfirmed = None if host in places.confirmed else host
        return Located(text, LocationStatus.REMOTE, url=url, looked_at=tuple(looked_at), unconfirmed=unconfirmed)
    if unknown is not None:
        return Located(text, LocationStatus.NOT_FOUND, looked_at=tuple(looked_at), problem=unknown)
    return _not_found(uri, places, owner, candidates, tuple(looked_at))


def _unconfirmed_folder(candidate: _Candidate, real: Path, places: Places) -> str | None:
    """Return the real folder if it needs the user's consent.

    None if the user named it, or if it is a folder that MLflow makes for a run or model.
    """
    parts = candidate.path.parts
    if places.follow or _is_laid_out_by_mlflow(parts, real, lambda count: os.path.realpath(Path(*parts[:count]))):
        return None
    if candidate.how is LocationStatus.MAPPED and real.is_relative_to(os.path.realpath(candidate.base)):
        return None
    return None if any(real.is_relative_to(folder) for folder in places.confirmed) else str(real)


def _is_laid_out_by_mlflow(parts: Parts, real: Path, real_start: Callable[[int], str]) -> bool:
    """Return whether a path is `…/ID/artifacts` or below, with no link or `..` from the folder of the run or model on.

    Links above that are allowed: users do link the folders of experiments and of whole stores. `real_start` returns the real
    path of so many of the first parts.
    """
    owner = owner_of(parts)
    if owner is None:
        return False
    index = parts.index(owner)
    return real == Path(real_start(index), *parts[index:])


def _exists(path: Path) -> bool:
    """Return whether a path exists. Raises OSError if permissions do not let us find out."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a null byte in the name
        return False
    return True


def _candidates(uri: ArtifactUri, places: Places, owner: str | None) -> Iterator[_Candidate | str]:
    """Yield the places to try, in order; a string is a URL in an object store, whose existence is not checked yet."""
    yield from _mapped(uri, places)
    if places.far is None:
        yield from _candidates_of_machine(uri, owner, places.folders)


def _candidates_of_machine(uri: ArtifactUri, owner: str | None, folders: Sequence[Path]) -> Iterator[_Candidate]:
    """Yield the places to try on the machine of the database."""
    if uri.scheme == SERVER_SCHEME:
        for folder in folders:
            yield from _candidates_below(LocationStatus.SERVER_FOLDER, folder / "mlartifacts", uri.readings)
    elif uri.scheme:
        return
    elif not uri.is_absolute:
        for how, folder in zip((LocationStatus.BESIDE_DATABASE, LocationStatus.CURRENT_FOLDER), folders, strict=False):
            yield from _candidates_below(how, folder, uri.readings)
    elif not uri.is_windows:
        yield from _candidates_below(LocationStatus.RECORDED, Path("/"), uri.readings)
    if owner is not None:
        ends = dict.fromkeys(tail for parts in uri.readings for tail in tails(parts, owner))
        for tail in sorted(ends, key=len, reverse=True):
            for folder in folders:
                for usual in _usual_folders(folder):
                    yield _Candidate(LocationStatus.MOVED, folder / usual, tail)


def _usual_folders(folder: Path) -> tuple[str, ...]:
    """Return the folders in which a run's files may lie. A file store moves deleted experiments, but not their URIs."""
    return (*_USUAL_FOLDERS, _TRASH) if (folder / _TRASH).is_dir() else _USUAL_FOLDERS


def _far_candidates(uri: ArtifactUri, owner: str | None) -> Iterator[_Candidate]:
    """Yield the places to try on another machine; relative paths start from the database's folder over there."""
    return _candidates_of_machine(uri, owner, (Path(),))


def _locate_far(
    uri: ArtifactUri,
    places: Places,
    owner: str | None,
    files: FarFiles,
    candidates: Sequence[_Candidate],
    looked_at: tuple[str, ...],
) -> Located:
    """Locate files on the machine of the database, by one request."""
    above = list(dict.fromkeys(folder for each in candidates for folder in _folders_above(each, owner)))
    base, index, reals, folder, problem = files.exists(
        [str(each.path) for each in candidates], [str(each) for each in above]
    )
    tried = candidates if index is None else candidates[: index + 1]
    looked_at += tuple(dict.fromkeys(f"{files.place}:{Path(base, each.path)}" for each in tried))
    if index is not None:
        found = candidates[index]
        path = Path(base, found.path)
        far = FarFolder(files, str(path), reals[-1])
        unconfirmed = _unconfirmed_far_folder(path, reals, places, files.place)
        return Located(uri.text, found.how, far=far, looked_at=looked_at, unconfirmed=unconfirmed)
    if problem:
        return Located(uri.text, LocationStatus.NOT_FOUND, looked_at=looked_at, problem=f"{files.place}:{problem}")
    there = None if folder is None else f"{files.place}:{Path(base, above[folder])}"
    return _not_there(uri, owner, there, f"{files.place}:{base}", looked_at)


def _unconfirmed_far_folder(path: Path, reals: Sequence[str], places: Places, place: str) -> str | None:
    """Return the real folder if it needs the user's consent, by the rules of `_unconfirmed_folder`.

    `reals` are the real paths of all beginnings of the path, of one part and more.
    """
    real = Path(reals[-1])
    if places.follow or _is_laid_out_by_mlflow(path.parts, real, lambda count: reals[count - 1]):
        return None
    agreed = (folder.removeprefix(f"{place}:") for folder in places.confirmed if folder.startswith(f"{place}:"))
    return None if any(real.is_relative_to(folder) for folder in agreed) else f"{place}:{real}"


def _candidates_below(how: LocationStatus, base: Path, readings: Iterable[Parts]) -> Iterator[_Candidate]:
    return (_Candidate(how, base, parts) for parts in readings)


def _mapped(uri: ArtifactUri, places: Places) -> Iterator[_Candidate | str]:
    """Yield the places that the user's mappings give."""
    for old, new in places.roots:
        rest = uri.below(parse_uri(old))
        if rest is None:
            continue
        target = parse_uri(new)
        if target.scheme in OBJECT_STORES:
            yield "/".join((new.rstrip("/"), *rest))
        else:
            folder = Path("/") if target.is_absolute else places.current_folder or places.database_folder or Path()
            base = folder.joinpath(*target.readings[0])
            yield _Candidate(LocationStatus.MAPPED, base, rest)


def _not_found(
    uri: ArtifactUri, places: Places, owner: str | None, candidates: Iterable[_Candidate], looked_at: tuple[str, ...]
) -> Located:
    above = next(filter(None, (_folder_above(candidate, owner) for candidate in candidates)), None)
    below = places.database_folder
    return _not_there(
        uri, owner, None if above is None else str(above), None if below is None else str(below), looked_at
    )


def _not_there(
    uri: ArtifactUri, owner: str | None, above: str | None, database_folder: str | None, looked_at: tuple[str, ...]
) -> Located:
    """Return a place that was not found, with the reason. `above` is the folder of its experiment, if that exists."""
    hint = f"--artifact-root {shlex.quote(f'{_root_hint(uri, owner)}=FOLDER')}"
    if above is not None:
        problem = f"nothing logged: {above} has no folder {owner}; if the files are elsewhere, pass {hint}"
        return Located(uri.text, LocationStatus.NOTHING_LOGGED, looked_at=looked_at, problem=problem)
    if looked_at:
        below = f", or below {database_folder}" if database_folder else ""
        problem = (
            f"no files at {printable(uri.text)}, where the database says they are{below}; "
            f"to say where they are, pass {hint}"
        )
        return Located(uri.text, LocationStatus.NOT_FOUND, looked_at=looked_at, problem=problem)
    place = printable(uri.text)
    kind = "Windows paths" if uri.is_windows else f"{uri.scheme}: locations"
    problem = f"{place}: mldeck cannot list {kind}; if you have the files here, pass {hint}"
    return Located(uri.text, LocationStatus.UNRESOLVABLE, problem=problem)


def _folder_above(candidate: _Candidate, owner: str | None) -> Path | None:
    """Return the existing folder of the experiment, or of all experiments; None if neither exists."""
    # A folder that cannot be read counts as missing.
    return next((folder for folder in _folders_above(candidate, owner) if os.path.isdir(folder)), None)  # noqa: PTH112


def _folders_above(candidate: _Candidate, owner: str | None) -> Iterator[Path]:
    """Yield the folder of the experiment, and that of all experiments, unless they are further up than the candidate's base.

    MLflow creates a run's folder with its first file, so a run without files has none. Folders further up, such as the
    database's folder, prove nothing.
    """
    if owner in candidate.rest:
        index = candidate.rest.index(owner)
        yield from (candidate.base.joinpath(*candidate.rest[:length]) for length in (index, index - 1) if length > 0)


def _root_hint(uri: ArtifactUri, owner: str | None) -> str:
    """Return the part of a URI before the folders of the experiment and the run: the part that was usually moved."""
    if uri.scheme == SERVER_SCHEME:
        return f"{SERVER_SCHEME}:"
    parts = next((reading for reading in uri.readings if owner in reading), uri.readings[0])
    index = parts.index(owner) if owner in parts else len(parts)
    kept = parts[: max(0, index - (2 if parts[index - 1 : index] == ("models",) else 1))]
    if uri.scheme:
        start = printable(f"{uri.scheme}://{uri.authority}/")
    elif uri.is_windows and not uri.authority.endswith(":"):
        start = rf"\\{uri.authority}/"
    else:
        start = f"{uri.authority}/" if uri.is_absolute else ""
    return start + "/".join(kept) or "."
