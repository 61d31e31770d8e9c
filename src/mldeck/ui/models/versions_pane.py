"""The versions of the chosen model, as a board or as a table that is sorted and filtered by the runs they came from."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from textual import on, work

from mldeck.format import safe, time_text
from mldeck.model import Column, Kind, RunRecord
from mldeck.registry.nouns import ModelVersion, RegisteredModel
from mldeck.ui.kit.threads import read_off_loop
from mldeck.ui.models.board import VersionBoard
from mldeck.ui.models.models_pane import ModelListing
from mldeck.ui.models.reading import (
    LEADING,
    VersionOrder,
    VersionRuns,
    Versions,
    read_version_runs,
    read_versions,
    run_ids_of,
)
from mldeck.ui.models.version_table import VersionTable
from mldeck.ui.place import no_match_text, retitle
from mldeck.ui.state.session import Session

if TYPE_CHECKING:
    from mldeck.ui.export.export import Exported, Field
    from mldeck.ui.filter.completer import Completer
    from mldeck.ui.filter.filter_line import FilterLine

_ARROWS = {True: " ↑", False: " ↓", None: ""}


class VersionListing(ModelListing):
    """The part of the place Models that is about the versions; what is around them, the subclass adds."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._data = Versions()
        self._runs: VersionRuns | None = None
        """What the table shows of the source runs; None until it has been read for these versions."""
        self._order: VersionOrder | None = None
        self._searches: dict[str, str] = {}
        """By model: what its versions in the table are filtered by."""
        self._search_line: FilterLine | None = None
        self._is_table = False
        self._wanted_metrics: dict[str, str] = {}
        """By model: what was chosen for the cards in this sitting."""
        self._edited_filter = ""
        """Of what: models or versions."""
        self._completer: Completer | None = None

    @property
    def board(self) -> VersionBoard:
        return self.query_one(VersionBoard)

    @property
    def table(self) -> VersionTable:
        return self.query_one(VersionTable)

    @property
    def version_grid(self) -> VersionBoard | VersionTable:
        """What shows the versions now."""
        return self.table if self._is_table else self.board

    @abstractmethod
    def load_details(self) -> object:
        """Shows what belongs to the version under the cursor."""

    # -- what is under the cursor

    @property
    def cursor_model(self) -> RegisteredModel | None:
        return self.shelf.named(self._data.model)

    @property
    def cursor_version(self) -> ModelVersion | None:
        return self.version_grid.cursor_version

    @property
    def versions(self) -> tuple[ModelVersion, ...]:
        """All versions of `cursor_model`, the newest first."""
        return self._data.versions

    @property
    def records(self) -> Mapping[str, RunRecord]:
        """The source runs by id, with the metric of the cards."""
        return self._data.records

    @property
    def _search(self) -> str:
        return self._searches.get(self._data.model or "", "")

    @property
    def card_metric(self) -> str | None:
        return self._data.metric.key if self._data.metric else None

    # -- reading

    async def read_again(self, cursor: tuple[str, int | None] | None = None) -> None:
        """Everything on screen as it is now. `cursor`: the model, and the version if it matters, that the cursor goes to."""
        await self.read_models(cursor[0] if cursor else None)
        await self._read_versions(cursor[1] if cursor else None)
        self.load_details()

    async def show_moved(self, name: str, number: int) -> None:
        """The versions after a change of stage, at once; all else is read when the change is noticed, as anybody's is."""
        registry = self.session.registry
        if self._is_table or name != self._data.model:
            await self.read_again(cursor=(name, number))
            return
        versions = await read_off_loop(lambda interrupt: registry.versions(name, interrupt))
        self._show_versions(replace(self._data, versions=versions), number)
        self.call_after_refresh(self.load_details)  # reading at the same time would keep the card from being painted

    @work(group="versions", exclusive=True)
    async def load_versions(self) -> None:
        with self.reporting_trouble(), self.saying_busy("reading versions"):
            await self._read_versions(None)
            self.load_details()

    async def _read_versions(self, cursor: int | None) -> None:
        """Of the model under the cursor of the list. Without `cursor` the cursor stays on its version."""
        session, name = self.session, self.model_list.cursor_name
        if name is None or not session.is_open:
            self._show_versions(Versions(), None)
            return
        store, memory, wanted = session.store, session.memory, self._wanted_metrics.get(name)
        data = await read_off_loop(
            lambda interrupt: read_versions(store, session.registry, name, memory, wanted, interrupt)
        )
        if name != self.model_list.cursor_name:
            return  # the list has moved on, and reads what it needs
        runs = await self._read_runs(data) if self._is_table else None
        present = self.cursor_version
        if cursor is None and present is not None and _is_among(present, data.versions):
            cursor = present.version
        if data != self._data or runs != self._runs or cursor not in (None, present.version if present else None):
            self._show_versions(data, cursor, runs)

    async def _read_runs(self, data: Versions) -> VersionRuns:
        store, search = self.session.store, self._searches.get(data.model or "", "")
        return await read_off_loop(lambda interrupt: read_version_runs(store, data, search, interrupt))

    def _show_versions(self, data: Versions, cursor: int | None, runs: VersionRuns | None = None) -> None:
        is_same = data.model == self._data.model
        self._data, self._runs = data, runs
        if not is_same:
            self._completer = None
            self.finder.drop(self.version_grid)
            self._show_search()
        self.model_list.choose(data.model)
        if data.model is not None:
            self.say_if_empty("This model has no versions.\n\nr on a run registers one.")
        self.board.show(data, cursor)
        if runs is not None:
            self._fill_table(cursor)
        self.show_title()

    def _fill_table(self, cursor: int | None) -> None:
        if self._runs is None:
            return
        if self._search:
            self.table.empty_text = no_match_text("The run of no version", self._search)
        self.table.show(self._data, self._runs, self._order, cursor)
        self.show_title()

    def say_if_empty(self, text: str) -> None:
        self.board.empty_text = self.table.empty_text = text

    def stop_reading(self) -> None:
        self.workers.cancel_group(self, "models")
        self.workers.cancel_group(self, "versions")

    def show_title(self) -> None:
        super().show_title()
        model, count = self.cursor_model, len(self._data.versions)
        metric = self._data.metric if model and not self._is_table else None
        measured = f" · {metric.key}{_ARROWS[metric.greater_is_better]}" if metric else ""
        pane = self.query_one("#version-pane")
        if model is None:
            retitle(pane, "Versions", "")
            return
        found = f"{len(self.table.rows):,} of " if self._is_table and self._search else ""
        parts = [f"{found}{count:,} version{'' if count == 1 and not found else 's'}"]
        parts += [f"@{alias} {version}" for alias, version in model.aliases.items()]
        retitle(pane, f"{model.name}{measured}", " · ".join(parts))

    # -- board and table

    async def action_turn(self) -> None:
        self._turn(is_table=not self._is_table)

    def _turn(self, *, is_table: bool) -> None:
        version, had_focus = self.cursor_version, self.version_grid.has_focus
        self._is_table = is_table
        self.board.display, self.table.display = not is_table, is_table
        self._show_search()
        number = version.version if version else None
        if is_table:
            self.load_table(number)
        else:
            self.board.show(self._data, number)
        if had_focus:
            self.set_focus(self.version_grid)
        self.show_title()

    @work(group="versions", exclusive=True)
    async def load_table(self, cursor: int | None) -> None:
        """Reads what the table needs beside the board."""
        data = self._data
        if not self.session.is_open:
            return
        with self.reporting_trouble(), self.saying_busy("reading runs"):
            runs = await self._read_runs(data)
            if data is self._data:
                self._runs = runs
                self._fill_table(cursor)
                self.load_details()

    @on(VersionTable.SortAsked)
    def _sort_versions(self, message: VersionTable.SortAsked) -> None:
        """Ascending, then descending, then as they were."""
        column, present = message.column, self._order
        if present is None or present.column != column:
            self._order = VersionOrder(column)
        else:
            self._order = None if present.descending else VersionOrder(column, descending=True)
        version = self.cursor_version
        self._fill_table(version.version if version else None)

    @work(group="card-metric", exclusive=True)
    async def action_card_metric(self) -> None:
        from mldeck.ui.kit.dialogs.menu import Choice, MenuDialog

        model, metrics = self._data.model, self._data.metrics
        if model is None or not metrics:
            self.notify("The runs of these versions have logged no metrics", timeout=3)
            return
        choices = [Choice(key, "", f"{'✓' if key == self.card_metric else ' '} {key}") for key in metrics]
        chosen = await self.app.push_screen_wait(MenuDialog("Which metric stands on the cards?", choices))
        if chosen is not None:
            self._wanted_metrics[model] = chosen
            self.load_versions()

    def action_export(self) -> None:
        from mldeck.ui.export.export import export

        name = self._data.model
        export(self, self.session, f"versions of {safe(name)}" if name else "versions", self._exported())

    def _exported(self) -> Exported | None:
        """All that the table shows, also of columns out of sight; of the board, what is known of the versions themselves."""
        from mldeck.ui.export.export import Exported

        if not self._data.versions:
            return None
        columns: Sequence[Column] = self._runs.columns if self._is_table and self._runs else ()
        rows = self.table.rows if self._is_table else range(len(self._data.versions))
        header = (*LEADING[:3], "created", "run_id", "run", *(str(each) for each in columns))
        return Exported(None, header, [self._exported_row(self._data.versions[row], columns) for row in rows])

    def _exported_row(self, version: ModelVersion, columns: Sequence[Column]) -> list[Field]:
        known = self._data.record(version)
        record = self._runs.records.get(version.run_id or "") if self._runs else None
        created = None if version.creation_time is None else time_text(version.creation_time)
        values = [None if record is None else _value(record, each) for each in columns]
        aliases = " ".join(version.aliases) or None
        return [
            *(str(version.version), version.stage, aliases, created, version.run_id),
            *(known.run.label if known else None, *values),
        ]

    # -- filters

    async def action_filter(self) -> None:
        """Of the models, or of the versions in the table."""
        if self.is_in_list:
            self._edited_filter = "models"
            await self.edit_model_filter()
            return
        if not self._is_table:
            self._turn(is_table=True)
        self._edited_filter = "versions"
        self._search_line = await self.filter_line_in(self.query_one("#version-pane"))
        self._search_line.history = self.session.memory.history
        self._search_line.edit()

    def _show_search(self) -> None:
        """Of this model, and only where it filters anything."""
        if self._search_line is not None:
            self._search_line.set_text(self._search if self._is_table else "")

    def on_filter_line_changed(self, message: FilterLine.Changed) -> None:
        of_models = self._edited_filter == "models"
        apply = self.apply_model_filter if of_models else self._apply_search
        self.settle("filter", lambda: apply(message.text))

    async def action_clear_filter(self) -> None:
        """Of the same ones."""
        self.forget_settling("filter")
        if self.is_in_list and self._query.filter:
            (await self.filter_line_in(self.query_one("#models-body"))).set_text("")
            self.apply_model_filter("")
        elif not self.is_in_list and self._is_table and self._search:
            self._apply_search("")
            self._show_search()
        else:
            self.notify("There is no filter", timeout=2)

    def on_filter_line_closed(self, message: FilterLine.Closed) -> None:
        self.forget_settling("filter")
        if self._edited_filter == "models":
            self.apply_model_filter(message.text)
            self.keep_model_filter(message.text)
            self.set_focus(self.model_list)
        else:
            self._apply_search(message.text)
            self.session.memory.add_filter(message.text.strip())
            self.set_focus(self.version_grid)

    def _apply_search(self, text: str) -> None:
        if self._data.model is not None and text.strip() != self._search:
            self._searches[self._data.model] = text.strip()
            version = self.cursor_version
            self.load_table(version.version if version else None)

    @work(group="complete", exclusive=True)
    async def on_filter_line_candidates_wanted(self, message: FilterLine.CandidatesWanted) -> None:
        """Of models there are few enough to see them; of runs it offers what there is."""
        if self._edited_filter == "models":
            message.line.show_candidates(message.text, ())
            return
        from mldeck.ui.filter.completer import Completer

        if self._completer is None:
            self._completer = Completer(self.session.store, run_ids_of(self.versions)[:60], {})
        completer = self._completer
        with self.reporting_trouble():
            found = await read_off_loop(lambda interrupt: completer.candidates(message.text, message.cursor, interrupt))
            message.line.show_candidates(message.text, found)


def _is_among(version: ModelVersion, versions: Sequence[ModelVersion]) -> bool:
    """Also when its model was given another name; another model has a version of that number as well."""
    same = ((each.version, each.creation_time) == (version.version, version.creation_time) for each in versions)
    return any(same)


def _value(record: RunRecord, column: Column) -> Field:
    return record.metrics.get(column.key) if column.kind is Kind.METRIC else record.params.get(column.key)
