"""The keys of the settings: the check against the key tables, and the list of all ids.

Textual takes any keymap: it ignores unknown ids and key names, and drops bindings whose key another one gets.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import permutations

from textual.keys import KEY_NAME_REPLACEMENTS, Keys

from mldeck.errors import UsageError
from mldeck.format import safe
from mldeck.settings import config_file
from mldeck.ui.help.key_groups import CONTEXTS, GROUPS
from mldeck.ui.kit.keys import Key, character_of

_NAMES = frozenset(key.value for key in Keys if not key.value.startswith("<"))
_SENT_AS = {"ctrl+i": "tab", "ctrl+m": "enter", "ctrl+[": "escape", "ctrl+left_square_bracket": "escape"}
"""Keys that terminals do not tell from another one."""
_COPIES = "ctrl+c"
_WAY_OUT = "`mldeck --keys` lists the ids and keys"


def keymap_of_settings(keys: Sequence[tuple[str, Sequence[object]]]) -> dict[str, str]:
    """Return the keymap for Textual of what the settings file has. Raises `UsageError` with all that is wrong."""
    return checked_keymap(keys, f"the settings file {config_file()}, [keys]")


def checked_keymap(written: Sequence[tuple[str, Sequence[object]]], origin: str) -> dict[str, str]:
    """Return the keymap for Textual from pairs of an id and its keys, as written in the settings.

    Raises `UsageError` with all that is wrong, in one line that begins with `origin`.
    """
    known = {key.id for _, keys in GROUPS for key in keys}
    problems: list[str] = []
    chosen: dict[str, list[str]] = {}
    for key_id, names in written:
        if key_id not in known:
            problems.append(_unknown(key_id, known))
            continue
        chosen[key_id] = []
        texts = [name for name in names if isinstance(name, str) and name]
        if not texts or len(texts) < len(names):
            problems.append(f'{key_id} must be a key or a list of keys, as in sort = "o" or ["o", "f5"]')
        for name in texts:
            normal = _key_name(name)
            if normal is None or normal in _SENT_AS or normal == _COPIES:
                problems.append(f"{key_id}: {_not_a_key(name, normal)}")
            else:
                chosen[key_id].append(normal)
    problems += dict.fromkeys(_stolen(chosen, free=[key_id for key_id, names in written if names]))
    if problems:
        raise UsageError(f"{origin}: {'; '.join(problems)} ({_WAY_OUT})")
    # Where two ids share a key, Textual drops both bindings when it moves one of them, unless the other one is in the map.
    sharing = {
        other.id: other.keys
        for context in CONTEXTS
        for key in context
        for other in context
        if key.id in chosen and _default_keys(key) & _default_keys(other)
    }
    return {**sharing, **{key_id: ",".join(names) for key_id, names in chosen.items()}}


def _default_keys(key: Key) -> set[str]:
    return set(key.keys.split(","))


def _unknown(key_id: str, known: Collection[str]) -> str:
    similar = get_close_matches(key_id.rpartition(".")[2], known, 1)
    return f"there is no key {safe(key_id)}" + (f"; did you mean {similar[0]}?" if similar else "")


def _not_a_key(name: str, normal: str | None) -> str:
    if normal in _SENT_AS:
        return f"terminals send {name} as {_SENT_AS[normal]}"
    if normal == _COPIES:
        return f"{name} copies selected text"
    *modifiers, last = name.split("+")
    if modifiers == ["shift"] and len(last) == 1 and last.isalpha():
        return f"write {last.upper()} instead of {name}"
    return f"{safe(name)!r} is not a key: write a character, or a name such as ctrl+o, shift+left or f5"


def _key_name(written: str) -> str | None:
    """Return Textual's name of a key; None if there is no such key."""
    if len(written) == 1:
        return _character_name(written)
    *modifiers, last = written.lower().split("+")
    if modifiers and len(last) == 1:
        last = _character_name(last) or last
    name = "+".join((*modifiers, last))
    if name in _NAMES or (not modifiers and character_of(name) is not None):
        return name
    return name if modifiers == ["alt"] and character_of(last) is not None else None


def _character_name(character: str) -> str | None:
    """Return Textual's name of the key of a character; None if no key types it."""
    if not character.isprintable():
        return None
    if character.isalnum():
        return character
    name = unicodedata.name(character, character).lower().replace("-", "_").replace(" ", "_")
    return KEY_NAME_REPLACEMENTS.get(name, name)


def _stolen(chosen: Mapping[str, Sequence[str]], free: Collection[str]) -> Iterator[str]:
    """Yield a message for each chosen key that already has another meaning in the same place.

    `free` are the ids that give up their default keys, also if what they get instead is no key.

    What shares a key without the settings may go on sharing it: the one that is nearer to the focus gets it.
    """
    for context in CONTEXTS:
        for key, other in permutations(context, 2):
            if key.id not in chosen or (other.id in chosen and other.id < key.id):
                continue
            of_other = set(chosen.get(other.id, ())) if other.id in free else _default_keys(other)
            for name in sorted(of_other.intersection(chosen[key.id]) - (_default_keys(key) & _default_keys(other))):
                yield f"{key.id}: {written_key(name)} is the key of {other.id}; give one of them another key"


def written_key(name: str) -> str:
    """Return a key of the tables as it is written in the settings: `?`, not `question_mark`."""
    character = character_of(name)
    return character if character is not None and character.isprintable() and character != " " else name


def key_list(keymap: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines that list all ids, their keys and what they do. `keymap` has the keys of the settings by id."""
    rows = [
        (
            title,
            [(key.id, " ".join(map(written_key, keymap.get(key.id, key.keys).split(","))), key.help) for key in keys],
        )
        for title, keys in GROUPS
    ]
    id_width, key_width = (max(len(entry[column]) for _, entries in rows for entry in entries) for column in (0, 1))
    for index, (title, entries) in enumerate(rows):
        if index:
            yield ""
        yield title
        for key_id, keys, help_text in entries:
            yield f"  {key_id:{id_width}}  {keys:{key_width}}  {help_text}"
