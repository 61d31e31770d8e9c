"""A widget for each kind of preview."""
