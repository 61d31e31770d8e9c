"""Asks before a host or a folder is accessed that only the database names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import App

from mldeck.artifacts.errors import Unconfirmed
from mldeck.ui.kit.dialogs.menu import Choice, MenuDialog

if TYPE_CHECKING:
    from mldeck.ui.state.session import Session


async def is_agreed(app: App[str], session: Session, place: Unconfirmed) -> bool:
    """Ask whether the place may be accessed, and remember a yes for this session or for good. Call it in a worker."""
    if place.is_host:
        question, refusal, once, always = "Connect to", "Do not connect", "Connect", "Connect"
        text = "The database names this host. mldeck would connect to it as you, with your keys and passwords."
    else:
        question, refusal, once, always = "Open", "Do not open it", "Open it", "Open it"
        text = "The database names this folder. MLflow did not make it for a run or a model."
    title = f"{question} {place.place}?"
    choices = (
        Choice("no", "n", refusal),
        Choice("once", "y", f"{once} until mldeck is closed"),
        Choice("always", "a", f"{always}, and do not ask again for this store"),
    )
    answer = await app.push_screen_wait(MenuDialog(title, choices, text))
    if answer not in ("once", "always"):
        return False
    session.agreed_places.add(place.place)
    if answer == "always":
        session.saved.agree_to(place.place)
    return True
