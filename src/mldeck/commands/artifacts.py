"""`mldeck artifacts`: lists the files of a run, and copies them out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mldeck.commands.options import (
    RUN_HELP,
    add_artifact_root_option,
    add_connect_option,
    add_store_option,
    check_agreed,
    command_parser,
    places_beside,
    printed_store,
    tell,
)

if TYPE_CHECKING:
    from mldeck.artifacts.errors import ArtifactError, Unconfirmed
    from mldeck.artifacts.run_tree import RunTree
    from mldeck.artifacts.tree import Entry
    from mldeck.settings import Settings


def run(words: Sequence[str]) -> int:
    parser = command_parser(
        "mldeck artifacts", "Lists the files of a run, the models it logged among them, or copies them."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="list|get")
    listing = commands.add_parser("list", help="list files", description="Lists the files of a run.")
    listing.add_argument("run", metavar="RUN", help=RUN_HELP)
    listing.add_argument(
        "path", nargs="?", default="", metavar="PATH", help="a folder or file of the run (default: all)"
    )
    listing.add_argument("--recursive", action="store_true", help="also what is in folders")
    listing.add_argument("--format", choices=("table", "json"), default="table", help="default: table")
    getting = commands.add_parser("get", help="copy a file or folder", description="Copies a file or folder of a run.")
    getting.add_argument("run", metavar="RUN", help=RUN_HELP)
    getting.add_argument("path", metavar="PATH", help="a folder or file of the run; . for all of them")
    getting.add_argument("dest", nargs="?", type=Path, metavar="DEST", help="a folder to put it into, or its new name")
    getting.add_argument("--replace", action="store_true", help="replace what has that name")
    for each in (listing, getting):
        add_artifact_root_option(each)
        each.add_argument(
            "--follow", action="store_true", help="also follow links and paths that lead out of MLflow's folders"
        )
        add_connect_option(each)
        add_store_option(each)
    options = parser.parse_args(words)
    store_path = printed_store(options)
    from mldeck.artifacts.plain_name import plain_name
    from mldeck.settings import load_settings
    from mldeck.store.address import registry_path

    settings = load_settings(artifact_roots=options.artifact_root)
    path = "/".join(part for part in options.path.split("/") if part not in ("", "."))
    run_id, tree = _files_of_run(store_path, settings, path, options)
    if options.command == "list":
        return _list(tree, path, options)
    databases = (store_path, registry_path(settings.registry_store, settings.registry_origin, store_path))
    return _get(tree, path, path.rpartition("/")[2] or plain_name(run_id, "artifacts"), databases, options)


def _files_of_run(store_path: Path, settings: Settings, path: str, options: argparse.Namespace) -> tuple[str, RunTree]:
    from mldeck.artifacts.run_tree import run_tree
    from mldeck.printing import open_store

    is_walked = options.command == "get" or options.recursive
    with open_store(store_path) as store:
        found = store.run_meant(options.run)
        models = store.registry().models_of_run(found.run_id)
    places = places_beside(store_path, settings, follow=options.follow)
    tree = run_tree(found.artifact_uri, found.run_id, models, places)
    while (place := _first_unconfirmed(tree, path, is_walked)) is not None:
        check_agreed(place, connect=options.connect)
        places = replace(places, confirmed=places.confirmed | {place.place})
        tree = run_tree(found.artifact_uri, found.run_id, models, places)
    _tell_where(tree)
    return found.run_id, tree


def _first_unconfirmed(tree: RunTree, path: str, is_walked: bool) -> Unconfirmed | None:
    """The question to ask before the path is looked into: here, where nothing has been printed yet."""
    from mldeck.artifacts.opening import unconfirmed

    places = tree.places_below(path) if path or is_walked else (tree.own,)
    return next(filter(None, map(unconfirmed, places)), None)


def _tell_where(tree: RunTree) -> None:
    """What is not where the database says. One place is enough: what was moved was moved together."""
    from mldeck.addresses import printable
    from mldeck.artifacts.location import How

    places = [tree.own, *(branch.located for branch in tree.branches)]
    for located in places:
        # A run that has nothing but models has no folder, and without models, having no place is an error of its own.
        if located.problem and (located.how is How.NOTHING_LOGGED) != bool(tree.branches):
            tell(located.problem)
    moved = next((located for located in places if located.moved), None)
    if moved is not None:
        tell(f"{moved.where}: {moved.how.words}; the database says {printable(moved.uri or '')}")


def _list(tree: RunTree, path: str, options: argparse.Namespace) -> int:
    from mldeck.artifacts.tree import walk
    from mldeck.run_text import json_pieces

    unreadable: list[ArtifactError] = []
    entry = tree.entry(path)
    entries: Iterable[Entry] = [entry]
    if entry.is_dir and options.recursive:
        entries = walk(tree, path, unreadable=lambda _, error: unreadable.append(error))
    elif entry.is_dir:
        entries = tree.entries(path)
    if options.format == "json":
        sys.stdout.writelines(json_pieces(_object(tree, entry) for entry in entries))
    else:
        _write_table(entries)
    for error in unreadable:
        tell(str(error))
    return 1 if unreadable else 0


def _object(tree: RunTree, entry: Entry) -> dict[str, Any]:
    located = tree.place_of(entry.path)
    return {
        "path": entry.path,
        "is_dir": entry.is_dir,
        "size": entry.size,
        "modified": entry.modified,
        "kind": entry.kind.value,
        "location": tree.location(entry.path),
        "found": located.how.value,
    }


def _write_table(entries: Iterable[Entry]) -> None:
    """The path stands last, and is never cut."""
    from mldeck.artifacts.tree import EntryKind
    from mldeck.format import MISSING, safe, size_text, time_or_missing

    sys.stdout.write(f"{'size':>7}  {'modified':19}  path\n")
    for entry in entries:
        size = MISSING if entry.size is None else size_text(entry.size)
        path = entry.path + ("/" if entry.is_dir else "")
        if entry.kind not in (EntryKind.FILE, EntryKind.FOLDER):
            path += f"  ({entry.kind.words}{f': {entry.target}' if entry.target else ''})"
        sys.stdout.write(f"{size:>7}  {time_or_missing(entry.modified):19}  {safe(path)}\n")


def _get(tree: RunTree, path: str, name: str, databases: Collection[Path], options: argparse.Namespace) -> int:
    from mldeck.artifacts.copying import copy_out, path_for
    from mldeck.destination import AlreadyThere, Destination
    from mldeck.format import safe, size_text

    destination = Destination(path_for(name, options.dest), databases, replace=options.replace)
    try:
        copied = copy_out(tree, path, destination, progress=_tell_progress)
    except AlreadyThere as error:
        raise AlreadyThere(error.path, f"{error.reason}; --replace replaces it") from None
    finally:
        _clear_progress()
    for left_out, why in copied.skipped:
        tell(f"left out: {left_out} ({why})")
    files = "1 file" if copied.files == 1 else f"{copied.files} files"
    sys.stdout.write(f"{safe(str(copied.destination))}: {files}, {size_text(copied.size)}\n")
    return 1 if copied.skipped else 0


def _tell_progress(done: int, total: int) -> None:
    """On a terminal, where it is overwritten; every hundredth, since copying goes in small steps."""
    if sys.stderr.isatty() and total:
        sys.stderr.write(f"\r{100 * done // total:3} %")


def _clear_progress() -> None:
    if sys.stderr.isatty():
        sys.stderr.write("\r     \r")
