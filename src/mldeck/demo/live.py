"""A training job that writes to the sample project while somebody looks at it.

A process of its own, as a real one would be: `python -m mldeck.demo.live DB [--interval S] [--parent-pid PID]`.
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
from mldeck.demo.curves import Boosting, History, boosting_history
from mldeck.demo.plan import as_params, commits, summary
from mldeck.errors import MldeckError, UsageError
from mldeck.store.seed.seed import RunNotActive, StoreWriter

ROUNDS = 120
"""Steps of one run."""

PAUSE_STEPS = 20
"""How many intervals pass between one run's end and the next one's start."""

_PARENT_POLL_SECONDS = 0.5
_SIGNALS = ("SIGTERM", "SIGINT", "SIGHUP")


def train(db: Path, stop: threading.Event, interval: float = 0.5) -> None:
    """Log run after run to the sample project's main experiment, a step each `interval` seconds, until `stop` is set.

    A run that comes to its end is FINISHED; the one that `stop` interrupts is KILLED.
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
    """One run from its creation to its end; somebody who deletes it meanwhile ends it too."""
    params = _draw(rng)
    try:
        run_id = _start_run(writer, experiment_id, number, params)
        finished = _log_steps(writer, run_id, boosting_history(params, ROUNDS, rng), stop, interval)
        with writer.transaction():
            writer.end_run(run_id, "FINISHED" if finished else "KILLED", _now())
    except RunNotActive:
        return


def _draw(rng: random.Random) -> Boosting:
    """Parameters near the best region, so that a run is worth watching."""
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


def _log_steps(writer: StoreWriter, run_id: str, history: History, stop: threading.Event, interval: float) -> bool:
    """Whether all steps were logged before `stop`. Each step is a short transaction of its own."""
    rounds = zip(history.train_loss, history.val_loss, history.val_auc, strict=True)
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
    """Set `stop` when process `pid` is no longer there."""
    gone = _is_gone(pid)
    while not stop.wait(_PARENT_POLL_SECONDS):
        if gone():
            stop.set()


def _is_gone(pid: int) -> Callable[[], bool]:
    """A test whether the process has ended. A direct parent is the sure case: its children get another one."""
    if os.getppid() == pid:
        return lambda: os.getppid() != pid

    def gone() -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            pass
        return False

    # On Windows `os.kill` with any number ends the process instead of asking.
    return gone if os.name == "posix" else lambda: False


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m mldeck.demo.live", description="Train in the sample project.")
    parser.add_argument("db", type=Path, metavar="DB", help="the database that `mldeck demo` made")
    parser.add_argument("--interval", type=float, default=0.5, metavar="S", help="seconds between steps (0.5)")
    parser.add_argument("--parent-pid", type=int, metavar="PID", help="end when this process is gone")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Train until told to stop; the exit status is 2 for a database that is not the sample project's."""
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
        print(f"{arguments.db}: training ended, {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
