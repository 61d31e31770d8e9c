"""The registered models of the sample project and their stage transitions."""

from __future__ import annotations

from mldeck.demo import demand
from mldeck.demo.plan import DAY, HOUR, MINUTE, RegisteredModelPlan, VersionPlan

CHURN_MODEL = "churn-scorer"
DEMAND_MODEL = "hourly-demand"


def registered_models(now: int) -> list[RegisteredModelPlan]:
    return [_churn(now), _demand(now)]


def _churn(now: int) -> RegisteredModelPlan:
    versions = [
        VersionPlan(
            "candidate-logreg", now - 14 * DAY + 10 * MINUTE, "Logistic regression, to have *something* running.",
            {"validated": "yes"}, (("Production", now - 13 * DAY),),
        ),
        VersionPlan(
            "candidate-first-trees", now - 9 * DAY + 12 * MINUTE, "First boosted trees, parameters by hand.",
            {"validated": "yes"}, (("Staging", now - 9 * DAY + HOUR), ("Production", now - 8 * DAY)),
        ),
        VersionPlan(
            "candidate-sweep-best", now - 5 * DAY + 9 * MINUTE,
            "Best parameters of the sweep.\n\n- calibrated\n- **shadowed for a day** before promotion",
            {"validated": "yes", "shadow_days": "1"},
            (("Staging", now - 5 * DAY + HOUR), ("Production", now - 4 * DAY)),
        ),
        VersionPlan(
            "candidate-may-data", now - 29 * HOUR, "A little deeper, tables of May.", {"validated": "pending"},
            (("Staging", now - 26 * HOUR),),
        ),
        VersionPlan("candidate-slow-learner", now - 2 * HOUR, None, {"validated": "no"}),
    ]  # fmt: skip
    return RegisteredModelPlan(
        name=CHURN_MODEL,
        created=now - 14 * DAY + 10 * MINUTE,
        description="Probability that a customer leaves within **30 days**.\n\nConsumer: the weekly retention list.",
        versions=versions,
        aliases={"champion": 3, "challenger": 4},
        tags={"team": "growth", "tier": "1"},
    )


def _demand(now: int) -> RegisteredModelPlan:
    ridge, trees = demand.MODEL_RUNS
    versions = [
        VersionPlan(ridge, now - 18 * DAY, "Linear, all lags.", {}, (("Production", now - 18 * DAY + HOUR),)),
        VersionPlan(trees, now - 17 * DAY, "Trees, all lags, weather.", {}, (("Production", now - 16 * DAY),)),
    ]
    return RegisteredModelPlan(
        name=DEMAND_MODEL,
        created=now - 18 * DAY,
        description="Electricity demand of the next 24 hours, north zone.",
        versions=versions,
        aliases={"champion": 2},
        tags={"team": "grid"},
    )
