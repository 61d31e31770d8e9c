"""A file store of MLflow, as it is named on the command line. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class MlrunsFolder:
    """A folder such as `mlruns`, in which MLflow keeps each param, metric and tag in a file of its own."""

    path: Path
    """Absolute, with links kept."""

    def __str__(self) -> str:
        return str(self.path)
