"""Reading and changing the model registry."""
