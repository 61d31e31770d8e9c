"""The commands of the README do what it says, and what the documents point at is there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from importlib.metadata import metadata
from pathlib import Path

import pytest

from mldeck.demo.project import make_demo
from mldeck.store.ssh.command import SSH_VARIABLE
from tests.far_hosts import shell_for_ssh
from tests.file_stores import FolderWriter
from tests.terminal.terminal import MLDECK, mldeck

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "src/mldeck/DESIGN.md")

_SCRIPTS = "### In scripts"


def commands(text: str) -> Iterator[str]:
    """The lines of the code blocks, without comments."""
    for line in re.findall(r"^ {4,}(\S.*)$", text, re.MULTILINE):
        if command := line.partition("  #")[0].strip():
            yield command


def last_of_chains(text: str) -> Iterator[list[str]]:
    """The words of each command, of `a && b` of the last one."""
    for command in commands(text):
        yield shlex.split(command.rpartition(" && ")[2])


OPENING = [words[1:] for words in last_of_chains(README.partition(_SCRIPTS)[0]) if words[0].endswith("mldeck")]
"""The words after `mldeck` of the commands that open the deck."""
IN_SCRIPTS = list(commands(README.partition(_SCRIPTS)[2].partition("### ")[0]))


def test_the_commands_are_found() -> None:
    assert ["demo"] in OPENING
    assert [] in OPENING
    assert len(OPENING) >= 6
    assert len(IN_SCRIPTS) >= 10


def test_the_commands_for_scripts_do_what_they_say(tmp_path: Path) -> None:
    """One after the other, in one folder, as somebody would who tries them."""
    make_demo(tmp_path)
    path = os.pathsep.join((str(Path(MLDECK).parent), os.environ["PATH"]))
    for command in IN_SCRIPTS:
        assert command.startswith("mldeck ")
        done = subprocess.run(
            ["bash", "-c", command], cwd=tmp_path, env=os.environ | {"PATH": path}, capture_output=True, text=True, timeout=60
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, ""), command
        assert done.stdout or ">" in command, command
    runs, losses = ((tmp_path / name).read_text(encoding="utf-8") for name in ("runs.csv", "loss.csv"))
    assert len(runs.splitlines()) > 50
    assert "candidate-logreg" in losses
    assert (tmp_path / "copy" / "MLmodel").is_file()
    models = [MLDECK, "models", "-s", "mlflow.db", "churn-scorer"]
    versions = subprocess.run(models, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    stages = {line.split()[0]: line.split()[1] for line in versions.stdout.splitlines()[1:] if line[:1].isdigit()}
    assert (stages["4"], stages["3"], stages["6"]) == ("Production", "Archived", "None")


@pytest.mark.parametrize("words", sorted({tuple(words) for words in OPENING}), ids=" ".join)
def test_the_commands_that_open_the_deck_open_it(words: tuple[str, ...], tmp_path: Path) -> None:
    database = make_demo(tmp_path)
    for folder in (tmp_path / "path" / "to", tmp_path / "runs"):
        folder.mkdir(parents=True)
        (folder / "mlflow.db").symlink_to(database)
    folder_writer = FolderWriter(tmp_path / "mlruns")
    folder_writer.experiment("900", "churn-forecast")
    folder_writer.run(1, experiment_id="900")
    is_folder = "./mlruns" in words
    is_far = any(":runs" in word for word in words)
    home_over_there = shell_for_ssh(f"cd {shlex.quote(str(tmp_path))}")
    with mldeck(*words, cwd=tmp_path, env={SSH_VARIABLE: home_over_there} if is_far else {}) as terminal:
        terminal.wait_for("churn-forecast")
        terminal.wait_for(re.compile(r"\d+ runs? "))
        terminal.wait_for("· read-only" if is_far or is_folder or "--read-only" in words else "· rw")
        terminal.send("q")
        assert terminal.wait_exit() == 0


@pytest.mark.parametrize("document", DOCUMENTS)
def test_what_the_set_up_names_exists(document: str) -> None:
    extras = set(metadata("mldeck").get_all("Provides-Extra", []))
    text = (ROOT / document).read_text(encoding="utf-8")
    for names in re.findall(r"'\.\[([\w,]+)\]'", text):
        assert set(names.split(",")) <= extras
    for file in re.findall(r"-c (\S+)", text):
        assert (ROOT / file).is_file()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_to_files(document: str) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", (ROOT / document).read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (ROOT / document).parent.joinpath(link).is_file()] == []
