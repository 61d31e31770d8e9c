"""Searching a store as the command line and the app do."""

from __future__ import annotations

from collections.abc import Sequence

from mldeck.model import RunQuery, View
from mldeck.search.order import parse_orders
from mldeck.store.store import Store


def find(
    store: Store, text: str, order_by: Sequence[str] = (), view: str = "all", experiments: Sequence[str] = ()
) -> list[str]:
    """Return the ids that the search finds, in order. `experiments` are names, empty for all. Raises `SearchError`."""
    ids = [
        experiment.experiment_id
        for experiment in store.experiments(View.ALL)
        if not experiments or experiment.name in experiments
    ]
    return store.run_ids(RunQuery(tuple(ids), View(view), parse_orders(order_by), text))
