"""A TCP proxy on loopback that behaves like a long line: it delays, has a rate, starts slowly, and can be made to fail.

    python -m tests.link LISTEN_PORT TARGET_PORT ROUND_TRIP_MS [MEGABITS_PER_S]

The kernel of a test machine seldom has what `tc netem` needs. Connecting takes a round trip. As TCP does, each direction begins
with ten segments, sends twice as much with every round trip, and begins anew after it was idle.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_FIRST_WINDOW = 10 * 1460
_LARGEST_WINDOW = 4 << 20
_IDLE_S = 0.2
"""Seconds, beyond a round trip, after which a direction begins anew."""
_PART = 1 << 16
_END_WAIT_S = 10


@dataclass
class Link:
    """A proxy to a port on loopback. Its attributes may be changed while it runs, from any thread."""

    target_port: int
    round_trip_s: float = 0.0
    bytes_per_s: float = 100e6 / 8
    port: int = 0
    """The port to connect to; chosen by the system when it is 0."""
    is_dropping: bool = False
    """Whether everything is lost without a word, as when a cable is pulled."""
    carried_bytes: int = 0
    trips: int = 0
    """Round trips begun by the near end: connections, and what it sent after the far end had answered."""
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _loop: asyncio.AbstractEventLoop | None = None

    def cut(self) -> None:
        """End all connections at once."""
        assert self._loop is not None, "it is not running"
        asyncio.run_coroutine_threadsafe(self._cut(), self._loop).result(2 * _END_WAIT_S)

    async def serve(self) -> asyncio.Server:
        self._loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _cut(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def _accept(self, near: asyncio.StreamReader, near_writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(self.round_trip_s)
        try:
            far, far_writer = await asyncio.open_connection("127.0.0.1", self.target_port)
        except OSError:
            near_writer.transport.abort()
            return
        writers = {near_writer, far_writer}
        self._writers |= writers
        self.trips += 1
        turn = _Turn(self)
        for writer in writers:
            writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            await asyncio.gather(
                _Direction(self, near, far_writer, turn.near_sends).run(),
                _Direction(self, far, near_writer, turn.far_sends).run(),
            )
        finally:
            self._writers -= writers
            for writer in writers:
                writer.transport.abort()


@dataclass
class _Turn:
    """Whose turn it is to send on one connection."""

    link: Link
    is_near: bool = True

    def near_sends(self) -> None:
        self.link.trips += self.is_near
        self.is_near = False

    def far_sends(self) -> None:
        self.is_near = True


class _Direction:
    """One direction of one connection."""

    def __init__(
        self,
        link: Link,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        tell: Callable[[], None],
    ) -> None:
        """`tell` is called when something is sent."""
        self._tell = tell
        self._link = link
        self._reader = reader
        self._writer = writer
        self._window = _FIRST_WINDOW
        self._in_flight = 0
        self._free_at = 0.0
        self._sent_at = 0.0
        self._acknowledged = asyncio.Event()
        self._arriving: asyncio.Queue[tuple[float, bytes] | None] = asyncio.Queue()

    async def run(self) -> None:
        delivering = asyncio.create_task(self._deliver())
        with contextlib.suppress(OSError):
            while data := await self._reader.read(_PART):
                self._tell()
                await self._send(data)
        await self._arriving.put(None)
        await delivering

    async def _send(self, data: bytes) -> None:
        link = self._link
        while data:
            while self._in_flight >= self._window:
                self._acknowledged.clear()
                await self._acknowledged.wait()
            now = time.monotonic()
            if self._in_flight == 0 and now - self._sent_at > _IDLE_S + link.round_trip_s:
                self._window = _FIRST_WINDOW
            part, data = data[: self._window - self._in_flight], data[self._window - self._in_flight :]
            self._in_flight += len(part)
            self._sent_at = now
            self._free_at = max(self._free_at, now) + len(part) / link.bytes_per_s
            await self._arriving.put((self._free_at + link.round_trip_s / 2, part))
            asyncio.get_running_loop().call_later(self._free_at - now + link.round_trip_s, self._acknowledge, len(part))

    def _acknowledge(self, count: int) -> None:
        self._in_flight -= count
        self._window = min(self._window + count, _LARGEST_WINDOW)
        self._acknowledged.set()

    async def _deliver(self) -> None:
        with contextlib.suppress(OSError):
            while (arriving := await self._arriving.get()) is not None:
                at, data = arriving
                await asyncio.sleep(max(0, at - time.monotonic()))
                if self._link.is_dropping:
                    continue
                self._link.carried_bytes += len(data)
                self._writer.write(data)
                await self._writer.drain()
            if self._writer.can_write_eof():
                self._writer.write_eof()


@contextmanager
def running(link: Link) -> Iterator[Link]:
    """Run the link in a thread of its own during the block."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(link.serve())
    thread = threading.Thread(target=loop.run_forever, name="link")
    thread.start()
    try:
        yield link
    finally:

        async def end() -> None:
            server.close()
            await link._cut()
            if others := asyncio.all_tasks() - {asyncio.current_task()}:
                await asyncio.wait(others, timeout=_END_WAIT_S)

        asyncio.run_coroutine_threadsafe(end(), loop).result(2 * _END_WAIT_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_END_WAIT_S)
        loop.close()


async def _main() -> None:
    listen, target, milliseconds, *rate = map(float, sys.argv[1:])
    link = Link(int(target), milliseconds / 1000, (rate[0] if rate else 100) * 1e6 / 8, int(listen))
    await (await link.serve()).serve_forever()


if __name__ == "__main__":
    asyncio.run(_main())
