"""A password in the address of a store is in no file, title, message, printed line or command line of a child."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fixture_stores import FixtureStore
from tests.processes import command_lines, descendants
from tests.servers.database_server import PASSWORD
from tests.servers.databases import Database, Databases
from tests.terminal.terminal import ESC, Terminal, mldeck

Ask = Callable[..., tuple[int, str, str]]


@pytest.fixture(params=["postgresql", "mariadb"])
def database(
    request: pytest.FixtureRequest,
    databases_on: Callable[[str], Databases],
    store_copy: Callable[[str], FixtureStore],
) -> Iterator[Database]:
    with databases_on(request.param).holding(store_copy("mlflow-3.17.2").db) as filled:
        yield filled


class Watched:
    """The command lines of all processes that a deck starts, looked at with each piece of output."""

    def __init__(self, deck: Terminal) -> None:
        self._deck = deck
        self.seen: dict[int, str] = {}

    def __call__(self) -> None:
        words = command_lines()
        self.seen |= {pid: words[pid] for pid in descendants(self._deck.process.pid) if pid in words}


@pytest.mark.parametrize("is_typed", [False, True], ids=["environment", "command line"])
def test_a_sitting_with_the_deck(database: Database, isolated: Path, is_typed: bool) -> None:
    words = [database.url] if is_typed else []
    env = {} if is_typed else {"MLFLOW_TRACKING_URI": database.url}
    with mldeck(*words, "--experiment", "churn-baseline", env=env) as deck:
        watched = Watched(deck)

        def is_shown() -> bool:
            watched()
            return "12 runs" in deck.text

        deck.wait_for(is_shown)
        deck.wait_for("live")
        assert database.name in deck.frame(), "the place says which database it is"
        deck.press("?", "─ Keys ─")
        deck.press(ESC, "─ Keys ─", gone=True)
        deck.press("O", "sorted by")
        deck.press(" ", "1 marked")
        deck.press("2", "churn-model")
        deck.press("1", "12 runs")
        database.server.end_sessions(database.name)
        deck.send("\x12")  # read everything again
        deck.settle()
        watched()
        deck.send("q")
        assert deck.wait_exit() == 0
        sent = deck.raw
    assert watched.seen
    assert not [line for line in watched.seen.values() if PASSWORD in line]
    assert PASSWORD.encode() not in sent
    assert_in_no_file(isolated)
    assert [file for file in isolated.rglob("*") if file.is_file()], "nothing was kept at all"


@pytest.mark.parametrize("password", [PASSWORD, "wrong-but-secret"])
def test_what_commands_print(database: Database, ask: Ask, isolated: Path, password: str) -> None:
    url = database.server.url(database.name, password=password)
    for words in (
        ["experiments"],
        ["runs", "--experiment", "churn-baseline"],
        ["models"],
        ["models", "churn-model"],
        ["plot", "loss", "--experiment", "churn-baseline"],
        ["promote", "churn-model", "3", "Production"],
        ["runs", "--experiment", "absent"],
    ):
        status, output, errors = ask(*words, "-s", url)
        assert password not in output + errors, words
        if password != PASSWORD:
            assert status == 2, words
            assert output == ""
    assert_in_no_file(isolated)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://mldeck:SECRET@127.0.0.1:notaport/x",
        "postgresql://mldeck:SECRET@127.0.0.1:1/x",
        "postgresql://mldeck:SECRET@127.0.0.1",
        "postgresql://mldeck:SECRET@[::1/x",
        "postgresql://mldeck:SEC@RET@127.0.0.1:1/x",
        "postgresql://mldeck:SEC/RET@127.0.0.1:1/x",
        "postgresql://127.0.0.1:1/x?password=SECRET",
        "postgresql://127.0.0.1:1/x?user=a&sslpassword=SECRET&nonsense=1",
        "mysql://mldeck:SECRET@127.0.0.1:1/x",
        "mysql+mysqldb://mldeck:SECRET@127.0.0.1:1/x?nonsense=1",
        "mssql://mldeck:SECRET@127.0.0.1:1/x",
        "oracle+cx_oracle://mldeck:SECRET@127.0.0.1:1/x",
        "POSTGRESQL://mldeck:SECRET@127.0.0.1:1/x",
        "postgresql//mldeck:SECRET@127.0.0.1:1/x",
    ],
)
@pytest.mark.parametrize("origin", ["typed", "environment", "registry"])
def test_addresses_that_lead_nowhere(
    ask: Ask, url: str, origin: str, monkeypatch: pytest.MonkeyPatch, store_copy: Callable[[str], FixtureStore]
) -> None:
    words = ["experiments"]
    if origin == "typed":
        words += ["-s", url]
    elif origin == "environment":
        monkeypatch.setenv("MLFLOW_TRACKING_URI", url)
    else:
        words = ["models", "-s", str(store_copy("mlflow-3.17.2").db), "--registry-store", url]
    status, output, errors = ask(*words)
    assert (status, output) == (2, "")
    assert "RET" not in errors


def assert_in_no_file(folder: Path) -> None:
    for file in folder.rglob("*"):
        assert PASSWORD not in file.name
        if file.is_file():
            assert PASSWORD.encode() not in file.read_bytes(), file
