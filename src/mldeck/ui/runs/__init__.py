"""The place Runs."""
