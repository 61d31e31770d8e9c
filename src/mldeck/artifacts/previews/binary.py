"""Files that are neither shown nor loaded: their likely format by the first bytes, and these bytes."""

from __future__ import annotations

from mldeck.artifacts.previews.values import BinaryPreview

HEAD = 512
_LINE = 16

# What files of each format start with.
_MAGIC = (
    (b"\x89PNG", "PNG image"),
    (b"\xff\xd8\xff", "JPEG image"),
    (b"GIF8", "GIF image"),
    (b"\x93NUMPY", "NumPy array"),
    (b"PAR1", "Parquet table"),
    (b"PK\x03\x04", "zip archive"),
    (b"PK\x05\x06", "zip archive"),
    (b"\x1f\x8b", "gzip-compressed data"),
    (b"BZh", "bzip2-compressed data"),
    (b"\xfd7zXZ\0", "xz-compressed data"),
    (b"\x28\xb5\x2f\xfd", "zstd-compressed data"),
    (b"\x04\x22\x4d\x18", "LZ4-compressed data"),
    (b"\x89HDF\r\n\x1a\n", "HDF5 file"),
    (b"SQLite format 3\0", "SQLite database"),
    (b"%PDF-", "PDF document"),
    (b"ARROW1", "Arrow file"),
    (b"FEA1", "Feather file"),
    (b"GGUF", "GGUF model"),
    (b"\x7fELF", "ELF program or library"),
    (b"OggS", "Ogg audio or video"),
    (b"ID3", "MP3 audio"),
)
_SUFFIXES = {
    ".onnx": "ONNX model",
    ".pb": "protocol buffer",
    ".ubj": "UBJSON file",
    ".pkl": "Python pickle",
    ".pickle": "Python pickle",
    ".joblib": "joblib file",
    ".cbm": "CatBoost model",
    ".tflite": "TensorFlow Lite model",
}
_NEVER_LOADED = "Never loaded: unpickling runs any code in the file."


def binary_preview(name: str, head: bytes, notes: tuple[str, ...] = ()) -> BinaryPreview:
    """Return a preview with the likely format and the first `HEAD` bytes."""
    kind = _kind(name.lower(), head)
    if "pickle" in kind or "joblib" in kind:
        notes = (*notes, _NEVER_LOADED)
    return BinaryPreview(kind=kind, notes=notes, head=head[:HEAD])


def hex_lines(data: bytes, offset: int = 0) -> list[str]:
    """Return lines like those of `hexdump -C`: offset, bytes in hex, bytes as ASCII."""
    return [_hex_line(data[start : start + _LINE], offset + start) for start in range(0, len(data), _LINE)]


def _hex_line(data: bytes, offset: int) -> str:
    halves = (data[:8].hex(" "), data[8:].hex(" "))
    text = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in data)
    return f"{offset:08x}  {halves[0]:23}  {halves[1]:23}  {text}"


def _kind(name: str, head: bytes) -> str:
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if len(head) > 2 and head[0] == 0x80 and 2 <= head[1] <= 5:
        return f"Python pickle, protocol {head[1]}"
    if head[:4] == b"RIFF":
        return {b"WAVE": "WAV audio", b"WEBP": "WEBP image"}.get(head[8:12], "RIFF file")
    # Eight bytes of length, followed by a JSON object.
    if head[8:9] == b"{" and 2 <= int.from_bytes(head[:8], "little") < 1 << 27:
        return "safetensors file"
    return next((kind for suffix, kind in _SUFFIXES.items() if name.endswith(suffix)), "binary file")
