"""A list of names and texts: the fields, params or tags of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.message import Message

from mldeck.format import Neighbours, cell_width, safe
from mldeck.model import SYSTEM_TAG_PREFIX
from mldeck.ui.kit.cell_text import cell_text
from mldeck.ui.kit.full_text import TextAsked
from mldeck.ui.kit.grid import GAP, Cell, Grid, GridColumn

_MIN_VALUE_WIDTH = 12


@dataclass(frozen=True, slots=True)
class Line:
    """A name and its text. Both may be foreign text."""

    name: str
    text: str
    style: str = ""
    """The name of the style of the text."""
    run_id: str | None = None
    """The run that Enter goes to; None if the line names no run."""
    is_heading: bool = False


class LineGrid(Grid):
    """Names on the left, texts on the right. Enter shows the whole text, or goes to the run that it names."""

    @dataclass
    class RunAsked(Message):
        """Posted to go to the run that a line names."""

        run_id: str

    def __init__(self, empty_text: str, *, id: str | None = None) -> None:
        super().__init__(id=id, has_header=False)
        self.empty_text = empty_text
        self.lines: Sequence[Line] = ()

    def show(self, lines: Sequence[Line]) -> None:
        self.lines = lines
        self.set_content(len(lines))

    def fitting_columns(self) -> tuple[GridColumn, ...]:
        room = max(0, self.line_width - GAP)
        name = max((cell_width(safe(line.name)) for line in self.lines), default=0)
        if name > room // 2:
            value = max((cell_width(cell_text(line.text, room)) for line in self.lines), default=0)
            name = min(name, max(room // 2, room - max(value, _MIN_VALUE_WIDTH)))
        names = Neighbours(line.name for line in self.lines)
        return GridColumn("name", name, neighbours=names), GridColumn("value", max(0, room - name))

    def row_cells(self, row: int) -> Sequence[Cell]:
        line = self.lines[row]
        if line.is_heading:
            return Cell(line.name, "group"), Cell("")
        return Cell(safe(line.name), "dim"), Cell(safe(line.text), "accent" if line.run_id else line.style)

    def row_text(self, row: int) -> str:
        line = self.lines[row]
        return f"{line.name} {line.text}"

    def copied_text(self) -> str | None:
        return self.lines[self.cursor_row].text if self.lines else None

    def action_open(self) -> None:
        if not self.lines:
            return
        line = self.lines[self.cursor_row]
        if line.run_id:
            self.post_message(self.RunAsked(line.run_id))
        elif not line.is_heading:
            self.post_message(TextAsked(line.name, line.text))


def param_lines(params: Sequence[tuple[str, str]]) -> list[Line]:
    return [Line(key, value) for key, value in params]


def tag_lines(tags: Sequence[tuple[str, str]]) -> list[Line]:
    """Return the lines of tags: the user's own first, MLflow's (`mlflow.…`) below a heading."""
    own = [Line(key, value) for key, value in tags if not key.startswith(SYSTEM_TAG_PREFIX)]
    system = [Line(key, value, "dim") for key, value in tags if key.startswith(SYSTEM_TAG_PREFIX)]
    heading = [Line("MLflow's own tags", "", is_heading=True)] if system else []
    return [*own, *heading, *system]
