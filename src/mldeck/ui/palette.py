"""The actions of the command palette, found by name and by description: those that work here, then those of other places."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import cast

from textual.app import App
from textual.command import DiscoveryHit, Hit, Hits, Provider

from mldeck.ui.kit.keys import Key, entry_of, key_name

_BY_NAME, _BY_DESCRIPTION = 2 / 3, 1 / 3
_ELSEWHERE = 1 / 100
"""The factor that puts what works elsewhere behind everything that works here."""


class Actions(Provider):
    """Offers the commands of the application.

    Those whose name has all the words come first, then those whose description has them, then names with the letters in order.
    """

    async def discover(self) -> Hits:
        commands = self.app.get_system_commands(self.screen)
        for name, description, run, is_offered in sorted(commands, key=lambda command: command.title):
            if is_offered:
                yield DiscoveryHit(name, run, help=description)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for name, description, run, _ in self.app.get_system_commands(self.screen):
            likeness = matcher.match(name)
            score = likeness / (1 + likeness) / 3 + _words_score(query, name, description)
            if score:
                yield Hit(score, matcher.highlight(name), run, help=description)


class ActionsElsewhere(Provider):
    """Finds the keys of other panes and places. Choosing one goes to the place, and says the key and where it works."""

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for key, pane, place in self._keys():
            name = f"{key.label.capitalize()}  {key_name(key.id)} · {pane}"
            score = _words_score(query, name, key.help)
            if score:
                yield Hit(score * _ELSEWHERE, matcher.highlight(name), self._way(key, pane, place), help=key.help)

    def _keys(self) -> Iterator[tuple[Key, str, str]]:
        """Yield each key that does not work here, with the title of its group and the name of its place.

        Left out are moves, and actions that work here under another key, such as sorting.
        """
        from mldeck.ui.help.key_groups import GROUPS, PLACES

        entries = [entry_of(active.binding) for active in self.screen.active_bindings.values()]
        here = {entry.label for entry in entries if entry is not None}
        for pane, keys in GROUPS:
            for key in keys:
                if pane in PLACES and not key.is_move and key.label not in here:
                    yield key, pane, PLACES[pane]

    def _way(self, key: Key, pane: str, place: str) -> Callable[[], Awaitable[None]]:
        async def go() -> None:
            app = cast("App[str]", self.app)
            await app.run_action(f"app.place({place!r})")
            app.notify(f"{pane} · {key_name(key.id)}: {key.help}", timeout=8)

        return go


def _words_score(query: str, name: str, description: str) -> float:
    """Return how well all words of a query match; 0 if one is missing."""
    words = query.casefold().split()
    if all(word in name.casefold() for word in words):
        return _BY_NAME
    return _BY_DESCRIPTION if all(word in f"{name} {description}".casefold() for word in words) else 0
