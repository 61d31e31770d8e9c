"""Texts that take for ever to colour or to render: they are shown without, and the deck goes on meanwhile."""

from __future__ import annotations

import time
from threading import Event, Thread

import pytest
from rich.style import Style

from mldeck.artifacts.source import no_check
from mldeck.errors import Interrupted
from mldeck.helper import Helper, Unanswered
from mldeck.ui.files.preview.text_reading import highlighted
from mldeck.ui.kit import text_styles as text_looks
from mldeck.ui.kit.text_styles import STYLE_NAMES, rendered_markdown, spans_of

STYLES = {name: Style(color=f"color({number})") for number, name in enumerate(STYLE_NAMES)}
SLOW = [" "] * 30_000
"""Pygments looks from each of these lines to the last one: for minutes, in Python, C and Markdown alike."""


@pytest.mark.parametrize("lexer", ["python", "c", "markdown"])
def test_what_cannot_be_coloured_in_time_has_no_colours(lexer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_looks, "_helper", Helper(text_looks.__name__, seconds=1, memory=1 << 29))
    assert highlighted(SLOW, lexer, STYLES) == []
    # The next question starts another helper.
    assert highlighted(["x = 1"], "python", STYLES)[0][-1] == (4, 5, STYLES["warn"])
    text_looks._helper.end()


def test_this_process_goes_on_while_something_is_coloured() -> None:
    """A regular expression that works in a thread lets no other thread work."""
    overtaken, ended = Event(), Event()

    def check() -> None:
        if overtaken.is_set():
            raise Interrupted("stopped")

    def colour() -> None:
        with pytest.raises(Interrupted):
            spans_of(SLOW, "python", check)
        ended.set()

    Thread(target=colour, daemon=True).start()
    longest, last = 0.0, time.monotonic()
    for _ in range(100):
        time.sleep(0.01)
        longest, last = max(longest, time.monotonic() - last), time.monotonic()
    assert longest < 1
    overtaken.set()
    assert ended.wait(20)


def test_markdown_that_takes_too_long_or_too_much_is_not_rendered() -> None:
    assert rendered_markdown("# a", 20, no_check)
    with pytest.raises(Unanswered):
        rendered_markdown("```python\nx\n" + "\n".join(SLOW) + "\nx\n```\n", 80, no_check)


@pytest.mark.parametrize("lexer", ["python", "none of that name"])
def test_every_line_has_its_own_colours(lexer: str) -> None:
    lines = ['"""', "", "a" * 5_000, '"""', "x = 1"]
    found = highlighted(lines, lexer, STYLES)
    assert len(found) == len(lines)
    assert found[1:3] == [[], []]
