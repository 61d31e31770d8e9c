"""Loads modules that most sessions need later, while the user does nothing: the place Models, charts, notes."""

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


def preload() -> None:
    """Import the modules. To be called in a thread, so that the event loop gets its turn every few milliseconds."""
    for name in _MODULES:
        import_module(name)
