"""The model registry: its nouns, what may be called how, the plan of a change of stage, and the history of the stages.

Values and pure functions only: what is shown in a review, printed, written and tested is the same.
"""
