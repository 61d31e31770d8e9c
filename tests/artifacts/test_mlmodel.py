"""`MLmodel` files: of every MLflow release there is a store of, in every form that a signature has had, and broken ones."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldeck.artifacts.mlmodel import (
    Flavor,
    MalformedModel,
    Signature,
    SignatureField,
    loading_code,
    read_mlmodel,
    requirement_files,
)
from mldeck.artifacts.source import LocalFile
from tests.artifacts.sources import Bytes
from tests.fixture_stores import FIXTURES, FixtureStore

MINIMAL = b"flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n"


def _models(store: FixtureStore) -> list[Path]:
    return sorted(store.path.rglob("MLmodel"))


@pytest.mark.parametrize("name", [name for name in FIXTURES if name != "search"])
def test_every_release_is_understood(name: str, store_copy: Callable[[str], FixtureStore]) -> None:
    paths = _models(store_copy(name))
    assert paths or name == "rest-3.17.2"
    for path in paths:
        model = read_mlmodel(LocalFile(path))
        assert model.flavors[0].name == "python_function"
        assert all(flavor.version for flavor in model.flavors)
        assert model.signature_error is None
        assert model.run_id
        assert model.utc_time_created
        present = [each.name for each in path.parent.iterdir()]
        assert requirement_files(model, present)[-1] in {"conda.yaml", "python_env.yaml"}
        if model.model_size_bytes is not None:
            files = dict(pair for flavor in model.flavors for pair in flavor.settings)
            data = files.get("model_path") or files["data"]
            assert model.model_size_bytes == (path.parent / data).stat().st_size


def test_what_an_early_release_wrote(store_copy: Callable[[str], FixtureStore]) -> None:
    model = read_mlmodel(LocalFile(_models(store_copy("mlflow-1.2.0"))[0]))
    assert [(flavor.name, flavor.version) for flavor in model.flavors] == [
        ("python_function", "3.7.16"),
        ("sklearn", "1.0.2"),
    ]
    assert (model.mlflow_version, model.signature, model.model_id, model.artifact_path) == (None, None, None, "model")
    assert model.environment_files == ("conda.yaml",)


def test_what_the_latest_release_wrote(store_copy: Callable[[str], FixtureStore]) -> None:
    model = read_mlmodel(LocalFile(_models(store_copy("mlflow-3.17.2"))[0]))
    assert model.mlflow_version == "3.17.2"
    assert model.model_id == model.model_uuid
    assert model.signature == Signature(
        inputs=(SignatureField(None, "float64", "[-1, 3]"),),
        outputs=(SignatureField(None, "int64", "[-1]"),),
        params=None,
    )
    assert model.environment_files == ("conda.yaml", "python_env.yaml")
    assert dict(model.others).keys() == {"is_signature_from_type_hint", "type_hint_from_example"}


def test_every_form_of_a_column_and_a_param() -> None:
    data = (
        MINIMAL
        + rb"""
signature:
  inputs: '[{"name": "a", "type": "double"}, {"name": "b", "type": "long", "optional": true},
    {"type": "string", "required": false},
    {"type": "array", "items": {"type": "array", "items": {"type": "float"}}, "name": "c", "required": true},
    {"type": "map", "values": {"type": "long"}, "name": "d"}, {"type": "sparkml_vector", "name": "e"},
    {"type": "any", "name": "f"},
    {"type": "object", "properties": {"k": {"type": "string", "required": true},
                                      "l": {"type": "long", "required": false}}, "name": "g"}]'
  outputs: '[{"name": "out", "type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 28, 28]}}]'
  params: '[{"name": "t", "default": 0.50, "shape": null, "type": "double"},
    {"name": "stop", "default": ["a", "b"], "shape": [-1], "dtype": "string"}]'
"""
    )
    assert read_mlmodel(Bytes(data)).signature == Signature(
        inputs=(
            SignatureField("a", "double"),
            SignatureField("b", "long", required=False),
            SignatureField(None, "string", required=False),
            SignatureField("c", "Array(Array(float))"),
            SignatureField("d", "Map(long)"),
            SignatureField("e", "sparkml_vector"),
            SignatureField("f", "any"),
            SignatureField("g", "{k: string, l: long (optional)}"),
        ),
        outputs=(SignatureField("out", "float32", "[-1, 28, 28]"),),
        params=(
            SignatureField("t", "double", required=False, default="0.50"),
            SignatureField("stop", "string", "[-1]", required=False, default='["a", "b"]'),
        ),
    )


def test_flavors_nobody_knows_and_further_keys_are_kept() -> None:
    data = rb"""
flavors:
  home_made: {version: 3, nested: {a: [1, 2]}, nothing: null}
  xgboost: {xgb_version: 3.2.0, data: &d model.ubj}
  bare:
saved_input_example_info: {artifact_path: input_example.json, pandas_orient: split, type: dataframe}
metadata: {team: {name: x}, labels: [a, b], same: *d}
resources: {api_version: 1}
prompts: null
model_size_bytes: many
"""
    model = read_mlmodel(Bytes(data))
    assert model.flavors == (
        Flavor("home_made", None, (("version", "3"), ("nested.a", "[1, 2]"))),
        Flavor("xgboost", "3.2.0", (("xgb_version", "3.2.0"), ("data", "model.ubj"))),
        Flavor("bare", None, ()),
    )
    assert dict(model.input_example)["pandas_orient"] == "split"
    assert model.metadata == (("team.name", "x"), ("labels", '["a", "b"]'), ("same", "model.ubj"))
    assert model.others == (("resources.api_version", "1"),)
    assert model.model_size_bytes is None
    assert [snippet.title for snippet in loading_code(model, "runs:/1/m")] == ["mlflow.xgboost"]


@pytest.mark.parametrize(
    "signature",
    [b"text", b"{inputs: '[{'}", b"{inputs: '3'}", b"{params: '[1]'}", b"{inputs: '" + b"[" * 10_000 + b"'}"],
)
def test_a_broken_signature_leaves_the_rest(signature: bytes) -> None:
    model = read_mlmodel(Bytes(MINIMAL + b"signature: " + signature))
    assert model.signature is None
    assert model.signature_error
    assert model.flavors


@pytest.mark.parametrize(
    ("data", "message", "line"),
    [
        (b"flavors:\n  a: [\n", "Not valid YAML", 3),
        (b"flavors: {a: b}\n\tx: 1", "Not valid YAML", 2),
        (b"flavors: {}\nx: \x01", "character that is not allowed", 2),
        (b"# nothing", "contains only comments", None),
        (b"- a\n- b\n", "no keys and values", None),
        (b"run_id: x\n", "has no flavors", None),
        (b"flavors: " + b"[" * 10_000, "too deep", None),
        (b"flavors: {a: {}}\nx: " + b"x" * (1 << 20), "larger than 1 MB", None),
    ],
)
def test_a_malformed_file_says_where_and_keeps_its_text(data: bytes, message: str, line: int | None) -> None:
    with pytest.raises(MalformedModel, match=message) as caught:
        read_mlmodel(Bytes(data))
    assert caught.value.line == line
    assert caught.value.text == data[: 1 << 20].decode()


@given(
    st.binary(max_size=80)
    | st.text("flavors: {}[]&*a\n-'\"", max_size=80).map(lambda text: ("flavors:\n" + text).encode())
)
def test_any_bytes_are_a_model_or_malformed(data: bytes) -> None:
    try:
        model = read_mlmodel(Bytes(data))
    except MalformedModel:
        return
    assert loading_code(model, "runs:/1/m") is not None


@pytest.mark.parametrize("uri", ["runs:/1/model", 'models:/a "b"\\c/1', "models:/n\x1b[31m\u202e/1", "models:/ü🙂'/1"])
def test_the_code_that_loads_it_is_python_with_the_uri_in_it(uri: str) -> None:
    data = b"flavors:\n  python_function: {}\n  sklearn: {}\n  home_made: {}\n"
    snippets = loading_code(read_mlmodel(Bytes(data)), uri)
    assert [snippet.title for snippet in snippets] == ["mlflow.pyfunc", "mlflow.sklearn", "Spark UDF"]
    for snippet in snippets:
        constants = {node.value for node in ast.walk(ast.parse(snippet.code)) if isinstance(node, ast.Constant)}
        assert uri in constants
        assert all(line.isprintable() for line in snippet.code.splitlines())
