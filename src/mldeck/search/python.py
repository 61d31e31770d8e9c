"""Writes the query of a run table as the equivalent Python call to MLflow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mldeck.model import Kind, OrderKey, RunQuery, View
from mldeck.search.errors import SearchError
from mldeck.search.order import parse_order
from mldeck.search.parse import parse
from mldeck.search.print import quote_key
from mldeck.search.tree import uses_extension

_VIEW_TYPES = {View.ACTIVE: "ACTIVE_ONLY", View.DELETED: "DELETED_ONLY", View.ALL: "ALL"}


def search_call(query: RunQuery, experiment_names: Sequence[str]) -> str:
    """Return Python code that calls `mlflow.search_runs(...)`, with comments where MLflow cannot do what mldeck does.

    Strings are quoted with `repr`, so the name of an experiment can never become code.
    """
    comments = list(_differences(query))
    order = [text for text in map(_order_text, query.order) if text is not None]
    arguments = [f"experiment_names={list(experiment_names)!r}"]
    if query.filter:
        arguments.append(f"filter_string={query.filter!r}")
    arguments.append(f"run_view_type=ViewType.{_VIEW_TYPES[query.view]}")
    if order:
        arguments.append(f"order_by={order!r}")
    lines = [
        "import mlflow",
        "from mlflow.entities import ViewType",
        "",
        *(f"# {comment}" for comment in comments),
        "runs = mlflow.search_runs(",
        *(f"    {argument}," for argument in arguments),
        ")",
    ]
    return "\n".join(lines) + "\n"


def _differences(query: RunQuery) -> Iterator[str]:
    """Yield a sentence for each difference between MLflow's result and the table."""
    if query.filter and _is_extended(query.filter):
        yield "MLflow does not accept this filter: it uses extensions of mldeck."
    for key in query.order:
        name = repr(str(key.column))
        if _order_text(key) is None:
            yield f"MLflow cannot sort by {name}; mldeck does."
        elif key.as_number:
            yield f"MLflow sorts {name} as text; mldeck sorts it as a number."


def _is_extended(text: str) -> bool:
    try:
        return uses_extension(parse(text))
    except SearchError:
        return False


def _order_text(key: OrderKey) -> str | None:
    """Return the sort key in MLflow's syntax; None if it cannot be expressed."""
    column = key.column
    try:
        name = column.key if column.kind is Kind.ATTRIBUTE else f"{column.kind.value}.{quote_key(column.key)}"
        text = f"{name} {'DESC' if key.descending else 'ASC'}"
        return text if parse_order(text) == OrderKey(column, key.descending) else None
    except SearchError:
        return None
