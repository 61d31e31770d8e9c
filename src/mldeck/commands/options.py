"""What the commands have in common: their parsers, the store that is meant, and complaints about what was typed."""

from __future__ import annotations

import argparse
import codecs
import io
import sys
from typing import TYPE_CHECKING, NoReturn

from mldeck.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from mldeck.artifacts.errors import Unconfirmed
    from mldeck.artifacts.location import Places
    from mldeck.search.errors import SearchError
    from mldeck.search.language import Language
    from mldeck.settings import Settings

DEFAULT_STORE = "mlflow.db"
STORE_HELP = "database file or sqlite:/// URI (default: $MLFLOW_TRACKING_URI, else ./mlflow.db)"
RUN_HELP = "id, the beginning of an id, or name"
_DRAWN = "╭│⣿✓"
_SPELLED_OUT = "mldeck.spelled_out"
_PLAIN = {"–": "-", "…": "~", "−": "-"}
"""Signs of our own, as wide as they are."""
_VIEWS = ("active", "deleted", "all")
_FORMATS = ("table", "json", "csv")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Complain of a word that cannot be understood. It may be foreign: a name that a shell put there."""
        super().error(_safe(message))


def command_parser(name: str, description: str, epilog: str | None = None) -> argparse.ArgumentParser:
    return _Parser(
        prog=name, description=description, epilog=epilog, formatter_class=argparse.RawDescriptionHelpFormatter
    )


def add_store_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-s", "--store", metavar="STORE", help=STORE_HELP)


def add_artifact_root_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--artifact-root",
        action="append",
        default=[],
        metavar="OLD=NEW",
        help="files that the database says are at OLD (a path or URI) are now at NEW; may be repeated",
    )


def add_connect_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--connect", action="store_true", help="connect to the hosts that the database names, unasked")


def check_agreed(place: Unconfirmed, *, connect: bool) -> None:
    """Ask on a terminal whether a place may be looked into that only the database names.

    Raises the error, with the way out, where nobody can be asked or the answer is no.
    """
    if connect and place.is_host:
        return
    way_out = (
        f"--connect connects, and {place.place} in artifact_hosts of the settings ends the question"
        if place.is_host
        else "--follow looks into it"
    )
    if sys.stdin.isatty() and sys.stderr.isatty():
        question = f"Connect to {place.place}, as you?" if place.is_host else f"Look into {place.place}?"
        tell(str(place))
        print(f"{_safe(question)} [y/N] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() in ("y", "yes"):
            return
    raise type(place)(f"{place}; {way_out}", place.place) from None


def _safe(text: str) -> str:
    from mldeck.format import safe

    return safe(text)


def add_print_options(parser: argparse.ArgumentParser) -> None:
    add_store_option(parser)
    parser.add_argument("--view", choices=_VIEWS, default="active", help="lifecycle stages to show (default: active)")
    add_format_option(parser)


def add_workspace_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--workspace", metavar="NAME", help="of MLflow 3.10 and later (default: all)")


def add_format_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=_FORMATS, default="table", help="default: table")


class Misread(UsageError):
    """What was typed cannot be read; the lines behind the first show where."""


def pointed_out(text: str, error: SearchError) -> str:
    """The message, the text, and a caret below the first character that is wrong; a text too long to read is not repeated."""
    from mldeck.format import cell_width, safe
    from mldeck.search.errors import MOST_CHARACTERS

    if len(text) > MOST_CHARACTERS:
        return safe(str(error))
    caret = " " * cell_width(safe(text[: error.position])) + "^"
    return f"{safe(str(error))}\n  {safe(text)}\n  {caret}"


def readable_search(text: str, language: Language | None = None) -> str:
    """The filter as it was typed, when it can be read. None: the language for runs."""
    from mldeck.search.errors import SearchError
    from mldeck.search.language import RUNS
    from mldeck.search.parse import parse

    try:
        parse(text, language or RUNS)
    except SearchError as error:
        raise Misread(pointed_out(text, error)) from None
    return text


def tell(message: str) -> None:
    """Beside the answer, on the standard error."""
    from mldeck.format import message_text

    print(f"mldeck: {message_text(message)}", file=sys.stderr)


def store_path(settings: Settings, *, wait: bool = False) -> Path:
    """The database file that was asked for. Raises `UsageError` when nothing was, and nothing is here or waited for."""
    from pathlib import Path

    from mldeck.store import address

    if settings.store is None and not wait and not Path(DEFAULT_STORE).exists():
        raise UsageError(
            f"no store given, and no {DEFAULT_STORE} here{address.others_in(Path())}: name one (mldeck PATH), "
            "set MLFLOW_TRACKING_URI, wait until it is made (mldeck --wait), or try `mldeck demo`"
        )
    return address.store_path(settings.store or DEFAULT_STORE, settings.store_origin)


def places_beside(database: Path, settings: Settings, *, follow: bool = False) -> Places:
    """Where files may be looked for whose places the database names. `follow`: also where links lead elsewhere."""
    from mldeck.artifacts.location import Places

    return Places(
        database.resolve().parent,
        settings.artifact_roots,
        confirmed=frozenset(settings.artifact_hosts),
        follow=follow,
    )


def settle_encodings() -> None:
    """Let files and pipes get UTF-8 whatever the locale is, and spell out for a terminal what its encoding lacks."""
    codecs.register_error(_SPELLED_OUT, _spelled_out)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors=_SPELLED_OUT)


def _spelled_out(error: UnicodeError) -> tuple[str | bytes, int]:
    if isinstance(error, UnicodeEncodeError) and (plain := _PLAIN.get(error.object[error.start])):
        return plain, error.start + 1
    return codecs.backslashreplace_errors(error)


def check_can_draw() -> None:
    """Raise `UsageError` where the locale of a terminal lacks what pictures and frames are drawn with."""
    encoding = sys.stdout.encoding
    if sys.stdout.isatty():
        try:
            _DRAWN.encode(encoding)
        except UnicodeEncodeError:
            raise UsageError(
                f"the locale's encoding {encoding} has no lines and dots to draw with: "
                "if the terminal can show UTF-8, set LC_ALL=C.UTF-8"
            ) from None


def printed_store(options: argparse.Namespace) -> Path:
    from mldeck.settings import load_settings
    from mldeck.store.sqlite.files import check_database

    path = store_path(load_settings(store=options.store))
    check_database(path)
    return path
