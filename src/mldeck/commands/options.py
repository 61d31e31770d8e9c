"""Helpers shared by the commands: parsers and options, the path of the store, notices, and errors about arguments."""

from __future__ import annotations

import argparse
import codecs
import io
import os
import re
import sys
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from mldeck.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from mldeck.artifacts.errors import Unconfirmed
    from mldeck.artifacts.location import Places
    from mldeck.search.errors import SearchError
    from mldeck.search.language import Language
    from mldeck.settings import Settings
    from mldeck.store.address import Address

DEFAULT_STORE = "mlflow.db"
STORE_HELP = (
    "database file, its folder, sqlite:/// URI, HOST:PATH by ssh, postgresql:// or mysql:// URL, or mlruns folder, which is "
    "only read; `mlflow migrate-filestore` makes a database of it "
    "(default: $MLFLOW_TRACKING_URI, else ./mlflow.db, else ./mlruns)"
)
RUN_HELP = "id of a run, the first 4 or more characters of an id, or name"
_DRAWN_CHARACTERS = "╭│⣿✓"
"""A sample of the characters that frames and charts are drawn with."""
_ENCODING_ERRORS = "mldeck.ascii_or_escape"
"""The name of the codec error handler `_ascii_or_escape`."""
_ASCII = {"–": "-", "…": "~", "−": "-"}
"""ASCII substitutes of the same width for characters that mldeck itself prints."""
_OPTION = re.compile(r"(?<![\w-])--?[a-z][\w-]*")
_EVERYWHERE = ("--store", "--experiment")
"""The options that may stand before a command, too. The short ones have the first letters of these."""
ALL_EXPERIMENTS = "a run is found in all experiments, by its id or name"
NO_EXPERIMENTS = "models belong to no experiment"
_VIEWS = ("active", "deleted", "all")
_FORMATS = ("table", "json", "csv")


class _Parser(argparse.ArgumentParser):
    commands: Collection[str] = ()
    """The names of commands, for the parser of a command line without one."""
    no_experiment = ""
    """Why there is no option -e; empty if there is one."""
    no_store = ""
    """Why there is no option -s; empty if there is one."""

    def parse_known_args(self, args: Iterable[str] | None = None, namespace: Any = None) -> Any:
        """Parse as the base class does, but report unknown arguments here, where the options of a subcommand are known."""
        args = list(sys.argv[1:] if args is None else args)
        for option, why in (("-e", self.no_experiment), ("-s", self.no_store)):
            if why and any(_option_of(word) == option for word in args[: _end_of_options(args)]):
                raise UsageError(f"{option} has no meaning for `{self.prog}`: {why}")
        options, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}{self._hint(unknown[0], options)}")
        return options, unknown

    def _hint(self, word: str, options: Any) -> str:
        """Return a hint about an unknown argument, to be appended to the error message."""
        store = getattr(options, "positional_store", None)
        if store in self.commands:
            return f" (a command comes first: mldeck {store} …)"
        known = _OPTION.findall(self.format_help())
        if word.startswith("-"):
            return did_you_mean(word.partition("=")[0], (name for name in known if name.startswith("--")))
        is_store = "://" in word or os.path.exists(word)  # noqa: PTH110 - imports nothing
        return f" (to name the store, write -s {word})" if is_store and store is None and "--store" in known else ""

    def error(self, message: str) -> NoReturn:
        """Report wrong usage and exit.

        The message may quote an argument: a file name of foreign origin from a shell, or a URL with a password.
        """
        from mldeck.addresses import printable

        super().error(_safe(re.sub(r"\S+://\S+", lambda found: printable(found[0]), message)))


def command_parser(
    name: str, description: str, epilog: str | None = None, *, no_experiment: str = "", no_store: str = ""
) -> _Parser:
    """Return a parser. `no_experiment` and `no_store` say why the command has no option -e or -s."""
    parser = _Parser(
        prog=name, description=description, epilog=epilog, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.no_experiment, parser.no_store = no_experiment, no_store
    return parser


def command_first(words: Sequence[str], commands: Collection[str]) -> list[str]:
    """Return the words with the options -s and -e that stand before a command at its end, where they mean the same."""
    at = leading_options(words)
    if at >= len(words) or words[at] not in commands:
        return list(words)
    leading, command, rest = words[:at], words[at], words[at + 1 :]
    end = _end_of_options(rest)
    return [command, *rest[:end], *leading, *rest[end:]]


def leading_options(words: Sequence[str]) -> int:
    """Return how many words at the beginning are the options -s and -e and their values."""
    at = 0
    while at < len(words) and _option_of(words[at]):
        has_value = "=" in words[at] if words[at].startswith("--") else len(words[at]) > len("-s")
        at += 1 if has_value else 2
    return at


def _option_of(word: str) -> str | None:
    """Return -s or -e if the word is that option in any form that argparse accepts, else None."""
    if word.startswith("--"):
        name = word.partition("=")[0]
        return next((known[1:3] for known in _EVERYWHERE if len(name) > len("--") and known.startswith(name)), None)
    return next((known[1:3] for known in _EVERYWHERE if word.startswith(known[1:3])), None)


def _end_of_options(words: Sequence[str]) -> int:
    return words.index("--") if "--" in words else len(words)


def add_store_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-s", "--store", metavar="STORE", help=STORE_HELP)
    parser.add_argument(
        "--no-mirror", action="store_true", help="keep no copy of an mlruns folder in the cache, for the next time"
    )


def add_write_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--write", action="store_true", help="allow changes of a store on another machine, which is only read otherwise"
    )


def add_artifact_root_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--artifact-root",
        action="append",
        default=[],
        metavar="OLD=NEW",
        help="look at NEW for files that are at OLD (a path or URI) according to the database; may be repeated",
    )


def add_connect_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--connect", action="store_true", help="connect without asking to hosts that the database names"
    )


def confirm_access(place: Unconfirmed, *, connect: bool) -> None:
    """Ask on the terminal whether a host or folder that only the database names may be accessed.

    `connect` agrees to hosts without asking. Raises `place` with a way out if there is no terminal or the answer is no.
    """
    if connect and place.is_host:
        return
    way_out = (
        f"use --connect, or add {place.place} to artifact_hosts in the settings" if place.is_host else "use --follow"
    )
    if sys.stdin.isatty() and sys.stderr.isatty():
        question = f"Connect to {place.place} with your credentials?" if place.is_host else f"Look into {place.place}?"
        tell(str(place))
        print(f"{_safe(question)} [y/N] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() in ("y", "yes"):
            return
    raise type(place)(f"{place}; {way_out}", place.place) from None


def _safe(text: str) -> str:
    from mldeck.format import safe

    return safe(text)


def add_experiments_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-e", "--experiment", action="append", default=[], metavar="EXPERIMENT", help="its name or id; may be repeated"
    )


def add_print_options(parser: argparse.ArgumentParser) -> None:
    add_store_option(parser)
    parser.add_argument("--view", choices=_VIEWS, default="active", help="lifecycle stages to show (default: active)")
    add_format_option(parser)


def add_workspace_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--workspace", metavar="NAME", help="only this workspace of MLflow 3.10 and later (default: all)"
    )


def add_format_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=_FORMATS, default="table", help="default: table")
    add_csv_safe_option(parser)


def add_csv_safe_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--csv-safe",
        action="store_true",
        help="CSV for a spreadsheet: put ' before each text that it would take for a formula, as in =1+2",
    )


class UnreadableArgument(UsageError):
    """An argument has a syntax error. The message has several lines: the last ones show the position of the error."""


def message_with_caret(text: str, error: SearchError) -> str:
    """Return three lines: the message, the text, and a caret below the first wrong character.

    A text that is too long to be parsed is not repeated.
    """
    from mldeck.format import cell_width, safe
    from mldeck.search.errors import MOST_CHARACTERS

    if len(text) > MOST_CHARACTERS:
        return safe(str(error))
    caret = " " * cell_width(safe(text[: error.position])) + "^"
    return f"{safe(str(error))}\n  {safe(text)}\n  {caret}"


def checked_filter(text: str, language: Language | None = None) -> str:
    """Return the filter unchanged. Raises `UnreadableArgument` for a syntax error. `language` is that of runs by default."""
    from mldeck.search.errors import SearchError
    from mldeck.search.language import RUNS
    from mldeck.search.parse import parse

    try:
        parse(text, language or RUNS)
    except SearchError as error:
        raise UnreadableArgument(message_with_caret(text, error)) from None
    return text


def tell(message: str) -> None:
    """Print a notice on standard error, apart from the answer."""
    from mldeck.format import message_text

    print(f"mldeck: {message_text(message)}", file=sys.stderr)


def store_address(settings: Settings, *, wait: bool = False) -> Address:
    """Return where the store is: by default `mlflow.db` in the current folder, else the file store `mlruns`, which is said.

    Raises `UsageError` if no store is given and there is none of them; with `wait` the file need not exist yet.
    """
    from pathlib import Path

    from mldeck.store import address
    from mldeck.store.connect import keep_mirrors

    keep_mirrors(settings.keeps_mirrors)
    if settings.store is not None:
        found = address.read_address(settings.store, settings.store_origin)
        if wait and isinstance(found, Path) and found.is_dir():
            return found / DEFAULT_STORE  # it does not exist yet, or the folder would have stood for it
        return found
    if not wait and not Path(DEFAULT_STORE).exists():
        if address.is_file_store(Path(address.FILE_STORE)):
            tell(f"there is no {DEFAULT_STORE} here: this is the file store {address.FILE_STORE}")
            return address.read_address(address.FILE_STORE)
        raise UsageError(
            f"no store given, and no {DEFAULT_STORE} here{address.others_in(Path())}: name one (mldeck PATH), "
            "set MLFLOW_TRACKING_URI, wait until it is made (mldeck --wait), or try `mldeck demo`"
        )
    return address.read_address(DEFAULT_STORE)


def artifact_places(database: Address, settings: Settings, *, follow: bool = False) -> Places:
    """Return the places where artifacts of the database may be read. `follow` also allows links that lead elsewhere."""
    from mldeck.artifacts.location import Places
    from mldeck.store.address import file_folder
    from mldeck.store.connect import far_files

    return Places(
        file_folder(database),
        settings.artifact_roots,
        confirmed=frozenset(settings.artifact_hosts),
        far=far_files(database),
        follow=follow,
    )


def configure_encodings() -> None:
    """Write UTF-8 to files and pipes whatever the locale is. On a terminal, replace characters that its encoding lacks."""
    codecs.register_error(_ENCODING_ERRORS, _ascii_or_escape)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors=_ENCODING_ERRORS)


def _ascii_or_escape(error: UnicodeError) -> tuple[str | bytes, int]:
    """Replace a character that cannot be encoded by its ASCII substitute, or else by a backslash escape."""
    if isinstance(error, UnicodeEncodeError) and (substitute := _ASCII.get(error.object[error.start])):
        return substitute, error.start + 1
    return codecs.backslashreplace_errors(error)


def check_can_draw() -> None:
    """Raise `UsageError` if the locale of the terminal lacks the characters that charts and frames are drawn with."""
    encoding = sys.stdout.encoding
    if sys.stdout.isatty():
        try:
            _DRAWN_CHARACTERS.encode(encoding)
        except UnicodeEncodeError:
            raise UsageError(
                f"the locale's encoding {encoding} lacks the lines and dots that charts are drawn with: "
                "if the terminal can show UTF-8, set LC_ALL=C.UTF-8"
            ) from None


def checked_address(options: argparse.Namespace) -> Address:
    """Return where the database is that `options.store` and the settings name.

    Raises `UsageError` unless it is an MLflow database that can be read.
    """
    from mldeck.settings import load_settings
    from mldeck.store.connect import check_database

    address = store_address(load_settings(store=options.store, no_mirror=options.no_mirror))
    check_database(address)
    return address
