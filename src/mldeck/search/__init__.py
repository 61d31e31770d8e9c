"""MLflow's search language: parses text into a tree, and reports errors with positions."""
