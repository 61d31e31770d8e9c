"""Fixtures that the charts' tests share."""

from tests.charts.sweep import project, sweep

__all__ = ["project", "sweep"]
