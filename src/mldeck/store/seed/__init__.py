"""Making new databases with MLflow's schema, and writing rows to them, for the demo and the tests."""
