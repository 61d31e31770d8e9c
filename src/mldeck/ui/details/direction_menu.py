"""The question in which direction a metric gets better."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import App

from mldeck.ui.kit.dialogs.menu import Choice, MenuDialog
from mldeck.ui.state.metric_direction import ANSWERS, Better


def ask_direction(app: App[str], metric: str, answered: Callable[[Better], object]) -> None:
    """Ask whether higher or lower values are better. `answered` is not called if the user cancels."""

    def closed(answer: str | None) -> None:
        if answer is not None:
            answered(Better(answer))

    choices = [Choice(better.value, letter, text) for better, letter, text in ANSWERS]
    app.push_screen(MenuDialog(f"When is {metric} best?", choices), closed)
