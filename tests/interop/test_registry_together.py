"""Many who change one registry at once, MLflow among them; and somebody who is killed in the middle."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

pytest.importorskip("mlflow")

from mldeck.registry.history import Transition, recorded_transitions
from mldeck.registry.nouns import ARCHIVED, ModelSource
from mldeck.store.store import Store
from tests.far_hosts import shell_for_ssh, use_as_ssh
from tests.fixture_stores import FixtureStore

pytestmark = pytest.mark.interop

CopyOf = Callable[[str], FixtureStore]
NEWEST = "mlflow-3.17.2"
MODEL = "churn-model"
OTHER = "direct-model"
THEIRS = 4
"""The version of the same model that MLflow moves."""
HERE = Path(__file__).parent

PROCESSES = int(os.environ.get("TEST_PROMOTERS", "4"))
PROMOTIONS = int(os.environ.get("TEST_PROMOTIONS", "10"))
KILLS = int(os.environ.get("TEST_KILLS", "20"))
"""Small enough for every run of the tests; larger by hand."""


@contextmanager
def started(script: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, str(HERE / script), *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


def said(process: subprocess.Popen[str]) -> dict[str, object]:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "the process ended early"
    answer: dict[str, object] = json.loads(line)
    return answer


def told(process: subprocess.Popen[str], text: str = "") -> None:
    assert process.stdin is not None
    process.stdin.write(f"{text}\n")
    process.stdin.flush()


def asked(process: subprocess.Popen[str], *words: object) -> object:
    told(process, json.dumps(words))
    assert process.stdout is not None
    return json.loads(process.stdout.readline())


def stages(db: Path) -> dict[int, str]:
    with closing(sqlite3.connect(db)) as connection:
        found = connection.execute("SELECT version, current_stage FROM model_versions WHERE name = ?", (MODEL,))
        return dict(found.fetchall())


@pytest.mark.parametrize("over_ssh", [False, True], ids=["here", "over ssh"])
@pytest.mark.parametrize(("model", "version"), [(OTHER, 1), (MODEL, THEIRS)])
def test_all_promotions_are_done_or_refused_in_some_order(
    model: str, version: int, over_ssh: bool, store_copy: CopyOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While MLflow promotes too, another model or a version of the same one, and a training job logs.

    Where it is over ssh, every other mldeck is on another machine.
    """
    use_as_ssh(monkeypatch, shell_for_ssh())
    store = store_copy(NEWEST)
    before = stages(store.db)
    addresses = (f"ssh://elsewhere{store.db}?python={sys.executable}" if over_ssh else store.db, store.db)
    promoters = [("mldeck_promoter.py", (addresses[seed % 2], MODEL, PROMOTIONS, seed)) for seed in range(PROCESSES)]
    with _all_started([*promoters, ("mlflow_writer.py", ()), ("mlflow_writer.py", ())]) as processes:
        *ours, training, promoting = processes
        assert all(said(process) == {"ready": True} for process in ours)
        assert asked(training, "ready")
        assert asked(promoting, "ready")
        told(training, json.dumps(["hammer", str(store.db), store.run("running"), PROMOTIONS * 5]))
        told(promoting, json.dumps(["promote", str(store.db), model, str(version), PROMOTIONS]))
        for process in ours:
            told(process)
        answers = [[said(process) for _ in range(PROMOTIONS)] for process in ours]
        logged, moved = said(training), said(promoting)
    assert (logged["errors"], moved["errors"]) == ([], [])

    done = [each for some in answers for each in some if "done" in each]
    refused = [str(each["refused"]) for some in answers for each in some if "refused" in each]
    assert len(done) + len(refused) == PROCESSES * PROMOTIONS
    assert all("done" in {key for each in some for key in each} for some in answers)
    assert [each for each in refused if not each.startswith("StaleReview")] == []
    recorded = recorded_in(store.db)
    assert sorted(each.key or "" for each in recorded) == sorted(str(each["done"]) for each in done)
    after = replayed(before, recorded, same_model=model == MODEL)
    now = stages(store.db)
    assert {each for each in now if not explained(now[each], after[each], each, model == MODEL)} == set()


def recorded_in(db: Path) -> tuple[Transition, ...]:
    opened = Store(db)
    try:
        return recorded_transitions(opened.registry().versions(MODEL))
    finally:
        opened.close()


def replayed(before: dict[int, str], recorded: tuple[Transition, ...], *, same_model: bool) -> dict[int, str]:
    """The stages after all of them, one after the other; each must have found what those before it left."""
    state = dict(before)
    for each in recorded:
        for version in each.versions:
            assert explained(each.stage_before(version), state[version], version, same_model)
            state[version] = each.stage_after(version)
    return state


def explained(found: str, left: str, version: int, same_model: bool) -> bool:
    """Whether the version is where mldeck left it, or where MLflow may have put it since.

    MLflow looks who is in a stage before it holds the lock: it also archives what has just been moved elsewhere.
    """
    return found == left or (same_model and (version == THEIRS or found == ARCHIVED))


@contextmanager
def _all_started(scripts: list[tuple[str, tuple[object, ...]]]) -> Iterator[list[subprocess.Popen[str]]]:
    if not scripts:
        yield []
        return
    (script, arguments), *others = scripts
    with started(script, *arguments) as first, _all_started(others) as rest:
        yield [first, *rest]


def test_numbers_are_given_once_when_several_register(store_copy: CopyOf) -> None:
    store = store_copy(NEWEST)
    opened = Store(store.db)
    source = ModelSource("s3://bucket/ours", "s3://bucket/ours")
    try:
        with started("mlflow_writer.py") as theirs:
            assert asked(theirs, "ready")
            told(theirs, json.dumps(["register", str(store.db), MODEL, PROMOTIONS]))
            with ThreadPoolExecutor(PROCESSES) as pool:
                jobs = [
                    pool.submit(opened.registry_editor().register, MODEL, source) for _ in range(PROCESSES * PROMOTIONS)
                ]
                ours = [job.result().version for job in jobs]
            answer = said(theirs)
    finally:
        opened.close()
    assert answer["errors"] == []
    numbers = answer["numbers"]
    assert isinstance(numbers, list)
    assert sorted([*ours, *numbers]) == list(range(7, 7 + (PROCESSES + 1) * PROMOTIONS))


def test_whoever_is_killed_leaves_before_or_after(store_copy: CopyOf) -> None:
    """Every transition is a row of the version, of those that made room, of the model, and its record: all or none of them."""
    store = store_copy(NEWEST)
    chance = random.Random(7)
    longest = 0.1
    for number in range(KILLS):
        with started("mldeck_promoter.py", store.db, MODEL, 1_000_000, number) as process:
            assert said(process) == {"ready": True}
            told(process)
            said(process)  # it is in the middle of it
            drain = threading.Thread(target=_read_all, args=(process,))
            drain.start()
            time.sleep(chance.random() * longest)  # the moment of death, not a wait for anything
            process.send_signal(signal.SIGKILL)
            drain.join()
        with closing(sqlite3.connect(store.db)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        check_whole(store.db)


def _read_all(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    process.stdout.read()


def check_whole(db: Path) -> None:
    opened = Store(db)
    try:
        versions = {each.version: each for each in opened.registry().versions(MODEL)}
        model = opened.registry().model(MODEL)
    finally:
        opened.close()
    recorded = recorded_transitions(versions.values())
    last = {version: each for each in recorded for version in each.versions}
    for number, transition in last.items():
        assert versions[number].stage == transition.stage_after(number)
        assert versions[number].last_updated_time == transition.when
    assert model is not None
    assert model.last_updated_time == max(each.when for each in recorded)
