"""How often a run logs metrics, so that one that has stopped logging can be told from one that is slow.

Only the newest points of one metric are read, because a history may have millions.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median_low

from sqlalchemy import Connection, and_, func, select

from mldeck.model import Pace, Run
from mldeck.store.encoding import are_seconds
from mldeck.store.schema import Schema
from mldeck.store.statements import chunks
from mldeck.store.values import integer_of

_MOMENTS = 20
"""Most times of a run that the usual interval is taken from."""

_MOST_POINTS = 2_000
"""Most points that are looked at for them. Other runs may have logged the same metric at the same time."""


def paces(connection: Connection, schema: Schema, runs: Sequence[Run]) -> dict[str, Pace]:
    """Return the pace of each run that is RUNNING and has logged a metric, by run id."""
    running = {run.run_id: run for run in runs if run.status == "RUNNING" and run.start_time is not None}
    found: dict[str, Pace] = {}
    for some in chunks(list(running)):
        for run_id, key, newest in _newest(connection, schema, some):
            times = [newest, *_earlier(connection, schema, run_id, key, newest)]
            pace = _pace(running[run_id], sorted(set(times)))
            if pace is not None:
                found[run_id] = pace
    return found


def _newest(connection: Connection, schema: Schema, ids: Sequence[str]) -> list[tuple[str, str, int]]:
    """Return the metric that each run has logged last, with its time as logged."""
    latest = schema.latest_metrics
    last = (
        select(latest.c.run_uuid, func.max(latest.c.timestamp).label("timestamp"))
        .where(latest.c.run_uuid.in_(ids))
        .group_by(latest.c.run_uuid)
        .subquery()
    )
    same = and_(latest.c.run_uuid == last.c.run_uuid, latest.c.timestamp == last.c.timestamp)
    statement = select(latest.c.run_uuid, func.min(latest.c.key), last.c.timestamp)
    rows = connection.execute(
        statement.select_from(latest.join(last, same)).group_by(latest.c.run_uuid, last.c.timestamp)
    ).all()
    numbers = ((run_id, key, integer_of(timestamp)) for run_id, key, timestamp in rows)
    return [(run_id, key, number) for run_id, key, number in numbers if number is not None]


def _earlier(connection: Connection, schema: Schema, run_id: str, key: str, newest: int) -> list[int]:
    """Return the newest times at which the run logged the metric, in the unit in which they were logged."""
    metrics = schema.metrics
    # The limit is inside, because it bounds the work: this goes backwards through the primary key, over all runs.
    points = (
        select(metrics.c.run_uuid, metrics.c.timestamp)
        .where(metrics.c.key == key, metrics.c.timestamp <= newest)
        .order_by(metrics.c.timestamp.desc())
        .limit(_MOST_POINTS)
        .subquery()
    )
    statement = select(points.c.timestamp).where(points.c.run_uuid == run_id).distinct()
    rows = connection.execute(statement.order_by(points.c.timestamp.desc()).limit(_MOMENTS)).scalars()
    return [number for number in map(integer_of, rows) if number is not None]


def _pace(run: Run, times: Sequence[int]) -> Pace | None:
    """Return the pace of a run, from times in ascending order. With a single one, the interval is the time until then."""
    assert run.start_time is not None
    unit = 1_000 if are_seconds(times[0], times[-1], run.start_time, run.end_time) else 1
    newest = times[-1] * unit
    if newest < run.start_time:
        return None  # not a time at all: step numbers, for example, are logged as times
    if len(times) == 1:
        return Pace(newest, newest - run.start_time)
    return Pace(newest, median_low(later - earlier for earlier, later in pairwise(times)) * unit)
