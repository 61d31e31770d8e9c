"""The model registry: its objects, plans of stage transitions, and the history of the stages.

Values and pure functions only, so that the deck, the commands and the store use the same ones.
"""
