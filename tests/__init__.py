"""The tests of mldeck: they mirror src, and share the helpers that lie beside this file."""
