"""The whole program on a database of a server."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.fixture_stores import FixtureStore
from tests.servers.databases import Database, Databases
from tests.terminal.terminal import ESC, LEFT, mldeck

CHURN_RUNS = "12 runs"
CTRL_A = "\x01"
LAST_LOSS = "0.01136"
"""Of the first run, in the legend of the chart."""
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
        deck.press("Closs\r", "loss")
        deck.press("O", "sorted by")
        deck.press(CTRL_A, "12 marked")
        deck.press("m", LAST_LOSS)
        deck.press("q", "Runs of churn-baseline")
        deck.press("2", "churn-model")
        deck.wait_for("rf-depth-20")
        deck.press("\r", "─ churn-model 2 · Production")
        deck.press(LEFT, "─ churn-model 3 · Staging")
        deck.press("p", "Read-only: ")
        stage = "SELECT current_stage FROM model_versions WHERE name = 'churn-model' AND version = 3"
        assert database.server.query(database.name, stage)[0][0] == "Staging"
        deck.press(ESC, "Read-only: ", gone=True)
        deck.press("1", "Runs of churn-baseline")
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
