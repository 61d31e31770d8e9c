"""The line in MLflow's search language, and its completion."""
