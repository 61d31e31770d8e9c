"""The base class of the views of the place Compare: their runs, cursor, remembered choices and export."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from textual.message import Message
from textual.widget import Widget

from mldeck.model import Column
from mldeck.ui.compare.data import CompareData, axis_name, group_of
from mldeck.ui.export.export import Exported, export
from mldeck.ui.place import retitle
from mldeck.ui.state.session import Session

_SAVED_KEY = "compare"
"""The key of the choices of all views in the saved state."""


class CompareView(Widget, can_focus=True):
    """A pane that shows the marked runs in one way."""

    NAME: ClassVar[str] = ""
    """Its name in the tabs; in lower case also the key of its remembered choices, and part of file names."""

    @dataclass
    class Pointed(Message):
        """Posted when the cursor goes to another run."""

        view: CompareView

    @dataclass
    class RunAsked(Message):
        """Posted to go to a run."""

        run_id: str

    def __init__(self, session: Session) -> None:
        super().__init__(id=f"view-{self.NAME.lower()}", classes="pane")
        self.session = session
        self.data = CompareData()
        self.cursor_run: str | None = None
        """The id of the run under the cursor, one of `data`; None if there are no runs."""

    # -- for subclasses

    @abstractmethod
    def show_data(self) -> None:
        """Draw `data`. A view may draw again once its size is known."""

    def show_run(self) -> None:
        """Show the cursor on a run that another view has put it on."""
        self.show_data()

    @property
    def focus_target(self) -> Widget:
        """The widget that gets the focus."""
        return self

    @property
    def state(self) -> str:
        """A few words about the content. Foreign text."""
        return ""

    @property
    def extent(self) -> str:
        """The part that is in view, shown after the heading; empty if all of it is."""
        return ""

    @abstractmethod
    def exported(self) -> Exported | None:
        """Return what is shown, for a file; None while there is nothing."""

    def export(self) -> None:
        """Ask for a file and write what is shown into it."""
        export(self, self.session, f"{self.NAME.lower()} of {len(self.data)} runs", self.exported())

    async def read_again(self) -> None:
        """Read what is not in `data` again after the database changed. Raises `MldeckError`."""

    @property
    def is_busy(self) -> bool:
        """Whether something is being read that can be stopped."""
        return False

    def stop_reading(self) -> None:
        """Stop reading and keep what is shown."""

    def read_on(self) -> None:
        """Resume a stopped read."""

    # -- called by the place

    def update_data(self, data: CompareData, cursor_run: str | None) -> None:
        """Show other data, with the cursor on a run if it is in them; else on the first."""
        self.data = data
        first = data.run_ids[0] if data.run_ids else None
        self.cursor_run = cursor_run if cursor_run in data.by_id else first
        self.show_data()
        self.say_state()

    def update_run(self, cursor_run: str | None) -> None:
        """Put the cursor on a run, if it is in the data."""
        if cursor_run != self.cursor_run and cursor_run in self.data.by_id:
            self.cursor_run = cursor_run
            self.show_run()
            self.say_state()

    # -- told to the place

    def set_cursor_run(self, run_id: str | None) -> None:
        """Note that the cursor is on this run now, and tell the place."""
        if run_id != self.cursor_run:
            self.cursor_run = run_id
            self.say_state()
            self.post_message(self.Pointed(self))

    def open_run(self, run_id: str | None) -> None:
        if run_id is not None:
            self.post_message(self.RunAsked(run_id))

    @property
    def heading(self) -> str:
        gone = f" ({self.data.gone} more not in the database)" if self.data.gone else ""
        return f"{self.NAME} of {len(self.data):,} runs{gone}"

    def say_state(self) -> None:
        """Show in the border what is shown, and the run under the cursor."""
        pointed = self.data.label(self.cursor_run) if self.cursor_run in self.data.by_id else ""
        retitle(self, self.heading, " · ".join(part for part in (self.state, pointed) if part), self.extent)

    # -- remembered choices

    @property
    def choices(self) -> dict[str, Any]:
        """The choices remembered for this view and the experiments of the runs."""
        views = self._remembered.get(_SAVED_KEY)
        chosen = views.get(self.NAME.lower()) if isinstance(views, dict) else None
        return dict(chosen) if isinstance(chosen, dict) else {}

    def remember(self, **choices: Any) -> None:
        """Remember these choices beside the ones remembered already."""
        remembered = self._remembered
        views = remembered.get(_SAVED_KEY)
        before = views if isinstance(views, dict) else {}
        remembered[_SAVED_KEY] = {**before, self.NAME.lower(): {**self.choices, **choices}}
        self.session.saved.save()

    @property
    def _remembered(self) -> dict[str, Any]:
        return self.session.saved.experiment(self.data.scope_id)

    async def choose_axes(
        self, title: str, columns: Sequence[Column], chosen: Sequence[Column] = (), *, many: bool = False
    ) -> tuple[Column, ...] | None:
        """Ask for one of the columns, or for several in an order. Return None to leave them. Call it in a worker."""
        from mldeck.ui.kit.dialogs.picker import PickerDialog

        return await self.app.push_screen_wait(
            PickerDialog(title, columns, chosen, many=many, name=axis_name, group=lambda column: group_of(column).value)
        )
