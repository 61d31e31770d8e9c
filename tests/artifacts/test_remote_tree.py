"""Object stores, against servers on loopback that speak their protocols."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import asyncssh
import boto3
import pytest

from mldeck.artifacts.copying import copy_out
from mldeck.artifacts.errors import ArtifactError, LeadsOutside, NeedsExtra, NotAFile, NotFound
from mldeck.artifacts.file_facts import UNKNOWN_FACTS, read_facts
from mldeck.artifacts.location import LocationStatus, Places, locate
from mldeck.artifacts.opening import open_tree
from mldeck.artifacts.remote import RemoteTree
from mldeck.artifacts.run_tree import run_tree
from mldeck.artifacts.tree import EntryKind, count, find, walk
from mldeck.destination import Destination
from tests.artifacts.servers import s3_server, sftp_server

RUN = "0123456789abcdef0123456789abcdef"
FILES = {
    "notes.txt": b"hello",
    "model/MLmodel": b"flavors: {}",
    "model/data/model.pkl": bytes(range(256)) * 100,
    "odd \x1b[31m/résnet %20+#?.txt": b"odd",
}
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "ada", "AWS_SECRET_ACCESS_KEY": "lovelace", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with s3_server() as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def s3(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> RemoteTree:
    """A run in a bucket."""
    monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", endpoint)
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3", endpoint_url=endpoint)
    client.create_bucket(Bucket="bucket")
    for path, content in FILES.items():
        client.put_object(Bucket="bucket", Key=f"mlflow/1/{RUN}/artifacts/{path}", Body=content)
    # Some programs mark a folder, and any key may be written.
    client.put_object(Bucket="bucket", Key=f"mlflow/1/{RUN}/artifacts/model/", Body=b"")
    client.put_object(Bucket="bucket", Key=f"mlflow/1/{RUN}/artifacts/../escape.txt", Body=b"out")
    client.put_object(Bucket="bucket", Key="mlflow/both", Body=b"file")
    client.put_object(Bucket="bucket", Key="mlflow/both/inside", Body=b"folder")
    client.put_object(Bucket="bucket", Key="chain::file:///etc/passwd", Body=b"a key like any other")
    client.close()
    return RemoteTree(f"s3://bucket/mlflow/1/{RUN}/artifacts")


class TestS3:
    def test_listing(self, s3: RemoteTree) -> None:
        entries = s3.entries()
        assert [(entry.path, entry.kind) for entry in entries] == [
            ("model", EntryKind.FOLDER),
            ("odd \x1b[31m", EntryKind.FOLDER),
            ("..", EntryKind.ESCAPE),
            ("notes.txt", EntryKind.FILE),
        ]
        assert entries[-1].size == 5
        assert (entries[-1].modified or 0) > 1_700_000_000_000
        assert [entry.path for entry in s3.entries("model")] == ["model/data", "model/MLmodel"]
        assert [entry.path for entry in s3.entries("odd \x1b[31m")] == ["odd \x1b[31m/résnet %20+#?.txt"]

    def test_one_entry(self, s3: RemoteTree) -> None:
        assert (s3.entry("model").is_dir, s3.entry("notes.txt").size) == (True, 5)
        assert s3.entry("").is_dir

    def test_the_whole_tree(self, s3: RemoteTree) -> None:
        assert {entry.path for entry in walk(s3) if entry.kind is EntryKind.FILE} == set(FILES)
        assert [entry.path for entry in find(s3, "mlmodel").entries] == ["model/MLmodel"]
        assert count(s3, "model").size == sum(len(FILES[path]) for path in FILES if path.startswith("model/"))

    def test_the_facts_about_a_model(self, s3: RemoteTree) -> None:
        url = f"s3://bucket/mlflow/1/{RUN}/artifacts/model"
        found = read_facts(locate(url, Places(Path(), confirmed=frozenset({"s3://bucket"}))))
        size = sum(len(FILES[path]) for path in FILES if path.startswith("model/"))
        assert (found.size, found.is_whole, found.signature_text) == (size, True, "none")
        assert (
            read_facts(locate(f"{url}/missing", Places(Path(), confirmed=frozenset({"s3://bucket"})))) == UNKNOWN_FACTS
        )

    def test_reading_ranges(self, s3: RemoteTree) -> None:
        file = s3.file("model/data/model.pkl")
        assert (file.name, file.size) == ("model.pkl", 25_600)
        assert file.read(0, 10) == bytes(range(10))
        assert file.read(25_590, 100) == bytes(range(246, 256))
        assert file.read(25_600, 100) == b""
        assert s3.file("odd \x1b[31m/résnet %20+#?.txt").read(0, 100) == b"odd"
        assert s3.local_path("notes.txt") is None

    def test_only_the_range_is_read(self, s3: RemoteTree, monkeypatch: pytest.MonkeyPatch) -> None:
        from aiobotocore.client import AioBaseClient

        asked: list[str | None] = []
        call = AioBaseClient._make_api_call

        async def watched(self: object, name: str, arguments: dict[str, str]) -> object:
            if name == "GetObject":
                asked.append(arguments.get("Range"))
            return await call(self, name, arguments)

        monkeypatch.setattr(AioBaseClient, "_make_api_call", watched)
        s3.file("model/data/model.pkl").read(100, 50)
        assert asked == ["bytes=100-149"]

    def test_what_was_added_since(self, s3: RemoteTree, endpoint: str) -> None:
        before = len(s3.entries("model"))
        client = boto3.client("s3", endpoint_url=endpoint)
        client.put_object(Bucket="bucket", Key=f"mlflow/1/{RUN}/artifacts/model/new", Body=b"")
        assert len(s3.entries("model")) == before + 1
        client.delete_object(Bucket="bucket", Key=f"mlflow/1/{RUN}/artifacts/model/new")
        client.close()

    def test_copying_out(self, s3: RemoteTree, tmp_path: Path) -> None:
        copied = copy_out(s3, "", Destination(tmp_path / "copy", ()))
        assert copied.skipped == (("..", "leads out of the artifacts"),)
        assert {
            str(path.relative_to(tmp_path / "copy")): path.read_bytes()
            for path in tmp_path.rglob("*")
            if path.is_file()
        } == FILES
        copy_out(s3, "notes.txt", Destination(tmp_path / "notes.txt", ()))
        assert (tmp_path / "notes.txt").read_bytes() == b"hello"

    def test_copying_a_file_and_a_folder_of_one_name(self, s3: RemoteTree, tmp_path: Path) -> None:
        copied = copy_out(RemoteTree("s3://bucket/mlflow"), "", Destination(tmp_path / "copy", ()))
        assert ("both", "a file or folder of this name has already been copied") in copied.skipped
        assert (tmp_path / "copy" / "both" / "inside").read_bytes() == b"folder"

    def test_a_url_is_one_url(self, s3: RemoteTree) -> None:
        """fsspec would take what follows `::` for another protocol."""
        assert [entry.path for entry in RemoteTree("s3://bucket/chain::file:///etc").entries()] == ["passwd"]
        with pytest.raises(ArtifactError, match="is not a valid host or bucket"):
            RemoteTree("s3://bucket::file:///etc")

    def test_what_is_not_there(self, s3: RemoteTree) -> None:
        for read in (s3.entries, s3.entry, s3.file):
            with pytest.raises(NotFound, match="there is nothing at s3://bucket/"):
                read("none")
        with pytest.raises(NotFound, match="is not a folder"):
            s3.entries("notes.txt")
        with pytest.raises(NotAFile):
            s3.file("model")
        with pytest.raises(LeadsOutside):
            s3.file("../escape.txt")

    def test_as_the_folder_of_a_run(self, s3: RemoteTree, tmp_path: Path) -> None:
        places = Places(tmp_path, confirmed=frozenset({"s3://bucket"}))
        tree = run_tree(f"{s3.url}?versionId=1", RUN, (), places)
        assert tree.own.how is LocationStatus.REMOTE
        assert tree.location("model/MLmodel") == f"{s3.url}/model/MLmodel"
        assert [entry.path for entry in tree.entries("model")] == ["model/data", "model/MLmodel"]
        # A run that logged nothing: there are no empty folders in a bucket.
        assert run_tree(f"s3://bucket/mlflow/1/{'f' * 32}/artifacts", "f" * 32, (), places).entries() == []

    def test_behind_an_artifact_root(self, s3: RemoteTree, tmp_path: Path) -> None:
        places = Places(tmp_path, (("mlflow-artifacts:", "s3://bucket/mlflow"),))
        tree = open_tree(locate(f"mlflow-artifacts:/1/{RUN}/artifacts", places))
        assert tree.file("notes.txt").read(0, 9) == b"hello"

    def test_that_does_not_answer(self, s3: RemoteTree, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", "http://127.0.0.1:9")
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
        with pytest.raises(ArtifactError, match=r"s3://bucket/x cannot be read \(.*127.0.0.1:9"):
            RemoteTree("s3://bucket/x").entries()


class TestSftp:
    @pytest.fixture
    def port(self, tmp_path: Path) -> Iterator[int]:
        (tmp_path / "served" / "artifacts" / "model").mkdir(parents=True)
        (tmp_path / "served" / "artifacts" / "model" / "model.pkl").write_bytes(FILES["model/data/model.pkl"])
        (tmp_path / "served" / "artifacts" / "notes.txt").write_bytes(b"hello")
        key = asyncssh.generate_private_key("ssh-ed25519")
        key.write_private_key(str(tmp_path / "key"))
        with sftp_server(str(tmp_path / "served"), str(tmp_path / "key")) as port:
            known = Path.home() / ".ssh" / "known_hosts"
            known.parent.mkdir()
            known.write_text(f"[127.0.0.1]:{port} {key.export_public_key().decode()}")
            yield port

    def test_listing_and_reading(self, port: int) -> None:
        tree = RemoteTree(f"sftp://ada:secret@127.0.0.1:{port}/artifacts")
        assert tree.name == f"sftp://ada:***@127.0.0.1:{port}/artifacts"
        assert [(entry.path, entry.size) for entry in tree.entries()] == [("model", None), ("notes.txt", 5)]
        assert (tree.entries()[1].modified or 0) > 1_700_000_000_000
        file = tree.file("model/model.pkl")
        assert file.read(300, 4) == bytes([44, 45, 46, 47])
        with pytest.raises(NotFound):
            tree.file("none")

    def test_a_host_that_is_not_known(self, port: int) -> None:
        (Path.home() / ".ssh" / "known_hosts").write_text("")
        with pytest.raises(ArtifactError, match="not trusted") as caught:
            RemoteTree(f"sftp://ada:secret@127.0.0.1:{port}/artifacts").entries()
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "package", "install"),
    [
        ("s3://bucket/x", "s3fs", "'mldeck[s3]'"),
        ("gs://bucket/x", "gcsfs", "'mldeck[gcs]'"),
        ("abfss://c@a.dfs.core.windows.net/x", "adlfs", "'mldeck[azure]'"),
        ("wasbs://c@a.blob.core.windows.net/x", "adlfs", "'mldeck[azure]'"),
        ("sftp://host/x", "sshfs", "'mldeck[sftp]'"),
        ("hdfs://host/x", "pyarrow.fs", "fsspec pyarrow"),
        ("ftp://host/x", "fsspec", "fsspec"),
    ],
)
def test_what_to_install(url: str, package: str, install: str, monkeypatch: pytest.MonkeyPatch) -> None:
    scheme = url.partition(":")[0]
    # What an earlier test has loaded; the module's name is hidden by what is in it.
    loaded: dict[str, object] = {}
    for name in ("registry", "_registry"):
        monkeypatch.setattr(import_module("fsspec.registry"), name, loaded)
    for name in (package, f"{package}.core"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(NeedsExtra) as caught:
        RemoteTree(url)
    assert str(caught.value) == f"{url}: to open {scheme}: stores, run pip install {install}"


def test_what_a_package_says_is_cut_to_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("no libjvm\n" * 2_000)

    monkeypatch.setattr("mldeck.artifacts.remote._connected", fail)
    with pytest.raises(ArtifactError) as caught:
        RemoteTree("hdfs://host/mlflow")
    assert "no libjvm" in str(caught.value)
    assert len(str(caught.value)) < 400
