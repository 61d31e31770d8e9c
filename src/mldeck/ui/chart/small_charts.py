"""The metrics of a run as small charts, grouped by prefix, one page at a time."""

from __future__ import annotations

import math
from array import array
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events, work
from textual.binding import BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from mldeck.charts.curves import Curve, prepare
from mldeck.charts.labels import write, write_right
from mldeck.charts.lines import ChartLine, draw_small
from mldeck.charts.picture import Ink, Picture, PictureCanvas, Role, spans
from mldeck.format import Neighbours, cell_width, cut_middle, exact_float_text, float_text, safe
from mldeck.model import Metric
from mldeck.ui.chart.keys import SMALL_CHARTS
from mldeck.ui.chart.small_chart_pages import SYSTEM_GROUP, VALUES, ChartSlot, Pages, arranged, group_of, prefix_of
from mldeck.ui.details.keys import METRIC_VIEW
from mldeck.ui.details.metric_grid import MetricGrid, Outlines, ReadOutlines
from mldeck.ui.kit.cell_text import cell_text
from mldeck.ui.kit.chart_styles import ink_style
from mldeck.ui.kit.clipboard import CopyAsked
from mldeck.ui.kit.keys import bindings, key_name
from mldeck.ui.kit.styles import style_named
from mldeck.ui.kit.surface import Surface

if TYPE_CHECKING:
    from mldeck.store.histories.outline import HistorySpan

_HEADING = Ink(Role.AXIS)

_VALUE_GAP = 2
"""Cells between the names and the numbers of single values."""


class SmallCharts(Widget, can_focus=True):
    """The charts of one page. Only the metrics on the page are read and drawn."""

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = bindings(SMALL_CHARTS, METRIC_VIEW)

    class Opened(Message):
        """Posted to open the chart under the cursor full screen."""

    @dataclass
    class Turned(Message):
        """Posted when another page is shown, or the number of pages changes."""

        text: str

    def __init__(self, read_outlines: ReadOutlines, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.run_id: str | None = None
        self.metrics: Sequence[Metric] = ()
        self._single: Collection[str] = frozenset()
        """Keys of the metrics that were logged at one step only."""
        self._looked_at: tuple[str | None, str] | None = None
        """The metric that the user moved the cursor to last, and its group. It may be one that other runs do not have."""
        self.empty_text = ""
        """The line that is shown when there are no metrics."""
        self._names = Neighbours()
        self.folded = frozenset({SYSTEM_GROUP})
        self.cursor = 0
        self.pages = arranged((), frozenset(), 1, 1)
        self.colour = 0
        self._outlines = Outlines(read_outlines)
        self._pictures: dict[str, Picture] = {}
        self._surface = Surface(self, self.lay_out)
        self._strips: list[Strip] = []

    def show(self, run_id: str, metrics: Sequence[Metric], single: Collection[str]) -> None:
        """Show the metrics of a run, the `single` values as a list.

        The cursor goes to the metric that was looked at last, or else to the first one of the first page.
        """
        changed = {metric.key for metric in set(metrics) - set(self.metrics)} if run_id == self.run_id else None
        self._pictures = {} if changed is None else {k: p for k, p in self._pictures.items() if k not in changed}
        if metrics != self.metrics:
            self._names = Neighbours(map(_title, metrics))
        self.run_id, self.metrics, self._single = run_id, metrics, single
        self._outlines.follow(run_id, metrics)
        self._arrange()

    def show_colour(self, colour: int) -> None:
        """Draw the charts in the run's colour, given by its number."""
        if colour != self.colour:
            self.colour = colour
            self._pictures = {}
            self._repaint()

    def _laid_out_pages(self) -> Pages:
        groups = [group_of(metric.key, self._single) for metric in self.metrics]
        values = [metric for metric, group in zip(self.metrics, groups, strict=True) if group == VALUES]
        names = max((cell_width(safe(metric.key)) for metric in values), default=0)
        numbers = max((len(float_text(metric.value)) for metric in values), default=0)
        return arranged(groups, self.folded, self.size.width, self.size.height, names + _VALUE_GAP + numbers)

    def _arrange(self) -> None:
        self._surface.note_room()
        pages, before = self._laid_out_pages(), self.pages
        if pages != before:
            self._pictures = {}
        if pages.width != before.width:
            self._outlines.forget()
        self.pages = pages
        self.cursor = self._cursor_of(self._looked_at)
        self._repaint()
        self._say_page()
        self.want_outlines()

    def _cursor_of(self, looked_at: tuple[str | None, str] | None) -> int:
        """Return the index of the slot of a metric, or of the heading of a group if the key is None; 0 if there is none."""
        key, group = looked_at or (None, None)
        for index, slot in enumerate(self.pages.slots):
            if slot.metric is None and key is None and slot.group == group:
                return index
            if slot.metric is not None and self.metrics[slot.metric].key == key:
                return index
        return 0

    # -- outlines

    @property
    def history_width(self) -> int:
        return self.pages.width

    def missing_outlines(self) -> list[str]:
        return self._outlines.missing(metric.key for slot, metric in self._visible if slot.group != VALUES)

    def want_outlines(self) -> None:
        if self.is_on_screen and self.size.height and self.missing_outlines():
            self._read_outlines()

    @work(group="outlines", exclusive=True)
    async def _read_outlines(self) -> None:
        """Draw each chart as soon as its history is read; stop when the charts are hidden."""
        async for key in self._outlines.read(self.missing_outlines(), self.history_width):
            self._pictures.pop(key, None)
            self._repaint()
            if not self.is_on_screen:
                break

    # -- the cursor

    @property
    def slot(self) -> ChartSlot | None:
        return self.pages.slots[self.cursor] if self.pages.slots else None

    @property
    def page(self) -> int:
        return self.slot.page if self.slot is not None else 0

    @property
    def cursor_metric(self) -> str | None:
        metric = self.slot.metric if self.slot is not None else None
        return None if metric is None else self.metrics[metric].key

    @property
    def _visible(self) -> list[tuple[ChartSlot, Metric]]:
        return [
            (slot, self.metrics[slot.metric])
            for slot in self.pages.slots
            if slot.page == self.page and slot.metric is not None
        ]

    def move_to(self, cursor: int) -> None:
        before = self.slot
        self.cursor = max(0, min(cursor, len(self.pages.slots) - 1))
        if self.slot is not None:
            self._looked_at = self.cursor_metric, self.slot.group
        if before is None or self.slot is None or before == self.slot:
            return
        if before.page == self.slot.page:
            for slot in (before, self.slot):
                self.refresh(Region(0, slot.row, self.size.width, 1))
        else:
            self._repaint()
            self._say_page()
            self.want_outlines()

    def action_move(self, charts: int) -> None:
        self.move_to(self.cursor + charts)

    def action_move_row(self, direction: int) -> None:
        """Move to the nearest chart in the row below (1) or above (-1)."""
        here = self.slot
        if here is None:
            return
        rows = sorted({(slot.page, slot.row) for slot in self.pages.slots})
        at = rows.index((here.page, here.row)) + direction
        if 0 <= at < len(rows):
            there = [index for index, slot in enumerate(self.pages.slots) if (slot.page, slot.row) == rows[at]]
            self.move_to(min(there, key=lambda index: abs(self.pages.slots[index].column - here.column)))

    def action_page(self, pages: int) -> None:
        wanted = max(0, min(self.page + pages, self.pages.count - 1))
        there = (index for index, slot in enumerate(self.pages.slots) if slot.page == wanted)
        self.move_to(next(there, self.cursor))

    def action_edge(self, direction: int) -> None:
        self.move_to(0 if direction < 0 else len(self.pages.slots) - 1)

    def action_open(self) -> None:
        if self.cursor_metric is not None:
            self.post_message(self.Opened())
        else:
            self.action_fold()

    def action_fold(self) -> None:
        slot = self.slot
        if slot is None or not slot.group:
            return
        self.folded ^= {slot.group}
        self._arrange()
        here = (index for index, other in enumerate(self.pages.slots) if other.group == slot.group)
        self.move_to(next(here, self.cursor))

    def action_copy(self) -> None:
        metric = self.slot.metric if self.slot is not None else None
        if metric is not None:
            text = exact_float_text(self.metrics[metric].value)
            self.post_message(CopyAsked(text, text))

    def action_other_view(self) -> None:
        self.post_message(MetricGrid.OtherViewAsked())

    def _say_page(self) -> None:
        self.post_message(self.Turned(f"page {self.page + 1} of {self.pages.count}" if self.pages.count > 1 else ""))

    # -- events

    def on_resize(self) -> None:
        self._surface.lay_out()

    def on_hide(self) -> None:
        self._surface.forget_room()

    def render_lines(self, crop: Region) -> list[Strip]:
        self._surface.check_room()
        return super().render_lines(crop)

    def lay_out(self) -> None:
        self._arrange()

    def on_show(self) -> None:
        self.want_outlines()

    def on_focus(self) -> None:
        self._repaint()

    def on_blur(self) -> None:
        self._repaint()

    def on_click(self, event: events.Click) -> None:
        at = event.get_content_offset(self)
        if at is None:
            return
        for index, slot in enumerate(self.pages.slots):
            height = 1 if slot.metric is None or slot.group == VALUES else self.pages.height
            is_inside = slot.column <= at.x < slot.column + slot.width and slot.row <= at.y < slot.row + height
            if slot.page == self.page and is_inside:
                self.move_to(index)
                if event.chain == 2:
                    self.action_open()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._surface.forget_base()
        self._strips = []

    # -- painting

    def _repaint(self) -> None:
        self._strips = []
        self.refresh()

    def render_line(self, y: int) -> Strip:
        base = self._surface.base
        if not self._strips:
            self._strips = self._painted(base)
        strip = self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width, base)
        slot = self.slot
        if slot is not None and slot.row == y:
            title = strip.crop(slot.column, slot.column + slot.width)
            under = Strip([Segment(text, (style or base) + self._cursor_style) for text, style, _ in title])
            strip = Strip.join([strip.crop(0, slot.column), under, strip.crop(slot.column + slot.width)])
        return strip

    @property
    def _cursor_style(self) -> Style:
        return style_named(self, "cursor" if self.has_focus else "cursor-blurred")

    def _painted(self, base: Style) -> list[Strip]:
        if not self.metrics:
            text = cell_text(f"  {self.empty_text}", self.size.width)
            line = Strip([Segment(text, base + style_named(self, "dim"))]).adjust_cell_length(self.size.width, base)
            return [Strip.blank(self.size.width, base), line]
        canvas = PictureCanvas(self.size.width, self.size.height)
        for page, row, group in self.pages.headings:
            if page == self.page:
                canvas.put(0, row, self._heading(group), _HEADING)
        for slot, metric in self._visible:
            canvas.paste(slot.column, slot.row, self._picture(metric, slot).rows)
        return [
            Strip([Segment(text, base + ink_style(self, ink)) for text, ink in spans(row)])
            for row in canvas.picture().rows
        ]

    def _heading(self, group: str) -> str:
        count = sum(group_of(metric.key, self._single) == group for metric in self.metrics)
        mark, hint = ("▸", f"   {key_name('open_chart')} unfolds") if group in self.folded else ("▾", "")
        return f"{mark} {safe(group)}  {count:,} {'metric' if count == 1 else 'metrics'}{hint}"

    def _picture(self, metric: Metric, slot: ChartSlot) -> Picture:
        picture = self._pictures.get(metric.key)
        if picture is None and slot.group == VALUES:
            picture = self._pictures[metric.key] = _value(metric, slot.width)
        if picture is None:
            outline = self._outlines.get(metric.key)
            note = "reading…" if outline is None else ""
            lines = [ChartLine(_curve(outline or (), metric), colour=self.colour)]
            size, title = (slot.width, self.pages.height), self._fitting_title(metric, slot.width)
            picture = self._pictures[metric.key] = draw_small(lines, size, title=title, note=note)
        return picture

    def _fitting_title(self, metric: Metric, width: int) -> str:
        """Return the name of the metric, cut to fit beside its latest value."""
        return self._names.cut(_title(metric), width - len(float_text(metric.value)) - 1)


def _title(metric: Metric) -> str:
    """Return the name of a metric below the heading of its group. Foreign text."""
    return metric.key.removeprefix(prefix_of(metric.key)) or metric.key


def _curve(outline: Sequence[HistorySpan], metric: Metric) -> Curve:
    """Return a curve through the lowest and highest value of each slice, and the latest value at the end."""
    steps, values = array("q"), array("d")
    for span in outline:
        low, high = (math.nan, math.nan) if span.low is None or span.high is None else (span.low, span.high)
        steps.extend((span.first_step, span.last_step))
        values.extend((low, high))
    steps.append(metric.step)
    values.append(metric.value)
    return prepare(steps, array("q", bytes(8 * len(steps))), values)


def _value(metric: Metric, width: int) -> Picture:
    canvas = PictureCanvas(width, 1)
    text = float_text(metric.value)
    write(canvas, 0, 0, cut_middle(safe(metric.key), width - len(text) - _VALUE_GAP))
    write_right(canvas, width, 0, text)
    return canvas.picture()
