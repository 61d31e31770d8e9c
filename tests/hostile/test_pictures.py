"""Small files that are large pictures: what they take is bounded, for all of them together, and ends when nobody waits."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from itertools import chain, count
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from PIL import Image

from mldeck.artifacts import preview as previewing
from mldeck.artifacts.preview import Wish, preview
from mldeck.artifacts.previews import image
from mldeck.artifacts.previews.values import ImagePreview, NoPreview
from mldeck.artifacts.source import TookTooLong, Watched, never
from mldeck.errors import Interrupted
from tests.artifacts.sources import Bytes

SIDE = 7_000
MB = 1 << 20

_MEASURE = """\
import json, resource, sys, threading
from pathlib import Path
import PIL.Image
from mldeck.artifacts.preview import preview
from mldeck.artifacts.source import LocalFile

PIL.Image.preinit()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
found = []
files = [LocalFile(Path(path)) for path in sys.argv[1:]]
threads = [threading.Thread(target=lambda file=file: found.append(preview(file))) for file in files]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(json.dumps([grown, [[bool(each.rows), *each.notes] for each in found]]))
"""


def _encoded(mode: str, kind: str, side: int = SIDE, **options: Any) -> bytes:
    stream = io.BytesIO()
    Image.new(mode, (side, side)).save(stream, kind, **options)
    return stream.getvalue()


def _measured(paths: list[str]) -> tuple[int, list[list[object]]]:
    """How many bytes it takes to look at them at once, in a process of its own; what is drawn and said of each."""
    done = subprocess.run([sys.executable, "-c", _MEASURE, *paths], capture_output=True, check=True)
    grown, found = json.loads(done.stdout)
    return grown * (1 if sys.platform == "darwin" else 1024), found


@pytest.mark.parametrize("number", [1, 4])
@pytest.mark.parametrize(("mode", "kind"), [("P", "PNG"), ("1", "PNG"), ("I;16", "PNG"), ("P", "GIF")])
def test_a_picture_of_few_bytes_takes_little_more_than_its_pixels(
    tmp_path: Path, mode: str, kind: str, number: int
) -> None:
    path = tmp_path / "a"
    data = _encoded(mode, kind)
    assert len(data) < 100_000
    path.write_bytes(data)
    grown, found = _measured([str(path)] * number)
    assert found == [[True]] * number
    assert grown < 150 * MB


@pytest.mark.parametrize(
    ("mode", "kind", "options", "takes"),
    [
        ("RGB", "PNG", {}, 186),
        ("LA", "PNG", {}, 186),
        ("RGB", "WEBP", {"lossless": True, "method": 0}, 747),
        ("RGB", "JPEG", {"progressive": True}, 283),
    ],
)
def test_what_takes_too_much_is_not_decoded(mode: str, kind: str, options: dict[str, Any], takes: int) -> None:
    found = preview(Bytes(_encoded(mode, kind, **options), f"a.{kind.lower()}"))
    assert isinstance(found, ImagePreview)
    assert (found.width, found.height, tuple(found.rows)) == (SIDE, SIDE, ())
    assert found.notes == (f"Not drawn: it takes {takes} MB of memory, and more than 128 MB is not decoded.",)


def test_a_thin_picture_takes_a_pointer_for_each_line() -> None:
    stream = io.BytesIO()
    Image.new("P", (1, 49_000_000)).save(stream, "PNG")
    found = preview(Bytes(stream.getvalue(), "a.png"))
    assert isinstance(found, ImagePreview)
    assert tuple(found.rows) == ()
    assert "560 MB" in found.notes[0]


def test_what_is_reduced_in_tiles_is_the_same_picture() -> None:
    gradient = Image.linear_gradient("L").resize((2_500, 3_100))
    stream = io.BytesIO()
    Image.merge("RGBA", (gradient, gradient.rotate(90), gradient.rotate(180), gradient)).save(stream, "PNG")
    found = preview(Bytes(stream.getvalue(), "a.png"), Wish(cells=(37, 90), background=(10, 20, 30)))
    assert isinstance(found, ImagePreview)
    drawn = [[cell[half] for cell in row] for row in found.rows for half in (0, 1)]
    with Image.open(stream) as whole:
        scaled = whole.resize((37, -(-3_100 * 37 // 2_500)), Image.Resampling.LANCZOS)
    canvas = Image.new("RGB", scaled.size, (10, 20, 30))
    canvas.paste(scaled, mask=scaled)
    expected = list(canvas.tobytes())
    shown = list(chain.from_iterable(chain.from_iterable(drawn)))[: len(expected)]
    assert max(abs(a - b) for a, b in zip(shown, expected, strict=False)) <= 3


def test_an_overtaken_picture_stops_while_it_is_decoded() -> None:
    data = _encoded("RGB", "PNG", 5_000)
    calls = count()

    def check() -> None:
        if next(calls) >= 10:
            raise Interrupted("stopped")

    with pytest.raises(Interrupted):
        preview(Bytes(data, "a.png"), check=check)
    assert next(calls) < len(data) // (1 << 12)


def test_an_overtaken_picture_stops_while_it_waits_for_another() -> None:
    overtaken, ended = Event(), Event()

    def check() -> None:
        if overtaken.is_set():
            raise Interrupted("stopped")

    def look() -> None:
        with pytest.raises(Interrupted):
            preview(Bytes(_encoded("P", "PNG", 10), "a.png"), check=check)
        ended.set()

    waiting = Thread(target=look, daemon=True)
    with image._decoding:
        waiting.start()
        assert not ended.wait(0.2)
        overtaken.set()
        assert ended.wait(20)
    assert isinstance(preview(Bytes(_encoded("P", "PNG", 10), "a.png")), ImagePreview)


def test_scans_that_go_through_the_picture_again_and_again_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previewing, "_SECONDS", 1)
    data = _encoded("RGB", "JPEG", 4_000, progressive=True)
    scan = data[data.rindex(b"\xff\xda") : -2]
    found = preview(Bytes(data[:-2] + scan * 20_000 + data[-2:], "a.jpg"))
    assert found == NoPreview("unreadable file", ("Looking into this file was given up after 1 s.",))


def test_a_file_costs_no_more_than_its_seconds() -> None:
    with pytest.raises(TookTooLong, match="after 0 s"):
        Watched(Bytes(b"a"), never, 0).read(0, 1)
