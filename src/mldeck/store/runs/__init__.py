"""Experiments and runs: finding, filtering, sorting and reading them."""
