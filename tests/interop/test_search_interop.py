"""The same searches put to the real MLflow and to mldeck, on one database."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mldeck.search.errors import SearchError
from mldeck.search.order import parse_order
from mldeck.search.parse import parse
from mldeck.search.print import to_text
from mldeck.search.tree import Comparison, conjunction, uses_extension
from mldeck.store.store import Store
from tests.fixture_stores import unpack
from tests.search.mlflow_text import search, words
from tests.search.readings import reading_of
from tests.search.test_print import comparisons
from tests.store.search_oracle import find

pytestmark = pytest.mark.interop
TESTS = Path(__file__).parent.parent
ORDERS = words(
    "metrics.rmse metrics.loss~DESC params.max_depth params.model~DESC tags.developer start_time end_time~DESC "
    "run_name status~desc attributes.created tags.`team.name` metrics.created dataset.name user_id~ASC run~name"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack("search", tmp_path_factory.mktemp("interop"))


@pytest.fixture(scope="module")
def mlflow_store(folder: Path) -> Iterator[Any]:
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    store = SqlAlchemyStore(f"sqlite:///{folder / 'mlflow.db'}", str(folder / "artifacts"))
    yield store
    store.engine.dispose()


@pytest.fixture(scope="module")
def store(folder: Path) -> Iterator[Store]:
    opened = Store(folder / "mlflow.db")
    yield opened
    opened.close()


def ask_mlflow(
    store: Any, text: str, order: Sequence[str], view: str = "all", experiments: Sequence[str] = ()
) -> list[str] | None:
    """Return the ids that MLflow finds, None if it rejects the search. `experiments` are names, empty for all."""
    from mlflow.entities import ViewType

    ids = [
        each.experiment_id
        for each in store.search_experiments(ViewType.ALL)
        if not experiments or each.name in experiments
    ]
    kind = {"active": ViewType.ACTIVE_ONLY, "deleted": ViewType.DELETED_ONLY, "all": ViewType.ALL}[view]
    try:
        return [run.info.run_id for run in store.search_runs(ids, text, kind, 1000, order)]
    except Exception:  # noqa: BLE001 - MLflow rejects with errors of all kinds
        return None


@pytest.mark.parametrize("seed", range(8))
def test_generated_searches(seed: int, mlflow_store: Any, store: Store) -> None:
    check_generated(seed, mlflow_store, store)


def check_generated(seed: int, mlflow_store: Any, store: Store, fails_by: str | None = None) -> None:
    """Compare the answers to sixty searches made by chance. MLflow may fail on those with the text `fails_by`."""
    rng = random.Random(seed)
    for _ in range(60):
        text = search(rng)
        order = rng.choices(ORDERS, k=rng.choice([0, 1, 1, 2]))
        theirs = ask_mlflow(mlflow_store, text, order)
        try:
            ours = find(store, text, order)
        except SearchError:
            ours = None
        if ours is not None and uses_extension(parse(text)):
            assert theirs is None, text
        elif theirs is not None and not _is_nonsense(text):
            assert ours == theirs, (text, order)
        elif theirs is None and (fails_by is None or fails_by not in text):
            assert ours is None, (text, order)


def _is_nonsense(text: str) -> bool:
    """Whether MLflow takes a whole clause for a key, as in `params.a = 'x' params.b IS NULL`."""
    from mlflow.utils.search_utils import SearchUtils

    return any(re.search(r"[<>=]|like\s", each["key"], re.I) for each in SearchUtils.parse_search_filter(text))


def test_recorded_readings_are_mlflows() -> None:
    for text, reading in json.loads((TESTS / "search" / "readings.json").read_text("utf-8")):
        assert _their_reading(text) == reading, text


def _their_reading(text: str) -> list[list[Any]] | None:
    from mlflow.utils.search_utils import SearchUtils

    checks = (SearchUtils.is_metric, SearchUtils.is_param, SearchUtils.is_tag, SearchUtils.is_dataset)
    reading: list[list[Any]] = []
    try:
        for clause in SearchUtils.parse_search_filter(text):
            kind, key = clause["type"], SearchUtils.translate_key_alias(clause["key"])
            operator, value = clause["comparator"].upper(), clause["value"]
            if not SearchUtils.is_attribute(kind, key, operator):
                assert any(check(kind, operator) for check in checks)
            value = list(value) if isinstance(value, tuple) else value
            reading.append([kind, key, operator, float(clause["value"]) if kind == "metric" else value])
    except Exception:  # noqa: BLE001 - MLflow rejects with errors of all kinds
        return None
    return reading


@settings(deadline=None)
@given(st.lists(comparisons().filter(lambda each: not each.is_extension), min_size=1, max_size=3))
def test_what_we_write_mlflow_reads(clauses: list[Comparison]) -> None:
    tree = conjunction(tuple(clauses))
    try:
        text = to_text(tree)
    except SearchError:
        assume(False)
    assert _their_reading(text) == reading_of(tree)


@pytest.mark.parametrize("seed", range(4))
def test_generated_sort_keys(seed: int) -> None:
    from mlflow.utils.search_utils import SearchUtils

    rng = random.Random(seed)
    pieces = words(
        "metrics. params. tags. run. ` \" ' . a b1 1 12 _x in as ünï start_time created status ~ ~DESC - / DESC"
    )
    for _ in range(400):
        text = "".join(rng.choices(pieces, k=rng.randint(1, 5)))
        try:
            kind, key, ascending = SearchUtils.parse_order_by_for_search_runs(text)
        except Exception:  # noqa: BLE001 - MLflow rejects with errors of all kinds
            with pytest.raises(SearchError):
                parse_order(text)
            continue
        try:
            ours = parse_order(text)
        except SearchError:
            # Quotes in the middle of a name, or no name at all: no metric, param or tag can be called that.
            assert not key or any(quote in text for quote in "`\"'"), text
            continue
        wanted = (SearchUtils.translate_key_alias(key), not ascending)
        assert (ours.column.key, ours.descending) == wanted, text
        assert ours.column.kind.value.startswith(kind[:3])
