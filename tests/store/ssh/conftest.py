"""Fixtures for the tests of stores on other machines."""

from __future__ import annotations

import pytest

from tests.far_hosts import shell_for_ssh, use_as_ssh


@pytest.fixture(autouse=True)
def shell_as_ssh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most tests need no ssh."""
    use_as_ssh(monkeypatch, shell_for_ssh())
