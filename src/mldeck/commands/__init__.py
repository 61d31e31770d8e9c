"""The commands that print or change something without the deck. Each is a module with a function `run`."""
