"""What MLflow 3.17 takes for names, keys and values of tags: its `utils/validation.py`, in words a person can act on.

Nothing here looks at the database. Where MLflow would cut a text off, or take a name nobody can see, it is refused. Names of
runs, and in the registry names of models and descriptions, have no limit: MLflow has none, and SQLite holds them all.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

from mldeck.errors import MldeckError
from mldeck.format import safe

MAX_EXPERIMENT_NAME_LENGTH = 500
MAX_KEY_LENGTH = 250
MAX_RUN_TAG_LENGTH = 8000
"""3.17 cuts longer values off and logs a warning. Here they are refused: an editor loses nothing."""
MAX_EXPERIMENT_TAG_LENGTH = 20_000

_KEY = re.compile(r"[/\w.\- :]*")
_CHECKED_BY_MLFLOW = frozenset({"mlflow.trace.archivalRetention", "mlflow.trace.archiveNow"})
"""Experiment tags that are settings of MLflow's own: it reads them as JSON and acts on them."""


def check_run_name(name: str) -> None:
    _check_name("run", name)


def check_experiment_name(name: str) -> None:
    _check_name("experiment", name)
    check_length("the name of an experiment", name, MAX_EXPERIMENT_NAME_LENGTH)


def check_run_tag(key: str, value: str) -> None:
    check_key(key)
    check_length(f"the value of tag {key}", value, MAX_RUN_TAG_LENGTH)


def check_experiment_tag(key: str, value: str) -> None:
    check_key(key)
    if key in _CHECKED_BY_MLFLOW:
        raise MldeckError(f"tag {key} is a setting of MLflow's; set it with MLflow")
    check_length(f"the value of tag {key}", value, MAX_EXPERIMENT_TAG_LENGTH)


def check_run_note(text: str) -> None:
    check_length("the note", text, MAX_RUN_TAG_LENGTH)


def check_experiment_note(text: str) -> None:
    check_length("the note", text, MAX_EXPERIMENT_TAG_LENGTH)


def in_words(noun: str, labels: Sequence[str]) -> str:
    """The one by its name, several by their number."""
    return f"{noun} {safe(labels[0])}" if len(labels) == 1 else f"{len(labels):,} {noun}s"


def _check_name(noun: str, name: str) -> None:
    if not name.strip():
        raise MldeckError(f"the name of {'an' if noun[0] in 'aeiou' else 'a'} {noun} cannot be empty")


def check_key(key: str) -> None:
    """Keys may become file names, so they must be normal paths."""
    shown = safe(key)
    if not key:
        raise MldeckError("the key of a tag cannot be empty")
    if not _KEY.fullmatch(key):
        raise MldeckError(f"tag key {shown}: MLflow takes letters, digits, spaces and _ - . : / only")
    if posixpath.normpath(key) != key or key == "." or key.startswith(("..", "/")):
        raise MldeckError(f"tag key {shown}: MLflow takes it for a path, and it is not a plain one")
    if len(key) > MAX_KEY_LENGTH:
        raise MldeckError(f"the key of a tag has at most {MAX_KEY_LENGTH} characters, not {len(key):,}")


def check_length(what: str, text: str, limit: int) -> None:
    if len(text) > limit:
        raise MldeckError(f"{what} has at most {limit:,} characters in MLflow, not {len(text):,}")
