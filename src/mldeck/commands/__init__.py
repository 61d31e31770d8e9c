"""The commands that print or change something without a screen, one module each; `mldeck.cli` calls them."""
