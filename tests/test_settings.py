"""Where settings come from: flag, environment, file, default, in this order."""

from __future__ import annotations

from pathlib import Path

import pytest

from mldeck.errors import UsageError
from mldeck.settings import DEFAULT_THEME, Settings, config_file, load_settings, state_folder


@pytest.fixture
def file(isolated: Path) -> Path:
    path = config_file()
    path.parent.mkdir(parents=True)
    return path


def test_defaults(isolated: Path) -> None:
    assert load_settings() == Settings(None, "", None, DEFAULT_THEME, False)
    assert sorted(isolated.iterdir()) == []  # looking creates nothing


class TestPrecedence:
    FILE = 'store = "file.db"\nexperiment = "from file"\ntheme = "file-theme"\nread_only = true\n'

    def test_the_file(self, file: Path) -> None:
        file.write_text(self.FILE)
        assert load_settings() == Settings("file.db", str(file), "from file", "file-theme", True)

    def test_the_environment_beats_the_file(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        file.write_text(self.FILE)
        for name, value in {
            "MLDECK_STORE": "environment.db",
            "MLDECK_EXPERIMENT": "from environment",
            "MLDECK_THEME": "environment-theme",
            "MLDECK_READ_ONLY": "0",
        }.items():
            monkeypatch.setenv(name, value)
        assert load_settings() == Settings(
            "environment.db", "MLDECK_STORE", "from environment", "environment-theme", False
        )

    def test_flags_beat_the_environment(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        file.write_text(self.FILE)
        for name in ("MLDECK_STORE", "MLFLOW_TRACKING_URI", "MLDECK_EXPERIMENT", "MLDECK_THEME"):
            monkeypatch.setenv(name, "environment")
        monkeypatch.setenv("MLDECK_READ_ONLY", "no")
        settings = load_settings(store="flag.db", experiment="from flag", theme="flag-theme", read_only=True)
        assert settings == Settings("flag.db", "", "from flag", "flag-theme", True)

    def test_mlflows_variable_stands_between_ours_and_the_file(
        self, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file.write_text(self.FILE)
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///mlflows.db")
        settings = load_settings()
        assert (settings.store, settings.store_origin) == ("sqlite:///mlflows.db", "MLFLOW_TRACKING_URI")
        monkeypatch.setenv("MLDECK_STORE", "ours.db")
        assert load_settings().store == "ours.db"

    def test_an_empty_variable_is_as_good_as_none(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        file.write_text(self.FILE)
        for name in ("MLDECK_STORE", "MLFLOW_TRACKING_URI", "MLDECK_EXPERIMENT", "MLDECK_THEME"):
            monkeypatch.setenv(name, "")
        assert load_settings() == Settings("file.db", str(file), "from file", "file-theme", True)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        *((text, True) for text in ("1", "true", "YES", " on ")),
        *((text, False) for text in ("0", "False", "no", "off", "")),
    ],
)
def test_read_only_in_the_environment(written: str, expected: bool) -> None:
    assert load_settings(environment={"MLDECK_READ_ONLY": written}).read_only is expected


def test_a_word_that_is_neither_yes_nor_no() -> None:
    with pytest.raises(UsageError, match="MLDECK_READ_ONLY=maybe: write 1 or 0"):
        load_settings(environment={"MLDECK_READ_ONLY": "maybe"})


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"store = ", "is not valid TOML"),
        (b"\xff\xfe", "is not valid TOML"),
        (b"stores = 'a.db'\ncolour = 1", "has unknown keys: stores, colour"),
        (b"store = 3", "store must be a text in quotes"),
        (b"theme = ['a']", "theme must be a text in quotes"),
        (b"read_only = 'yes'", "read_only must be true or false"),
    ],
)
def test_a_file_that_is_wrong_is_named(file: Path, content: bytes, complaint: str) -> None:
    file.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        load_settings()
    assert complaint in str(caught.value)
    assert str(file) in str(caught.value)


def test_a_file_that_cannot_be_read(file: Path) -> None:
    file.mkdir()
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        load_settings()


def test_folders_follow_xdg(isolated: Path) -> None:
    environment = {"XDG_CONFIG_HOME": "/etc/xdg-of-ada", "XDG_STATE_HOME": "/var/state-of-ada"}
    assert config_file(environment) == Path("/etc/xdg-of-ada/mldeck/config.toml")
    assert state_folder(environment) == Path("/var/state-of-ada/mldeck")
    for elsewhere in ({}, {"XDG_CONFIG_HOME": "relative", "XDG_STATE_HOME": ""}):
        assert config_file(elsewhere) == isolated / ".config/mldeck/config.toml"
        assert state_folder(elsewhere) == isolated / ".local/state/mldeck"
