"""Keys of the settings: what is refused, and what each of them does then."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from textual.dom import DOMNode

import mldeck.ui
from mldeck.cli import main
from mldeck.errors import UsageError
from mldeck.settings import config_file, load_settings
from mldeck.ui.help.key_groups import CONTEXTS, GROUPS
from mldeck.ui.help.keymap import checked_keymap, key_list, keymap_of_settings, written_key
from mldeck.ui.kit.keys import Key, character_of, key_name, use_keys, with_keys
from mldeck.ui.models.screen import ModelsScreen
from tests.fixture_stores import FixtureStore
from tests.ui.deck import running_deck
from tests.ui.textual_insides import bound_ids, told

ALL_KEYS = [key for _, keys in GROUPS for key in keys]


def keymap(**keys: str | Sequence[str]) -> dict[str, str]:
    return checked_keymap(
        [(key_id, (names,) if isinstance(names, str) else tuple(names)) for key_id, names in keys.items()], "[keys]"
    )


@pytest.fixture
def settings(isolated: Path) -> Callable[[str], None]:
    """Writes the table of keys in the settings file."""

    def write(keys: str) -> None:
        config_file().parent.mkdir(parents=True)
        config_file().write_text(f"[keys]\n{keys}\n")

    return write


# -- what is refused


def test_characters_and_names() -> None:
    assert keymap(tree="w", groups="~", columns=["ctrl+o", "f5", "alt+c"], mark="ä") == {
        "tree": "w",
        "groups": "tilde",
        "columns": "ctrl+o,f5,alt+c",
        "mark": "ä",
    }


@pytest.mark.parametrize("value", ["3", "''", "[]", "[3, 'o']", "{a = 'o'}"])
def test_a_value_of_the_wrong_type_hides_no_other_fault(settings: Callable[[str], None], value: str) -> None:
    settings(f"sort = {value}\nsortt = 'w'\ncolumns = 'hyper+w'")
    with pytest.raises(UsageError) as caught:
        keymap_of_settings(load_settings().keys)
    message = str(caught.value)
    assert 'sort must be a key or a list of keys, as in sort = "o"' in message
    assert "there is no key sortt; did you mean sort?" in message
    assert "columns: 'hyper+w' is not a key" in message


def test_an_unknown_table_hides_no_wrong_key(
    settings: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    settings("sortt = 'w'\ncolumns = 5\n[nokeys]\nsort = 'w'")
    assert main(["none.db"]) == 2
    message = capsys.readouterr().err
    assert "has unknown keys: nokeys" in message
    assert "there is no key sortt" in message
    assert "columns must be a key" in message


def test_the_list_has_the_keys_of_the_settings(
    settings: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    settings("undo_stage = ['w', 'f5']")
    assert main(["--keys"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("  undo_stage ")]
    assert line.split()[1:3] == ["w", "f5"]


def test_the_list_says_what_is_wrong_with_the_settings(
    settings: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    settings("undo_stage = 5")
    assert main(["--keys"]) == 0
    found = capsys.readouterr()
    assert "undo_stage must be a key" in found.err
    assert "  undo_stage " in found.out


def test_commands_run_with_wrong_keys(
    settings: Callable[[str], None], fixture_store: FixtureStore, capsys: pytest.CaptureFixture[str]
) -> None:
    settings("undo_stage = 5\ndown = ''")
    assert main(["experiments", "-s", str(fixture_store.db)]) == 0
    assert "churn-baseline" in capsys.readouterr().out


@pytest.mark.parametrize("key", ALL_KEYS, ids=lambda key: key.id)
def test_each_default_is_written_as_it_is_listed(key: Key) -> None:
    names = [written_key(name) for name in key.keys.split(",")]
    assert checked_keymap([(key.id, names)], "")[key.id] == key.keys


@pytest.mark.parametrize(
    ("key_id", "name", "complaint"),
    [
        ("runs.sort", "w", "there is no key runs.sort; did you mean sort?"),
        ("sortt", "w", "there is no key sortt; did you mean sort?"),
        ("zzzzz", "w", "there is no key zzzzz ("),
        ("\x1b[2J", "w", "there is no key ␛[2J"),
        ("sort", "shift+w", "sort: write W instead of shift+w"),
        ("sort", "ctrl+i", "sort: terminals send ctrl+i as tab"),
        ("sort", "ctrl+m", "sort: terminals send ctrl+m as enter"),
        ("sort", "ctrl+c", "sort: ctrl+c copies selected text"),
        ("sort", "hyper+w", "sort: 'hyper+w' is not a key"),
        ("sort", "ctrl+", "sort: 'ctrl+' is not a key"),
        ("sort", "\n", "is not a key"),
        ("sort", "a b", "sort: 'a b' is not a key"),
        ("sort", "f", "sort: f is the key of filter"),
        ("sort", "ctrl+q", "sort: ctrl+q is the key of leave"),
        ("pin_column", "ctrl+q", "pin_column: ctrl+q is the key of leave"),
        ("filter", "O", "filter: O is the key of sort"),
        ("view_file", "m", "view_file: m is the key of chart"),
    ],
)
def test_what_is_wrong_names_the_id_and_the_way_out(key_id: str, name: str, complaint: str) -> None:
    with pytest.raises(UsageError) as caught:
        checked_keymap([(key_id, (name,))], "the settings file, [keys]")
    assert complaint in str(caught.value)
    assert str(caught.value).startswith("the settings file, [keys]: ")
    assert "`mldeck --keys` lists" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_everything_that_is_wrong_is_named_at_once() -> None:
    with pytest.raises(UsageError, match=r"no key sortt.*mark: 'nokey' is not a key"):
        keymap(sortt="w", mark="nokey")


def test_a_stolen_key_is_named_along_with_everything_else() -> None:
    with pytest.raises(
        UsageError, match=r"no key sortt.*; mark: 'nokey' is not a key.*; tree: c is the key of columns"
    ):
        keymap(sortt="w", mark="nokey", tree="c")


def test_what_is_only_wrong_because_of_another_mistake_is_not_named() -> None:
    """The filter may have the key of sorting, which gets another one, as soon as that is written correctly."""
    with pytest.raises(UsageError) as caught:
        keymap(sort="nokey", filter="O")
    assert "filter" not in str(caught.value)


def test_two_ids_cannot_get_the_same_key() -> None:
    with pytest.raises(UsageError, match="filter: w is the key of sort"):
        keymap(sort="w", filter="w")


def test_keys_can_be_swapped() -> None:
    assert keymap(filter="F", clear_filter="f") == {"filter": "F", "clear_filter": "f"}


def test_the_same_key_in_places_that_are_never_together() -> None:
    assert keymap(sort="o") == {"sort": "o"}  # it opens a run in Models, and a pager in the files


# -- the tables know what works together


def widget_classes() -> Iterator[type[DOMNode]]:
    for module in pkgutil.walk_packages(mldeck.ui.__path__, "mldeck.ui."):
        importlib.import_module(module.name)
    found = [DOMNode]
    for each in found:
        found += [sub for sub in each.__subclasses__() if sub not in found]
    return (each for each in found if each.__module__.startswith("mldeck."))


def test_the_keys_of_each_widget_are_in_a_context() -> None:
    contexts = [{key.id for key in context} for context in CONTEXTS]
    known = {key.id for key in ALL_KEYS}
    classes = {each: bound_ids(each) & known for each in widget_classes()}
    assert sum(map(bool, classes.values())) > 20
    assert [each for each, ids in classes.items() if not any(ids <= context for context in contexts)] == []


def test_each_key_is_in_a_context() -> None:
    assert {key.id for key in ALL_KEYS} - {key.id for context in CONTEXTS for key in context} == set()


async def test_what_works_at_the_same_time_is_a_context(store_copy: Callable[[str], FixtureStore]) -> None:
    contexts = [{key.id for key in context} for context in CONTEXTS]
    async with running_deck(store_copy("mlflow-3.17.2").db, experiment="churn-baseline", size=(160, 50)) as deck:
        await deck.until_counted(12)
        for keys in (["tab"], ["tab"], ["tab"], ["2"], ["tab"], ["v"], ["tab"], ["1"], ["c"]):
            await deck.press(*keys)
            active = deck.app.screen.active_bindings.values()
            ids = {each.binding.id for each in active if each.binding.id} & {key.id for key in ALL_KEYS}
            assert any(ids <= context for context in contexts), f"{deck.app.focused}: {ids}"


# -- what they do


async def test_the_key_works_and_is_shown(
    store_copy: Callable[[str], FixtureStore], settings: Callable[[str], None]
) -> None:
    settings('sort = ["w", "f6"]\nfilter = "ctrl+f"')
    async with running_deck(store_copy("nyc-taxi").db, experiment="nyc-taxi-experiment") as deck:
        await deck.until_counted(45)
        assert " ctrl+f filter  w sort " in deck.frame
        for pressed in ("O", "s", "f"):
            await deck.press(pressed)
        assert deck.app.session.order == ()
        assert deck.screen.table.has_focus
        await deck.press("w")
        await deck.until(lambda: deck.app.session.order, "sorted")
        await deck.press("question_mark")
        await deck.until_shown("  w f6    Sort by the column")
        await deck.press("q")
        titles = [command.title for command in deck.app.get_system_commands(deck.screen)]
        assert "Sort  w" in titles
        # While text is typed, a key that is a character is text.
        await deck.press("ctrl+f", "w")
        await deck.until_shown("filter w")
        assert "w sort" not in deck.frame


async def test_a_shared_key_stays_with_the_other_id(
    store_copy: Callable[[str], FixtureStore], settings: Callable[[str], None]
) -> None:
    """In Models, `n` is a stage and the next match."""
    settings('find_next = "ctrl+n"')
    async with running_deck(store_copy("mlflow-3.17.2").db) as deck:
        await deck.press("2")
        await deck.until(lambda: isinstance(deck.app.screen, ModelsScreen), "the models")
        bindings = deck.app.screen.active_bindings
        assert bindings["n"].binding.id == "to_no_stage"
        assert bindings["ctrl+n"].binding.id == "find_next"


async def test_leaving_has_another_key(
    store_copy: Callable[[str], FixtureStore], settings: Callable[[str], None]
) -> None:
    settings('leave = "ctrl+x"\nquit = "Q"')
    async with running_deck(store_copy("nyc-taxi").db) as deck:
        await deck.press("q", "ctrl+q")
        assert deck.app.is_running
        await deck.pilot.press("ctrl+c")
        await deck.until(lambda: "ctrl+x leaves mldeck" in told(deck.app), "how to leave")
        assert " Q quit" in deck.frame
        await deck.pilot.press("question_mark")
        await deck.until_shown("Esc close")
        await deck.pilot.press("ctrl+x")
        await deck.until(lambda: not deck.app.is_running, "left")


async def test_a_wrong_key_ends_the_start(
    store_copy: Callable[[str], FixtureStore], settings: Callable[[str], None]
) -> None:
    settings('sort = "f"\nfilter = "w"\ntree = "c"')
    with pytest.raises(UsageError, match=r"config.toml, \[keys\]: tree: c is the key of columns; give"):
        async with running_deck(store_copy("nyc-taxi").db):
            pass


# -- the list


def test_the_list_has_every_id_once() -> None:
    listed = [line.split()[0] for line in key_list({}) if line.startswith("  ")]
    assert listed == [key.id for key in ALL_KEYS]
    assert (
        "  find                /                 Find text in the focused pane, also in the headers of its columns"
        in key_list({})
    )


def test_characters_of_keys() -> None:
    assert [character_of(name) for name in ("slash", "question_mark", "a", "ctrl+p", "down", "plus")] == [
        "/", "?", "a", None, None, "+"
    ]  # fmt: skip


# -- messages that name a key

_DIALOGS = (
    "export/dialog.py",
    "files/download_dialog.py",
    "kit/dialogs/text_editor.py",
    "models/review_dialog.py",
    "register/dialog.py",
)
"""Modules of dialogs, whose keys cannot be changed."""
_EXAMPLES = ("help/keymap.py", "help/sections.py")
"""Modules with examples of keys and of the search language."""
_NO_MESSAGES = {
    "ctrl+p",
    "ctrl+c",
    "duration (s)",
    # Keys of dialogs and text fields, which cannot be changed.
    "Text was typed here. Esc closes the dialog without it",
    "Enter searches for that word in names",
    "No run matches this. Enter applies it all the same.",
    "Enter presses   ",
    # What Textual calls Option and an arrow.
    "ctrl+right",
    "ctrl+left",
}
_NAMED = re.compile(
    # A key, and what it does: any verb in the third person, but after `a` and `I`, which are words, only those of messages.
    r"(?<![\w'{<.,/-])(?:[b-zB-HJ-Z0-9=@#?:/+*~<>-]|ctrl\+\w|f\d+|Space|Enter|Esc|Tab|Del|Bksp|PgUp|PgDn|Home|End|[←→↑↓⇧]+)"
    r" (?!ax[ei]s\b)(?:[a-z]+[^us\W]s|then|move (?:this|one))\b"
    r"|(?<![\w'{<])[aAI] (?:changes|clears|shows|goes|takes|opens|marks|chooses|copies|downloads|asks|undoes|stops|groups)\b"
    r"|\((?:[a-zA-Z]|[0-9=@?])\)|\b[Pp]ress(?:es|ing)? [^{]|\b(?:with|by) (?:Space|[b-z=0-9]\b|ctrl)|\bctrl\+\w"
)
_FIELD = re.compile(r"\{(\w+)\}")
_VALUES = {"what", "count", "state"}
"""Fields of messages that are not the ids of keys."""


def texts(*, left_out: Sequence[str] = ()) -> Iterator[tuple[str, str]]:
    """Yield every text in the modules of `ui` with its module; no docstrings, and none of the keys of a binding."""
    root = Path(mldeck.ui.__file__).parent
    for path in sorted(root.rglob("*.py")):
        module = path.relative_to(root).as_posix()
        if path.name in ("keys.py", "app_keys.py") or module in left_out:
            continue
        tree = ast.parse(path.read_text())
        calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
        bound = {
            id(part)
            for call in calls
            if ast.unparse(call.func) in ("Binding", "BindingType")
            for part in ast.walk(call)
        }
        other = bound | {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in other:
                yield module, node.value


def test_no_message_names_a_key_by_hand() -> None:
    """`key_name` and `with_keys` name the keys that the settings may have changed."""
    named = [each for each in texts(left_out=(*_DIALOGS, *_EXAMPLES)) if _NAMED.search(each[1])]
    assert [each for each in named if each[1] not in _NO_MESSAGES] == []
    assert [key.id for key in ALL_KEYS if _NAMED.search(key.help)] == []


@pytest.mark.parametrize(
    "text",
    [
        "from x · 2 shows it",
        "Everything is visible: + zooms in",
        "Enter unfolds",
        "press r",
        "(u)",
        "a marks",
        "ctrl+z",
    ],
)
def test_a_key_in_a_message_is_recognized(text: str) -> None:
    assert _NAMED.search(text)


def test_every_key_that_a_message_names_exists() -> None:
    ids = {key.id for key in ALL_KEYS}
    fields = {field for _, text in texts() for field in _FIELD.findall(text)}
    assert fields - _VALUES <= ids
    assert {"register", "runs_place", "refresh", "open"} <= fields
    sources = (path.read_text() for path in Path(mldeck.ui.__file__).parent.rglob("*.py"))
    assert {key_id for source in sources for key_id in re.findall(r"key_name\(['\"](\w+)['\"]\)", source)} <= ids


async def test_messages_name_the_keys_of_the_settings(
    settings: Callable[[str], None], store_copy: Callable[[str], FixtureStore]
) -> None:
    settings('filter = "ctrl+f"\nclear_filter = "ctrl+x"\nonly_marked = "M"\nmark = ["f6", "space"]')
    async with running_deck(store_copy("mlflow-3.17.2").db, experiment="churn-baseline") as deck:
        await deck.until_counted(12)
        await deck.press("M")
        await deck.until(lambda: "No run is marked: f6 marks one" in told(deck.app), "the message")
        deck.app.session.filter = "nowhere"
        deck.screen.run_pane.load_runs()
        await deck.until_shown("ctrl+f changes the filter, ctrl+x clears it.")
    use_keys({})
    assert with_keys("{mark} marks, {what} too", what="{mark}") == "Space marks, {mark} too"
    assert key_name("first") == "g"
