"""`mldeck artifacts`: list or copy the files of a run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mldeck.commands.options import (
    ALL_EXPERIMENTS,
    RUN_HELP,
    add_artifact_root_option,
    add_connect_option,
    add_store_option,
    artifact_places,
    checked_address,
    command_first,
    command_parser,
    confirm_access,
    tell,
)

if TYPE_CHECKING:
    from mldeck.artifacts.errors import ArtifactError, Unconfirmed
    from mldeck.artifacts.run_tree import RunTree
    from mldeck.artifacts.tree import Entry
    from mldeck.settings import Settings
    from mldeck.store.address import Address

_SIZE_WIDTH = len("1000 MB")


def run(words: Sequence[str]) -> int:
    parser = command_parser(
        "mldeck artifacts",
        "List or copy the files of a run, including the models that it logged.",
        no_experiment=ALL_EXPERIMENTS,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="list|get")
    listing = commands.add_parser("list", help="list files", description="List the files of a run.")
    listing.add_argument("run", metavar="RUN", help=RUN_HELP)
    listing.add_argument(
        "path", nargs="?", default="", metavar="PATH", help="a folder or file of the run (default: all)"
    )
    listing.add_argument("--recursive", action="store_true", help="also list the contents of folders")
    listing.add_argument("--format", choices=("table", "json"), default="table", help="default: table")
    getting = commands.add_parser("get", help="copy a file or folder", description="Copy a file or folder of a run.")
    getting.add_argument("run", metavar="RUN", help=RUN_HELP)
    getting.add_argument("path", metavar="PATH", help="a folder or file of the run; . for all of them")
    getting.add_argument("dest", nargs="?", type=Path, metavar="DEST", help="a folder to put it into, or its new name")
    getting.add_argument("--replace", action="store_true", help="replace an existing file or folder of that name")
    for subparser in (listing, getting):
        add_artifact_root_option(subparser)
        subparser.add_argument(
            "--follow", action="store_true", help="also follow links and paths that lead out of MLflow's folders"
        )
        add_connect_option(subparser)
        add_store_option(subparser)
    options = parser.parse_args(command_first(words, commands.choices))
    address = checked_address(options)
    from mldeck.artifacts.plain_name import plain_name
    from mldeck.settings import load_settings
    from mldeck.store.address import registry_address

    settings = load_settings(artifact_roots=options.artifact_root)
    path = "/".join(part for part in options.path.split("/") if part not in ("", "."))
    run_id, tree = _open_tree(address, settings, path, options)
    if options.command == "list":
        return _list(tree, path, options)
    addresses = (address, registry_address(settings.registry_store, settings.registry_origin, address))
    databases = [place for place in addresses if isinstance(place, Path)]
    return _get(tree, path, path.rpartition("/")[2] or plain_name(run_id, "artifacts"), databases, options)


def _open_tree(address: Address, settings: Settings, path: str, options: argparse.Namespace) -> tuple[str, RunTree]:
    """Return the id of the run and the tree of its files, after asking about places that need a confirmation."""
    from mldeck.artifacts.run_tree import run_tree
    from mldeck.printing import open_store

    is_recursive = options.command == "get" or options.recursive
    with open_store(address) as store:
        found = store.resolve_run(options.run)
        models = store.registry().models_of_run(found.run_id)
    places = artifact_places(address, settings, follow=options.follow)
    tree = run_tree(found.artifact_uri, found.run_id, models, places)
    while (place := _first_unconfirmed(tree, path, is_recursive)) is not None:
        confirm_access(place, connect=options.connect)
        places = replace(places, confirmed=places.confirmed | {place.place})
        tree = run_tree(found.artifact_uri, found.run_id, models, places)
    _print_location_notices(tree)
    return found.run_id, tree


def _first_unconfirmed(tree: RunTree, path: str, is_recursive: bool) -> Unconfirmed | None:
    """Return the first place that the user must confirm before the path is read; ask before anything is printed."""
    from mldeck.artifacts.opening import unconfirmed

    places = tree.places_below(path) if path or is_recursive else (tree.own,)
    return next(filter(None, map(unconfirmed, places)), None)


def _print_location_notices(tree: RunTree) -> None:
    """Print which files are not where the database says.

    Only the first moved place is named, because folders that were moved were moved together.
    """
    from mldeck.addresses import printable
    from mldeck.artifacts.location import LocationStatus

    places = [tree.own, *(branch.located for branch in tree.branches)]
    for located in places:
        # A run that logged only models has no folder of its own: no notice. Without models a missing folder is reported
        # as an error later.
        if located.problem and (located.how is LocationStatus.NOTHING_LOGGED) != bool(tree.branches):
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
    """Print size, time of change and path of each entry. Where the terminal is narrow, the time is left out first."""
    from mldeck.artifacts.tree import EntryKind
    from mldeck.format import MISSING, size_text, time_or_missing
    from mldeck.printing import write_table

    def cells(entry: Entry) -> tuple[str, ...]:
        size = MISSING if entry.size is None else size_text(entry.size)
        path = entry.path + ("/" if entry.is_dir else "")
        if entry.kind not in (EntryKind.FILE, EntryKind.FOLDER):
            path += f"  ({entry.kind.words}{f': {entry.target}' if entry.target else ''})"
        return f"{size:>{_SIZE_WIDTH}}", time_or_missing(entry.modified), path

    header = (f"{'size':>{_SIZE_WIDTH}}", "modified", "path")
    write_table(header, map(cells, entries), importance=(2, 0, 1), way_out="--format json prints all")


def _get(tree: RunTree, path: str, name: str, databases: Collection[Path], options: argparse.Namespace) -> int:
    from mldeck.artifacts.copying import copy_out, path_for
    from mldeck.destination import AlreadyThere, Destination
    from mldeck.format import safe, size_text

    destination = Destination(path_for(name, options.dest), databases, replace=options.replace)
    try:
        copied = copy_out(tree, path, destination, progress=_print_progress)
    except AlreadyThere as error:
        raise AlreadyThere(error.path, f"{error.reason}; --replace replaces it") from None
    finally:
        _clear_progress()
    for skipped, reason in copied.skipped:
        tell(f"left out: {skipped} ({reason})")
    files = "1 file" if copied.files == 1 else f"{copied.files} files"
    sys.stdout.write(f"{safe(str(copied.destination))}: {files}, {size_text(copied.size)}\n")
    return 1 if copied.skipped else 0


def _print_progress(done: int, total: int) -> None:
    """Print the percentage on a terminal, over the previous one."""
    if sys.stderr.isatty() and total:
        sys.stderr.write(f"\r{100 * done // total:3} %")


def _clear_progress() -> None:
    if sys.stderr.isatty():
        sys.stderr.write("\r     \r")
