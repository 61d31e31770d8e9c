"""Loads what most sittings come to while nobody waits for anything: the place Models, a chart, a note."""

from __future__ import annotations

from importlib import import_module

_MODULES = (
    "mldeck.ui.screens.models",
    "mldeck.store.registry",
    "mldeck.store.metrics_of_runs",
    "mldeck.ui.screens.chart",
    "mldeck.store.histories",
    "mldeck.ui.text_looks",
)


def load_ahead() -> None:
    """In a thread: the interpreter lets the event loop have its turn between a few milliseconds of it."""
    for name in _MODULES:
        import_module(name)
