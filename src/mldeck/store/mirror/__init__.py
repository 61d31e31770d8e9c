"""Stores that are no database: a private SQLite file holds what is in them, and is read instead."""
