"""What every test gets: isolation from the developer's own configuration, and private copies of real stores."""

from __future__ import annotations

import gc
import itertools
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests import fixture_stores
from tests.fixture_stores import DESCRIBED_FIXTURES, FixtureStore
from tests.servers.fixtures import databases, databases_on, mariadb, pgbouncer, postgresql

__all__ = ["databases", "databases_on", "mariadb", "pgbouncer", "postgresql"]

# A machine that is busy with other tests is slow now and then; that says nothing about the code.
settings.register_profile("mldeck", settings.get_profile("ci" if "CI" in os.environ else "default"), deadline=None)
settings.load_profile("mldeck")

# A deck is garbage of some 30,000 objects, which is looked for in all that the tests have loaded: once a test, unless told
# otherwise, and a sixth of the time of all of them.
gc.set_threshold(10_000, 20, 50)

_FOREIGN_PREFIXES = ("MLFLOW_", "MLDECK_", "TEXTUAL")
_FOREIGN_VARIABLES = frozenset({"NO_COLOR", "FORCE_COLOR", "COLORTERM", "COLUMNS", "LINES", "TMUX", "STY"})
_numbers = itertools.count()


def pytest_xdist_auto_num_workers() -> int:
    """One more process than cores: the tests of the deck wait half of their time for it to have nothing to do."""
    return 1 + (os.cpu_count() or 1)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "backends(*kinds): the kinds of databases that a test of the store runs on")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what starts programs in terminals, or the real MLflow."""
    for item in items:
        names = vars(item.module).values() if isinstance(item, pytest.Function) else ()
        starts_terminal = any(getattr(each, "__module__", "") == "tests.terminal.terminal" for each in names)
        if starts_terminal or item.get_closest_marker("interop"):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def _homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("homes")


@pytest.fixture(autouse=True)
def isolated(_homes: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory nobody has lived in, and no variable set that changes what mldeck does.

    It is the current directory too, because `mldeck` opens ./mlflow.db and MLflow writes ./mlruns. Returns it.
    """
    home = _homes / str(next(_numbers))
    home.mkdir()
    for name in list(os.environ):
        if name.startswith(_FOREIGN_PREFIXES) or name in _FOREIGN_VARIABLES:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    for kind in ("CONFIG", "STATE", "CACHE", "DATA"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(home / f"xdg-{kind.lower()}"))
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("DO_NOT_TRACK", "1")
    monkeypatch.chdir(home)
    return home


@pytest.fixture(scope="session")
def _extracted(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Unpacks each archive once per test process: decompressing costs far more than copying."""
    folder = tmp_path_factory.mktemp("extracted")

    def extracted(name: str) -> Path:
        path = folder / name
        if not path.exists():
            fixture_stores.extract(name, path)
        return path

    return extracted


@pytest.fixture
def store_copy(_extracted: Callable[[str], Path], tmp_path: Path) -> Callable[[str], FixtureStore]:
    """Call it with the name of a fixture for a store that the test may change as it likes, a fresh one at each call."""
    copies = itertools.count()

    def copy(name: str) -> FixtureStore:
        return fixture_stores.copy(_extracted(name), tmp_path / f"{name}-{next(copies)}")

    return copy


@pytest.fixture(params=["sqlite", "ssh"])
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Lets `tests.editing.writer_of` write to a file on this machine, then to one on another machine."""
    from tests import editing
    from tests.far_hosts import FarWriters, shell_for_ssh, use_as_ssh

    writers = FarWriters()
    if request.param == "ssh":
        use_as_ssh(monkeypatch, shell_for_ssh())
        monkeypatch.setattr(editing, "new_writer", writers)
    yield request.param
    writers.close()


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Local time is the same everywhere."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.delenv("TZ")
    time.tzset()


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs `mldeck` in this process, where standard input is no terminal: exit status, standard output, standard error."""
    from mldeck.cli import main

    def asked(*words: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            status = main([str(word) for word in words])
        except SystemExit as ended:  # argparse
            status = int(ended.code or 0)
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return asked


@pytest.fixture(params=DESCRIBED_FIXTURES)
def fixture_store(request: pytest.FixtureRequest, store_copy: Callable[[str], FixtureStore]) -> FixtureStore:
    """A private copy of each store that has a manifest, in turn: the same contents from several releases."""
    return store_copy(request.param)
