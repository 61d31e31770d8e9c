"""The place Compare: the marked runs, in one view at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical
from textual.content import Content
from textual.widgets import Static
from textual.worker import Worker

from mldeck.ui.compare.data import CompareData, read_runs
from mldeck.ui.compare.keys import COMPARE
from mldeck.ui.compare.view import CompareView
from mldeck.ui.kit.bars import TabBar
from mldeck.ui.kit.grid import Grid
from mldeck.ui.kit.keys import bindings, key_name, with_keys
from mldeck.ui.kit.mounting import made
from mldeck.ui.kit.threads import read_off_loop
from mldeck.ui.place import Place
from mldeck.ui.state.session import Session

if TYPE_CHECKING:
    from mldeck.ui.compare.importance import ImportanceView
    from mldeck.ui.compare.parallel import ParallelView

_LEAST_RUNS = 2
_TOO_FEW = """Comparing needs two runs or more; {what}.

Mark runs with {mark} in Runs ({runs_place}), then come back with {compare} or {compare_place}.
There, {mark_all} marks all that are listed."""


def _table(session: Session) -> CompareView:
    from mldeck.ui.compare.table import CompareTableView

    return CompareTableView(session)


def _curves(session: Session) -> CompareView:
    from mldeck.ui.compare.curves import CurvesView

    return CurvesView(session)


def _parallel(session: Session) -> CompareView:
    from mldeck.ui.compare.parallel import ParallelView

    return ParallelView(session)


def _scatter(session: Session) -> CompareView:
    from mldeck.ui.compare.scatter import ScatterView

    return ScatterView(session)


def _contour(session: Session) -> CompareView:
    from mldeck.ui.compare.contour import ContourView

    return ContourView(session)


def _importance(session: Session) -> CompareView:
    from mldeck.ui.compare.importance import ImportanceView

    return ImportanceView(session)


VIEWS: Sequence[tuple[str, Callable[[Session], CompareView]]] = (
    ("Table", _table),
    ("Curves", _curves),
    ("Parallel", _parallel),
    ("Scatter", _scatter),
    ("Contour", _contour),
    ("Importance", _importance),
)
"""The name of each view, and what makes it on the first visit: a session seldom needs all of them."""

_NAMES = tuple(name for name, _ in VIEWS)


class CompareScreen(Place):
    NAME = "compare"
    BINDINGS: ClassVar[list[BindingType]] = bindings(COMPARE)

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.data = CompareData()
        self._is_read = False
        """Whether the runs have been read at least once."""
        self._cursor_run: str | None = None
        self._views: dict[int, CompareView] = {}
        self._earlier: list[tuple[dict[str, int], frozenset[str]]] = []
        """The marks before each time that runs were unmarked here, with the runs unmarked; the newest last."""

    def compose_body(self) -> ComposeResult:
        with Vertical():
            yield TabBar(_NAMES, self.session.tab(self.NAME, _NAMES), id="views")
            yield Static("", id="compare-empty", markup=False)
            yield Container(id="view")

    @property
    def view(self) -> CompareView | None:
        """The visible view; None while there are no runs to show, and until it is mounted."""
        view = self._views.get(self._tabs.active)
        return view if view is not None and view.is_mounted else None

    @property
    def _tabs(self) -> TabBar:
        return self.query_one("#views", TabBar)

    @property
    def main_grid(self) -> Grid | None:
        target = None if self.view is None else self.view.focus_target
        return target if isinstance(target, Grid) else None

    # -- reading

    def after_show(self) -> None:
        if self.session.marked != self.data.colours:
            self._is_stale = True
        super().after_show()

    async def read_again(self) -> None:
        self.load_runs()

    @work(group="compare", exclusive=True)
    async def load_runs(self) -> None:
        session = self.session
        if not session.is_open:
            return
        store, marked = session.store, dict(session.marked)
        with self.reporting_trouble(), self.saying_busy("reading runs"):
            data = await read_off_loop(lambda interrupt: read_runs(store, marked, interrupt))
            self._is_read = True
            if data != self.data:  # most changes are to other runs, and leave the drawings of these valid
                self.data = data
            with self.app.batch_update():  # else the mounted widgets would be painted one by one
                await self._show_view(takes_focus=self.focused is None)
            if self.view is not None:
                await self.view.read_again()

    def action_refresh(self) -> Worker[None]:
        if self.view is not None:
            self.view.read_on()
        return super().action_refresh()

    def stop_reading(self) -> None:
        self.workers.cancel_group(self, "compare")

    async def action_back(self) -> None:
        if self.view is not None and self.view.is_busy:
            self.view.stop_reading()
        else:
            await super().action_back()

    async def go_to_earlier_place(self) -> None:
        if self.opened_from:
            await self.run_action(f"app.place({self.opened_from!r})")

    async def find_rows(self, grid: Grid, text: str) -> Sequence[int]:
        return grid.found_rows(text) if text else ()

    def show_title(self) -> None:
        if self.view is None:
            self.query_one("#compare-empty", Static).update(self._empty_text)
        elif self.busy:
            self.view.border_subtitle = Content(self.busy)
        else:
            self.view.say_state()

    @property
    def _empty_text(self) -> str:
        """The text shown instead of a view: what is going on, or what to do."""
        if self.busy or not self._is_read:
            return self.busy or f"The runs have not been read: {key_name('refresh')} reads them."
        count, gone = len(self.data), self.data.gone
        what = f"{count or 'none'} of the {count + gone} marked is in the database" if gone else ""
        return with_keys(_TOO_FEW, what=what or ("one is marked" if count else "none is marked"))

    # -- the views

    async def _show_view(self, *, takes_focus: bool) -> None:
        """Show the active view, making it on the first visit. The others keep what they show until they are chosen again.

        `takes_focus`: the view gets the focus; else the focus stays where it is, for example in the find bar.
        """
        is_enough = len(self.data) >= _LEAST_RUNS
        empty = self.query_one("#compare-empty", Static)
        empty.display = not is_enough
        self.query_one("#view").display = is_enough
        if not is_enough:
            empty.update(self._empty_text)
            self.set_focus(None)
            return
        index = self._tabs.active
        if index not in self._views:
            self._views[index] = VIEWS[index][1](self.session)
        view = await made(self.query_one("#view"), self._views[index])
        if self._tabs.active != index:
            return  # another view was chosen meanwhile
        for other in self._views.values():
            other.display = other is view
        if view.data is not self.data:
            view.update_data(self.data, self._cursor_run)
        else:
            view.update_run(self._cursor_run)
        self._cursor_run = view.cursor_run
        if takes_focus:
            self.set_focus(view.focus_target)

    @on(TabBar.Chosen)
    def _choose_view(self, message: TabBar.Chosen) -> None:
        self._turn_to(message.index)

    def action_view(self, step: int) -> None:
        self._turn_to((self._tabs.active + step) % len(VIEWS))

    def _turn_to(self, index: int) -> None:
        self._tabs.activate(index)
        self.session.keep_tab(self.NAME, _NAMES[index])
        self.show_view()

    @work(group="view", exclusive=True)
    async def show_view(self) -> None:
        if self.finder.is_open:
            await self.finder.close(keep=False)
        with self.app.batch_update():
            await self._show_view(takes_focus=True)

    @on(CompareView.Pointed)
    def _pointed(self, message: CompareView.Pointed) -> None:
        if message.view is self.view:
            self._cursor_run = message.view.cursor_run

    def action_export(self) -> None:
        if self.view is not None:
            self.view.export()

    # -- marks

    def action_unmark(self) -> None:
        run_id = self._cursor_run
        if run_id in self.session.marked and run_id in self.data.by_id:
            self._earlier.append((dict(self.session.marked), frozenset({run_id})))
            label, place = self.data.label(run_id), self.data.numbers[run_id]
            # The cursor goes to the next run; from the last one, to the previous.
            self._cursor_run = self.data.run_ids[place if place < len(self.data) else place - 2]
            self.session.toggle_marks([run_id])
            self._marks_changed(f"Unmarked {label}; {key_name('mark_again')} marks it again")

    def action_mark_again(self) -> None:
        marked = self.session.marked
        while self._earlier:
            before, unmarked = self._earlier.pop()
            if not unmarked <= marked.keys():
                # In their old order, with runs marked since then and without runs unmarked elsewhere.
                kept = {run_id: colour for run_id, colour in before.items() if run_id in unmarked or run_id in marked}
                self.session.marked = {**kept, **marked}
                self._marks_changed("Marked again")
                return
        self.notify("No run was unmarked here", timeout=2)

    def on_parallel_view_keep_asked(self, message: ParallelView.KeepAsked) -> None:
        kept = {run_id: colour for run_id, colour in self.session.marked.items() if run_id in message.run_ids}
        self._earlier.append((dict(self.session.marked), frozenset(self.session.marked.keys() - kept.keys())))
        self.session.marked = kept
        self._marks_changed(
            f"Only these {len(kept):,} runs are marked; {key_name('mark_again')} marks the others again"
        )

    def _marks_changed(self, what: str) -> None:
        self.session.keep()
        self.notify(what, timeout=3)
        self.top_bar.show_marked(len(self.session.marked))
        self.load_runs()

    # -- requests of the views

    @work(group="view", exclusive=True)
    async def on_importance_view_scatter_asked(self, message: ImportanceView.ScatterAsked) -> None:
        from mldeck.ui.compare.scatter import ScatterView

        self._tabs.activate(_NAMES.index(ScatterView.NAME))
        await self._show_view(takes_focus=True)
        if isinstance(self.view, ScatterView):
            self.view.show_axes(message.param, message.metric)

    @on(CompareView.RunAsked)
    def _go_to_run(self, message: CompareView.RunAsked) -> None:
        record = self.data.by_id.get(message.run_id)
        if record is not None:
            self.post_message(self.RunWanted(record.run))
