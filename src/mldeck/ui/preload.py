"""Loads what most sittings come to while nobody waits for anything: the place Models, a chart, a note."""

from __future__ import annotations

from importlib import import_module

_MODULES = (
    "mldeck.ui.models.screen",
    "mldeck.store.registry.reader",
    "mldeck.store.histories.metric_keys",
    "mldeck.ui.chart.screen",
    "mldeck.store.histories.histories",
    "mldeck.ui.kit.text_styles",
)


def load_ahead() -> None:
    """In a thread: the interpreter lets the event loop have its turn between a few milliseconds of it."""
    for name in _MODULES:
        import_module(name)
