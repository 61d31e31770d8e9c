"""The history of a model as a time line: the versions in Production and Staging, and who moved them, when and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from mldeck.format import MISSING, cell_width, safe, time_text
from mldeck.registry.history import Event, EventKind, Transition
from mldeck.registry.nouns import PRODUCTION, STAGING
from mldeck.ui.kit.brief_text import BriefText, wrapped_lines
from mldeck.ui.kit.clock import Clock
from mldeck.ui.kit.form_controls import fit_rows
from mldeck.ui.kit.grid import GAP, Cell, Grid, GridColumn
from mldeck.ui.kit.mounting import after_refresh
from mldeck.ui.kit.titles import title_of

_LANES = (PRODUCTION, STAGING)
_MAX_WHO_WIDTH, _MIN_WHY_WIDTH = 12, 16
_BRIEF_LANE = 4
"""Characters of a lane's name in a narrow dialog: Prod, Stag."""
_WHY = "why"
_NO_RECORD = "no record"
_MOST_NUMBERS = 3
_OTHER_LINES = 4
"""Lines of the dialog besides the rows, the details and the note: border, header, a blank line."""
_LEAST_DETAILS, _MOST_DETAILS = 3, 10
"""Lines below the list."""


class Wording(Enum):
    """How much of an event a line says. What is left out is read from the lanes and the details."""

    FULL = "2: Staging → Production, 1 archived"
    BRIEF = "2 → Production, 1 archived"
    BRIEFEST = "2 → Production"


@dataclass(frozen=True)
class HistoryEntry:
    """An event, and the versions in Production and Staging after it."""

    event: Event
    lanes: tuple[tuple[int, ...], ...]
    """Version numbers by lane, newest first."""
    changed: tuple[bool, ...]
    """Whether this entry changed the lane, by lane."""


def history_entries(events: Sequence[Event]) -> tuple[HistoryEntry, ...]:
    """Return the entries, oldest first. Versions that a transition archived or put back share its entry."""
    stages: dict[int, str | None] = {}
    found: list[HistoryEntry] = []
    lanes = _lanes(stages)
    pending = list(events)
    while pending:
        event = pending.pop(0)
        together = [event]
        if event.transition is not None:
            together += [other for other in pending if other.transition is event.transition]
            pending = [other for other in pending if other.transition is not event.transition]
        for part in together:
            stages[part.version] = part.after
        before, lanes = lanes, _lanes(stages)
        main = next((part for part in together if part.transition and part.version == part.transition.version), event)
        changed = tuple(was != now for was, now in zip(before, lanes, strict=True))
        found.append(HistoryEntry(main, lanes, changed))
    return tuple(found)


def _lanes(stages: dict[int, str | None]) -> tuple[tuple[int, ...], ...]:
    return tuple(
        tuple(sorted((version for version in stages if stages[version] == lane), reverse=True)) for lane in _LANES
    )


class HistoryGrid(Grid):
    """The entries, newest first. The lanes on the left are read from the bottom up."""

    def __init__(self, found: Sequence[HistoryEntry], clock: Clock) -> None:
        super().__init__(id="history-rows")
        self.entries = tuple(reversed(found))
        self._clock = clock
        self._wording = Wording.FULL
        self.set_content(len(self.entries))

    def fitting_columns(self) -> tuple[GridColumn, ...]:
        """Return the columns, in the longest words that leave room for the reasons.

        If there is none even for the shortest, the column is left out; the details below the list show the reason.
        """
        for self._wording in Wording:
            columns = self._columns()
            if columns[-1].label == _WHY:
                return columns
        self._wording = Wording.FULL
        return self._columns()

    def _columns(self) -> tuple[GridColumn, ...]:
        cells = [self.row_cells(row) for row in range(self.row_count)]
        lanes = [lane if self._wording is Wording.FULL else lane[:_BRIEF_LANE] for lane in _LANES]
        labels = ("when", *lanes, "what", "who", _WHY)
        needed = [
            max([cell_width(label), *(cell_width(row[index].text) for row in cells)])
            for index, label in enumerate(labels)
        ]
        *first, what, who, why = needed
        who = min(who, _MAX_WHO_WIDTH)
        room = self.line_width - sum(first) - who - (len(labels) - 2) * GAP
        left = room - what - GAP
        whys = (min(why, left),) if left >= min(why, _MIN_WHY_WIDTH) else ()
        widths = (*first, max(1, min(what, room)), who, *whys)
        return tuple(GridColumn(label, width) for label, width in zip(labels, widths, strict=False))

    def row_cells(self, row: int) -> Sequence[Cell]:
        entry = self.entries[row]
        event = entry.event
        lanes = zip(entry.lanes, entry.changed, strict=True)
        style = "dim" if event.kind is EventKind.REGISTERED else "warn" if event.kind is EventKind.UNRECORDED else ""
        return (
            Cell(when_it_was(event, self._clock), "dim"),
            *(_lane_cell(numbers, changed) for numbers, changed in lanes),
            Cell(what_happened(event, self._wording), style),
            Cell(safe(_who(event)), "dim"),
            self._why(event, style),
        )

    def _why(self, event: Event, style: str) -> Cell:
        if event.kind is EventKind.UNRECORDED and self._wording is Wording.BRIEFEST:
            return Cell(_NO_RECORD, style)  # because the column before leaves it out
        return Cell(safe(event.transition.reason) if event.transition else "")

    @property
    def cursor_entry(self) -> HistoryEntry | None:
        return self.entries[self.cursor_row] if self.entries else None

    def copied_text(self) -> str | None:
        entry = self.cursor_entry
        return None if entry is None else _details_text(entry.event)


def _lane_cell(numbers: Sequence[int], changed: bool) -> Cell:
    """Return the version numbers where the lane changes, and a bar while it does not."""
    if not numbers:
        return Cell("╵" if changed else "", "faint")
    if not changed:
        return Cell("│", "accent")
    more = f" +{len(numbers) - _MOST_NUMBERS}" if len(numbers) > _MOST_NUMBERS else ""
    return Cell(f"● {' '.join(map(str, numbers[:_MOST_NUMBERS]))}{more}", "accent")


def when_it_was(event: Event, clock: Clock) -> str:
    """Return the age of the event; of an unrecorded change, its smallest and its largest possible age: `5s–3d`.

    The smallest is that of the last update of the version or the model, which may have changed something else, such as
    the description.
    """
    if event.when is None:
        return MISSING
    text = clock.age(event.when)
    if event.kind is not EventKind.UNRECORDED or _is_date(text):
        return text
    earliest = None if event.since is None else clock.age(event.since)
    if earliest is None or _is_date(earliest):
        return f"≥ {text}"
    return text if text == earliest else f"{text}–{earliest}"


def _is_date(age: str) -> bool:
    return "-" in age


def what_happened(event: Event, wording: Wording = Wording.FULL) -> str:
    """Return the event in words."""
    version = event.version
    if event.kind is EventKind.REGISTERED:
        return f"{version} registered"
    if event.kind is EventKind.DELETED:
        return f"{version} deleted"
    before = f": {safe(event.before or '?')}" if wording is Wording.FULL else ""
    moved = f"{version}{before} → {safe(event.after or '?')}"
    if event.transition is None:
        return moved if wording is Wording.BRIEFEST else f"{moved} ({_NO_RECORD})"
    transition = event.transition
    parts = [f"undo: {moved}" if transition.undo_of else moved]
    if wording is Wording.BRIEFEST:
        return parts[0]
    if transition.archived:
        parts.append(f"{_numbers(transition.archived, transition.left_out)} archived")
    if transition.put_back:
        parts.append(f"{_numbers(transition.put_back, 0)} put back")
    return ", ".join(parts)


def _details_text(event: Event) -> str:
    return "\n".join(details_of(event))


def details_of(event: Event) -> Iterator[str]:
    """Return everything known about the event, as lines."""
    yield what_happened(event)
    if event.when is not None:
        yield f"{_exactly(event)}{_by(event.transition)}"
    if event.kind is EventKind.UNRECORDED:
        yield "There is no record of who changed it, or exactly when."
    elif event.transition is not None and event.transition.reason:
        yield event.transition.reason


def _exactly(event: Event) -> str:
    when = time_text(event.when or 0)
    if event.kind is not EventKind.UNRECORDED:
        return when
    earliest = None if event.since is None else time_text(event.since)
    if earliest == when:
        return when
    return f"by {when}" if earliest is None else f"between {earliest} and {when}"


def _by(transition: Transition | None) -> str:
    if transition is None or not transition.who:
        return ""
    host = f" on {transition.host}" if transition.host else ""
    return f" by {transition.who}{host}" + (f" via {transition.via}" if transition.via else "")


def _who(event: Event) -> str:
    return event.transition.who if event.transition else ""


def _numbers(versions: Sequence[int], left_out: int) -> str:
    return " ".join(map(str, versions)) + (f" +{left_out}" if left_out else "")


class HistoryDialog(ModalScreen["int | None"]):
    """The result is the number of the version to go to; None to stay."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,H", "close", "close")]
    AUTO_FOCUS = "#history-rows"

    def __init__(self, model: str, events: Sequence[Event], clock: Clock, *, keeps_history: bool) -> None:
        super().__init__()
        self._model = model
        self._clock = clock
        self._entries = history_entries(events)
        self._keeps_history = keeps_history

    def compose(self) -> ComposeResult:
        with Vertical(id="history", classes="dialog") as pane:
            pane.border_title = title_of(f"History of {self._model}")
            pane.border_subtitle = Content("↑↓ · Enter go to the version · y copy · Esc close")
            grid = HistoryGrid(self._entries, self._clock)
            grid.empty_text = "This model has no history yet."
            yield grid
            yield BriefText(id="history-details")
            if not self._keeps_history:
                yield Static("MLflow before 1.10 has no version tags to record who, when and why.", id="history-note")

    @property
    def _grid(self) -> HistoryGrid:
        return self.query_one(HistoryGrid)

    @property
    def _details(self) -> BriefText:
        return self.query_one("#history-details", BriefText)

    @on(Grid.CursorMoved)
    def _cursor_moved(self, message: Grid.CursorMoved) -> None:
        message.stop()
        entry = self._grid.cursor_entry
        if isinstance(message, Grid.Opened) and entry is not None:
            self.dismiss(None if entry.event.kind is EventKind.DELETED else entry.event.version)
        else:
            self._show_details()

    def on_mount(self) -> None:
        self._show_details()

    def on_resize(self) -> None:
        after_refresh(self, self._fit)

    def _fit(self) -> None:
        """Give the details the room that the longest ones need, so that the list stays in its place when the cursor moves."""
        details = self._details
        width = details.size.width
        needed = max((len(wrapped_lines(_details_text(entry.event), width)) for entry in self._entries), default=0)
        lines = max(_LEAST_DETAILS, min(needed, _MOST_DETAILS))
        details.styles.height = lines
        others = _OTHER_LINES + lines + (0 if self._keeps_history else 1)
        fit_rows(self.query_one("#history"), self._grid, max(3, len(self._entries) + 1), others)

    def _show_details(self) -> None:
        entry = self._grid.cursor_entry
        self._details.show(_details_text(entry.event) if entry else "")

    def action_close(self) -> None:
        self.dismiss(None)
