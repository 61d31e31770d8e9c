"""The review before a stage change: the version in the stage, the version that moves in, and the differences."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from mldeck.errors import MldeckError
from mldeck.format import Neighbours, cell_width, safe
from mldeck.registry.nouns import ACTIVE_STAGES, PRODUCTION
from mldeck.registry.plan import StaleReview, TransitionPlan, archives_by_default
from mldeck.registry.review import aliases_left
from mldeck.store.registry.rules import check_reason
from mldeck.ui.details.direction_menu import ask_direction
from mldeck.ui.kit.brief_text import BriefText
from mldeck.ui.kit.clock import Clock
from mldeck.ui.kit.dialogs.waiting import write_or_explain
from mldeck.ui.kit.form_controls import ButtonBar, CheckBox, fit_rows
from mldeck.ui.kit.full_text import TextAsked
from mldeck.ui.kit.grid import GAP, Cell, Grid, GridColumn
from mldeck.ui.kit.mounting import after_refresh
from mldeck.ui.kit.text_field import TextField
from mldeck.ui.kit.threads import in_thread, read_off_loop
from mldeck.ui.kit.titles import title_of
from mldeck.ui.models.reading import stay_text
from mldeck.ui.models.review import DIRECTION_ASKED, FilesMark, Review, ReviewRow, StageChange
from mldeck.ui.state.metric_direction import Better

if TYPE_CHECKING:
    from mldeck.artifacts.file_facts import FileFacts
    from mldeck.registry.history import Transition

_CANCEL = "Cancel"
_CLOSE = "Close"
_MIN_NAME_WIDTH, _MIN_VALUE_WIDTH, _GOOD_VALUE_WIDTH = 8, 8, 16
_NAMED_CHANGES = 3
"""Changes of the signature that the warning names."""
_OTHER_LINES = 7
"""Lines of the dialog besides the rows and the texts around them: border, choices, buttons, gaps."""
_SAID = {"#review-stale": 4, "#review-moves": 3, "#review-since": 3, "#review-warnings": 4}
"""The texts around the comparison, and how many lines they may have where there is room, as in the style sheet."""


class ReviewGrid(Grid):
    """The rows of a review: name, value now, value then, difference, verdict."""

    def __init__(self) -> None:
        super().__init__(id="review-rows")
        self.rows: Sequence[ReviewRow] = ()
        self._labels = ("", "")
        """Headers of the two versions; the first is empty if there is nothing to compare with."""

    def show(self, rows: Sequence[ReviewRow], labels: tuple[str, str]) -> None:
        self.rows, self._labels = rows, labels
        self.set_content(len(rows))

    def fitting_columns(self) -> tuple[GridColumn, ...]:
        rows, (now, then) = self.rows, self._labels
        difference, verdict = _width([row.difference for row in rows]), _width([row.verdict for row in rows])
        compares = bool(now)
        room = self.line_width - (difference + verdict + 2 * GAP if compares else 0)
        values = 2 if compares else 1
        name = max(_MIN_NAME_WIDTH, min(_width([row.name for row in rows]), room - values * (_GOOD_VALUE_WIDTH + GAP)))
        needed = _width([now, then, *(text for row in rows for text in (row.now, row.then))])
        value = max(_MIN_VALUE_WIDTH, min(needed, (room - name - values * GAP) // values))
        columns = [GridColumn("", name, neighbours=Neighbours(row.name for row in rows))]
        if compares:
            columns.append(GridColumn(self._cut(now, value), value, right=True))
        columns.append(GridColumn(self._cut(then, value), value, right=True))
        if compares:
            columns += [GridColumn("", difference, right=True), GridColumn("", verdict)]
        return tuple(columns)

    def _cut(self, label: str, width: int) -> str:
        """Return a label of which the run's name is cut where those of both versions are alike."""
        start, bracket, name = label.partition("(")
        names = Neighbours(label.partition("(")[2] for label in self._labels)
        return start + bracket + names.cut(name, width - len(start + bracket))

    def row_cells(self, row: int) -> Sequence[Cell]:
        line = self.rows[row]
        name, then = Cell(safe(line.name), "dim"), self._value(line, line.then)
        if not self._labels[0]:
            return name, then
        is_question = line.verdict == DIRECTION_ASKED
        verdict = Cell("" if is_question and row != self.cursor_row else line.verdict, line.style)
        return name, self._value(line, line.now), then, Cell(line.difference), verdict

    def _value(self, row: ReviewRow, text: str) -> Cell:
        return Cell(Neighbours((row.now, row.then)).cut(text, self.columns[1].width))

    @property
    def cursor_metric(self) -> str | None:
        return self.rows[self.cursor_row].metric if self.rows else None

    @property
    def cursor_texts(self) -> tuple[str, ...]:
        """The row under the cursor as whole lines: its name, and the values below the versions."""
        if not self.rows:
            return ()
        line, (now, then) = self.rows[self.cursor_row], self._labels
        values = [f"{label}\n  {text}" for label, text in ((now, line.now), (then, line.then)) if label]
        return (line.name, *values, *filter(None, (" ".join(filter(None, (line.difference, line.verdict))),)))

    def copied_text(self) -> str | None:
        line = self.rows[self.cursor_row] if self.rows else None
        return None if line is None else line.exact or line.then


class ReviewDialog(ModalScreen["Transition | None"]):
    """The result is the transition; None if nothing was changed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel"),
        Binding("ctrl+a", "archive", "archive", priority=True),  # a text field would go to its start
        Binding("ctrl+b", "better", "better"),
        Binding("ctrl+o", "full_text", "full text"),
        Binding("down", "move(1)", "down"),
        Binding("up", "move(-1)", "up"),
        Binding("pagedown", "page(1)", "page down"),
        Binding("pageup", "page(-1)", "page up"),
    ]
    AUTO_FOCUS = "#review-buttons"

    def __init__(self, change: StageChange, clock: Clock, show_done: Callable[[Transition], Awaitable[None]]) -> None:
        """`show_done` updates the screen below before the dialog closes, so that it is painted once."""
        super().__init__()
        self._change = change
        self._clock = clock
        self._show_done = show_done
        self._review: Review | None = None
        self._files: Mapping[int, FilesMark] = {}
        self._facts: Mapping[int, FileFacts] = {}
        self._stale = ""
        """Why nothing was written and the review was read again; empty before that."""
        self._is_writing = False
        self._is_reading = True
        """Whether the comparison is being read for the first time."""

    def compose(self) -> ComposeResult:
        with Vertical(id="review", classes="dialog") as pane:
            pane.border_title = title_of(self._title)
            yield BriefText(id="review-stale")
            yield BriefText("reading…", id="review-moves")
            yield BriefText(id="review-since")
            yield ReviewGrid()
            yield BriefText(id="review-warnings")
            with Horizontal(id="review-choices"):
                yield CheckBox(id="review-archive")
                yield Static("reason", id="review-reason-label")
                yield TextField(
                    id="review-reason",
                    keeps_lines=True,
                    placeholder="optional, kept with the change",
                    select_on_focus=False,  # the first letter must survive the second
                )
            yield ButtonBar((_CANCEL,), id="review-buttons")

    # -- what is where

    @property
    def _title(self) -> str:
        move = f"{self._change.model} version {self._change.version} → {self._change.stage}"
        return f"{self._review.verb} {move}" if self._review else move

    @property
    def _grid(self) -> ReviewGrid:
        return self.query_one(ReviewGrid)

    @property
    def _tick(self) -> CheckBox:
        return self.query_one(CheckBox)

    @property
    def _buttons(self) -> ButtonBar:
        return self.query_one(ButtonBar)

    @property
    def _reason(self) -> TextField:
        return self.query_one("#review-reason", TextField)

    @property
    def _can_choose(self) -> bool:
        return bool(self.query_one("#review-choices").display)

    def _say(self, where: str, *lines: str) -> None:
        text = self.query_one(where, BriefText)
        text.show(*lines)
        text.display = any(lines)

    # -- reading

    def on_mount(self) -> None:
        for empty in ("#review-stale", "#review-since", "#review-warnings"):
            self._say(empty, "")
        self.query_one("#review-choices").display = False
        self.read()

    @work(group="review", exclusive=True)
    async def read(self) -> None:
        """Read and show the comparison at once, then look for the files and count them, which may take long."""
        try:
            review = await read_off_loop(self._change.read)
        except MldeckError as error:
            self._review, self._is_reading = None, False
            self._grid.show((), ("", ""))
            self._say("#review-moves", str(error))
            self._say("#review-since", "")
            self.query_one("#review-choices").display = False
            self._buttons.show((_CLOSE,))
            return
        is_first = self._review is None
        self._review, self._is_reading = review, False
        self._show(review, is_first)
        if is_first and self._reason.text and self._can_choose:
            self.set_focus(self._reason)  # it was typed while this was read
        self._files = await read_off_loop(lambda interrupt: self._change.read_files(review, interrupt))
        self._show_rows(review)
        await in_thread(self._change.get_ready)
        self._facts = await read_off_loop(lambda interrupt: self._change.read_facts(review, interrupt))
        self._show_rows(review)

    def _show(self, review: Review, is_first: bool) -> None:
        self.query_one("#review").border_title = title_of(self._title)
        self.query_one("#review-choices").display = review.refusal is None
        self._tick.display = bool(review.in_stage)
        is_on = archives_by_default(review.stage) if is_first else self._tick.is_on
        self._tick.show(f"archive {_versions(review.in_stage)}", is_on)
        self._say("#review-stale", self._stale)
        self._say("#review-since", _since(review, self._clock))
        if review.refusal:
            self._buttons.show((_CLOSE,))
        else:
            # Enter alone must not take a version out of Production.
            leaves_production = review.moved.version.stage == PRODUCTION != review.stage
            is_risky = self._stale or leaves_production
            self._buttons.show((review.verb, _CANCEL), marked=1 if is_risky else 0)
        self._show_keys(review)
        self._show_moves()
        self._show_rows(review)

    def _show_keys(self, review: Review) -> None:
        keys = ["↑↓"]
        if not review.refusal:
            keys.append("Enter: buttons" if self._reason.has_focus else "type a reason")
        if review.in_stage and not review.refusal:
            keys.append("ctrl+a archive")
        if review.present:
            keys.append("ctrl+b best")
        self.query_one("#review").border_subtitle = Content(" · ".join([*keys, "ctrl+o full", "Esc"]))

    def on_descendant_focus(self) -> None:
        if self._review is not None:
            self._show_keys(self._review)

    @on(CheckBox.Changed)
    def _show_moves(self) -> None:
        review = self._review
        if review is None:
            return
        if review.refusal:
            self._say("#review-moves", review.refusal)
            return
        plan = review.plan(self._tick.is_on)
        moves = [f"{move.version}: {move.before} → {move.after}" for move in plan.moves[:2]]
        if len(plan.moves) > 2:
            moves.append(f"and {len(plan.moves) - 2} more → Archived")
        if plan.staying:
            moves.append(f"{_versions(plan.staying)} {'stays' if len(plan.staying) == 1 else 'stay'} in {plan.after}")
        left = (f"! {warning}" for warning in aliases_left(plan, review.versions))
        self._say("#review-moves", "  ·  ".join(moves), *left)
        after_refresh(self, self._fit)

    def pass_time(self) -> None:
        if self._review is not None:
            self._grid.rows = self._review.rows(
                self._files, self._facts, self._clock
            )  # the grid repaints the changed rows itself
            self._say("#review-since", _since(self._review, self._clock))

    def _show_rows(self, review: Review) -> None:
        present = review.present
        labels = (f"now: {present.label}" if present else "", f"then: {review.moved.label}")
        rows = review.rows(self._files, self._facts, self._clock)
        self._grid.show(rows, (safe(labels[0]), safe(labels[1])))
        self._say("#review-warnings", *_warnings(review, self._files, self._facts))
        after_refresh(self, self._fit)

    def _fit(self) -> None:
        texts = [(self.query_one(where, BriefText), most) for where, most in _SAID.items()]
        said = sum(min(text.height_in_full, most) for text, most in texts if text.display)
        fit_rows(self.query_one("#review"), self._grid, len(self._grid.rows) + 1, _OTHER_LINES + said)

    def on_resize(self) -> None:
        after_refresh(self, self._fit)

    # -- choosing

    def on_key(self, event: events.Key) -> None:
        """Send typed characters to the reason: letters have no other meaning here."""
        is_free = event.is_printable and event.key not in self.active_bindings
        if not (is_free and event.character):
            return
        event.stop()  # also while there is no reason to type: a letter must never reach the place below as a command
        if self._can_choose:
            self.set_focus(self._reason)
        self._reason.insert_text_at_cursor(event.character)

    def action_archive(self) -> None:
        if self._tick.display and self._can_choose:
            self._tick.action_tick()

    def action_move(self, rows: int) -> None:
        self._grid.action_move(rows)

    def action_page(self, pages: int) -> None:
        self._grid.action_page(pages)

    def action_better(self) -> None:
        """Ask in which direction the metric under the cursor gets better."""
        metric, review = self._grid.cursor_metric, self._review
        if metric is None or review is None:
            self.notify("Only metrics have a better direction: select one with ↑ ↓", timeout=3)
            return

        def answered(better: Better) -> None:
            self._change.remember(review, metric, better)
            self.read()

        ask_direction(self.app, metric, answered)

    def action_full_text(self) -> None:
        """Show what may be cut: the line under the cursor, and the texts around the comparison."""
        said = [self.query_one(where, BriefText) for where in _SAID]
        texts = ["\n".join(self._grid.cursor_texts), *(text.text for text in said if text.display)]
        self.post_message(TextAsked(self._title, "\n\n".join(filter(None, texts))))

    @on(Input.Changed)
    def _judge_reason(self) -> None:
        try:
            check_reason(self._reason.text)
        except MldeckError as error:
            self._say("#review-stale", str(error))
        else:
            self._say("#review-stale", self._stale)

    @on(Input.Submitted)
    @on(Grid.Opened)
    def _to_buttons(self) -> None:
        self.set_focus(self._buttons)

    # -- deciding

    @on(ButtonBar.Pressed)
    def _pressed(self, message: ButtonBar.Pressed) -> None:
        if self._is_reading:
            return  # Enter was meant for the review, and Esc cancels
        if message.label == _CLOSE and self._reason.text:
            self._reason.text = ""  # Enter ended the reason of a change that cannot be made, which nobody has read yet
        elif message.label in (_CANCEL, _CLOSE):
            self.action_cancel()
        elif self._review is not None and not self._is_writing:
            self._is_writing = True
            self._write(self._review.plan(self._tick.is_on), self._reason.text.strip())

    @work(group="write", exclusive=True)
    async def _write(self, plan: TransitionPlan, reason: str) -> None:
        try:
            done = await write_or_explain(
                self.app, lambda interrupt: self._change.write(plan, reason, interrupt), reraise=(StaleReview,)
            )
            if done is not None:
                with self.app.batch_update():
                    await self._show_done(done)
                    self.dismiss(done)
        except StaleReview as error:
            self._stale = f"Nothing was changed: {error}. Below is the current state."
            self._say("#review-stale", self._stale)
            self.read()
        finally:
            self._is_writing = False

    def action_cancel(self) -> None:
        """Close, unless a write is running: its outcome is known in a moment."""
        if not self._is_writing:
            self.dismiss(None)


def _since(review: Review, clock: Clock) -> str:
    """Return which version is in the stage, since when, by whom and why."""
    present = review.present
    if present is None:
        is_entered = review.stage in ACTIVE_STAGES and review.refusal is None
        return f"No version is in {review.stage} now." if is_entered else ""
    more = f"; {len(review.others)} more" if review.others else ""
    return f"In {review.stage}: version {present.number}{stay_text(present.arrived, clock)}{more}"


def _warnings(review: Review, files: Mapping[int, FilesMark], facts: Mapping[int, FileFacts]) -> list[str]:
    """Return the warnings, which stand outside the scrolled comparison."""
    warnings = []
    for side in filter(None, (review.moved, review.present)):
        found = files.get(side.number)
        if found is not None and found.problem:
            warnings.append(f"files of version {side.number}: {found.problem}")
    changes = review.signature_changes(facts)
    if changes:
        more = f"; and {len(changes) - _NAMED_CHANGES} more" if len(changes) > _NAMED_CHANGES else ""
        warnings.append(f"the signature differs: {'; '.join(changes[:_NAMED_CHANGES])}{more}")
    if review.moved.version.status != "READY":
        warnings.append(f"version {review.number} is {review.moved.version.status}, not READY")
    if review.moved.record is None:
        warnings.append(f"the run of version {review.number} is not in this database: nothing to compare")
    elif review.moved.record.run.lifecycle_stage != "active":
        warnings.append(f"the run of version {review.number} is deleted")
    if review.leaves_empty:
        warnings.append(f"no version will be in {PRODUCTION}")
    return [f"! {warning}" for warning in warnings]


def _versions(numbers: Sequence[int]) -> str:
    """Return `version 2`, `versions 4, 3 and 1`, or `versions 9, 8, 7 and 12 more`."""
    if len(numbers) == 1:
        return f"version {numbers[0]}"
    shown = [str(number) for number in numbers[:3]]
    more = len(numbers) - len(shown)
    last = f"{more} more" if more else shown.pop() if shown else ""
    return f"versions {', '.join(shown)} and {last}"


def _width(texts: Sequence[str]) -> int:
    return max((cell_width(safe(text)) for text in texts), default=0)
