"""The helpers that take root's powers away really do, and give them back: other tests rely on them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.privileges import drop_root_powers_before_exec, without_root_powers

PROBE = """
import sys
for mode, path in (("rb", sys.argv[1]), ("r+b", sys.argv[2])):
    try:
        open(path, mode).close()
        print("opened")
    except PermissionError:
        print("refused")
"""


@pytest.fixture
def unreadable(tmp_path: Path) -> Path:
    path = tmp_path / "unreadable"
    path.write_text("secret")
    path.chmod(0o000)
    return path


@pytest.fixture
def unwritable(tmp_path: Path) -> Path:
    path = tmp_path / "unwritable"
    path.write_text("constant")
    path.chmod(0o444)
    return path


def opens(path: Path, mode: str) -> bool:
    try:
        path.open(mode).close()
    except PermissionError:
        return False
    return True


def test_file_modes_count_inside_and_the_powers_come_back(unreadable: Path, unwritable: Path) -> None:
    before = opens(unreadable, "rb"), opens(unwritable, "r+b")
    with without_root_powers():
        assert not opens(unreadable, "rb")
        assert opens(unwritable, "rb")
        assert not opens(unwritable, "r+b")
    assert (opens(unreadable, "rb"), opens(unwritable, "r+b")) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="ordinary users have no powers to lose")
def test_root_really_has_powers_outside(unreadable: Path, unwritable: Path) -> None:
    assert opens(unreadable, "rb")
    assert opens(unwritable, "r+b")


def test_a_folder_of_mode_0555_takes_no_new_file(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o555)
    with without_root_powers(), pytest.raises(PermissionError):
        (folder / "new").touch()


def test_the_powers_come_back_after_an_exception(unreadable: Path) -> None:
    before = opens(unreadable, "rb")
    with pytest.raises(ZeroDivisionError), without_root_powers():
        raise ZeroDivisionError
    assert opens(unreadable, "rb") == before


def test_nesting_gives_back_only_what_it_took(unreadable: Path) -> None:
    with without_root_powers():
        with without_root_powers():
            assert not opens(unreadable, "rb")
        assert not opens(unreadable, "rb")


def test_a_thread_started_inside_has_no_powers_either(unreadable: Path) -> None:
    seen: list[bool] = []
    with without_root_powers():
        thread = threading.Thread(target=lambda: seen.append(opens(unreadable, "rb")))
        thread.start()
        thread.join()
    assert seen == [False]


def test_a_program_obeys_file_modes(unreadable: Path, unwritable: Path) -> None:
    before = opens(unreadable, "rb")
    probe = subprocess.run(
        [sys.executable, "-c", PROBE, unreadable, unwritable],
        preexec_fn=drop_root_powers_before_exec,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert probe.stdout.split() == ["refused", "refused"]
    assert opens(unreadable, "rb") == before
