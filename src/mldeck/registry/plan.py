"""Plans of stage transitions: which versions move from which stage to which, to be reviewed before they are carried out.

A plan must be checked again, with `check_as_planned`, in the transaction that carries it out: a decision made on outdated
data is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from mldeck.errors import MldeckError
from mldeck.format import safe
from mldeck.registry.history import Transition, recorded_transitions
from mldeck.registry.nouns import ACTIVE_STAGES, ARCHIVED, DELETED_STAGE, STAGES, ModelVersion


@dataclass(frozen=True)
class StageMove:
    """A move of a version from the stage `before` to the stage `after`."""

    version: int
    before: str
    after: str


@dataclass(frozen=True)
class TransitionPlan:
    """The moves of a transition, and the state of the model that they were planned for."""

    model: str
    moves: tuple[StageMove, ...]
    """The requested move, then those of other versions, which are archived or put back from Archived."""
    last_updated_time: int | None = None
    """`last_updated_time` of the version whose move was requested."""
    occupants: Mapping[str, frozenset[int]] = field(default_factory=dict)
    """The versions in each active stage that a version moves into, by stage."""
    undo_of: str | None = None
    """The key of the recorded transition that this one undoes."""

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
        """The other versions that are moved from the target stage to Archived."""
        return tuple(move.version for move in self.moves[1:] if move.after == ARCHIVED)

    @property
    def put_back(self) -> tuple[int, ...]:
        """The other versions that are moved back from Archived, in an undo."""
        return tuple(move.version for move in self.moves[1:] if move.before == ARCHIVED)

    @property
    def staying(self) -> tuple[int, ...]:
        """The other versions that are in the target stage and stay there, in ascending order."""
        moved = {move.version for move in self.moves}
        return tuple(sorted(self.occupants.get(self.after, frozenset()) - moved))


class StaleReview(MldeckError):
    """The model was changed after the plan was made. Nothing was written."""

    def __init__(self, message: str, versions: Sequence[ModelVersion]) -> None:
        super().__init__(message)
        self.versions = tuple(versions)
        """The present versions of the model."""


def canonical_stage(text: str) -> str:
    """Return a stage as it is stored; like MLflow, accept it in any case. Raises `MldeckError` for an unknown stage."""
    for stage in STAGES:
        if text.lower() == stage.lower():
            return stage
    raise MldeckError(f"there is no stage {safe(text)}: the stages are {', '.join(STAGES)}")


def archives_by_default(stage: str) -> bool:
    """Return whether a move into the stage archives the versions there by default: only one should be in Production."""
    return stage == "Production"


def plan_transition(
    versions: Sequence[ModelVersion], version: int, stage: str, archive_existing: bool
) -> TransitionPlan:
    """Plan to move a version. `versions` are all versions of the model.

    Raises `MldeckError` where MLflow would refuse: if the version or the stage does not exist, or if `archive_existing` is
    requested for a stage that is not active.
    """
    target = canonical_stage(stage)
    moved = _present(versions, version)
    if archive_existing and target not in ACTIVE_STAGES:
        raise MldeckError(
            f"moving to {target} archives nothing: only a move to {' or '.join(ACTIVE_STAGES)} archives other versions"
        )
    moves = [StageMove(version, moved.stage, target)]
    if archive_existing:
        others = sorted(_in_stage(versions, target) - {version})
        moves += [StageMove(other, target, ARCHIVED) for other in others]
    return _plan(versions, moved, moves)


def plan_undo(versions: Sequence[ModelVersion], transition: Transition) -> TransitionPlan:
    """Plan to move all versions of a transition back. Raises `MldeckError` if any of them was moved since."""
    if transition.left_out:
        raise MldeckError(f"cannot undo: its record omits {transition.left_out:,} of the versions that it archived")
    moved = _present(versions, transition.version)
    moves = [StageMove(transition.version, transition.after, transition.before)]
    moves += [StageMove(other, ARCHIVED, transition.after) for other in transition.archived]
    moves += [StageMove(other, transition.before, ARCHIVED) for other in transition.put_back]
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
    """Raise `StaleReview` unless `versions`, the present ones, are in the state that the plan was made for."""
    now = {version.version: version for version in versions}
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
    """Return the version with this number. Raises `MldeckError` if there is none or it was deleted."""
    for version in versions:
        if version.version == number and version.stage != DELETED_STAGE:
            return version
    if not versions:
        raise MldeckError(f"there is no version {number} (any more)")
    raise MldeckError(f"there is no version {number} of {safe(versions[0].name)} (any more)")


def _plan(
    versions: Sequence[ModelVersion], moved: ModelVersion, moves: Iterable[StageMove], undo_of: str | None = None
) -> TransitionPlan:
    moves = tuple(moves)
    watched = sorted({move.after for move in moves}.intersection(ACTIVE_STAGES))
    occupants = {stage: _in_stage(versions, stage) for stage in watched}
    return TransitionPlan(moved.name, moves, moved.last_updated_time, occupants, undo_of)


def _in_stage(versions: Iterable[ModelVersion], stage: str) -> frozenset[int]:
    return frozenset(version.version for version in versions if version.stage == stage)


def _numbers(versions: Iterable[int]) -> str:
    return ", ".join(f"version {number}" for number in sorted(versions)) or "no version"
