"""A new database with MLflow's schema, and rows written to it. The demo and the tests use it."""
