"""Odd standard streams, and a current folder that is gone: what can be typed or closed never ends in a traceback."""

from __future__ import annotations

import os
import random
import re
import sqlite3
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from tests.fixture_stores import FixtureStore
from tests.terminal.terminal import MLDECK, Terminal, mldeck

Ask = Callable[..., tuple[int, str, str]]
ODD_INPUT = {
    "latin-1": "é".encode("latin-1"),
    "half-a-character": "漢".encode()[:2] + b"jj",
    "every-high-byte": bytes(range(0x80, 0x100)),
    "no-number": b"\x1b[:u",
    "no-number-in-a-report": b"\x1b[2048:R",
    "no-character": b"\x1b[2026202648u",
    "large-number": b"\x1b[99999999999999999999u",
    "surrogate": b"\x1b[55296u",
    "nul": b"\0\0\0",
    "pasted-binary": b"\x1b[200~\xff\xfe\0\x9b31m\x1b[201~",
    "mouse-far-away": b"\x1b[<0;99999;99999M\x1b[<0;-1;-1m",
    "size": b"\x1b[?2048;1$y\x1b[48;99999999;99999999;1;1t\x1b[48;0;0;0;0t",
    "unfinished": b"\x1b]52;c;" + b"x" * 5000,
}


@pytest.fixture
def store(store_copy: Callable[[str], FixtureStore]) -> Path:
    return store_copy("mlflow-3.17.2").db


@pytest.fixture
def deck(store: Path) -> Iterator[Terminal]:
    with mldeck(store) as opened:
        opened.wait_for("live · rw")
        yield opened
        opened.send("\x1b[27u" * 2)  # Esc: out of whatever came up
        opened.press("?", "Esc close")
        opened.press("\x1b[27u", "Esc close", gone=True)
        opened.send("q")
        assert opened.wait_exit() == 0
        opened.assert_left_as_found()


@pytest.mark.parametrize("data", ODD_INPUT.values(), ids=ODD_INPUT)
def test_input_that_is_no_key(deck: Terminal, data: bytes) -> None:
    deck.send_bytes(data)
    deck.settle(0.4)


def test_input_that_is_no_key_in_a_text(deck: Terminal) -> None:
    deck.press("f", "Enter")
    for data in ODD_INPUT.values():
        deck.send_bytes(data)
    deck.settle(0.4)


def test_random_input(store: Path) -> None:
    """Bytes and the pieces that sequences are made of; `q` is not among them, so the deck stays."""
    dice = random.Random(11)
    pieces = [b"\x1b[", b"\x1b[<", b"\x1b]", b"\x1bO", b"\x1bP", b";", b":", b"9" * 12, b"u", b"M", b"R", b"~", b"$y"]
    with mldeck(store) as deck:
        deck.wait_for("live · rw")
        for _ in range(300):
            noise = b"".join(dice.choice([dice.choice(pieces), dice.randbytes(2)]) for _ in range(8))
            # No key that leaves, deletes, or opens another program.
            deck.send_bytes(bytes(byte for byte in noise if byte not in b"qxXDoe\x03\x11\x1a"))
        deck.settle(0.5)
        assert deck.process.poll() is None, deck.frame()


def run_closed(words: Sequence[str | Path], closed: str) -> subprocess.CompletedProcess[str]:
    line = ["sh", "-c", f'exec "$@" {closed}', "sh", MLDECK, *map(str, words)]
    return subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("closed", ["<&-", "2>&-", "<&- 2>&-"])
def test_commands_without_a_stream(store: Path, closed: str) -> None:
    done = run_closed(("runs", "-s", store, "--format", "json"), closed)
    assert done.returncode == 0
    assert done.stdout.startswith("[")
    assert done.stderr == ""
    failed = run_closed(("runs", "-s", "absent.db"), closed)
    assert (failed.returncode, failed.stdout) == (2, "")


@pytest.mark.parametrize("words", [("runs",), ("--version",), ("experiments",)], ids=" ".join)
def test_commands_without_an_output(store: Path, words: tuple[str, ...]) -> None:
    """As coreutils do it: what cannot be written is no success."""
    before = store.read_bytes()
    done = run_closed(words, ">&-")
    assert done.returncode == 1
    assert done.stderr == "mldeck: the standard output is closed: there is nowhere to write to\n"
    assert run_closed(words, "<&- >&- 2>&-").returncode == 1
    assert store.read_bytes() == before


@pytest.mark.parametrize(
    ("closed", "status", "said"),
    [("<&-", 2, "needs a terminal"), (">&-", 1, "standard output is closed"), ("</dev/null", 2, "needs a terminal")],
)
def test_the_deck_without_a_stream(store: Path, closed: str, status: int, said: str) -> None:
    with Terminal(["sh", "-c", f'exec "$@" {closed}', "sh", MLDECK, store]) as deck:
        assert deck.wait_exit() == status
        assert said in deck.text
        deck.assert_left_as_found()


@pytest.mark.parametrize("errors", ["2>&-", "2>errors.txt", "2>/dev/null"])
def test_the_deck_with_errors_elsewhere(store: Path, errors: str) -> None:
    """The screen is drawn where the terminal is."""
    with Terminal(["sh", "-c", f'exec "$@" {errors}', "sh", MLDECK, store], cwd=store.parent) as deck:
        deck.wait_for("live · rw")
        deck.send("q")
        assert deck.wait_exit() == 0
        deck.assert_left_as_found()
    if errors == "2>errors.txt":
        assert (store.parent / "errors.txt").read_text() == ""


# -- a locale that is not UTF-8

ASCII_LOCALE = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
LATIN = {"PYTHONIOENCODING": "latin-1"}


@pytest.mark.parametrize("env", [ASCII_LOCALE, LATIN], ids=["ascii", "latin-1"])
@pytest.mark.parametrize("words", [(), ("plot", "run-in-s3", "-m", "auc")], ids=["deck", "plot"])
def test_what_cannot_be_drawn_is_said_in_one_line(store: Path, env: dict[str, str], words: tuple[str, ...]) -> None:
    arguments: tuple[str | Path, ...] = (*words, "-s", store) if words else (store,)
    with mldeck(*arguments, env=env, cols=200) as deck:
        assert deck.wait_exit() == 2
        assert len(deck.text.strip().splitlines()) == 1
        assert "LC_ALL=C.UTF-8" in deck.text
        deck.assert_left_as_found()


def test_a_plot_in_a_file_needs_no_locale(store: Path) -> None:
    words = [MLDECK, "plot", "run-in-s3", "-m", "auc", "-s", str(store)]
    done = subprocess.run(words, capture_output=True, env={**os.environ, **ASCII_LOCALE}, timeout=60, check=True)
    assert "│" in done.stdout.decode()


def test_a_terminal_that_lacks_a_character_gets_a_table(store: Path) -> None:
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("UPDATE runs SET name = 'обу'")
    with mldeck("runs", "-s", store, "--columns", "run_name,params.none", env=ASCII_LOCALE) as program:
        assert program.wait_exit() == 0
        assert re.search(r"^\\u043e\\u0431\\u0443 +-$", program.text, re.MULTILINE)
        assert "\\u2013" not in program.text


# -- words that nobody understands

ACTS = "\x1b]0;owned\x07\x9b31m\u202e\n"


@pytest.mark.parametrize(
    "words",
    [
        ("one", f"two{ACTS}"),
        (f"--no{ACTS}",),
        ("runs", f"--no{ACTS}"),
        ("runs", "--format", ACTS),
        ("runs", "--limit", ACTS),
        ("plot", "a", "-m", "x", "--smooth", ACTS),
        ("artifacts", ACTS),
        ("artifacts", "list", "a", f"--no{ACTS}"),
        ("models", f"--no{ACTS}"),
        ("promote", "a", "1", ACTS),
        ("register", "a", "b", "c", f"--no{ACTS}"),
        ("demo", f"--no{ACTS}"),
        ("experiments", "--view", ACTS),
    ],
    ids=lambda words: words[0] if words[0].isalnum() else "option",
)
def test_a_word_that_is_not_understood_does_not_act(ask: Ask, words: tuple[str, ...]) -> None:
    status, out, err = ask(*words)
    assert (status, out) == (2, "")
    assert "owned" in err
    assert all(each.isprintable() for each in err.replace("\n", ""))
    assert err.endswith("\n")


# -- names and folders


def test_a_file_that_begins_with_a_tilde(
    store: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(store.parent)
    store.rename("~x.db")
    status, out, _ = ask("experiments", "-s", "./~x.db")
    assert (status, "churn-baseline" in out) == (0, True)
    status, _, err = ask("experiments", "-s", "~x.db")
    assert status == 2
    assert "a file of that name is ./~x.db" in err
    monkeypatch.setenv("HOME", str(tmp_path))
    Path("~x.db").rename(tmp_path / "home.db")
    assert ask("experiments", "-s", "~/home.db")[0] == 0


@pytest.fixture
def deleted_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "deleted"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()


@pytest.mark.usefixtures("deleted_folder")
@pytest.mark.parametrize(
    "words", [("runs", "-s", "x.db"), ("x.db",), ("sqlite:///x.db",), ("demo", "--path", "y")], ids=" ".join
)
def test_a_relative_path_in_a_deleted_folder(ask: Ask, words: tuple[str, ...]) -> None:
    status, _, err = ask(*words)
    assert status == 2
    assert "the current folder was deleted; go to another one, or give an absolute path" in err


def test_the_deck_in_a_deleted_folder(store: Path, tmp_path: Path) -> None:
    folder = tmp_path / "deleted"
    folder.mkdir()
    with Terminal(
        ["sh", "-c", 'rmdir "$PWD"; exec "$@"', "sh", MLDECK, store, "--experiment", "churn-baseline"], cwd=folder
    ) as deck:
        deck.wait_for("live · rw")
        deck.press("G]]]]", "model")
        deck.press("\r", "d download")
        deck.press("d", "the current folder was deleted")
        deck.press("\x1b[27u", "the current folder was deleted", gone=True)
        deck.press("E", "Export these runs")
        deck.press("\r", "Not exported")
        deck.send("\x1b[27u\x1b[27uq")
        assert deck.wait_exit() == 0
        deck.assert_left_as_found()
