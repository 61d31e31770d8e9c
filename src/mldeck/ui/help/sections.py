"""What the help shows: the keys that work where it was opened, each once, then the keys of other panes and places."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from textual.binding import ActiveBinding

from mldeck.ui.help.key_groups import GENERAL_TITLES, GROUPS
from mldeck.ui.kit.keys import Key, entry_of, key_text


class Section(NamedTuple):
    title: str
    entries: Sequence[tuple[str, str]]
    """The keys or the example, and what they mean."""


OTHER_PANES = "Other panes and places"

LANGUAGE = (
    Section(
        "The filter: MLflow's search language",
        (
            ("metrics.rmse < 7 AND params.model = 'xgboost'", "clauses joined by AND; text values in quotes"),
            ("metrics.`val/loss` <= 1e-3", "backticks around keys with characters other than letters, digits, _ and ."),
            ("tags.team LIKE 'a%'", "% any text, _ one character; ILIKE ignores case"),
            ("status = 'FINISHED'", "also run_name, run_id, user_id, artifact_uri, start_time, end_time"),
            ("dataset.name = 'train'", "also dataset.digest and dataset.context"),
            ("params.seed IS NULL", "also IS NOT NULL; for params and tags"),
        ),
    ),
    Section(
        "mldeck syntax; MLflow would reject this",
        (
            ("(a OR b) AND NOT c", "OR, NOT and parentheses"),
            ("params.lr < 0.1", "params as numbers; values that are not numbers never match"),
            ("metrics.auc IS NOT NULL", "IS NULL and IS NOT NULL for every field"),
            ("duration > 10m", "ms, s, m, h or d"),
            ("start_time > '2d ago'", "also dates: '2026-11-21', '2026-11-21 09:30'"),
            ("status IN ('FAILED', 'KILLED')", "IN, LIKE, NOT LIKE … wherever they make sense"),
            ("candidate", "a bare word: part of the run's name"),
        ),
    ),
)


def key_sections(active: Iterable[ActiveBinding], keymap: Mapping[str, str]) -> list[Section]:
    """Return the keys that work here, those of the focused pane first, then all others.

    `active` are the bindings that work, from the focus outwards. `keymap` has the keys of the settings by id.
    """
    here: dict[Key, list[str]] = {}
    distances: dict[Key, int] = {}
    nodes: list[object] = []
    for node, binding, *_ in active:
        entry = entry_of(binding)
        if node not in nodes:
            nodes.append(node)
        if entry is not None:
            here.setdefault(entry, []).append(binding.key)
            distances.setdefault(entry, nodes.index(node))

    def place(group: tuple[str, Sequence[Key]]) -> tuple[bool, int]:
        """Return the position of a group: by its distance from the focus, the general ones last."""
        title, keys = group
        return title in GENERAL_TITLES, min(distances[key] for key in keys if key in here)

    present = [group for group in GROUPS if any(key in here for key in group[1])]
    sections = [
        Section(title, [(key_text(",".join(here[key])), key.help) for key in keys if key in here])
        for title, keys in sorted(present, key=place)
    ]
    others = list(_other_sections(here, keymap))
    return [*sections, Section(OTHER_PANES, ()), *others] if others else sections


def _other_sections(here: Mapping[Key, object], keymap: Mapping[str, str]) -> Iterator[Section]:
    for title, keys in GROUPS:
        entries = [(key_text(keymap.get(key.id, key.keys)), key.help) for key in keys if key not in here]
        if entries:
            yield Section(title, entries)
