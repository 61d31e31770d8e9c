"""Curves of metrics: full screen, in Compare, and as small charts."""
