"""The metric histories that were looked at in this session, so that what was seen before is there at once."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import NamedTuple

from mldeck.model import History

_BYTES_PER_POINT = 24
MOST_BYTES = 96 * 2**20
"""Bytes of histories that are kept: four million points. The least recently used ones go first."""


class SeriesKey(NamedTuple):
    """Which history a curve shows."""

    run_id: str
    metric: str


class HistoryCache:
    """A cache of histories, limited in bytes. Any thread may use it."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._histories: OrderedDict[SeriesKey, History] = OrderedDict()
        self._lock = Lock()

    def get(self, key: SeriesKey) -> History | None:
        with self._lock:
            if key in self._histories:
                self._histories.move_to_end(key)
            return self._histories.get(key)

    def add(self, history: History) -> None:
        """Keep a history, unless it was stopped half-way."""
        if history.was_stopped:
            return
        with self._lock:
            key = SeriesKey(history.run_id, history.key)
            self._histories.pop(key, None)
            self._histories[key] = history
            while self.size > self._most_bytes and len(self._histories) > 1:
                self._histories.popitem(last=False)

    @property
    def size(self) -> int:
        """The size of all histories, in bytes."""
        return sum(_BYTES_PER_POINT * len(history) for history in self._histories.values())
