"""Runs work off the event loop, in threads that never keep the program from ending.

At the end, the event loop and the interpreter wait for the threads of `asyncio.to_thread`. A thread that waits for a silent
server cannot be stopped, so quitting would never end. These are daemon threads: quitting gives them a moment to finish, and
then leaves without them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from threading import Thread
from typing import ParamSpec, TypeVar

from mldeck.store.interrupt import Interrupt

_P = ParamSpec("_P")
_Result = TypeVar("_Result")

_running: set[Thread] = set()


async def in_thread(function: Callable[_P, _Result], *args: _P.args, **kwargs: _P.kwargs) -> _Result:
    """Call a function in a new thread, and return its result. Cancelling stops the waiting, not the thread."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[_Result] = loop.create_future()
    call = partial(copy_context().run, function, *args, **kwargs)

    def deliver(settle: Callable[[], None]) -> None:
        if not future.done():  # It is done already if the waiting was cancelled.
            settle()

    def work() -> None:
        try:
            settle = partial(future.set_result, call())
        except BaseException as error:  # noqa: BLE001 - It is raised where the result is awaited.
            settle = partial(future.set_exception, error)
        with suppress(RuntimeError):  # The loop is closed: the program is ending.
            loop.call_soon_threadsafe(deliver, settle)
        _running.discard(thread)

    thread = Thread(target=work, daemon=True)
    _running.add(thread)
    thread.start()
    return await future


async def read_off_loop(read: Callable[[Interrupt], _Result]) -> _Result:
    """Read in a thread, and return the result. Cancelling also interrupts the read itself."""
    interrupt = Interrupt()
    try:
        return await in_thread(read, interrupt)
    except asyncio.CancelledError:
        interrupt.fire()
        raise


def wait_for_threads(seconds: float) -> bool:
    """Wait for the running threads, and return whether all of them have finished."""
    deadline = time.monotonic() + seconds
    for thread in tuple(_running):
        thread.join(max(0.0, deadline - time.monotonic()))
    return not any(thread.is_alive() for thread in tuple(_running))
