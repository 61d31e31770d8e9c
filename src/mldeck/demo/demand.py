"""Two smaller experiments: electricity demand by the hour, and a deleted churn project of last year."""

from __future__ import annotations

import random
from collections.abc import Mapping

from mldeck.demo import files
from mldeck.demo.curves import decay
from mldeck.demo.plan import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    ExperimentPlan,
    LoggedModelPlan,
    RunPlan,
    as_params,
    commits,
    points,
    summary,
)

EXPERIMENT = "hourly-demand"
DELETED_EXPERIMENT = "churn-forecast-2025"
FEATURES = ("hour", "weekday", "temperature", "demand_24h_ago", "demand_168h_ago", "holiday")
MODEL_RUNS = ("ridge-lags-168", "trees-lags-168")

_COMMITS = commits(EXPERIMENT, 2)
_NOTE = "Electricity demand of the next day, by the hour.\n\nScored with `mape` on the last **eight weeks**."


def experiment(now: int) -> ExperimentPlan:
    rng = random.Random(EXPERIMENT)
    trees: Mapping[str, object] = {"num_leaves": 63, "learning_rate": 0.05}
    recipes: list[tuple[str, Mapping[str, object], float]] = [("same-hour-last-week", {"lags": 168}, 8.91)]
    for lags, mape in ((24, 6.42), (48, 5.97), (168, 4.88)):
        recipes.append((f"ridge-lags-{lags}", {"lags": lags, "alpha": 1.0}, mape))
    for alpha, mape in ((0.1, 4.90), (10.0, 4.87), (100.0, 5.21)):
        recipes.append((f"ridge-alpha-{alpha}", {"lags": 168, "alpha": alpha}, mape))
    for lags, mape in ((24, 4.71), (48, 4.33), (168, 3.62)):
        recipes.append((f"trees-lags-{lags}", {"lags": lags, **trees}, mape))
    recipes.append(("trees-no-weather", {"lags": 168, **trees}, 4.05))
    runs = [_run(rng, now - 20 * DAY + i * 5 * HOUR, *recipe) for i, recipe in enumerate(recipes)]
    tags = {
        "team": "grid",
        "mlflow.experiment.primaryMetric.name": "mape",
        "mlflow.experiment.primaryMetric.greaterIsBetter": "False",
    }
    return ExperimentPlan(EXPERIMENT, now - 21 * DAY, runs, _NOTE, tags)


def _run(rng: random.Random, start: int, name: str, params: Mapping[str, object], mape: float) -> RunPlan:
    duration = round(rng.uniform(1, 6) * MINUTE)
    trees = name.startswith("trees")
    scores = {"mape": mape, "mae_mw": round(mape * 11.7 + rng.gauss(0, 0.6), 3), "bias_mw": round(rng.gauss(0, 2), 3)}
    by_hour = [(hour, round(mape * rng.uniform(0.7, 1.4), 3)) for hour in range(24)]
    val_mape = decay(50, 14.0, mape, 5.0, rng, 0.008) if trees else []
    logged = start + duration - SECOND
    model = LoggedModelPlan("demand_model", 0, logged, FEATURES, seed=name, terms=24) if name in MODEL_RUNS else None
    return RunPlan(
        name=name, user="priya", source="forecast.py", commit=_COMMITS[trees], start=start, duration=duration,
        params=as_params({**params, "horizon_hours": 24, "zone": "north"}),
        points=[*points("val/mape", val_mape, start=start + SECOND, every=(duration - 20 * SECOND) / 50),
                *summary(scores, logged)],
        tags={"model": name.split("-")[0]},
        files={"by_hour.csv": files.csv(("hour", "mape"), by_hour)},
        model=model,
    )  # fmt: skip


def deleted_experiment(now: int) -> ExperimentPlan:
    rng = random.Random(DELETED_EXPERIMENT)
    runs = [
        RunPlan(
            name=name, user="tomas", source="old_train.py", commit=_COMMITS[0], start=now - 200 * DAY + i * HOUR,
            duration=round(rng.uniform(30, 300) * SECOND), params=as_params({"max_depth": depth}),
            points=summary({"auc": auc}, now - 200 * DAY + i * HOUR + 25 * SECOND),
        )
        for i, (name, depth, auc) in enumerate((("old-3", 3, 0.791), ("old-5", 5, 0.802), ("old-9", 9, 0.788)))
    ]  # fmt: skip
    return ExperimentPlan(DELETED_EXPERIMENT, now - 201 * DAY, runs, "Superseded.", deleted=now - 16 * DAY)
