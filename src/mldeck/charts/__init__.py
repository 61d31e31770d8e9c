"""Charts: pure functions that turn numbers into pictures. They know no screen and no database."""
