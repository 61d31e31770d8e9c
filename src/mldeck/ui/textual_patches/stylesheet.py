"""The rules of all style sheets, parsed once for each set of colours.

Textual parses them all again for every place that is shown for the first time: that takes longer than painting it.
"""

from __future__ import annotations

from textual.css.stylesheet import Stylesheet


class ParsedStyles(Stylesheet):
    """Put it in the place of an application's `stylesheet` before the application runs."""

    def __init__(self, variables: dict[str, str]) -> None:
        super().__init__(variables=variables)
        self._colours = variables

    def set_variables(self, variables: dict[str, str]) -> None:
        """What was parsed with the same ones is kept."""
        if variables != self._colours:
            self._colours = variables
            super().set_variables(variables)

    def reparse(self) -> None:
        """Here and not in a copy of this: what was parsed already is taken from there."""
        self.parse()
