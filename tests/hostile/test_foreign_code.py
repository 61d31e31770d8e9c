"""A module that lies beside the database is never imported, and nothing is ever unpickled."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mldeck.__main__ import opens_deck
from mldeck.store.interrupt import Interrupt
from mldeck.store.store import Store
from mldeck.ui.runs.first_read import HeadStart
from mldeck.ui.runs.reading import read_opening
from tests.fixture_stores import FixtureStore
from tests.terminal import hostile
from tests.terminal.terminal import MLDECK, mldeck

SOURCE = Path(__file__).parents[2] / "src" / "mldeck"
UNPICKLERS = {"pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}


def plant_decoys(folder: Path) -> Path:
    """A file for every module that a process of ours could import; each leaves a trace when it runs. Returns the trace."""
    trace = folder / "executed"
    installed = importlib.metadata.packages_distributions()
    names = {*sys.stdlib_module_names, *installed, "sitecustomize", "usercustomize", "mldeck"} - {"__main__"}
    code = f"import builtins\nwith builtins.open({str(trace)!r}, 'a') as file:\n    file.write(__name__ + ' ')\n"
    for name in names:
        if name.isidentifier():
            (folder / f"{name}.py").write_text(code)
    return trace


@pytest.fixture
def store(store_copy: Callable[[str], FixtureStore]) -> Path:
    return store_copy("mlflow-3.17.2").db


def test_the_decoys_would_be_imported(tmp_path: Path) -> None:
    """Python puts the current folder first: without this the other tests here would show nothing."""
    trace = plant_decoys(tmp_path)
    subprocess.run([sys.executable, "-c", "import sqlalchemy"], cwd=tmp_path, check=False, capture_output=True)
    assert trace.exists()


def test_the_deck_beside_decoys(store: Path) -> None:
    trace = plant_decoys(store.parent)
    with mldeck(store.name, cwd=store.parent) as deck:
        deck.wait_for("live · rw")
        deck.press("2", "versions")
        deck.send("q")
        assert deck.wait_exit() == 0
    assert not trace.exists(), trace.read_text()


def test_the_demo_and_its_training_beside_decoys(tmp_path: Path) -> None:
    trace = plant_decoys(tmp_path)
    with mldeck("demo", "--live", cwd=tmp_path) as deck:
        deck.wait_for("live-training-1", timeout=60)
        deck.send("q")
        assert deck.wait_exit() == 0
    assert not trace.exists(), trace.read_text()


@pytest.mark.parametrize(
    "words", [("runs",), ("experiments",), ("models",), ("runs", "-f", "metrics.x < 1")], ids=" ".join
)
def test_commands_beside_decoys(store: Path, words: tuple[str, ...]) -> None:
    trace = plant_decoys(store.parent)
    subprocess.run([MLDECK, *words, "-s", store.name], cwd=store.parent, check=True, capture_output=True)
    assert not trace.exists(), trace.read_text()


def test_nothing_is_unpickled() -> None:
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names.append(node.module)
            assert not {name.partition(".")[0] for name in names} & UNPICKLERS, path


def test_the_head_start_reads_what_the_deck_would(tmp_path: Path) -> None:
    """JSON carries whatever text a store holds, NaN and infinities, to the last bit."""
    for path in (hostile.make_hostile_store(tmp_path),):
        head_start = _asked(path, read_only=True, experiment_name=None)
        told = head_start.result()
        store = Store(path, read_only=True)
        expected = read_opening(store, None, Interrupt())
        store.close()
        assert told is not None
        assert repr(told) == repr(expected)  # NaN is not equal to itself


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"experiments": 1}',
        b'{"experiments": [], "chosen": [1], "page": null}',
        b"[" * 99_999,
    ],
)
def test_an_answer_that_is_none_is_no_head_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    def answering(*_: object, **options: object) -> subprocess.Popen[bytes]:
        return subprocess.Popen(["/bin/cat", tmp_path / "answer"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    (tmp_path / "answer").write_bytes(answer)
    monkeypatch.setattr("mldeck.ui.runs.first_read.start_python", answering)
    head_start = _asked(tmp_path / "absent.db", read_only=True, experiment_name=None)
    assert head_start.result() is None
    head_start.stop()


def test_no_address_on_a_command_line(tmp_path: Path) -> None:
    head_start = _asked(tmp_path / "secret.db", read_only=True, experiment_name="hidden")
    process = head_start._process
    assert process is not None
    line = Path(f"/proc/{process.pid}/cmdline")
    shown = line.read_text() if line.exists() else json.dumps(process.args)
    head_start.stop()
    assert not re.search("secret|hidden", shown)


def test_every_place_gets_the_answer(store: Path) -> None:
    """Several come up at once when keys are typed in the first second."""
    head_start = _asked(store, read_only=True, experiment_name=None)
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: head_start.result(), range(4)))
    head_start.stop()
    assert answers[0] is not None
    assert all(answer is answers[0] for answer in answers)


def test_packages_that_only_a_pth_file_finds(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", ["", *(folder for folder in sys.path if "site-packages" not in folder)])
    monkeypatch.setattr(sys, "path", [folder for folder in sys.path if Path(folder) != SOURCE.parent])
    head_start = _asked(store, read_only=True, experiment_name=None)
    assert head_start.result() is not None


@pytest.mark.parametrize(
    ("words", "opens"),
    [
        ([], True),
        (["mlflow.db"], True),
        (["--read-only"], True),
        (["-e", "churn"], True),
        (["runs"], False),
        (["demo", "--live"], False),
        (["mlflow.db", "--wait"], False),
        (["--version"], False),
    ],
)
def test_the_second_process_is_begun_for_a_deck(words: list[str], opens: bool) -> None:
    assert opens_deck(words) is opens


def test_stopping_ends_whoever_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def sleeping(*_: object, **options: object) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-c", "import time; time.sleep(60)"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    monkeypatch.setattr("mldeck.ui.runs.first_read.start_python", sleeping)
    head_start = _asked(tmp_path / "mlflow.db", read_only=True, experiment_name=None)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(head_start.result)
        time.sleep(0.1)
        head_start.stop()
        assert waiting.result(timeout=20) is None


def test_a_head_start_that_is_never_asked_ends_with_the_deck() -> None:
    head_start = HeadStart()
    head_start.begin()
    process = head_start._process
    assert process is not None
    assert process.stdin is not None
    assert process.poll() is None
    process.stdin.close()  # as the system does when the deck is killed
    assert process.wait(timeout=20) == 1
    head_start.stop()


def _asked(path: Path, *, read_only: bool, experiment_name: str | None) -> HeadStart:
    head_start = HeadStart()
    head_start.ask(path, read_only=read_only, experiment_name=experiment_name)
    return head_start
