"""The dialog that registers a model of a run: which model, under which name, with which description and tags."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from mldeck.errors import MldeckError
from mldeck.format import Neighbours, cell_width, safe
from mldeck.registry.nouns import LoggedModel, ModelVersion, RegisteredModel, came_from
from mldeck.store.interrupt import Interrupt
from mldeck.store.registry.rules import check_model_name, check_registry_tag
from mldeck.ui.kit.brief_text import BriefText
from mldeck.ui.kit.dialogs.waiting import write_or_explain
from mldeck.ui.kit.form_controls import ButtonBar, fit_rows
from mldeck.ui.kit.grid import GAP, Cell, Grid, GridColumn
from mldeck.ui.kit.mounting import after_refresh
from mldeck.ui.kit.text_field import TextField
from mldeck.ui.kit.titles import title_of

if TYPE_CHECKING:
    from mldeck.store.registry.moves import Registered

_REGISTER, _CANCEL = "Register", "Cancel"
_MIN_NAME_WIDTH = 8
_MOST_NAMES = 6
"""Registered models in view at most."""
_OTHER_LINES = 9
"""Lines of the dialog besides the two lists and the verdict: border, three fields, buttons, blank lines."""
_LABEL_WIDTH = 13
"""Width of the labels on the left in cells, as in the style sheet."""


@dataclass(frozen=True)
class Registration:
    """The answers of the dialog."""

    model: LoggedModel
    name: str
    """The name of the registered model, which may be new."""
    description: str
    tags: Mapping[str, str]


WriteRegistration = Callable[[Registration, Interrupt], "Registered"]


def read_tags(text: str) -> dict[str, str]:
    """Parse `key=value key='a longer value'`. Raises `MldeckError` for a syntax error, or a tag that MLflow would reject."""
    try:
        words = shlex.split(text)
    except ValueError:
        raise MldeckError("tags: a quote is not closed") from None
    tags = {}
    for word in words:
        key, mark, value = word.partition("=")
        if not mark:
            raise MldeckError(f"tags: write key=value, with quotes around spaces, not {word}")
        check_registry_tag(key, value)
        tags[key] = value
    return tags


class ModelChoiceList(Grid):
    """The models of the run, with the versions that they were registered as already."""

    def __init__(self, models: Sequence[LoggedModel], versions: Sequence[ModelVersion]) -> None:
        super().__init__(id="register-models", has_header=False)
        self._models = models
        self._registered = [
            ", ".join(f"{version.name} {version.version}" for version in versions if came_from(version, model))
            for model in models
        ]
        self.can_focus = len(models) > 1
        self.set_content(len(models))

    def fitting_columns(self) -> tuple[GridColumn, ...]:
        label = _LABEL_WIDTH - GAP
        room = max(1, self.line_width - label - 2 * GAP)
        about = min(_width(map(self._about, range(len(self._models)))), room // 3)
        name = min(_width(model.name for model in self._models), room - about)
        return (
            GridColumn("", label),
            GridColumn("", name, neighbours=Neighbours(model.name for model in self._models)),
            GridColumn("", max(1, room - name)),
        )

    @property
    def chosen(self) -> LoggedModel:
        return self._models[self.cursor_row]

    def row_cells(self, row: int) -> Sequence[Cell]:
        return (
            Cell("" if row else "model", "dim"),
            Cell(safe(self._models[row].name)),
            Cell(safe(self._about(row)), "dim"),
        )

    def _about(self, row: int) -> str:
        model, registered = self._models[row], self._registered[row]
        parts = (
            model.status if model.status != "READY" else "",
            " ".join(model.flavors) or model.model_type or "",
            f"step {model.step}" if model.step is not None else "",
            f"registered as {registered}" if registered else "",
        )
        return ", ".join(filter(None, parts))


class ModelNameList(Grid, can_focus=False):
    """The registered models whose name contains the typed text. The text field has the focus, and handles the arrow keys."""

    def __init__(self, models: Sequence[RegisteredModel]) -> None:
        super().__init__(id="register-names", has_header=False)
        self._models = models
        self.rows: Sequence[RegisteredModel] = models
        self.empty_text = "" if models else "No model is registered yet."
        self._list_again()

    def narrow(self, text: str) -> None:
        wanted = text.lower()
        self.rows = [model for model in self._models if wanted in model.name.lower()]
        self.cursor_row = 0
        self._list_again()
        self.scroll_rows_to(0)

    def _list_again(self) -> None:
        self.set_content(len(self.rows))

    def fitting_columns(self) -> tuple[GridColumn, ...]:
        count = 12
        names = [model.name for model in self.rows]
        name = max(_MIN_NAME_WIDTH, min(_width(names), self.line_width - count - GAP))
        return GridColumn("", name, neighbours=Neighbours(names)), GridColumn("", count)

    def row_cells(self, row: int) -> Sequence[Cell]:
        model = self.rows[row]
        versions = "version" if model.version_count == 1 else "versions"
        return Cell(safe(model.name)), Cell(f"{model.version_count:,} {versions}", "dim")


def _width(texts: Iterable[str]) -> int:
    return max((cell_width(safe(text)) for text in texts), default=0)


class RegisterDialog(ModalScreen["Registered | None"]):
    """Returns the new version; None if nothing was registered."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel"),
        Binding("down", "step(1)", "next name"),
        Binding("up", "step(-1)", "previous name"),
    ]

    def __init__(
        self,
        title: str,
        models: Sequence[LoggedModel],
        registered: Sequence[RegisteredModel],
        versions: Sequence[ModelVersion],
        write: WriteRegistration,
    ) -> None:
        super().__init__()
        self._title = title
        self._models = models
        self._registered = registered
        self._versions = versions
        self._write_registration = write
        self._is_writing = False

    def compose(self) -> ComposeResult:
        with Vertical(id="register", classes="dialog") as pane:
            pane.border_title = title_of(self._title)
            other_model = "" if len(self._models) == 1 else "Shift+Tab models · "
            pane.border_subtitle = Content(f"{other_model}Tab next field · ↑↓ choose · Enter · Esc cancel")
            yield ModelChoiceList(self._models, self._versions)
            yield from self._field("as", "register-name", "a registered model, or the name of a new one")
            yield BriefText(id="register-verdict")
            yield ModelNameList(self._registered)
            yield from self._field("description", "register-description", "of the version, optional", keeps_lines=True)
            yield from self._field("tags", "register-tags", "key=value key2='another value', optional")
            yield ButtonBar((_REGISTER, _CANCEL), id="register-buttons")

    def _field(self, label: str, id: str, placeholder: str, *, keeps_lines: bool = False) -> ComposeResult:
        with Horizontal(classes="register-field"):
            yield Static(label, classes="register-label")
            yield TextField(id=id, placeholder=placeholder, select_on_focus=False, keeps_lines=keeps_lines)

    def on_mount(self) -> None:
        # The first of several models is the likely one; Shift+Tab goes to the others.
        self.set_focus(self._line)

    @property
    def _line(self) -> TextField:
        return self.query_one("#register-name", TextField)

    @property
    def _verdict(self) -> BriefText:
        return self.query_one(BriefText)

    @property
    def _names(self) -> ModelNameList:
        return self.query_one(ModelNameList)

    # -- the room for it

    def on_resize(self) -> None:
        after_refresh(self, self._fit)

    def _fit(self) -> None:
        wanted = max(1, min(len(self._registered), _MOST_NAMES))
        others = _OTHER_LINES + self.query_one(ModelChoiceList).size.height + self._verdict.size.height
        fit_rows(self.query_one("#register"), self._names, wanted, others)

    def _say(self, text: str) -> None:
        self._verdict.show(text)
        after_refresh(self, self._fit)

    # -- what is typed

    @on(Input.Changed, "#register-name")
    def _narrow(self) -> None:
        self._names.narrow(self._line.text)
        self._judge()

    @on(Input.Changed, "#register-description,#register-tags")
    def _judge(self) -> None:
        """Show what is wrong, or else what is going to be registered."""
        verdict = self._verdict
        try:
            registration = self._registration()
            problem, text = False, self._outcome(registration)
        except MldeckError as error:
            problem, text = bool(self._line.text), str(error) if self._line.text else ""
        verdict.set_class(problem, "-problem")
        self._say(text)

    def _outcome(self, registration: Registration) -> str:
        outcome = f"version 1 of a new model, {registration.name}"
        if self._is_known(registration.name):
            outcome = f"the next version of {registration.name}"
        return outcome if len(self._models) == 1 else f"{registration.model.name} becomes {outcome}"

    def _is_known(self, name: str) -> bool:
        return any(model.name == name for model in self._registered)

    def _registration(self) -> Registration:
        """Return the answers. Raises `MldeckError` if one of them is invalid."""
        name = self._line.text
        if not self._is_known(name):  # older MLflows allowed any name
            check_model_name(name)
        description = self.query_one("#register-description", TextField).text
        tags = read_tags(self.query_one("#register-tags", TextField).text)
        return Registration(self.query_one(ModelChoiceList).chosen, name, description, tags)

    def action_step(self, step: int) -> None:
        """Put the next or previous registered name into the text field."""
        names, line = self._names, self._line
        if not (line.has_focus and names.rows):
            return
        is_there = line.text == names.rows[names.cursor_row].name
        names.move_to(names.cursor_row + (step if is_there else 0))
        with self.prevent(Input.Changed):
            line.text = names.rows[names.cursor_row].name
        line.cursor_position = len(line.value)
        self._judge()

    @on(Grid.CursorMoved)
    def _cursor_moved(self, message: Grid.CursorMoved) -> None:
        message.stop()
        self._judge()
        if isinstance(message, Grid.Opened):
            self.set_focus(self._line)

    @on(Input.Submitted)
    def _to_buttons(self) -> None:
        self.set_focus(self.query_one(ButtonBar))

    # -- deciding

    @on(ButtonBar.Pressed)
    def _pressed(self, message: ButtonBar.Pressed) -> None:
        if message.label == _CANCEL:
            self.action_cancel()
            return
        if self._is_writing:
            return
        try:
            registration = self._registration()
        except MldeckError as error:
            self._verdict.set_class(True, "-problem")
            self._say(str(error))
            self.set_focus(self._line)
        else:
            self._is_writing = True
            self._write(registration)

    @work(group="write", exclusive=True)
    async def _write(self, registration: Registration) -> None:
        try:
            done = await write_or_explain(
                self.app, lambda interrupt: self._write_registration(registration, interrupt), "Nothing was registered"
            )
            if done is not None:
                self.dismiss(done)
        finally:
            self._is_writing = False

    def action_cancel(self) -> None:
        """Close the dialog, but not while it is writing: whether that succeeds is known in a moment."""
        if not self._is_writing:
            self.dismiss(None)
