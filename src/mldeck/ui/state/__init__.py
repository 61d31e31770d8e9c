"""The state of a session as values, and the part of it that is saved between sessions. Textual is not imported here."""
