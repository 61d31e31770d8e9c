"""Workers that put a question to the user: a menu, a name, a confirmation.

The next key is then the answer to it and no command, also while the question is only coming up, or does not come because it
is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar
from weakref import WeakSet

from textual import work
from textual.dom import DOMNode
from textual.worker import Worker

from mldeck.errors import MldeckError

_Self = TypeVar("_Self", bound=DOMNode)
_P = ParamSpec("_P")
_asking: WeakSet[Worker[Any]] = WeakSet()


def asks(
    group: str,
) -> Callable[
    [Callable[Concatenate[_Self, _P], Coroutine[Any, Any, None]]], Callable[Concatenate[_Self, _P], Worker[None]]
]:
    """Run a method as a worker that asks something. Another one of the same group cancels it.

    If it cannot ask, it raises `MldeckError`, which a dialog shows: after a mere message, the answer that the user goes on
    typing would be taken for commands.
    """

    def decorate(
        method: Callable[Concatenate[_Self, _P], Coroutine[Any, Any, None]],
    ) -> Callable[Concatenate[_Self, _P], Worker[None]]:
        async def ask_or_refuse(self: _Self, /, *args: _P.args, **options: _P.kwargs) -> None:
            try:
                await method(self, *args, **options)
            except MldeckError as error:
                from mldeck.ui.kit.dialogs.refusal import RefusalDialog

                await self.app.push_screen_wait(RefusalDialog(str(error)))

        start = work(group=group, exclusive=True)(wraps(method)(ask_or_refuse))

        @wraps(method)
        def ask(self: _Self, /, *args: _P.args, **options: _P.kwargs) -> Worker[None]:
            worker: Worker[None] = start(self, *args, **options)
            _asking.add(worker)
            return worker

        return ask

    return decorate


def is_about_to_ask(workers: Iterable[Worker[Any]]) -> bool:
    """Return whether one of the workers is going to ask, or waits for the answer."""
    return any(worker in _asking and not worker.is_finished for worker in workers)
