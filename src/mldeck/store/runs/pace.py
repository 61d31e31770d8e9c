"""How often a run logs metrics, so that one that has stopped logging can be told from one that is slow.

Only the newest points of one metric are read, because a history may have millions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median_low
from typing import Any

from sqlalchemy import Connection, Select, and_, func, select

from mldeck.model import Pace, Run
from mldeck.store.encoding import are_seconds
from mldeck.store.schema import Schema
from mldeck.store.statements import asked_together, chunks
from mldeck.store.text_match import same_text
from mldeck.store.values import integer_of

_MOMENTS = 20
"""Most times of a run that the usual interval is taken from."""

_MOST_POINTS = 2_000
"""Most points that are looked at for them. Other runs may have logged the same metric at the same time."""


@dataclass(frozen=True)
class LastPoint:
    """The metric that a run has logged last, and when."""

    run_id: str
    key: str
    timestamp: int
    """As logged: in milliseconds, or in seconds by some programs."""


def paces(connection: Connection, schema: Schema, runs: Sequence[Run]) -> dict[str, Pace]:
    """Return the pace of each run that is RUNNING and has logged a metric, by run id."""
    running = {run.run_id: run for run in runs if is_running(run)}
    found: dict[str, Pace] = {}
    for some in chunks(list(running)):
        last_points = last_logged(connection, schema, some)
        with asked_together(connection, (select_earlier(schema, last) for last in last_points)):
            for last in last_points:
                pace = pace_until(connection, schema, running[last.run_id], last)
                if pace is not None:
                    found[last.run_id] = pace
    return found


def is_running(run: Run) -> bool:
    """Return whether a run has a pace: it runs, and it is known since when."""
    return run.status == "RUNNING" and run.start_time is not None


def last_logged(connection: Connection, schema: Schema, ids: Sequence[str]) -> list[LastPoint]:
    """Return the last point of each of these runs that has logged a metric."""
    rows = connection.execute(select_last(schema, ids)).all()
    numbers = ((run_id, key, integer_of(timestamp)) for run_id, key, timestamp in rows)
    return [LastPoint(run_id, key, number) for run_id, key, number in numbers if number is not None]


def select_last(schema: Schema, ids: Sequence[str]) -> Select[Any]:
    """Select what `last_logged` reads."""
    latest = schema.latest_metrics
    last = (
        select(latest.c.run_uuid, func.max(latest.c.timestamp).label("timestamp"))
        .where(latest.c.run_uuid.in_(ids))
        .group_by(latest.c.run_uuid)
        .subquery()
    )
    same = and_(latest.c.run_uuid == last.c.run_uuid, latest.c.timestamp == last.c.timestamp)
    statement = select(latest.c.run_uuid, func.min(latest.c.key), last.c.timestamp)
    return statement.select_from(latest.join(last, same)).group_by(latest.c.run_uuid, last.c.timestamp)


def pace_until(connection: Connection, schema: Schema, run: Run, last: LastPoint) -> Pace | None:
    """Return the pace of a running run up to its last point; None if its points have no times."""
    rows = connection.execute(select_earlier(schema, last)).scalars()
    times = [number for number in map(integer_of, rows) if number is not None]
    return _pace(run, sorted({last.timestamp, *times}))


def select_earlier(schema: Schema, last: LastPoint) -> Select[Any]:
    """Select the newest times at which the run logged the metric, in the unit in which they were logged."""
    metrics = schema.metrics
    # The limit is inside, because it bounds the work: this goes backwards through the primary key, over all runs.
    points = (
        select(metrics.c.run_uuid, metrics.c.timestamp)
        .where(same_text(metrics.c.key, last.key), metrics.c.timestamp <= last.timestamp)
        .order_by(metrics.c.timestamp.desc())
        .limit(_MOST_POINTS)
        .subquery()
    )
    statement = select(points.c.timestamp).where(points.c.run_uuid == last.run_id).distinct()
    return statement.order_by(points.c.timestamp.desc()).limit(_MOMENTS)


def _pace(run: Run, times: Sequence[int]) -> Pace | None:
    """Return the pace of a run, from times in ascending order. With a single one, the interval is the time until then."""
    assert run.start_time is not None
    unit = 1_000 if are_seconds(times[0], times[-1], run.start_time, run.end_time) else 1
    newest = times[-1] * unit
    if newest < run.start_time:
        return None  # not a time at all: step numbers, for example, are logged as times
    if len(times) == 1:
        return Pace(newest, newest - run.start_time, is_measured=False)
    return Pace(newest, median_low(later - earlier for earlier, later in pairwise(times)) * unit)
