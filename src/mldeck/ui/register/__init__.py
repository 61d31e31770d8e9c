"""Registering a model of a run."""
