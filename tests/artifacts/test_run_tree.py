"""A run's folder and its models as one tree: what the models are called there."""

from __future__ import annotations

from pathlib import Path

import pytest

from mldeck.artifacts.errors import ArtifactError, NotFound
from mldeck.artifacts.location import LocationStatus, Places
from mldeck.artifacts.run_tree import RunTree, run_tree
from mldeck.artifacts.tree import EntryKind, find
from mldeck.registry.nouns import LoggedModel

RUN = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Of an experiment."""
    (tmp_path / "1" / RUN / "artifacts" / "data").mkdir(parents=True)
    (tmp_path / "1" / RUN / "artifacts" / "data" / "table.csv").touch()
    return tmp_path / "1"


def tree_of(root: Path, *names: str) -> RunTree:
    """A run with models of these names, each with a file that holds its number."""
    models = []
    for number, name in enumerate(names):
        model_id = f"m-{number:032x}"
        folder = root / "models" / model_id / "artifacts"
        folder.mkdir(parents=True)
        (folder / "MLmodel").write_text(str(number))
        models.append(LoggedModel(name, RUN, model_id, str(folder)))
    return run_tree(str(root / RUN / "artifacts"), RUN, models, Places(root.parent))


def test_by_name(root: Path) -> None:
    tree = tree_of(root, "model", "with space")
    assert [(entry.path, entry.kind) for entry in tree.entries()] == [
        ("data", EntryKind.FOLDER),
        ("model", EntryKind.MODEL),
        ("with space", EntryKind.MODEL),
    ]
    assert tree.entry("model").target == f"m-{0:032x}"
    assert tree.file("with space/MLmodel").read(0, 9) == b"1"
    assert tree.entry("model/MLmodel").path == "model/MLmodel"
    assert tree.local_path("model") == (root / "models" / f"m-{0:032x}" / "artifacts").resolve()
    assert [entry.path for entry in find(tree, "MLmodel").entries] == ["model/MLmodel", "with space/MLmodel"]


@pytest.mark.parametrize("names", [("same", "same"), ("data", "data2"), ("a/b", "..", "", ".")])
def test_by_id_where_the_name_will_not_do(root: Path, names: tuple[str, ...]) -> None:
    tree = tree_of(root, *names)
    (root / RUN / "artifacts" / "later").mkdir()
    labels = [branch.label for branch in tree.branches]
    assert len(set(labels)) == len(names)
    for number, (label, name) in enumerate(zip(labels, names, strict=True)):
        assert label == ("data2" if name == "data2" else f"m-{number:032x}")
        assert tree.file(f"{label}/MLmodel").read(0, 9) == str(number).encode()
    assert [entry.path for entry in tree.entries("data")] == ["data/table.csv"]
    assert {entry.path for entry in tree.entries()} == {"data", "later", *labels}


def test_models_inside_the_run_make_no_branch(root: Path) -> None:
    model = LoggedModel("data", RUN, None, str(root / RUN / "artifacts" / "data"))
    tree = run_tree(str(root / RUN / "artifacts"), RUN, [model], Places(root.parent))
    assert tree.branches == ()


def test_what_cannot_be_found_is_said_where_it_is_opened(root: Path) -> None:
    models = [LoggedModel("lost", RUN, f"m-{9:032x}", f"/gone/models/m-{9:032x}/artifacts")]
    tree = run_tree(f"/gone/2/{RUN}x/artifacts", RUN, models, Places(root))
    assert tree.own.how is LocationStatus.NOT_FOUND
    assert [entry.path for entry in tree.entries()] == ["lost"]
    for path in ("lost", "lost/MLmodel", "other"):
        with pytest.raises(ArtifactError, match="no files at /gone/"):
            tree.entries(path)
    assert (tree.location("lost"), tree.location("other"), tree.local_path("")) == (None, None, None)


def test_a_folder_that_vanishes(root: Path) -> None:
    tree = tree_of(root)
    (root / RUN).rename(root / "gone")
    with pytest.raises(NotFound):
        tree.entries()
