"""Finding runs by id, beginning of an id, or name."""

from __future__ import annotations

from sqlalchemy import Connection, String, and_, or_, select, type_coerce

from mldeck.model import RUN_NAME_TAG, Run
from mldeck.store.runs.records import load_runs
from mldeck.store.schema import Schema
from mldeck.store.text_match import same_text

_FEWEST_CHARACTERS = 4
"""Shortest beginning of an id that is accepted: a shorter one would match unrelated runs."""

_HEX = frozenset("0123456789abcdef")


def resolve_runs(connection: Connection, schema: Schema, text: str, limit: int = 10) -> list[Run]:
    """Return the run with this id, else the runs whose id begins with it, else those of this name.

    At most `limit` runs are returned, the newest first.
    """
    if not text:
        return []  # an empty text would match all runs without a name
    runs, tags = schema.runs, schema.tags
    begins = text.lower()
    conditions = [runs.c.run_uuid == text]
    if len(begins) >= _FEWEST_CHARACTERS and _HEX.issuperset(begins):
        # A range instead of LIKE: it uses the primary key, and LIKE is case-sensitive on some databases only.
        conditions.append(and_(runs.c.run_uuid >= begins, runs.c.run_uuid < begins + "g"))
    name = type_coerce(runs.c.name, String)
    named = select(tags.c.run_uuid).where(tags.c.key == RUN_NAME_TAG, same_text(tags.c.value, text))
    conditions.append(or_(same_text(name, text), and_(or_(name.is_(None), name == ""), runs.c.run_uuid.in_(named))))
    for condition in conditions:
        statement = select(runs.c.run_uuid).where(condition).order_by(runs.c.start_time.desc(), runs.c.run_uuid)
        ids = list(connection.execute(statement.limit(limit)).scalars().all())
        if ids:
            return sorted(load_runs(connection, schema, ids), key=lambda run: ids.index(run.run_id))
    return []
