"""The model registry: reading and changing it."""
