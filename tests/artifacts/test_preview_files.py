"""What `preview` makes of pictures, of files that are not what their names say, of huge ones, and of any bytes at all."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import pickle
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageStat

from mldeck.artifacts.previews.binary import hex_lines
from mldeck.artifacts.previews.preview import PreviewRequest, preview, sha256
from mldeck.artifacts.previews.values import (
    BinaryPreview,
    ImagePreview,
    NoPreview,
    TablePreview,
    TextPreview,
    TreePreview,
)
from mldeck.errors import Interrupted
from tests.artifacts.sources import Bytes, CountedFile
from tests.fixture_stores import FixtureStore

# Pictures.

RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)


def _encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def _image(data: bytes, cells: tuple[int, int] = (80, 24), name: str = "plot.png") -> ImagePreview:
    found = preview(Bytes(data, name), PreviewRequest(cells=cells))
    assert isinstance(found, ImagePreview)
    return found


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP"])
def test_a_cell_holds_two_pixels(kind: str) -> None:
    image = Image.new("RGB", (3, 3), RED)
    image.putpixel((1, 1), BLUE)
    found = _image(_encoded(image, kind, lossless=True), name=f"a.{kind.lower()}")
    assert (found.kind, found.width, found.height, found.frames) == (f"{kind} image", 3, 3, 1)
    # The third line of pixels has none below it.
    assert tuple(found.rows) == (((RED, RED), (RED, BLUE), (RED, RED)), ((RED, WHITE),) * 3)
    assert found.notes == ()


@pytest.mark.parametrize(
    ("size", "cells", "drawn"),
    [
        ((400, 300), (80, 24), (64, 24)),
        ((300, 400), (80, 24), (36, 24)),
        ((1000, 10), (80, 24), (80, 1)),
        ((1, 5000), (9, 9), (1, 9)),
    ],
)
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_picture_keeps_its_proportions(
    kind: str, size: tuple[int, int], cells: tuple[int, int], drawn: tuple[int, int]
) -> None:
    found = _image(_encoded(Image.new("RGB", size), kind), cells, f"a.{kind}")
    assert (found.width, found.height) == size
    assert (len(found.rows[0]), len(found.rows)) == drawn


TALL = (640, 4_030)
"""As a page of figures, one below the other."""


def _columns(size: tuple[int, int], zoom: int, cells: tuple[int, int] = (80, 24)) -> int:
    found = preview(Bytes(_encoded(Image.new("L", size), "PNG"), "a.png"), PreviewRequest(cells=cells, zoom=zoom))
    assert isinstance(found, ImagePreview)
    assert len(found.rows) == -(-round(size[1] * found.scale) // 2)
    return found.rows.columns


def test_a_tall_picture_is_as_wide_as_the_box() -> None:
    found = _image(_encoded(Image.new("RGB", TALL), "PNG"))
    assert (found.rows.columns, len(found.rows)) == (79, 249)  # with a column for the scroll bar
    assert found.zooms == (-6, 6)


@pytest.mark.parametrize(
    ("size", "zoom", "columns"),
    [
        (TALL, 1, 119),
        (TALL, 6, 640),  # and no larger than it is
        (TALL, 99, 640),
        (TALL, -1, 53),
        (TALL, -6, 8),  # all of it is in sight
        (TALL, -99, 8),
        ((400, 300), -1, 64),
        ((400, 300), 1, 96),
        ((400, 300), 99, 400),
        ((30, 20), 1, 30),
        ((7_000, 7_000), 99, 2_048),  # four million pixels of it are kept at most
        ((49, 1_000_000), 0, 14),
    ],
)
def test_a_picture_is_zoomed(size: tuple[int, int], zoom: int, columns: int) -> None:
    assert _columns(size, zoom) == columns


# Pictures for terminals that draw them.


def _tiles(
    image: Image.Image, cells: tuple[int, int] = (80, 24), zoom: int = 0, cell_pixels: tuple[int, int] = (10, 20)
) -> tuple[ImagePreview, Image.Image]:
    """The preview, and its tiles put together: as many pixels as all of them have."""
    request = PreviewRequest(cells=cells, zoom=zoom, cell_pixels=cell_pixels)
    found = preview(Bytes(_encoded(image, "PNG"), "a.png"), request)
    assert isinstance(found, ImagePreview)
    tiles = found.tiles
    assert tiles is not None
    assert not found.rows
    pictures = [Image.open(io.BytesIO(file)) for file in tiles.files]
    regions = [tiles.region(index) for index in range(len(pictures))]
    assert sum(columns * lines for _, _, columns, lines in regions) == tiles.columns * tiles.lines
    (side, whole) = pictures[0].size, Image.new("RGB", (0, 0))
    for picture, (left, top, _, _) in zip(pictures, regions, strict=True):
        x, y = left // tiles.side[0] * side[0], top // tiles.side[1] * side[1]
        size = max(whole.width, x + picture.width), max(whole.height, y + picture.height)
        whole = whole.crop((0, 0, *size))
        whole.paste(picture, (x, y))
    return found, whole


@pytest.mark.parametrize("size", [(400, 300), (300, 400), (1000, 10), (1, 5000), TALL, (30, 20), (7_000, 500)])
@pytest.mark.parametrize("zoom", [-2, 0, 3])
def test_tiles_take_the_cells_of_half_blocks(size: tuple[int, int], zoom: int) -> None:
    image = Image.linear_gradient("L").resize(size)
    drawn, _ = _tiles(image, zoom=zoom)
    blocks = preview(Bytes(_encoded(image, "PNG"), "a.png"), PreviewRequest(zoom=zoom))
    assert isinstance(blocks, ImagePreview)
    assert (drawn.zoom, drawn.zooms) == (blocks.zoom, blocks.zooms)
    # The last column and line may be filled in part.
    assert 0 <= drawn.size[0] - blocks.size[0] <= 1
    assert abs(drawn.size[1] - blocks.size[1]) <= 1
    assert drawn.scale == pytest.approx(10 * blocks.scale)


def test_tiles_have_the_pixels_of_the_screen_and_no_more_than_the_image() -> None:
    _, large = _tiles(Image.linear_gradient("L").resize((4_000, 3_000)))
    assert large.size == (640, 480)  # 64 x 24 cells
    _, small = _tiles(Image.linear_gradient("L").resize((400, 300)))
    assert small.width == pytest.approx(400, abs=8)
    _, zoomed = _tiles(Image.linear_gradient("L").resize((400, 300)), zoom=9)
    assert zoomed.width == pytest.approx(400, abs=64)


def test_tiles_show_the_image() -> None:
    image = Image.linear_gradient("L").resize((1_400, 1_100)).rotate(30)
    found, whole = _tiles(image, cells=(140, 80))
    assert found.tiles is not None
    assert len(found.tiles.files) == 6  # three beside each other, two rows of them
    wanted = image.resize(whole.size, Image.Resampling.LANCZOS)
    assert ImageStat.Stat(ImageChops.difference(whole.convert("L"), wanted)).mean[0] < 2


def test_tiles_of_noise_have_fewer_pixels() -> None:
    found, _ = _tiles(Image.effect_noise((1_400, 1_100), 100), cells=(140, 55))
    assert found.tiles is not None
    assert sum(map(len, found.tiles.files)) <= 100 * found.size[0] * found.size[1]
    small, _ = _tiles(Image.effect_noise((12, 9), 100))
    assert small.tiles is not None
    assert sum(map(len, small.tiles.files)) < 1_000


def test_cells_that_are_not_twice_as_high_as_wide() -> None:
    found, _ = _tiles(Image.new("RGB", (400, 400)), cell_pixels=(10, 10))
    assert found.size == (24, 24)
    found, _ = _tiles(Image.new("RGB", (400, 400)), cell_pixels=(7, 21))
    assert found.size == (72, 24)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_kind_of_png_is_drawn(mode: str) -> None:
    grey = Image.linear_gradient("L").resize((64, 64))
    if mode == "I;16":
        image = Image.frombytes("I;16", (64, 64), b"".join(struct.pack("<H", value * 257) for value in grey.tobytes()))
    else:
        image = grey.convert(mode)
    found = _image(_encoded(image, "PNG"))
    assert found.mode in {mode, "I"}
    assert sum(found.rows[0][5][0]) < 60
    assert sum(found.rows[-1][5][1]) > 690


def test_a_transparent_picture_lies_on_the_background() -> None:
    data = _encoded(Image.new("RGBA", (2, 2), (0, 0, 0, 0)), "PNG")
    found = preview(Bytes(data, "a.png"), PreviewRequest(background=BLUE))
    assert isinstance(found, ImagePreview)
    assert tuple(found.rows) == (((BLUE, BLUE),) * 2,)


def test_an_animation_shows_its_first_frame() -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in (RED, BLUE, WHITE)]
    found = _image(_encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]), name="a.gif")
    assert found.frames == 3
    assert found.rows[0][0] == (RED, RED)


def _png_of_size(width: int, height: int) -> bytes:
    """What a PNG claims is in its first chunk; the rest of this one is small."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(bytes(1000))
    chunks = (struct.pack(">I", len(each) - 4) + each + struct.pack(">I", zlib.crc32(each)) for each in (header, data))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize("size", [(9_000, 6_000), (60_000, 60_000), (2_000_000_000, 2)])
def test_a_picture_bomb_is_not_drawn(size: tuple[int, int]) -> None:
    found = preview(Bytes(_png_of_size(*size), "bomb.png"))
    assert isinstance(found, BinaryPreview)
    assert found.kind == "PNG image"
    assert "more than 50 million pixels" in found.notes[0]


def test_a_picture_cut_short_says_so(store_copy: Callable[[str], FixtureStore]) -> None:
    picture = next((store_copy("nyc-taxi").path / "mlruns").rglob("residuals.png"))
    data = picture.read_bytes()
    whole, cut = _image(data), _image(data[: len(data) // 2])
    assert (whole.width, whole.height) == (cut.width, cut.height)
    assert whole.rows
    assert (whole.notes, tuple(cut.rows), cut.notes) == (
        (),
        (),
        ("The image is truncated or damaged and cannot be drawn.",),
    )
    stump = preview(Bytes(data[:20], "a.png"))
    assert isinstance(stump, BinaryPreview)
    assert "damaged" in stump.notes[0]


@pytest.mark.parametrize("last", range(3))
def test_a_picture_that_vanishes_meanwhile_is_not_called_broken(last: int) -> None:
    class Vanishing(Bytes):
        reads = 0

        def read(self, offset: int, length: int) -> bytes:
            self.reads += 1
            if self.reads > last:
                raise FileNotFoundError(errno.ENOENT, "no such file")
            return super().read(offset, length)

    data = _encoded(Image.effect_noise((800, 800), 50), "PNG")
    assert len(data) > 1 << 19  # more than is read in one go
    assert preview(Vanishing(data, "a.png")) == NoPreview("unreadable file", ("It no longer exists.",))


# Names that lie.


def test_the_content_decides_and_a_wrong_name_is_noted() -> None:
    png = _encoded(Image.new("RGB", (2, 2)), "PNG")
    assert _image(png, name="a.txt").notes == ("Named .txt, but the content is: PNG image.",)
    for name, data, kind in (
        ("a.png", b"just text", "UTF-8 text"),
        ("a.npy", b"just text", "UTF-8 text"),
        ("a.csv", pickle.dumps([1]), "Python pickle, protocol 4"),
        ("a.pkl", png, "PNG image"),
    ):
        found = preview(Bytes(data, name))
        assert found.kind == kind
        assert found.notes[-1] == f"Named .{name[2:]}, but the content is: {kind}."
    for name, data in (("a.jpg", png), ("png", b"text"), ("a", png), ("a.unknown", b"text"), ("run.v2", b"text")):
        assert preview(Bytes(data, name)).notes == ()


# Bytes.


def test_a_pickle_is_named_and_never_loaded() -> None:
    class Trap:
        def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
            return pytest.fail, ("unpickled",)

    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        data = pickle.dumps(Trap(), protocol)
        found = preview(Bytes(data, "model.pkl"))
        assert isinstance(found, BinaryPreview)
        assert found.kind == f"Python pickle, protocol {protocol}"
        assert "Never loaded" in found.notes[0]
        assert found.head == data


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (b"\x1f\x8b\x08\0", "x.gz", "gzip-compressed data"),
        (b"\x89HDF\r\n\x1a\n\0", "x.h5", "HDF5 file"),
        (b"\x08\x07\x12\0", "x.onnx", "ONNX model"),
        ((30).to_bytes(8, "little") + b'{"__metadata__":{}}', "x.safetensors", "safetensors file"),
        (b"RIFF\0\0\0\0WAVEfmt ", "x.wav", "WAV audio"),
        (b"\0\1\2", "x", "binary file"),
    ],
)
def test_other_binaries_are_named_by_their_first_bytes(data: bytes, name: str, kind: str) -> None:
    assert preview(Bytes(data, name)).kind == kind


def test_bytes_as_hex() -> None:
    assert hex_lines(b"0123456789abcdef\x1b\xff", 16) == [
        "00000010  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  0123456789abcdef",
        "00000020  1b ff                                             ..",
    ]


def test_the_hash_is_of_the_whole_file_and_can_be_stopped() -> None:
    data = os.urandom(3 << 20)
    told: list[int] = []
    assert sha256(Bytes(data), progress=told.append) == hashlib.sha256(data).hexdigest()
    assert told == [1 << 20, 2 << 20, 3 << 20]

    def stop() -> None:
        raise Interrupted("stopped")

    with pytest.raises(Interrupted):
        sha256(Bytes(data), stop)


# Five gigabytes.

HUGE = 5 << 30
MIB = 1 << 20


@pytest.mark.parametrize(
    ("name", "head", "type_"),
    [
        ("train.log", b"epoch 1 loss 0.5\n" * 60_000, TextPreview),
        ("one_line.txt", b"x" * MIB, TextPreview),
        ("data.csv", b"a,b\n" + b"1,2.5\n" * 200_000, TablePreview),
        ("data.json", b'{"a": [' + b'{"b": 1}, ' * 100_000, TextPreview),
        ("table.json", b'{"columns":["a","b"],"data":[' + b"[1,2.5]," * 100_000, TablePreview),
        ("config.yaml", b"a: 1\n" * 200_000, TextPreview),
        ("weights.bin", b"\0", BinaryPreview),
        ("model.pkl", b"\x80\x04", BinaryPreview),
    ],
)
def test_of_a_huge_file_only_the_start_is_read(tmp_path: Path, name: str, head: bytes, type_: type) -> None:
    path = tmp_path / name
    path.write_bytes(head)
    os.truncate(path, HUGE)
    source = CountedFile(path)
    assert isinstance(preview(source), type_)
    assert source.size == HUGE
    assert source.bytes_read <= MIB


# Anything.

MAGICS = [
    b"", b"\x89PNG\r\n\x1a\n", _png_of_size(3, 3)[:40], b"\xff\xd8\xff\xe0", b"GIF89a\x05\0\x05\0",
    b"RIFF\x10\0\0\0WEBPVP8 ", b"PK\x03\x04", b"PK\x05\x06", b"PAR1", b"\x93NUMPY\x01\0", b"\x93NUMPY\x02\0v\0\0\0",
    b"x" * 257 + b"ustar\x0000", b"\x80\x04", b"\xef\xbb\xbf", b"\xff\xfe", b'{"columns":["a"],"data":[[',
    b"a: &a [*a]\n", b'a,"b\n',
]  # fmt: skip
NAMES = [f"x.{suffix}" for suffix in "txt csv tsv json yaml md png gif npy npz zip tar parquet pkl".split()] + [
    "MLmodel",
    "x",
    "",
]


@given(
    start=st.sampled_from(MAGICS), rest=st.binary(max_size=600) | st.text().map(str.encode), name=st.sampled_from(NAMES)
)
@example(start=b"a: ", rest=b"\xc2\x80", name="x.yaml")
def test_no_bytes_make_preview_raise(start: bytes, rest: bytes, name: str) -> None:
    found = preview(Bytes(start + rest, name))
    assert found.kind
    assert isinstance(found, NoPreview) == (not start + rest)


VALID = {
    "x.png": _encoded(Image.linear_gradient("L").resize((20, 20)), "PNG"),
    "x.gif": _encoded(Image.linear_gradient("L").resize((20, 20)), "GIF"),
    "x.jpg": _encoded(Image.linear_gradient("L").resize((20, 20)), "JPEG"),
    "x.webp": _encoded(Image.linear_gradient("L").resize((20, 20)), "WEBP"),
}


@given(
    name=st.sampled_from(sorted(VALID)),
    places=st.lists(st.tuples(st.integers(0), st.integers(0, 255)), max_size=6),
    cut=st.integers(1),
)
def test_no_damage_to_a_picture_makes_preview_raise(name: str, places: list[tuple[int, int]], cut: int) -> None:
    data = bytearray(VALID[name])
    for place, value in places:
        data[place % len(data)] = value
    assert preview(Bytes(bytes(data[: 1 + cut % len(data)]), name)).kind


def test_every_file_of_the_fixtures_has_a_preview(store_copy: Callable[[str], FixtureStore]) -> None:
    store = store_copy("mlflow-3.17.2")
    found = {path.name: preview(CountedFile(path)) for path in store.path.rglob("*") if path.is_file()}
    assert {type(found[name]) for name in ("MLmodel", "conda.yaml")} == {TreePreview}
    unreadable = [name for name, each in found.items() if isinstance(each, NoPreview) and each.kind != "empty file"]
    assert unreadable == []
