"""The histories of metrics, and their outlines."""
