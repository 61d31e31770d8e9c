"""The installed command in a real terminal, or as near to one as a test comes."""
