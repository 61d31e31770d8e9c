"""Settings: a typed flag beats the environment, which beats the file, which beats the default.

The file is `config.toml` in mldeck's folder below the XDG configuration home; it is optional. Importing this module looks at
nothing; nothing here creates a folder.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from mldeck.errors import UsageError

DEFAULT_THEME = "mldeck-dark"
_KEYS = ("store", "experiment", "theme", "read_only")
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off", "")


class Settings(NamedTuple):
    """A named tuple, since this is the first thing to be loaded, and dataclasses take their time."""

    store: str | None
    """What to open, as it was written; None when nobody said."""
    store_origin: str
    """Where that came from, for error messages; empty for the command line."""
    experiment: str | None = None
    theme: str = DEFAULT_THEME
    read_only: bool = False


def config_file(environment: Mapping[str, str] = os.environ) -> Path:
    return _xdg_home(environment, "XDG_CONFIG_HOME", ".config") / "mldeck" / "config.toml"


def state_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Where mldeck remembers what was chosen: never in the database, which is shared."""
    return _xdg_home(environment, "XDG_STATE_HOME", ".local/state") / "mldeck"


def load_settings(
    *,
    store: str | None = None,
    experiment: str | None = None,
    theme: str | None = None,
    read_only: bool = False,
    environment: Mapping[str, str] = os.environ,
) -> Settings:
    """The arguments are what was typed; None or False stands for a flag that was not."""
    file = config_file(environment)
    written = _read(file)
    chosen, origin = _first(
        (store, ""),
        (environment.get("MLDECK_STORE"), "MLDECK_STORE"),
        (environment.get("MLFLOW_TRACKING_URI"), "MLFLOW_TRACKING_URI"),
        (_text(written, "store", file), str(file)),
    )
    return Settings(
        store=chosen,
        store_origin=origin,
        experiment=experiment or environment.get("MLDECK_EXPERIMENT") or _text(written, "experiment", file),
        theme=theme or environment.get("MLDECK_THEME") or _text(written, "theme", file) or DEFAULT_THEME,
        read_only=read_only or _read_only(environment, written, file),
    )


def _first(*choices: tuple[str | None, str]) -> tuple[str | None, str]:
    return next((choice for choice in choices if choice[0]), (None, ""))


def _xdg_home(environment: Mapping[str, str], name: str, default: str) -> Path:
    """The XDG base directory specification: a relative path is to be ignored."""
    value = environment.get(name, "")
    return Path(value) if Path(value).is_absolute() else Path.home() / default


def _read(file: Path) -> Mapping[str, object]:
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UsageError(f"the settings file {file} cannot be read: {error.strerror}") from None
    import sys  # imported late: most people have no settings file, and a TOML parser costs milliseconds

    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        written: Mapping[str, object] = tomllib.loads(content.decode())
    except ValueError as error:
        raise UsageError(f"the settings file {file} is not valid TOML: {error}") from None
    unknown = [key for key in written if key not in _KEYS]
    if unknown:
        raise UsageError(f"the settings file {file} has unknown keys: {', '.join(unknown)} (known: {', '.join(_KEYS)})")
    return written


def _text(written: Mapping[str, object], key: str, file: Path) -> str | None:
    value = written.get(key)
    if value is not None and not isinstance(value, str):
        raise UsageError(f"the settings file {file}: {key} must be a text in quotes")
    return value


def _read_only(environment: Mapping[str, str], written: Mapping[str, object], file: Path) -> bool:
    from_environment = environment.get("MLDECK_READ_ONLY")
    if from_environment is not None:
        value = from_environment.strip().lower()
        if value not in (*_TRUE, *_FALSE):
            raise UsageError(f"MLDECK_READ_ONLY={from_environment}: write 1 or 0")
        return value in _TRUE
    value_in_file = written.get("read_only", False)
    if not isinstance(value_in_file, bool):
        raise UsageError(f"the settings file {file}: read_only must be true or false")
    return value_in_file
