"""A training job that writes to the sample project, to demonstrate live updates.

Like a real training job it is a separate process: `python -m mldeck.demo.live DB [--interval S] [--parent-pid PID]`.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from mldeck.demo.churn import EXPERIMENT, FEATURES
from mldeck.demo.curves import Boosting, LearningCurves, boosting_curves
from mldeck.demo.plan import as_params, commits, summary
from mldeck.errors import MldeckError, UsageError
from mldeck.store.seed.seed import RunNotActive, StoreWriter

ROUNDS = 120
"""Steps of a run."""

PAUSE_STEPS = 20
"""The pause between two runs, in intervals between steps."""

_PARENT_POLL_SECONDS = 0.5
_SIGNALS = ("SIGTERM", "SIGINT", "SIGHUP")


def train(db: Path, stop: threading.Event, interval: float = 0.5) -> None:
    """Log one run after another to the main experiment, a step every `interval` seconds, until `stop` is set.

    A complete run ends as FINISHED, an interrupted one as KILLED. Raises `UsageError` if the experiment does not exist.
    """
    writer = StoreWriter.open(db)
    try:
        with writer.transaction():
            experiment_id = writer.find_experiment(EXPERIMENT)
        if experiment_id is None:
            raise UsageError(f"{db} has no experiment {EXPERIMENT}: give the database that `mldeck demo` made")
        rng = random.Random()
        number = 1
        while not stop.is_set():
            _train_once(writer, experiment_id, number, rng, stop, interval)
            stop.wait(interval * PAUSE_STEPS)
            number += 1
    finally:
        writer.close()


def _train_once(
    writer: StoreWriter, experiment_id: str, number: int, rng: random.Random, stop: threading.Event, interval: float
) -> None:
    """Log a run from start to end. Return early if the user deletes the run meanwhile."""
    params = _random_params(rng)
    try:
        run_id = _start_run(writer, experiment_id, number, params)
        is_complete = _log_steps(writer, run_id, boosting_curves(params, ROUNDS, rng), stop, interval)
        with writer.transaction():
            writer.end_run(run_id, "FINISHED" if is_complete else "KILLED", _now())
    except RunNotActive:
        return


def _random_params(rng: random.Random) -> Boosting:
    """Return random parameters that are good enough for a run worth watching."""
    return Boosting(
        learning_rate=float(f"{10 ** rng.uniform(-1.8, -0.8):.3g}"),
        max_depth=rng.randint(4, 8),
        subsample=round(rng.uniform(0.7, 0.95), 2),
        min_child_weight=rng.choice((2, 4, 8)),
        reg_lambda=float(f"{10 ** rng.uniform(-0.5, 0.7):.3g}"),
    )


def _start_run(writer: StoreWriter, experiment_id: str, number: int, params: Boosting) -> str:
    tags = {
        "mlflow.source.name": "train_live.py",
        "mlflow.source.type": "LOCAL",
        "mlflow.source.git.commit": commits(EXPERIMENT, 6)[5],
        "model": "xgboost",
        "phase": "live",
    }
    shared = {"n_features": len(FEATURES), "num_boost_round": ROUNDS, "seed": 42}
    with writer.transaction():
        run_id = writer.create_run(experiment_id, f"live-training-{number}", user="mira", time=_now(), tags=tags)
        writer.log_params(run_id, as_params({**shared, **vars(params)}))
    return run_id


def _log_steps(
    writer: StoreWriter, run_id: str, curves: LearningCurves, stop: threading.Event, interval: float
) -> bool:
    """Log the steps, each in a transaction of its own, and return whether all were logged before `stop` was set."""
    rounds = zip(curves.train_loss, curves.val_loss, curves.val_auc, strict=True)
    for step, (train_loss, val_loss, val_auc) in enumerate(rounds):
        values = {"train/loss": train_loss, "val/loss": val_loss, "val/auc": val_auc}
        points = summary(values, _now(), step)
        with writer.transaction():
            writer.log_metrics(run_id, points)
        if stop.wait(interval):
            return False
    return True


def _now() -> int:
    return time.time_ns() // 1_000_000


def _watch_parent(pid: int, stop: threading.Event) -> None:
    """Set `stop` when the process `pid` has ended."""
    has_ended = _end_check(pid)
    while not stop.wait(_PARENT_POLL_SECONDS):
        if has_ended():
            stop.set()


def _end_check(pid: int) -> Callable[[], bool]:
    """Return a function that checks whether a process has ended.

    This is reliable for the direct parent, because its children get another parent when it ends. Any other process is
    looked up by its id, which may be reused.
    """
    if os.getppid() == pid:
        return lambda: os.getppid() != pid

    def has_ended() -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            pass
        return False

    # On Windows `os.kill` would end the process, whatever the signal.
    return has_ended if os.name == "posix" else lambda: False


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m mldeck.demo.live", description="Train in the sample project.")
    parser.add_argument("db", type=Path, metavar="DB", help="the database that `mldeck demo` made")
    parser.add_argument("--interval", type=float, default=0.5, metavar="S", help="seconds between steps (0.5)")
    parser.add_argument("--parent-pid", type=int, metavar="PID", help="end when this process is gone")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Train until a signal arrives or the parent ends; return the exit status, which is 2 for a database of another kind."""
    arguments = _parse(argv)
    stop = threading.Event()
    for name in _SIGNALS:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: stop.set())
    if arguments.parent_pid is not None:
        threading.Thread(target=_watch_parent, args=(arguments.parent_pid, stop), daemon=True).start()
    try:
        train(arguments.db, stop, arguments.interval)
    except MldeckError as error:
        print(error, file=sys.stderr)
        return 2
    except sqlite3.Error as error:
        print(f"{arguments.db}: the training job failed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
