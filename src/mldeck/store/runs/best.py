"""The best value of a metric among the runs of a query, and the primary metric of an experiment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Select, and_, false, func, select

from mldeck.model import RunQuery
from mldeck.store.encoding import STORED_INFINITY
from mldeck.store.runs.records import matches
from mldeck.store.schema import Schema
from mldeck.store.statements import Earlier, chunks
from mldeck.store.text_match import among_texts, exactly

_NAME_TAG = "mlflow.experiment.primaryMetric.name"
_GREATER_TAG = "mlflow.experiment.primaryMetric.greaterIsBetter"


def best_values(
    connection: Connection, schema: Schema, query: RunQuery, greater_is_better: Mapping[str, bool]
) -> dict[str, float]:
    """Return the best value of each metric over all runs of the query; NaN and infinities do not count.

    `greater_is_better` names the metrics. A metric without a finite value is left out.
    """
    latest, runs = schema.latest_metrics, schema.runs
    listed = select(runs.c.run_uuid).where(matches(schema, query))
    finite = and_(latest.c.value < STORED_INFINITY, latest.c.value > -STORED_INFINITY)
    if "is_nan" in latest.c:
        finite = and_(finite, latest.c.is_nan == false())
    key = exactly(latest.c.key)
    best: dict[str, float] = {}
    for keys in chunks(list(greater_is_better)):
        statement = (
            select(key, func.min(latest.c.value), func.max(latest.c.value))
            .where(among_texts(latest.c.key, keys), finite, latest.c.run_uuid.in_(listed))
            .group_by(key)
        )
        for name, low, high in connection.execute(statement).all():
            best[name] = high if greater_is_better[name] else low
    return best


def primary_metric(connection: Connection, schema: Schema, experiment_id: str) -> tuple[str, bool] | None:
    """Return (primary metric, whether greater is better) from the experiment's tags; None unless both are set."""
    statements = select_primary(schema, int(experiment_id))
    values = {row.key: row.value for statement in statements for row in connection.execute(statement).all()}
    name, greater = values.get(_NAME_TAG), str(values.get(_GREATER_TAG) or "").strip().lower()
    if not name or greater not in ("true", "false"):
        return None
    return name, greater == "true"


def select_primary(schema: Schema, experiment: int | Earlier) -> tuple[Select[Any], ...]:
    """Select (key, value) of the tags that `primary_metric` reads; nothing where experiments have no tags."""
    if not schema.has("experiment_tags"):
        return ()
    tags = schema.experiment_tags
    named = and_(tags.c.experiment_id.in_([experiment]), tags.c.key.in_((_NAME_TAG, _GREATER_TAG)))
    return (select(tags.c.key, tags.c.value).where(named),)
