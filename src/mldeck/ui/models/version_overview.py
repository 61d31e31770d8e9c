"""The fields of a registered model or version, as lines of the inspector."""

from __future__ import annotations

from collections.abc import Iterator

from mldeck.addresses import printable
from mldeck.format import duration_text, time_text
from mldeck.model import RunDetails
from mldeck.registry.history import TRANSITION_PREFIX, Event, EventKind
from mldeck.registry.nouns import PRODUCTION, STAGES, ModelVersion, RegisteredModel
from mldeck.ui.details.line_grid import Line, tag_lines
from mldeck.ui.details.run_cells import STATUS_GLYPHS
from mldeck.ui.details.run_overview import dataset_lines, moment_text, source_text
from mldeck.ui.kit.clock import Clock
from mldeck.ui.models.reading import READING, ComparedFacts, RegistryListing, VersionDetails, stay_text

VERSION_GLYPHS = {"READY": ("✓", "good"), "PENDING_REGISTRATION": ("►", "accent"), "FAILED_REGISTRATION": ("✗", "bad")}

_ORPHAN = "there are versions of this name but no registered model: a rename by MLflow 1.8 or earlier left them behind"


def model_lines(model: RegisteredModel, listing: RegistryListing, clock: Clock) -> Iterator[Line]:
    yield Line("model", model.name)
    if model.is_orphan:
        yield Line("orphan", _ORPHAN, "warn")
    yield Line("versions", f"{model.version_count:,}")
    for stage in STAGES:
        if stage in model.latest:
            yield Line(f"latest {stage}", str(model.latest[stage]))
    for alias, version in model.aliases.items():
        yield Line("alias", f"@{alias} → {version}", "accent")
    for alias, version in model.dangling_aliases.items():
        yield Line("alias", f"@{alias} → {version}, a deleted version", "warn")
    if not listing.has_aliases:
        yield Line("aliases", "none: this database is from before MLflow 2.3", "dim")
    if model.creation_time is not None:
        yield Line("created", moment_text(model.creation_time, clock))
    if model.last_updated_time is not None:
        yield Line("changed", moment_text(model.last_updated_time, clock))
    yield from tag_lines(sorted(model.tags.items()))


def version_lines(details: VersionDetails, clock: Clock) -> Iterator[Line]:
    """Yield the fields that the version has, the most important first, because the inspector may be short."""
    version = details.version
    yield Line("stage", f"{version.stage}{stay_text(details.arrival, clock)}")
    if version.status != "READY":
        glyph, style = VERSION_GLYPHS.get(version.status, ("?", "warn"))
        message = f": {version.status_message}" if version.status_message else ""
        yield Line("status", f"{glyph} {version.status}{message}", style)
    if version.aliases:
        yield Line("aliases", " ".join(f"@{alias}" for alias in version.aliases), "accent")
    yield from _run_lines(version, details.run)
    yield from _fact_lines(details.facts)
    if details.run is not None:
        yield from _origin_lines(details.run)
    yield from _file_lines(details)
    if version.creation_time is not None:
        yield Line("registered", moment_text(version.creation_time, clock))
    if version.last_updated_time not in (None, version.creation_time):
        yield Line("changed", moment_text(version.last_updated_time or 0, clock))
    if version.user_id:
        yield Line("by", version.user_id)
    if version.status == "READY":
        yield Line("status", "✓ READY", "good")


def _run_lines(version: ModelVersion, details: RunDetails | None) -> Iterator[Line]:
    if details is None:
        if version.run_id:
            yield Line("run", f"{version.run_id} (not in this database)", "warn")
        else:
            yield Line("run", "registered without a run", "dim")
        if version.run_link:
            yield Line("run link", version.run_link)
        return
    run = details.run
    glyph, _ = STATUS_GLYPHS.get(run.status, ("?", ""))
    deleted = " (deleted)" if run.lifecycle_stage == "deleted" else ""
    yield Line("run", f"{glyph} {run.label}{deleted}", run_id=run.run_id)
    if run.duration is not None:
        yield Line("duration", duration_text(run.duration))


def _origin_lines(details: RunDetails) -> Iterator[Line]:
    run, tags = details.run, dict(details.tags)
    yield Line("experiment", details.experiment_name or run.experiment_id)
    named = (
        ("user", tags.get("mlflow.user") or run.user_id),
        ("git commit", tags.get("mlflow.source.git.commit")),
        ("source", source_text(tags)),
    )
    for name, value in named:
        if value:
            yield Line(name, value)
    for dataset in details.datasets:
        yield from dataset_lines(dataset)
    if run.start_time is not None:
        yield Line("started", time_text(run.start_time))


def _file_lines(details: VersionDetails) -> Iterator[Line]:
    from mldeck.artifacts.location import LocationStatus  # loaded when the first version is shown

    version, files = details.version, details.files
    if files is None:
        yield Line("files", "the database does not say where they are", "warn")
    elif not files.found:
        yield Line("files", f"✗ {files.problem}", "bad")
    elif files.url is not None:
        yield Line("files", f"{files.where} (in an object store: not checked)")
    elif not details.has_mlmodel:
        yield Line("files", f"✗ no MLmodel file in {files.where}", "bad")
    else:
        how = "" if files.how is LocationStatus.RECORDED else f" ({files.how.words})"
        if files.unconfirmed is not None and files.unconfirmed != files.where:
            how += f", leads to {files.unconfirmed}"
        yield Line("files", f"✓ {files.where}{how}", "good")
    if version.source:
        yield Line("model URI", printable(version.source))
    if version.storage_location and version.storage_location != version.source:
        yield Line("storage", printable(version.storage_location))


def _fact_lines(facts: ComparedFacts | None) -> Iterator[Line]:
    """Yield the size and the signature; both lines are there before the values are."""
    if facts is None:
        yield Line("size", READING, "dim")
        yield Line("signature", READING, "dim")
        return
    from mldeck.artifacts.file_facts import signature_changes

    yield Line("size", facts.own.size_text)
    text = facts.own.signature_text
    changes = None if facts.production is None else signature_changes(facts.production, facts.own)
    if changes is None:
        yield Line("signature", text)
        return
    other = f"version {facts.production_version} in {PRODUCTION}"
    if changes:
        yield Line("signature", f"{text} · differs from {other}: {'; '.join(changes)}", "warn")
    else:
        yield Line("signature", f"{text} · the same as {other}")


def tags_of_version(version: ModelVersion) -> list[Line]:
    """Return the tags without those that record transitions, which the history shows."""
    return tag_lines([tag for tag in sorted(version.tags.items()) if not tag[0].startswith(TRANSITION_PREFIX)])


def history_lines(events: tuple[Event, ...]) -> list[Line]:
    """Return a line per event, newest first."""
    return [_history_line(event) for event in reversed(events)]


def _history_line(event: Event) -> Line:
    when = "time unknown" if event.when is None else time_text(event.when)
    if event.kind is EventKind.REGISTERED:
        return Line(when, "registered", "dim")
    if event.kind is EventKind.DELETED:
        return Line(when, "deleted", "bad")
    text = f"{event.before} → {event.after}"
    moved = event.transition
    if moved is None:
        since = "" if event.since is None else f" since {time_text(event.since)}"
        return Line(f"until {when}" if since else when, f"{text}, changed without a record{since}", "warn")
    by = f" by {moved.who}" if moved.who else ""
    at = f"@{moved.host}" if moved.who and moved.host else ""
    via = f" via {moved.via}" if by and moved.via else ""
    made_room = "" if event.version == moved.version else f", for version {moved.version}"
    undone = ", to undo a stage change" if moved.undo_of else ""
    reason = f": {moved.reason}" if moved.reason else ""
    return Line(when, f"{text}{by}{at}{via}{made_room}{undone}{reason}")
