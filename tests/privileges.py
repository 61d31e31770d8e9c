"""Ways to lose root's powers over files: where tests run as root, file modes mean nothing until these are used.

Linux divides root's power into capabilities. Without the three named here, root meets a file as an ordinary owner does:
mode 000 cannot be read and mode 0444 cannot be written. Ordinary users, and systems other than Linux, are left alone.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_CAP_DAC_OVERRIDE = 1
_CAP_DAC_READ_SEARCH = 2
_CAP_FOWNER = 3
_POWERS_OVER_FILES = (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH, _CAP_FOWNER)
_MASK = sum(1 << power for power in _POWERS_OVER_FILES)

_PR_CAPBSET_DROP = 24
_CAPABILITY_VERSION_3 = 0x20080522
_THIS_THREAD = 0


class _Header(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _Data(ctypes.Structure):
    _fields_ = [("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32)]


# Version 3 of the interface carries 64 capabilities in two of these; ours are all in the first.
_DataPair = _Data * 2

# Loaded once, here: between fork and exec is no place to look for a library.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def _call(name: str, *arguments: object) -> None:
    if getattr(_libc, name)(*arguments) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")


def _capabilities() -> ctypes.Array[_Data]:
    data = _DataPair()
    _call("capget", ctypes.byref(_Header(_CAPABILITY_VERSION_3, _THIS_THREAD)), data)
    return data


def _set_capabilities(data: ctypes.Array[_Data]) -> None:
    _call("capset", ctypes.byref(_Header(_CAPABILITY_VERSION_3, _THIS_THREAD)), data)


def _is_linux_root() -> bool:
    return _libc is not None and os.geteuid() == 0


@contextmanager
def without_root_powers() -> Iterator[None]:
    """Inside, the current thread, and the threads it starts, obey file modes like anybody else.

    A thread that already exists is not affected: start a pool inside, not outside. A program that is *executed* gets
    root's powers back; for that there is `drop_root_powers_before_exec`.
    """
    if not _is_linux_root():
        yield
        return
    data = _capabilities()
    held = data[0].effective & _MASK
    data[0].effective &= ~_MASK
    _set_capabilities(data)
    try:
        yield
    finally:
        data = _capabilities()
        data[0].effective |= held
        _set_capabilities(data)


def drop_root_powers_before_exec() -> None:
    """For `subprocess.Popen(preexec_fn=...)`: the program about to be executed obeys file modes, for good.

    What root gets at exec is what is in the bounding set or inheritable, so the powers are taken out of both.
    """
    if not _is_linux_root():
        return
    for power in _POWERS_OVER_FILES:
        _call("prctl", _PR_CAPBSET_DROP, power, 0, 0, 0)
    data = _capabilities()
    data[0].inheritable &= ~_MASK
    _set_capabilities(data)
