"""The contents of the sample project's artifacts, as bytes."""

from __future__ import annotations

import json
import random
import struct
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from itertools import pairwise

Colour = tuple[int, int, int]

_WHITE, _GREY, _BLUE, _ORANGE = (255, 255, 255), (190, 190, 190), (38, 96, 164), (214, 110, 40)
_DIGITS = {  # three columns by five rows, one number per row, its bits the columns
    "0": (7, 5, 5, 5, 7), "1": (2, 6, 2, 2, 7), "2": (7, 1, 7, 4, 7), "3": (7, 1, 7, 1, 7), "4": (5, 5, 7, 1, 1),
    "5": (7, 4, 7, 1, 7), "6": (7, 4, 7, 5, 7), "7": (7, 1, 2, 2, 2), "8": (7, 5, 7, 5, 7), "9": (7, 5, 7, 1, 7),
}  # fmt: skip


def text(content: str) -> bytes:
    return content.encode("utf-8")


def as_json(value: object) -> bytes:
    return text(json.dumps(value, indent=2))


def csv(header: Sequence[str], rows: Sequence[Sequence[object]]) -> bytes:
    """Return a CSV file. The values must not need quoting."""
    return text("\n".join(",".join(str(cell) for cell in row) for row in [header, *rows]) + "\n")


class Canvas:
    """An RGB image to draw on, white at first: three bytes per pixel, row by row from the top left."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.pixels = bytearray(b"\xff" * (width * height * 3))

    def fill(self, left: int, top: int, width: int, height: int, colour: Colour) -> None:
        """Fill a rectangle, clipped to the image."""
        left, right = max(left, 0), min(left + width, self.width)
        row = bytes(colour) * max(right - left, 0)
        for y in range(max(top, 0), min(top + height, self.height)):
            at = (y * self.width + left) * 3
            self.pixels[at : at + len(row)] = row

    def line(self, x0: float, y0: float, x1: float, y1: float, colour: Colour) -> None:
        steps = max(int(abs(x1 - x0)), int(abs(y1 - y0)), 1)
        for i in range(steps + 1):
            self.fill(round(x0 + (x1 - x0) * i / steps), round(y0 + (y1 - y0) * i / steps), 2, 2, colour)

    def number(self, value: int, centre_x: int, centre_y: int, colour: Colour, scale: int = 3) -> None:
        digits = str(value)
        left = centre_x - (len(digits) * 4 - 1) * scale // 2
        top = centre_y - 5 * scale // 2
        for index, digit in enumerate(digits):
            for y, bits in enumerate(_DIGITS[digit]):
                for x in range(3):
                    if bits >> (2 - x) & 1:
                        self.fill(left + (index * 4 + x) * scale, top + y * scale, scale, scale, colour)

    def png(self) -> bytes:
        stride = self.width * 3
        raw = b"".join(b"\0" + self.pixels[y * stride : (y + 1) * stride] for y in range(self.height))
        header = struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(raw, 6)), (b"IEND", b""))
        return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def confusion_matrix_png(counts: Sequence[Sequence[int]], cell: int = 72) -> bytes:
    """Rows are the true classes, columns the predicted ones; darker is a larger share of its row."""
    size = len(counts)
    canvas = Canvas(size * cell + 8, size * cell + 8)
    for y, row in enumerate(counts):
        for x, count in enumerate(row):
            share = count / max(sum(row), 1)
            shade = tuple(round(255 + (c - 255) * share) for c in _BLUE)
            left, top = 4 + x * cell, 4 + y * cell
            canvas.fill(left, top, cell - 2, cell - 2, (shade[0], shade[1], shade[2]))
            canvas.number(count, left + cell // 2, top + cell // 2, _WHITE if share > 0.5 else (40, 40, 40))
    return canvas.png()


def curves_png(series: Sequence[Sequence[float]], width: int = 360, height: int = 240) -> bytes:
    """Draw line charts on a common scale: the first series in blue, the second in orange, others in grey."""
    canvas = Canvas(width, height)
    low, high = min(min(s) for s in series), max(max(s) for s in series)
    for tick in range(5):
        canvas.fill(20, 12 + tick * (height - 32) // 4, width - 32, 1, _GREY)
    for index, values in enumerate(series):
        colour = (_BLUE, _ORANGE, _GREY)[min(index, 2)]
        xy = [
            (20 + i * (width - 36) / max(len(values) - 1, 1), 12 + (high - v) / (high - low or 1) * (height - 32))
            for i, v in enumerate(values)
        ]
        for (x0, y0), (x1, y1) in pairwise(xy):
            canvas.line(x0, y0, x1, y1, colour)
    return canvas.png()


def bars_png(values: Sequence[float], width: int = 360, bar: int = 16) -> bytes:
    """Draw horizontal bars; the greatest value takes the full width."""
    canvas = Canvas(width, len(values) * (bar + 6) + 12)
    for i, value in enumerate(values):
        canvas.fill(12, 8 + i * (bar + 6), round((width - 24) * value / max(values)), bar, _BLUE)
    return canvas.png()


def model_directory(
    path: str, model_id: str, run_id: str, *, created: int, payload: Mapping[str, object], features: Sequence[str]
) -> dict[str, bytes]:
    """Return the files of a logged model, by name, as MLflow writes them. `payload` is its scorecard, stored as JSON.

    `path` is the folder of the model. `created` is a time in ms.
    """
    data = as_json(payload)
    return {
        "MLmodel": text(_mlmodel(path, model_id, run_id, created, len(data), features)),
        "model.json": data,
        "conda.yaml": text(_CONDA),
        "python_env.yaml": text(_PYTHON_ENV),
        "requirements.txt": text("mlflow==3.17.2\nnumpy==2.4.6\n"),
    }


def _mlmodel(path: str, model_id: str, run_id: str, created: int, size: int, features: Sequence[str]) -> str:
    inputs = json.dumps([{"type": "double", "name": name, "required": True} for name in features])
    outputs = json.dumps([{"type": "double", "name": "score", "required": True}])
    when = datetime.fromtimestamp(created / 1000, timezone.utc).strftime("%Y-%m-%d %H:%M:%S.%f")
    # Every JSON string is a YAML string, so that the path may contain any character.
    return f"""artifact_path: {json.dumps(path)}
flavors:
  scorecard:
    data: model.json
    env:
      conda: conda.yaml
      virtualenv: python_env.yaml
    format_version: 1
mlflow_version: 3.17.2
model_id: {model_id}
model_size_bytes: {size}
model_uuid: {model_id}
prompts: null
run_id: {run_id}
signature:
  inputs: '{inputs}'
  outputs: '{outputs}'
  params: null
utc_time_created: '{when}'
"""


_CONDA = """channels:
- conda-forge
dependencies:
- python=3.11.7
- pip<=25.0
- pip:
  - mlflow==3.17.2
  - numpy==2.4.6
name: mlflow-env
"""

_PYTHON_ENV = """python: 3.11.7
build_dependencies:
- pip==25.0
- setuptools==75.8.0
- wheel==0.45.1
dependencies:
- -r requirements.txt
"""


def scorecard(features: Sequence[str], rng: random.Random, terms: int) -> dict[str, object]:
    """Return an additive model with random numbers.

    Each term adds one of two amounts to the base score, depending on whether a feature is below a threshold.
    """
    return {
        "base_score": round(rng.uniform(-1.6, -1.2), 4),
        "link": "logit",
        "terms": [
            {
                "feature": rng.choice(features),
                "threshold": round(rng.uniform(0, 40), 2),
                "below": round(rng.gauss(0, 0.12), 5),
                "above": round(rng.gauss(0, 0.12), 5),
            }
            for _ in range(terms)
        ],
    }
