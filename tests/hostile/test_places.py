"""The database does not choose what is connected to, listed or copied: what only it names is asked about first."""

from __future__ import annotations

import re
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from mldeck.artifacts.errors import ArtifactError, Unconfirmed
from mldeck.artifacts.location import Located, Places, locate
from mldeck.artifacts.model_files import has_mlmodel
from mldeck.artifacts.opening import open_tree
from mldeck.errors import UsageError
from mldeck.settings import load_settings
from mldeck.ui.state.saved_state import SavedState
from tests.fixture_stores import FixtureStore
from tests.terminal.terminal import mldeck
from tests.ui.files.artifact_deck import CHURN, files_of

Ask = Callable[..., tuple[int, str, str]]
RUN = "0123456789abcdef" * 2
MODEL = "m-" + "f" * 32


class Listener:
    """Counts who connects; nobody is ever answered."""

    def __init__(self, server: socket.socket) -> None:
        self._server = server
        self.address = f"127.0.0.1:{server.getsockname()[1]}"

    def connections(self) -> int:
        count = 0
        while True:
            try:
                connection, _ = self._server.accept()
            except BlockingIOError:
                return count
            connection.close()
            count += 1


@pytest.fixture
def listener() -> Iterator[Listener]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(64)
        server.setblocking(False)
        yield Listener(server)


def lead_to(store: Path, place: str) -> None:
    """Let all artifacts of the store lie there."""
    with closing(sqlite3.connect(store)) as database, database:
        database.execute("UPDATE runs SET artifact_uri = ?", (place,))
        database.execute("UPDATE logged_models SET artifact_location = ?", (place,))
        database.execute("UPDATE model_versions SET source = ?, storage_location = ?", (place, place))


def a_folder(path: Path) -> Path:
    path.mkdir(parents=True)
    (path / "private.txt").write_text("private")
    return path


# -- hosts


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch, listener: Listener) -> None:
    """What a package for S3 needs to go to the listener."""
    monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", f"http://{listener.address}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")


def places_at(listener: Listener) -> list[str]:
    return ["s3://bucket", f"ftp://{listener.address}", f"sftp://{listener.address}"]


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("number", range(3), ids=["s3", "ftp", "sftp"])
def test_the_deck_connects_to_nobody_unasked(
    store_copy: Callable[[str], FixtureStore], listener: Listener, number: int
) -> None:
    store, place = store_copy("mlflow-3.17.2").db, places_at(listener)[number]
    lead_to(store, f"{place}/0/{RUN}/artifacts")
    with mldeck(store, "--experiment", CHURN) as deck:
        deck.wait_for("live · rw")
        deck.press("]]]]", "Enter asks")  # Artifacts
        deck.press("G", "baseline-logreg ─")
        deck.wait_for("Enter asks")
        deck.press("]", re.compile(r"flavors.*\n.*Enter asks"))  # Models
        deck.press("2", "versions")
        deck.send("\r")
        deck.press("1", "Runs")
        assert listener.connections() == 0
        deck.press("[\r\r", "Connect to")
        assert listener.connections() == 0
        deck.send("y")
        deck.wait_for(lambda: listener.connections() > 0)
        deck.send("q")
        assert deck.wait_exit() == 0


@pytest.mark.usefixtures("keys")
def test_a_host_in_the_settings_needs_no_question(
    store_copy: Callable[[str], FixtureStore], listener: Listener
) -> None:
    store = store_copy("mlflow-3.17.2").db
    lead_to(store, f"s3://bucket/0/{RUN}/artifacts")
    with mldeck(store, "--experiment", CHURN, env={"MLDECK_ARTIFACT_HOSTS": "ftp://other; s3://bucket/"}) as deck:
        deck.wait_for("live · rw")
        deck.send("]]]]")
        deck.wait_for(lambda: listener.connections() > 0)
        deck.send("q")
        assert deck.wait_exit() == 0


@pytest.mark.usefixtures("keys")
def test_commands_connect_to_nobody_unasked(
    store_copy: Callable[[str], FixtureStore],
    listener: Listener,
    ask: Ask,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fixture = store_copy("mlflow-3.17.2")
    run = fixture.run("rf5")
    lead_to(fixture.db, f"s3://bucket/0/{RUN}/artifacts")
    for words in (
        ("artifacts", "list", run),
        ("artifacts", "list", run, "--recursive", "--format", "json"),
        ("artifacts", "get", run, ".", str(tmp_path / "copy")),
        ("artifacts", "get", run, "metrics.json", str(tmp_path / "copy"), "--follow"),
        ("register", run, "model", "fresh"),
    ):
        status, out, err = ask(*words, "-s", str(fixture.db))
        assert (status, out) == (1, ""), words
        assert "only the database names s3://bucket" in err
        assert "--connect" in err
        assert "artifact_hosts" in err
    assert listener.connections() == 0
    assert not (tmp_path / "copy").exists()

    def missing(*_: object) -> None:
        raise ImportError

    monkeypatch.setattr("mldeck.artifacts.remote._connected", missing)
    status, _, err = ask("artifacts", "list", run, "-s", str(fixture.db), "--connect")
    assert (status, "mldeck[s3]" in err) == (1, True)


async def test_agreeing_for_good_is_remembered(
    store_copy: Callable[[str], FixtureStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    fixture = store_copy("mlflow-3.17.2")
    store, run = fixture.db, fixture.run("rf5")
    lead_to(store, f"s3://user:secret@bucket/0/{RUN}/artifacts")
    connected: list[str] = []

    def connect(scheme: str, authority: str) -> None:
        connected.append(f"{scheme}://{authority}")
        raise ImportError

    monkeypatch.setattr("mldeck.artifacts.remote._connected", connect)
    async with files_of(store, run) as deck:
        await deck.press("enter")
        await deck.until_shown("Connect to s3://user:***@bucket?")
        await deck.press("escape")  # is no
        assert not connected
        await deck.press("enter")
        await deck.until_shown("Connect to s3://user:***@bucket?")
        await deck.press("a")
        await deck.until_shown("mldeck[s3]")
        assert set(connected) == {"s3://user:secret@bucket"}
    assert SavedState.of(store).places == ["s3://user:***@bucket"]
    connected.clear()
    async with files_of(store, run) as deck:
        await deck.until_shown("mldeck[s3]")
    assert connected


async def test_models_ask_before_their_card_is_shown(store_copy: Callable[[str], FixtureStore], tmp_path: Path) -> None:
    fixture = store_copy("mlflow-3.17.2")
    elsewhere = a_folder(tmp_path / "elsewhere")
    lead_to(fixture.db, str(elsewhere))
    async with files_of(fixture.db, fixture.run("logreg"), tab="Models") as deck:
        await deck.until_shown("Enter asks")
        await deck.press("enter")
        await deck.until_shown("Open it until")
        await deck.press("y")
        await deck.until_shown("MLmodel")


@pytest.mark.parametrize("text", ["bucket", "s3:bucket"])
def test_a_host_is_named_with_its_scheme(text: str) -> None:
    with pytest.raises(UsageError, match="SCHEME://HOST"):
        load_settings(environment={"MLDECK_ARTIFACT_HOSTS": text})


def test_a_bucket_of_the_artifact_roots_is_the_users_own(tmp_path: Path) -> None:
    places = Places(tmp_path, (("mlflow-artifacts:", "s3://mine/mlflow"),))
    assert locate(f"mlflow-artifacts:/0/{RUN}/artifacts", places).unconfirmed is None
    assert locate(f"s3://mine/0/{RUN}/artifacts", places).unconfirmed == "s3://mine"


# -- folders


@contextmanager
def refused(located: Located, place: Path) -> Iterator[None]:
    assert located.unconfirmed == str(place)
    with pytest.raises(Unconfirmed, match=str(place)):
        open_tree(located)
    yield


def folder_of(run: str) -> str:
    return f"{run}/artifacts"


@pytest.mark.parametrize("above", ["mlruns/0", "somewhere/else", "0"])
@pytest.mark.parametrize("owner", [RUN, MODEL])
def test_what_mlflow_lays_out_needs_no_question(tmp_path: Path, above: str, owner: str) -> None:
    folder = a_folder(tmp_path / above / owner / "artifacts")
    for uri in (str(folder), f"file://{folder}", str(folder.relative_to(tmp_path))):
        assert locate(uri, Places(tmp_path, current_folder=tmp_path / "x"), owner).unconfirmed is None, uri


def test_folders_above_a_run_may_be_links(tmp_path: Path) -> None:
    """People move the files of an experiment to a larger disk."""
    a_folder(tmp_path / "disk" / RUN / "artifacts")
    (tmp_path / "mlruns").mkdir()
    (tmp_path / "mlruns" / "0").symlink_to(tmp_path / "disk")
    assert locate(f"mlruns/0/{RUN}/artifacts", Places(tmp_path), RUN).unconfirmed is None


@pytest.mark.parametrize("linked", ["run", "artifacts"])
def test_a_linked_run_folder(tmp_path: Path, linked: str) -> None:
    private = a_folder(tmp_path / "private")
    above = tmp_path / "mlruns" / "0"
    if linked == "run":
        a_folder(private / "artifacts")
        above.mkdir(parents=True)
        (above / RUN).symlink_to(private)
        led = private / "artifacts"
    else:
        (above / RUN).mkdir(parents=True)
        (above / RUN / "artifacts").symlink_to(private)
        led = private
    located = locate(f"mlruns/0/{RUN}/artifacts", Places(tmp_path), RUN)
    with refused(located, led):
        agreed = Places(tmp_path, confirmed=frozenset({str(led)}))
        assert open_tree(locate(f"mlruns/0/{RUN}/artifacts", agreed, RUN)).entry("private.txt").is_file


@pytest.mark.parametrize("owner", [RUN, "private", "artifacts", "..", ""])
@pytest.mark.parametrize(
    "uri",
    [
        "{private}",
        "file://{private}",
        "../private",
        "a/../../private",
        "../private/../private",
        "{run}/../../../../private",
    ],
)
def test_folders_that_only_the_database_names(tmp_path: Path, uri: str, owner: str) -> None:
    """An owner's id is the database's text, too."""
    private = a_folder(tmp_path / "private")
    run = a_folder(tmp_path / "store" / "mlruns" / RUN / "artifacts")
    (tmp_path / "store" / "a").mkdir()
    located = locate(uri.format(private=private, run=run), Places(tmp_path / "store"), owner)
    with refused(located, private):
        pass


def test_a_folder_that_becomes_a_link_before_it_is_opened(tmp_path: Path) -> None:
    private = a_folder(tmp_path / "private")
    run = a_folder(tmp_path / "mlruns" / "0" / RUN / "artifacts")
    located = locate(str(run), Places(tmp_path), RUN)
    assert open_tree(located).entries()
    run.rename(tmp_path / "moved away")
    run.symlink_to(private)
    with pytest.raises(ArtifactError, match="now leads to another folder than a moment ago"):
        open_tree(located)


def test_an_artifact_root_agrees_to_what_lies_below_it(tmp_path: Path) -> None:
    private, now = a_folder(tmp_path / "private"), a_folder(tmp_path / "now" / "models" / "one")
    (tmp_path / "now" / "link").symlink_to(private)
    places = Places(tmp_path, (("/was", str(tmp_path / "now")),))
    assert locate("/was/models/one", places).unconfirmed is None
    assert locate("/was/models/one", places).path == now
    with refused(locate("/was/link", places), private):
        pass


def test_looking_whether_a_version_has_files_is_no_listing(tmp_path: Path) -> None:
    """A model that was registered from any folder has its files, whoever made that folder."""
    folder = a_folder(tmp_path / "by-hand")
    (folder / "MLmodel").write_text("flavors: {}\n")
    assert has_mlmodel(str(folder), Places(tmp_path / "store"))


def test_commands_say_where_a_run_leads_to(store_copy: Callable[[str], FixtureStore], ask: Ask, tmp_path: Path) -> None:
    fixture, private = store_copy("mlflow-3.17.2"), a_folder(tmp_path / "private")
    run, destination = fixture.run("rf5"), tmp_path / "copy"
    lead_to(fixture.db, str(private))
    for words in (("list", run), ("list", run, "--recursive"), ("get", run, ".", str(destination))):
        status, out, err = ask("artifacts", *words, "-s", str(fixture.db))
        assert (status, out) == (1, ""), words
        assert f"{private}: not opened" in err
        assert "--follow" in err
    assert not destination.exists()
    status, out, _ = ask("artifacts", "list", run, "-s", str(fixture.db), "--follow")
    assert status == 0
    assert "private.txt" in out


@pytest.mark.parametrize(("answer", "status"), [("y", 0), ("yes", 0), ("", 1), ("n", 1)])
def test_commands_ask_on_a_terminal(
    store_copy: Callable[[str], FixtureStore], tmp_path: Path, answer: str, status: int
) -> None:
    fixture, private = store_copy("mlflow-3.17.2"), a_folder(tmp_path / "private")
    lead_to(fixture.db, str(private))
    with mldeck("artifacts", "list", fixture.run("rf5"), "-s", fixture.db) as command:
        command.wait_for("[y/N]")
        command.send(answer + "\n")
        if status == 0:
            command.wait_for("private.txt")
        assert command.wait_exit() == status


@pytest.mark.parametrize("mark", ["?", "#", "\\", " ", "\n"])
def test_a_host_that_can_be_read_in_two_ways_is_none(tmp_path: Path, mark: str) -> None:
    """What is asked about and what is connected to would be two hosts."""
    located = locate(f"sftp://127.0.0.1:9{mark}@trusted.example/a", Places(tmp_path))
    assert (located.url, located.found) == (None, False)
