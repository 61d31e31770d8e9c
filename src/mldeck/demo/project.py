"""Generate the sample project: a store and its artifacts in a folder."""

from __future__ import annotations

import random
import shlex
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

from mldeck.demo import churn, demand, files, images, registry
from mldeck.demo.plan import ExperimentPlan, RegisteredModelPlan, RunPlan
from mldeck.errors import UsageError
from mldeck.model import NOTE_TAG, PARENT_TAG
from mldeck.store.seed.registry import LoggedModelRef
from mldeck.store.seed.seed import StoreWriter, has_run, new_store

DATABASE = "mlflow.db"
ARTIFACTS = "mlruns"

_STORE_AGE = 202 * 86_400_000
"""The age of the store in milliseconds; it is older than the oldest run."""


def make_demo(folder: Path, *, now_ms: int | None = None) -> Path:
    """Generate `folder/mlflow.db` and `folder/mlruns`, and return the path of the database.

    All times are before `now_ms` (milliseconds since the epoch, the current time by default). Except for times and the path
    of the folder, the result is always the same. Raises `UsageError` if there is a database already or the folder cannot be
    written.
    """
    database = folder / DATABASE
    if database.exists():
        way_out = f"open it with `mldeck {shlex.quote(str(database))}`, or give another --path"
        raise UsageError(f"{database} exists already: {way_out}")
    now = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _build(database, folder.resolve() / ARTIFACTS, now)
    except OSError as error:
        raise UsageError(f"{folder} cannot hold the sample project ({error.strerror}): give another --path") from error
    return database


def find_demo(folder: Path) -> Path | None:
    """Return the path of the database that `make_demo` generated in the folder; None if there is none, or another one."""
    database = folder / DATABASE
    first_run = _id_maker()()
    return database if database.exists() and has_run(database, first_run) else None


def _id_maker() -> Callable[[], str]:
    """Return a function that makes the ids of the sample project, which are always the same."""
    rng = random.Random("ids")
    return lambda: uuid.UUID(int=rng.getrandbits(128), version=4).hex


def _build(database: Path, artifact_root: Path, now: int) -> None:
    with new_store(
        database,
        artifact_root=artifact_root,
        time=now - _STORE_AGE,
        new_id=_id_maker(),
    ) as writer:
        builder = _StoreBuilder(writer, artifact_root)
        for experiment in (
            demand.deleted_experiment(now),
            demand.experiment(now),
            images.experiment(now),
            churn.experiment(now),
        ):
            builder.add_experiment(experiment)
        for model in registry.registered_models(now):
            builder.add_registered_model(model)


class _StoreBuilder:
    """Writes planned experiments and models to a store, and keeps the logged models by the name of their run."""

    def __init__(self, writer: StoreWriter, artifact_root: Path) -> None:
        self._writer = writer
        self._artifact_root = artifact_root
        self._models: dict[str, LoggedModelRef] = {}

    def add_experiment(self, plan: ExperimentPlan) -> None:
        note = {} if plan.note is None else {NOTE_TAG: plan.note}
        experiment_id = self._writer.create_experiment(
            plan.name, artifact_root=self._artifact_root, time=plan.created, tags={**plan.tags, **note}
        )
        for run in plan.runs:
            self._add_run(experiment_id, run, parent_id=None)
        if plan.deleted is not None:
            self._writer.delete_experiment(experiment_id, plan.deleted)

    def _add_run(self, experiment_id: str, plan: RunPlan, parent_id: str | None) -> None:
        writer = self._writer
        tags = {**_source_tags(plan), **plan.tags}
        if parent_id is not None:
            tags[PARENT_TAG] = parent_id
        run_id = writer.create_run(experiment_id, plan.name, user=plan.user, time=plan.start, tags=tags)
        if plan.note is not None:
            writer.set_note(run_id, plan.note)
        writer.log_params(run_id, plan.params)
        writer.log_metrics(run_id, plan.points)
        for dataset in plan.datasets:
            writer.log_dataset(run_id, dataset.used, schema=dataset.schema)
        _write_files(Path(writer.artifact_uri(run_id)), plan.files)
        self._add_model(run_id, plan)
        for child in plan.children:
            self._add_run(experiment_id, child, parent_id=run_id)
        self._close(run_id, plan)

    def _add_model(self, run_id: str, plan: RunPlan) -> None:
        if plan.model is None:
            return
        model = self._writer.log_model(
            run_id, plan.model.name, step=plan.model.step, time=plan.model.created, tags=_source_tags(plan)
        )
        self._models[plan.name] = model
        contents = files.model_directory(
            model.artifact_location,
            model.model_id,
            run_id,
            created=plan.model.created,
            payload=files.scorecard(plan.model.features, random.Random(plan.model.seed), plan.model.terms),
            features=plan.model.features,
        )
        _write_files(Path(model.artifact_location), contents)

    def _close(self, run_id: str, plan: RunPlan) -> None:
        if plan.duration is not None:
            self._writer.end_run(run_id, plan.status, plan.start + plan.duration)
        if plan.deleted is not None:
            self._writer.delete_run(run_id, plan.deleted)

    def add_registered_model(self, plan: RegisteredModelPlan) -> None:
        self._writer.create_registered_model(plan.name, time=plan.created, description=plan.description, tags=plan.tags)
        # In order of time, because a promotion archives the version that is in the stage at that time.
        events: list[tuple[int, int, str | None]] = []
        for number, version in enumerate(plan.versions, 1):
            events.append((version.registered, number, None))
            events.extend((when, number, stage) for stage, when in version.stages)
        for when, number, stage in sorted(events, key=lambda event: event[0]):
            if stage is None:
                self._register(plan, number)
            else:
                self._writer.transition_stage(plan.name, number, stage, time=when, archive_existing=True)
        for alias, number in plan.aliases.items():
            self._writer.set_alias(plan.name, alias, number)

    def _register(self, plan: RegisteredModelPlan, number: int) -> None:
        version = plan.versions[number - 1]
        self._writer.create_model_version(
            plan.name,
            self._models[version.run_name],
            time=version.registered,
            description=version.description,
            tags=version.tags,
        )


def _source_tags(plan: RunPlan) -> dict[str, str]:
    """Return the tags in which MLflow records the source of a run."""
    return {
        "mlflow.user": plan.user,
        "mlflow.source.name": plan.source,
        "mlflow.source.type": "LOCAL",
        "mlflow.source.git.commit": plan.commit,
    }


def _write_files(directory: Path, contents: Mapping[str, bytes]) -> None:
    for name, content in contents.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
