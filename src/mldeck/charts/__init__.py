"""Numbers to picture: pure functions, no screen and no database."""
