"""The datasets that runs used (DATABASE.md#datasets-and-inputs)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, select

from mldeck.model import DATASET_CONTEXT_TAG, DatasetInput
from mldeck.store.schema import Schema

_KEYS = ("name", "digest", "context")


def dataset_texts(connection: Connection, schema: Schema, ids: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return, by run id, the texts `name`, `digest` and `context`; those of several datasets are joined by commas."""
    if not schema.has("datasets", "inputs", "input_tags"):
        return {}
    found: dict[str, dict[str, list[str]]] = {}
    for run_id, *values in connection.execute(_inputs_of(schema, ids)).all():
        texts = found.setdefault(run_id, {key: [] for key in _KEYS})
        for key, value in zip(_KEYS, values, strict=True):
            if value and value not in texts[key]:
                texts[key].append(value)
    return {run_id: {key: ", ".join(some) for key, some in texts.items() if some} for run_id, texts in found.items()}


def dataset_inputs(connection: Connection, schema: Schema, ids: Sequence[str]) -> dict[str, list[DatasetInput]]:
    """Return, by run id, all that is stored of each dataset. Its JSON may be long, so the run table does not read it."""
    found: dict[str, list[DatasetInput]] = {}
    for statement in select_inputs(schema, ids):
        for run_id, name, digest, context, source_type, source, *described in connection.execute(statement).all():
            dataset = DatasetInput(
                name, digest, source_type, source, context or None, *(text or None for text in described)
            )
            found.setdefault(run_id, []).append(dataset)
    return found


def select_inputs(schema: Schema, ids: Sequence[str]) -> tuple[Select[Any], ...]:
    """Select what `dataset_inputs` reads; nothing before MLflow 2.4, which introduced datasets."""
    if not schema.has("datasets", "inputs", "input_tags"):
        return ()
    datasets = schema.datasets
    columns = (
        datasets.c.dataset_source_type,
        datasets.c.dataset_source,
        schema.optional(datasets, "dataset_schema"),
        schema.optional(datasets, "dataset_profile"),
    )
    return (_inputs_of(schema, ids, *columns),)


def _inputs_of(schema: Schema, ids: Sequence[str], *more: ColumnElement[Any]) -> Select[Any]:
    """Select (run id, name, digest, context, *more) of each dataset whose destination is one of these runs."""
    datasets, inputs, tags = schema.datasets, schema.inputs, schema.input_tags
    context = and_(tags.c.input_uuid == inputs.c.input_uuid, tags.c.name == DATASET_CONTEXT_TAG)
    return (
        select(inputs.c.destination_id, datasets.c.name, datasets.c.digest, tags.c.value, *more)
        .select_from(inputs.join(datasets, datasets.c.dataset_uuid == inputs.c.source_id).outerjoin(tags, context))
        .where(inputs.c.destination_id.in_(ids), inputs.c.destination_type == "RUN", inputs.c.source_type == "DATASET")
        .order_by(datasets.c.name, datasets.c.digest)
    )
