"""Puts a search to the store, as the command line and the deck do."""

from __future__ import annotations

from collections.abc import Sequence

from mldeck.model import RunQuery, View
from mldeck.search.order import parse_orders
from mldeck.store.store import Store


def find(
    store: Store, text: str, order_by: Sequence[str] = (), view: str = "all", experiments: Sequence[str] = ()
) -> list[str]:
    """The ids that the search finds, in order. `experiments` are names; none stands for all. Raises SearchError."""
    ids = [each.experiment_id for each in store.experiments(View.ALL) if not experiments or each.name in experiments]
    return store.run_ids(RunQuery(tuple(ids), View(view), parse_orders(order_by), text))
