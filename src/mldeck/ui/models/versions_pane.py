"""The pane with the versions of the chosen model: a board, or a table sorted and filtered by their source runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from mldeck.errors import MldeckError
from mldeck.format import safe, time_text
from mldeck.model import Column, Kind, RunRecord
from mldeck.registry.nouns import ModelVersion, RegisteredModel
from mldeck.ui.kit.keys import with_keys
from mldeck.ui.kit.mounting import made
from mldeck.ui.kit.questions import asks
from mldeck.ui.kit.threads import read_off_loop
from mldeck.ui.models.board import VersionBoard
from mldeck.ui.models.models_pane import ModelsPane
from mldeck.ui.models.reading import (
    FILE_COLUMNS,
    VERSION_COLUMNS,
    VersionOrder,
    VersionRuns,
    Versions,
    known_facts,
    read_facts,
    read_version_runs,
    read_versions,
    run_ids_of,
)
from mldeck.ui.models.version_table import VersionTable
from mldeck.ui.place import Place, no_match_text, retitle
from mldeck.ui.state.metric_direction import begins_descending, best_sign, next_descending

if TYPE_CHECKING:
    from mldeck.ui.export.export import Exported, ExportValue
    from mldeck.ui.filter.completer import Completer
    from mldeck.ui.filter.filter_line import FilterLine

_BAR, _VIEWS = "versions", ("board", "table")
"""Names by which the view that is shown last is saved."""
_NO_VERSIONS = "This model has no versions.\n\nPress {register} on a run to register one."


class VersionsPane(Vertical):
    """The versions of the model under the cursor of a `ModelsPane`. Its workers read them."""

    class Loaded(Message):
        """Posted when versions, or their runs for the table, have been read."""

    def __init__(self, place: Place, models: ModelsPane, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._place = place
        self._session = place.session
        self._models = models
        self._data = Versions()
        self._runs: VersionRuns | None = None
        """The source runs as the table shows them; None until they have been read for these versions."""
        self._order: VersionOrder | None = None
        self._searches: dict[str, str] = {}
        """The filter of the table, by model."""
        self._filter_line: FilterLine | None = None
        """Created on first use, because the search language takes a while to load."""
        self._is_table = bool(place.session.tab(_BAR, _VIEWS))
        self._wanted_metrics: dict[str, str] = {}
        """The metrics chosen for the cards in this session, by model."""
        self._completer: Completer | None = None

    def compose(self) -> ComposeResult:
        session = self._session
        board = VersionBoard(session.clock, id="board")
        board.display = not self._is_table
        yield board
        table = VersionTable(session.clock, lambda version: known_facts(session, version), id="version-table")
        table.display = self._is_table
        yield table

    @property
    def board(self) -> VersionBoard:
        return self.query_one(VersionBoard)

    @property
    def table(self) -> VersionTable:
        return self.query_one(VersionTable)

    @property
    def grid(self) -> VersionBoard | VersionTable:
        """The board or the table, whichever is shown."""
        return self.table if self._is_table else self.board

    # -- what is under the cursor

    @property
    def model(self) -> RegisteredModel | None:
        """The model whose versions are shown."""
        return self._models.listing.named(self._data.model)

    @property
    def cursor_version(self) -> ModelVersion | None:
        return self.grid.cursor_version

    @property
    def versions(self) -> tuple[ModelVersion, ...]:
        """All versions of `model`, newest first."""
        return self._data.versions

    @property
    def records(self) -> Mapping[str, RunRecord]:
        """Source runs by id, with the metric of the cards."""
        return self._data.records

    @property
    def card_metric(self) -> str | None:
        return self._data.metric.key if self._data.metric else None

    @property
    def _search(self) -> str:
        return self._searches.get(self._data.model or "", "")

    @property
    def _cursor_number(self) -> int | None:
        version = self.cursor_version
        return version.version if version else None

    # -- reading

    async def show_moved(self, name: str, number: int) -> bool:
        """Show the versions right after a stage change. Return False if everything has to be read again instead."""
        registry = self._session.registry
        if self._is_table or name != self._data.model:
            return False
        versions = await read_off_loop(lambda interrupt: registry.versions(name, interrupt))
        self._show(replace(self._data, versions=versions), number)
        return True

    @work(group="versions", exclusive=True)
    async def load(self) -> None:
        with self._place.reporting_trouble(), self._place.saying_busy("reading versions"):
            await self.read()
            self.post_message(self.Loaded())

    async def read(self, cursor: int | None = None) -> None:
        """Read and show the versions of the model under the cursor of the list. Raises `MldeckError`.

        The cursor moves to the version with the number `cursor`, else stays on its version.
        """
        session, name = self._session, self._models.model_list.cursor_name
        if name is None or not session.is_open:
            self._show(Versions(), None)
            return
        store, saved, wanted = session.store, session.saved, self._wanted_metrics.get(name)
        data = await read_off_loop(
            lambda interrupt: read_versions(store, session.registry, name, saved, wanted, interrupt)
        )
        if name != self._models.model_list.cursor_name:
            return  # the cursor of the list has moved on, which starts another read
        runs = await self._read_runs(data) if self._is_table else None
        present = self.cursor_version
        if cursor is None and present is not None and _is_among(present, data.versions):
            cursor = present.version
        if data != self._data or runs != self._runs or cursor not in (None, self._cursor_number):
            self._show(data, cursor, runs)

    async def _read_runs(self, data: Versions) -> VersionRuns:
        store, search = self._session.store, self._searches.get(data.model or "", "")
        return await read_off_loop(lambda interrupt: read_version_runs(store, data, search, interrupt))

    def _show(self, data: Versions, cursor: int | None, runs: VersionRuns | None = None) -> None:
        is_same = data.model == self._data.model
        self._data, self._runs = data, runs
        if not is_same:
            self._completer = None
            self._place.finder.drop(self.grid)
            self._show_search()
        self._models.model_list.choose(data.model)
        self.board.empty_text = self.table.empty_text = (
            self._models.empty_text if data.model is None else with_keys(_NO_VERSIONS)
        )
        self.board.show(data, cursor)
        if runs is not None:
            self._fill_table(cursor)
        self.show_title()

    def _fill_table(self, cursor: int | None) -> None:
        if self._runs is None:
            return
        if self._search:
            self.table.empty_text = no_match_text("No source run", self._search, "filter_models", "clear_model_filter")
        self.table.show(self._data, self._runs, self._order, cursor)
        self.show_title()

    def stop_reading(self) -> None:
        self.workers.cancel_group(self, "versions")
        self.workers.cancel_group(self, "facts")
        self.workers.cancel_group(self, "sort")

    def show_title(self) -> None:
        model, count = self.model, len(self._data.versions)
        metric = self._data.metric if model and not self._is_table else None
        greater = metric.greater_is_better if metric else None
        sign = "" if greater is None else f" {best_sign(greater_is_better=greater)}"
        measured = f" · {metric.key}{sign}" if metric else ""
        if model is None:
            retitle(self, "Versions", "")
            return
        found = f"{len(self.table.rows):,} of " if self._is_table and self._search else ""
        parts = [f"{found}{count:,} version{'' if count == 1 and not found else 's'}"]
        parts += [f"@{alias} {version}" for alias, version in model.aliases.items()]
        extent = self.table.columns_in_view if self._is_table else ""
        retitle(self, f"{model.name}{measured}", " · ".join(parts), extent)

    @on(VersionTable.ColumnsScrolled)
    def _columns_scrolled(self) -> None:
        self.show_title()

    # -- board and table

    def turn(self) -> None:
        """Switch between the board and the table."""
        number, had_focus = self._cursor_number, self.grid.has_focus
        self._is_table = not self._is_table
        self.board.display, self.table.display = not self._is_table, self._is_table
        self._session.keep_tab(_BAR, _VIEWS[self._is_table])
        self._show_search()
        if self._is_table:
            self._load_table(number)
        else:
            self.board.show(self._data, number)
        if had_focus:
            self.screen.set_focus(self.grid)
        self.show_title()

    @work(group="versions", exclusive=True)
    async def _load_table(self, cursor: int | None) -> None:
        """Read the source runs, which only the table shows."""
        data = self._data
        if not self._session.is_open:
            return
        with self._place.reporting_trouble(), self._place.saying_busy("reading runs"):
            runs = await self._read_runs(data)
            if data is self._data:
                self._runs = runs
                self._fill_table(cursor)
                self.post_message(self.Loaded())

    @on(VersionTable.FactsWanted)
    @work(group="facts", exclusive=True)
    async def _read_facts(self, message: VersionTable.FactsWanted) -> None:
        """Read the facts of the versions in view, one after the other."""
        with self._place.reporting_trouble(), self._place.saying_busy("reading sizes"):
            await self._read_files(message.versions)

    async def _read_files(self, versions: Iterable[ModelVersion]) -> None:
        session = self._session
        for version in versions:
            await read_off_loop(lambda interrupt, version=version: read_facts(session, version, interrupt))  # type: ignore[misc]
            self.table.repaint()

    @on(VersionTable.SortAsked)
    def _sort_versions(self, message: VersionTable.SortAsked) -> None:
        """Sort ascending, then descending, then not at all; a metric begins with its best values."""
        column, present = message.column, self._order
        descending_first = isinstance(column, Column) and begins_descending(column, self._data.better)
        before = present.descending if present is not None and present.column == column else None
        descending = next_descending(before, first=descending_first)
        order = None if descending is None else VersionOrder(column, descending)
        self.workers.cancel_group(self, "sort")
        if order is not None and column in FILE_COLUMNS:
            self._sort_by_files(order)
        else:
            self._sort(order)

    def _sort(self, order: VersionOrder | None) -> None:
        self._order = order
        self._fill_table(self._cursor_number)

    @work(group="sort", exclusive=True)
    async def _sort_by_files(self, order: VersionOrder) -> None:
        """Read the files of all versions, and sort by what is in them. If the user stops the reading, the order stays."""
        unread = [version for version in self._data.versions if known_facts(self._session, version) is None]
        with self._place.reporting_trouble(), self._place.saying_busy(f"reading the {order.column} of all versions"):
            await self._read_files(unread)
            self._sort(order)

    @asks("card-metric")
    async def choose_metric(self) -> None:
        from mldeck.ui.kit.dialogs.menu import Choice, MenuDialog

        model, metrics = self._data.model, self._data.metrics
        if model is None or not metrics:
            raise MldeckError("The source runs of these versions have no metrics")
        choices = [Choice(key, "", f"{'✓' if key == self.card_metric else ' '} {key}") for key in metrics]
        chosen = await self.app.push_screen_wait(MenuDialog("Metric on the cards", choices))
        if chosen is not None:
            self._wanted_metrics[model] = chosen
            self.load()

    def export(self) -> None:
        from mldeck.ui.export.export import export

        name = self._data.model
        export(self, self._session, f"versions of {safe(name)}" if name else "versions", self._exported())

    def _exported(self) -> Exported | None:
        """Return all rows and columns of the table; of the board, the facts about the versions alone."""
        from mldeck.ui.export.export import Exported

        if not self._data.versions:
            return None
        columns: Sequence[Column] = self._runs.columns if self._is_table and self._runs else ()
        rows = self.table.rows if self._is_table else range(len(self._data.versions))
        header = (*VERSION_COLUMNS[:3], "created", "run_id", "run", *map(str, columns))
        return Exported(None, header, [self._exported_row(self._data.versions[row], columns) for row in rows])

    def _exported_row(self, version: ModelVersion, columns: Sequence[Column]) -> list[ExportValue]:
        known = self._data.record(version)
        record = self._runs.records.get(version.run_id or "") if self._runs else None
        created = None if version.creation_time is None else time_text(version.creation_time)
        values = [None if record is None else _value(record, column) for column in columns]
        aliases = " ".join(version.aliases) or None
        return [
            *(str(version.version), version.stage, aliases, created, version.run_id),
            *(known.run.label if known else None, *values),
        ]

    # -- the filter of the table

    async def edit_filter(self) -> None:
        if not self._is_table:
            self.turn()
        from mldeck.ui.filter.filter_line import FilterLine

        self._filter_line = await made(self, self._filter_line or FilterLine(), before=0)
        self._filter_line.history = self._session.saved.history
        self._filter_line.edit()

    def clear_filter(self) -> bool:
        """Clear the filter of the table. Return whether there was one."""
        if not (self._is_table and self._search):
            return False
        self._apply_filter("")
        self._show_search()
        return True

    def _show_search(self) -> None:
        """Show the filter of this model in the line; on the board, which is not filtered, none."""
        if self._filter_line is not None:
            self._filter_line.set_text(self._search if self._is_table else "")

    def on_filter_line_changed(self, message: FilterLine.Changed) -> None:
        message.stop()
        self._place.settle("filter", lambda: self._apply_filter(message.text))

    def on_filter_line_closed(self, message: FilterLine.Closed) -> None:
        message.stop()
        self._place.forget_settling("filter")
        self._apply_filter(message.text)
        self._session.saved.add_filter(message.text.strip())
        self.screen.set_focus(self.grid)

    def _apply_filter(self, text: str) -> None:
        if self._data.model is not None and text.strip() != self._search:
            self._searches[self._data.model] = text.strip()
            self._load_table(self._cursor_number)

    def on_filter_line_candidates_wanted(self, message: FilterLine.CandidatesWanted) -> None:
        message.stop()
        self._complete(message)

    @work(group="complete", exclusive=True)
    async def _complete(self, message: FilterLine.CandidatesWanted) -> None:
        from mldeck.ui.filter.completer import Completer

        if self._completer is None:
            self._completer = Completer(self._session.store, run_ids_of(self.versions)[:60], {})
        completer = self._completer
        with self._place.reporting_trouble():
            found = await read_off_loop(lambda interrupt: completer.candidates(message.text, message.cursor, interrupt))
            message.line.show_candidates(message.text, found)

    def on_filter_line_check_asked(self, message: FilterLine.CheckAsked) -> None:
        message.stop()
        self._check(message)

    @work(group="check", exclusive=True)
    async def _check(self, message: FilterLine.CheckAsked) -> None:
        from mldeck.ui.filter.completer import unknown_names

        store, text = self._session.store, message.text
        with self._place.reporting_trouble():
            message.line.show_unknown(
                text, await read_off_loop(lambda interrupt: unknown_names(store, text, interrupt))
            )


def _is_among(version: ModelVersion, versions: Sequence[ModelVersion]) -> bool:
    """Return whether it is one of them, even if its model has been renamed.

    The number alone does not tell: another model has a version of that number, too.
    """
    identity = (version.version, version.creation_time)
    return any((other.version, other.creation_time) == identity for other in versions)


def _value(record: RunRecord, column: Column) -> ExportValue:
    return record.metrics.get(column.key) if column.kind is Kind.METRIC else record.params.get(column.key)
