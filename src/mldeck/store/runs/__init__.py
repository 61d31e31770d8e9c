"""Finding, filtering, sorting and reading experiments and runs."""
