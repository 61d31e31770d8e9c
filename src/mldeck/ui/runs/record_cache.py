"""What is known of the runs of a table: each run with the columns that were read of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeVar

from mldeck.model import Column, Kind, RunRecord

_CACHED_RECORDS = 5_000
_Value = TypeVar("_Value", float, str)


class RecordCache:
    def __init__(self) -> None:
        self._records: dict[str, RunRecord] = {}
        self._read: dict[str, frozenset[Column]] = {}

    def clear(self) -> None:
        self._records, self._read = {}, {}

    def replace(self, records: Mapping[str, RunRecord], columns: Iterable[Column]) -> None:
        """Nothing else is known any more: it may have changed."""
        read = frozenset(columns)
        self._records = dict(records)
        self._read = dict.fromkeys(records, read)

    def add(self, records: Mapping[str, RunRecord], columns: Iterable[Column]) -> None:
        """More runs, or more columns of runs that are known."""
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
        """The columns whose values are known; a run without a value for one of them has none."""
        return self._read.get(run_id, frozenset())

    def knows(self, run_id: str, columns: frozenset[Column]) -> bool:
        read = self._read.get(run_id)
        return read is not None and columns <= read

    def holds(self, records: Mapping[str, RunRecord], columns: Sequence[Column]) -> bool:
        """Whether exactly these values are known already."""
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
    )


def _restricted(record: RunRecord, columns: Sequence[Column]) -> RunRecord:
    """The record as it would have been read with these columns."""

    def some(kind: Kind, values: Mapping[str, _Value]) -> dict[str, _Value]:
        return {each.key: values[each.key] for each in columns if each.kind is kind and each.key in values}

    return RunRecord(
        record.run,
        some(Kind.METRIC, record.metrics),
        some(Kind.PARAM, record.params),
        some(Kind.TAG, record.tags),
        some(Kind.DATASET, record.datasets),
    )
