"""How long a version has been in its stage: what is known of it, and no more."""

from __future__ import annotations

import pytest

from mldeck.format import age_or_date_text, date_text, time_text
from mldeck.registry.history import Event, EventKind, arrival, history_of_model
from mldeck.registry.stay import TimeInStage, exact_time, time_in_stage
from tests.registry_rooms import a_version

NOW = 1_900_000_000_000
MINUTE, DAY = 60_000, 86_400_000


def _age(timestamp: int) -> str:
    return age_or_date_text(timestamp, NOW)


@pytest.mark.parametrize(
    ("earliest", "latest", "text", "is_date"),
    [
        (3 * DAY, 6 * MINUTE, "6m–3d", False),
        (6 * MINUTE + 1, 6 * MINUTE, "6m", False),
        (None, 6 * MINUTE, "at least 6m", False),
        (None, 30 * DAY, f"{date_text(NOW - 30 * DAY)} or earlier", True),
        (30 * DAY, 0, f"{date_text(NOW - 30 * DAY)}–{date_text(NOW)}", True),
        (30 * DAY, 20 * DAY, f"{date_text(NOW - 30 * DAY)}–{date_text(NOW - 20 * DAY)}", True),
        (30 * DAY + 1, 30 * DAY, date_text(NOW - 30 * DAY), True),
    ],
)
def test_an_unrecorded_change_is_known_within_bounds(
    earliest: int | None, latest: int, text: str, is_date: bool
) -> None:
    since = None if earliest is None else NOW - earliest
    event = Event(EventKind.UNRECORDED, 1, NOW - latest, "None", "Production", since)
    assert time_in_stage(event, _age) == TimeInStage(text, is_date)


def test_a_recorded_change_is_known_exactly() -> None:
    event = Event(EventKind.MOVED, 1, NOW - 6 * MINUTE, "None", "Production")
    assert time_in_stage(event, _age) == TimeInStage("6m", False)
    assert exact_time(event) == time_text(NOW - 6 * MINUTE)


def test_nothing_is_said_of_what_has_no_time() -> None:
    event = Event(EventKind.UNRECORDED, 1, None, "None", "Production", NOW)
    assert (time_in_stage(event, _age), exact_time(event)) == (None, None)


def test_a_new_description_does_not_make_a_stay_shorter() -> None:
    """It sets the time of the version; a change of stage sets that of the model too."""
    version = a_version(1, "Production", created=NOW - 3 * DAY, changed=NOW)
    event = arrival(history_of_model([version], model_changed=NOW - 6 * MINUTE), 1)
    assert event is not None
    assert time_in_stage(event, _age) == TimeInStage("6m–3d", False)
    assert exact_time(event) == f"{time_text(NOW - 3 * DAY)} – {time_text(NOW - 6 * MINUTE)}"
