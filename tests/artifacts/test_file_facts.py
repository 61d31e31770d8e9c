"""The size and the signature of a model's files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from mldeck.artifacts import file_facts
from mldeck.artifacts.file_facts import UNKNOWN_FACTS, FileFacts, read_facts, signature_changes, signature_verdict
from mldeck.artifacts.location import Located, LocationStatus, Places, locate
from mldeck.errors import Interrupted
from tests.privileges import without_root_powers

Fields = Sequence[Mapping[str, object]]
AGE: Fields = ({"name": "age", "type": "long"},)
SCORE: Fields = ({"name": "score", "type": "double"},)


def mlmodel(inputs: Fields | None, outputs: Fields | None = None, params: Fields | None = None) -> str:
    """Return a file as MLflow writes it; one without a signature if there are no inputs."""
    if inputs is None:
        return "flavors: {}\n"
    parts = {"inputs": inputs, "outputs": outputs, "params": params}
    lines = [
        f"  {name}: {'null' if fields is None else repr(json.dumps(list(fields)))}" for name, fields in parts.items()
    ]
    return "\n".join(["flavors: {}", "signature:", *lines, ""])


def model_at(folder: Path, text: str | None = "flavors: {}\n") -> Located:
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "model.pkl").write_bytes(bytes(1000))
    if text is not None:
        (folder / "MLmodel").write_text(text)
    return located(folder)


def located(folder: Path) -> Located:
    return locate(str(folder), Places(folder.parent, (), None, confirmed=frozenset({str(folder.resolve())})))


def facts(folder: Path, *fields: Fields | None) -> FileFacts:
    return read_facts(model_at(folder, mlmodel(*fields)))


class TestSize:
    def test_of_all_files(self, tmp_path: Path) -> None:
        text = mlmodel(AGE, SCORE)
        found = read_facts(model_at(tmp_path / "m", text))
        assert (found.size, found.is_whole, found.size_text) == (1000 + len(text), True, "1.1 kB")
        assert found.signature_text == "1 in, 1 out"

    def test_counting_has_a_limit(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        folder = model_at(tmp_path / "m")
        monkeypatch.setattr(file_facts, "MOST_ENTRIES", 2)  # the folder, and one of the files
        found = read_facts(folder)
        assert (found.size, found.is_whole, found.size_text) == (1000, False, "≥ 1.0 kB")

    def test_a_folder_that_may_not_be_read(self, tmp_path: Path) -> None:
        folder = model_at(tmp_path / "m")
        (tmp_path / "m" / "data").chmod(0)
        with without_root_powers():
            found = read_facts(folder)
        (tmp_path / "m" / "data").chmod(0o700)
        assert (found.size, found.is_whole) == (len("flavors: {}\n"), False)

    def test_it_can_be_stopped(self, tmp_path: Path) -> None:
        def stop() -> None:
            raise Interrupted("no longer wanted")

        with pytest.raises(Interrupted):
            read_facts(model_at(tmp_path / "m"), stop)

    def test_what_cannot_be_known(self, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        nowhere = Located("s3://bucket/m", LocationStatus.REMOTE, url="s3://bucket/m", unconfirmed="s3://bucket")
        for place in (
            None,
            locate(None, Places(tmp_path)),
            located(tmp_path / "no"),
            located(tmp_path / "empty"),
            nowhere,
        ):
            assert read_facts(place) == UNKNOWN_FACTS
        assert (UNKNOWN_FACTS.size_text, UNKNOWN_FACTS.signature_text) == ("–", "–")

    def test_a_place_that_only_the_database_names_is_not_opened(self, tmp_path: Path) -> None:
        model_at(tmp_path / "elsewhere")
        asked = locate(str(tmp_path / "elsewhere"), Places(tmp_path / "store", (), None))
        assert asked.unconfirmed is not None
        assert read_facts(asked) == UNKNOWN_FACTS


class TestSignature:
    @pytest.mark.parametrize("text", [None, "flavors: [", "flavors: {}\nsignature:\n  inputs: '{'\n", "\0"])
    def test_it_may_be_unreadable_while_the_size_is_known(self, tmp_path: Path, text: str | None) -> None:
        found = read_facts(model_at(tmp_path / "m", text))
        assert (found.signature, found.signature_text) == (None, "–")
        assert (found.size or 0) >= 1000

    def test_its_parts_are_counted(self, tmp_path: Path) -> None:
        params = [{"name": "a", "type": "long", "default": 1}, {"name": "b", "type": "long", "default": 2}]
        assert facts(tmp_path / "m", (*AGE, *SCORE), SCORE, params).signature_text == "2 in, 1 out, 2 params"
        assert facts(tmp_path / "n", AGE, None, params[:1]).signature_text == "1 in, 1 param"

    def test_a_model_without_one(self, tmp_path: Path) -> None:
        without, other = facts(tmp_path / "a", None), facts(tmp_path / "b", None)
        assert without.signature_text == "none"
        assert signature_verdict(without, other) == "same"
        assert signature_verdict(without, facts(tmp_path / "c", AGE)) == "differs"
        assert signature_verdict(without, UNKNOWN_FACTS) == ""

    @pytest.mark.parametrize(
        ("before", "after", "changes"),
        [
            ((AGE, SCORE), (AGE, SCORE), ()),
            (((*AGE, *SCORE),), ((*SCORE, *AGE),), ()),
            ((AGE, SCORE), (AGE,), ("output score is gone",)),
            ((AGE,), ((*AGE, *SCORE),), ("input score is new",)),
            ((AGE,), ([{"name": "age", "type": "double"}],), ("input age is double, not long",)),
            (
                (AGE,),
                ([{"name": "age", "type": "long", "required": False}],),
                ("input age is long (optional), not long",),
            ),
            (
                ([{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 8]}}],),
                ([{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 9]}}],),
                ("input 1 is float32 [-1, 9], not float32 [-1, 8]",),
            ),
            (
                (AGE, None, [{"name": "top_k", "type": "long", "default": 3}]),
                (AGE, None, [{"name": "top_k", "type": "long", "default": 5}]),
                ("param top_k has another default",),
            ),
        ],
    )
    def test_what_differs(
        self, tmp_path: Path, before: tuple[Fields, ...], after: tuple[Fields, ...], changes: tuple[str, ...]
    ) -> None:
        now, then = facts(tmp_path / "now", *before), facts(tmp_path / "then", *after)
        assert signature_changes(now, then) == changes
        assert signature_verdict(now, then) == ("differs" if changes else "same")
