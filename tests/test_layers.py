"""Who may import whom, checked twice: in the source, and by importing each room in a fresh interpreter.

The source shows every import, also those inside functions and under TYPE_CHECKING. The interpreter shows what an import
drags along, which is what a person waits for at start-up.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src"
PACKAGE = "mldeck"


@dataclass(frozen=True)
class Room:
    """What the modules of one room may import besides each other and the standard library, anywhere in their source."""

    rooms: frozenset[str] = frozenset()
    packages: frozenset[str] = frozenset()
    unwanted: frozenset[str] = frozenset({"textual", "rich", "sqlalchemy", "lark"})
    """Heavy packages that importing the whole room must not load, neither directly nor by way of another module."""


HEAVY = Room.unwanted
NOUNS = frozenset({"addresses", "errors", "foreign", "model", "format"})
LOGIC = frozenset({"registry", "search", "charts", "artifacts", "store"})

# A room is a module or a package directly below mldeck. One that does not exist (yet) does no harm here.
ROOMS = {
    "__init__": Room(),
    "addresses": Room(frozenset({"errors"})),
    "destination": Room(frozenset({"errors"})),
    "errors": Room(),
    "foreign": Room(),
    "model": Room(frozenset({"errors"})),
    # Rich is asked for the width of texts beyond ASCII, when there is one.
    "format": Room(frozenset({"errors", "model"}), frozenset({"rich"})),
    "child": Room(),
    "helper": Room(frozenset({"child"})),
    # tomli is the standard library's tomllib for the oldest Python.
    "settings": Room(NOUNS, frozenset({"tomli"})),
    # Values and plans, for a screen and for a command alike.
    "registry": Room(NOUNS),
    "search": Room(frozenset({"errors", "model"}), frozenset({"lark"}), HEAVY - {"lark"}),
    "charts": Room(NOUNS),
    # Each of them is imported with the first file that needs it.
    "artifacts": Room(
        NOUNS | {"destination", "helper"},
        frozenset({"yaml", "PIL", "pyarrow", "fsspec", "sshfs"}),
        HEAVY | {"yaml", "PIL", "pyarrow", "fsspec", "sshfs"},
    ),
    # A driver is loaded when a database on a server is opened. The YAML library is for what is unusual in a file store.
    "store": Room(
        NOUNS | {"registry", "search"},
        frozenset({"sqlalchemy", "psycopg", "pymysql", "yaml"}),
        (HEAVY | {"psycopg", "pymysql"}) - {"sqlalchemy", "lark"},
    ),
    "demo": Room(NOUNS | {"child", "store"}, frozenset(), HEAVY - {"sqlalchemy", "lark"}),
    # SQLAlchemy is imported by a worker after the first paint, so no module of the user interface may bring it in.
    "ui": Room(
        NOUNS | LOGIC | {"child", "destination", "helper", "settings", "run_text", "export"},
        frozenset({"textual", "rich", "markdown_it"}),
        frozenset({"sqlalchemy"}),
    ),
    "column_fit": Room(NOUNS),
    # Printed answers: the other front end of the store, and as little of the terminal's packages as the store has.
    "printing": Room(
        NOUNS | {"column_fit", "search", "store", "run_text"}, frozenset(), HEAVY - {"sqlalchemy", "lark"}
    ),
    # Runs as text, whoever writes them: printed answers, and files.
    "run_text": Room(NOUNS | {"store"}, frozenset(), HEAVY - {"sqlalchemy", "lark"}),
    "export": Room(NOUNS | {"destination", "store", "run_text"}, frozenset(), HEAVY - {"sqlalchemy", "lark"}),
    "commands": Room(
        NOUNS | LOGIC | {"destination", "settings", "printing", "run_text"}, frozenset(), frozenset(HEAVY)
    ),
    "cli": Room(NOUNS | {"settings", "store", "commands", "demo", "ui"}),
    "__main__": Room(frozenset({"cli", "ui"})),
}

# Modules that are needed before anything heavy may be imported, in rooms that otherwise are heavy: a wrong path is
# reported at once.
LIGHT_MODULES = {
    "mldeck.store",
    "mldeck.store.address",
    "mldeck.store.connect",
    "mldeck.store.sqlite.files",
    "mldeck.store.ssh.line",
}


DRIVER_MODULES = {"mldeck.store.servers.postgresql", "mldeck.store.servers.mysql"}
"""Each needs a package of an extra, and is imported when such a database is opened."""


# The rooms within `ui` and `store`: a folder or module, and those beside it that it may import, anywhere in its source.
_EVERY_PLACE = frozenset({"app_keys", "details", "export", "kit", "place", "state", "textual_patches"})
INNER_ROOMS: dict[str, dict[str, frozenset[str]]] = {
    "ui": {
        "__init__": frozenset(),
        "textual_patches": frozenset(),
        # Knows nothing of MLflow, nor of the application.
        "kit": frozenset({"textual_patches"}),
        "state": frozenset({"kit"}),
        "details": frozenset({"kit", "state"}),
        "filter": frozenset({"kit"}),
        "export": frozenset({"kit", "state"}),
        "files": frozenset({"kit", "state"}),
        "register": frozenset({"kit", "state"}),
        "app_keys": frozenset({"kit"}),
        "top_bar": frozenset({"kit"}),
        "place": frozenset({"app_keys", "kit", "state", "textual_patches", "top_bar"}),
        # A place never imports another one: it posts a message that the application handles.
        "chart": _EVERY_PLACE,
        "runs": _EVERY_PLACE | {"chart", "files", "filter", "register"},
        "models": _EVERY_PLACE | {"chart", "filter"},
        "compare": _EVERY_PLACE | {"chart"},
        "help": frozenset({"app_keys", "chart", "compare", "details", "files", "kit", "models", "runs"}),
        "app": frozenset(
            {
                "app_keys",
                "compare",
                "crash",
                "help",
                "key_queue",
                "kit",
                "models",
                "palette",
                "place",
                "preload",
                "runs",
            }
            | {"state", "terminal_filter", "textual_patches", "themes"}
        ),
        "key_queue": frozenset({"kit"}),
        "palette": frozenset({"help", "kit"}),
        **dict.fromkeys(("crash", "preload", "terminal_filter", "themes"), frozenset[str]()),
    },
    "store": {
        "__init__": frozenset(),
        **dict.fromkeys(("expressions", "fetched", "interrupt", "statements", "values"), frozenset[str]()),
        **dict.fromkeys(("far_file", "mlruns_folder", "server_database"), frozenset[str]()),
        "address": frozenset({"far_file", "mlruns_folder", "server_database"}),
        "text_match": frozenset({"expressions"}),
        "encoding": frozenset({"values"}),
        "schema": frozenset({"expressions", "values"}),
        "seed": frozenset(),
        # All that is SQLite's own. A folder beside it is all that another kind of database needs.
        "sqlite": frozenset({"address", "backend", "interrupt", "schema", "seed", "statements"}),
        # A SQLite file on another machine: what reads it there is SQLite too. A commit whose answer was lost is looked up by
        # the rows of the edit.
        "ssh": frozenset(
            {"backend", "edits", "far_file", "fetched", "interrupt", "schema", "sqlite", "statements", "values"}
        ),
        # Databases on servers. They are known to be MLflow's by the same tables as files.
        "servers": frozenset({"backend", "fetched", "interrupt", "schema", "server_database", "sqlite", "statements"}),
        # A store that is no database, as a SQLite file of our own.
        "mirror": frozenset({"backend", "interrupt", "schema", "sqlite"}),
        "runs": frozenset(
            {"encoding", "expressions", "interrupt", "schema", "sqlite", "statements", "text_match", "values"}
        ),
        "histories": frozenset(
            {"encoding", "expressions", "interrupt", "schema", "sqlite", "statements", "text_match", "values"}
        ),
        "edits": frozenset({"backend", "encoding", "interrupt", "schema", "statements"}),
        "backend": frozenset({"interrupt", "schema"}),
        "connect": frozenset(
            {
                *(
                    "address",
                    "backend",
                    "far_file",
                    "interrupt",
                    "mirror",
                    "mlruns_folder",
                    "server_database",
                    "servers",
                ),
                *("sqlite", "ssh"),
            }
        ),
        "opened": frozenset({"address", "backend", "connect", "interrupt", "schema", "sqlite", "statements"}),
        "registry": frozenset(
            {
                "backend",
                "edits",
                "encoding",
                "interrupt",
                "opened",
                "runs",
                "schema",
                "sqlite",
                "statements",
                "text_match",
                "values",
            }
        ),
        "store": frozenset(
            {
                "address",
                "connect",
                "edits",
                "histories",
                "interrupt",
                "opened",
                "registry",
                "runs",
                "schema",
                "sqlite",
                "statements",
            }
        ),
        "uri_lookup": frozenset({"registry", "store"}),
    },
}


@dataclass(frozen=True)
class Module:
    path: Path

    @property
    def parts(self) -> tuple[str, ...]:
        return self.path.relative_to(SOURCE).with_suffix("").parts

    @property
    def room(self) -> str:
        return self.parts[1]

    @property
    def inner_room(self) -> str:
        return self.parts[2] if len(self.parts) > 2 else "__init__"

    @property
    def name(self) -> str:
        return ".".join(part for part in self.parts if part != "__init__")

    @property
    def package(self) -> tuple[str, ...]:
        """Where its relative imports start."""
        return self.parts[:-1]

    def __str__(self) -> str:
        return self.path.relative_to(SOURCE).as_posix()


MODULES = [Module(path) for path in sorted((SOURCE / PACKAGE).rglob("*.py"))]
FOUND_ROOMS = sorted({module.room for module in MODULES} & ROOMS.keys())


def imports(tree: ast.AST, package: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Every import as line and full dotted name, however it is written."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            origin = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                yield node.lineno, f"{origin}.{alias.name}"
        elif isinstance(node, ast.Call) and node.args:
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
            name = node.args[0]
            if called in {"import_module", "__import__"} and isinstance(name, ast.Constant):
                yield node.lineno, str(name.value)


def violations(source: str, room: str, package: tuple[str, ...]) -> Iterator[str]:
    """What a module of `room` imports although it may not, as `line: name`."""
    allowed = ROOMS[room]
    for line, name in imports(ast.parse(source), package):
        top, *rest = name.split(".")
        if top == PACKAGE:
            # A name that is no room is something that mldeck/__init__.py defines.
            target = rest[0] if rest and rest[0] in ROOMS else "__init__"
            if target not in {room, "__init__"} | allowed.rooms:
                yield f"{line}: {name}"
        elif top not in sys.stdlib_module_names | {"tomllib"} | allowed.packages:
            yield f"{line}: {name}"


def inner_room(name: str, room: str) -> str | None:
    """Return the room within `room` that the dotted name belongs to; None if it is elsewhere."""
    top, *rest = name.split(".")
    if top != PACKAGE or rest[:1] != [room]:
        return None
    return rest[1] if len(rest) > 1 and rest[1] in INNER_ROOMS[room] else "__init__"


def inner_violations(source: str, room: str, inner: str, package: tuple[str, ...]) -> Iterator[str]:
    """Yield what a module of the room `inner` within `room` imports although it may not, as `line: name`."""
    for line, name in imports(ast.parse(source), package):
        target = inner_room(name, room)
        if target not in {None, inner, "__init__"} | INNER_ROOMS[room][inner]:
            yield f"{line}: {name}"


def circle(rooms: dict[str, frozenset[str]]) -> list[str]:
    """Return rooms that may import each other in a circle; empty if there is none."""
    remaining = dict(rooms)
    while free := [room for room, targets in remaining.items() if not targets & remaining.keys()]:
        for room in free:
            del remaining[room]
    return sorted(remaining)


def run_python(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A fresh interpreter that sees this checkout, whatever is installed."""
    environment = os.environ | {"PYTHONPATH": str(SOURCE)}
    return subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True, timeout=120)


def loaded_after_importing(names: Iterable[str]) -> set[str]:
    """The top-level packages that are loaded once the modules called `names` have been imported."""
    script = (
        "import importlib, json, sys\n"
        "for name in sys.argv[1:]: importlib.import_module(name)\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    done = run_python("-c", script, *names)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def test_every_module_belongs_to_a_room() -> None:
    assert MODULES
    assert [str(module) for module in MODULES if module.room not in ROOMS] == []


@pytest.mark.parametrize("room", FOUND_ROOMS)
def test_the_source_of_a_room_imports_only_what_it_may(room: str) -> None:
    found = [
        f"{module}:{violation}"
        for module in MODULES
        if module.room == room
        for violation in violations(module.path.read_text(encoding="utf-8"), room, module.package)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("room", "source", "expected"),
    [
        ("ui", "def f():\n    from sqlalchemy import select", ["2: sqlalchemy.select"]),
        ("store", "if TYPE_CHECKING:\n    import textual.app", ["2: textual.app"]),
        ("store", "from ..ui import app", ["1: mldeck.ui.app"]),
        ("store", "from .. import ui, model", ["1: mldeck.ui"]),
        ("search", "import importlib\nimportlib.import_module('mldeck.store.store')", ["2: mldeck.store.store"]),
        ("model", "from mldeck import format, __version__", ["1: mldeck.format"]),
        ("model", "import math, rich", ["1: rich"]),
        ("store", "from mldeck import __version__\nfrom . import schema\nfrom .schema import X\nimport sqlite3", []),
        ("settings", "try:\n    import tomllib\nexcept ImportError:\n    import tomli as tomllib", []),
    ],
)
def test_no_way_to_write_an_import_goes_unnoticed(room: str, source: str, expected: list[str]) -> None:
    assert list(violations(source, room, (PACKAGE, room))) == expected


@pytest.mark.parametrize("room", INNER_ROOMS)
def test_every_module_belongs_to_an_inner_room(room: str) -> None:
    assert [
        str(module) for module in MODULES if module.room == room and module.inner_room not in INNER_ROOMS[room]
    ] == []


@pytest.mark.parametrize(("room", "inner"), [(room, inner) for room, rooms in INNER_ROOMS.items() for inner in rooms])
def test_the_source_of_an_inner_room_imports_only_what_it_may(room: str, inner: str) -> None:
    modules = [module for module in MODULES if (module.room, module.inner_room) == (room, inner)]
    assert modules, "the rule is about a room that exists"
    found = [
        f"{module}:{violation}"
        for module in modules
        for violation in inner_violations(module.path.read_text(encoding="utf-8"), room, inner, module.package)
    ]
    assert found == []


@pytest.mark.parametrize("room", INNER_ROOMS)
def test_no_inner_rooms_import_each_other_in_a_circle(room: str) -> None:
    assert circle(INNER_ROOMS[room]) == []


@pytest.mark.parametrize(
    ("room", "inner", "source", "expected"),
    [
        (
            "ui",
            "kit",
            "def f():\n    from mldeck.ui.runs.screen import RunsScreen",
            ["2: mldeck.ui.runs.screen.RunsScreen"],
        ),
        ("ui", "models", "if TYPE_CHECKING:\n    from mldeck.ui import runs", ["2: mldeck.ui.runs"]),
        (
            "ui",
            "runs",
            "from mldeck.ui.kit.grid import Grid\nfrom mldeck.ui.runs import pane\nimport mldeck.format",
            [],
        ),
        ("store", "sqlite", "from ..runs import rows", ["1: mldeck.store.runs.rows"]),
    ],
)
def test_an_upward_import_is_seen(room: str, inner: str, source: str, expected: list[str]) -> None:
    assert list(inner_violations(source, room, inner, (PACKAGE, room, inner))) == expected


def test_a_circle_is_seen() -> None:
    rooms = {"a": frozenset({"b"}), "b": frozenset({"c"}), "c": frozenset({"b"}), "d": frozenset[str]()}
    assert circle(rooms) == ["a", "b", "c"]


def test_the_state_of_a_session_is_free_of_textual() -> None:
    names = [module.name for module in MODULES if (module.room, module.inner_room) == ("ui", "state")]
    assert loaded_after_importing(names) & {"textual", "rich"} == set()


# Importing __main__ would start the program; how little it loads is seen below, where it is started.
@pytest.mark.parametrize("room", [room for room in FOUND_ROOMS if room != "__main__"])
def test_importing_a_room_loads_nothing_unwanted(room: str) -> None:
    names = [module.name for module in MODULES if module.room == room and module.name not in DRIVER_MODULES]
    assert loaded_after_importing(names) & ROOMS[room].unwanted == set()


@pytest.mark.parametrize("name", sorted({module.name for module in MODULES} & LIGHT_MODULES))
def test_what_is_needed_before_the_first_paint_is_light(name: str) -> None:
    assert loaded_after_importing([name]) & HEAVY == set()


def test_the_checks_see_what_is_loaded() -> None:
    assert {"textual", "rich"} <= loaded_after_importing(["textual.app"])


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_a_printed_answer_loads_nothing_heavy(option: str) -> None:
    done = run_python("-X", "importtime", "-m", PACKAGE, option)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert PACKAGE in loaded
    assert loaded & HEAVY == set()
