"""Random keys against the real program. `python -m tests.monkey` types many more of them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mldeck.ui.help.key_groups import GROUPS
from tests.monkey import SIZES, STORES, Monkey, burner, documented_keys, key_bytes

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="how a program is doing is read from /proc"),
]


def test_every_documented_key_can_be_typed() -> None:
    names = {name for _, keys in GROUPS for key in keys for name in key.keys.split(",")}
    assert set(documented_keys()) == names - {"q", "ctrl+q"}
    assert all(key_bytes(name) for name in names)


@pytest.mark.parametrize("store", STORES)
def test_random_keys_end_nothing(tmp_path: Path, store: str) -> None:
    monkey = Monkey(tmp_path, store, SIZES[0], seed=1)
    with burner():
        monkey.play(150)
    assert len(monkey.typed) >= 150
