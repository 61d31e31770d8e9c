"""How a session was left, for the next one: which runs were shown, in which order and groups, the marks, and the tabs.

Pure values and their JSON. A saved value that is malformed or no longer makes sense becomes the default, because a user may
have edited the file, and another store may be at the same path now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mldeck.model import Column, Experiment, OrderKey, View
from mldeck.ui.state.arrangement import Layout
from mldeck.ui.state.columns import TEXTS, column_of_pair, column_pair, is_sortable

MOST_MARKS = 5_000
"""With more marks than this none are saved: part of them would compare the wrong runs."""

_LISTED, _TABS = "list", "tabs"
"""Keys in the saved choices of experiments, and in the state of a store."""

_MOST_KEYS = 20
"""Sort keys that are restored. SQLite joins at most 64 tables."""
_MOST_OPENED, _LONGEST_VALUE = 100, 500
"""Groups that are restored open, and the characters of their values."""


@dataclass(frozen=True)
class ListChoice:
    """How the user wants the runs of some experiments to be listed."""

    order: tuple[OrderKey, ...] = ()
    """The most important key first; empty for the newest run first."""
    filter: str = ""
    group_by: Column | None = None
    """The param or tag to group by."""
    opened: frozenset[str | None] = frozenset()
    """Values of the groups whose runs are shown."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that the runs are sorted and grouped by."""
        grouped = () if self.group_by is None else (self.group_by,)
        return (*(key.column for key in self.order), *grouped)

    def layout(self, *, is_tree: bool) -> Layout:
        """Return the layout: groups, or else a tree if the user wants that for nested runs."""
        return Layout(is_tree and self.group_by is None, group_by=self.group_by, opened=self.opened)

    def without(self, gone: Iterable[Column]) -> ListChoice:
        """Return the choice without sorting or grouping by these columns."""
        left_out = frozenset(gone)
        order = tuple(key for key in self.order if key.column not in left_out)
        if self.group_by in left_out:
            return ListChoice(order, self.filter)
        return ListChoice(order, self.filter, self.group_by, self.opened)


def kept_choice(choices: Mapping[str, Any], experiments: Sequence[Experiment]) -> ListChoice:
    """Read how the runs of these experiments were listed, from their saved choices."""
    written = choices.get(_LISTED)
    # In another store at the same path, other experiments may have these ids.
    if not isinstance(written, dict) or written.get("of") != _identities(experiments):
        return ListChoice()
    text, group_by = written.get("filter"), column_of_pair(written.get("group"))
    items = written.get("order")
    keys = [_order_key(item) for item in items] if isinstance(items, list) else []
    by_column = {key.column: key for key in keys if key is not None}
    if group_by is not None and group_by.kind not in TEXTS:
        group_by = None
    return ListChoice(
        tuple(by_column.values())[:_MOST_KEYS],
        text.strip() if isinstance(text, str) and _is_filter(text.strip()) else "",
        group_by,
        frozenset() if group_by is None else _opened(written.get("opened")),
    )


def keep_choice(choices: dict[str, Any], experiments: Sequence[Experiment], choice: ListChoice) -> None:
    """Put into the saved choices of these experiments how their runs are listed."""
    choices[_LISTED] = {
        "of": _identities(experiments),
        "order": [[*column_pair(key.column), key.descending, key.as_number] for key in choice.order],
        "filter": choice.filter,
        "group": None if choice.group_by is None else column_pair(choice.group_by),
        "opened": [value for value in choice.opened if _is_kept(value)][:_MOST_OPENED],
    }


def _opened(written: object) -> frozenset[str | None]:
    values = written if isinstance(written, list) else []
    return frozenset(value for value in values[:_MOST_OPENED] if _is_kept(value))


def _is_kept(value: object) -> bool:
    """Return whether the group with this value is restored open. A param may have thousands of characters."""
    return value is None or (isinstance(value, str) and len(value) <= _LONGEST_VALUE)


def _identities(experiments: Iterable[Experiment]) -> list[list[Any]]:
    """Return what tells experiments apart from those with the same ids in another store. Their names can be changed."""
    return [[experiment.experiment_id, experiment.creation_time] for experiment in experiments]


def _order_key(written: object) -> OrderKey | None:
    match written:
        case [_, _, bool(descending), bool(as_number)]:
            column = column_of_pair(written)
            if column is not None and is_sortable(column):
                return OrderKey(column, descending, as_number and column.kind in TEXTS)
    return None


def _is_filter(text: str) -> bool:
    """Return whether the text is empty, or a filter that this release understands."""
    if not text:
        return True
    # Imported here because it takes a while, and most runs are not filtered.
    from mldeck.search.errors import SearchError
    from mldeck.search.parse import parse

    try:
        parse(text)
    except SearchError:
        return False
    return True


# -- what is the same for all experiments of a store


@dataclass(frozen=True)
class ShownRuns:
    """Which runs are shown, if these are not the active ones of the chosen experiment."""

    joined: tuple[Experiment, ...] = ()
    """The experiments whose runs are shown together."""
    run_view: View = View.ACTIVE
    experiment_view: View = View.ACTIVE
    only_marked: bool = False


def left_state(
    experiment: Experiment, marked: Mapping[str, int], *, is_tree: bool, shown: ShownRuns = ShownRuns()
) -> dict[str, Any]:
    """Return JSON for the chosen experiment, the marks with their colours, which runs are shown, and whether as a tree."""
    marks = [] if len(marked) > MOST_MARKS else [[run_id, colour] for run_id, colour in marked.items()]
    return {
        "experiment": _identities((experiment,)),
        "marks": marks,
        "tree": is_tree,
        "joined": _identities(shown.joined),
        "run_view": shown.run_view.value,
        "experiment_view": shown.experiment_view.value,
        "only_marked": shown.only_marked,
    }


def left_shown(last: Mapping[str, Any], experiments: Iterable[Experiment] = ()) -> ShownRuns:
    """Return which runs were shown last. `experiments` are those that may be joined; others are left out."""
    joined, only_marked = last.get("joined"), last.get("only_marked") is True
    known = {experiment.experiment_id: experiment for experiment in experiments}
    found = []
    for identity in joined if isinstance(joined, list) else []:
        match identity:
            case [str(experiment_id), _] if experiment_id in known:
                experiment = known[experiment_id]
                if _identities((experiment,)) == [identity] and experiment not in found:
                    found.append(experiment)
    return ShownRuns(tuple(found), _view(last.get("run_view")), _view(last.get("experiment_view")), only_marked)


def left_plain(last: Mapping[str, Any]) -> bool:
    """Return whether the active runs of one experiment were shown."""
    return not last.get("joined") and left_shown(last) == ShownRuns()


def _view(written: object) -> View:
    try:
        return View(written)
    except ValueError:
        return View.ACTIVE


def left_experiment(last: Mapping[str, Any], experiments: Iterable[Experiment]) -> Experiment | None:
    """Return which of the experiments was chosen last; None if it is not among them."""
    written = last.get("experiment")
    return next((found for found in experiments if _identities((found,)) == written), None)


def expected_experiment(last: Mapping[str, Any]) -> Experiment | None:
    """Return the experiment that was chosen last as far as it was saved, before it is known whether it is still there."""
    match last.get("experiment"):
        case [[str(experiment_id), int(creation_time) | (None as creation_time)]] if experiment_id.isdecimal():
            return Experiment(experiment_id, "", View.ACTIVE.value, None, creation_time, None)
    return None


def left_tree(last: Mapping[str, Any]) -> bool:
    return last.get("tree") is True


def left_marks(last: Mapping[str, Any]) -> dict[str, int]:
    """Return the number of the colour of each marked run, by run id. The runs may be gone."""
    written = last.get("marks")
    if not isinstance(written, list) or not written:
        return {}
    from mldeck.charts.picture import SERIES_COLOURS  # most sessions begin without marks

    marks: dict[str, int] = {}
    for item in written[:MOST_MARKS]:
        match item:
            case [str(run_id), int(colour)] if run_id:
                marks[run_id] = colour % SERIES_COLOURS
    return marks


def left_tab(last: Mapping[str, Any], bar: str, names: Sequence[str]) -> int:
    """Return the index of the tab that was shown last in a bar of tabs; 0 if there is none of its name."""
    tabs = last.get(_TABS)
    name = tabs.get(bar) if isinstance(tabs, dict) else None
    return names.index(name) if name in names else 0


def with_tab(last: Mapping[str, Any], bar: str, name: str) -> dict[str, Any]:
    """Return the state with this tab shown in a bar of tabs."""
    tabs = last.get(_TABS)
    return {**last, _TABS: {**(tabs if isinstance(tabs, dict) else {}), bar: name}}
