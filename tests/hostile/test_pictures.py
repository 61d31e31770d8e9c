"""Small files that are large pictures: what they take is bounded, for all of them together, and ends when nobody waits."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from itertools import chain, count
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from PIL import Image

from mldeck.artifacts.previews import image
from mldeck.artifacts.previews.preview import PreviewRequest, preview
from mldeck.artifacts.previews.values import BinaryPreview, ImagePreview
from mldeck.artifacts.source import LimitedSource, TookTooLong, no_check
from mldeck.errors import Interrupted
from mldeck.helper import Helper
from tests.artifacts.sources import Bytes

SIDE = 7_000
MB = 1 << 20

_MEASURE = """\
import json, resource, sys, threading
from pathlib import Path
from mldeck.artifacts.previews.preview import preview
from mldeck.artifacts.previews import image
from mldeck.artifacts.source import LocalFile

def look(paths):
    files = [LocalFile(Path(path)) for path in paths]
    found = []
    threads = [threading.Thread(target=lambda file=file: found.append(preview(file))) for file in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    image._helper.end()
    return found

def taken():
    return sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))

look(sys.argv[1:2])
before = taken()
found = look(sys.argv[2:])
print(json.dumps([taken() - before, [[bool(getattr(each, "rows", ())), *each.notes] for each in found]]))
"""


def _encoded(mode: str, kind: str, side: int = SIDE, **options: Any) -> bytes:
    stream = io.BytesIO()
    Image.new(mode, (side, side)).save(stream, kind, **options)
    return stream.getvalue()


def _measured(paths: list[Path]) -> tuple[int, list[list[object]]]:
    """How many bytes more than a small picture it takes to look at them at once; what is drawn and said of each."""
    small = paths[0].with_name("small")
    small.write_bytes(_encoded("P", "PNG", 10))
    done = subprocess.run([sys.executable, "-c", _MEASURE, small, *paths], capture_output=True, check=True)
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
    grown, found = _measured([path] * number)
    assert found == [[True]] * number
    assert grown < 150 * MB


@pytest.mark.parametrize(
    ("mode", "kind", "options", "takes"),
    [
        ("RGB", "PNG", {}, 186),
        ("LA", "PNG", {}, 186),
        ("RGB", "JPEG", {"progressive": True}, 283),
    ],
)
def test_what_takes_too_much_is_not_decoded(mode: str, kind: str, options: dict[str, Any], takes: int) -> None:
    found = preview(Bytes(_encoded(mode, kind, **options), f"a.{kind.lower()}"))
    assert isinstance(found, ImagePreview)
    assert (found.width, found.height, tuple(found.rows)) == (SIDE, SIDE, ())
    assert found.notes == (f"Not drawn: it takes {takes} MB of memory, and the limit is 128 MB.",)


def test_a_webp_that_takes_too_much_is_not_decoded() -> None:
    """libwebp takes memory for all of a picture before it says how large that is."""
    options: dict[str, Any] = {"lossless": True, "method": 0}
    found = preview(Bytes(_encoded("RGB", "WEBP", 4_000, **options), "a.webp"))
    assert isinstance(found, ImagePreview)
    assert found.notes == ("Not drawn: it takes 244 MB of memory, and the limit is 128 MB.",)
    found = preview(Bytes(_encoded("RGB", "WEBP", **options), "a.webp"))
    assert isinstance(found, BinaryPreview)
    assert found.notes == ("The image is damaged or takes too much memory: not even its size can be read.",)


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
    found = preview(Bytes(stream.getvalue(), "a.png"), PreviewRequest(cells=(37, 90), background=(10, 20, 30)))
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
        if next(calls) >= 2:
            raise Interrupted("stopped")

    with pytest.raises(Interrupted):
        preview(Bytes(data, "a.png"), check=check)
    assert next(calls) < len(data) // (1 << 12)


def test_scans_that_go_through_the_picture_again_and_again_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image, "_helper", Helper(image.__name__, seconds=1, memory=image._MEMORY))
    data = _encoded("RGB", "JPEG", 4_000, progressive=True)
    scan = data[data.rindex(b"\xff\xda") : -2]
    found = preview(Bytes(data[:-2] + scan * 20_000 + data[-2:], "a.jpg"))
    assert found.notes[0] == "Not drawn: it takes more than 1 s or too much memory."


def _markers() -> bytes:
    return b"\xff\xd8" + b"\xff\xe1\x00\x02" * (12 << 20)


def _chunks() -> bytes:
    data = _encoded("RGB", "PNG", 8)
    header_end = len(b"\x89PNG\r\n\x1a\n") + 25
    chunk = b"\0\0\0\0prVt" + crc32(b"prVt").to_bytes(4, "big")
    return data[:header_end] + chunk * (4 << 20) + data[header_end:]


def _comment() -> bytes:
    data = _encoded("P", "GIF", 10)
    extension = data.index(b"\x2c")  # where the picture itself begins
    return data[:extension] + b"\x21\xfe" + (b"\xff" + b"x" * 255) * 450_000 + b"\0" + data[extension:]


@pytest.mark.parametrize("make", [_markers, _chunks, _comment])
def test_what_is_said_beside_a_picture_takes_no_memory_of_the_deck(tmp_path: Path, make: Callable[[], bytes]) -> None:
    """Pillow keeps an object for each marker, chunk and comment."""
    path = tmp_path / "a"
    path.write_bytes(make())
    grown, ((*_, notes),) = _measured([path])
    assert grown < image._MEMORY
    assert isinstance(notes, str | bool)


def test_a_picture_that_takes_more_than_its_process_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image, "_helper", Helper(image.__name__, seconds=10, memory=image._MEMORY // 2))
    found = preview(Bytes(_markers(), "a.jpg"))
    assert isinstance(found, BinaryPreview)
    assert found.notes[0].startswith("Not drawn: it takes ")
    assert isinstance(preview(Bytes(_encoded("P", "PNG", 10), "a.png")), ImagePreview)


def test_a_file_costs_no_more_than_its_seconds() -> None:
    with pytest.raises(TookTooLong, match="after 0 s"):
        LimitedSource(Bytes(b"a"), no_check, 0).read(0, 1)
