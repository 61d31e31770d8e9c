"""Realistic learning curves: noisy, and with a shape that depends on the parameters."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Boosting:
    """Parameters of gradient boosted trees."""

    learning_rate: float
    max_depth: int
    subsample: float = 0.8
    min_child_weight: int = 4
    reg_lambda: float = 1.0


@dataclass(frozen=True)
class LearningCurves:
    """The metrics of a training, with one value per boosting round."""

    train_loss: list[float]
    val_loss: list[float]
    val_auc: list[float]

    @property
    def best(self) -> int:
        """The round with the lowest validation loss."""
        return min(range(len(self.val_loss)), key=self.val_loss.__getitem__)


def noise(rng: random.Random, count: int, size: float, memory: float = 0.6) -> list[float]:
    """Return correlated noise: `memory`, from 0 to 1, is the share of a value that carries over to the next one."""
    level = 0.0
    values = []
    for _ in range(count):
        level = memory * level + rng.gauss(0.0, size)
        values.append(level)
    return values


def misfit(params: Boosting) -> float:
    """Return the distance of the parameters from the best ones: learning rate 0.07, depth 6, subsample 0.8."""
    return (
        (math.log10(params.learning_rate / 0.07) / 0.75) ** 2
        + ((params.max_depth - 6) / 5.0) ** 2
        + ((params.subsample - 0.8) / 0.35) ** 2
        + 0.15 * (math.log10(params.min_child_weight / 5.0)) ** 2
        + 0.1 * (math.log10(params.reg_lambda / 1.5)) ** 2
    )


def boosting_curves(params: Boosting, rounds: int, rng: random.Random, patience: int | None = None) -> LearningCurves:
    """Return the curves of a training of at most `rounds` rounds, which stops `patience` rounds after the best one."""
    speed = 1.4 * params.learning_rate**0.8
    capacity = min(params.max_depth, 12) / 12
    train_floor = 0.40 - 0.30 * capacity + 0.01 * math.log10(1 + params.reg_lambda)
    val_floor = 0.372 + 0.016 * misfit(params)
    overfit = 0.15 * max(0.0, capacity - 0.3) * (params.learning_rate / 0.1) ** 0.7
    shake = 0.0012 * (1 + 6 * params.learning_rate)
    wobble_loss, wobble_auc = noise(rng, rounds, shake), noise(rng, rounds, 0.6 * shake)
    curves = LearningCurves([], [], [])
    for number in range(rounds):
        progress = 1 - math.exp(-speed * (number + 1))
        excess = overfit * (number / 60) ** 1.4
        curves.train_loss.append(0.693 - (0.693 - train_floor) * progress + rng.gauss(0, shake / 4))
        curves.val_loss.append(0.693 - (0.693 - val_floor) * progress + excess + wobble_loss[number])
        auc = 0.5 + (0.882 - 0.017 * misfit(params) - 0.5) * progress**0.45 - 0.3 * excess + wobble_auc[number]
        curves.val_auc.append(min(max(auc, 0.5), 0.999))
        if patience is not None and number - curves.best >= patience:
            break
    return curves


def decay(count: int, start: float, floor: float, rate: float, rng: random.Random, size: float) -> list[float]:
    """Return a positive loss that falls from `start` to `floor` by `rate` e-folds, with relative noise of `size`."""
    wobble = noise(rng, count, size, 0.3)
    return [max((floor + (start - floor) * math.exp(-rate * i / count)) * (1 + wobble[i]), 1e-4) for i in range(count)]


def rise(count: int, start: float, ceiling: float, rate: float, rng: random.Random, size: float) -> list[float]:
    """Return an accuracy from 0 to 1 that rises from `start` to `ceiling` by `rate` e-folds, with noise of `size`."""
    wobble = noise(rng, count, size, 0.3)
    return [
        min(max(ceiling - (ceiling - start) * math.exp(-rate * i / count) + wobble[i], 0.0), 1.0) for i in range(count)
    ]


def warmup_cosine(count: int, peak: float, warmup: int) -> list[float]:
    """Return a learning-rate schedule: linear up to `peak` over `warmup` steps, then half a cosine down to 0."""
    up = [peak * (i + 1) / warmup for i in range(min(warmup, count))]
    rest = count - len(up)
    return up + [peak * 0.5 * (1 + math.cos(math.pi * i / rest)) for i in range(rest)]


def system_metrics(samples: int, rng: random.Random, *, gpu: bool) -> dict[str, list[float]]:
    """Return metrics as MLflow's system-metrics monitor records them: values by key, one per sample."""
    level = 92.0 if gpu else 71.0
    used = noise(rng, samples, 2.5)
    series = {
        "system/cpu_utilization_percentage": [round(min(max(level * 0.6 + u * 3, 1), 100), 1) for u in used],
        "system/system_memory_usage_megabytes": [round(9400 + 34 * i**0.5 + u, 1) for i, u in enumerate(used)],
        "system/system_memory_usage_percentage": [round(29 + 0.1 * i**0.5, 1) for i in range(samples)],
        "system/disk_usage_percentage": [round(61.2 + i / 200, 1) for i in range(samples)],
        "system/network_receive_megabytes": [round(3 + 0.8 * i, 2) for i in range(samples)],
        "system/network_transmit_megabytes": [round(1 + 0.2 * i, 2) for i in range(samples)],
    }
    if gpu:
        series["system/gpu_0_utilization_percentage"] = [round(min(max(level + u, 0), 100), 1) for u in used]
        series["system/gpu_0_memory_usage_percentage"] = [round(78.5 + u / 10, 1) for u in used]
        series["system/gpu_0_power_usage_watts"] = [round(245 + 4 * u, 1) for u in used]
    return series
