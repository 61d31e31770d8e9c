"""Changing experiments and runs."""
