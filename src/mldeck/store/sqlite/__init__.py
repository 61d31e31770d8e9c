"""All that is SQLite's own: its files, connections, locks, and how a change is noticed."""
