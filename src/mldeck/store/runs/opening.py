"""What a session reads first, foreseen: one request to a distant database instead of one for each step.

Each step needs the answer of the one before: the experiments, the one with the newest run, its first runs, the values by which
their columns are found. The far end puts the answers into the statements itself (`Earlier`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Select, and_, select

from mldeck.model import Kind, RunQuery, View
from mldeck.store.runs.best import select_primary
from mldeck.store.runs.columns import select_compared
from mldeck.store.runs.experiments import select_experiments, select_notes
from mldeck.store.runs.records import select_ids, select_newest, select_runs
from mldeck.store.runs.values import select_any
from mldeck.store.schema import Schema
from mldeck.store.statements import Earlier, chunks


@dataclass(frozen=True)
class ExpectedOpening:
    """What a session will probably read first."""

    view: View
    """Which experiments are listed."""
    query: RunQuery
    """The runs of the experiment that is shown. Without one, it is the one named `name`, or else that of the newest run."""
    limit: int
    """How many runs are read."""
    name: str | None = None
    marked: Sequence[str] = ()
    """Ids of runs that are looked up."""


def foresee(schema: Schema, expected: ExpectedOpening) -> Iterator[Select[Any]]:
    """Yield the statements of an opening. Those of later steps refer to those of earlier ones by their position."""
    statements: list[Select[Any]] = [select_experiments(schema, expected.view), *select_notes(schema)]
    query = expected.query
    experiment: int | Earlier
    if query.experiment_ids:
        experiment = int(query.experiment_ids[0])
        kinds = (Kind.METRIC, Kind.PARAM, Kind.TAG)
        sorted_by = [key.column for key in query.order if key.column.kind in kinds]
        everything = RunQuery(query.experiment_ids, View.ALL)
        statements += (select_any(schema, everything, column) for column in sorted_by)
    else:
        experiment = Earlier(len(statements))
        statements.append(_select_named(schema, expected) if expected.name else select_newest(schema, [Earlier(0)]))
    ids = Earlier(len(statements))
    statements += (select_ids(schema, query, expected.limit, [experiment]), *select_primary(schema, experiment))
    statements += select_compared(schema, [ids])
    if query.filter or query.order:  # then the columns also depend on the newest runs
        newest = replace(query, filter="", order=())
        ids = Earlier(len(statements))
        statements += (select_ids(schema, newest, expected.limit, [experiment]), *select_compared(schema, [ids]))
    statements += (select_runs(schema, some) for some in chunks(expected.marked))
    return iter(statements)


def _select_named(schema: Schema, expected: ExpectedOpening) -> Select[Any]:
    table = schema.experiments
    return select(table.c.experiment_id).where(
        and_(table.c.name == expected.name, table.c.lifecycle_stage == expected.view.value)
    )
