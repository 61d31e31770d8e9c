"""The command line: read the settings, then start the application or run a command that prints.

Heavy modules are imported inside functions, so that `--help`, `--version` and errors about a wrong path appear at once, and
commands that print never load Textual.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mldeck import __version__
from mldeck.commands.options import (
    STORE_HELP,
    UnreadableArgument,
    add_artifact_root_option,
    add_store_option,
    add_write_option,
    check_can_draw,
    command_first,
    command_parser,
    configure_encodings,
    leading_options,
    store_address,
    tell,
)
from mldeck.errors import MldeckError, UsageError, close_name

if TYPE_CHECKING:
    from mldeck.settings import Settings, UnknownSettings
    from mldeck.store.address import Address
    from mldeck.store.far_file import FarFile
    from mldeck.store.server_database import ServerDatabase
    from mldeck.ui.runs.first_read import HeadStart

_COMMANDS_HELP = """\
commands:
  mldeck [STORE]        browse a store
  mldeck demo           make a sample store and browse it
  mldeck experiments    print the experiments
  mldeck runs           print runs
  mldeck plot           draw a metric of one or more runs
  mldeck artifacts      list a run's files, or copy them
  mldeck models         print registered models, or versions of one
  mldeck register       register a model of a run
  mldeck promote        move a version of a model to a stage
Every command has its own --help; -s and -e may stand before or after it.
To open a store that has the name of a command, write ./NAME.
"""

_OWN_STORE = "it makes a store of its own; --path says where"

_CONNECT_S = 0.5
"""Seconds to wait for a store before telling the user about it."""

_END_S = 1.0
"""Seconds that Python is given to exit normally after the deck was closed."""


def main(argv: Sequence[str] | None = None, head_start: HeadStart | None = None) -> int:
    """Run the command and return its exit status: 0 for success, 1 for failure, 2 for wrong usage, 130 for Ctrl+C.

    `head_start` has been begun already, for a deck that will probably be opened.
    """
    # Decode arguments as UTF-8, whatever encoding Python derived from the locale.
    words = [os.fsencode(word).decode(errors="surrogateescape") for word in (sys.argv[1:] if argv is None else argv)]
    words = command_first(words, _COMMANDS)
    command = _COMMANDS.get(words[0]) if words else None
    has_output = _open_closed_streams()
    configure_encodings()
    try:
        if not has_output:
            raise MldeckError("the standard output is closed: there is nowhere to write to")
        if command is None:
            _check_is_no_mistyped_command(words)
        status = command(words[1:]) if command else _browse(words, head_start)
        sys.stdout.flush()  # here, because an error at interpreter exit could not be explained
        return status
    except BrokenPipeError:
        _drop_output()  # the reader has closed the pipe (`| head`)
        return 0
    except KeyboardInterrupt:
        return 130
    except MldeckError as error:
        message = str(error) if isinstance(error, UnreadableArgument) else _one_line(str(error))
        print(f"mldeck: {message}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    except OSError as error:
        # For example a full disk behind the output, or a deleted current folder.
        print(f"mldeck: {_one_line(str(error))}", file=sys.stderr)
        _drop_output()
        return 1


def _open_closed_streams() -> bool:
    """Redirect standard streams that the caller closed to the null device; return whether standard output was open.

    Otherwise the next file to be opened would take the stream's file descriptor, and output would be written into it.
    """
    has_output = sys.stdout is not None
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = os.fdopen(
                os.open(os.devnull, os.O_RDWR), mode
            )  # takes the lowest free descriptor: the stream's own
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)
    return has_output


def _drop_output() -> None:
    """Send what is still buffered to the null device, so that flushing it at exit raises no error."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _one_line(message: str) -> str:
    from mldeck.format import message_text

    return message_text(message)


def _check_is_no_mistyped_command(words: Sequence[str]) -> None:
    """Raise `UsageError` if the first word after -s and -e names no file but looks like a command."""
    word = next(iter(words[leading_options(words) :]), "")
    if word.isalpha() and "--wait" not in words and not os.path.lexists(word):
        name = close_name(word, _COMMANDS)
        if name is not None:
            raise UsageError(f"there is no command and no file {word}; did you mean `mldeck {name}`?")


def _browse(words: Sequence[str], begun: HeadStart | None) -> int:
    with begun or _head_start() as head_start:
        options = _browsing_options(words)
        if options.keys:
            return _list_keys()
        settings = _settings(options)
        address = store_address(settings, wait=options.wait)
        if options.wait:
            from mldeck.store.connect import wait_for_database

            wait_for_database(address, lambda reason: tell(f"waiting for the database: {reason}"))
        status = _run_deck(settings, address, head_start)
    return _end_soon(status)


def _list_keys() -> int:
    """List the keys, with those of the settings. If these are wrong, say so, and list the ids all the same."""
    from mldeck.settings import load_settings
    from mldeck.ui.help.keymap import key_list, keymap_of_settings

    keymap: dict[str, str] = {}
    try:
        keymap = keymap_of_settings(load_settings().keys)
    except UsageError as error:
        tell(f"{error}; these are the keys without settings")
    print("\n".join(key_list(keymap)))
    return 0


def _browsing_options(words: Sequence[str]) -> argparse.Namespace:
    parser = command_parser(
        "mldeck", "A keyboard-driven terminal application for MLflow tracking databases.", _COMMANDS_HELP
    )
    parser.commands = _COMMANDS
    parser.add_argument("positional_store", nargs="?", metavar="STORE", help=STORE_HELP)
    add_store_option(parser)
    parser.add_argument("--wait", action="store_true", help="wait until MLflow has created the database")
    _add_deck_options(parser)
    parser.add_argument("--version", action="version", version=f"mldeck {__version__}")
    parser.add_argument(
        "--keys", action="store_true", help="list the keys, with the ids for the settings file, and exit"
    )
    options = parser.parse_args(words)
    positional = options.positional_store
    if positional in _COMMANDS and not os.path.lexists(positional):
        raise UsageError(f"a command comes first: mldeck {positional} …")
    if positional is not None and options.store is not None:
        from mldeck.addresses import printable

        raise UsageError(f"two stores are given: leave out {printable(positional)} or -s {printable(options.store)}")
    options.store = options.store or positional
    return options


def _demo(words: Sequence[str]) -> int:
    parser = command_parser(
        "mldeck demo", "Make a sample store, written as MLflow writes it, and browse it.", no_store=_OWN_STORE
    )
    parser.add_argument(
        "--path",
        metavar="DIR",
        help="keep the store in this folder, and open it again the next time (default: a temporary folder)",
    )
    parser.add_argument(
        "--live", action="store_true", help="let a training job write to it, to demonstrate live updates"
    )
    _add_deck_options(parser)
    options = parser.parse_args(words)
    options.store = None
    settings = _settings(options)
    from mldeck.demo.sitting import demo_store

    with _head_start() as head_start, demo_store(options.path, live=options.live) as path:
        status = _run_deck(settings, path, head_start)
    return _end_soon(status)


def _room(name: str) -> Callable[[Sequence[str]], int]:
    """Return a function that imports a module of `mldeck.commands` when it is called, and runs its command."""

    def run(words: Sequence[str]) -> int:
        from importlib import import_module

        status: int = import_module(f"mldeck.commands.{name}").run(words)
        return status

    return run


_COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {
    "demo": _demo,
    "experiments": _room("experiments"),
    "runs": _room("runs"),
    "plot": _room("plot"),
    "artifacts": _room("artifacts"),
    "models": _room("models"),
    "register": _room("register"),
    "promote": _room("promote"),
}


class _Once(argparse.Action):
    """The action of an option that may be given once; by default argparse takes the last of several values."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        if getattr(namespace, self.dest) is not None:
            parser.error(
                f"{option_string} may be given once: press space in the list to show several experiments together"
            )
        setattr(namespace, self.dest, values)


def _add_deck_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--read-only", action="store_true", help="never write to the store")
    add_write_option(parser)
    parser.add_argument(
        "-e",
        "--experiment",
        action=_Once,
        metavar="EXPERIMENT",
        help="start with this experiment: its name or id",
    )
    parser.add_argument("--theme", metavar="NAME", help="colour theme (an unknown name lists them)")
    add_artifact_root_option(parser)
    parser.add_argument(
        "--registry-store", metavar="STORE", help="database of the model registry, if it is a different one"
    )
    parser.add_argument("--no-record", action="store_true", help="do not record who moved a version, when and why")


def _settings(options: argparse.Namespace) -> Settings:
    from mldeck.settings import UnknownSettings, load_settings

    try:
        return load_settings(
            store=options.store,
            experiment=getattr(options, "experiment", None),
            theme=getattr(options, "theme", None),
            read_only=getattr(options, "read_only", False),
            write=options.write,
            artifact_roots=getattr(options, "artifact_root", ()),
            registry_store=options.registry_store,
            record_transitions=not options.no_record,
            no_mirror=getattr(options, "no_mirror", False),
        )
    except UnknownSettings as error:
        raise UsageError(_with_wrong_keys(error)) from None


def _with_wrong_keys(error: UnknownSettings) -> str:
    """Return the message with all errors in the keys added, so that the user can mend everything at once."""
    from mldeck.ui.help.keymap import keymap_of_settings

    try:
        keymap_of_settings(error.keys)
    except UsageError as wrong_keys:
        return f"{error}; {wrong_keys}"
    return str(error)


def _head_start() -> HeadStart:
    from mldeck.ui.runs.first_read import HeadStart

    return HeadStart()


def _run_deck(settings: Settings, address: Address, head_start: HeadStart) -> int:
    """Check the database before anything is drawn, then run the deck and return its exit status.

    While this process loads Textual, a second one reads the first runs.
    """
    import gc
    from pathlib import Path

    from mldeck.store.connect import check_database, mirror_file, start_line, start_mirror
    from mldeck.store.far_file import FarFile
    from mldeck.store.mlruns_folder import MlrunsFolder
    from mldeck.store.server_database import ServerDatabase

    if isinstance(address, Path):
        head_start.ask(address, read_only=settings.read_only, experiment_name=settings.experiment)
        check_database(address)
    elif isinstance(address, MlrunsFolder):
        check_database(address)
        start_mirror(address, settings.experiment)
        with _saying(f"reading {address}…"):
            file = mirror_file(address)
        head_start.ask(file, read_only=True, experiment_name=settings.experiment, mirrored=str(address))
    else:
        head_start.stop()  # this process loads the database library itself: see `_wait_for_line`
        start_line(address, write=settings.writes_to(address.host))
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        _check_theme(settings.theme)
        raise UsageError("the deck needs a terminal; to print, use `mldeck runs` or `mldeck experiments`")
    check_can_draw()
    # Start-up creates a hundred thousand objects that all stay alive; collecting garbage among them takes a tenth of
    # the start-up time. The deck enables the collector again once the first runs are shown.
    gc.disable()
    from mldeck.ui.app import run_deck

    if isinstance(address, FarFile | ServerDatabase):
        _wait_for_line(address)
    return run_deck(settings, address, head_start)


def _wait_for_line(address: FarFile | ServerDatabase) -> None:
    """Load the database library while ssh or a driver connects, then wait. Raises `UsageError` if it cannot be read."""
    import mldeck.store.store  # noqa: F401 - only to be loaded
    from mldeck.store.connect import check_database

    with _saying(f"connecting to {address.place}…"):
        check_database(address)


@contextmanager
def _saying(message: str) -> Iterator[None]:
    """Show the message if the block takes longer than a moment."""
    import threading

    said = threading.Timer(_CONNECT_S, tell, (message,))
    said.start()
    try:
        yield
    finally:
        said.cancel()


def _check_theme(name: str) -> None:
    """Raise `UsageError` for an unknown theme. With a terminal the deck does it, because the names are Textual's."""
    from mldeck.settings import DEFAULT_THEME

    if name != DEFAULT_THEME:
        from mldeck.ui.themes import check_theme

        check_theme(name)


def _end_soon(status: int) -> int:
    """Return the exit status of the deck, and make sure that the process soon ends with it.

    At exit Python joins the threads of libraries, and one of them may be waiting for a server that never answers.
    """
    import threading

    def end() -> None:
        os._exit(status)

    sys.stdout.flush()
    sys.stderr.flush()
    timer = threading.Timer(_END_S, end)
    timer.daemon = True
    timer.start()
    return status
