"""The actions of the command palette, found by name and by description."""

from __future__ import annotations

from textual.command import DiscoveryHit, Hit, Hits, Provider

_BY_NAME, _BY_DESCRIPTION = 2 / 3, 1 / 3


class Actions(Provider):
    """Offers the commands of the application.

    Those whose name has all the words come first, then those whose description has them, then names with the letters in order.
    """

    async def discover(self) -> Hits:
        for name, description, run, _ in sorted(
            self.app.get_system_commands(self.screen), key=lambda command: command.title
        ):
            yield DiscoveryHit(name, run, help=description)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        words = query.casefold().split()
        for name, description, run, _ in self.app.get_system_commands(self.screen):
            likeness = matcher.match(name)
            score = likeness / (1 + likeness) / 3
            if all(word in name.casefold() for word in words):
                score += _BY_NAME
            elif all(word in f"{name} {description}".casefold() for word in words):
                score += _BY_DESCRIPTION
            if score:
                yield Hit(score, matcher.highlight(name), run, help=description)
