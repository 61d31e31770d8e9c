"""How fast the deck is, and how much it takes: `python -m tests.benchmark [--quick]` prints a table.

These are figures to look at, not a gate: wall-clock times depend on the machine and on its neighbours. Pytest runs none of it.
"""
