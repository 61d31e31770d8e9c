"""The whole program on a database of a server."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.fixture_stores import FixtureStore
from tests.servers.databases import Database, Databases
from tests.terminal.terminal import ESC, mldeck

CHURN_RUNS = "12 runs"
CHURN = ("--experiment", "churn-baseline")


@pytest.fixture(params=["postgresql", "mariadb"])
def database(
    request: pytest.FixtureRequest,
    databases_on: Callable[[str], Databases],
    store_copy: Callable[[str], FixtureStore],
) -> Iterator[Database]:
    with databases_on(request.param).holding(store_copy("mlflow-3.17.2").db) as filled:
        yield filled


def test_runs_charts_and_models(database: Database) -> None:
    with mldeck("--read-only", *CHURN, env={"MLFLOW_TRACKING_URI": database.url}) as deck:
        deck.wait_for(CHURN_RUNS)
        deck.wait_for("live · read-only")
        assert database.name in deck.lines[0]
        deck.press("Cauc\r", "auc")
        deck.press("O", "sorted by")
        deck.press("m", "auc ")
        deck.press(ESC, CHURN_RUNS)
        deck.press("2", "churn-model")
        deck.wait_for("rf-depth-20")
        deck.press("\r", "─ churn-model 2 · Production")
        deck.press("p", "read-only")
        assert CHURN_RUNS not in deck.text
        deck.press("1", CHURN_RUNS)
        database.server.run_script(
            database.name, "UPDATE experiments SET name = 'renamed there' WHERE name = 'churn-baseline'"
        )
        deck.wait_for("Runs of renamed there")
        deck.send("q")
        assert deck.wait_exit() == 0
        deck.assert_left_as_found()


def test_the_server_is_stopped_and_started(database: Database) -> None:
    with mldeck(*CHURN, env={"MLFLOW_TRACKING_URI": database.url}) as deck:
        deck.wait_for(CHURN_RUNS)
        deck.wait_for("live")
        database.server.service.stop()
        try:
            deck.wait_for("trying again")
            assert CHURN_RUNS in deck.frame(), "what is on screen stays"
        finally:
            database.server.service.start()
        deck.wait_for("live")
        deck.press("O", "sorted by")
        deck.send("q")
        assert deck.wait_exit() == 0
        deck.assert_left_as_found()
