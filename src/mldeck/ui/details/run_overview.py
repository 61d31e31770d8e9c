"""The fields of a run, an experiment or a dataset as lines for an inspector."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mldeck.addresses import printable
from mldeck.foreign import load_json
from mldeck.format import duration_text, exact_duration_text, time_text
from mldeck.model import DEFAULT_WORKSPACE, DatasetInput, Experiment, Pace, Run, RunCount, RunDetails
from mldeck.ui.details.line_grid import Line
from mldeck.ui.details.run_cells import STATUS_GLYPHS, status_glyph
from mldeck.ui.kit.clock import Clock


def experiment_lines(experiment: Experiment, count: RunCount, clock: Clock) -> Iterator[Line]:
    """Yield the fields that an experiment has."""
    yield Line("experiment", experiment.name)
    yield Line("id", experiment.experiment_id)
    if experiment.workspace not in (None, DEFAULT_WORKSPACE):
        yield Line("workspace", str(experiment.workspace))
    if experiment.lifecycle_stage == "deleted":
        yield Line("stage", "deleted", "warn")
    deleted = f", {count.deleted:,} deleted" if count.deleted else ""
    yield Line("runs", f"{count.active:,} active{deleted}")
    if count.newest_start is not None:
        yield Line("newest run", moment_text(count.newest_start, clock))
    if experiment.creation_time is not None:
        yield Line("created", moment_text(experiment.creation_time, clock))
    if experiment.last_update_time is not None and experiment.last_update_time != experiment.creation_time:
        yield Line("updated", moment_text(experiment.last_update_time, clock))
    if experiment.artifact_location:
        yield Line("artifacts", printable(experiment.artifact_location))


def moment_text(timestamp: int, clock: Clock) -> str:
    """Return the time, and how long ago it was. `timestamp` is in milliseconds since the epoch."""
    age, exact = clock.age(timestamp), time_text(timestamp)
    return exact if exact.startswith(age) else f"{exact} ({age} ago)"


def overview_lines(details: RunDetails, clock: Clock) -> Iterator[Line]:
    """Yield the fields that a run has."""
    run = details.run
    tags = dict(details.tags)
    glyph, style = status_glyph(run, details.pace, clock)
    deleted = " · deleted" if run.lifecycle_stage == "deleted" else ""
    yield Line("status", f"{glyph} {run.status}{deleted}{_silence(details.pace, clock)}", style)
    yield Line("run id", run.run_id)
    if run.start_time is not None:
        yield Line("started", moment_text(run.start_time, clock))
    if run.end_time is not None:
        yield Line("ended", time_text(run.end_time))
    if run.duration is not None:
        yield Line("duration", exact_duration_text(run.duration))
    if run.deleted_time is not None:
        yield Line("deleted", time_text(run.deleted_time))
    experiment = details.experiment_name or "–"
    yield Line("experiment", f"{experiment} ({run.experiment_id})")
    named = (
        ("user", tags.get("mlflow.user") or run.user_id),
        ("source", source_text(tags)),
        ("git commit", tags.get("mlflow.source.git.commit")),
        ("git branch", tags.get("mlflow.source.git.branch")),
        ("repository", tags.get("mlflow.source.git.repoURL")),
    )
    for name, value in named:
        if value:
            yield Line(name, value)
    yield from _family(details)
    for dataset in details.datasets:
        yield from dataset_lines(dataset)
    if run.artifact_uri:
        yield Line("artifacts", printable(run.artifact_uri))


def _silence(pace: Pace | None, clock: Clock) -> str:
    """Return for how long a run has logged nothing, if that is long by its own pace."""
    if pace is None or not clock.is_past(pace.late_at):
        return ""
    usual = f"; usually one every {duration_text(pace.interval)}" if pace.is_measured else ""
    return f", but no metric for {clock.age(pace.newest)}{usual}"


def source_text(tags: dict[str, str]) -> str | None:
    """Return the name and type of the source of a run, from its tags; None if they do not name one."""
    name, kind = tags.get("mlflow.source.name"), tags.get("mlflow.source.type")
    return f"{name} ({kind})" if name and kind else name


def _family(details: RunDetails) -> Iterator[Line]:
    if details.parent is not None:
        yield Line("parent", _kin(details.parent), run_id=details.parent.run_id)
    elif details.parent_id:
        yield Line("parent", f"{details.parent_id} (not in this database)", "warn")
    for child in details.children:
        yield Line("child", _kin(child), run_id=child.run_id)
    hidden = details.children_count - len(details.children)
    if hidden > 0:
        yield Line("", f"and {hidden} more", "dim")


def _kin(run: Run) -> str:
    glyph, _ = STATUS_GLYPHS.get(run.status, ("?", ""))
    return f"{glyph} {run.label}" + (" (deleted)" if run.lifecycle_stage == "deleted" else "")


def dataset_lines(dataset: DatasetInput) -> Iterator[Line]:
    """Yield a line about a dataset, and one about its columns if its schema names them."""
    context = f" as {dataset.context}" if dataset.context else ""
    rows = _row_count(_read(dataset.profile))
    size = f", {rows:,} rows" if type(rows) is int else ""
    source = _read(dataset.source)
    tags = source.get("tags")
    told = (*map(source.get, _SOURCE_KEYS), tags.get("mlflow.source.name") if isinstance(tags, dict) else None)
    place = next((source for source in told if isinstance(source, str)), "")
    origin = f", from {printable(place)}" if place else ""
    yield Line("dataset", f"{dataset.name} {dataset.digest}{context} ({dataset.source_type}){size}{origin}")
    schema = _read(dataset.schema)
    columns = schema.get("mlflow_colspec") or list(_tensors(schema.get("mlflow_tensorspec")))
    if isinstance(columns, list) and columns:
        more = f", and {len(columns) - _MOST_COLUMNS:,} more" if len(columns) > _MOST_COLUMNS else ""
        yield Line("columns", ", ".join(map(_column_text, columns[:_MOST_COLUMNS])) + more, "dim")


def _row_count(profile: Mapping[str, Any]) -> object:
    """Return the number of rows of a table, or of the features of a NumPy dataset."""
    shape = profile.get("features_shape")
    return shape[0] if isinstance(shape, list) and shape else profile.get("num_rows")


def _tensors(parts: object) -> Iterator[dict[str, str]]:
    """Yield the parts of a NumPy dataset as columns. Each part is JSON within JSON."""
    for part, text in parts.items() if isinstance(parts, dict) else ():
        found = _loaded(text)
        for tensor in found if isinstance(found, list) else ():
            spec = tensor.get("tensor-spec") if isinstance(tensor, dict) else None
            if isinstance(spec, dict):
                name = f"{part} {tensor['name']}" if isinstance(tensor.get("name"), str) else part
                yield {"name": name, "type": f"{spec.get('dtype', '')} {spec.get('shape', '')}".strip()}


_SOURCE_KEYS = ("uri", "url", "path", "delta_table_name")
"""The keys under which MLflow's own types of sources give their location."""
_MOST_COLUMNS = 20


def _column_text(column: object) -> str:
    fields = column if isinstance(column, dict) else {}
    return f"{fields.get('name', '?')} {fields.get('type', '')}".strip()


def _read(text: str | None) -> dict[str, Any]:
    found = _loaded(text)
    return found if isinstance(found, dict) else {}


def _loaded(text: object) -> object:
    """Return the value of a JSON text; None if it is not valid, because any program may have written it."""
    try:
        return load_json(text) if isinstance(text, str) else None
    except ValueError:
        return None
