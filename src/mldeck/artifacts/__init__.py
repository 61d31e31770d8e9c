"""Where artifacts lie, and what is in them: files as data, neither loaded nor trusted."""
