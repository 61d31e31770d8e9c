"""`mldeck promote`: move a version of a model to a stage, after showing what will change."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from mldeck.commands.options import NO_EXPERIMENTS, add_write_option, artifact_places, command_parser
from mldeck.commands.registry import Stores, add_registry_options, check_model_name, open_stores
from mldeck.errors import MldeckError, UsageError

if TYPE_CHECKING:
    from mldeck.artifacts.file_facts import FileFacts
    from mldeck.model import RunRecord
    from mldeck.registry.nouns import ModelVersion
    from mldeck.registry.plan import TransitionPlan
    from mldeck.store.address import Address

_MOST_VERSIONS = 20
"""The newest versions that are listed after a version that does not exist was asked for."""

_COMMIT_TAG = "mlflow.source.git.commit"


def run(words: Sequence[str]) -> int:
    parser = command_parser(
        "mldeck promote",
        "Move a version of a registered model to a stage: None, Staging, Production or Archived.",
        no_experiment=NO_EXPERIMENTS,
    )
    parser.add_argument("model", metavar="MODEL", help="name of the registered model")
    parser.add_argument("version", type=_version, metavar="VERSION", help="number of the version")
    parser.add_argument("stage", type=_stage, metavar="STAGE", help="in upper or lower case")
    archive = parser.add_mutually_exclusive_group()
    archive.add_argument(
        "--archive-existing",
        action="store_true",
        default=None,
        help="archive the versions that are in the stage now (default for Production)",
    )
    archive.add_argument(
        "--keep-existing", action="store_false", dest="archive_existing", help="leave those versions there"
    )
    parser.add_argument("--reason", default="", metavar="TEXT", help="recorded with the change")
    parser.add_argument("--expect-stage", type=_stage, metavar="STAGE", help="refuse unless the version is there now")
    parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    parser.add_argument("--dry-run", action="store_true", help="only show what would change")
    parser.add_argument("--no-record", action="store_true", help="do not record who moved the version, when and why")
    add_registry_options(parser)
    add_write_option(parser)
    options = parser.parse_args(words)
    from mldeck.registry.nouns import ACTIVE_STAGES
    from mldeck.registry.plan import archives_by_default

    archives = archives_by_default(options.stage) if options.archive_existing is None else options.archive_existing
    if archives and options.stage not in ACTIVE_STAGES:
        parser.error(f"--archive-existing goes with {' and '.join(ACTIVE_STAGES)} only")
    with open_stores(options) as stores:
        return _promote(stores, options, archives)


def _promote(stores: Stores, options: argparse.Namespace, archives: bool) -> int:
    from mldeck.format import safe
    from mldeck.registry.plan import plan_transition
    from mldeck.store.registry.rules import check_reason

    # Refuse before anything is shown whatever would be refused when the change is made.
    check_reason(options.reason)
    if not options.dry_run:
        stores.editor.check_writable()
    check_model_name(stores, options.model)
    stores.reader.check_model(options.model)  # refuses versions without a registered model, which cannot be changed
    versions = stores.reader.versions(options.model)
    _check_version(versions, stores.registered.address, options)
    plan = plan_transition(versions, options.version, options.stage, archives)
    if options.expect_stage and plan.before != options.expect_stage:
        raise MldeckError(
            f"version {plan.version} of {plan.model} is in {plan.before}, not in {options.expect_stage}; "
            "nothing was changed"
        )
    _print_plan(stores, plan, versions)
    if options.dry_run:
        return 0
    if not (options.yes or _is_confirmed()):
        raise MldeckError("nothing was changed")
    done = stores.editor.transition(plan, options.reason)
    sys.stdout.write(f"{safe(plan.model)} {done.version} is in {done.after}\n")
    return 0


def _check_version(versions: Sequence[ModelVersion], registered: Address, options: argparse.Namespace) -> None:
    """Raise `UsageError` for a version that the model does not have, as for an unknown model."""
    from mldeck.registry.nouns import DELETED_STAGE

    numbers = sorted(version.version for version in versions if version.stage != DELETED_STAGE)
    if options.version not in numbers:
        if not numbers:
            raise UsageError(f"{options.model} has no versions in {registered}")
        newest = ", ".join(map(str, numbers[-_MOST_VERSIONS:]))
        raise UsageError(f"there is no version {options.version} of {options.model}; there are {newest}")


def _is_confirmed() -> bool:
    """Ask on standard error, so that the plan on standard output can be redirected to a file."""
    if not sys.stdin.isatty():
        raise MldeckError("nothing was changed: there is no terminal to ask on, so use --yes")
    sys.stdout.flush()
    sys.stderr.write("Proceed? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _print_plan(stores: Stores, plan: TransitionPlan, versions: Sequence[ModelVersion]) -> None:
    """Print the moves, and the differences between the version and the one that is in the stage now."""
    from mldeck.format import safe
    from mldeck.printing import write, write_table
    from mldeck.registry.review import aliases_left

    lines = [f"{plan.model} in {stores.registered.address}"]
    lines += [f"  version {move.version}: {move.before} → {move.after}" for move in plan.moves]
    lines += [f"  version {version} stays in {plan.after}" for version in plan.staying]
    lines += [f"  {notice}" for notice in aliases_left(plan, versions)]
    write(f"{safe(line)}\n" for line in lines)
    present = max((*plan.archived, *plan.staying), default=None)
    if present is not None:
        by_number = {version.version: version for version in versions}
        now, then = by_number[present], by_number[plan.version]
        write("\n")
        write_table(("", f"now: {now.version}", f"then: {then.version}", ""), _differences(stores, now, then))


def _differences(stores: Stores, now: ModelVersion, then: ModelVersion) -> Iterator[Sequence[str]]:
    from mldeck.format import time_or_missing
    from mldeck.model import ALL_FIELDS
    from mldeck.registry.review import compare_runs, difference_format

    ids = [version.run_id for version in (now, then) if version.run_id]
    records = stores.runs.run_records(ids, ALL_FIELDS)
    run_now, run_then = records.get(now.run_id or ""), records.get(then.run_id or "")
    yield "run", _label(run_now), _label(run_then), ""
    yield "commit", _commit(run_now), _commit(run_then), ""
    yield from _fact_rows(stores, (now, run_now), (then, run_then))
    yield "registered", time_or_missing(now.creation_time), time_or_missing(then.creation_time), ""
    yield from _arrival_rows(stores, now)
    compared = compare_runs(run_now, run_then)
    differences = difference_format(compared)
    for value in compared:
        difference = "" if value.difference is None else differences.signed(value.difference)
        yield str(value.column), *value.texts, difference


def _fact_rows(
    stores: Stores, now: tuple[ModelVersion, RunRecord | None], then: tuple[ModelVersion, RunRecord | None]
) -> Iterator[Sequence[str]]:
    """Yield the duration of the runs, the size of the files, and the signature."""
    from mldeck.artifacts.file_facts import signature_changes, signature_verdict
    from mldeck.format import MISSING, duration_text, size_text
    from mldeck.registry.review import number_difference

    took, takes = (record.run.duration if record else None for _, record in (now, then))
    texts = [MISSING if duration is None else duration_text(duration) for duration in (took, takes)]
    yield "duration", *texts, _ascii(number_difference(took, takes, duration_text))
    before, after = (_read_facts(stores, version) for version, _ in (now, then))
    yield "size", before.size_text, after.size_text, _ascii(number_difference(before.size, after.size, size_text))
    verdict = signature_verdict(before, after)
    yield "signature", before.signature_text, after.signature_text, verdict
    for change in signature_changes(before, after) or ():
        yield "", "", change, ""


def _ascii(difference: str) -> str:
    """Return the difference with the minus sign that the differences of metrics have."""
    return difference.replace("−", "-")


def _read_facts(stores: Stores, version: ModelVersion) -> FileFacts:
    from mldeck.artifacts.file_facts import read_facts
    from mldeck.artifacts.location import locate
    from mldeck.store.uri_lookup import UriLookup

    places = artifact_places(stores.registered.address, stores.settings)
    return read_facts(locate(version.location, places, None, UriLookup(stores.runs, stores.reader)))


def _arrival_rows(stores: Stores, version: ModelVersion) -> Iterator[Sequence[str]]:
    """Yield rows that say when the version came into its stage, and who moved it there and why if that is recorded."""
    from mldeck.format import MISSING
    from mldeck.registry.history import EventKind, arrival
    from mldeck.registry.stay import exact_time

    event = arrival(stores.reader.history(version.name), version.version)
    when = (exact_time(event) if event else None) or MISSING
    is_unrecorded = event is not None and event.kind is EventKind.UNRECORDED
    if event and is_unrecorded and event.when is not None and event.since is None:
        when += " or earlier"
    yield f"in {version.stage} since", when, "", ""
    if is_unrecorded:
        yield "moved by", "not recorded", "", ""
    elif event and event.transition:
        yield "moved by", event.transition.who or MISSING, "", ""
        if event.transition.reason:
            yield "reason", event.transition.reason, "", ""


def _label(record: RunRecord | None) -> str:
    from mldeck.format import MISSING

    return record.run.label if record else MISSING


def _commit(record: RunRecord | None) -> str:
    from mldeck.format import MISSING

    return record.tags.get(_COMMIT_TAG, MISSING)[:12] if record else MISSING


def _version(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is not the number of a version")
    return int(text)


def _stage(text: str) -> str:
    from mldeck.registry.plan import canonical_stage

    try:
        return canonical_stage(text)
    except MldeckError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
