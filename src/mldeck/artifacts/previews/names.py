"""Hints about a file's content from its name."""

from __future__ import annotations

from mldeck.artifacts.previews.values import Preview, TablePreview, TextPreview, TreePreview

_IMAGE_SUFFIXES = frozenset({"png", "jpg", "jpeg", "gif", "webp"})
_BINARY_SUFFIXES = frozenset(
    "npy npz parquet zip whl tar gz bz2 xz zst pkl pickle joblib pt pth bin onnx skops h5 ubj".split()
)
_TABLES = {"csv": "CSV table", "tsv": "TSV table", "tab": "TSV table"}
_TEXT_KINDS = frozenset({*_TABLES.values(), "JSON table"})

# Pygments' names of languages, by suffix.
_LEXERS = {
    "json": "json", "jsonl": "json", "ndjson": "json", "geojson": "json", "ipynb": "json",
    "yaml": "yaml", "yml": "yaml", "toml": "toml", "ini": "ini", "cfg": "ini", "conf": "ini", "properties": "properties",
    "md": "markdown", "markdown": "markdown", "rst": "rst", "tex": "latex",
    "py": "python", "pyi": "python", "r": "r", "jl": "julia", "scala": "scala", "java": "java", "js": "javascript",
    "ts": "typescript", "go": "go", "rs": "rust", "c": "c", "h": "c", "cc": "cpp", "cpp": "cpp", "hpp": "cpp", "cu": "cuda",
    "sh": "bash", "bash": "bash", "sql": "sql", "html": "html", "htm": "html", "xml": "xml", "svg": "xml", "css": "css",
    "diff": "diff", "patch": "diff", "proto": "protobuf", "dot": "graphviz", "gv": "graphviz", "tf": "terraform",
}  # fmt: skip
_PLAIN_SUFFIXES = frozenset({"txt", "log", "csv", "tsv", "tab", "out", "err"})
_LEXERS_OF_NAMES = {"mlmodel": "yaml", "mlproject": "yaml", "dockerfile": "docker", "makefile": "make"}
_JSON_SUFFIXES = frozenset({"json", "geojson", "ipynb"})


def _suffix(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name.lstrip(".") else ""


def lexer_of(name: str) -> str | None:
    """Return Pygments' name for the language of a file; None if the name does not tell."""
    return _LEXERS_OF_NAMES.get(name.lower()) or _LEXERS.get(_suffix(name))


def table_kind(name: str) -> str | None:
    """Return the kind of table that a name promises, or None."""
    return _TABLES.get(_suffix(name))


def is_json(name: str) -> bool:
    return _suffix(name) in _JSON_SUFFIXES


def is_plain_text(name: str) -> bool:
    """Return whether the name promises text without structure."""
    return _suffix(name) in _PLAIN_SUFFIXES


def is_yaml(name: str) -> bool:
    return lexer_of(name) == "yaml"


def is_markdown(name: str) -> bool:
    return lexer_of(name) == "markdown"


def misnamed(name: str, found: Preview) -> tuple[str, ...]:
    """Return a note if the name promises another format than was found."""
    suffix = _suffix(name)
    is_text = isinstance(found, (TextPreview, TreePreview)) or (
        isinstance(found, TablePreview) and found.kind in _TEXT_KINDS
    )
    is_image = found.kind.endswith(" image")
    is_as_named = (
        is_image
        if suffix in _IMAGE_SUFFIXES
        else is_text
        if suffix in _LEXERS or suffix in _PLAIN_SUFFIXES
        else not is_text and not is_image
        if suffix in _BINARY_SUFFIXES
        else True
    )
    return () if is_as_named else (f"Named .{suffix}, but the content is: {found.kind}.",)
