"""The help: the only reader of all key tables."""
