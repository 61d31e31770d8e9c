"""The line to the far end of one database: connected when it is started, and again after it was lost.

Standard library only, so that it can be started before anything heavy is imported.
"""

from __future__ import annotations

import itertools
import threading
import time
from typing import Any

from mldeck.errors import LoginNeeded, LoginRefused, MldeckError, StoreLocked, StoreUnavailable, UsageError
from mldeck.store.far_file import FarFile
from mldeck.store.interrupt import Interrupt
from mldeck.store.ssh.channel import Channel, Traffic
from mldeck.store.ssh.failures import lost
from mldeck.store.ssh.frames import Answer, BrokenFrame
from mldeck.store.ssh.hello import FarState, Hello

LOCK_WAIT_S = 20.0
"""Seconds that the first opening waits while another program has locked the database: as long as MLflow does."""
FIRST_DELAY_S, LONGEST_DELAY_S = 1.0, 30.0
"""Seconds before the first attempt to connect again, and the longest between two; doubled after each."""
ANSWER_WAIT_S = 60.0
"""Seconds that connecting may take, without what the user needs to answer ssh, and without waiting for a lock."""


class FarLine:
    """Requests to the far end of one database, from any thread. Streams stay valid when the line is connected again."""

    def __init__(self, file: FarFile, *, may_write: bool = False, lock_wait_s: float = LOCK_WAIT_S) -> None:
        """`may_write`: whether the far end may change the database. `lock_wait_s` is that of the first opening."""
        self.file = file
        self.may_write = may_write
        self.traffic = Traffic()
        self._lock_wait_s = lock_wait_s
        self._lock = threading.Lock()
        # Held while connecting or opening, because only one thread may.
        self._opening = threading.Lock()
        self._streams = itertools.count(1)
        self._users = 0
        self._channel: Channel | None = None
        self._hello: Hello | None = None
        self._is_hello_new = False
        self._is_to_be_opened = False
        self.needs_login = False
        """Whether the last attempt to connect again was refused because ssh was not allowed to ask for anything."""
        self._delay_s = FIRST_DELAY_S
        self._failed_at = 0.0
        self._is_trying = False
        self._is_closed = False

    def start(self) -> Channel:
        """Start ssh, which may ask for a password on the terminal. Returns at once; raises `UsageError` without ssh."""
        channel = self._channel = self._new_channel(may_ask=True, lock_wait_s=self._lock_wait_s)
        return channel

    def hello(self) -> Hello:
        """Wait until the database is open over there. Raises `UsageError` with the reason when it cannot be opened."""
        assert self._channel is not None, "it must be started first"
        try:
            self._hello = self._channel.hello(self._lock_wait_s + ANSWER_WAIT_S)
        except StoreLocked as error:
            raise UsageError(f"{error}, for {self._lock_wait_s:g} s now") from error
        except UsageError:
            raise
        except MldeckError as error:
            raise UsageError(str(error)) from error
        self._is_hello_new = True
        return self._hello

    def allow_writing(self) -> None:
        """Let the far end change the database from the next opening on."""
        if not self.may_write:
            self.may_write = self._is_to_be_opened = True

    @property
    def is_lost(self) -> bool:
        return self._channel is None or self._channel.lost_at is not None

    @property
    def last_hello(self) -> Hello | None:
        """What the far end said when it opened the database the last time."""
        return self._hello

    @property
    def state(self) -> FarState | None:
        """The last that the far end told about the database; never waits."""
        channel, hello = self._channel, self._hello
        return channel.state(hello) if channel is not None and hello is not None else None

    def open(self) -> Hello:
        """Open the database over there, unless that was done just now. Connects if need be, but never asks for anything.

        Raises `StoreUnavailable` while it cannot be opened.
        """
        with self._opening:
            try:
                if self.is_lost:
                    self._connect()
                if not self._is_hello_new or self._is_to_be_opened:
                    self._hello = self.connected().open_again(may_write=self.may_write)
                    self._is_to_be_opened = False
            except LoginRefused as error:
                raise LoginNeeded(str(error)) from error
            except UsageError as error:
                raise StoreUnavailable(str(error)) from error
            assert self._hello is not None  # it was opened by now
            self._is_hello_new = False
            return self._hello

    def log_in(self, interrupt: Interrupt) -> None:
        """Connect again if it is lost, while ssh may ask on the terminal. Waits. Raises `UsageError` when that fails."""
        with self._opening:
            if self.is_lost:
                channel = self.start()
                try:
                    with interrupt.watching(channel.close):
                        self.hello()
                except BaseException:
                    channel.close()
                    raise
                self.needs_login = False

    def try_again(self) -> None:
        """Connect again in the background, if it is lost and the time for it has come. Never waits."""
        with self._lock:
            lost_at = 0.0 if self._channel is None else self._channel.lost_at
            if lost_at is None or self._is_trying or self._is_closed:
                return
            if time.monotonic() < max(lost_at, self._failed_at) + self._delay_s:
                return
            self._is_trying = True
        threading.Thread(target=self._try, name="ssh again", daemon=True).start()

    def new_stream(self) -> int:
        """Return the number of a stream: requests of one are answered one after another."""
        return next(self._streams)

    def ask(self, stream: int, request: dict[str, Any]) -> Answer:
        """Wait for the answer to a request; see `Channel.ask`."""
        return self.connected().ask(stream, request)

    def stop(self, stream: int) -> None:
        """Stop what is asked in this stream. Never waits."""
        if (channel := self._channel) is not None:
            channel.stop(stream)

    def end_stream(self, stream: int) -> None:
        """Let the far end close what it opened for this stream. Never waits."""
        if (channel := self._channel) is not None:
            channel.tell(stream, {"do": "close"})

    def broken(self, error: BrokenFrame) -> StoreUnavailable:
        """Give up the connection because of an answer that does not fit, and return the error for that."""
        return self.connected().broken(error)

    def join(self) -> None:
        """Keep the line open until `leave` was called as often as this."""
        with self._lock:
            self._users += 1

    def leave(self) -> None:
        """Close the line when nobody else uses it."""
        with self._lock:
            self._users -= 1
            is_last = self._users <= 0
        if is_last:
            self.close()

    def close(self) -> None:
        """End ssh, and with it the far end. Waits a moment at most."""
        self._is_closed = True
        if (channel := self._channel) is not None:
            channel.close()

    def _new_channel(self, *, may_ask: bool, lock_wait_s: float) -> Channel:
        return Channel(self.file, self.traffic, may_ask=may_ask, may_write=self.may_write, lock_wait_s=lock_wait_s)

    def connected(self) -> Channel:
        """Return the connection that stands now. Raises `StoreUnavailable` when it is lost."""
        if self._channel is None or self._channel.lost_at is not None:
            raise lost(self.file)
        return self._channel

    def _try(self) -> None:
        try:
            with self._opening:
                if self.is_lost:
                    self._connect()
        except MldeckError:
            pass  # the next attempt comes later, and reads say meanwhile that the line is lost
        finally:
            self._is_trying = False

    def _connect(self) -> None:
        """Connect again without asking for anything."""
        if self._is_closed:
            raise lost(self.file)
        try:
            channel = self._new_channel(may_ask=False, lock_wait_s=0)
            try:
                hello = channel.hello(ANSWER_WAIT_S)
            except BaseException:
                channel.close()
                raise
        except MldeckError as error:
            self.needs_login = isinstance(error, LoginRefused)
            self._failed_at = time.monotonic()
            self._delay_s = min(2 * self._delay_s, LONGEST_DELAY_S)
            raise
        self._delay_s = FIRST_DELAY_S
        self.needs_login = False
        # In this order: whoever sees the new channel sees what it said too.
        self._hello, self._is_hello_new = hello, True
        self._channel = channel
        if self._is_closed:
            channel.close()
