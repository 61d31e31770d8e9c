"""What the documents name can be found: sections, revisions and paths."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from mldeck.store import schema

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "mldeck"
DATABASE = PACKAGE / "store" / "DATABASE.md"
DESIGN = PACKAGE / "DESIGN.md"
SOURCES = sorted(
    path for folder in ("src", "tests") for path in (ROOT / folder).rglob("*.py") if path != Path(__file__)
)

_CITATION = re.compile(r"\bDATABASE\.md(?:#([\w-]+))?")


def anchors(document: Path) -> set[str]:
    """The anchors of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def citations() -> Iterator[tuple[str, str]]:
    """Each source file that cites the database reference, and the section; an empty one where none is named."""
    for source in SOURCES:
        for section in _CITATION.findall(source.read_text(encoding="utf-8")):
            yield source.relative_to(ROOT).as_posix(), section


def test_every_cited_section_of_the_database_reference_exists() -> None:
    cited = list(citations())
    assert len(cited) >= 20
    assert [each for each in cited if each[1] not in anchors(DATABASE)] == []


def test_the_links_within_the_database_reference_lead_somewhere() -> None:
    links = set(re.findall(r"\]\(#([\w-]+)\)", DATABASE.read_text(encoding="utf-8")))
    assert links
    assert links <= anchors(DATABASE)


def test_the_database_reference_lists_every_known_revision() -> None:
    listed = re.findall(r"^\| [^|]+ \| `([0-9a-f]+)` \|", DATABASE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(listed) == len(set(listed))
    assert set(listed) == schema._KNOWN_REVISIONS


def test_every_path_that_the_design_names_exists() -> None:
    """Paths are relative to the package, or to the checkout."""
    named = set(re.findall(r"`((?:[\w.]+/)*[\w.]+(?:/|\.py|\.md))`", DESIGN.read_text(encoding="utf-8")))
    assert len(named) > 40
    assert [path for path in sorted(named) if not any((folder / path).exists() for folder in (PACKAGE, ROOT))] == []
