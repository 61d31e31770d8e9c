"""Artifacts: where they are, and what is in them. Files are treated as data, never loaded and never trusted."""
