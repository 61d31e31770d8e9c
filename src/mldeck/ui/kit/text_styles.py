"""Highlights code and renders Markdown in a helper process that can be stopped. No Textual.

Some regular expressions of Pygments take minutes for the few kilobytes of a page, and a page of Markdown may use any of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rich.style import Style

from mldeck.format import safe
from mldeck.helper import Helper, Read, serve

STYLE_NAMES = ("dim", "accent", "good", "warn", "name", "bad")
"""Names of the styles that code is highlighted with (see `mldeck.ui.kit.styles`)."""

_TOKENS = {
    "Comment": "dim",
    "Keyword": "accent",
    "String": "good",
    "Number": "warn",
    "Tag": "accent",
    "Attribute": "name",
    "Heading": "name",
    "Subheading": "name",
    "Deleted": "bad",
    "Inserted": "good",
    "Function": "name",
    "Class": "name",
}
"""Style names by part of a token's name, as in `Token.Literal.String.Doc`: the last part in the table counts."""

_TAB = 4

_helper = Helper(__name__, seconds=5, memory=1 << 29)

NamedSpan = tuple[int, int, str]
"""Start and end in a line, and the name of a style."""
StyledText = tuple[str, str]
"""A piece of a line, and its style as Rich writes it."""


def spans_of(lines: Sequence[str], lexer: str, check: Callable[[], None]) -> list[list[NamedSpan]]:
    """Return the spans of each line that Pygments highlights. Raises `Unanswered`."""
    answer = _helper.ask({"lines": list(lines), "lexer": lexer}, check)
    return [[(start, end, name) for start, end, name in line] for line in answer]


def rendered_markdown(text: str, width: int, check: Callable[[], None]) -> list[list[tuple[str, Style]]]:
    """Return Markdown as lines of styled pieces. Links are shown, but cannot be followed. Raises `Unanswered`."""
    lines = "\n".join(safe(line.expandtabs(_TAB)) for line in text.split("\n"))
    answer = _helper.ask({"markdown": lines, "width": width}, check)
    return [[(safe(piece), Style.parse(style)) for piece, style in line] for line in answer]


# -- in the helper process


def main(words: list[str]) -> int:
    return serve(words, _answer)


def _answer(question: Any, read: Read) -> object:
    if "markdown" in question:
        return _render(question["markdown"], question["width"])
    return _colour(question["lines"], question["lexer"])


def _colour(lines: list[str], name: str) -> list[list[NamedSpan]]:
    from rich.syntax import Syntax

    spans: list[list[NamedSpan]] = [[] for _ in lines]
    lexer = Syntax("", name).lexer
    row = column = 0
    for kind, value in () if lexer is None else lexer.get_tokens("\n".join(lines)):
        parts = [part for part in str(kind).split(".") if part in _TOKENS]
        for index, piece in enumerate(value.split("\n")):
            if index:
                row, column = row + 1, 0
            if parts and piece:
                spans[row].append((column, column + len(piece), _TOKENS[parts[-1]]))
            column += len(piece)
    return spans


def _render(text: str, width: int) -> list[list[StyledText]]:
    from markdown_it import MarkdownIt
    from rich.console import Console
    from rich.markdown import Markdown
    from rich.theme import Theme

    # Rich's own styles put code on black, also on a light background.
    theme = Theme({"markdown.code": "bold", "markdown.code_block": ""})
    console = Console(width=width, color_system="truecolor", force_terminal=True, legacy_windows=False, theme=theme)
    markdown = Markdown("", hyperlinks=False, code_theme="ansi_dark")
    # Rich drops HTML together with the text in it, so it is shown as text.
    parser = MarkdownIt("commonmark", {"html": False}).enable("table").enable("strikethrough")
    markdown.markup, markdown.parsed = text, parser.parse(text)
    lines = console.render_lines(markdown, pad=False)
    return [[(piece.text, str(piece.style or "")) for piece in line if not piece.control] for line in lines]
