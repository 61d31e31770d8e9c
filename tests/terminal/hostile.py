"""A store full of text that wants to be more than text: markup, escape sequences, and what else breaks tables."""

from __future__ import annotations

import math
from pathlib import Path

from mldeck.model import Metric
from mldeck.store.seed.seed import new_store

NOW = 1_760_000_000_000

MARKUP = "[/x]"
CLICK = "[@click=app.quit]x[/]"
RED = "\x1b[31mred"
CLIPBOARD = "\x1b]52;c;c3RvbGVu\x07clip"
TITLE = "\x1b]0;owned\x07title"
JUMP = "\x1b[777;888Hjump"
EIGHT_BIT = "\x9b31m\x9d52;c;c3RvbGVu\x9c8bit"
LINES = "one\ntwo\r\nthree\u2028four"
TABS = "a\tb\x0bc"
CONTROLS = "".join(map(chr, [*range(1, 32), *range(0x7F, 0xA0)])) + "controls"
WIDE = "漢字テスト한글"
EMOJI = "🚀👩‍👩‍👧‍👦🏳️‍🌈e\u0301"
BACKWARDS = "\u202eesrever\u202c\u2066x\u2069\u200b\ufeffبالعربية"
LONG = "long " * 2_000
LONG_AND_WIDE = "長いテキスト" * 1_700
EMPTY = ""
BRACKETS = "[bold]x[/bold] [red] $name {x} [[["

TEXTS: dict[str, str] = {
    "markup": MARKUP, "click": CLICK, "red": RED, "clipboard": CLIPBOARD, "title": TITLE, "jump": JUMP,
    "eight-bit": EIGHT_BIT, "lines": LINES, "tabs": TABS, "controls": CONTROLS, "wide": WIDE, "emoji": EMOJI,
    "backwards": BACKWARDS, "long": LONG, "long-wide": LONG_AND_WIDE, "empty": EMPTY, "brackets": BRACKETS,
}  # fmt: skip

FORBIDDEN: dict[str, bytes] = {
    "red": b"\x1b[31m",
    "clipboard": b"c3RvbGVu\x07",
    "title": b"\x1b]0;",
    "jump": b"\x1b[777;888H",
    "bell": b"owned\x07",
    "delete": b"\x7f",
    "reversal": "\u202e".encode(),
    "isolate": "\u2066".encode(),
}
"""What the terminal must never be sent."""

PARAMS = 200
RUNS = len(TEXTS)


def make_hostile_store(folder: Path) -> Path:
    """An experiment for each text, the newest one with a run for each; every run has params, tags and metrics of them."""
    path = folder / "mlflow.db"
    with new_store(path, artifact_root=folder / "mlruns", time=NOW) as writer:
        experiment_id = ""
        for number, text in enumerate(TEXTS.values()):
            # A name must not be empty, and two must not be the same.
            experiment_id = writer.create_experiment(
                f"{number}{text}", artifact_root=folder, time=NOW + number, tags={"mlflow.note.content": text}
            )
        for number, (kind, text) in enumerate(TEXTS.items()):
            run_id = writer.create_run(experiment_id, text, user=text, time=NOW + number)
            params = {f"{text[:200]}{kind}{index}": text for index, (kind, text) in enumerate(TEXTS.items())}
            params |= {f"plain-{index:03}": str(index) for index in range(PARAMS - len(params))}
            writer.log_params(run_id, {**params, "kind": kind, "text": text})
            tags = {
                f"{key[:200]}tag": f"{value}{number}" for key, value in params.items() if not key.startswith("plain")
            }
            system = (
                "mlflow.source.name",
                "mlflow.source.git.commit",
                "mlflow.source.git.branch",
                "mlflow.parentRunId",
            )
            writer.set_tags(run_id, tags | dict.fromkeys(system, text))
            writer.set_note(run_id, _note(text))
            values = (math.nan, math.inf, -math.inf, 1.7e308, 5e-324, -0.0, 0.1 + 0.2, 3e-5, 1e15)
            points = [Metric(f"{text[:200]}{index}", value, NOW, index) for index, value in enumerate(values)]
            history = [Metric("history", value, NOW + step, step) for step, value in enumerate(values)]
            writer.log_metrics(run_id, [*points, *history, *points[:3]])
            writer.end_run(run_id, "FINISHED", NOW + number + 1)
    return path


def _note(text: str) -> str:
    table = f"| a | b |\n|---|---|\n| {text} | x |"
    return f"# {text}\n\n{text}\n\n* [link](action:app.quit) <b>{text}</b>\n\n```\n{text}\n```\n\n{table}\n"
