"""Makes the pictures in this folder from the application itself: `python screenshots/make.py`."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from mldeck.demo.project import make_demo
from mldeck.store.far_file import FarFile
from mldeck.store.ssh.command import SSH_VARIABLE
from tests.far_hosts import shell_for_ssh
from tests.ui.deck import Deck, running_deck

FOLDER = Path(__file__).parent


def save(deck: Deck, name: str) -> None:
    (FOLDER / f"{name}.svg").write_text(deck.app.export_screenshot(title="mldeck"), encoding="utf-8")


async def runs(path: Path) -> None:
    async with running_deck(path, experiment="churn-forecast", size=(120, 36)) as deck:
        await deck.until_counted(59)
        await deck.press("right", "right", "s")
        await deck.until_shown("val/auc ▼")
        await deck.press("space", "space", "right_square_bracket")
        await deck.until_shown("2 marked")
        await deck.until_shown("⠤⣀")
        save(deck, "runs")


async def note(path: Path) -> None:
    async with running_deck(path, experiment="churn-forecast", size=(160, 44), theme="mldeck-light") as deck:
        await deck.until_counted(59)
        await deck.press("slash", *"sweep-boosted", "enter")
        await deck.until_shown("Random search over")
        save(deck, "wide-light")


async def chart(path: Path) -> None:
    async with running_deck(path, experiment="leaf-disease-images", size=(120, 36)) as deck:
        await deck.until_counted(7)
        await deck.press("space", "down", "space", "down", "space", "m")
        await deck.until_shown("resnet50")
        await deck.press(*["right_square_bracket"] * 3, *["left"] * 13)
        await deck.until_shown("smoothed")
        save(deck, "chart")


async def compare(path: Path) -> None:
    async with running_deck(path, experiment="churn-forecast", size=(120, 36)) as deck:
        await deck.until_counted(59)
        await deck.press("ctrl+a", "equals_sign")
        await deck.until_shown("Table")
        await deck.press("right_curly_bracket", "right_curly_bracket")
        await deck.until_shown("coloured by")
        await deck.press(*["right"] * 9, "home", "b", *["down"] * 4, "enter")
        await deck.until_shown("of 59 runs")
        save(deck, "parallel")
        await deck.press("right_curly_bracket", "right_curly_bracket")
        await deck.until_shown("trials")
        save(deck, "contour")


async def artifacts(path: Path) -> None:
    async with running_deck(path, experiment="churn-forecast", size=(140, 44)) as deck:
        await deck.until_counted(59)
        await deck.press(*["down"] * 3, *["right_square_bracket"] * 4, "tab")
        await deck.until_shown("churn_model")
        await deck.press("down", "right")
        await deck.until_shown("roc.png")
        await deck.press(*["down"] * 4)
        await deck.until_shown("PNG image")
        save(deck, "artifacts")


async def models(path: Path) -> None:
    async with running_deck(path, size=(120, 36)) as deck:
        await deck.press("2")
        await deck.until_shown("first-trees")
        save(deck, "board")
        await deck.press("enter", "left", "left", "p")
        await deck.until_shown("Cancel")
        save(deck, "review")
        await deck.press("escape", "H")
        await deck.until_shown("registered")
        save(deck, "history")


async def elsewhere(path: Path) -> None:
    file = FarFile("gpu-vm", path.name, python=sys.executable)
    async with running_deck(file, experiment="churn-forecast", write=True, size=(120, 36)) as deck:
        await deck.until_counted(59)
        await deck.press("2")
        await deck.until_shown("first-trees")
        await deck.press("enter", "left", "left", "p")
        await deck.until_shown("Cancel")
        await deck.press(*"better recall", "enter", "enter")
        await deck.until_shown("is in Production")
        save(deck, "elsewhere")


def main() -> None:
    # At the same place every time: some pictures show the paths of files.
    folder = Path(tempfile.gettempdir()) / "mldeck-pictures"
    try:
        os.chdir(make_demo(folder).parent)
        # What stands for ssh runs the far end on this machine.
        os.environ["LOGNAME"] = "ada"
        os.environ[SSH_VARIABLE] = shell_for_ssh(f"cd {shlex.quote(str(Path.cwd()))}")
        for picture in (runs, note, chart, compare, artifacts, models, elsewhere):
            # The deck comes back as it was left, but each picture begins anew.
            os.environ["XDG_STATE_HOME"] = str(folder / f"state of {picture.__name__}")
            asyncio.run(picture(Path("mlflow.db")))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
