"""What the charts of several runs are tested with: a real hyperparameter search, hostile numbers, and pictures kept as text."""

from __future__ import annotations

import math
import os
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import strategies as st

from mldeck.charts.dimensions import Dimension, dimension
from mldeck.charts.picture import Picture
from mldeck.format import Value, cell_width
from tests.fixture_stores import FixtureStore

PICTURES = Path(__file__).parent / "pictures"
_UPDATE = os.environ.get("MLDECK_UPDATE_FRAMES") == "1"  # asked here: tests do not see such variables

SIZES = [(60, 14), (100, 28), (160, 40)]

TINY, HUGE = 5e-324, sys.float_info.max
HOSTILE = st.one_of(
    st.floats(),
    st.sampled_from(
        [0.0, 1.0, math.nextafter(1, 2), TINY, 2 * TINY, 1e300, HUGE, -HUGE, math.inf, -math.inf, math.nan]
    ),
)
NAMES = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["\x1b[31m", "表表表表表表", "e\u0301" * 9, "a\nb", "👩‍👩‍👧", "❤\ufe0f" * 5, "\u1112\u1161\u11ab" * 5, ""]
    ),
)
VALUES: st.SearchStrategy[Value] = st.one_of(
    st.none(), HOSTILE, NAMES, st.sampled_from(["1", "0.5", "-2", "1e400", "nan", "None", ""])
)
HOSTILE_SIZES = st.tuples(st.integers(0, 70), st.integers(0, 25))


def columns(count: int) -> st.SearchStrategy[list[Value]]:
    """One value per run: all alike, all numbers, or anything."""
    return st.one_of(
        st.lists(HOSTILE, min_size=count, max_size=count).map(list[Value]),
        st.lists(VALUES, min_size=count, max_size=count),
        VALUES.map(lambda value: [value] * count),
    )


def dimensions(count: int) -> st.SearchStrategy[Dimension]:
    return st.builds(
        lambda name, values, is_log: dimension(name, values, is_log=is_log), NAMES, columns(count), st.booleans()
    )


@dataclass(frozen=True)
class Sweep:
    """Runs of the taxi project, the oldest first."""

    names: list[str]
    params: dict[str, list[Value]]
    metrics: dict[str, list[Value]]

    @property
    def runs(self) -> dict[str, int]:
        return {name: number % 8 for number, name in enumerate(self.names)}

    def param(self, key: str, *, is_log: bool = False) -> Dimension:
        return dimension(key, self.params[key], is_log=is_log)

    def metric(self, key: str) -> Dimension:
        return dimension(key, self.metrics[key])


@pytest.fixture
def project(store_copy: Callable[[str], FixtureStore]) -> Sweep:
    """All runs of the taxi experiment: several kinds of model, a crash, one that is still running."""
    return _read(store_copy("nyc-taxi").db, "TRUE")


@pytest.fixture
def sweep(store_copy: Callable[[str], FixtureStore]) -> Sweep:
    """The thirty trials of the taxi project's hyperparameter search."""
    return _read(store_copy("nyc-taxi").db, "run_uuid IN (SELECT run_uuid FROM params WHERE key = 'reg_lambda')")


def _read(db: Path, condition: str) -> Sweep:
    with closing(sqlite3.connect(db)) as connection:
        query = f"SELECT run_uuid, name FROM runs WHERE experiment_id = 1 AND {condition} ORDER BY start_time, name"
        names = dict(connection.execute(query).fetchall())
        params = connection.execute("SELECT key, run_uuid, value FROM params").fetchall()
        metrics = connection.execute(
            "SELECT key, run_uuid, CASE WHEN is_nan THEN NULL ELSE value END, is_nan FROM latest_metrics"
        ).fetchall()
    numbers = [(key, run_id, math.nan if is_nan else value) for key, run_id, value, is_nan in metrics]
    return Sweep(list(names.values()), _by_key(params, list(names)), _by_key(numbers, list(names)))


def _by_key(rows: list[tuple[str, str, Value]], run_ids: list[str]) -> dict[str, list[Value]]:
    known = {(key, run_id): value for key, run_id, value in rows}
    return {key: [known.get((key, run_id)) for run_id in run_ids] for key in sorted({key for key, _, _ in rows})}


def check(name: str, picture: Picture) -> None:
    """Compares with the picture kept beside the tests, which is written anew only on request."""
    file = PICTURES / f"{name}.txt"
    if _UPDATE:
        file.parent.mkdir(exist_ok=True)
        file.write_text(picture.text + "\n", encoding="utf-8")
    assert file.read_text(encoding="utf-8") == picture.text + "\n"


def check_shape(picture: Picture, size: tuple[int, int]) -> None:
    """Every row is as wide on a terminal as was asked, and holds nothing that acts on one."""
    assert len(picture.rows) == size[1]
    for row in picture.rows:
        assert len(row) == size[0]
        text = "".join(cell.text for cell in row)
        assert cell_width(text) == size[0]
        assert text.isprintable() or not set(text) & set(map(chr, range(32)))
