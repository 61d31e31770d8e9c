"""Reading the `meta.yaml` of a file store. The usual one is flat, and read twenty times as fast as by the YAML library."""

from __future__ import annotations

import re
from typing import Any

_LINE = re.compile(
    r"(?P<key>[A-Za-z_]\w*): "
    r"(?:(?P<null>null)|(?P<integer>0|-?[1-9][0-9]{0,17})|'(?P<quoted>[^'\n]*)'|(?P<empty>\[\]|\{\})"
    r"|(?P<id>[0-9a-f]{32})|(?P<plain>/?[A-Za-z_][!-~]*(?: [!-~]+)*))",
    re.ASCII,
)
"""A line that is understood without the library. Texts that YAML could take for anything else are left to it."""
_WORDS = frozenset("null true false yes no on off y n".split())
"""Plain texts, in any case, that are no texts to YAML 1.1."""


class BrokenYaml(ValueError):
    """It is not the YAML of a mapping. The message says why, in a few words."""


def read_mapping(text: str) -> dict[str, Any]:
    """Return the mapping that the text is. Raises `BrokenYaml`, also for an empty text: it is being written, or was cut."""
    found: dict[str, Any] = {}
    for line in text.split("\n"):
        if not line:
            continue
        match = _LINE.fullmatch(line)
        kind = match.lastgroup if match is not None else None
        if match is None or kind is None:
            return _by_library(text)
        written = match[kind]
        if kind == "quoted":
            value: Any = written
        elif kind == "integer":
            value = int(written)
        elif kind == "null":
            value = None
        elif kind == "empty":
            value = [] if written == "[]" else {}
        elif (kind == "id" and written.isdecimal()) or not _is_plain(written):
            return _by_library(text)
        else:
            value = written
        found[match["key"]] = value
    if not found:
        raise BrokenYaml("it is empty")
    return found


def _is_plain(text: str) -> bool:
    return ": " not in text and " #" not in text and text[-1] != ":" and text.lower() not in _WORDS


def _by_library(text: str) -> dict[str, Any]:
    import yaml  # most files need no library

    if re.search("^%", text, re.MULTILINE):
        raise BrokenYaml("it has directives")  # libyaml's time grows with the square of their number
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        found = yaml.load(text, loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BrokenYaml(f"line {line}: {error.problem}") from None
    except (yaml.YAMLError, ValueError, LookupError, TypeError, RecursionError, OverflowError) as error:
        raise BrokenYaml(str(error).partition("\n")[0] or type(error).__name__) from None
    if not isinstance(found, dict):
        raise BrokenYaml("it is empty" if found is None else "it is no mapping")
    return {str(key): value for key, value in found.items()}
