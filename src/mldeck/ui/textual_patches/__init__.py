"""All that depends on how Textual 8.2 works inside, beyond what its documentation promises.

Each patch says what it is for, what it relies on, and what would replace it. When Textual changes under one of them, its test
in `tests/ui/test_textual_patches.py` fails. No other module uses a private name of Textual.
"""
