"""Reads the file `MLmodel` of a model's folder: what it says about the model, and the code that would load it.

Nothing is loaded. Values are kept as written. What MLflow 1.0 to 3.17 wrote differs in what is present, not in meaning.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from mldeck.artifacts.previews.encoding import decode
from mldeck.artifacts.previews.tree import NotATree, check_size, parse_json, parse_yaml, tree_text
from mldeck.artifacts.previews.values import NULLS, Tree, TreeMapping, UnquotedScalar
from mldeck.artifacts.source import Check, Source, no_check
from mldeck.errors import MldeckError

FILE_NAME = "MLmodel"
"""A folder that contains a file of this name is a model."""

_MAX_SIZE = 1 << 20
_LONGEST_KEY = 200
"""In characters; a key is repeated before each of the pairs below it."""
_PYFUNC = "python_function"
# The flavors with their own `load_model`, in at least one MLflow release.
_NATIVE_FLAVORS = frozenset(
    """catboost diffusers diviner dspy fastai gluon h2o johnsnowlabs keras langchain lightgbm llama_index onnx openai paddle
    pmdarima promptflow prophet pytorch sentence_transformers sklearn spacy spark statsmodels tensorflow transformers
    xgboost""".split()
)
_REQUIREMENT_FILES = ("requirements.txt", "conda.yaml", "python_env.yaml", "constraints.txt")
_KNOWN = frozenset(
    """flavors signature mlflow_version model_uuid model_id run_id artifact_path utc_time_created model_size_bytes
    saved_input_example_info metadata""".split()
)

Pairs = tuple[tuple[str, str], ...]
"""Pairs (key, value as text) in the order of the file, without null values."""


class MalformedModel(MldeckError):
    """An `MLmodel` that cannot be understood. `line` counts from 1, `text` is the content of the file."""

    def __init__(self, message: str, text: str, line: int | None = None) -> None:
        super().__init__(message)
        self.text = text
        self.line = line


@dataclass(frozen=True)
class Flavor:
    """A way to load the model."""

    name: str
    version: str | None
    """The version of the library that made the model; the Python version for `python_function`."""
    settings: Pairs


@dataclass(frozen=True)
class SignatureField:
    """A column, a tensor or a param of a signature."""

    name: str | None
    """None only for a single tensor and for the columns of an array."""
    type: str
    shape: str | None = None
    required: bool = True
    default: str | None = None
    """The default of a param."""


@dataclass(frozen=True)
class Signature:
    """The inputs, outputs and params of a model; None where the signature does not specify them."""

    inputs: tuple[SignatureField, ...] | None
    outputs: tuple[SignatureField, ...] | None
    params: tuple[SignatureField, ...] | None


@dataclass(frozen=True)
class MLmodel:
    """The content of an `MLmodel` file."""

    flavors: tuple[Flavor, ...]
    signature: Signature | None
    signature_error: str | None
    """Why the signature cannot be read."""
    mlflow_version: str | None
    model_uuid: str | None
    model_id: str | None
    run_id: str | None
    artifact_path: str | None
    utc_time_created: str | None
    model_size_bytes: int | None
    input_example: Pairs
    metadata: Pairs
    others: Pairs
    """Everything else in the file."""

    @property
    def environment_files(self) -> tuple[str, ...]:
        """The files that the Python function names as its environment."""
        settings = next((dict(flavor.settings) for flavor in self.flavors if flavor.name == _PYFUNC), {})
        return tuple(settings[key] for key in ("env", "env.conda", "env.virtualenv") if key in settings)


@dataclass(frozen=True)
class Snippet:
    """A piece of Python code that loads the model in one way."""

    title: str
    code: str


def read_mlmodel(source: Source, check: Check = no_check) -> MLmodel:
    """Read an `MLmodel` file. Raises MalformedModel, and what reading the file raises."""
    text = decode(source.read(0, _MAX_SIZE), "utf-8")
    if source.size > _MAX_SIZE:
        raise MalformedModel("The file is larger than 1 MB: an MLmodel never is.", text)
    try:
        root = parse_yaml(text, follow_aliases=True, check=check)
        check_size(root)
    except NotATree as error:
        raise MalformedModel(str(error), text, error.line) from error
    if not isinstance(root, TreeMapping):
        raise MalformedModel("The file has no keys and values.", text)
    flavors = root.get("flavors")
    if not isinstance(flavors, TreeMapping):
        raise MalformedModel("The file has no flavors.", text)
    return _model(root, flavors)


def requirement_files(model: MLmodel, present: Collection[str]) -> tuple[str, ...]:
    """Return which of the files present in a model's folder list its requirements."""
    wanted = dict.fromkeys((*_REQUIREMENT_FILES, *model.environment_files))
    return tuple(name for name in wanted if name in present)


def loading_code(model: MLmodel, uri: str) -> tuple[Snippet, ...]:
    """Return Python code that loads the model from `uri`, for each way that its flavors allow."""
    names = list(dict.fromkeys(flavor.name for flavor in model.flavors))
    quoted = _quoted(uri)
    snippets = [
        Snippet(f"mlflow.{name}", f"import mlflow.{name}\n\nmodel = mlflow.{name}.load_model({quoted})\n")
        for name in names
        if name in _NATIVE_FLAVORS
    ]
    if _PYFUNC not in names:
        return tuple(snippets)
    pyfunc = f"import mlflow\n\nmodel = mlflow.pyfunc.load_model({quoted})\npredictions = model.predict(data)\n"
    spark = (
        "import mlflow\nfrom pyspark.sql.functions import struct\n\n"
        f"predict = mlflow.pyfunc.spark_udf(spark, model_uri={quoted})\n"
        'predictions = df.withColumn("prediction", predict(struct(*df.columns)))\n'
    )
    return (Snippet("mlflow.pyfunc", pyfunc), *snippets, Snippet("Spark UDF", spark))


def _quoted(uri: str) -> str:
    """Return a Python string literal; characters that cannot be printed are escaped."""
    return json.dumps(uri, ensure_ascii=False) if uri.isprintable() else repr(uri)


def _model(root: TreeMapping, flavors: TreeMapping) -> MLmodel:
    signature, error = _signature(root.get("signature"))
    size = _text(root.get("model_size_bytes"))
    return MLmodel(
        flavors=tuple(_flavor(name, settings) for name, settings in flavors.items),
        signature=signature,
        signature_error=error,
        mlflow_version=_text(root.get("mlflow_version")),
        model_uuid=_text(root.get("model_uuid")),
        model_id=_text(root.get("model_id")),
        run_id=_text(root.get("run_id")),
        artifact_path=_text(root.get("artifact_path")),
        utc_time_created=_text(root.get("utc_time_created")),
        model_size_bytes=int(size) if size is not None and size.isdecimal() and len(size) < 20 else None,
        input_example=_pairs(root.get("saved_input_example_info")),
        metadata=_pairs(root.get("metadata")),
        others=_pairs(TreeMapping([(key, value) for key, value in root.items if key not in _KNOWN])),
    )


def _flavor(name: str, value: Tree) -> Flavor:
    settings = _pairs(value)
    wanted = "python_version" if name == _PYFUNC else f"{name}_version"
    # Some flavors abbreviate it or write it out: xgb_version, pyspark_version.
    versions = [text for key, text in settings if key == wanted] + [
        text for key, text in settings if key.endswith("_version")
    ]
    return Flavor(name, versions[0] if versions else None, settings)


def _pairs(value: Tree | None) -> Pairs:
    """Return the pairs of a mapping.

    Keys of a nested mapping are joined by a dot, as in `env.conda`; deeper values are written on one line.
    """
    if not isinstance(value, TreeMapping):
        return () if value is None or _is_null(value) else (("", tree_text(value)),)
    pairs: list[tuple[str, str]] = []
    for name, item in value.items:
        key = tree_text(name, _LONGEST_KEY)
        if isinstance(item, TreeMapping) and item.items:
            pairs += [(f"{key}.{inner}", tree_text(nested)) for inner, nested in item.items if not _is_null(nested)]
        elif not _is_null(item):
            pairs.append((key, tree_text(item)))
    return tuple(pairs)


def _text(value: Tree | None) -> str | None:
    return None if value is None else tree_text(value)


def _is_null(value: Tree) -> bool:
    return isinstance(value, UnquotedScalar) and value in NULLS


def _signature(value: Tree | None) -> tuple[Signature | None, str | None]:
    if value is None:
        return None, None
    if not isinstance(value, TreeMapping):
        return None, "The signature has no inputs and outputs."
    try:
        return Signature(*(_fields(value.get(part)) for part in ("inputs", "outputs", "params"))), None
    except NotATree as error:
        return None, f"The signature cannot be read. {error}"


def _fields(value: Tree | None) -> tuple[SignatureField, ...] | None:
    """Return the fields of the JSON that MLflow writes into the YAML."""
    if value is None:
        return None
    items = parse_json(value) if isinstance(value, str) else value
    check_size(items)
    if not isinstance(items, list) or not all(isinstance(item, TreeMapping) for item in items):
        raise NotATree("It is not a list of columns, tensors or params.")
    return tuple(_field(item) for item in items if isinstance(item, TreeMapping))


def _field(item: TreeMapping) -> SignatureField:
    tensor = item.get("tensor-spec")
    spec = tensor if isinstance(tensor, TreeMapping) else item
    default = _text(item.get("default"))
    return SignatureField(
        name=_text(item.get("name")),
        type=_text(spec.get("dtype")) or "unknown" if isinstance(tensor, TreeMapping) else _type(item),
        shape=_text(spec.get("shape")),
        required=_is_required(item) and default is None,
        default=default,
    )


def _is_required(item: TreeMapping) -> bool:
    """Return whether a field is required: 2.x marks optional fields, 3.x required ones, 1.x nothing."""
    return item.get("required") != "false" and item.get("optional") != "true"


def _type(item: Tree | None, depth: int = 0) -> str:
    """Return a column's type as text: long, Array(string), Map(double), {a: string, b: long (optional)}."""
    if not isinstance(item, TreeMapping):
        return _text(item) or "unknown"
    name = _text(item.get("type")) or _text(item.get("dtype")) or "unknown"
    if depth > 20:
        return "…"
    if name == "array":
        return f"Array({_type(item.get('items'), depth + 1)})"
    if name == "map":
        return f"Map({_type(item.get('values'), depth + 1)})"
    if name == "object":
        return "{" + ", ".join(_properties(item.get("properties"), depth + 1)) + "}"
    return name


def _properties(value: Tree | None, depth: int) -> Iterable[str]:
    for key, item in value.items if isinstance(value, TreeMapping) else ():
        is_optional = isinstance(item, TreeMapping) and not _is_required(item)
        yield f"{key}: {_type(item, depth)}{' (optional)' if is_optional else ''}"
