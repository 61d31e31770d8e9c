"""Settings. Command-line options override the environment, which overrides the settings file, which overrides defaults.

The optional file is `mldeck/config.toml` in the XDG configuration home. Importing this module reads nothing, and nothing
here creates a folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from mldeck.errors import UsageError
from mldeck.foreign import read_file

DEFAULT_THEME = "mldeck-dark"
_MAX_FILE_BYTES = 1 << 15
"""Python's TOML parser needs quadratic time for a key of many parts; with this limit it takes some seconds at worst."""
_KEYS = (
    *("store", "registry_store", "experiment", "theme", "read_only"),
    *("record_transitions", "artifact_roots", "artifact_hosts", "hosts", "images", "mirror", "keys"),
)
_HOST_KEYS = ("write",)
IMAGES = ("auto", "kitty", "iterm", "sixel", "blocks")
"""How pictures are drawn: by a protocol of terminals, as half blocks, or as the terminal says that it can."""
_MIRRORS = ("disk", "memory")
"""Whether the mirror of a store that is no database is kept for the next session."""
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off", "")


class Settings(NamedTuple):
    """The settings of a run of mldeck. A named tuple, because it is loaded first and importing dataclasses takes time."""

    store: str | None
    """The store argument exactly as given; None if unspecified."""
    store_origin: str
    """The source of `store` for error messages, such as an environment variable; empty for the command line."""
    experiment: str | None = None
    """The name of the experiment to start with."""
    theme: str = DEFAULT_THEME
    read_only: bool = False
    """Whether nothing may be changed, wherever it is."""
    write: bool = False
    """Whether stores on other machines may be changed."""
    writable_hosts: tuple[str, ...] = ()
    """Machines whose stores may be changed anyway."""
    registry_store: str | None = None
    """The database of the model registry exactly as given; None if the registry is in the same database as the runs."""
    registry_origin: str = ""
    """The source of `registry_store`; empty for the command line."""
    record_transitions: bool = True
    """Whether to record, in a tag of the version, who changed its stage, when and why."""
    artifact_roots: tuple[tuple[str, str], ...] = ()
    """Pairs (old, new): a path or URI in the database, and its present location. The first pair that leads to files is
    used."""
    artifact_hosts: tuple[str, ...] = ()
    """`scheme://authority` of artifact stores to connect to without asking."""
    keys: tuple[tuple[str, tuple[object, ...]], ...] = ()
    """Pairs of the id of a key and the keys that replace its own, as they are written in the file. The application checks
    them, and that they are texts, so that the commands run also if they are wrong."""
    images: str = "auto"
    """One of `IMAGES`."""
    keeps_mirrors: bool = True
    """Whether the mirror of an mlruns folder is kept in the cache folder."""
    fixes_theme: bool = False
    """Whether `theme` is from an option or the environment. Otherwise the theme that was chosen in the palette is used."""

    def writes_to(self, host: str) -> bool:
        """Return whether stores on that machine may be changed; an empty text stands for this one."""
        return not self.read_only and (not host or self.write or host in self.writable_hosts)


class UnknownSettings(UsageError):
    """The settings file has settings that do not exist."""

    def __init__(self, message: str, keys: tuple[tuple[str, tuple[object, ...]], ...]) -> None:
        """`keys` is the value for `Settings.keys` in the file, so that its errors can be reported together with this one."""
        super().__init__(message)
        self.keys = keys


def config_file(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the path of the settings file, which need not exist."""
    return _xdg_home(environment, "XDG_CONFIG_HOME", ".config") / "mldeck" / "config.toml"


def state_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder for saved choices, which need not exist. They are not saved in the database: that is shared."""
    return _xdg_home(environment, "XDG_STATE_HOME", ".local/state") / "mldeck"


def load_settings(
    *,
    store: str | None = None,
    experiment: str | None = None,
    theme: str | None = None,
    read_only: bool = False,
    write: bool = False,
    registry_store: str | None = None,
    record_transitions: bool = True,
    artifact_roots: Sequence[str] = (),
    no_mirror: bool = False,
    environment: Mapping[str, str] = os.environ,
) -> Settings:
    """Combine command-line options, the environment and the settings file.

    The arguments are the values of the options, and their defaults mean that the option was not given. Raises `UsageError`
    if the file cannot be read or a value is invalid.
    """
    file = config_file(environment)
    written = _read(file)
    chosen, origin = _first(
        (store, ""),
        (environment.get("MLDECK_STORE"), "MLDECK_STORE"),
        (environment.get("MLFLOW_TRACKING_URI"), "MLFLOW_TRACKING_URI"),
        (_text(written, "store", file), str(file)),
    )
    registry, registry_origin = _first(
        (registry_store, ""),
        (environment.get("MLDECK_REGISTRY_STORE"), "MLDECK_REGISTRY_STORE"),
        (environment.get("MLFLOW_REGISTRY_URI"), "MLFLOW_REGISTRY_URI"),
        (_text(written, "registry_store", file), str(file)),
    )
    return Settings(
        store=chosen,
        store_origin=origin,
        experiment=experiment or environment.get("MLDECK_EXPERIMENT") or _text(written, "experiment", file),
        theme=theme or environment.get("MLDECK_THEME") or _text(written, "theme", file) or DEFAULT_THEME,
        read_only=read_only or _truth("read_only", False, environment, written, file),
        write=write,
        writable_hosts=tuple(_writable_hosts(written, file)),
        registry_store=registry,
        registry_origin=registry_origin,
        record_transitions=record_transitions and _truth("record_transitions", True, environment, written, file),
        artifact_roots=(
            *(_artifact_root(root, "--artifact-root") for root in artifact_roots),
            *_roots_of_environment(environment),
            *_roots_of_file(written, file),
        ),
        artifact_hosts=(*_hosts_of_environment(environment), *_hosts_of_file(written, file)),
        keys=tuple(_keys_of_file(written, file)),
        images=_choice("images", IMAGES, environment, written, file),
        keeps_mirrors=not no_mirror and _choice("mirror", _MIRRORS, environment, written, file) == "disk",
        fixes_theme=bool(theme or environment.get("MLDECK_THEME")),
    )


def _first(*choices: tuple[str | None, str]) -> tuple[str | None, str]:
    return next((choice for choice in choices if choice[0]), (None, ""))


def _xdg_home(environment: Mapping[str, str], name: str, default: str) -> Path:
    """Return a base directory. By the XDG specification a relative path in the environment is ignored."""
    value = environment.get(name, "")
    return Path(value) if Path(value).is_absolute() else _home() / default


def _home() -> Path:
    """Return the home folder, or `/` for a user without a name, as shells in containers do."""
    try:
        return Path.home()
    except RuntimeError:
        return Path("/")


def _read(file: Path) -> Mapping[str, object]:
    try:
        content = read_file(file, _MAX_FILE_BYTES)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UsageError(f"the settings file {file} cannot be read: {error.strerror}") from None
    import sys  # imported late, because most users have no settings file and a TOML parser takes milliseconds to import

    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        written: Mapping[str, object] = tomllib.loads(content.decode())
    except ValueError as error:
        raise UsageError(f"the settings file {file} is not valid TOML: {error}") from None
    except RecursionError:
        raise UsageError(f"the settings file {file} is not valid TOML: it is nested too deeply") from None
    unknown = [key for key in written if key not in _KEYS]
    if unknown:
        complaint = f"the settings file {file} has unknown keys: {', '.join(unknown)} (known: {', '.join(_KEYS)})"
        raise UnknownSettings(complaint, tuple(_keys_of_file(written, file)))
    return written


def _text(written: Mapping[str, object], key: str, file: Path) -> str | None:
    value = written.get(key)
    if value is not None and not isinstance(value, str):
        raise UsageError(f"the settings file {file}: {key} must be a text in quotes")
    return value


def _choice(
    key: str, choices: Sequence[str], environment: Mapping[str, str], written: Mapping[str, object], file: Path
) -> str:
    """Return the one of the choices that the environment or the file names; the first one by default."""
    name = f"MLDECK_{key.upper()}"
    value, origin = _first(
        (environment.get(name), name),
        (_text(written, key, file), f"the settings file {file}: {key}"),
    )
    if value is not None and value not in choices:
        raise UsageError(f"{origin} = {value!r}: write {', '.join(choices[:-1])} or {choices[-1]}")
    return value or choices[0]


def _truth(key: str, default: bool, environment: Mapping[str, str], written: Mapping[str, object], file: Path) -> bool:
    name = f"MLDECK_{key.upper()}"
    from_environment = environment.get(name)
    if from_environment is not None:
        value = from_environment.strip().lower()
        if value not in (*_TRUE, *_FALSE):
            raise UsageError(f"{name}={from_environment}: write 1 or 0")
        return value in _TRUE
    value_in_file = written.get(key, default)
    if not isinstance(value_in_file, bool):
        raise UsageError(f"the settings file {file}: {key} must be true or false")
    return value_in_file


def _artifact_root(text: str, origin: str) -> tuple[str, str]:
    old, _, new = text.partition("=")
    return _root(old, new, f"{origin} {text}")


def _root(old: str, new: str, written: str) -> tuple[str, str]:
    if not (old and new):
        raise UsageError(f"{written}: write OLD=NEW, the path or URI in the database and where that is now")
    if "://" in new:
        return old, new
    from mldeck.addresses import typed_path  # imported late, because few users have artifact roots

    try:
        return old, str(typed_path(new))
    except UsageError as error:
        raise UsageError(f"{written}: {error}") from None


def _roots_of_environment(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Return the pairs of `MLDECK_ARTIFACT_ROOTS`. They are separated by semicolons, because URIs contain colons."""
    written = environment.get("MLDECK_ARTIFACT_ROOTS", "")
    return (_artifact_root(root, "MLDECK_ARTIFACT_ROOTS") for root in written.split(";") if root.strip())


def _roots_of_file(written: Mapping[str, object], file: Path) -> Iterator[tuple[str, str]]:
    roots = written.get("artifact_roots", {})
    if not isinstance(roots, Mapping) or not all(isinstance(new, str) for new in roots.values()):
        raise UsageError(f'the settings file {file}: artifact_roots must be a table of "OLD" = "NEW"')
    return (_root(old, new, f"the settings file {file}: artifact_roots {old}={new}") for old, new in roots.items())


def _artifact_host(text: str, origin: str) -> str:
    from mldeck.addresses import host_of  # imported late, because few users list hosts

    if "://" not in text:
        raise UsageError(f"{origin} {text}: write SCHEME://HOST, as in s3://bucket")
    return host_of(text)


def _hosts_of_environment(environment: Mapping[str, str]) -> Iterator[str]:
    written = environment.get("MLDECK_ARTIFACT_HOSTS", "")
    return (_artifact_host(host.strip(), "MLDECK_ARTIFACT_HOSTS") for host in written.split(";") if host.strip())


def _hosts_of_file(written: Mapping[str, object], file: Path) -> Iterator[str]:
    hosts = written.get("artifact_hosts", [])
    if not isinstance(hosts, list) or not all(isinstance(host, str) for host in hosts):
        raise UsageError(f'the settings file {file}: artifact_hosts must be a list, as in ["s3://bucket"]')
    return (_artifact_host(host, f"the settings file {file}: artifact_hosts") for host in hosts)


def _writable_hosts(written: Mapping[str, object], file: Path) -> Iterator[str]:
    hosts = written.get("hosts", {})
    if not isinstance(hosts, Mapping):
        raise UsageError(
            f'the settings file {file}: hosts must be tables, as in [hosts."gpu1"] and below it write = true'
        )
    for host, table in hosts.items():
        if not isinstance(table, Mapping):
            raise UsageError(f'the settings file {file}: hosts.{host} must be a table, as in [hosts."{host}"]')
        if unknown := [key for key in table if key not in _HOST_KEYS]:
            known = ", ".join(_HOST_KEYS)
            raise UsageError(
                f'the settings file {file}: [hosts."{host}"] has unknown keys: {", ".join(unknown)} (known: {known})'
            )
        write = table.get("write", False)
        if not isinstance(write, bool):
            raise UsageError(f'the settings file {file}: [hosts."{host}"] write must be true or false')
        if write:
            yield host


def _keys_of_file(written: Mapping[str, object], file: Path) -> Iterator[tuple[str, tuple[object, ...]]]:
    table = written.get("keys", {})
    if not isinstance(table, Mapping):
        raise UsageError(f'the settings file {file}: keys must be a table, as in [keys] and below it sort = "o"')
    for key_id, value in table.items():
        yield key_id, tuple(value) if isinstance(value, list) else (value,)
