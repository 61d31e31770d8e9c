"""The place Models: registered models, their versions, and stage changes."""
