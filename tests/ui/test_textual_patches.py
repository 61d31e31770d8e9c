"""Each patch of Textual does its work, and is still needed: a test that fails here names what Textual has changed."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import pkgutil
import re
import time
from collections.abc import Callable, Iterator
from threading import Event
from types import ModuleType

import pytest
from textual import work
from textual._xterm_parser import XTermParser
from textual.app import App, ComposeResult
from textual.containers import Container
from textual.dom import DOMNode
from textual.events import Key
from textual.geometry import Size
from textual.message import Message
from textual.notifications import Notification
from textual.screen import Screen
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Label
from textual.widgets._toast import Toast

import mldeck.ui
from mldeck.ui.textual_patches.answers import AnswerParser, TerminalAnswer
from mldeck.ui.textual_patches.app import PatchedApp
from mldeck.ui.textual_patches.widgets import LateNotification, Title, align_scrollbar, set_border_titles, until_mounted
from tests.fixture_stores import FixtureStore
from tests.ui.deck import frame_text, running_deck
from tests.ui.textual_insides import notifications

# -- titles in borders


class Pane(Widget):
    DEFAULT_CSS = "Pane { border: solid white; height: 8; }"

    def __init__(self) -> None:
        super().__init__()
        self.painted: list[int] = []

    def render_line(self, y: int) -> Strip:
        self.painted.append(y)
        return Strip.blank(self.size.width)


class PaneApp(App[str]):
    def compose(self) -> ComposeResult:
        yield Pane()


async def test_a_new_title_repaints_the_border_only() -> None:
    app = PaneApp()
    async with app.run_test() as pilot:
        pane = app.query_one(Pane)
        await pilot.pause()
        pane.painted.clear()
        set_border_titles(pane, "above [/x]", "below")
        await pilot.pause()
        lines = frame_text(app).splitlines()
        assert "above [/x]" in lines[0]
        assert "below" in lines[7]
        assert not pane.painted
        set_border_titles(pane, "", "")
        await pilot.pause()
        assert "above" not in frame_text(app)
        assert not pane.painted


async def test_a_title_that_does_not_fit_loses_its_middle() -> None:
    app = PaneApp()
    async with app.run_test(size=(30, 10)) as pilot:
        pane = app.query_one(Pane)
        title = "Runs of /Users/me@corp.com/churn-baseline"
        pane.border_title = Title(title)
        await pilot.pause()
        assert "Runs of /Use…rn-baseline" in frame_text(app).splitlines()[0]
        set_border_titles(pane, f"{title}-2", "")
        await pilot.pause()
        assert "Runs of /Use…-baseline-2" in frame_text(app).splitlines()[0]
        await pilot.resize_terminal(60, 10)
        await pilot.pause()
        assert f"{title}-2" in frame_text(app).splitlines()[0]


async def test_textual_repaints_all_of_a_widget_for_a_title() -> None:
    app = PaneApp()
    async with app.run_test() as pilot:
        pane = app.query_one(Pane)
        await pilot.pause()
        pane.painted.clear()
        pane.border_title = "above"
        await pilot.pause()
        assert set(pane.painted) == set(range(6))


# -- notifications


async def test_a_notification_that_expires_before_it_is_shown(store_copy: Callable[[str], FixtureStore]) -> None:
    async with running_deck(store_copy("mlflow-2.9.2").db) as deck:
        deck.app.notify("too late", timeout=3)
        await deck.until(lambda: notifications(deck.app), "it is there")
        (message,) = notifications(deck.app)
        assert isinstance(message, LateNotification)
        message.timeout = 0.0  # it took so long to come to this
        assert message.has_expired
        assert message.time_left > 0, "Textual would wait for it for good"
        toast = Toast(message)
        await deck.app.screen.mount(toast)
        await deck.until(lambda: not toast.is_attached, "it goes")
        assert not notifications(deck.app)


def test_textual_sets_a_timer_to_the_time_that_is_left() -> None:
    late = Notification("late", timeout=-1)
    assert late.time_left < 0
    assert Toast(late)._timeout < 0


# -- scroll bars


class Rows(ScrollView):
    """Twenty rows, scrolled before the scroll bar appears."""

    def __init__(self, is_patched: bool) -> None:
        super().__init__()
        self.is_patched = is_patched

    def watch_show_vertical_scrollbar(self, is_shown: bool) -> None:
        if is_shown and self.is_patched:
            align_scrollbar(self)


@pytest.mark.parametrize("is_patched", [True, False])
async def test_a_scroll_bar_that_appears_late(is_patched: bool) -> None:
    rows = Rows(is_patched)
    app: App[None] = App()
    async with app.run_test(size=(40, 10)) as pilot:
        await app.mount(rows)
        await pilot.pause()
        rows.virtual_size = Size(1, 20)
        rows.scroll_to(y=5, animate=False, immediate=True, force=True)
        assert rows.scroll_y == 5
        await pilot.pause()
        assert rows.show_vertical_scrollbar
        assert (rows.vertical_scrollbar.position == 5) is is_patched


# -- mounting


class Group(Container):
    def compose(self) -> ComposeResult:
        yield Label("inside", id="inside")


async def test_waiting_for_a_widget_that_is_being_mounted() -> None:
    app: App[None] = App()
    async with app.run_test():
        group = Group()
        app.screen.mount(group)
        assert not group.query("#inside")
        await until_mounted(app.screen, group)
        assert group.query_one("#inside", Label).is_mounted
        await until_mounted(app.screen, group)


# -- the application


class Faulty(PatchedApp[str]):
    """An application that notes its faults."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[tuple[str, str]] = []
        self.has_two_faults = asyncio.Event()

    def handle_fault(self, error: Exception, node: DOMNode | None, *, in_worker: bool) -> bool:
        self.faults.append((str(error), type(node).__name__))
        assert in_worker == (str(error) == "in a worker")
        if len(self.faults) == 2:
            self.has_two_faults.set()
        return True

    @work
    async def fail_in_a_worker(self) -> None:
        raise ValueError("in a worker")


class Failing(Widget):
    def on_key(self) -> None:
        raise ValueError("in a handler")


async def test_faults_of_handlers_and_workers_are_handled() -> None:
    app = Faulty()
    async with app.run_test():
        await app.mount(failing := Failing())
        app.fail_in_a_worker()
        failing.post_message(Key("x", "x"))
        await asyncio.wait_for(app.has_two_faults.wait(), 30)
        assert sorted(app.faults) == [("in a handler", "Failing"), ("in a worker", "Faulty")]
        assert app.is_running


async def test_a_screen_is_made_ahead_without_being_shown() -> None:
    app = Faulty()
    app.add_mode("other", lambda: Screen(name="the other"))
    async with app.run_test():
        before = app.screen
        made = await app.make_screen_ahead("other")
        assert (app.screen, made.name, made.is_mounted) == (before, "the other", True)
        await app.switch_mode("other")
        assert app.screen is made


# -- private names

OVERRIDDEN = {
    ("PatchedApp", "_handle_exception"),
    ("DeckPalette", "_action_command_list"),
    ("Place", "_watch__pointer_shape"),
}
"""Private names of Textual that are overridden on purpose."""

_ASSIGNED = re.compile(r"^\s+self\.(_[a-z]\w*)(?:: [^=\n]+)? = ", re.MULTILINE)
_METHOD = re.compile(r"^    (?:async )?def (_[a-z]\w*)", re.MULTILINE)
_CLASS_ATTRIBUTE = re.compile(r"^    (_[a-z]\w*)(?:: [^=\n]+)? = ", re.MULTILINE)


def private_names(node: type) -> set[str]:
    source = inspect.getsource(node)
    return {*_ASSIGNED.findall(source), *_METHOD.findall(source), *_CLASS_ATTRIBUTE.findall(source)}


def modules_of_ui() -> Iterator[ModuleType]:
    for module in pkgutil.walk_packages(mldeck.ui.__path__, "mldeck.ui."):
        yield importlib.import_module(module.name)


def test_no_private_name_hides_one_of_textual() -> None:
    """A name that Textual takes for itself in a new version would be overridden without anybody noticing."""
    hidden = set()
    theirs: dict[type, set[str]] = {}
    for module in modules_of_ui():
        for _, node in inspect.getmembers(module, inspect.isclass):
            if node.__module__ == module.__name__ and issubclass(node, DOMNode):
                bases = [base for base in node.__mro__ if base.__module__.startswith("textual.")]
                taken = set().union(*(theirs.setdefault(base, private_names(base)) for base in bases))
                hidden |= {(node.__name__, name) for name in private_names(node) & taken}
    assert hidden == OVERRIDDEN


# -- answers of the terminal


@pytest.fixture
def expecting() -> Event:
    event = Event()
    event.set()
    return event


def parsed(parser: AnswerParser, *parts: str) -> list[str]:
    """The keys, and the answers as they are."""
    found = [message for part in parts for message in parser.feed(part)]
    return [message.text if isinstance(message, TerminalAnswer) else _key(message) for message in found]


def _key(message: Message) -> str:
    assert isinstance(message, Key)
    return message.key


def test_answers_are_told_from_keys_wherever_they_are_cut(expecting: Event) -> None:
    name, cell, attributes = "\x1bP>|kitty(0.40.0)\x1b\\", "\x1b[6;16;8t", "\x1b[?62;4c"
    text = f"a{name}b\x1b[A{cell}\x1b[6~{attributes}c"
    wanted = ["a", name, "b", "up", cell, "pagedown", attributes, "c"]
    assert parsed(AnswerParser(expecting), text) == wanted
    for cut in range(1, len(text)):
        assert parsed(AnswerParser(expecting), text[:cut], text[cut:]) == wanted
    assert parsed(AnswerParser(expecting), *text) == wanted


@pytest.mark.parametrize("beginning", ["\x1bP>|kit", "\x1bP>|kitty(0.40.0)\x1b", "\x1b[?6", "\x1b[?", "\x1b[?62;4;"])
def test_the_beginning_of_an_answer_is_no_key(
    expecting: Event, beginning: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert parsed(AnswerParser(expecting), beginning, "\x1b[A") == ["up"]
    parser, now = AnswerParser(expecting), time.monotonic()
    assert parsed(parser, beginning) == []
    monkeypatch.setattr(time, "monotonic", lambda: now + 60)
    assert list(parser.tick()) == []
    assert parsed(parser, "q") == ["q"]


@pytest.mark.parametrize(
    ("key", "name"), [("\x1b", "escape"), ("\x1bP", "alt+shift+p"), ("\x1b[", "left_square_bracket")]
)
def test_a_key_that_begins_like_an_answer(expecting: Event, key: str, name: str) -> None:
    parser = AnswerParser(expecting)
    found: list[str] = parsed(parser, key)
    deadline = time.monotonic() + 10
    while not found and time.monotonic() < deadline:
        time.sleep(0.02)
        found += map(_key, parser.tick())
    assert found == [name]


def test_nothing_is_kept_from_textual_if_no_answer_is_expected() -> None:
    plain, ours = XTermParser(), AnswerParser(Event())
    for text in ("\x1b[?62;4c", "\x1bPq", "\x1b[6", ";16;8t", "a"):
        expected = [str(message) for message in plain.feed(text)]
        assert [str(message) for message in ours.feed(text)] == expected


@pytest.mark.parametrize(("letter", "name"), [("f", "ctrl+right"), ("b", "ctrl+left")])
def test_textual_takes_esc_and_some_letters_for_ctrl_and_an_arrow(letter: str, name: str) -> None:
    def keys(parser: XTermParser) -> list[tuple[str, str | None]]:
        return [
            (message.key, message.character) for message in parser.feed(f"\x1b{letter}") if isinstance(message, Key)
        ]

    assert keys(XTermParser()) == [(name, None)]
    assert keys(AnswerParser(Event())) == [(f"alt+{letter}", letter)]


def test_textual_takes_an_answer_for_keys() -> None:
    parser = XTermParser()
    messages = [*parser.feed("\x1bP>|q\x1b\\"), *parser.feed("\x1b[A")]
    assert "q" in [message.key for message in messages if isinstance(message, Key)]
