"""No foreign text reaches the terminal as a command: the raw bytes of every place, dialog, field and message.

`tests/terminal/test_hostile.py` does the same for the inspector's tabs, the columns, and finding.
"""

from __future__ import annotations

import hashlib
import json
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.color import Color

from mldeck.format import escaped, safe, unescaped
from mldeck.model import Metric
from mldeck.store.seed.seed import new_store
from mldeck.ui.kit.text_field import TextBox, TextField
from mldeck.ui.terminal_filter import ControlFilter
from tests.terminal import hostile
from tests.terminal.terminal import ENTER, RIGHT, TAB, Terminal, mldeck
from tests.terminal.test_hostile import assert_only_our_commands, leave

ESC = "\x1b[27u"
ACTS = hostile.RED + hostile.CLIPBOARD + hostile.TITLE + hostile.JUMP + hostile.EIGHT_BIT + hostile.BACKWARDS
"""Everything in one text that a terminal would act on."""
MODEL = f"m{ACTS}"
UNSAFE = [chr(code) for code in (*range(32), *range(0x7F, 0xA0), 0x202E, 0x2066, 0x200B, 0xFEFF, 0x2028, 0xAD)]


# -- the net before the terminal


def filtered(*segments: Segment) -> list[Segment]:
    return ControlFilter().apply(list(segments), Color(0, 0, 0))


@pytest.mark.parametrize("character", UNSAFE, ids=lambda each: f"{ord(each):02X}")
def test_no_segment_holds_a_control_character(character: str) -> None:
    (segment,) = filtered(Segment(f"a{character}b", Style(bold=True)))
    assert character not in segment.text
    assert segment.text.startswith("a")
    assert segment.text.endswith("b")
    assert segment.style == Style(bold=True)


@given(st.text())
def test_widths_stay_the_same(text: str) -> None:
    (segment,) = filtered(Segment(text))
    assert cell_len(segment.text) == cell_len(text)
    assert safe(segment.text) == segment.text


def test_no_hyperlink_is_sent() -> None:
    (segment,) = filtered(Segment("text", Style(link="https://example.org/\x1b]0;owned\x07")))
    assert segment.style is not None
    assert segment.style.link is None


def test_plain_lines_are_left_alone() -> None:
    line = [Segment("plain", Style(bold=True)), Segment("漢字 é 🚀")]
    assert filtered(*line) == line


# -- fields that give back what they were given

TEXTS = st.lists(
    st.one_of(st.sampled_from([*UNSAFE, "⟦", "⟧", "1", "B", "0", "A", "\r\n"]), st.characters()), max_size=30
).map("".join)
LINES = st.lists(st.sampled_from(["\r\n", "\n", "\r", "a", "\t", "\x1b", "⟦"]), max_size=12).map("".join)


@given(TEXTS)
def test_a_text_comes_out_of_its_codes_unchanged(text: str) -> None:
    assert unescaped(escaped(text)) == text
    assert safe(escaped(text)) == escaped(text)


async def test_a_line_gives_back_what_it_was_given() -> None:
    dice = random.Random(3)
    pieces = [*UNSAFE, "⟦", "⟧", "1B", "27E6", "\r\n", "é", "漢", "🚀"]
    async with App[None]().run_test() as pilot:
        field = TextField("", id="field")
        await pilot.app.mount(field)
        for _ in range(500):
            text = "".join(dice.choice(pieces) for _ in range(dice.randrange(12)))
            field.text = text
            assert field.text == text
            assert safe(field.value) == field.value
            for index in range(len(text) + 1):
                field.cursor = index
                assert field.cursor == index


@given(LINES)
def test_several_lines_give_back_what_they_were_given(text: str) -> None:
    """Whatever ends its lines: a note that is looked at and saved must not change."""
    assert TextBox(text, id="box").whole_text == text


# -- the deck


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "store"
    folder.mkdir()
    return folder


@pytest.fixture
def store(folder: Path) -> Path:
    path, now = folder / "mlflow.db", hostile.NOW
    with new_store(path, artifact_root=folder / "mlruns", time=now) as writer:
        experiment = writer.create_experiment(
            ACTS, artifact_root=folder / "mlruns" / "1", time=now, tags={"mlflow.note.content": ACTS, ACTS: ACTS}
        )
        run, model = "", None
        for number in range(3):
            run = writer.create_run(experiment, f"{ACTS}{number}", user=ACTS, time=now + number)
            writer.log_params(run, {ACTS: f"{ACTS}{number}", "lr": "0.1"})
            writer.set_tags(run, {ACTS: ACTS, f"t{ACTS}": ACTS})
            writer.log_metrics(
                run, [Metric(key, number + step, now + step, step) for key in (ACTS, "b") for step in range(4)]
            )
            writer.set_note(run, f"# {ACTS}\n\n{ACTS}\r\n")
            writer.end_run(run, "FINISHED", now + number + 1)
            model = writer.log_model(run, MODEL, step=0, time=now, tags={ACTS: ACTS})
            if number == 0:
                writer.create_registered_model(MODEL, time=now, description=ACTS, tags={ACTS: ACTS})
            version = writer.create_model_version(MODEL, model, time=now, description=ACTS, tags={ACTS: ACTS})
            writer.set_alias(MODEL, f"alias{ACTS}", version)
        assert model is not None
        artifacts = Path(writer.artifact_uri(run))
        located = Path(model.artifact_location)
    for place in (artifacts, located):
        place.mkdir(parents=True)
        (place / f"{ACTS}.txt").write_text(ACTS)
        (place / f"{ACTS}.json").write_text(json.dumps({ACTS: [ACTS]}))
        (place / f"{ACTS}.csv").write_text(f"{ACTS},b\n{ACTS},1\n")
        (place / f"{ACTS}.md").write_text(f"# {ACTS}\n[{ACTS}](https://x/{ACTS})\n")
        (place / f"{ACTS}.py").write_text(f"# {ACTS}\nx = '{ACTS}'\n")
    (located / "MLmodel").write_text(json.dumps({"flavors": {ACTS: {ACTS: ACTS}}, "artifact_path": ACTS}))
    return path


def remember(store: Path, home: Path) -> None:
    """A state file as a hostile one could be: filters and columns that act."""
    digest = hashlib.sha256(str(store.absolute()).encode()).hexdigest()[:16]
    file = home / "mldeck" / "stores" / f"{digest}.json"
    file.parent.mkdir(parents=True)
    columns = {"added": [["params", ACTS]], "pinned": [["tags", ACTS]], "widths": {ACTS: 9}}
    file.write_text(
        json.dumps(
            {
                "history": [ACTS, f"params.`{ACTS}` = 'x'"],
                "starred": {ACTS: ACTS},
                "experiments": {"1": {"columns": columns}},
            }
        )
    )


@pytest.fixture
def deck(store: Path, tmp_path: Path) -> Iterator[Terminal]:
    home = tmp_path / "state"
    remember(store, home)
    with mldeck(
        store, cols=140, rows=40, env={"XDG_STATE_HOME": str(home), "EDITOR": f"no-such-{ACTS}", "PAGER": "true"}
    ) as opened:
        opened.wait_for("3 runs")
        opened.wait_for("live · rw")
        yield opened
        for _ in range(6):
            opened.send(ESC)
            opened.settle(0.1)
        opened.send("q")
        assert opened.wait_exit() == 0, opened.frame()
        opened.assert_left_as_found()
        assert_only_our_commands(opened)


def walk(deck: Terminal, *steps: str) -> None:
    for keys in steps:
        deck.send(keys)
        deck.settle(0.15)


DIALOGS = {
    "edit name": ("e", "n", RIGHT, "x", ENTER),
    "edit note": ("e", "m", "d", RIGHT, "x", "\x13"),
    "edit note outside": ("e", "m", "e"),
    "edit tags": ("e", "t", ACTS.replace("\x1b", ""), TAB, "v", ENTER),
    "delete tags": ("e", "k", ENTER, "y"),
    "delete": ("x", "n", "x", "y", "v", "X", "y"),
    "copy as": ("Y", "c", "Y", "r", "Y", "f"),
    "export": ("E", "\x15" + "/proc/nowhere", ENTER, ESC),
    "columns": ("c", "/", "m", ESC),
    "register": ("r", TAB, ENTER),
    "group": ("B", ENTER, "z", ENTER, "T"),
    "chart": ("]", ENTER, "m", "n", "g", "o", "m", ESC, "E", ESC, "?", ESC),
    "chart of a column": (" ", "j", " ", RIGHT, RIGHT, RIGHT, "m", RIGHT, "+", "[", "l", "a", "r", ESC),
    "best": (RIGHT, RIGHT, RIGHT, "b", ESC, "s", "#", "S", ESC),
    "help": ("?", ESC, ":", "x", ESC),
    "compare": ("\x01", "=", "}", "}", "}", "}", "E", ESC),
}


@pytest.mark.parametrize("steps", DIALOGS.values(), ids=DIALOGS)
def test_dialogs_of_runs(deck: Terminal, steps: tuple[str, ...]) -> None:
    walk(deck, *steps)


FILTERS = {
    "history": ("f", "\x1b[A", "\x1b[A", ENTER),
    "stars": ("f", "\x1b[A", "\x13", "name", ENTER),
    "complete a key": ("f", "params.", TAB, TAB, ENTER),
    "complete a value": ("f", "params.lr", " = ", TAB, ESC, "f", "attributes.run_name = ", TAB, ENTER),
    "an error": ("f", f"metrics.{ACTS.replace(chr(27), '').replace(chr(7), '')} <", ENTER),
}


@pytest.mark.parametrize("steps", FILTERS.values(), ids=FILTERS)
def test_filters(deck: Terminal, steps: tuple[str, ...]) -> None:
    walk(deck, *steps)


MODELS = {
    "describe": ("d", RIGHT, "x", "\x13"),
    "describe the model": (ESC, "d", "d", "x", "\x13"),
    "rename": ("R", RIGHT, "x", ENTER),
    "delete": ("D", ACTS.replace("\x1b", ""), ESC),
    "delete the model": (ESC, "D", "x", ENTER, ESC),
    "tags": ("t", ENTER, ESC),
    "aliases": ("@", ENTER, ESC),
    "promote": ("p", "because", ENTER),
    "history": ("p", ENTER, "H", ENTER),
    "undo": ("s", ENTER, "u", ENTER),
    "filter": ("f", "tags.", TAB, ENTER),
    "table": ("v", RIGHT, "S", "E", ESC),
    "tabs": ("]", "]", "]", "]"),
}


@pytest.mark.parametrize("steps", MODELS.values(), ids=MODELS)
def test_dialogs_of_models(deck: Terminal, steps: tuple[str, ...]) -> None:
    deck.press("2", "3 versions")
    walk(deck, ENTER, *steps)


def test_files(deck: Terminal) -> None:
    walk(deck, "g", "]", "]", "]", "]", ENTER, "g")
    for _ in range(6):
        walk(deck, "v", "R", "w", ESC, "d", ESC, "y", "j")
    walk(deck, "/", "t", ENTER, "d", "\x15/proc/nowhere/x", ENTER, ESC, "o", "e")


def test_models_of_runs(deck: Terminal) -> None:
    walk(deck, "]", "]", "]", "]", "]", ENTER, ENTER, "j", "y", ESC)


def test_what_is_saved_is_what_was_there(store: Path) -> None:
    """A name that is edited at its end keeps the rest, byte for byte."""
    with closing(sqlite3.connect(store)) as connection:
        (before,) = connection.execute("SELECT name FROM runs ORDER BY start_time DESC LIMIT 1").fetchone()
    with mldeck(store) as deck:
        deck.wait_for("live · rw")
        deck.wait_for("3 runs")
        walk(deck, "e", "n", "\x05", "!", ENTER)
        deck.wait_for("Esc cancel", gone=True)
        deck.settle(0.5)
        leave(deck)
        assert_only_our_commands(deck)
    with closing(sqlite3.connect(store)) as connection:
        (after,) = connection.execute("SELECT name FROM runs ORDER BY start_time DESC LIMIT 1").fetchone()
    assert after == before + "!"


def test_a_theme_and_a_path_that_act(store: Path, folder: Path) -> None:
    for words in (("--theme", ACTS), (folder / ACTS,), ("--experiment", ACTS * 2), ("runs", "-s", folder / ACTS)):
        with mldeck(store, *words) if words[0] in ("--theme", "--experiment") else mldeck(*words) as program:
            program.settle(0.5)
            program.send("q")
            program.wait_exit()
            assert_only_our_commands(program)
