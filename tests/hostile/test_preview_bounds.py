"""Files made to cost much: what a preview takes is bounded, whatever is in them."""

from __future__ import annotations

import json
import tarfile
import time
from itertools import count
from pathlib import Path

import pytest
from rich.style import Style

from mldeck.artifacts.local import LocalTree
from mldeck.artifacts.mlmodel import FILE_NAME, MalformedModel, read_mlmodel
from mldeck.artifacts.previews.preview import preview
from mldeck.artifacts.previews.tree import MAX_VALUES, parse_yaml
from mldeck.artifacts.previews.values import ArchivePreview, TablePreview, TextPage, TextPreview
from mldeck.errors import Interrupted
from mldeck.ui.files.model_card_reading import Card, ModelFolder, read_card
from mldeck.ui.files.preview.text_layout import TextRow, pieces_of
from mldeck.ui.files.preview.text_reading import as_lines
from tests.artifacts.sources import Bytes

TOO_MANY = f"It holds more than {MAX_VALUES:,} values."


def _nested_types() -> str:
    lines = ["a0: &a0 {type: object, properties: {x: {type: long}}}"]
    for level in range(1, 21):
        members = ", ".join(f"p{number}: *a{level - 1}" for number in range(9))
        lines.append(f"a{level}: &a{level} {{type: object, properties: {{{members}}}}}")
    lines += ["flavors: {}", "signature: {inputs: [{name: x, type: array, items: *a20}]}"]
    return "\n".join(lines)


def _shared_settings() -> str:
    settings = ", ".join(f"k{number}: 1" for number in range(2_000))
    flavors = ", ".join(f"f{number}: *s" for number in range(2_000))
    return f"s: &s {{{settings}}}\nflavors: {{{flavors}}}\n"


def _long_text() -> str:
    return f"a: &a {'x' * 100_000}\nflavors: {{}}\nmetadata: [{'*a, ' * 1_000}]\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [(_nested_types(), TOO_MANY), (_shared_settings(), TOO_MANY), (_long_text(), "It holds more than 2 MB of text.")],
)
def test_aliases_do_not_unfold_without_end(text: str, message: str) -> None:
    assert len(text) < 1 << 18
    with pytest.raises(MalformedModel) as caught:
        read_mlmodel(Bytes(text.encode()))
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.yaml", b"[" + b"a," * MAX_VALUES + b"]"),
        ("a.yaml", b"{" + b"a," * (MAX_VALUES // 2) + b"}"),
        ("a.json", b"[" + b"[]," * MAX_VALUES + b"1]"),
        ("a.json", b"[" + b'{"":1},' * (MAX_VALUES // 2) + b"1]"),
    ],
)
def test_a_tree_of_too_many_values_is_shown_as_text(name: str, data: bytes) -> None:
    found = preview(Bytes(data, name))
    assert isinstance(found, TextPreview)
    assert found.notes == (TOO_MANY,)


def test_tag_directives_that_libyaml_compares_with_each_other_are_refused() -> None:
    text = "".join(f"%TAG !{number}! t:\n" for number in range(200)) + "--- a\n"
    found = preview(Bytes(text.encode(), "a.yaml"))
    assert isinstance(found, TextPreview)
    assert found.notes == ("It has more than 100 %TAG directives.",)


def test_a_json_table_of_many_columns_shows_the_first() -> None:
    found = preview(Bytes(json.dumps({"columns": [""] * 100_000, "data": [[1] * 100_000]}).encode(), "a.json"))
    assert isinstance(found, TablePreview)
    assert {len(found.columns), *map(len, found.rows)} == {1_000}
    assert found.notes == ("The first 1,000 of 100,000 columns.",)
    few = preview(Bytes(b'{"columns": ["a"], "data": [[1]]}', "a.json"))
    assert few.notes == ()


def test_reading_yaml_stops_when_it_is_no_longer_wanted() -> None:
    calls = count()

    def check() -> None:
        if next(calls) == 3:
            raise Interrupted("stopped")

    with pytest.raises(Interrupted):
        parse_yaml("- a\n" * 50_000, check=check)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME])
@pytest.mark.parametrize("data", [b"9" * 200_000, b"30 comment=" + b"x" * (8 << 20) + b"\n"], ids=["digits", "comment"])
def test_a_member_of_a_tar_is_not_described_at_any_length(kind: bytes, data: bytes) -> None:
    """tarfile looks for numbers in them by regular expressions that take a minute for 200 kB of digits."""
    header, member = tarfile.TarInfo("header"), tarfile.TarInfo("member")
    header.type, header.size = kind, len(data)
    described = header.tobuf(tarfile.USTAR_FORMAT) + data + bytes(-len(data) % 512) + member.tobuf()
    found = preview(Bytes(tarfile.TarInfo("first").tobuf() + described + bytes(1024), "a.tar"))
    assert isinstance(found, ArchivePreview)
    assert [each.name for each in found.members] == ["first"]
    assert found.notes == ("Not all members could be listed.",)


def test_what_a_library_stumbles_over_is_broken() -> None:
    """tarfile looks behind the end of a block for what a header announces."""
    header = bytearray(tarfile.TarInfo("a").tobuf(tarfile.GNU_FORMAT))
    header[156:157], header[482] = b"S", 1
    header[148:156] = b"%06o\0 " % (sum(header[:148]) + 8 * ord(" ") + sum(header[156:512]))
    found = preview(Bytes(bytes(header), "a.tar"))
    assert found.notes == ("It cannot be parsed: it is damaged.",)


def _card(tmp_path: Path, text: str) -> Card:
    (tmp_path / FILE_NAME).write_text(text)
    return read_card(ModelFolder(LocalTree(tmp_path), "", "runs:/1/model", None))


def test_a_card_has_no_more_lines_than_can_be_drawn(tmp_path: Path) -> None:
    flavors = "".join(f"  f{number}: {{a: 1}}\n" for number in range(20_000))
    lines = _card(tmp_path, f"flavors:\n{flavors}").lines
    assert len(lines) == 10_001
    assert lines[-1].text == "… and more: these are the first 10,000 lines"


def test_a_line_of_a_card_is_cut_and_copied_whole(tmp_path: Path) -> None:
    key, flavor, lie = "k" * 900_000, "f" * 5_000, "- " + "x" * 1_000_000
    members = ", ".join(f"m{number}: 1" for number in range(1_000))
    card = _card(tmp_path, f"flavors: {{? {flavor} : {{}}}}\n? {key}\n: {{{members}}}\n")
    assert max(len(line.name) + len(line.text) for line in card.lines) <= 4_001
    assert any(line.name.startswith("kkk") and line.name.endswith("….m7") for line in card.lines)
    assert any(line.copied == flavor for line in card.lines)
    broken = _card(tmp_path, lie)
    assert "no keys and values" in broken.problem
    assert any(line.copied == lie and len(line.text) == 4_001 for line in broken.lines)


def test_a_flavor_that_is_named_again_and_again_has_one_snippet(tmp_path: Path) -> None:
    card = _card(tmp_path, "flavors:\n" + "  sklearn: {}\n" * 2_000)
    assert len([line for line in card.lines if line.name == "Load it: mlflow.sklearn"]) == 1


def test_a_tar_whose_headers_lead_to_headers_without_end_says_so() -> None:
    header = tarfile.TarInfo("a")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 100
    found = preview(Bytes((header.tobuf(tarfile.GNU_FORMAT) + b"a" * 512) * 2_000, "a.tar"))
    assert found.notes == ("It cannot be parsed: it is nested too deeply or unpacks to too much.",)


def test_a_line_full_of_matches_is_drawn_at_once() -> None:
    page = as_lines(TextPage(0, "a" * 20_000, None))
    page.spans = [[(at, at + 1, Style(bold=True)) for at in range(0, 20_000, 2)]]
    start = time.monotonic()
    pieces = list(pieces_of(TextRow(0, 0, 0, 20_000), page, "a"))
    assert pieces == [("a", "match")] * 20_000
    assert time.monotonic() - start < 5  # seconds; where each piece looked through all matches it took fifteen
