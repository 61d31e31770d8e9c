"""Textual's notifications, without what makes Textual stand still."""

from __future__ import annotations

from textual.notifications import Notification

_LEAST_S = 0.1


class Passing(Notification):
    """One whose time may be over when it comes to be shown, on a busy machine: Textual never gets out of a timer that is to
    wait for less than no time."""

    @property
    def time_left(self) -> float:
        return max(_LEAST_S, super().time_left)

    @property
    def has_expired(self) -> bool:
        return super().time_left <= 0
