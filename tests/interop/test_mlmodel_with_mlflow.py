"""What mldeck reads in an `MLmodel` is what the real MLflow reads in it and wrote into it."""

from __future__ import annotations

import importlib.util
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mldeck.artifacts.mlmodel import MLmodel, loading_code, read_mlmodel
from mldeck.artifacts.previews.tree import parse_json, tree_text
from mldeck.artifacts.source import LocalFile
from tests.fixture_stores import FIXTURES, FixtureStore

pytestmark = pytest.mark.interop


def _agrees(path: Path) -> MLmodel:
    from mlflow.models import Model

    ours, theirs = read_mlmodel(LocalFile(path)), Model.load(str(path))
    assert [flavor.name for flavor in ours.flavors] == list(theirs.flavors)
    for name in (
        "run_id",
        "artifact_path",
        "utc_time_created",
        "mlflow_version",
        "model_uuid",
        "model_id",
        "model_size_bytes",
    ):
        assert getattr(ours, name) == getattr(theirs, name), name
    assert _fields(ours, "inputs") == _specs(theirs.signature and theirs.signature.inputs)
    assert _fields(ours, "outputs") == _specs(theirs.signature and theirs.signature.outputs)
    assert _fields(ours, "params") == _specs(theirs.signature and theirs.signature.params)
    assert dict(ours.input_example) == {
        key: value if isinstance(value, str) else tree_text(parse_json(json.dumps(value)))
        for key, value in (theirs.saved_input_example_info or {}).items()
        if value is not None
    }
    return ours


def _fields(model: MLmodel, part: str) -> list[tuple[str | None, str | None, bool | str | None]] | None:
    fields = getattr(model.signature, part) if model.signature else None
    if fields is None:
        return None
    return [(field.name, field.shape, field.default if part == "params" else field.required) for field in fields]


def _specs(schema: Any) -> list[tuple[str | None, str | None, bool | str | None]] | None:
    """The same of MLflow's own objects."""
    if schema is None:
        return None
    specs = []
    for spec in schema:
        shape = getattr(spec, "shape", None)
        default = getattr(spec, "default", None)
        specs.append(
            (
                spec.name,
                None if shape is None else str(list(shape)),
                tree_text(parse_json(json.dumps(default))) if hasattr(spec, "default") else spec.required,
            )
        )
    return specs


@pytest.mark.parametrize("name", FIXTURES)
def test_models_of_every_release_are_read_alike(name: str, store_copy: Callable[[str], FixtureStore]) -> None:
    for path in store_copy(name).path.rglob("MLmodel"):
        _agrees(path)


def test_a_model_with_everything_is_read_alike(tmp_path: Path) -> None:
    import numpy as np
    import pandas as pd
    from mlflow.models import Model, infer_signature

    frame = pd.DataFrame({"a": [1], "b": ["x"], "c": [[1.0]], "d": [{"k": 1, "j": "s"}], "e": [True]})
    with warnings.catch_warnings():
        # That integers cannot be missing is nothing new.
        warnings.simplefilter("ignore")
        signature = infer_signature(
            frame, {"y": np.zeros((3, 2))}, params={"t": 0.5, "stop": ["a", "b"], "n": 3, "on": True}
        )
    written = Model(
        artifact_path="model",
        run_id="0" * 32,
        flavors={
            "python_function": {"loader_module": "x", "python_version": "3.11.7"},
            "home_made": {"any": [1, {"b": None}]},
        },
        signature=signature,
        saved_input_example_info={"artifact_path": "input_example.json", "type": "dataframe", "pandas_orient": "split"},
        metadata={"team": "a: b", "labels": ["x", 1]},
    )
    path = tmp_path / "MLmodel"
    written.save(str(path))
    ours = _agrees(path)
    assert ours.signature is not None
    assert ours.signature.inputs is not None
    assert ours.signature.outputs is not None
    assert [field.type for field in ours.signature.inputs] == [
        "long", "string", "Array(double)", "{j: string, k: long}", "boolean",
    ]  # fmt: skip
    assert [field.type for field in ours.signature.outputs] == ["float64"]
    assert dict(ours.metadata) == {"team": "a: b", "labels": '["x", 1]'}


def test_the_loading_code_calls_what_mlflow_has(tmp_path: Path) -> None:
    """Each flavour of the installed MLflow that can load models by itself has its own snippet."""
    found = importlib.util.find_spec("mlflow")
    assert found is not None
    assert found.submodule_search_locations
    package = Path(found.submodule_search_locations[0])
    loaders = {
        path.relative_to(package).parts[0]
        for path in package.glob("*/*.py")
        if "\ndef load_model(" in path.read_text(encoding="utf-8")
    }
    assert {"sklearn", "pyfunc", "pytorch"} <= loaders
    flavors = sorted(loaders - {"pyfunc"})
    path = tmp_path / "MLmodel"
    path.write_text("flavors:\n" + "".join(f"  {flavor}: {{}}\n" for flavor in flavors))
    snippets = loading_code(read_mlmodel(LocalFile(path)), "runs:/1/model")
    assert [snippet.title for snippet in snippets] == [f"mlflow.{flavor}" for flavor in flavors]
