"""What the views of the place Compare have in common: runs, a cursor, what is remembered and what is exported."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from textual.message import Message
from textual.widget import Widget

from mldeck.format import safe
from mldeck.model import Column
from mldeck.ui.compare.data import CompareData, axis_name, group_of
from mldeck.ui.export.export import Exported, export
from mldeck.ui.kit.textual_patches import retitle
from mldeck.ui.state.session import Session

_MEMORY_KEY = "compare"


class CompareView(Widget, can_focus=True):
    """A pane that shows the marked runs in one way. It is told when the runs are others, and draws them."""

    NAME: ClassVar[str] = ""
    """In the tabs; in lower case also where its choices are remembered, and in the names of files."""

    @dataclass
    class Pointed(Message):
        """The cursor is on another run."""

        view: CompareView

    @dataclass
    class RunAsked(Message):
        """Somebody wants to go to a run."""

        run_id: str

    def __init__(self, session: Session) -> None:
        super().__init__(id=f"view-{self.NAME.lower()}", classes="pane")
        self.session = session
        self.data = CompareData()
        self.cursor_run: str | None = None
        """The run under the cursor; one of the data's, if there is any."""

    # -- what a view consists of

    @abstractmethod
    def show_data(self) -> None:
        """Draws `data`; it may be drawn anew when the size becomes known."""

    def show_run(self) -> None:
        """The cursor was put on another run, in another view."""
        self.show_data()

    @property
    def focus_target(self) -> Widget:
        """What gets the keys."""
        return self

    @property
    def state(self) -> str:
        """What is shown, in a few words. It may be somebody else's text."""
        return ""

    @abstractmethod
    def exported(self) -> Exported | None:
        """What is shown, for a file; None while there is nothing."""

    def export(self) -> None:
        """Writes what is shown into a file."""
        export(self, self.session, f"{self.NAME.lower()} of {len(self.data)} runs", self.exported())

    async def read_again(self) -> None:
        """The database changed: reads what is not in `data`. Raises `MldeckError`."""

    @property
    def is_busy(self) -> bool:
        """Whether it is reading something that can be stopped."""
        return False

    def stop_reading(self) -> None:
        """Stops it, and leaves what is there."""

    def read_on(self) -> None:
        """What was stopped is wanted after all."""

    # -- what the place tells it

    def update_data(self, data: CompareData, cursor_run: str | None) -> None:
        self.data = data
        first = data.run_ids[0] if data.run_ids else None
        self.cursor_run = cursor_run if cursor_run in data.by_id else first
        self.show_data()
        self.say_state()

    def update_run(self, cursor_run: str | None) -> None:
        if cursor_run != self.cursor_run and cursor_run in self.data.by_id:
            self.cursor_run = cursor_run
            self.show_run()
            self.say_state()

    # -- what it tells the place

    def point_at(self, run_id: str | None) -> None:
        """The cursor is on this run now."""
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
        """Says in the border what is shown, and which run the cursor is on."""
        pointed = self.data.label(self.cursor_run) if self.cursor_run in self.data.by_id else ""
        retitle(self, self.heading, safe(" · ".join(part for part in (self.state, pointed) if part)))

    # -- what is remembered

    @property
    def choices(self) -> dict[str, Any]:
        """What was remembered of this view for the experiments that the runs are of."""
        views = self._remembered.get(_MEMORY_KEY)
        chosen = views.get(self.NAME.lower()) if isinstance(views, dict) else None
        return dict(chosen) if isinstance(chosen, dict) else {}

    def remember(self, **choices: Any) -> None:
        """Keeps them beside what is remembered already."""
        remembered = self._remembered
        views = remembered.get(_MEMORY_KEY)
        before = views if isinstance(views, dict) else {}
        remembered[_MEMORY_KEY] = {**before, self.NAME.lower(): {**self.choices, **choices}}
        self.session.saved.save()

    @property
    def _remembered(self) -> dict[str, Any]:
        return self.session.saved.experiment(self.data.scope_id)

    async def choose_axes(
        self, title: str, columns: Sequence[Column], chosen: Sequence[Column] = (), *, many: bool = False
    ) -> tuple[Column, ...] | None:
        """Asks for one of the columns, or for several in an order; None: all is to stay as it is. Within a worker."""
        from mldeck.ui.kit.dialogs.picker import PickerDialog

        return await self.app.push_screen_wait(
            PickerDialog(title, columns, chosen, many=many, name=axis_name, group=lambda column: group_of(column).value)
        )
