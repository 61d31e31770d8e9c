"""Many runs for a store that exists, made by SQL alone: twenty thousand take a fraction of a second."""

from __future__ import annotations

import sqlite3
from pathlib import Path

EXPERIMENT, EXPERIMENT_ID = "many", "1000"
_START = 1_760_000_000_000


def run_id_of(number: int) -> str:
    return f"a{number:031x}"


def add_many_runs(db: Path, count: int) -> None:
    """An experiment `many` with runs `many-00000`, the oldest, and so on; each has the metric `loss` and the param `seed`."""
    connection = sqlite3.connect(db)
    connection.executescript(
        f"""
        PRAGMA synchronous = OFF;
        INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time)
            VALUES ({EXPERIMENT_ID}, '{EXPERIMENT}', '/nowhere', 'active', {_START}, {_START});
        CREATE TEMP TABLE n AS
            WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {count} - 1)
            SELECT i, printf('a%031x', i) AS id, (i * 7919) % {count} / 1000.0 AS loss FROM n;
        INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, end_time,
                          source_version, lifecycle_stage, artifact_uri, experiment_id)
            SELECT id, printf('many-%05d', i), 'UNKNOWN', '', '', 'u', 'FINISHED', {_START} + i, {_START} + i + 1000, '',
                   'active', '/nowhere', {EXPERIMENT_ID} FROM n;
        INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid)
            SELECT 'loss', loss, {_START}, 0, 0, id FROM n;
        INSERT INTO metrics (key, value, timestamp, step, is_nan, run_uuid) SELECT 'loss', loss, {_START}, 0, 0, id FROM n;
        INSERT INTO params (key, value, run_uuid) SELECT 'seed', i, id FROM n;
        """
    )
    connection.close()


def make_sorting_slow(db: Path) -> None:
    """Sorting the many runs by a metric takes minutes from now on, and everything else as long as before.

    The ids are declared as numbers in one of the two tables, so that SQLite must not use an index to bring them together.
    """
    connection = sqlite3.connect(db)
    connection.executescript(
        """
        PRAGMA writable_schema = ON;
        UPDATE sqlite_master SET sql = replace(sql, 'run_uuid VARCHAR(32)', 'run_uuid NUMERIC') WHERE name = 'runs';
        PRAGMA writable_schema = RESET;
        """
    )
    connection.close()
