"""MLflow 3.17's rules for names, keys and values of tags, with messages that say what to change.

Source: MLflow's `utils/validation.py`. Nothing here reads the database. A text that MLflow would truncate is refused, and so is
an invisible name that it would accept. Names of runs, and the registry's names of models and descriptions, have no limit:
MLflow has none, and SQLite stores any length. Every check raises `MldeckError`.
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
"""3.17 truncates longer values and logs a warning. Here they are refused, because an editor must not lose text."""
MAX_EXPERIMENT_TAG_LENGTH = 20_000

_KEY = re.compile(r"[/\w.\- :]*")
_CHECKED_BY_MLFLOW = frozenset({"mlflow.trace.archivalRetention", "mlflow.trace.archiveNow"})
"""Experiment tags that are settings of MLflow: it parses them as JSON and acts on them."""


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
    """Return "run NAME" for one label, "3 runs" for several."""
    return f"{noun} {safe(labels[0])}" if len(labels) == 1 else f"{len(labels):,} {noun}s"


def _check_name(noun: str, name: str) -> None:
    if not name.strip():
        raise MldeckError(f"the name of {'an' if noun[0] in 'aeiou' else 'a'} {noun} cannot be empty")


def check_key(key: str) -> None:
    """Check the key of a tag. MLflow may use keys as file names, so they must be normal paths."""
    shown = safe(key)
    if not key:
        raise MldeckError("the key of a tag cannot be empty")
    if not _KEY.fullmatch(key):
        raise MldeckError(f"tag key {shown}: MLflow accepts only letters, digits, spaces and _ - . : /")
    if posixpath.normpath(key) != key or key == "." or key.startswith(("..", "/")):
        raise MldeckError(f"tag key {shown}: MLflow would read it as a path")
    if len(key) > MAX_KEY_LENGTH:
        raise MldeckError(f"the key of a tag has at most {MAX_KEY_LENGTH} characters, not {len(key):,}")


def check_length(what: str, text: str, limit: int) -> None:
    """Check that the text, named `what` in the message, has at most `limit` characters."""
    if len(text) > limit:
        raise MldeckError(f"{what} has at most {limit:,} characters in MLflow, not {len(text):,}")
