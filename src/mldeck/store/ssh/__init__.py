"""A SQLite file on another machine, read through the user's own ssh: a program that is sent there, and what talks to it."""
