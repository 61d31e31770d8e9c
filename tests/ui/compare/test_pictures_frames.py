"""The pictures of the place Compare as whole frames, and with many or hostile runs."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mldeck.ui.compare.contour import ContourView
from mldeck.ui.compare.parallel import ParallelView
from tests import many_runs
from tests.fixture_stores import FixtureStore
from tests.ui.compare.pictures_deck import PicturesDeck, picturing
from tests.ui.runs.test_live import writing
from tests.ui.test_frames import check

VIEWS = ("Parallel", "Scatter", "Contour", "Importance")
SIZES = ((80, 24), (120, 40), (200, 50))
HOSTILE = (
    "[/x] [@click=app.quit]quit[/]",
    "\x1b[31mred\x1b]52;c;aGk=\x07",
    "two\nlines\r\n\ttab",
    "日本語の名前" * 8,
    "\u202eright to left\u200b",
    "same name",
    "same name",
    "x" * 10_000,
    "",
    "nan",
    "-inf",
    "1e400",
)
METRICS = ((0.0, 1), (sys.float_info.max, 0), (-sys.float_info.max, 0), (0.0, 0), (3e-320, 0))
"""Pairs of value and is_nan as MLflow writes them: an infinity becomes the largest number."""


@pytest.fixture
def taxi(store_copy: Callable[[str], FixtureStore], monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(store_copy("nyc-taxi").path)
    return Path("mlflow.db")


@pytest.mark.parametrize(("size", "no_colour"), [*((size, False) for size in SIZES), (SIZES[0], True)], ids=str)
@pytest.mark.parametrize("view", VIEWS)
async def test_frames(
    taxi: Path, view: str, size: tuple[int, int], no_colour: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if no_colour:
        monkeypatch.setenv("NO_COLOR", "1")
    async with picturing(taxi, view, size=size) as deck:
        if view == "Parallel":
            await deck.key(*["right"] * 4, "home", "b", *["down"] * 9, "enter", "down")
        else:
            await deck.key("down", "right")
        await check(f"compare-{view.lower()}-{size[0]}x{size[1]}", deck)


@pytest.fixture
def hostile(taxi: Path) -> Path:
    """A store with two hundred params of hostile texts, and metrics that no axis can show."""
    many_runs.add_many_runs(taxi, len(HOSTILE))
    with writing(taxi) as connection:
        for number, text in enumerate(HOSTILE):
            run_id = many_runs.run_id_of(number)
            connection.execute("UPDATE runs SET name = ? WHERE run_uuid = ?", (text, run_id))
            connection.executemany(
                "INSERT INTO params (key, value, run_uuid) VALUES (?, ?, ?)",
                [(f"{text[:200]}!", text, run_id) for text in dict.fromkeys(HOSTILE)]
                + [(f"param-{each:03}", text[each % 3 :], run_id) for each in range(200)]
                + [("number", str(number), run_id), ("power", f"1e{number * 50 - 300}", run_id)],
            )
            connection.execute(
                "INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid) VALUES (?, ?, 1, 0, ?, ?)",
                ("[/x]\x1b[2J", *METRICS[number % len(METRICS)], run_id),
            )
    return taxi


KEYS = {
    "Parallel": (
        *("right", "b", "down", "b", "up", "enter", "b", "G", "escape", "l", "shift+right", "minus", "home", "end"),
        *("pagedown", "backspace", "C", "b", "end", "enter", "backspace"),
    ),
    "Scatter": ("right", "down", "left", "up", "full_stop", "comma", "X", "Y", "C"),
    "Contour": ("right", "down", "left", "up", "full_stop", "comma", "X", "Y", "M"),
    "Importance": ("down", "G", "pageup", "y", "g"),
}


@pytest.mark.parametrize("size", [(60, 16), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("view", VIEWS)
async def test_hostile_texts_go_through_every_key(hostile: Path, view: str, size: tuple[int, int]) -> None:
    async with picturing(hostile, view, experiment=many_runs.EXPERIMENT, count=len(HOSTILE), size=size) as deck:
        await through_all_keys(deck, view)
        if view in ("Scatter", "Contour"):
            await deck.answer("x", *("[/x]" if view == "Scatter" else "power"), "enter")
            await through_all_keys(deck, view)
        if view == "Parallel":
            await deck.answer("a", *"[/x]", "tab", "tab", "enter")
            await through_all_keys(deck, view)


async def through_all_keys(deck: PicturesDeck, view: str) -> None:
    for key in KEYS[view]:
        await deck.key(key)
        assert all(each.isprintable() for line in deck.frame.splitlines() for each in line)


async def test_text_alone_has_no_contour_and_it_says_what_to_do(hostile: Path) -> None:
    with writing(hostile) as connection:
        connection.execute("DELETE FROM params WHERE key IN ('seed', 'number', 'power')")
    async with picturing(hostile, "Contour", experiment=many_runs.EXPERIMENT, count=len(HOSTILE)) as deck:
        assert "A contour needs a metric, and two numeric params" in deck.frame
        assert deck.of(ContourView).exported() is None
        await deck.key("right", "X", "full_stop")


@pytest.mark.parametrize(
    ("view", "text"),
    [
        ("Parallel", "no metrics or params for axes"),
        ("Scatter", "A scatter needs two params or metrics"),
        ("Contour", "A contour needs a metric"),
        ("Importance", "no metrics that params could be related to"),
    ],
)
async def test_runs_with_nothing_say_what_to_do(taxi: Path, view: str, text: str) -> None:
    many_runs.add_many_runs(taxi, 2)
    with writing(taxi) as connection:
        for table in ("params", "latest_metrics", "metrics"):
            connection.execute(f"DELETE FROM {table}")
        connection.execute("UPDATE runs SET end_time = NULL")
    async with picturing(taxi, view, experiment=many_runs.EXPERIMENT, count=2) as deck:
        assert text in deck.frame
        await deck.key(*(key for key in KEYS[view] if key not in ("enter", "escape")))  # Esc would leave Compare
        await deck.press("E")
        await deck.until_shown("There is nothing to export")


@pytest.fixture
def wide(taxi: Path) -> Path:
    """A store of 300 runs with 30 params."""
    many_runs.add_many_runs(taxi, 300)
    connection = sqlite3.connect(taxi)
    with connection:
        connection.executemany(
            "INSERT INTO params (key, value, run_uuid) VALUES (?, ?, ?)",
            [
                (f"param-{key:02}", str((run * (key + 3)) % 101 / 7), many_runs.run_id_of(run))
                for run in range(300)
                for key in range(30)
            ],
        )
    connection.close()
    return taxi


async def test_300_runs_with_30_params(wide: Path) -> None:
    async with picturing(wide, "Parallel", experiment=many_runs.EXPERIMENT, count=300) as deck:
        drawing = deck.of(ParallelView).drawing
        assert drawing is not None
        assert len(drawing.axes) == len(drawing.shown) == 11
        assert len(drawing.kept) == 300
        await through_all_keys(deck, "Parallel")
        await deck.answer("a", *["tab"] * 11, *"param", *["tab"] * 30, "enter")
        drawing = deck.of(ParallelView).drawing
        assert drawing is not None
        assert len(drawing.axes) > 11
        await deck.until_shown("axes do not fit")
        await deck.key("left", *["right"] * 35)
        assert drawing.axes[-1] in (deck.of(ParallelView).drawing or drawing).shown
