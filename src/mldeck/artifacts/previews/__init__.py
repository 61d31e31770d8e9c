"""Previews: one module for each kind of file."""
