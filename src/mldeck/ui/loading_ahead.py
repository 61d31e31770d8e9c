"""Loads what the place Models needs while nobody waits for anything, so that the first visit does not wait for it."""

from __future__ import annotations

from importlib import import_module

_MODULES = ("mldeck.ui.screens.models", "mldeck.store.registry", "mldeck.store.metrics_of_runs")


def load_ahead() -> None:
    """In a thread: the interpreter lets the event loop have its turn between a few milliseconds of it."""
    for name in _MODULES:
        import_module(name)
