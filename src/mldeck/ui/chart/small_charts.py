"""The metrics of a run as small charts, grouped by prefix, a page at a time."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
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
from mldeck.format import cell_width, exact_float_text, float_text, safe
from mldeck.model import Metric
from mldeck.ui.chart.keys import SMALL_CHARTS
from mldeck.ui.chart.small_chart_pages import SYSTEM_GROUP, VALUES, Place, arranged, group_of, prefix_of
from mldeck.ui.details.keys import METRIC_VIEW
from mldeck.ui.details.metric_grid import MetricGrid, Outlines, ReadOutline
from mldeck.ui.kit.cell_text import cell_text
from mldeck.ui.kit.chart_styles import ink_style
from mldeck.ui.kit.clipboard import CopyAsked
from mldeck.ui.kit.keys import bindings
from mldeck.ui.kit.styles import style_named
from mldeck.ui.kit.surface import Surface

if TYPE_CHECKING:
    from mldeck.store.histories.outline import HistorySpan

_HEADING = Ink(Role.AXIS)


class SmallCharts(Widget, can_focus=True):
    """Only what is on the page is read and drawn."""

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = bindings(SMALL_CHARTS, METRIC_VIEW)

    class Opened(Message):
        """Full screen, please."""

    class Turned(Message):
        """Another page is shown, or there are more or fewer now."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, read_outline: ReadOutline, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.run_id: str | None = None
        self.metrics: Sequence[Metric] = ()
        self.folded = frozenset({SYSTEM_GROUP})
        self.cursor = 0
        self.pages = arranged((), frozenset(), 1, 1)
        self.colour = 0
        self._outlines = Outlines(read_outline)
        self._pictures: dict[str, Picture] = {}
        self._surface = Surface(self, self.lay_out)
        self._strips: list[Strip] = []

    def show(self, run_id: str, metrics: Sequence[Metric]) -> None:
        """The cursor stays on its metric, also when it is another run."""
        before = self.cursor_metric
        changed = {metric.key for metric in set(metrics) - set(self.metrics)} if run_id == self.run_id else None
        self._pictures = {} if changed is None else {k: p for k, p in self._pictures.items() if k not in changed}
        self.run_id, self.metrics = run_id, metrics
        self._outlines.follow(run_id, metrics)
        self._arrange(before)

    def show_colour(self, colour: int) -> None:
        """The number of the run's colour."""
        if colour != self.colour:
            self.colour = colour
            self._pictures = {}
            self._repaint()

    def _arrange(self, metric: str | None) -> None:
        self._surface.note_room()
        self.pages = arranged([group_of(each) for each in self.metrics], self.folded, self.size.width, self.size.height)
        keys = [None if place.metric is None else self.metrics[place.metric].key for place in self.pages.places]
        if metric in keys:
            self.cursor = keys.index(metric)
        self.cursor = max(0, min(self.cursor, len(keys) - 1))
        self._repaint()
        self._say_page()
        self.want_outlines()

    # -- outlines

    @property
    def history_width(self) -> int:
        return self.pages.width

    def missing_outlines(self) -> list[str]:
        return self._outlines.missing(metric.key for place, metric in self._visible if place.group != VALUES)

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
    def place(self) -> Place | None:
        return self.pages.places[self.cursor] if self.pages.places else None

    @property
    def page(self) -> int:
        return self.place.page if self.place is not None else 0

    @property
    def cursor_metric(self) -> str | None:
        metric = self.place.metric if self.place is not None else None
        return None if metric is None else self.metrics[metric].key

    @property
    def _visible(self) -> list[tuple[Place, Metric]]:
        return [
            (place, self.metrics[place.metric])
            for place in self.pages.places
            if place.page == self.page and place.metric is not None
        ]

    def move_to(self, cursor: int) -> None:
        before = self.place
        self.cursor = max(0, min(cursor, len(self.pages.places) - 1))
        if before is None or self.place is None or before == self.place:
            return
        if before.page == self.place.page:
            for place in (before, self.place):
                self.refresh(Region(0, place.row, self.size.width, 1))
        else:
            self._repaint()
            self._say_page()
            self.want_outlines()

    def action_move(self, charts: int) -> None:
        self.move_to(self.cursor + charts)

    def action_move_row(self, direction: int) -> None:
        """To the chart that stands below or above, or as near to that as there is one."""
        here = self.place
        if here is None:
            return
        rows = sorted({(place.page, place.row) for place in self.pages.places})
        at = rows.index((here.page, here.row)) + direction
        if 0 <= at < len(rows):
            there = [index for index, place in enumerate(self.pages.places) if (place.page, place.row) == rows[at]]
            self.move_to(min(there, key=lambda index: abs(self.pages.places[index].column - here.column)))

    def action_page(self, pages: int) -> None:
        wanted = max(0, min(self.page + pages, self.pages.count - 1))
        there = (index for index, place in enumerate(self.pages.places) if place.page == wanted)
        self.move_to(next(there, self.cursor))

    def action_edge(self, direction: int) -> None:
        self.move_to(0 if direction < 0 else len(self.pages.places) - 1)

    def action_open(self) -> None:
        if self.cursor_metric is not None:
            self.post_message(self.Opened())
        else:
            self.action_fold()

    def action_fold(self) -> None:
        place = self.place
        if place is None or not place.group:
            return
        self.folded ^= {place.group}
        first = next(index for index, metric in enumerate(self.metrics) if group_of(metric) == place.group)
        self._arrange(None)
        here = (
            index
            for index, each in enumerate(self.pages.places)
            if each.metric == first or each[3:] == (None, place.group)
        )
        self.move_to(next(here, self.cursor))

    def action_copy(self) -> None:
        metric = self.place.metric if self.place is not None else None
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
        width = self.history_width
        metric = self.cursor_metric
        self.pages = arranged([group_of(each) for each in self.metrics], self.folded, self.size.width, self.size.height)
        if self.history_width != width:
            self._outlines.forget()
        self._pictures = {}
        self._arrange(metric)

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
        for index, place in enumerate(self.pages.places):
            width = self.size.width if place.metric is None else self.pages.width
            height = 1 if place.metric is None or place.group == VALUES else self.pages.height
            is_inside = place.column <= at.x < place.column + width and place.row <= at.y < place.row + height
            if place.page == self.page and is_inside:
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
        place = self.place
        if place is not None and place.row == y:
            width = self.size.width if place.metric is None else self.pages.width
            title = strip.crop(place.column, place.column + width)
            under = Strip([Segment(text, (style or base) + self._cursor_style) for text, style, _ in title])
            strip = Strip.join([strip.crop(0, place.column), under, strip.crop(place.column + width)])
        return strip

    @property
    def _cursor_style(self) -> Style:
        return style_named(self, "cursor" if self.has_focus else "cursor-blurred")

    def _painted(self, base: Style) -> list[Strip]:
        if not self.metrics:
            text = cell_text("  This run has logged no metrics.", self.size.width)
            line = Strip([Segment(text, base + style_named(self, "dim"))]).adjust_cell_length(self.size.width, base)
            return [Strip.blank(self.size.width, base), line]
        canvas = PictureCanvas(self.size.width, self.size.height)
        for page, row, group in self.pages.headings:
            if page == self.page:
                canvas.put(0, row, self._heading(group), _HEADING)
        for place, metric in self._visible:
            canvas.paste(place.column, place.row, self._picture(metric).rows)
        return [
            Strip([Segment(text, base + ink_style(self, ink)) for text, ink in spans(row)])
            for row in canvas.picture().rows
        ]

    def _heading(self, group: str) -> str:
        count = sum(group_of(metric) == group for metric in self.metrics)
        mark, hint = ("▸", "   Enter unfolds") if group in self.folded else ("▾", "")
        return f"{mark} {safe(group)}  {count:,} {'metric' if count == 1 else 'metrics'}{hint}"

    def _picture(self, metric: Metric) -> Picture:
        picture = self._pictures.get(metric.key)
        if picture is None and group_of(metric) == VALUES:
            picture = self._pictures[metric.key] = _value(metric, self.pages.width)
        if picture is None:
            name = metric.key.removeprefix(prefix_of(metric.key)) or metric.key
            outline = self._outlines.get(metric.key)
            note = "reading…" if outline is None else ""
            lines = [ChartLine(_curve(outline or (), metric), colour=self.colour)]
            size = self.pages.width, self.pages.height
            picture = self._pictures[metric.key] = draw_small(lines, size, title=name, note=note)
        return picture


def _curve(outline: Sequence[HistorySpan], metric: Metric) -> Curve:
    """The lowest and the highest value of each slice, and at the end the latest one."""
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
    write(canvas, 0, 0, safe(metric.key), Ink(), max(0, width - cell_width(text) - 1))
    write_right(canvas, width, 0, text, Ink())
    return canvas.picture()
