"""The histories that the list of metrics and the small charts show. No screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mldeck.model import Metric
from mldeck.store.histories.outline import HistorySpan
from mldeck.ui.details.metric_grid import Outlines

SPAN = HistorySpan(0, 0, 9, 1.0, 2.0, 0)


def metric(key: str, step: int = 9) -> Metric:
    return Metric(key, 1.5, 0, step)


class Reads:
    """Records what was asked for, and reads some of it at a time. The metric `unreadable` cannot be read."""

    def __init__(self, unreadable: str = "", at_once: int = 1) -> None:
        self.asked: list[tuple[str, list[str], int]] = []
        self.unreadable = unreadable
        self.at_once = at_once

    async def __call__(
        self, run_id: str, keys: Sequence[str], slices: int
    ) -> Mapping[str, Sequence[HistorySpan]] | None:
        self.asked.append((run_id, list(keys), slices))
        some = keys[: self.at_once]
        return None if self.unreadable in some else dict.fromkeys(some, (SPAN,))


async def test_each_history_is_known_as_soon_as_it_is_read() -> None:
    reads = Reads()
    outlines = Outlines(reads)
    outlines.follow("r", [metric("a"), metric("b")])
    known = [(key, outlines.missing("ab")) async for key in outlines.read("ab", 10)]
    assert known == [("a", ["b"]), ("b", [])]
    assert reads.asked == [("r", ["a", "b"], 20), ("r", ["b"], 20)]
    assert outlines.get("a") == (SPAN,)


async def test_histories_that_are_read_together_are_known_together() -> None:
    reads = Reads(at_once=5)
    outlines = Outlines(reads)
    outlines.follow("r", [metric(key) for key in "abc"])
    known = [(key, outlines.missing("abc")) async for key in outlines.read("abc", 10)]
    assert known == [("a", []), ("b", []), ("c", [])]
    assert reads.asked == [("r", ["a", "b", "c"], 20)]


async def test_a_metric_that_grew_is_read_again_and_shown_as_it_was_until_then() -> None:
    outlines = Outlines(Reads())
    outlines.follow("r", [metric("a"), metric("b")])
    assert [key async for key in outlines.read("ab", 10)] == ["a", "b"]
    outlines.follow("r", [metric("a", 10), metric("b")])
    assert outlines.missing("ab") == ["a"]
    assert outlines.get("a") == (SPAN,)


async def test_reading_ends_at_a_history_that_cannot_be_read() -> None:
    outlines = Outlines(Reads("b"))
    outlines.follow("r", [metric(key) for key in "abc"])
    assert [key async for key in outlines.read("abc", 10)] == ["a"]
    assert outlines.missing("abc") == ["b", "c"]


async def test_the_history_of_a_run_that_is_no_longer_shown_is_dropped() -> None:
    outlines = Outlines(Reads())
    outlines.follow("r", [metric("a"), metric("b")])
    async for _ in outlines.read("ab", 10):
        outlines.follow("other", [])
    assert outlines.missing("ab") == ["a", "b"]


async def test_nothing_is_read_without_a_run_or_room() -> None:
    reads = Reads()
    outlines = Outlines(reads)
    assert [key async for key in outlines.read("a", 10)] == []
    outlines.follow("r", [metric("a")])
    assert [key async for key in outlines.read("a", 0)] == []
    assert not reads.asked
