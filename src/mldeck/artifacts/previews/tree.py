"""JSON and YAML as a tree: parsed as written, never built into objects.

Numbers, dates and the like keep their spelling, repeated keys stay repeated, and an alias stays an alias, so that a few
lines cannot expand into gigabytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from mldeck.artifacts.previews.values import Tree, TreeMapping, UnquotedScalar
from mldeck.artifacts.source import Check, no_check
from mldeck.errors import MldeckError

if TYPE_CHECKING:
    import yaml

MAX_JSON = 1 << 20
MAX_YAML = 1 << 18
"""In bytes; PyYAML is many times slower than json."""
MAX_VALUES = 100_000
_MAX_CHARACTERS = 1 << 21
_MAX_YAML_DEPTH = 200
"""PyYAML's time grows with the square of the depth."""
_MAX_YAML_TAGS = 100
"""libyaml's time grows with the square of the number of `%TAG` directives, all of which it reads at once."""
_EVENTS_BETWEEN_CHECKS = 1_000
_TOO_DEEP = "Nested too deeply for a tree."
_TOO_MANY = f"It holds more than {MAX_VALUES:,} values."
_CONSTANTS = {True: UnquotedScalar("true"), False: UnquotedScalar("false"), None: UnquotedScalar("null")}
_STRING = "tag:yaml.org,2002:str"


class NotATree(MldeckError):
    """The text is not what its name says, or is nested too deeply. `line` counts from 1."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


def parse_json(text: str) -> Tree:
    """Return the tree of a JSON text. Raises NotATree."""
    try:
        return as_written(json_decoder().decode(text))
    except json.JSONDecodeError as error:
        raise NotATree(
            f"Not valid JSON: {error.msg} in line {error.lineno}, column {error.colno}.", error.lineno
        ) from error
    except RecursionError:
        raise NotATree(_TOO_DEEP) from None


def check_size(root: Tree) -> None:
    """Raise NotATree if a tree is too large. The target of an alias counts wherever the alias occurs."""
    values = characters = 0
    waiting: list[Iterator[Tree]] = [iter((root,))]
    while waiting:
        value = next(waiting[-1], None)
        if value is None:
            waiting.pop()
            continue
        values += 1
        if isinstance(value, str):
            characters += len(value)
        elif isinstance(value, TreeMapping):
            characters += sum(len(key) for key, _ in value.items)
            waiting.append(item for _, item in value.items)
        else:
            waiting.append(iter(value))
        if values > MAX_VALUES:
            raise NotATree(_TOO_MANY)
        if characters > _MAX_CHARACTERS:
            raise NotATree(f"It holds more than {_MAX_CHARACTERS >> 20} MB of text.")


def json_decoder() -> json.JSONDecoder:
    """Return a decoder that keeps the spelling of scalars; pass its result to `as_written`."""
    return json.JSONDecoder(
        object_pairs_hook=_members, parse_float=UnquotedScalar, parse_int=UnquotedScalar, parse_constant=UnquotedScalar
    )


def _members(pairs: list[tuple[str, Any]]) -> TreeMapping:
    return TreeMapping([(key, as_written(value)) for key, value in pairs])


def as_written(value: Any) -> Tree:
    """Return the decoder's result with true, false and null replaced, which it leaves in lists and at the top."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            if item is None or isinstance(item, (bool, list)):
                value[index] = as_written(item)
        return value
    return _CONSTANTS[value] if value is None or isinstance(value, bool) else value


def parse_yaml(text: str, *, follow_aliases: bool = False, check: Check = no_check) -> Tree:
    """Return the tree of a YAML text: its document, or a list if there are several. Raises NotATree.

    An alias becomes `*name`, and its anchor is shown beside the key; with `follow_aliases` it becomes the value itself.
    """
    if text.count("%TAG") > _MAX_YAML_TAGS:
        raise NotATree(f"It has more than {_MAX_YAML_TAGS} %TAG directives.")
    import yaml  # takes 20 ms, and only these files need it

    loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
    try:
        documents = _Builder(follow_aliases).documents(yaml.parse(text, Loader=loader), check)
    except yaml.MarkedYAMLError as error:
        raise _not_yaml(error.problem, error.problem_mark) from error
    except yaml.reader.ReaderError as error:
        line = text.encode()[: error.position].count(b"\n") + 1
        raise NotATree(f"Not valid YAML: a character that is not allowed, in line {line}.", line) from error
    except yaml.YAMLError as error:
        raise NotATree(f"Not valid YAML: {error}.") from error
    if not documents:
        raise NotATree("It contains only comments.")
    return documents[0] if len(documents) == 1 else documents


def _not_yaml(problem: str | None, mark: yaml.Mark | None) -> NotATree:
    # PyYAML 6.0.4 and later have their own limit.
    if "nesting depth" in (problem or ""):
        return NotATree(_TOO_DEEP)
    if mark is None:
        return NotATree(f"Not valid YAML: {problem}.")
    return NotATree(f"Not valid YAML: {problem} in line {mark.line + 1}, column {mark.column + 1}.", mark.line + 1)


class _Builder:
    """A builder of a tree from the parser's events, without recursion."""

    def __init__(self, follow_aliases: bool) -> None:
        import yaml

        self._resolver = yaml.SafeLoader("")
        self._scalar = yaml.ScalarNode
        self._follow_aliases = follow_aliases
        self._anchored: dict[str, Tree] = {}
        self._open: list[tuple[str | None, list[tuple[Tree, str]]]] = []
        """For each open collection: its anchor, and its items so far, each with the text that marks its anchor."""
        self._documents: list[Tree] = []
        self._values = 0

    def documents(self, events: Iterator[Any], check: Check) -> list[Tree]:
        for number, event in enumerate(events):
            if number % _EVENTS_BETWEEN_CHECKS == 0:
                check()
            getattr(self, f"_on_{type(event).__name__}", self._ignore)(event)
        return self._documents

    def _ignore(self, event: yaml.Event) -> None:
        """Ignore the start and end of the stream and of its documents."""

    def _on_DocumentStartEvent(self, event: yaml.DocumentStartEvent) -> None:
        self._anchored.clear()

    def _on_AliasEvent(self, event: yaml.AliasEvent) -> None:
        name = str(event.anchor)
        known = self._anchored.get(name) if self._follow_aliases else None
        self._add(UnquotedScalar(f"*{name}") if known is None else known, None)

    def _on_ScalarEvent(self, event: yaml.ScalarEvent) -> None:
        text = str(event.value)
        tag = event.tag or self._resolver.resolve(self._scalar, text, event.implicit)  # type: ignore[no-untyped-call]
        self._add(text if tag in {_STRING, "!"} else UnquotedScalar(text), event.anchor)

    def _on_SequenceStartEvent(self, event: yaml.SequenceStartEvent) -> None:
        self._start(event)

    def _on_MappingStartEvent(self, event: yaml.MappingStartEvent) -> None:
        self._start(event)

    def _on_SequenceEndEvent(self, event: yaml.SequenceEndEvent) -> None:
        anchor, items = self._open.pop()
        self._add([value for value, _ in items], anchor)

    def _on_MappingEndEvent(self, event: yaml.MappingEndEvent) -> None:
        anchor, items = self._open.pop()
        pairs = zip(islice(items, 0, None, 2), islice(items, 1, None, 2), strict=True)
        self._add(TreeMapping([(_key(key) + mark, value) for (key, _), (value, mark) in pairs]), anchor)

    def _start(self, event: yaml.CollectionStartEvent) -> None:
        if len(self._open) >= _MAX_YAML_DEPTH:
            raise NotATree(_TOO_DEEP)
        self._open.append((event.anchor, []))

    def _add(self, value: Tree, anchor: str | None) -> None:
        self._values += 1
        if self._values > MAX_VALUES:
            raise NotATree(_TOO_MANY)
        if anchor is not None:
            self._anchored[anchor] = value
        mark = f" &{anchor}" if anchor is not None and not self._follow_aliases else ""
        if self._open:
            self._open[-1][1].append((value, mark))
        else:
            self._documents.append(value)


def _key(value: Tree) -> str:
    return value if isinstance(value, str) else "{…}" if isinstance(value, TreeMapping) else "[…]"


def tree_text(value: Tree, limit: int = 2_000) -> str:
    """Return a value on one line, cut with an ellipsis after `limit` characters.

    It looks like JSON, but a string at the top has no quotes.
    """
    if isinstance(value, str):
        return value if len(value) <= limit else value[:limit] + "…"
    pieces: list[str] = []
    length = 0
    for piece in _pieces(value):
        pieces.append(piece)
        length += len(piece)
        if length > limit:
            return "".join(pieces)[:limit] + "…"
    return "".join(pieces)


def _pieces(root: Tree) -> Iterator[str]:
    """Yield the pieces of the text. A stack holds the values, and the marks between them, that are still to be written."""
    waiting: list[tuple[Tree, bool]] = [(root, True)]
    while waiting:
        value, is_value = waiting.pop()
        if not is_value:
            yield str(value)
        elif isinstance(value, str):
            yield value if isinstance(value, UnquotedScalar) else json.dumps(value, ensure_ascii=False)
        else:
            opening, closing = "{}" if isinstance(value, TreeMapping) else "[]"
            yield opening
            waiting.append((closing, False))
            waiting.extend(reversed(list(_inside(value))))


def _inside(value: TreeMapping | list[Tree]) -> Iterator[tuple[Tree, bool]]:
    if isinstance(value, TreeMapping):
        for number, (key, item) in enumerate(value.items):
            yield f"{', ' if number else ''}{json.dumps(key, ensure_ascii=False)}: ", False
            yield item, True
        return
    for number, item in enumerate(value):
        if number:
            yield ", ", False
        yield item, True
