"""A real sshd on loopback, as a process of its own, with keys and a configuration of its own for both sides."""

from __future__ import annotations

import getpass
import os
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.processes import command_lines, descendants
from tests.servers.service import free_port

_START_WAIT_S = 20.0
_SEPARATION = Path("/run/sshd")
"""Where an sshd of root's must find an empty folder."""

_SERVER = """\
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/user_key.pub
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
"""
_CLIENT = """\
Host far
  HostName 127.0.0.1
  Port {port}
  HostKeyAlias far
  User {user}
  IdentityFile {folder}/user_key
  IdentityAgent none
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known_hosts
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
"""


@dataclass(frozen=True)
class Sshd:
    """A running server."""

    pid: int
    port: int
    folder: Path
    """With the configuration of the server and the keys."""

    def client(self, folder: Path, port: int | None = None, **options: str) -> str:
        """Write a configuration with the host `far` into the folder; return words for `MLDECK_SSH` that use it.

        `port` is that of a link in between. `options` are those of ssh_config, and come first, so that they count.
        """
        config = folder / "ssh_config"
        text = _CLIENT.format(port=port or self.port, folder=self.folder, user=getpass.getuser())
        config.write_text("".join(f"{name} {value}\n" for name, value in options.items()) + text)
        return shlex.join(["ssh", "-F", str(config)])

    def descendants(self) -> dict[int, str]:
        """Return the command lines of the processes that serve a connection, by id."""
        words = command_lines()
        return {pid: words[pid] for pid in descendants(self.pid) if pid in words}


@contextmanager
def running_sshd(folder: Path) -> Iterator[Sshd]:
    """Start a server that keeps its files in the folder; skip the test where there is none, except in CI."""
    program = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None or shutil.which("ssh") is None:
        if "CI" in os.environ:
            raise AssertionError("openssh-server is not installed")
        pytest.skip("sshd is not installed here")
    if os.geteuid() == 0:
        _SEPARATION.mkdir(mode=0o755, exist_ok=True)
    for name in ("host_key", "user_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    public = (folder / "host_key.pub").read_text()
    (folder / "known_hosts").write_text(f"far {public}")
    port = free_port()
    (folder / "sshd_config").write_text(_SERVER.format(port=port, folder=folder))
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([program, "-D", "-e", "-f", str(folder / "sshd_config")], stderr=log)
    try:
        _wait_for(server, port, folder / "log")
        yield Sshd(server.pid, port, folder)
    finally:
        server.terminate()
        server.wait()


def _wait_for(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_WAIT_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), 1):
                return
        except OSError:
            time.sleep(0.02)
    raise AssertionError(f"sshd did not start: {log.read_text(errors='replace')}")
