"""The built wheel holds the package, with what is not Python, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    (path,) = folder.iterdir()
    with zipfile.ZipFile(path) as opened:
        yield opened


def test_it_holds_the_package_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    source = ROOT / "src"
    package = {
        path.relative_to(source).as_posix()
        for path in (source / "mldeck").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".md"
    }
    names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert names == package
    assert {Path(name).suffix for name in names} == {".py", ".sql", ".tcss", ".typed"}
    assert "mldeck/py.typed" in names


def test_it_says_what_it_is(wheel: zipfile.ZipFile) -> None:
    about = {name.partition(".dist-info/")[2] for name in wheel.namelist() if ".dist-info/" in name}
    assert about == {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"}


_USE = """
import inspect, pathlib, sys
sys.path.insert(0, sys.argv[1])
import mldeck
from mldeck.demo.project import make_demo
from mldeck.ui.app import DeckApp

print(mldeck.__file__)
print(make_demo(pathlib.Path("demo")).is_file())
print([sheet for sheet in DeckApp.CSS_PATH if not (pathlib.Path(inspect.getfile(DeckApp)).parent / sheet).is_file()])
"""


def test_its_files_are_found_where_the_code_looks_for_them(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    """In an interpreter that sees the unpacked wheel instead of the checkout: the SQL of the sample store, and the styles."""
    wheel.extractall(tmp_path)
    command = [sys.executable, "-c", _USE, str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.stdout.splitlines() == [str(tmp_path / "mldeck" / "__init__.py"), "True", "[]"], done.stderr
