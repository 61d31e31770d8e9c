"""Style sheets that are parsed once for each theme."""

from __future__ import annotations

from textual.css.stylesheet import Stylesheet


class ParsedStyles(Stylesheet):
    """A stylesheet that keeps its parsed rules until the variables change. Assign it to `App.stylesheet` before the start.

    Textual parses all rules again for every screen that is shown for the first time, which takes longer than painting it.
    Relies on `reparse` being no more than a parse into a copy, and on `parse` keeping what it has parsed.
    """

    def __init__(self, variables: dict[str, str]) -> None:
        super().__init__(variables=variables)
        self._colours = variables

    def set_variables(self, variables: dict[str, str]) -> None:
        """Set the variables. Rules that were parsed with the same ones are kept."""
        if variables != self._colours:
            self._colours = variables
            super().set_variables(variables)

    def reparse(self) -> None:
        """Parse what has not been parsed yet."""
        self.parse()
