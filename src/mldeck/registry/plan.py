"""The plan of a change of stage: what moves from where to where, as a value that is shown before it is carried out.

Whoever carries it out looks again first (`check_as_planned`): what was decided on a screen that is no longer true is not
done.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from mldeck.errors import MldeckError
from mldeck.format import safe
from mldeck.registry.history import Transition, recorded_transitions
from mldeck.registry.nouns import ACTIVE_STAGES, ARCHIVED, DELETED_STAGE, STAGES, ModelVersion


@dataclass(frozen=True)
class Move:
    version: int
    before: str
    after: str


@dataclass(frozen=True)
class TransitionPlan:
    """The world that it was made for is part of it: `last_updated_time` and `occupants`."""

    model: str
    moves: tuple[Move, ...]
    """The first is the one that was asked for; the others are archived, or put back from there."""
    last_updated_time: int | None = None
    """Of the version that was asked for."""
    occupants: Mapping[str, frozenset[int]] = field(default_factory=dict)
    """Who is in each of the active stages that something moves into."""
    undo_of: str | None = None
    """The key of the recorded transition that this one takes back."""

    @property
    def version(self) -> int:
        return self.moves[0].version

    @property
    def before(self) -> str:
        return self.moves[0].before

    @property
    def after(self) -> str:
        return self.moves[0].after

    @property
    def archived(self) -> tuple[int, ...]:
        """The versions that make room."""
        return tuple(move.version for move in self.moves[1:] if move.after == ARCHIVED)

    @property
    def put_back(self) -> tuple[int, ...]:
        """The versions that an undone transition had archived."""
        return tuple(move.version for move in self.moves[1:] if move.before == ARCHIVED)

    @property
    def staying(self) -> tuple[int, ...]:
        """The other versions that are in the target stage, and stay there."""
        moved = {move.version for move in self.moves}
        return tuple(sorted(self.occupants.get(self.after, frozenset()) - moved))


class StaleReview(MldeckError):
    """The model is not as it was when the plan was made. Nothing was written."""

    def __init__(self, message: str, versions: Sequence[ModelVersion]) -> None:
        super().__init__(message)
        self.versions = tuple(versions)
        """The versions of the model as they are now."""


def canonical_stage(text: str) -> str:
    """The stage as it is stored; MLflow takes it in any case. Raises `MldeckError` when there is no such stage."""
    for stage in STAGES:
        if text.lower() == stage.lower():
            return stage
    raise MldeckError(f"there is no stage {safe(text)}: the stages are {', '.join(STAGES)}")


def archives_by_default(stage: str) -> bool:
    """Whether those in the stage make room unless somebody says otherwise: one version serves."""
    return stage == "Production"


def plan_transition(
    versions: Sequence[ModelVersion], version: int, stage: str, archive_existing: bool
) -> TransitionPlan:
    """`versions` are all of the model. Raises `MldeckError` where MLflow would refuse."""
    target = canonical_stage(stage)
    moved = _present(versions, version)
    if archive_existing and target not in ACTIVE_STAGES:
        raise MldeckError(f"moving to {target} archives nothing: only {' and '.join(ACTIVE_STAGES)} make room")
    others = sorted(each.version for each in versions if each.stage == target and each.version != version)
    moves = [Move(version, moved.stage, target)]
    if archive_existing:
        moves += [Move(each, target, ARCHIVED) for each in others]
    return _plan(versions, moved, moves)


def plan_undo(versions: Sequence[ModelVersion], transition: Transition) -> TransitionPlan:
    """Everything back to where the transition found it. Raises `MldeckError` when something was moved since."""
    if transition.left_out:
        raise MldeckError(
            f"cannot undo: the record of it leaves out {transition.left_out:,} of the versions it archived"
        )
    moved = _present(versions, transition.version)
    moves = [Move(transition.version, transition.after, transition.before)]
    moves += [Move(each, ARCHIVED, transition.after) for each in transition.archived]
    moves += [Move(each, transition.before, ARCHIVED) for each in transition.put_back]
    for move in moves:
        current = _present(versions, move.version)
        if current.stage != move.before:
            raise MldeckError(
                f"cannot undo, because it was changed since: version {move.version} of {safe(moved.name)} "
                f"is in {safe(current.stage)} now"
            )
    touched = {move.version for move in moves}
    for later in recorded_transitions(versions):
        if later.number > transition.number and touched.intersection(later.versions):
            raise MldeckError(
                f"cannot undo, because version {later.version} of {safe(moved.name)} was moved to {later.after} since"
            )
    return _plan(versions, moved, moves, transition.key)


def check_as_planned(plan: TransitionPlan, versions: Sequence[ModelVersion]) -> None:
    """Raises `StaleReview` unless `versions`, as they are now, are what the plan was made for."""
    now = {each.version: each for each in versions}
    for move in plan.moves:
        current = now.get(move.version)
        if current is None or current.stage == DELETED_STAGE:
            raise StaleReview(f"version {move.version} of {safe(plan.model)} was deleted meanwhile", versions)
        if current.stage != move.before:
            raise StaleReview(
                f"version {move.version} of {safe(plan.model)} is in {safe(current.stage)} now, not in {move.before}",
                versions,
            )
    if now[plan.version].last_updated_time != plan.last_updated_time:
        raise StaleReview(f"version {plan.version} of {safe(plan.model)} was changed meanwhile", versions)
    for stage, occupants in plan.occupants.items():
        present = _in_stage(versions, stage)
        if present != occupants:
            raise StaleReview(
                f"{stage} of {safe(plan.model)} was changed meanwhile: there is {_numbers(present)} now, "
                f"not {_numbers(occupants)}",
                versions,
            )


def _present(versions: Sequence[ModelVersion], number: int) -> ModelVersion:
    for each in versions:
        if each.version == number and each.stage != DELETED_STAGE:
            return each
    if not versions:
        raise MldeckError(f"there is no version {number} (any more)")
    raise MldeckError(f"there is no version {number} of {safe(versions[0].name)} (any more)")


def _plan(
    versions: Sequence[ModelVersion], moved: ModelVersion, moves: Iterable[Move], undo_of: str | None = None
) -> TransitionPlan:
    moves = tuple(moves)
    watched = sorted({move.after for move in moves}.intersection(ACTIVE_STAGES))
    occupants = {stage: _in_stage(versions, stage) for stage in watched}
    return TransitionPlan(moved.name, moves, moved.last_updated_time, occupants, undo_of)


def _in_stage(versions: Iterable[ModelVersion], stage: str) -> frozenset[int]:
    return frozenset(each.version for each in versions if each.stage == stage)


def _numbers(versions: Iterable[int]) -> str:
    return ", ".join(f"version {each}" for each in sorted(versions)) or "nobody"
