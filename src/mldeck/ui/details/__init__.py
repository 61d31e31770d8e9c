"""How a run looks as cells, lines and metrics, in whatever place shows it."""
