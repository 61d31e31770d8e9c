"""The models logged by a run or by the runs of an experiment. What the database does not hold is read for those in view."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import work
from textual.binding import BindingType
from textual.message import Message

from mldeck.artifacts.errors import Unconfirmed
from mldeck.errors import MldeckError
from mldeck.format import MISSING, cell_width, safe, time_text
from mldeck.registry.nouns import LoggedModel, ModelVersion
from mldeck.ui.files.consent import is_agreed
from mldeck.ui.files.reading import ModelFacts, Subject, model_subject, read_model_facts
from mldeck.ui.kit.cell_text import cell_text
from mldeck.ui.kit.grid import Cell, Grid, GridColumn
from mldeck.ui.kit.keys import COLUMNS, bindings
from mldeck.ui.kit.threads import read_off_loop
from mldeck.ui.state.session import Session

_WIDEST = 40
_EMPTY_RUN = (
    "This run logged no models.\n"
    "mlflow.<flavor>.log_model() keeps one here.\n"
    "The first releases of MLflow did not record them: look among its artifacts."
)
_EMPTY_EXPERIMENT = "No run of this experiment logged a model."
_STATUS_STYLES = {"READY": "good", "FAILED": "bad", "PENDING": "warn"}


class LoggedModelList(Grid):
    """A table of logged models."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(COLUMNS)

    @dataclass
    class Viewed(Message):
        """Posted when the card of a model is opened."""

        subject: Subject

    def __init__(self, session: Session, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._session = session
        self._models: Sequence[LoggedModel] = ()
        self._facts: dict[str, ModelFacts] = {}
        self._run_id: str | None = None
        self._experiment_id: str | None = None

    def show(self, run_id: str | None, experiment_id: str | None) -> None:
        """Show the models of a run or of an experiment; none if both are None."""
        if (run_id, experiment_id) != (self._run_id, self._experiment_id):
            self._facts = {}
            self._put((), "reading…")
            self.cursor_row = 0
        self._run_id, self._experiment_id = run_id, experiment_id
        self._load()

    def show_again(self) -> None:
        """Read everything again, because the database has changed."""
        self._facts = {}
        self._load()

    @work(group="models", exclusive=True)
    async def _load(self) -> None:
        session, run_id, experiment_id = self._session, self._run_id, self._experiment_id
        if not session.is_open or (run_id is None and experiment_id is None):
            self._put((), "Nothing under the cursor.")
            return
        registry = session.store.registry()
        try:
            if run_id is not None:
                models = await read_off_loop(lambda interrupt: registry.models_of_run(run_id, interrupt))
            else:
                wanted = experiment_id or ""
                models = await read_off_loop(lambda interrupt: registry.models_of_experiment(wanted, interrupt))
        except MldeckError as error:
            self._put((), str(error))
            return
        self._put(models, _EMPTY_RUN if run_id is not None else _EMPTY_EXPERIMENT)
        self.rows_in_view_changed()

    def _put(self, models: Sequence[LoggedModel], empty_text: str) -> None:
        self.empty_text = empty_text
        self._models = models
        self.set_content(len(models))

    def fitting_columns(self) -> tuple[GridColumn, ...]:
        facts = self._facts.values()
        names = [model.name for model in self._models]
        return (
            GridColumn("name", _width("name", names)),
            GridColumn("registered as", _width("registered as", [_registered_text(known) for known in facts])),
            GridColumn("flavors", _width("flavors", [known.problem or ", ".join(known.flavors) for known in facts])),
            GridColumn("status", 8),
            GridColumn("step", 6, right=True),
            GridColumn("created", 19),
            GridColumn("id", _width("id", [model.model_id or model.uri for model in self._models])),
        )

    @property
    def column_noun(self) -> str:
        return "column"

    def row_cells(self, row: int) -> Sequence[Cell]:
        model = self._models[row]
        facts = self._facts.get(model.uri)
        flavors = facts.flavors if facts is not None else model.flavors
        problem = Cell(safe(facts.problem), "warn") if facts is not None and facts.problem else None
        return (
            Cell(safe(model.name)),
            Cell("…" if facts is None else safe(_registered_text(facts)), "accent"),
            problem or Cell(safe(", ".join(flavors))),
            Cell(model.status, _STATUS_STYLES.get(model.status, "dim")),
            Cell(MISSING if model.step is None else str(model.step), "dim"),
            Cell("" if model.creation_time is None else time_text(model.creation_time), "dim"),
            Cell(safe(model.model_id or model.uri), "dim"),
        )

    def copied_text(self) -> str | None:
        return self._models[self.cursor_row].uri if self._models else None

    # -- what is read for the models in view

    def rows_in_view_changed(self) -> None:
        missing = [self._models[row] for row in self.visible_rows if self._models[row].uri not in self._facts]
        if missing and self.is_on_screen:
            self._read_facts(missing)

    @work(group="facts", exclusive=True)
    async def _read_facts(self, models: Sequence[LoggedModel]) -> None:
        session = self._session
        for model in models:
            try:
                self._facts[model.uri] = await read_off_loop(
                    lambda interrupt, model=model: read_model_facts(session, model, interrupt)  # type: ignore[misc]
                )
            except MldeckError as error:
                self._facts[model.uri] = ModelFacts(model.flavors, (), str(error))
            self.set_content(self.row_count)

    # -- the card

    def action_open(self) -> None:
        if self._models:
            self._open(self._models[self.cursor_row])

    @work(group="card", exclusive=True)
    async def _open(self, model: LoggedModel) -> None:
        session, facts = self._session, self._facts.get(model.uri)
        versions = () if facts is None else facts.versions
        try:
            subject = await read_off_loop(lambda interrupt: model_subject(session, model, versions, interrupt))
        except Unconfirmed as place:
            if await is_agreed(self.app, session, place):
                self.show_again()
                self._open(model)
            return
        except MldeckError as error:
            self.notify(str(error), severity="warning", timeout=8)
            return
        self.post_message(self.Viewed(subject))


def _width(label: str, texts: Iterable[str]) -> int:
    return max(len(label), *(min(_WIDEST, cell_width(cell_text(text, _WIDEST))) for text in texts), 0)


def _registered_text(facts: ModelFacts) -> str:
    return ", ".join(map(_version_text, facts.versions)) or MISSING


def _version_text(version: ModelVersion) -> str:
    stage = "" if version.stage == "None" else f" ({version.stage})"
    return f"{version.name} v{version.version}{stage}"
