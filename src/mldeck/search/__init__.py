"""MLflow's search language: text to tree, with positions for errors."""
