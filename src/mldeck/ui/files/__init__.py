"""Artifacts and logged models: the tree, the viewer, and the actions on them."""
