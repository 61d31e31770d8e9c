"""Stores on PostgreSQL and MariaDB: the servers, the databases with MLflow's tables, and the tests of them."""
