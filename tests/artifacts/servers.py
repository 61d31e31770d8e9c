"""Servers on loopback, for the tests of object stores: one that speaks S3, started as a process of its own, and one that
speaks SFTP."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_S3 = """
import sys
from moto.moto_server.threaded_moto_server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()  # until the tests are over
server.stop()
"""

_SFTP = """
import asyncio, sys
import asyncssh

class Anybody(asyncssh.SSHServer):
    def begin_auth(self, username):
        return False

async def serve(root, key):
    def files(channel):
        return asyncssh.SFTPServer(channel, chroot=root)
    server = await asyncssh.listen("127.0.0.1", 0, server_factory=Anybody, server_host_keys=[key], sftp_factory=files)
    print(server.get_port(), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close()

asyncio.run(serve(*sys.argv[1:]))
"""


@contextmanager
def s3_server() -> Iterator[int]:
    """Its port."""
    with _server(_S3) as port:
        yield port


@contextmanager
def sftp_server(root: str, host_key: str) -> Iterator[int]:
    with _server(_SFTP, root, host_key) as port:
        yield port


@contextmanager
def _server(script: str, *arguments: str) -> Iterator[int]:
    with subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.communicate(timeout=30)  # closing its input ends it
