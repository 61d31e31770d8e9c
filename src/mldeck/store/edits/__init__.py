"""Changes to experiments and runs."""
