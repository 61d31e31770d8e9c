"""The overview of a group of runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mldeck.format import MISSING, duration_text, number_format
from mldeck.model import Column, MetricSummary, RunRecord
from mldeck.ui.details.line_grid import Line
from mldeck.ui.details.run_overview import moment_text
from mldeck.ui.kit.clock import Clock
from mldeck.ui.state.arrangement import GroupHeading
from mldeck.ui.state.columns import label_of


def group_lines(
    heading: GroupHeading,
    column: Column,
    summaries: Mapping[str, MetricSummary],
    metric: str | None,
    best: RunRecord | None,
    clock: Clock,
) -> Iterator[Line]:
    """Yield what is known of a group. `best` is its best run by `metric`, None as long as that is not known.

    Without a metric that has a best value there is no line for it.
    """
    yield Line(label_of(column), MISSING if heading.value is None else heading.value)
    yield Line("runs", f"{heading.count:,}")
    if metric is not None:
        yield _best_line(metric, best, is_listed=heading.is_open)
    if heading.newest is not None:
        yield Line("newest run", moment_text(heading.newest, clock))
    if heading.duration is not None:
        yield Line("duration", f"{duration_text(round(heading.duration))} on average")
    for key, summary in summaries.items():
        yield Line(key, _summary_text(summary, heading.count))


def _best_line(metric: str, best: RunRecord | None, *, is_listed: bool) -> Line:
    if best is None:
        return Line("best run", MISSING)
    value = number_format(best.metrics.values()).text(best.metrics[metric])
    return Line("best run", f"{best.run.label}, {metric} {value}", run_id=best.run.run_id if is_listed else None)


def _summary_text(summary: MetricSummary, count: int) -> str:
    """Return mean, standard deviation, least and greatest value, and of how many runs they are if not of all."""
    form = number_format((summary.low, summary.high))
    text = form.text(summary.mean)
    if summary.deviation is not None:
        text += f" ±{form.text(summary.deviation)}, {form.text(summary.low)} to {form.text(summary.high)}"
    return f"{text}, {summary.number} of {count} runs" if 0 < summary.number < count else text
