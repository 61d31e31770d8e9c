"""Widgets and helpers that know nothing of MLflow: the grid, bars, pictures, find, threads, the clock."""
