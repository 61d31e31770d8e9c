"""Texts: encodings, pages, line numbers and searching."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mldeck.artifacts.previews import text as text_module
from mldeck.artifacts.previews.preview import preview
from mldeck.artifacts.previews.text import PAGE, Match, TextFile, find_in_text
from mldeck.artifacts.previews.values import BinaryPreview, TextPage, TextPreview
from mldeck.artifacts.source import CHUNK
from mldeck.errors import Interrupted
from tests.artifacts.sources import Bytes

ENCODINGS = ["utf-8", "utf-16-le", "utf-16-be", "latin-1"]


def _text(data: bytes, name: str = "notes.txt") -> TextPreview:
    found = preview(Bytes(data, name))
    assert isinstance(found, TextPreview)
    return found


@pytest.mark.parametrize(
    ("data", "encoding", "kind"),
    [
        ("grün".encode(), "utf-8", "UTF-8 text"),
        ("grün".encode("utf-8-sig"), "utf-8", "UTF-8 text"),
        (b"\xff\xfe" + "grün".encode("utf-16-le"), "utf-16-le", "UTF-16 text"),
        (b"\xfe\xff" + "grün".encode("utf-16-be"), "utf-16-be", "UTF-16 text"),
        ("grün".encode("latin-1"), "latin-1", "Latin-1 text"),
    ],
)
def test_the_encoding_is_told_from_the_first_bytes(data: bytes, encoding: str, kind: str) -> None:
    found = _text(data)
    assert (found.encoding, found.kind, found.page.text) == (encoding, kind, "grün")
    assert bool(found.notes) == (encoding == "latin-1")


def test_a_character_cut_at_the_end_of_the_head_does_not_make_a_text_latin() -> None:
    for shift in range(4):
        found = _text(b"x" * shift + "\N{GRINNING FACE}".encode() * PAGE)
        assert found.encoding == "utf-8"
        assert "\ufffd" not in found.page.text


@pytest.mark.parametrize("name", ["train.log", "stdout.out", "notes.txt", "slurm.err", "train.log.1", "run", "a.LOG"])
@pytest.mark.parametrize(
    "data", [b"[2024-05-01 10:00:00] epoch 1\n[2024-05-01 10:00:09] epoch 2\n", b"{step 1} loss 0.5\n", b"[" * 9_000]
)
def test_a_log_that_begins_with_a_bracket_is_text(name: str, data: bytes) -> None:
    found = _text(data, name)
    assert (found.notes, found.page.text) == ((), data.decode())


@pytest.mark.parametrize("data", [b'{"loss": 0.5}\n', b"[1, 2]\n", b"[]"])
def test_a_log_is_text_whatever_its_lines_are(data: bytes) -> None:
    assert _text(data, "train.log").notes == ()


def test_control_characters_are_kept() -> None:
    assert _text(b"\x1b[31mred\x1b]52;c;aGk=\x07\r\n").page.text == "\x1b[31mred\x1b]52;c;aGk=\x07\r\n"


@pytest.mark.parametrize("data", [b"a\0b", bytes(range(256)), b"\x01\x02\x03text"])
def test_what_is_no_text_is_shown_as_bytes(data: bytes) -> None:
    found = preview(Bytes(data, "blob"))
    assert isinstance(found, BinaryPreview)
    assert found.head == data


@pytest.mark.parametrize(
    ("name", "lexer", "is_markdown"),
    [
        ("train.py", "python", False),
        ("README.md", "markdown", True),
        ("QUERY.SQL", "sql", False),
        ("Dockerfile", "docker", False),
        ("notes.txt", None, False),
        (".py", None, False),
    ],
)
def test_the_language_is_told_from_the_name(name: str, lexer: str | None, is_markdown: bool) -> None:
    found = _text(b"x = 1\n", name)
    assert (found.lexer, found.is_markdown) == (lexer, is_markdown)


def _pages(file: TextFile) -> list[TextPage]:
    pages = [file.page()]
    while (following := pages[-1].next_offset) is not None:
        assert following > pages[-1].offset
        pages.append(file.page(following))
    return pages


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(
    lines=st.lists(st.text(st.characters(codec="latin-1", exclude_characters="\ufeff"), max_size=40)),
    repeat=st.integers(1, 3),
)
@example(lines=["\N{LATIN SMALL LETTER U WITH DIAERESIS}" * 70_000, "", "end"], repeat=1)
@example(lines=["Ċ\u0a0a\n\u0a00" * 9, "x" * 31] * 60, repeat=3)
def test_the_pages_are_the_text(encoding: str, lines: list[str], repeat: int) -> None:
    if encoding == "latin-1":
        lines = [line.encode("latin-1", "replace").decode("latin-1") for line in lines]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_module, "PAGE", 64)
        text = "\n".join(lines * repeat)
        data = text.encode(encoding)
        file = TextFile(Bytes(data), encoding)
        pages = _pages(file)
        assert "".join(page.text for page in pages) == text
        for page, following in pairwise(pages):
            # A page that does not end with its line is a piece of a line longer than a page.
            assert page.text.endswith("\n") or "\n" not in page.text
            before = file.page_before(following.offset)
            assert before.next_offset == following.offset
            assert data[before.offset : following.offset].decode(encoding) == before.text
            around = file.page_around(following.offset)
            assert around.offset <= following.offset
            assert around.text in text


def test_a_page_ends_with_a_line() -> None:
    data = b"".join(b"line %d\n" % number for number in range(20_000))
    pages = _pages(TextFile(Bytes(data), "utf-8"))
    assert len(pages) > 2
    assert all(page.text.startswith("line ") and page.text.endswith("\n") for page in pages)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_lines_are_numbered_by_place(encoding: str) -> None:
    lines = [f"line {number} \xdc {'x' * (number % 90)}\n" for number in range(30_000)]
    data = "".join(lines).encode(encoding)
    assert len(data) > CHUNK
    for number in (1, 2, 777, 20_000, 29_999, 30_000):
        offset = sum(len(line.encode(encoding)) for line in lines[: number - 1])
        file = TextFile(Bytes(data), encoding)
        assert file.line_number(offset) == number
        assert file.line_number(offset + 2) == number
    file = TextFile(Bytes(data), encoding)
    assert file.line_number(len(data) + CHUNK * 3) == 30_001


def test_counting_lines_starts_where_it_stopped() -> None:
    data = b"line\n" * CHUNK
    calls: list[int] = []
    file = TextFile(Bytes(data), "utf-8")

    def stop_at_third() -> None:
        calls.append(1)
        if len(calls) == 3:
            raise Interrupted("stopped")

    with pytest.raises(Interrupted):
        file.line_number(len(data), stop_at_third)
    assert file.line_number(len(data), lambda: calls.append(1)) == CHUNK + 1
    assert len(calls) == 3 + 5 - 2


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(text=st.text("abÄä\n", max_size=60), needle=st.text("abÄä\n", min_size=1, max_size=3), start=st.integers(0, 60))
def test_a_word_is_found_where_it_stands(encoding: str, text: str, needle: str, start: int) -> None:
    data = text.encode(encoding)
    offset = len(text[:start].encode(encoding))
    wanted = re.compile(re.escape(needle), re.IGNORECASE).search(text, start)
    with pytest.MonkeyPatch.context() as patch:
        # Chunks shorter than the word put it across several of them.
        patch.setattr("mldeck.artifacts.source.CHUNK", 2)
        found = find_in_text(Bytes(data), needle, offset, encoding=encoding)
    if wanted is None:
        assert found is None
    else:
        begin, end = (len(text[:index].encode(encoding)) for index in wanted.span())
        assert found == Match(begin, end)


def test_searching_can_be_stopped_and_tells_how_far_it_is() -> None:
    told: list[int] = []

    def stop() -> None:
        if told:
            raise Interrupted("stopped")

    with pytest.raises(Interrupted):
        find_in_text(Bytes(b"x" * CHUNK * 3), "y", 0, stop, progress=told.append)
    assert told == [CHUNK]
    assert find_in_text(Bytes(b"x"), "") is None


def test_a_page_of_a_file_that_became_shorter_is_empty(tmp_path: Path) -> None:
    assert TextFile(Bytes(b"text"), "utf-8").page(100) == TextPage(100, "", None)
