"""Writing what a pane shows to a file."""
