"""The list of registered models: latest versions by stage, age, number of versions, aliases and tags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message

from mldeck.format import MISSING, Neighbours, age_width, cell_width, safe
from mldeck.model import SYSTEM_TAG_PREFIX
from mldeck.registry.nouns import ARCHIVED, NO_STAGE, PRODUCTION, STAGING, ModelOrder, ModelQuery, RegisteredModel
from mldeck.ui.kit.clock import Clock
from mldeck.ui.kit.edge_marks import MARK_ROOM
from mldeck.ui.kit.grid import GAP, Cell, Grid, GridColumn
from mldeck.ui.kit.keys import TABLE, bindings
from mldeck.ui.models.keys import MODEL_LIST

_MIN_NAME_WIDTH, _MAX_TEXT_WIDTH = 12, 28
_SHORT_NAME_WIDTH = 8
"""Cells of the name while the cursor is on another column that has no room beside it otherwise."""
_SIGN_WIDTH = 2
_MIN_NUMBERS_WIDTH = 5
"""With room for the sort mark."""
_IN_USE = ((PRODUCTION, "P"), (STAGING, "S"))
"""Stages that models are served from, with the letter before the latest version."""
_OTHER_STAGES = ((NO_STAGE, "none"), (ARCHIVED, "archived"))
_ORDERS = {"model": ModelOrder.NAME, "age": ModelOrder.LAST_UPDATED}


class RegisteredModelList(Grid):
    """The registered models, a row each. Sorting is done by the reader: see `SortAsked`."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(TABLE, MODEL_LIST)

    @dataclass
    class SortAsked(Message):
        """Posted when the models are to be read in another order."""

        query: ModelQuery
        """The query for the same models in the new order."""

    def __init__(self, clock: Clock, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._clock = clock
        self.models: Sequence[RegisteredModel] = ()
        self.chosen: str | None = None
        """Name of the model whose versions are shown."""
        self.query_shown = ModelQuery()
        self._neighbours = Neighbours()

    def show(self, models: Sequence[RegisteredModel], query: ModelQuery, cursor: str | None) -> None:
        """Show models, with the cursor on the one of that name, which keeps its screen line, else in the same row."""
        if models == self.models and query == self.query_shown and cursor == self.cursor_name:
            return
        before = self.cursor_position
        self.models, self.query_shown = models, query
        names = [model.name for model in models]
        self._neighbours = Neighbours(map(_name_text, models))
        self.set_content(len(models))
        self.restore_cursor(names.index(cursor) if cursor in names else self.cursor_row, before)

    def choose(self, name: str | None) -> None:
        if name != self.chosen:
            self.chosen = name
            self.repaint()

    @property
    def cursor_model(self) -> RegisteredModel | None:
        return self.models[self.cursor_row] if self.cursor_row < len(self.models) else None

    @property
    def cursor_name(self) -> str | None:
        return self.cursor_model.name if self.cursor_model else None

    def fitting_columns(self) -> tuple[GridColumn, ...]:
        """Return the columns. The name is as wide as needed, as long as the stages have room."""
        models, now = self.models, self._clock.now
        in_use = max((len(_in_use(model)) for model in models), default=0)
        ages = max((age_width(model.last_updated_time or now, now) for model in models), default=0)
        others = (
            GridColumn("stages", max(len("stages"), in_use)),
            GridColumn("age", max(_MIN_NUMBERS_WIDTH, ages), right=True, mark=self._mark("age")),
            GridColumn("versions", 8, right=True),
            *(GridColumn(label, len(label), right=True) for _, label in _OTHER_STAGES),
            GridColumn("aliases", _text_width(map(_alias_text, models), "aliases")),
            GridColumn("tags", _text_width(map(_tag_text, models), "tags")),
        )
        scrollbar = self.scrollbar_size_vertical if len(models) > self.page_size else 0
        width = self.size.width - scrollbar
        room = width - GAP - others[0].width - MARK_ROOM
        if room < _MIN_NAME_WIDTH:
            # The name alone, until the cursor is on another column.
            widest = max(column.width for column in others)
            room = max(_SHORT_NAME_WIDTH, width - GAP - widest) if self.cursor_column else width
        names = max((cell_width(_name_text(model)) for model in models), default=0) + _SIGN_WIDTH
        return GridColumn("  model", min(max(_MIN_NAME_WIDTH, names), room), mark=self._mark("model")), *others

    def move_to(self, row: int, column: int | None = None) -> None:
        before = self.cursor_column
        super().move_to(row, column)
        if bool(before) != bool(self.cursor_column):
            self.lay_out()

    def _mark(self, label: str) -> str:
        query = self.query_shown
        return "" if _ORDERS[label] is not query.order else " ▼" if query.descending else " ▲"

    @property
    def column_noun(self) -> str:
        return "column"

    def row_cells(self, row: int) -> Sequence[Cell]:
        model = self.models[row]
        is_chosen = model.name == self.chosen
        style = "accent" if is_chosen else "warn" if model.is_orphan else ""
        in_use = _in_use(model)
        return (
            Cell(("▸ " if is_chosen else "  ") + self._fitting_name(model), style),
            Cell(in_use or MISSING, "" if in_use else "dim", "good" if PRODUCTION in model.latest else ""),
            Cell(self._age(model), "dim"),
            Cell(str(model.version_count), "dim"),
            *(Cell(str(model.latest.get(stage, MISSING)), "dim") for stage, _ in _OTHER_STAGES),
            Cell(_alias_text(model) or MISSING, "warn" if model.dangling_aliases else "" if model.aliases else "dim"),
            Cell(_tag_text(model) or MISSING, "dim"),
        )

    def _fitting_name(self, model: RegisteredModel) -> str:
        return self._neighbours.cut(_name_text(model), self.columns[0].width - _SIGN_WIDTH)

    def _age(self, model: RegisteredModel) -> str:
        changed = model.last_updated_time
        return MISSING if changed is None else self._clock.age(changed)

    def column_name(self, index: int) -> str:
        return self.columns[index].label.strip()

    def row_text(self, row: int) -> str:
        model = self.models[row]
        return " ".join((model.name, _alias_text(model), _tag_text(model), model.description or ""))

    def copied_text(self) -> str | None:
        return self.cursor_name

    def header_clicked(self) -> None:
        self.action_sort()

    def action_sort(self) -> None:
        """Sort by the column under the cursor, or reverse the order."""
        query, index = self.query_shown, self.cursor_column
        order = _ORDERS.get(self.columns[index].label.strip()) if index < len(self.columns) else None
        if order is None:
            self.notify("Models can be sorted by name or age: move to one of these columns", timeout=3)
            return
        is_newest_first = order is ModelOrder.LAST_UPDATED
        descending = not query.descending if query.order is order else is_newest_first
        self.post_message(self.SortAsked(ModelQuery(query.filter, order, descending)))


def _name_text(model: RegisteredModel) -> str:
    return safe(model.name) + (" (orphan)" if model.is_orphan else "")


def _in_use(model: RegisteredModel) -> str:
    """Return the latest versions in Production and Staging: `P2 S3`."""
    return " ".join(f"{letter}{model.latest[stage]}" for stage, letter in _IN_USE if stage in model.latest)


def _alias_text(model: RegisteredModel) -> str:
    aliases = [f"@{alias} {version}" for alias, version in model.aliases.items()]
    aliases += [f"@{alias} {version} (deleted)" for alias, version in model.dangling_aliases.items()]
    return safe(", ".join(aliases))


def _tag_text(model: RegisteredModel) -> str:
    """Return the tags without MLflow's own."""
    own = ((key, value) for key, value in model.tags.items() if not key.startswith(SYSTEM_TAG_PREFIX))
    return safe(", ".join(f"{key}={value}" for key, value in own))


def _text_width(texts: Sequence[str] | map[str], label: str) -> int:
    return min(_MAX_TEXT_WIDTH, max((len(label), *map(cell_width, texts))))
