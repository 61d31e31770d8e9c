"""Asks which metrics a chart shows, and what its runs are grouped by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from textual.widget import Widget

from mldeck.errors import MldeckError
from mldeck.model import SYSTEM_TAG_PREFIX, Column, Kind, RunRecord
from mldeck.ui.chart.history_loader import HistoryLoader, value_of
from mldeck.ui.chart.view import CurveView
from mldeck.ui.kit.keys import key_name

_NO_GROUPS = "none"
_KINDS = {Kind.PARAM: "param", Kind.TAG: "tag"}


async def next_metric(widget: Widget, loader: HistoryLoader, step: int) -> tuple[str, ...] | None:
    """Return the metric `step` places further by name, going round at the end; None if there is no other."""
    keys = await loader.metric_keys()
    if set(keys) <= set(loader.metrics):
        widget.notify("These runs have logged no other metric", timeout=2)
        return None
    first = next(iter(loader.metrics), None)
    at = keys.index(first) if first in keys else -max(step, 0)
    return (keys[(at + step) % len(keys)],)


async def choose_metrics(widget: Widget, loader: HistoryLoader) -> tuple[str, ...] | None:
    """Ask for one metric, or several on the same axes. Return None to leave them as they are. Call it in a worker."""
    from mldeck.ui.kit.dialogs.picker import PickerDialog

    keys = await loader.metric_keys()
    if not keys:
        raise MldeckError("These runs have logged no metrics")
    return await widget.app.push_screen_wait(
        PickerDialog("Metrics", keys, loader.metrics, many=True, takes_cursor=True)
    )


async def choose_groups(widget: Widget, loader: HistoryLoader) -> CurveView | None:
    """Ask which param or tag groups the runs. Return the view with the choice, None to leave it. Call it in a worker."""
    from mldeck.ui.kit.dialogs.menu import Choice, MenuDialog

    if len(loader.run_ids) < 2:
        raise MldeckError(f"Only several runs can be grouped: mark some with {key_name('mark')} in the run table")
    columns = _grouping(await loader.read_values())
    choices = [Choice(_NO_GROUPS, "", "No groups: each run by itself")]
    choices += (Choice(str(place), "", f"{_KINDS[column.kind]} {column.key}") for place, column in enumerate(columns))
    by = loader.view.group_by
    present = str(columns.index(by)) if by in columns else _NO_GROUPS
    chosen = await widget.app.push_screen_wait(MenuDialog("Group runs by", choices, present=present))
    if chosen is None:
        return None
    return replace(loader.view, group_by=None if chosen == _NO_GROUPS else columns[int(chosen)], solo=None)


def _grouping(records: Sequence[RunRecord]) -> list[Column]:
    """Return the params and tags that differ between the runs; those with another value for each run come last."""
    names = {
        Kind.PARAM: {key for record in records for key in record.params},
        Kind.TAG: {key for record in records for key in record.tags if not key.startswith(SYSTEM_TAG_PREFIX)},
    }
    columns = [Column(kind, key) for kind, keys in names.items() for key in sorted(keys)]
    counts = {column: len({value_of(record, column) for record in records}) for column in columns}
    differing = [column for column in columns if counts[column] > 1]
    return sorted(differing, key=lambda column: counts[column] == len(records))
