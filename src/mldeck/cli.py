"""The command line: settings in, the application or a printed answer out.

Nothing heavy is imported at the top: `--help`, `--version` and the complaints about a wrong path come at once, and the
printing commands never load the screen's libraries.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from mldeck import __version__
from mldeck.errors import MldeckError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from mldeck.model import Column
    from mldeck.search.errors import SearchError
    from mldeck.settings import Settings

DEFAULT_STORE = "mlflow.db"
DEFAULT_LIMIT = 100
_VIEWS = ("active", "deleted", "all")
_FORMATS = ("table", "json", "csv")
_STORE_HELP = "database file or sqlite:/// URI (default: $MLFLOW_TRACKING_URI, else ./mlflow.db)"

_COMMANDS_HELP = """\
commands:
  mldeck [STORE]        browse a store
  mldeck demo           make a sample store and browse it
  mldeck experiments    print the experiments
  mldeck runs           print runs
each has its own --help; a store that is called like a command is opened as ./NAME
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns the exit status: 0 done, 1 failed, 2 wrong usage."""
    words = list(sys.argv[1:] if argv is None else argv)
    command = _COMMANDS.get(words[0]) if words else None
    try:
        status = command(words[1:]) if command else _browse(words)
        sys.stdout.flush()  # here, where what goes wrong with it can be explained
        return status
    except BrokenPipeError:
        _drop_output()  # its reader is gone (`| head`)
        return 0
    except KeyboardInterrupt:
        return 130
    except MldeckError as error:
        said = str(error) if isinstance(error, _Misread) else _one_line(str(error))
        print(f"mldeck: {said}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    except OSError as error:
        # A full disk behind our output, a current folder that is gone.
        print(f"mldeck: {_one_line(str(error))}", file=sys.stderr)
        _drop_output()
        return 1


def _drop_output() -> None:
    """What is still buffered must not complain at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _one_line(message: str) -> str:
    from mldeck.format import safe

    return safe(message)


def _browse(words: Sequence[str]) -> int:
    parser = _parser("mldeck", "A keyboard-driven terminal application for MLflow tracking databases.", _COMMANDS_HELP)
    parser.add_argument("store", nargs="?", metavar="STORE", help=_STORE_HELP)
    _add_deck_options(parser)
    parser.add_argument("--version", action="version", version=f"mldeck {__version__}")
    options = parser.parse_args(words)
    settings = _settings(options)
    return _run_deck(settings, _store_path(settings))


def _demo(words: Sequence[str]) -> int:
    parser = _parser("mldeck demo", "Makes a sample store, as MLflow would have written it, and opens it.")
    parser.add_argument("--path", metavar="DIR", help="keep the store in this folder (default: a temporary one)")
    parser.add_argument("--live", action="store_true", help="keep a training run writing to it")
    _add_deck_options(parser)
    options = parser.parse_args(words)
    options.store = None
    settings = _settings(options)
    from mldeck.demo.sitting import demo_store

    with demo_store(options.path, live=options.live) as path:
        return _run_deck(settings, path)


def _experiments(words: Sequence[str]) -> int:
    parser = _parser("mldeck experiments", "Prints the experiments of a store.")
    _add_print_options(parser)
    options = parser.parse_args(words)
    from mldeck import output

    return output.print_experiments(_printed_store(options), options.view, options.format)


def _runs(words: Sequence[str]) -> int:
    parser = _parser("mldeck runs", "Prints runs: of all active experiments, unless some are named.")
    parser.add_argument(
        "-e", "--experiment", action="append", default=[], metavar="EXPERIMENT", help="name or id; may be repeated"
    )
    parser.add_argument(
        "-f",
        "--filter",
        type=_search,
        default="",
        metavar="FILTER",
        help="in MLflow's search language and mldeck's extensions of it: \"metrics.rmse < 7 and params.model = 'rf'\"",
    )
    parser.add_argument(
        "-o",
        "--order",
        action="append",
        default=[],
        metavar="ORDER",
        help='as MLflow writes it: "metrics.rmse DESC", "params.`a b`"; may be repeated',
    )
    parser.add_argument(
        "--limit",
        type=_limit,
        default=DEFAULT_LIMIT,
        metavar="N",
        help=f"at most N runs, 0 for all (default {DEFAULT_LIMIT})",
    )
    parser.add_argument(
        "--columns",
        type=_columns,
        metavar="COLUMNS",
        help='separated by commas: "run_id,start_time,metrics.rmse,params.`a b`" (default: all; in a table what differs)',
    )
    _add_print_options(parser)
    options = parser.parse_args(words)
    from mldeck import output
    from mldeck.search.order import parse_orders

    order = parse_orders(options.order)
    return output.print_runs(
        _printed_store(options),
        options.experiment,
        options.view,
        options.filter,
        order,
        options.columns,
        options.limit,
        options.format,
    )


_COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {"demo": _demo, "experiments": _experiments, "runs": _runs}


def _parser(name: str, description: str, epilog: str | None = None) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(
        prog=name, description=description, epilog=epilog, formatter_class=argparse.RawDescriptionHelpFormatter
    )


def _add_deck_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--read-only", action="store_true", help="never write to the store")
    parser.add_argument("--experiment", metavar="NAME", help="start with this experiment")
    parser.add_argument("--theme", metavar="NAME", help="colour theme (an unknown name lists them)")


def _add_print_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-s", "--store", metavar="STORE", help=_STORE_HELP)
    parser.add_argument("--view", choices=_VIEWS, default="active", help="lifecycle stages to show (default: active)")
    parser.add_argument("--format", choices=_FORMATS, default="table", help="default: table")


class _Misread(UsageError):
    """What was typed cannot be read; the lines behind the first show where."""


def _search(text: str) -> str:
    """The filter as it was typed, when it can be read."""
    from mldeck.search.errors import SearchError
    from mldeck.search.parse import parse

    try:
        parse(text)
    except SearchError as error:
        raise _Misread(_pointed_out(text, error)) from None
    return text


def _columns(text: str) -> tuple[Column, ...]:
    from mldeck.search.columns import parse_columns
    from mldeck.search.errors import SearchError
    from mldeck.serial import COLUMN_ATTRIBUTES

    try:
        return parse_columns(text, COLUMN_ATTRIBUTES)
    except SearchError as error:
        raise _Misread(_pointed_out(text, error)) from None


def _pointed_out(text: str, error: SearchError) -> str:
    """The message, the text, and a caret below the first character that is wrong."""
    from mldeck.format import cell_width, safe

    caret = " " * cell_width(safe(text[: error.position])) + "^"
    return f"{safe(str(error))}\n  {safe(text)}\n  {caret}"


def _limit(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of runs: write 0 for all, or more")
    return int(text)


def _settings(options: argparse.Namespace) -> Settings:
    from mldeck.settings import load_settings

    return load_settings(
        store=options.store,
        experiment=getattr(options, "experiment", None),
        theme=getattr(options, "theme", None),
        read_only=getattr(options, "read_only", False),
    )


def _store_path(settings: Settings) -> Path:
    """The database file that was asked for. Raises `UsageError` when nothing was, and nothing is here."""
    from pathlib import Path

    from mldeck.store.address import store_path

    if settings.store is None and not Path(DEFAULT_STORE).exists():
        raise UsageError(
            f"no store given, and no {DEFAULT_STORE} here: name one (mldeck PATH), set MLFLOW_TRACKING_URI, "
            "or try `mldeck demo`"
        )
    return store_path(settings.store or DEFAULT_STORE, settings.store_origin)


def _printed_store(options: argparse.Namespace) -> Path:
    from mldeck.settings import load_settings
    from mldeck.store.files import check_database

    if isinstance(sys.stdout, io.TextIOWrapper):
        # Names come in any alphabet: what the encoding of the output lacks is spelled out instead of ending the listing.
        sys.stdout.reconfigure(errors="backslashreplace")
    path = _store_path(load_settings(store=options.store))
    check_database(path)
    return path


def _run_deck(settings: Settings, path: Path) -> int:
    """Looks at the database before any screen is drawn; while Textual is loaded, another process reads the first runs."""
    import gc

    from mldeck.store.files import check_database
    from mldeck.ui.head_start import HeadStart

    head_start = HeadStart(path, read_only=settings.read_only, experiment_name=settings.experiment)
    try:
        check_database(path)
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise UsageError("the deck needs a terminal; to print, use `mldeck runs` or `mldeck experiments`")
        # Start-up makes a hundred thousand objects that all stay: looking for garbage among them costs a tenth of it.
        # The deck switches it on again once the first runs are shown.
        gc.disable()
        from mldeck.ui.app import run_deck

        return run_deck(settings, path, head_start)
    finally:
        head_start.stop()
