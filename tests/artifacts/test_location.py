"""Where URIs lead: in place, moved, mapped, and nowhere."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from mldeck.artifacts.errors import ArtifactError
from mldeck.artifacts.location import Located, LocationStatus, Places, locate
from mldeck.artifacts.opening import open_tree
from tests.privileges import without_root_powers

RUN = "0123456789abcdef0123456789abcdef"
OTHER = "f" * 32
MODEL = f"m-{RUN}"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """The folder of the database."""
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def places(database: Path, isolated: Path) -> Places:
    return Places(database)


def made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def found(located: Located) -> tuple[LocationStatus, Path | None]:
    assert (located.problem is None) == located.found
    return located.how, located.path


class TestWhereTheDatabaseSays:
    def test_a_plain_path(self, places: Places, tmp_path: Path) -> None:
        folder = made(tmp_path / "elsewhere" / "1" / RUN / "artifacts")
        located = locate(str(folder), places)
        assert found(located) == (LocationStatus.RECORDED, folder)
        assert (located.moved, located.looked_at, located.where) == (False, (str(folder),), str(folder))

    @pytest.mark.parametrize("form", ["file://{}", "file:{}", "file://localhost{}"])
    def test_a_file_uri(self, places: Places, tmp_path: Path, form: str) -> None:
        folder = made(tmp_path / "my runs" / RUN / "artifacts")
        uri = form.format(str(folder).replace(" ", "%20"))
        assert found(locate(uri, places)) == (LocationStatus.RECORDED, folder)

    def test_a_plain_path_is_taken_as_it_is_before_it_is_decoded(self, places: Places, tmp_path: Path) -> None:
        raw, decoded = tmp_path / "a%20b", made(tmp_path / "a b")
        assert found(locate(str(raw), places)) == (LocationStatus.RECORDED, decoded)
        raw.mkdir()
        assert found(locate(str(raw), places)) == (LocationStatus.RECORDED, raw)

    def test_a_file_uri_is_decoded_first(self, places: Places, tmp_path: Path) -> None:
        raw, decoded = made(tmp_path / "a%20b"), tmp_path / "a b"
        assert found(locate(f"file://{raw}", places)) == (LocationStatus.RECORDED, raw)
        decoded.mkdir()
        assert found(locate(f"file://{raw}", places)) == (LocationStatus.RECORDED, decoded)

    def test_without_permission_to_look(self, places: Places, tmp_path: Path) -> None:
        folder = made(tmp_path / "secret" / "1" / RUN / "artifacts")
        (tmp_path / "secret").chmod(0)
        with without_root_powers():
            located = locate(str(folder), places)
        (tmp_path / "secret").chmod(0o755)
        assert located.how is LocationStatus.NOT_FOUND
        assert f"{folder} cannot be read: Permission denied" in str(located.problem)

    def test_a_copy_counts_when_there_is_no_permission_to_look(
        self, places: Places, database: Path, tmp_path: Path
    ) -> None:
        """As for a store that another user recorded, below a home of theirs."""
        folder = made(tmp_path / "secret" / "1" / RUN / "artifacts")
        copy = made(database / "1" / RUN / "artifacts")
        (tmp_path / "secret").chmod(0)
        with without_root_powers():
            located = locate(str(folder), places)
        (tmp_path / "secret").chmod(0o755)
        assert found(located) == (LocationStatus.MOVED, copy)


class TestRelative:
    URI = f"./mlruns/1/{RUN}/artifacts"

    def test_to_the_databases_folder_first(self, places: Places, database: Path, isolated: Path) -> None:
        in_current = made(isolated / "mlruns" / "1" / RUN / "artifacts")
        assert found(locate(self.URI, places)) == (LocationStatus.CURRENT_FOLDER, in_current)
        beside = made(database / "mlruns" / "1" / RUN / "artifacts")
        assert found(locate(self.URI, places)) == (LocationStatus.BESIDE_DATABASE, beside)

    def test_a_file_uri(self, places: Places, database: Path) -> None:
        folder = made(database / "mlruns" / "1" / RUN / "artifacts")
        assert found(locate(f"file:mlruns/1/{RUN}/artifacts", places)) == (LocationStatus.BESIDE_DATABASE, folder)

    @pytest.mark.parametrize(
        "uri", [rf".\mlruns\1\{RUN}\artifacts", rf".\mlruns/1/{RUN}/artifacts", rf"mlruns\1\{RUN}\artifacts"]
    )
    def test_as_windows_writes_it(self, places: Places, database: Path, uri: str) -> None:
        folder = made(database / "mlruns" / "1" / RUN / "artifacts")
        located = locate(uri, places)
        assert found(located) == (LocationStatus.BESIDE_DATABASE, folder)
        assert located.unconfirmed is None

    def test_as_windows_writes_it_and_moved(self, places: Places, database: Path) -> None:
        folder = made(database / "1" / RUN / "artifacts")
        assert found(locate(rf".\store\mlruns\1\{RUN}\artifacts", places)) == (LocationStatus.MOVED, folder)

    def test_a_backslash_may_be_part_of_a_name(self, places: Places, database: Path) -> None:
        folder = made(database / "a\\b" / RUN / "artifacts")
        made(database / "a" / "b" / RUN / "artifacts")
        assert found(locate(rf"a\b/{RUN}/artifacts", places)) == (LocationStatus.BESIDE_DATABASE, folder)

    def test_backslashes_lead_out_only_when_somebody_agrees(self, places: Places, tmp_path: Path) -> None:
        folder = made(tmp_path / "secret")
        assert locate(r"..\secret", places).unconfirmed == str(folder)


class TestServer:
    @pytest.mark.parametrize(
        "root",
        ["mlflow-artifacts:", "mlflow-artifacts://host:5000", "http://host/api/2.0/mlflow-artifacts/artifacts"],
    )
    def test_the_folder_that_it_makes(self, places: Places, database: Path, root: str) -> None:
        folder = made(database / "mlartifacts" / "1" / RUN / "artifacts")
        assert found(locate(f"{root}/1/{RUN}/artifacts", places)) == (LocationStatus.SERVER_FOLDER, folder)

    def test_in_the_current_folder(self, places: Places, isolated: Path) -> None:
        folder = made(isolated / "mlartifacts" / "1" / RUN / "artifacts")
        assert found(locate(f"mlflow-artifacts:/1/{RUN}/artifacts", places)) == (LocationStatus.SERVER_FOLDER, folder)

    def test_that_it_was_given_beside_the_database(self, places: Places, database: Path) -> None:
        folder = made(database / "1" / RUN / "artifacts")
        assert found(locate(f"mlflow-artifacts:/1/{RUN}/artifacts", places)) == (LocationStatus.MOVED, folder)

    def test_the_way_out(self, places: Places) -> None:
        located = locate(f"mlflow-artifacts:/1/{RUN}/artifacts", places)
        assert located.how is LocationStatus.NOT_FOUND
        assert "--artifact-root mlflow-artifacts:=FOLDER" in str(located.problem)


class TestMoved:
    @pytest.mark.parametrize(
        "below", ["mlruns/1", "1", "", "mlartifacts/1", "mlruns", "proj/mlruns/1", "home/ada/proj/mlruns/1"]
    )
    @pytest.mark.parametrize("form", ["{}", "file://{}"])
    def test_the_end_of_the_path_is_found(self, places: Places, database: Path, below: str, form: str) -> None:
        folder = made(database / below / RUN / "artifacts")
        located = locate(form.format(f"/home/ada/proj/mlruns/1/{RUN}/artifacts"), places)
        assert found(located) == (LocationStatus.MOVED, folder)
        assert located.moved
        assert located.looked_at[0] == f"/home/ada/proj/mlruns/1/{RUN}/artifacts"
        assert located.looked_at[-1] == str(folder)

    def test_the_longest_end_wins(self, places: Places, database: Path) -> None:
        made(database / RUN / "artifacts")
        made(database / "1" / RUN / "artifacts")
        longest = made(database / "mlruns" / "1" / RUN / "artifacts")
        assert locate(f"/home/ada/mlruns/1/{RUN}/artifacts", places).path == longest

    @pytest.mark.parametrize(
        "uri",
        [rf"C:\ml\mlruns\1\{RUN}\artifacts", f"file:///C:/ml/mlruns/1/{RUN}/artifacts", rf"\\nas\ml\1\{RUN}\artifacts"],
    )
    def test_from_windows(self, places: Places, database: Path, uri: str) -> None:
        folder = made(database / "mlruns" / "1" / RUN / "artifacts")
        assert found(locate(uri, places)) == (LocationStatus.MOVED, folder)

    def test_a_model(self, places: Places, database: Path) -> None:
        folder = made(database / "mlruns" / "1" / "models" / MODEL / "artifacts")
        assert locate(f"/home/ada/mlruns/1/models/{MODEL}/artifacts", places, MODEL).path == folder

    def test_a_folder_inside_a_run(self, places: Places, database: Path) -> None:
        folder = made(database / "mlruns" / "1" / RUN / "artifacts" / "model")
        assert locate(f"/home/ada/mlruns/1/{RUN}/artifacts/model", places).path == folder

    def test_relative_and_moved(self, places: Places, database: Path) -> None:
        folder = made(database / "1" / RUN / "artifacts")
        assert found(locate(f"./mlruns/1/{RUN}/artifacts", places)) == (LocationStatus.MOVED, folder)

    def test_percent_encoded(self, places: Places, database: Path) -> None:
        folder = made(database / "my exp" / RUN / "artifacts")
        assert locate(f"file:///home/ada/my%20exp/{RUN}/artifacts", places).path == folder


class TestNeverAnotherRunsFiles:
    def test_an_end_without_the_run(self, places: Places, database: Path) -> None:
        made(database / "artifacts")
        made(database / "mlruns" / "1" / OTHER / "artifacts")
        assert not locate(f"/home/ada/mlruns/1/{RUN}/artifacts", places).found

    def test_a_folder_inside_that_is_called_like_a_run(self, places: Places, database: Path) -> None:
        made(database / OTHER / "x")
        made(database / OTHER / "artifacts" / "x")
        assert not locate(f"/home/ada/mlruns/1/{RUN}/artifacts/{OTHER}/x", places).found
        assert not locate(f"/home/ada/mlruns/1/{RUN}/artifacts/{OTHER}/artifacts/x", places).found

    def test_a_path_without_any_id(self, places: Places, database: Path) -> None:
        made(database / "models" / "final")
        assert not locate("/home/ada/models/final", places).found

    def test_a_path_that_does_not_have_the_id_that_it_should(self, places: Places, database: Path) -> None:
        made(database / "mlruns" / "1" / OTHER / "artifacts")
        assert not locate(f"/home/ada/mlruns/1/{OTHER}/artifacts", places, RUN).found

    def test_by_dots(self, places: Places, database: Path) -> None:
        made(database / "1" / OTHER / "artifacts")
        assert not locate(f"/home/ada/1/{RUN}/../{OTHER}/artifacts", places, RUN).found


class TestArtifactRoots:
    URI = f"/home/ada/mlruns/1/{RUN}/artifacts"

    def test_wins_over_what_is_recorded_and_over_guessing(self, database: Path, tmp_path: Path) -> None:
        made(database / "mlruns" / "1" / RUN / "artifacts")
        recorded = made(tmp_path / "old" / "1" / RUN / "artifacts")
        new = made(tmp_path / "new" / "1" / RUN / "artifacts")
        roots = ((str(tmp_path / "old"), str(tmp_path / "new")),)
        located = locate(str(recorded), Places(database, roots))
        assert found(located) == (LocationStatus.MAPPED, new)
        assert located.moved

    def test_one_that_leads_nowhere_is_passed_over(self, database: Path, tmp_path: Path) -> None:
        beside = made(database / "mlruns" / "1" / RUN / "artifacts")
        new = tmp_path / "new"
        roots = (("/home/ada/mlruns", str(tmp_path / "typo")), ("/home/ada", str(new)))
        assert found(locate(self.URI, Places(database, roots))) == (LocationStatus.MOVED, beside)
        second = made(new / "mlruns" / "1" / RUN / "artifacts")
        located = locate(self.URI, Places(database, roots))
        assert found(located) == (LocationStatus.MAPPED, second)
        assert located.looked_at[0] == str(tmp_path / "typo" / "1" / RUN / "artifacts")

    @pytest.mark.parametrize(
        ("uri", "old"),
        [
            (f"mlflow-artifacts:/1/{RUN}/artifacts", "mlflow-artifacts:"),
            (f"s3://bucket/mlflow/1/{RUN}/artifacts", "s3://bucket/mlflow"),
            (f"dbfs:/databricks/1/{RUN}/artifacts", "dbfs:/databricks"),
            (rf"C:\mlruns\1\{RUN}\artifacts", r"C:\mlruns"),
            (f"./mlruns/1/{RUN}/artifacts", "mlruns"),
        ],
    )
    def test_of_every_form(self, database: Path, tmp_path: Path, uri: str, old: str) -> None:
        new = made(tmp_path / "new" / "1" / RUN / "artifacts")
        assert found(locate(uri, Places(database, ((old, str(tmp_path / "new")),)))) == (LocationStatus.MAPPED, new)

    def test_relative_to_the_current_folder(self, database: Path, isolated: Path) -> None:
        new = made(isolated / "copy" / "1" / RUN / "artifacts")
        assert locate(self.URI, Places(database, (("/home/ada/mlruns", "copy"),))).path == new

    def test_to_an_object_store(self, database: Path) -> None:
        located = locate(
            f"mlflow-artifacts:/1/{RUN}/artifacts", Places(database, (("mlflow-artifacts:", "s3://b/root/"),))
        )
        assert (located.how, located.url, located.path) == (
            LocationStatus.MAPPED,
            f"s3://b/root/1/{RUN}/artifacts",
            None,
        )
        assert located.found


class TestNothingThere:
    def test_a_run_that_logged_nothing(self, places: Places, tmp_path: Path) -> None:
        root = made(tmp_path / "mlruns")
        uri = f"{root}/1/{RUN}/artifacts"
        located = locate(uri, places)
        assert located.how is LocationStatus.NOTHING_LOGGED
        assert f"{root} has no folder {RUN}" in str(located.problem)
        made(root / "1")
        assert f"{root}/1 has no folder {RUN}" in str(locate(uri, places).problem)

    def test_in_a_store_that_was_moved(self, places: Places, database: Path) -> None:
        made(database / "mlruns" / "1" / OTHER / "artifacts")
        assert locate(f"/home/ada/mlruns/1/{RUN}/artifacts", places).how is LocationStatus.NOTHING_LOGGED

    @pytest.mark.parametrize(
        ("uri", "hint"),
        [
            (f"/home/ada/mlruns/1/{RUN}/artifacts", "--artifact-root /home/ada/mlruns=FOLDER"),
            (f"/home/ada/mlruns/1/models/{MODEL}/artifacts", "--artifact-root /home/ada/mlruns=FOLDER"),
            (rf"C:\ml\mlruns\1\{RUN}\artifacts", "--artifact-root C:/ml/mlruns=FOLDER"),
            (f"./mlruns/1/{RUN}/artifacts", "--artifact-root mlruns=FOLDER"),
            ("/home/ada/model", "--artifact-root /home/ada=FOLDER"),
        ],
    )
    def test_files_that_are_elsewhere(self, places: Places, uri: str, hint: str) -> None:
        located = locate(uri, places)
        assert (located.how, located.found, located.where) == (LocationStatus.NOT_FOUND, False, None)
        assert f"no files at {uri}, where the database says they are" in str(located.problem)
        assert hint in str(located.problem)
        with pytest.raises(ArtifactError, match="no files at"):
            open_tree(located)

    @pytest.mark.parametrize(
        ("uri", "reason"),
        [
            (None, "the database does not say"),
            ("", "the database does not say"),
            (" ", "the database does not say"),
            ("dummy-source", "a prompt"),
            ("REDACTED-SOURCE-PATH", "erased when the version was deleted"),
            (
                "dbfs:/x/y",
                "mldeck cannot list dbfs: locations; if you have the files here, pass --artifact-root dbfs:",
            ),
            ("s3:/bucket/x", "mldeck cannot list s3: locations"),
            ("https://host/x", "mldeck cannot list https: locations"),
            (r"C:\x\y", r"C:\x\y: mldeck cannot list Windows paths"),
            (r"\\server\share\x", r"\\server\share\x: mldeck cannot list Windows paths"),
        ],
    )
    def test_no_place_at_all(self, places: Places, uri: str | None, reason: str) -> None:
        located = locate(uri, places)
        assert located.how is LocationStatus.UNRESOLVABLE
        assert reason in str(located.problem)

    def test_a_zero_byte(self, places: Places) -> None:
        assert locate(f"/a\0/{RUN}/artifacts", places).how is LocationStatus.NOT_FOUND


@pytest.mark.parametrize(
    "uri", ["s3://b/1/x?versionId=3", "gs://b/1", "abfss://c@a.dfs.core.windows.net/1", "sftp://h/1"]
)
def test_object_stores_are_left_to_be_opened(places: Places, uri: str) -> None:
    located = locate(uri, places)
    assert (located.how, located.url, located.path) == (LocationStatus.REMOTE, uri.partition("?")[0], None)


@pytest.mark.parametrize(
    "uri",
    [
        rf".\mlruns\1\{RUN}\artifacts",
        rf".\mlruns/1/{RUN}/artifacts",
        rf"mlruns\1\models\{MODEL}\artifacts",
        rf"C:\ml\mlruns\1\{RUN}\artifacts",
        rf"\\server\share\mlruns\1\{RUN}\artifacts",
        r"C:\x\y",
        r"C:\x",
        f"./mlruns/1/{RUN}/artifacts",
        f"file:///home/a%20b/mlruns/1/{RUN}/artifacts",
        f"dbfs:/databricks/mlruns/1/{RUN}/artifacts",
        f"mlflow-artifacts:/1/{RUN}/artifacts",
        "/home/ada/model",
        f"/home/ada/my runs/1/{RUN}/artifacts",
        "https://host/x",
    ],
)
def test_the_advice_helps(places: Places, tmp_path: Path, uri: str) -> None:
    problem = str(locate(uri, places).problem)
    (word, *_) = shlex.split(problem.partition("--artifact-root ")[2])
    old = word.removesuffix("=FOLDER")
    folder = made(tmp_path / "now")
    located = locate(uri, replace(places, roots=((old, str(folder)),)))
    assert any(Path(each).is_relative_to(folder) for each in located.looked_at)


class TestReferences:
    """`runs:/` and `models:/`, looked up in a database that is a few dictionaries here."""

    class Database:
        def __init__(self, root: Path) -> None:
            self.runs = {RUN: f"{root}/1/{RUN}/artifacts"}
            self.models = {MODEL: f"{root}/1/models/{MODEL}/artifacts"}
            self.run_models = {(RUN, "classifier"): self.models[MODEL]}
            self.versions = {
                ("a/b: c", "1"): f"runs:/{RUN}/model",
                ("a/b: c", "Production"): f"models:/{MODEL}",
                ("loop", "1"): "models:/loop/1",
                ("prompt", "1"): "dummy-source",
            }

        def run_uri(self, run_id: str) -> str | None:
            return self.runs.get(run_id)

        def run_model_uri(self, run_id: str, name: str) -> str | None:
            return self.run_models.get((run_id, name))

        def logged_model_uri(self, model_id: str) -> str | None:
            return self.models.get(model_id)

        def version_uri(self, name: str, version: str) -> str | None:
            return self.versions.get((name, version))

        def alias_uri(self, name: str, alias: str) -> str | None:
            return self.versions.get((name, {"champion": "Production"}.get(alias, "")))

    @pytest.mark.parametrize(
        ("uri", "path"),
        [
            (f"runs:/{RUN}/model", f"1/{RUN}/artifacts/model"),
            (f"runs:/{RUN}", f"1/{RUN}/artifacts"),
            (f"runs:/{RUN}/classifier", f"1/models/{MODEL}/artifacts"),
            (f"runs:/{RUN}/classifier/data", f"1/models/{MODEL}/artifacts/data"),
            (f"models:/{MODEL}", f"1/models/{MODEL}/artifacts"),
            (f"models:///{MODEL}/", f"1/models/{MODEL}/artifacts"),
            ("models:/a/b: c/1", f"1/{RUN}/artifacts/model"),
            ("models:/a/b: c/Production", f"1/models/{MODEL}/artifacts"),
            ("models:/a/b: c@champion", f"1/models/{MODEL}/artifacts"),
        ],
    )
    def test_what_they_stand_for(self, places: Places, tmp_path: Path, uri: str, path: str) -> None:
        for each in (f"1/{RUN}/artifacts/model", f"1/models/{MODEL}/artifacts/data"):
            made(tmp_path / each)
        located = locate(uri, places, look_up=self.Database(tmp_path))
        assert found(located) == (LocationStatus.RECORDED, tmp_path / path)
        assert located.uri == uri

    @pytest.mark.parametrize(
        "uri",
        ["runs:/none/model", "models:/m-none", "models:/none/1", "models:/a/b: c@none", "models:/loop/1", "models:/"],
    )
    def test_what_the_database_does_not_have(self, places: Places, tmp_path: Path, uri: str) -> None:
        located = locate(uri, places, look_up=self.Database(tmp_path))
        assert located.how is LocationStatus.UNRESOLVABLE
        assert f"{uri}: the database has no such model or run" in str(located.problem)

    def test_a_version_without_files(self, places: Places, tmp_path: Path) -> None:
        assert "a prompt" in str(locate("models:/prompt/1", places, look_up=self.Database(tmp_path)).problem)

    def test_nobody_to_ask(self, places: Places) -> None:
        assert locate(f"runs:/{RUN}/model", places).how is LocationStatus.UNRESOLVABLE
