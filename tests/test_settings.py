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
            "environment.db", "MLDECK_STORE", "from environment", "environment-theme", False, fixes_theme=True
        )

    def test_flags_beat_the_environment(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        file.write_text(self.FILE)
        for name in ("MLDECK_STORE", "MLFLOW_TRACKING_URI", "MLDECK_EXPERIMENT", "MLDECK_THEME"):
            monkeypatch.setenv(name, "environment")
        monkeypatch.setenv("MLDECK_READ_ONLY", "no")
        settings = load_settings(store="flag.db", experiment="from flag", theme="flag-theme", read_only=True)
        assert settings == Settings("flag.db", "", "from flag", "flag-theme", True, fixes_theme=True)

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


class TestRegistry:
    FILE = 'registry_store = "file.db"\nrecord_transitions = false\n'

    def test_the_registry_is_in_the_same_database_unless_somebody_says_otherwise(
        self, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert (load_settings().registry_store, load_settings().record_transitions) == (None, True)
        file.write_text(self.FILE)
        settings = load_settings()
        assert (settings.registry_store, settings.registry_origin) == ("file.db", str(file))
        monkeypatch.setenv("MLFLOW_REGISTRY_URI", "sqlite:///mlflows.db")
        assert load_settings().registry_origin == "MLFLOW_REGISTRY_URI"
        monkeypatch.setenv("MLDECK_REGISTRY_STORE", "ours.db")
        assert load_settings().registry_store == "ours.db"
        settings = load_settings(registry_store="flag.db")
        assert (settings.registry_store, settings.registry_origin) == ("flag.db", "")

    def test_changes_of_stage_are_recorded_unless_somebody_says_otherwise(
        self, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert not load_settings(record_transitions=False).record_transitions
        file.write_text(self.FILE)
        assert not load_settings().record_transitions
        monkeypatch.setenv("MLDECK_RECORD_TRANSITIONS", "1")
        assert load_settings().record_transitions
        monkeypatch.setenv("MLDECK_RECORD_TRANSITIONS", "perhaps")
        with pytest.raises(UsageError, match="MLDECK_RECORD_TRANSITIONS=perhaps: write 1 or 0"):
            load_settings()


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


class TestWriting:
    @pytest.mark.parametrize("read_only", [False, True])
    @pytest.mark.parametrize("write", [False, True])
    def test_which_machines_may_be_written_to(self, write: bool, read_only: bool, file: Path) -> None:
        file.write_text("[hosts.'gpu1']\nwrite = true\n[hosts.'gpu2']\nwrite = false\n[hosts.'gpu3']\n")
        settings = load_settings(write=write, read_only=read_only)
        hosts = ("", "gpu1", "gpu2", "gpu3", "other")
        allowed = {host for host in hosts if settings.writes_to(host)}
        assert allowed == (set() if read_only else set(hosts) if write else {"", "gpu1"})

    def test_nothing_is_needed_for_this_machine(self) -> None:
        assert load_settings().writes_to("")
        assert not load_settings().writes_to("gpu1")


class TestArtifactRoots:
    def test_those_that_were_typed_come_first(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MLDECK_ARTIFACT_ROOTS", "/a=/environment; ;mlflow-artifacts:=s3://b/~x")
        file.write_text('[artifact_roots]\n"/a=b" = "/from-file"\n"s3://bucket" = "/copy"\n')
        assert load_settings(artifact_roots=["/a=/typed", "/x=y=z"]).artifact_roots == (
            ("/a", "/typed"),
            ("/x", "y=z"),
            ("/a", "/environment"),
            ("mlflow-artifacts:", "s3://b/~x"),
            ("/a=b", "/from-file"),
            ("s3://bucket", "/copy"),
        )

    def test_a_home_folder(self, isolated: Path) -> None:
        assert load_settings(artifact_roots=["/a=~/b"]).artifact_roots == (("/a", f"{isolated}/b"),)
        with pytest.raises(UsageError, match="no home folder is known for ~nobody-of-this-name"):
            load_settings(artifact_roots=["/a=~nobody-of-this-name/b"])

    @pytest.mark.parametrize("text", ["", "/a", "=/b", "/a="])
    def test_what_is_no_pair(self, text: str) -> None:
        with pytest.raises(UsageError, match=r"--artifact-root .*: write OLD=NEW"):
            load_settings(artifact_roots=[text])


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"store = ", "is not valid TOML"),
        (b"\xff\xfe", "is not valid TOML"),
        (b"stores = 'a.db'\ncolour = 1", "has unknown keys: stores, colour"),
        (b"store = 3", "store must be a text in quotes"),
        (b"theme = ['a']", "theme must be a text in quotes"),
        (b"read_only = 'yes'", "read_only must be true or false"),
        (b"artifact_roots = 'a=b'", "artifact_roots must be a table"),
        (b"artifact_roots = {a = 1}", "artifact_roots must be a table"),
        (b"artifact_roots = {a = ''}", "artifact_roots a=: write OLD=NEW"),
        (b"hosts = ['gpu1']", "hosts must be tables"),
        (b"hosts = {gpu1 = true}", "hosts.gpu1 must be a table"),
        (
            b"[hosts.'gpu1']\nwrites = true\ncolour = 1",
            '[hosts."gpu1"] has unknown keys: writes, colour (known: write)',
        ),
        (b"[hosts.'gpu1']\nwrite = 'yes'", '[hosts."gpu1"] write must be true or false'),
        (b"keys = 'o'", "keys must be a table"),
    ],
)
def test_a_file_that_is_wrong_is_named(file: Path, content: bytes, complaint: str) -> None:
    file.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        load_settings()
    assert complaint in str(caught.value)
    assert str(file) in str(caught.value)


def test_keys_are_one_or_several(file: Path) -> None:
    file.write_text('[keys]\nsort = "o"\nmark = ["M", "f5"]\n')
    assert load_settings().keys == (("sort", ("o",)), ("mark", ("M", "f5")))


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


def test_a_user_without_a_name_and_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in containers that run under any number."""

    def nameless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nameless)
    assert config_file({}) == Path("/.config/mldeck/config.toml")
    assert state_folder({}) == Path("/.local/state/mldeck")


class TestImages:
    def test_the_environment_beats_the_file(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        assert load_settings().images == "auto"
        file.write_text('images = "kitty"\n')
        assert load_settings().images == "kitty"
        monkeypatch.setenv("MLDECK_IMAGES", "blocks")
        assert load_settings().images == "blocks"

    def test_another_word(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        file.write_text('images = "jpeg"\n')
        with pytest.raises(
            UsageError, match=r"config\.toml: images = 'jpeg': write auto, kitty, iterm, sixel or blocks"
        ):
            load_settings()
        monkeypatch.setenv("MLDECK_IMAGES", "Kitty")
        with pytest.raises(UsageError, match="MLDECK_IMAGES = 'Kitty': write auto"):
            load_settings()
