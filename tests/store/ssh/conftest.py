"""Fixtures for the tests of stores on other machines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.far_hosts import shell_for_ssh, use_as_ssh
from tests.fixture_stores import FixtureStore


@pytest.fixture(autouse=True)
def shell_as_ssh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most tests need no ssh."""
    use_as_ssh(monkeypatch, shell_for_ssh())


@pytest.fixture
def db(store_copy: Callable[[str], FixtureStore]) -> Path:
    return store_copy("mlflow-2.9.2").db
