"""A cache of the values of runs, which knows for each run which columns have been read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeVar

from mldeck.model import Column, Kind, RunRecord

_CACHED_RECORDS = 5_000
"""With more runs, the cache is emptied before others are added."""

_Value = TypeVar("_Value", float, str)


class RecordCache:
    def __init__(self) -> None:
        self._records: dict[str, RunRecord] = {}
        self._read: dict[str, frozenset[Column]] = {}

    def clear(self) -> None:
        self._records, self._read = {}, {}

    def replace(self, records: Mapping[str, RunRecord], columns: Iterable[Column]) -> None:
        """Keep only these records: all others may have changed."""
        read = frozenset(columns)
        self._records = dict(records)
        self._read = dict.fromkeys(records, read)

    def add(self, records: Mapping[str, RunRecord], columns: Iterable[Column]) -> None:
        """Add runs, or columns of runs that are cached already."""
        if len(self._records) > _CACHED_RECORDS:
            self.clear()
        read = frozenset(columns)
        for run_id, record in records.items():
            before = self._records.get(run_id)
            self._records[run_id] = record if before is None else _joined(before, record)
            self._read[run_id] = self._read.get(run_id, frozenset()) | read

    def get(self, run_id: str) -> RunRecord | None:
        return self._records.get(run_id)

    def columns_of(self, run_id: str) -> Collection[Column]:
        """Return the columns that have been read. A run without a value for one of them has none in the database."""
        return self._read.get(run_id, frozenset())

    def knows(self, run_id: str, columns: frozenset[Column]) -> bool:
        """Return whether a run is cached with all of these columns."""
        read = self._read.get(run_id)
        return read is not None and columns <= read

    def holds(self, records: Mapping[str, RunRecord], columns: Sequence[Column]) -> bool:
        """Return whether the cache has exactly these values for these runs and columns."""
        wanted = frozenset(columns)
        return all(
            self.knows(run_id, wanted) and _restricted(self._records[run_id], columns) == record
            for run_id, record in records.items()
        )

    def known(self) -> list[RunRecord]:
        return list(self._records.values())


def _joined(before: RunRecord, record: RunRecord) -> RunRecord:
    return RunRecord(
        record.run,
        {**before.metrics, **record.metrics},
        {**before.params, **record.params},
        {**before.tags, **record.tags},
        {**before.datasets, **record.datasets},
        pace=record.pace,
    )


def _restricted(record: RunRecord, columns: Sequence[Column]) -> RunRecord:
    """Return the record with only these columns."""

    def some(kind: Kind, values: Mapping[str, _Value]) -> dict[str, _Value]:
        return {column.key: values[column.key] for column in columns if column.kind is kind and column.key in values}

    return RunRecord(
        record.run,
        some(Kind.METRIC, record.metrics),
        some(Kind.PARAM, record.params),
        some(Kind.TAG, record.tags),
        some(Kind.DATASET, record.datasets),
        pace=record.pace,
    )
