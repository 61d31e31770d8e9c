"""The command line: settings in, the application or a printed answer out.

Nothing heavy is imported at the top: `--help`, `--version` and the complaints about a wrong path come at once, and the
printing commands never load the screen's libraries.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from mldeck import __version__
from mldeck.commands.options import (
    STORE_HELP,
    Misread,
    add_artifact_root_option,
    check_can_draw,
    command_parser,
    settle_encodings,
    store_path,
    tell,
)
from mldeck.errors import MldeckError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from mldeck.settings import Settings

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
each has its own --help; a store that is called like a command is opened as ./NAME
"""

_END_S = 1.0
"""Seconds that Python gets to end by itself after the deck was left."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns the exit status: 0 done, 1 failed, 2 wrong usage."""
    # Names are UTF-8, whatever Python took the locale for.
    words = [os.fsencode(word).decode(errors="surrogateescape") for word in (sys.argv[1:] if argv is None else argv)]
    command = _COMMANDS.get(words[0]) if words else None
    has_output = _open_closed_streams()
    settle_encodings()
    try:
        if not has_output:
            raise MldeckError("the standard output is closed: there is nowhere to write to")
        status = command(words[1:]) if command else _browse(words)
        sys.stdout.flush()  # here, where what goes wrong with it can be explained
        return status
    except BrokenPipeError:
        _drop_output()  # its reader is gone (`| head`)
        return 0
    except KeyboardInterrupt:
        return 130
    except MldeckError as error:
        said = str(error) if isinstance(error, Misread) else _one_line(str(error))
        print(f"mldeck: {said}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    except OSError as error:
        # A full disk behind our output, a current folder that is gone.
        print(f"mldeck: {_one_line(str(error))}", file=sys.stderr)
        _drop_output()
        return 1


def _open_closed_streams() -> bool:
    """Let standard streams that the caller closed lead nowhere; return whether the output is open.

    Otherwise the next file that is opened becomes one of them, and what is printed goes into it.
    """
    has_output = sys.stdout is not None
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = os.fdopen(os.open(os.devnull, os.O_RDWR), mode)  # the lowest free number: that of the stream
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)
    return has_output


def _drop_output() -> None:
    """What is still buffered must not complain at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _one_line(message: str) -> str:
    from mldeck.format import message_text

    return message_text(message)


def _browse(words: Sequence[str]) -> int:
    parser = command_parser(
        "mldeck", "A keyboard-driven terminal application for MLflow tracking databases.", _COMMANDS_HELP
    )
    parser.add_argument("store", nargs="?", metavar="STORE", help=STORE_HELP)
    parser.add_argument("--wait", action="store_true", help="wait until MLflow has made the database")
    _add_deck_options(parser)
    parser.add_argument("--version", action="version", version=f"mldeck {__version__}")
    options = parser.parse_args(words)
    settings = _settings(options)
    path = store_path(settings, wait=options.wait)
    if options.wait:
        from mldeck.store.sqlite.files import wait_for_database

        wait_for_database(path, lambda why: tell(f"waiting for the database: {why}"))
    return _end_soon(_run_deck(settings, path))


def _demo(words: Sequence[str]) -> int:
    parser = command_parser("mldeck demo", "Makes a sample store, as MLflow would have written it, and opens it.")
    parser.add_argument("--path", metavar="DIR", help="keep the store in this folder (default: a temporary one)")
    parser.add_argument("--live", action="store_true", help="keep a training run writing to it")
    _add_deck_options(parser)
    options = parser.parse_args(words)
    options.store = None
    settings = _settings(options)
    from mldeck.demo.sitting import demo_store

    with demo_store(options.path, live=options.live) as path:
        status = _run_deck(settings, path)
    return _end_soon(status)


def _room(name: str) -> Callable[[Sequence[str]], int]:
    """A command that is a module of `mldeck.commands`, imported when it is called."""

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


def _add_deck_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--read-only", action="store_true", help="never write to the store")
    parser.add_argument("--experiment", metavar="NAME", help="start with this experiment")
    parser.add_argument("--theme", metavar="NAME", help="colour theme (an unknown name lists them)")
    add_artifact_root_option(parser)
    parser.add_argument(
        "--registry-store", metavar="STORE", help="database of the model registry, if it is another one"
    )
    parser.add_argument(
        "--no-record", action="store_true", help="leave no tags that say who moved a version when and why"
    )


def _settings(options: argparse.Namespace) -> Settings:
    from mldeck.settings import load_settings

    return load_settings(
        store=options.store,
        experiment=getattr(options, "experiment", None),
        theme=getattr(options, "theme", None),
        read_only=getattr(options, "read_only", False),
        artifact_roots=getattr(options, "artifact_root", ()),
        registry_store=options.registry_store,
        record_transitions=not options.no_record,
    )


def _run_deck(settings: Settings, path: Path) -> int:
    """Looks at the database before any screen is drawn; while Textual is loaded, another process reads the first runs."""
    import gc

    from mldeck.store.sqlite.files import check_database
    from mldeck.ui.runs.first_read import HeadStart

    head_start = HeadStart(path, read_only=settings.read_only, experiment_name=settings.experiment)
    try:
        check_database(path)
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise UsageError("the deck needs a terminal; to print, use `mldeck runs` or `mldeck experiments`")
        check_can_draw()
        # Start-up makes a hundred thousand objects that all stay: looking for garbage among them costs a tenth of it.
        # The deck switches it on again once the first runs are shown.
        gc.disable()
        from mldeck.ui.app import run_deck

        return run_deck(settings, path, head_start)
    finally:
        head_start.stop()


def _end_soon(status: int) -> int:
    """Return the exit status of the deck, and make sure that the process ends with it.

    Python waits at its end for threads of libraries, and one of them may wait for a server that never answers.
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
