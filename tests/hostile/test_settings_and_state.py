"""Settings, what is remembered, and JSON in tags: whatever lies there, nothing hangs and nothing ends."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mldeck.errors import UsageError
from mldeck.foreign import load_json, read_file
from mldeck.settings import config_file, load_settings, state_folder
from mldeck.ui.compare.axes import columns_from_json, logs_from_json
from mldeck.ui.compare.data import column_from_json
from mldeck.ui.state import metric_direction as best
from mldeck.ui.state.columns import choice_from_json
from mldeck.ui.state.restored import (
    ListChoice,
    keep_choice,
    kept_choice,
    left_experiment,
    left_marks,
    left_tab,
    left_tree,
)
from mldeck.ui.state.saved_state import SavedState
from tests.editing import sql
from tests.fixture_stores import FixtureStore
from tests.privileges import without_root_powers
from tests.registry_rooms import MODEL
from tests.store_rows import all_rows
from tests.ui.compare.compare_deck import VIEW_NAMES, comparing
from tests.ui.deck import Deck, running_deck
from tests.ui.filter.test_filter_line import type_text
from tests.ui.textual_insides import told

CopyOf = Callable[[str], FixtureStore]
Ask = Callable[..., tuple[int, str, str]]

TAXI = "nyc-taxi-experiment"
NESTED = "[" * 100_000


def _link_to_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)  # nothing of it is on the disk


def _turn_parent_into_file(path: Path) -> None:
    path.parent.rmdir()
    path.parent.write_text("mine")


NO_FILES: dict[str, tuple[Callable[[Path], None], str]] = {
    "pipe": (os.mkfifo, "it is a pipe or a device"),
    "device": (_link_to_device, "it is a pipe or a device"),
    "folder": (Path.mkdir, "Is a directory"),
    "huge": (_huge, "it is larger than"),
    "circle": (lambda path: path.symlink_to(path), "Too many levels of symbolic links"),
    "parent": (_turn_parent_into_file, "Not a directory"),
}
"""By name: how to make it, and what is said about it."""

NO_JSON: dict[str, tuple[bytes, str]] = {
    "nested": (b'{"experiments": ' + NESTED.encode(), "it is nested too deeply"),
    "nested, and whole": (b'{"history": ' + b"[" * 200 + b"]" * 200 + b"}", "it is nested too deeply"),
    "list": (b"[1]", "it holds no JSON object"),
    "cut off": (b'{"history": ["a', "Unterminated string"),
    "no text": (b'{"history": ["\xff"]}', "can't decode byte 0xff"),
    "half a character": (rb'{"history": ["\ud800"]}', "surrogates not allowed"),
}


@pytest.fixture
def taxi(store_copy: CopyOf) -> Path:
    return store_copy("nyc-taxi").db


@pytest.fixture
def config() -> Path:
    file = config_file()
    file.parent.mkdir(parents=True)
    return file


@pytest.fixture
def state(taxi: Path) -> Path:
    """Where the deck remembers something of that store."""
    file = SavedState.of(taxi).file
    file.parent.mkdir(parents=True)
    return file


async def use(deck: Deck) -> None:
    """Do what is remembered."""
    await deck.until_counted(45)
    await deck.press("f")
    await type_text(deck, "candidate")
    await deck.press("enter")
    await deck.until(lambda: deck.screen.table.row_count == 3, "filtered")
    await deck.press("f", "up")


def complaints(deck: Deck) -> list[str]:
    return [each for each in told(deck.app) if "cannot be read" in each]


# -- settings


@pytest.mark.parametrize("kind", NO_FILES)
def test_settings_that_are_no_file(kind: str, config: Path, taxi: Path, ask: Ask) -> None:
    make, why = NO_FILES[kind]
    make(config)
    status, out, error = ask("runs", "--store", taxi)
    assert (status, out) == (2, "")
    assert error.startswith(f"mldeck: the settings file {config} cannot be read: {why}")
    with pytest.raises(UsageError, match="cannot be read"):
        load_settings()


def test_settings_that_may_not_be_read(config: Path) -> None:
    config.touch(mode=0)
    with without_root_powers(), pytest.raises(UsageError, match="cannot be read: Permission denied"):
        load_settings()


@pytest.mark.parametrize(
    "text", ["a = " + "[" * 10_000, "a = " + "{a = " * 5_000, "a" + ".a" * 1_000 + " = " + "[" * 9_000]
)
def test_settings_that_are_nested(text: str, config: Path, taxi: Path, ask: Ask) -> None:
    config.write_text(text)
    status, _, error = ask("runs", "--store", taxi)
    assert status == 2
    assert f"the settings file {config} is not valid TOML: it is nested too deeply" in error


def test_settings_behind_a_link(config: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("read_only = true")
    config.symlink_to(tmp_path / "mine.toml")
    assert load_settings().read_only


# -- what is remembered


@pytest.mark.parametrize("kind", NO_FILES)
async def test_a_state_that_is_no_file(kind: str, state: Path, taxi: Path) -> None:
    make, why = NO_FILES[kind]
    make(state)
    before = state.lstat().st_mode if kind != "parent" else 0
    async with running_deck(taxi, experiment=TAXI) as deck:
        await use(deck)
        assert deck.screen.run_pane.filter_line.text == "candidate"
        (complaint,) = complaints(deck)
        assert complaint.startswith(f"{state} cannot be read ({why}")
        assert "nothing of this session is saved" in complaint
    if kind == "parent":
        assert state.parent.read_text() == "mine"
    else:
        assert state.lstat().st_mode == before
        assert list(state.parent.iterdir()) == [state]


@pytest.mark.parametrize("kind", NO_JSON)
async def test_a_state_that_is_damaged_is_put_aside(kind: str, state: Path, taxi: Path) -> None:
    content, why = NO_JSON[kind]
    state.write_bytes(content)
    async with running_deck(taxi, experiment=TAXI) as deck:
        await deck.until_counted(45)
        (complaint,) = complaints(deck)
        assert why in complaint
        assert state.read_bytes() == content
        await use(deck)
    aside = state.with_suffix(".damaged")
    assert aside.name in complaint
    assert aside.read_bytes() == content
    assert SavedState.of(taxi).history == ["candidate"]
    assert SavedState.of(taxi).trouble == ""


async def test_without_a_state_nothing_is_said(taxi: Path) -> None:
    async with running_deck(taxi, experiment=TAXI) as deck:
        await use(deck)
        assert complaints(deck) == []
    assert SavedState.of(taxi).history == ["candidate"]


def test_a_state_folder_that_cannot_be_written(state: Path, taxi: Path) -> None:
    saved = SavedState.of(taxi)
    saved.add_filter("a")
    saved.flush()
    state.parent.chmod(0o500)
    with without_root_powers():
        saved.add_filter("b")
        saved.flush()
    state.parent.chmod(0o700)
    assert SavedState.of(taxi).history == ["a"]
    saved.add_filter("c")
    saved.flush()
    assert SavedState.of(taxi).history == ["a", "b", "c"]


def test_a_state_folder_that_cannot_be_made(taxi: Path) -> None:
    saved = SavedState.of(taxi)
    state_folder().parent.mkdir(parents=True)
    state_folder().write_text("mine")
    saved.add_filter("a")
    saved.flush()
    assert state_folder().read_text() == "mine"


def test_nothing_is_written_into_a_pipe_or_through_a_link(state: Path, taxi: Path, tmp_path: Path) -> None:
    saved = SavedState.of(taxi)
    temporary = state.with_name(f"{state.name}.{os.getpid()}")
    os.mkfifo(temporary)
    saved.add_filter("a")
    saved.flush()
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(tmp_path / "elsewhere")
    saved.add_filter("b")
    saved.flush()
    assert not (tmp_path / "elsewhere").exists()
    saved.add_filter("c")
    saved.flush()
    assert SavedState.of(taxi).history == ["a", "b", "c"]


def test_what_is_too_large_to_be_read_again_is_not_written(state: Path, taxi: Path) -> None:
    saved = SavedState.of(taxi)
    saved.add_filter("a")
    saved.flush()
    saved.star("large", "x" * (1 << 24))
    saved.flush()
    assert SavedState.of(taxi).history == ["a"]


# -- any JSON

WORDS = st.sampled_from(
    [
        "history",
        "starred",
        "experiments",
        "places",
        "1",
        "columns",
        "source",
        "chosen",
        "pinned",
        "widths",
        "best",
        "lower",
    ]
    + [
        "compare",
        "log",
        "axes",
        "metric",
        "metrics",
        "params",
        "rmse",
        "metrics.rmse",
        "params.",
        "curves",
        "x",
        "colour",
        "last",
        "order",
        "filter",
        "group",
        "marks",
        "tabs",
        "run",
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=3), inner, max_size=4),
    max_leaves=30,
)


@given(JSON)
def test_any_json_can_be_remembered(value: Any) -> None:
    choice_from_json(value)
    columns_from_json(value)
    logs_from_json(value)
    column_from_json(value)
    of_experiment: dict[str, Any] = {}
    keep_choice(of_experiment, (), ListChoice())
    if isinstance(value, dict):
        of_experiment["list"] |= value
        left_tab(value, "run", ("Overview",))
        left_tree(value)
    kept_choice(of_experiment, ())
    left_experiment({"experiment": value}, ())
    left_marks({"marks": value})
    if isinstance(value, dict):
        best.remembered(value)
        best.remember(value, "rmse", best.Better.LOWER)
        assert best.remembered(value)["rmse"] is best.Better.LOWER


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=JSON | st.dictionaries(WORDS, JSON, max_size=4))
def test_any_json_can_be_a_state(value: Any, state: Path, taxi: Path) -> None:
    state.write_text(json.dumps(value))
    saved = SavedState.of(taxi)
    assert bool(saved.trouble) != isinstance(value, dict)
    assert all(isinstance(each, str) for each in (*saved.history, *saved.starred.values(), *saved.places))
    for experiment in saved.experiments.values():
        choice_from_json(experiment.get("columns"))
        best.remember(experiment, "rmse", best.Better.HIGHER)
    saved.agree_to("s3://bucket")
    saved.flush()
    again = SavedState.of(taxi)
    assert (again.history, again.starred, again.places) == (saved.history, saved.starred, saved.places)
    assert repr(again.experiments) == repr(saved.experiments)  # NaN is not what it is


STRANGE: list[Any] = [None, 3, "x", [], {}, [["metrics", "rmse"]], {"metrics.rmse": 3}]


@pytest.mark.parametrize("strange", STRANGE, ids=repr)
async def test_compare_with_strange_choices(strange: Any, state: Path, taxi: Path) -> None:
    views = {name.lower(): dict.fromkeys(("metric", "x", "y", "colour", "log", "axes"), strange) for name in VIEW_NAMES}
    state.write_text(json.dumps({"experiments": {"1": {"columns": strange, "best": strange, "compare": views}}}))
    async with comparing(taxi, TAXI, 3) as deck:
        for name in VIEW_NAMES:
            await deck.turn_to(name)
        assert complaints(deck) == []


# -- JSON in a database


@pytest.fixture(params=["log-model.history", "modelVersions"])
def nested_tags(request: pytest.FixtureRequest, store_copy: CopyOf) -> FixtureStore:
    store = store_copy("mlflow-3.17.2")
    key = f"mlflow.{request.param}"
    sql(store, "UPDATE logged_model_tags SET tag_value = ? WHERE tag_key = 'mlflow.modelVersions'", NESTED)
    sql(store, "INSERT OR REPLACE INTO tags (key, value, run_uuid) SELECT ?, ?, run_uuid FROM runs", key, NESTED)
    sql(store, "UPDATE model_version_tags SET value = ?", NESTED)
    return store


def test_commands_with_nested_tags(nested_tags: FixtureStore, ask: Ask) -> None:
    for words in (("runs",), ("models",), ("models", MODEL)):
        status, out, _ = ask(*words, "--store", nested_tags.db)
        assert (status, bool(out)) == (0, True), words


def test_registering_with_a_nested_note(nested_tags: FixtureStore, ask: Ask) -> None:
    before = all_rows(nested_tags.db)["logged_model_tags"]
    status, _, error = ask("register", nested_tags.run("logreg"), "model", "other", "--store", nested_tags.db)
    assert (status, error) == (0, "")
    assert all_rows(nested_tags.db)["logged_model_tags"] == before


async def test_the_deck_with_nested_tags(nested_tags: FixtureStore) -> None:
    async with running_deck(nested_tags.db, experiment="churn-baseline") as deck:
        await deck.until_counted(12)
        for _ in range(6):
            await deck.press("right_square_bracket")
        await deck.press("2")
        await deck.until_shown("versions")
        await deck.press("enter", "H")
        assert deck.app.is_running


# -- the two readers themselves


@pytest.mark.parametrize(
    "text", [NESTED, "{", "1" * 100_000, '"\\ud800"', '{"a\\udfff": 1}', "[" * 101 + "]" * 101, ""]
)
def test_what_is_no_json_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        load_json(text)


def test_json_is_read() -> None:
    assert load_json('{"a": ["\\ud83d\\ude00", "\\u00e9", NaN, 1]}')["a"][:2] == ["😀", "é"]
    assert load_json("[" * 100 + "]" * 100)


def test_a_file_of_just_that_size_is_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abcd")
    assert read_file(tmp_path / "file", 4) == b"abcd"
    with pytest.raises(OSError, match="larger"):
        read_file(tmp_path / "file", 3)
