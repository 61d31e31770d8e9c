"""What a row of the run table shows of the datasets that its run used (MLFLOW_DATABASE.md section 2.10)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, and_, select

from mldeck.model import DATASET_CONTEXT_TAG
from mldeck.store.schema import Schema

_KEYS = ("name", "digest", "context")


def dataset_texts(connection: Connection, schema: Schema, ids: Sequence[str]) -> dict[str, dict[str, str]]:
    """By run id: `name`, `digest` and `context`, each with what several datasets have separated by commas."""
    if not schema.has("datasets") or not schema.has("inputs"):
        return {}
    datasets, inputs, tags = schema.datasets, schema.inputs, schema.input_tags
    context = and_(tags.c.input_uuid == inputs.c.input_uuid, tags.c.name == DATASET_CONTEXT_TAG)
    statement = (
        select(inputs.c.destination_id, datasets.c.name, datasets.c.digest, tags.c.value)
        .select_from(inputs.join(datasets, datasets.c.dataset_uuid == inputs.c.source_id).outerjoin(tags, context))
        .where(inputs.c.destination_id.in_(ids), inputs.c.destination_type == "RUN", inputs.c.source_type == "DATASET")
        .order_by(datasets.c.name, datasets.c.digest)
    )
    found: dict[str, dict[str, list[str]]] = {}
    for run_id, *values in connection.execute(statement).all():
        texts = found.setdefault(run_id, {key: [] for key in _KEYS})
        for key, value in zip(_KEYS, values, strict=True):
            if value and value not in texts[key]:
                texts[key].append(value)
    return {run_id: {key: ", ".join(some) for key, some in texts.items() if some} for run_id, texts in found.items()}
