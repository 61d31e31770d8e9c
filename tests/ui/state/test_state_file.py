"""Files of saved state that several processes write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mldeck.ui.state.state_file import StateFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "state.json"


def write(file: StateFile, values: dict[str, Any]) -> None:
    file.write(values)
    file.flush()


def test_two_processes_keep_each_others_changes(path: Path) -> None:
    write(StateFile(path), {"experiments": {"1": {"columns": 1, "list": 1}}, "history": ["a"], "last": {"tabs": 1}})
    ours, theirs = StateFile(path), StateFile(path)
    ours.read()
    theirs.read()
    write(theirs, {"experiments": {"1": {"columns": 2, "list": 1}}, "history": ["a", "b"], "last": {"tabs": 1}})
    write(ours, {"experiments": {"1": {"columns": 1, "list": 3}}, "history": ["a", "c"], "last": {"tabs": 5}})
    assert json.loads(path.read_text()) == {
        "experiments": {"1": {"columns": 2, "list": 3}},
        "history": ["b", "a", "c"],
        "last": {"tabs": 5},
    }


def test_the_last_to_change_a_value_wins(path: Path) -> None:
    first, second = StateFile(path), StateFile(path)
    write(first, {"theme": "light"})
    write(second, {"theme": "dark"})
    assert json.loads(path.read_text()) == {"theme": "dark"}


def test_what_another_process_has_removed_stays_removed(path: Path) -> None:
    write(StateFile(path), {"starred": {"a": "x", "b": "y"}})
    ours, theirs = StateFile(path), StateFile(path)
    ours.read()
    theirs.read()
    write(theirs, {"starred": {"b": "y"}})
    write(ours, {"starred": {"a": "x", "b": "y", "c": "z"}})
    assert json.loads(path.read_text()) == {"starred": {"b": "y", "c": "z"}}


def test_what_is_removed_here_is_removed(path: Path) -> None:
    file = StateFile(path)
    write(file, {"starred": {"a": "x", "b": "y"}, "history": ["a", "b"]})
    write(file, {"starred": {"b": "y"}, "history": ["b"]})
    assert json.loads(path.read_text()) == {"starred": {"b": "y"}, "history": ["b"]}


def test_only_the_newest_of_many_writes_is_waited_for(path: Path) -> None:
    file = StateFile(path)
    for number in range(1_000):
        file.write({"number": number})
    file.flush()
    assert json.loads(path.read_text()) == {"number": 999}
    assert list(path.parent.iterdir()) == [path]
