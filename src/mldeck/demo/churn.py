"""The main experiment: predict which telephone customers will leave within 30 days. It has many runs and a long sweep."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Mapping

from mldeck.demo import files
from mldeck.demo.curves import Boosting, LearningCurves, boosting_curves, decay, rise, system_metrics
from mldeck.demo.plan import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    Dataset,
    ExperimentPlan,
    LoggedModelPlan,
    RunPlan,
    as_params,
    commits,
    points,
    summary,
)
from mldeck.model import DatasetInput, Metric

EXPERIMENT = "churn-forecast"
FEATURES = (
    "tenure_months", "monthly_charge", "data_gb_30d", "calls_support_90d", "dropped_calls_30d", "late_payments_12m",
    "contract_months_left", "roaming_days_90d",
)  # fmt: skip
REPOSITORY = "https://git.example.org/growth/churn-forecast.git"
TRIALS = 40
ROUNDS = 60

_COMMITS = commits(EXPERIMENT, 6)
_SHARED: Mapping[str, object] = {"n_features": len(FEATURES), "horizon_days": 30, "seed": 42}
_BOOSTING_SHARED: Mapping[str, object] = {
    **_SHARED,
    "booster": "gbtree",
    "objective": "binary:logistic",
    "num_boost_round": ROUNDS,
}

_NOTE = """# Churn forecast

Which customers will have left **30 days** from now? The score goes to the retention team every Monday.

| | |
|---|---|
| target | `left_within_30d`, 14 % positive |
| decides | `val/auc`, then `val/loss` (calibration matters: offers cost money) |
| owner | mira |

- Split by *customer*, never by row.
- A version goes to Production only if it beats the one there by **0.003** AUC.
"""

_SWEEP_NOTE = """Random search over the boosted trees, 40 trials.

- `learning_rate` log-uniform 0.005 .. 0.6
- `max_depth` 2 .. 12

**What came out:** the best region is a learning rate of 0.05 - 0.1 at depth 5 - 7.
Deep and fast overfits after round 20.
"""


def experiment(now: int) -> ExperimentPlan:
    runs = [
        *_baselines(now - 15 * DAY),
        *_sweep(now - 6 * DAY),
        *_candidates(now),
        *_accidents(now - 7 * DAY),
        _still_running(now - 12 * MINUTE),
    ]
    tags = {
        "team": "growth",
        "mlflow.experiment.primaryMetric.name": "val/auc",
        "mlflow.experiment.primaryMetric.greaterIsBetter": "True",
    }
    return ExperimentPlan(EXPERIMENT, now - 16 * DAY, runs, _NOTE, tags)


def _table(part: str, month: str, digest: str, rows: int, context: str) -> Dataset:
    columns = [{"type": "double", "name": name, "required": True} for name in FEATURES]
    columns.append({"type": "boolean", "name": "left_within_30d", "required": True})
    used = DatasetInput(
        name=f"customers-{part}-{month}",
        digest=digest,
        source_type="local",
        source=json.dumps({"uri": f"/data/churn/{month}/{part}.parquet"}),
        context=context,
        profile=json.dumps({"num_rows": rows, "num_elements": rows * len(columns)}),
    )
    return Dataset(used, json.dumps({"mlflow_colspec": columns}))


_TABLES = (
    _table("train", "2026-04", "8d1f02ab", 184_220, "training"),
    _table("validation", "2026-04", "c07be913", 46_055, "validation"),
)
_NEWER_TABLES = (
    _table("train", "2026-05", "51e2d7c4", 188_904, "training"),
    _table("validation", "2026-05", "f3a9160d", 47_226, "validation"),
)


def _curve_points(curves: LearningCurves, start: int, every: float) -> list[Metric]:
    return [
        *points("train/loss", curves.train_loss, start=start, every=every),
        *points("val/loss", curves.val_loss, start=start, every=every),
        *points("val/auc", curves.val_auc, start=start, every=every),
    ]


def _test_scores(auc: float, rng: random.Random) -> dict[str, float]:
    """Return scores on the test set for a model with this validation AUC."""
    f1 = 0.18 + 0.52 * (auc - 0.5) / 0.4
    return {
        "test/auc": round(auc - abs(rng.gauss(0.003, 0.001)), 6),
        "test/f1": round(f1 + rng.gauss(0, 0.004), 6),
        "test/precision": round(f1 + 0.06 + rng.gauss(0, 0.006), 6),
        "test/recall": round(f1 - 0.05 + rng.gauss(0, 0.006), 6),
    }


def _baselines(start: int) -> list[RunPlan]:
    rng = random.Random("baselines")
    kinds: list[tuple[str, Mapping[str, object], float]] = [
        ("dummy-prior", {"strategy": "prior"}, 0.5),
        ("naive-bayes", {"var_smoothing": 1e-09}, 0.7421),
    ]
    for strength, auc in ((0.01, 0.8012), (0.1, 0.8094), (1.0, 0.8117), (10.0, 0.8115)):
        kinds.append((f"logreg-C-{strength}", {"C": strength, "penalty": "l2", "max_iter": 400}, auc))
    for trees, auc in ((50, 0.8302), (200, 0.8371), (800, 0.8379)):
        kinds.append((f"forest-{trees}", {"n_estimators": trees, "max_depth": None, "max_features": "sqrt"}, auc))
    return [_baseline(rng, start + i * 11 * MINUTE, *kind) for i, kind in enumerate(kinds)]


def _baseline(rng: random.Random, start: int, name: str, params: Mapping[str, object], auc: float) -> RunPlan:
    duration = round(rng.uniform(6, 90) * SECOND)
    weights = [(feature, round(rng.gauss(0, 0.8), 4)) for feature in FEATURES]
    scores = {"val/auc": auc, "val/loss": round(0.693 - 0.77 * (auc - 0.5), 5)} | (
        _test_scores(auc, rng) if auc > 0.5 else {"test/auc": 0.5, "test/f1": 0.0}
    )
    return RunPlan(
        name=name, user="jonas", source="train_baseline.py", commit=_COMMITS[0], start=start, duration=duration,
        params=as_params({**_SHARED, **params}), points=summary(scores, start + duration - SECOND),
        tags={"model": name.split("-")[0], "phase": "baseline"}, datasets=_TABLES,
        files={"weights.csv": files.csv(("feature", "weight"), weights),
               "log.txt": files.text(f"rows 184220\nfit {duration / 1000:.1f} s\nval/auc {auc}\n")},
    )  # fmt: skip


def _sweep(start: int) -> list[RunPlan]:
    rng = random.Random("sweep")
    trials = []
    clock = start + 20 * SECOND
    for number in range(TRIALS):
        trial = _trial(rng, number, clock)
        trials.append(trial)
        clock += (trial.duration or 0) + round(rng.uniform(2, 6) * SECOND)
    ranked = sorted(trials, key=lambda trial: -_last(trial, "best/val_auc"))
    keys = ("learning_rate", "max_depth", "subsample", "min_child_weight", "reg_lambda")
    table = [(t.name, round(_last(t, "best/val_auc"), 5), *(t.params[k] for k in keys)) for t in ranked]
    sweep = RunPlan(
        name="sweep-boosted-trees", user="priya", source="sweep.py", commit=_COMMITS[2], start=start,
        duration=clock - start, params=as_params({"n_trials": TRIALS, "sampler": "random", "metric": "val/auc"}),
        points=summary({"best/val_auc": _last(ranked[0], "best/val_auc")}, clock - SECOND),
        tags={"model": "xgboost", "phase": "sweep"}, note=_SWEEP_NOTE,
        files={"trials.csv": files.csv(("trial", "val_auc", *keys), table),
               "report.md": files.text(_sweep_report(ranked)),
               "best_params.json": files.as_json(dict(ranked[0].params))},
        children=trials,
    )  # fmt: skip
    return [sweep]


def _last(run: RunPlan, key: str) -> float:
    return next(point.value for point in reversed(run.points) if point.key == key)


def _sweep_report(ranked: list[RunPlan]) -> str:
    rows = "\n".join(
        f"| {i} | {run.name} | {_last(run, 'best/val_auc'):.5f} | {run.params['learning_rate']}"
        f" | {run.params['max_depth']} |"
        for i, run in enumerate(ranked[:10], 1)
    )
    header = "| | trial | AUC | learning rate | depth |\n|--|--|--|--|--|"
    return f"# Sweep: the ten best of {len(ranked)}\n\n{header}\n{rows}\n"


def _trial(rng: random.Random, number: int, start: int) -> RunPlan:
    params = Boosting(
        learning_rate=float(f"{10 ** rng.uniform(-2.3, -0.22):.4g}"),
        max_depth=rng.randint(2, 12),
        subsample=round(rng.uniform(0.5, 1.0), 2),
        min_child_weight=rng.choice((1, 2, 4, 8, 16, 32)),
        reg_lambda=float(f"{10 ** rng.uniform(-2, 1):.3g}"),
    )
    curves = boosting_curves(params, ROUNDS, rng, patience=12)
    rounds = len(curves.val_loss)
    every = (220 + 95 * params.max_depth) * rng.uniform(0.9, 1.2)
    end = start + round(rounds * every) + 3 * SECOND
    auc = max(curves.val_auc)
    scores = {"best/round": float(curves.best), "best/val_auc": auc, "fit_seconds": round(rounds * every / 1000, 2)}
    return RunPlan(
        name=f"trial-{number:02d}", user="priya", source="sweep.py", commit=_COMMITS[2], start=start,
        duration=end - start, params=as_params({**_BOOSTING_SHARED, **vars(params), "early_stopping_rounds": 12}),
        points=[*_curve_points(curves, start + SECOND, every),
                *summary(scores | _test_scores(auc, rng), end - SECOND)],
        tags={"model": "xgboost", "phase": "sweep"}, datasets=_TABLES if number < 3 else (),
    )  # fmt: skip


def _candidates(now: int) -> list[RunPlan]:
    recipes = (
        ("candidate-logreg", 14 * DAY, Boosting(0.01, 2, 0.45), 1),
        ("candidate-first-trees", 9 * DAY, Boosting(0.3, 4, 1.0), 1),
        ("candidate-sweep-best", 5 * DAY, Boosting(0.1198, 4, 0.7, 4, 4.46), 3),
        ("candidate-may-data", 30 * HOUR, Boosting(0.075, 5, 0.8, 5, 1.5), 4),
        ("candidate-slow-learner", 3 * HOUR, Boosting(0.045, 7, 0.75, 8, 2.0), 5),
    )
    return [_candidate(now - ago, name, params, _COMMITS[commit]) for name, ago, params, commit in recipes]


def _candidate(start: int, name: str, params: Boosting, commit: str) -> RunPlan:
    rng = random.Random(name)
    logistic = name == "candidate-logreg"
    curves = boosting_curves(params, ROUNDS, rng)
    scores = _test_scores(curves.val_auc[-1], rng)
    every = 1100.0
    end = start + round(ROUNDS * every) + 20 * SECOND
    values = {"C": 1.0, "solver": "saga", "epochs": ROUNDS} if logistic else vars(params)
    monitored = system_metrics(24, rng, gpu=False) if name == "candidate-may-data" else {}
    return RunPlan(
        name=name, user="mira", source=REPOSITORY, commit=commit, start=start, duration=end - start,
        params=as_params({**(_SHARED if logistic else _BOOSTING_SHARED), **values}),
        points=[*_curve_points(curves, start + SECOND, every), *summary(scores, end - 9 * SECOND, ROUNDS - 1),
                *(p for k, v in monitored.items() for p in points(k, v, start=start, every=3500.0))],
        tags={"model": "logreg" if logistic else "xgboost", "phase": "candidate", "mlflow.source.type": "PROJECT",
              "mlflow.source.git.branch": "main", "mlflow.source.git.repoURL": REPOSITORY,
              "mlflow.project.entryPoint": "main",
              "mlflow.loggedArtifacts": json.dumps([{"path": "tables/worst_errors.json", "type": "table"}])},
        note=f"Candidate for the registry, trained on everything.\n\nTest AUC **{scores['test/auc']:.4f}**.",
        datasets=_TABLES if commit in _COMMITS[:4] else _NEWER_TABLES,
        files=_candidate_files(name, curves, scores, rng),
        model=LoggedModelPlan("churn_model", ROUNDS - 1, end - 5 * SECOND, FEATURES, seed=name, terms=60),
    )  # fmt: skip


def _candidate_files(
    name: str, curves: LearningCurves, scores: Mapping[str, float], rng: random.Random
) -> dict[str, bytes]:
    caught = round(6447 * scores["test/recall"])
    false_alarms = round(caught * (1 / scores["test/precision"] - 1))
    counts = ((39_608 - false_alarms, false_alarms), (6447 - caught, caught))
    power = sorted((rng.random() ** 2 for _ in FEATURES), reverse=True)
    gains = [(feature, round(gain, 4)) for feature, gain in zip(FEATURES, power, strict=True)]
    errors = [[f"c-{rng.randrange(10**6):06d}", round(rng.uniform(0.7, 0.99), 3), 0] for _ in range(25)]
    false_positive = [i / 60 for i in range(61)]
    true_positive = [x ** (1 / scores["test/auc"] - 1) for x in false_positive]
    return {
        "report.md": files.text(_report(name, scores, counts)),
        "metrics.json": files.as_json(dict(scores)),
        "plots/confusion_matrix.png": files.confusion_matrix_png(counts),
        "plots/roc.png": files.curves_png([true_positive, false_positive]),
        "plots/loss.png": files.curves_png([curves.train_loss, curves.val_loss]),
        "plots/feature_importance.png": files.bars_png([value + 0.02 for value in power]),
        "tables/confusion_matrix.csv": files.csv(
            ("true", "stays", "leaves"), [("stays", *counts[0]), ("leaves", *counts[1])]
        ),
        "tables/feature_importance.csv": files.csv(("feature", "gain"), gains),
        "tables/worst_errors.json": files.as_json({"columns": ["customer", "score", "left"], "data": errors}),
        "train.log": files.text(_log(curves)),
    }  # fmt: skip


def _log(curves: LearningCurves) -> str:
    rounds = zip(curves.train_loss, curves.val_loss, curves.val_auc, strict=True)
    return "".join(
        f"[{i:3d}] train-logloss:{train:.5f} val-logloss:{val:.5f} val-auc:{auc:.5f}\n"
        for i, (train, val, auc) in enumerate(rounds)
    )


def _report(name: str, scores: Mapping[str, float], counts: tuple[tuple[int, int], tuple[int, int]]) -> str:
    table = "\n".join(f"| {key} | {value:.4f} |" for key, value in scores.items())
    return (
        f"# {name}\n\n| metric | value |\n|---|---|\n{table}\n\n## Where it errs\n\n"
        f"- {counts[0][1]} customers get an offer they did not need\n- {counts[1][0]} leave unnoticed\n\n"
        "Mostly customers with **less than three months** of history; see `tables/worst_errors.json`.\n"
    )


def _accidents(start: int) -> list[RunPlan]:
    """Return failed runs as every project has them: a loss of NaN, a diverging one, a stopped run and a deleted run."""
    rng = random.Random("accidents")
    falling = decay(40, 0.69, 0.41, 3.0, rng, 0.01)
    runaway = [0.69 * math.exp(0.35 * 1.24**i) for i in range(25)] + [math.inf] * 5
    params = as_params({**_SHARED, "layers": [256, 128, 64], "activation": "relu", "dropout": 0.1})
    network = {"model": "mlp", "phase": "exploration"}

    def run(name: str, after: int, status: str, values: list[float], note: str, **more: object) -> RunPlan:
        loss = points("train/loss", values, start=start + after + SECOND, every=900.0)
        return RunPlan(
            name=name, user="tomas", source="train_mlp.py", commit=_COMMITS[1], start=start + after,
            duration=len(values) * 900 + 4 * SECOND, status=status, params={**params, **as_params(more)},
            points=loss, tags=network, note=note, deleted=start + 2 * DAY if name == "mlp-wrong-split" else None,
        )  # fmt: skip

    overflow = "Loss is **NaN** from step 22: fp16 overflow in the embedding, needs loss scaling."
    return [
        run("mlp-fp16", 0, "FAILED", falling[:22] + [math.nan] * 3, overflow, learning_rate=0.003, precision="fp16"),
        run("mlp-lr-too-high", HOUR, "FINISHED", runaway, "Diverged. *Do not* go above 0.1.", learning_rate=1.0),
        run("mlp-fp32", 2 * HOUR, "KILLED", falling[:31], "Stopped: the node was needed.", learning_rate=0.003),
        run("mlp-wrong-split", 3 * HOUR, "FINISHED", falling, "Split by row, not by customer.", learning_rate=0.003),
    ]


def _still_running(start: int) -> RunPlan:
    rng = random.Random("running")
    loss, auc = decay(22, 0.66, 0.384, 3.4, rng, 0.006), rise(22, 0.71, 0.869, 3.2, rng, 0.002)
    params = {**_SHARED, "model_dim": 192, "heads": 8, "layers": 4, "learning_rate": 0.0004, "epochs": 60}
    return RunPlan(
        name="tab-transformer", user="tomas", source="train_transformer.py", commit=_COMMITS[5], start=start,
        duration=None, status="RUNNING", params=as_params(params),
        tags={"model": "transformer", "phase": "exploration"},
        points=[*points("val/loss", loss, start=start + 30 * SECOND, every=31_000.0),
                *points("val/auc", auc, start=start + 30 * SECOND, every=31_000.0)],
        datasets=_NEWER_TABLES,
    )  # fmt: skip
