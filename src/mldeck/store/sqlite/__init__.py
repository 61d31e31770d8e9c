"""All that is specific to SQLite: its files, connections, locks and catalogue, and how a change is detected."""
