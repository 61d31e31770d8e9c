"""Whether a place holds the files of a model."""

from __future__ import annotations

from pathlib import Path

from mldeck.artifacts.location import Places
from mldeck.artifacts.model_files import has_mlmodel


def test_only_a_file_of_that_name_makes_a_model(tmp_path: Path) -> None:
    places = Places(tmp_path, (), tmp_path)
    model, folder = tmp_path / "model", tmp_path / "folder"
    model.mkdir()
    assert not has_mlmodel(str(model), places)
    (model / "MLmodel").write_text("flavors: {}\n")
    (folder / "MLmodel").mkdir(parents=True)
    assert has_mlmodel(str(model), places)
    assert has_mlmodel(model.as_uri(), places)
    assert not has_mlmodel(str(folder), places)
    assert not has_mlmodel(str(tmp_path / "missing"), places)
    assert not has_mlmodel(None, places)
    assert not has_mlmodel("databricks:/x", places)


def test_a_link_is_followed_to_a_file(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    (model / "MLmodel").symlink_to(tmp_path / "elsewhere")
    assert not has_mlmodel(str(model), Places(tmp_path, (), tmp_path))
    (tmp_path / "elsewhere").write_text("flavors: {}\n")
    assert has_mlmodel(str(model), Places(tmp_path, (), tmp_path))
