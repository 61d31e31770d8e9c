"""Names and inheritance of the classes: a name means one thing, and no class stands on a long chain of others."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "src" / "mldeck"

_ALIAS = re.compile(r"[A-Z][A-Za-z]*[a-z][A-Za-z]*")

SPECIALISATIONS = {"PlaneView", "ParallelView", "ImportanceView", "ScatterView", "ContourView"}
"""The views of Compare, each a special case of the one above it."""


def classes() -> dict[str, list[tuple[str, list[str]]]]:
    """Return the classes at the top level of modules by name: the module, and the names of the bases."""
    found: dict[str, list[tuple[str, list[str]]]] = defaultdict(list)
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                bases = [ast.unparse(base).partition("[")[0].rpartition(".")[2] for base in node.bases]
                found[node.name].append((str(path.relative_to(PACKAGE)), bases))
    return found


def depth(name: str, bases: dict[str, list[str]]) -> int:
    """Return how many classes of ours stand in a chain that ends with this one."""
    return 1 + max((depth(base, bases) for base in bases[name] if base in bases), default=0)


def types() -> dict[str, list[str]]:
    """Return the modules that define a class or an alias of each name."""
    found = {name: [path for path, _ in of_name] for name, of_name in classes().items()}
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
            if isinstance(target, ast.Name) and _ALIAS.fullmatch(target.id):
                found.setdefault(target.id, []).append(str(path.relative_to(PACKAGE)))
    return found


def test_the_name_of_a_type_means_one_thing() -> None:
    found = types()
    assert {"RunsScreen", "StyledSpan"} <= found.keys()
    assert {name: paths for name, paths in found.items() if len(paths) > 1} == {}


def test_no_class_stands_on_more_than_one_of_ours() -> None:
    """Errors apart, whose chains are what callers catch."""
    bases = {name: of_name[0][1] for name, of_name in classes().items()}
    deep = {name for name in bases if depth(name, bases) > 2 and not _is_error(name, bases)}
    assert deep == SPECIALISATIONS


def _is_error(name: str, bases: dict[str, list[str]]) -> bool:
    return name == "MldeckError" or any(base in bases and _is_error(base, bases) for base in bases[name])


def test_depths_are_counted() -> None:
    assert depth("C", {"A": ["Widget"], "B": ["A"], "C": ["Mixin", "B"], "Mixin": []}) == 3
