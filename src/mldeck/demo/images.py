"""The image experiment: leaf photographs. It has long metric histories, a spike at one step, and system metrics."""

from __future__ import annotations

import json
import math
import random

from mldeck.demo import files
from mldeck.demo.curves import decay, rise, system_metrics, warmup_cosine
from mldeck.demo.plan import (
    DAY,
    HOUR,
    MINUTE,
    Dataset,
    ExperimentPlan,
    RunPlan,
    as_params,
    commits,
    points,
)
from mldeck.model import DatasetInput, Metric

EXPERIMENT = "leaf-disease-images"
CLASSES = ("healthy", "rust", "mildew", "blight", "mosaic")
STEPS = 3000
SPIKE_STEP = 1733
SPIKED_RUN = "resnet50-batch-64"

_COMMITS = commits(EXPERIMENT, 3)
_NOTE = """# Leaf diseases from photographs

Five classes, 54 000 photographs from *three* greenhouses. Validation is greenhouse C, which is **never** trained on.

Open question: where does the spike in `resnet50-batch-64` at step 1733 come from? A corrupt shard?
"""
_PHOTOGRAPHS = Dataset(
    DatasetInput(
        "leaves-greenhouse-a-b", "0d4ce7f1", "local", json.dumps({"uri": "/data/leaves/train"}), "training",
        json.dumps({"num_rows": 41_300}),
    )
)  # fmt: skip
_HELD_OUT = Dataset(
    DatasetInput("leaves-greenhouse-c", "b61f93aa", "local", json.dumps({"uri": "/data/leaves/val"}), "eval",
                 json.dumps({"num_rows": 12_700}))
)  # fmt: skip


def experiment(now: int) -> ExperimentPlan:
    rows: tuple[tuple[str, str, int, float, float, int], ...] = (
        ("mobilenet-batch-128", "mobilenet_v3_small", 128, 0.002, 0.861, 10),
        ("resnet18-batch-64", "resnet18", 64, 0.001, 0.884, 10),
        (SPIKED_RUN, "resnet50", 64, 0.001, 0.917, 1),
        ("resnet50-batch-256", "resnet50", 256, 0.004, 0.909, 10),
        ("efficientnet-b0", "efficientnet_b0", 64, 0.001, 0.921, 10),
        ("vit-small-no-warmup", "vit_small_patch16", 64, 0.001, 0.402, 10),
        ("vit-small-warmup", "vit_small_patch16", 64, 0.0005, 0.934, 1),
    )
    runs = [_run(now - (8 - i) * DAY - 2 * HOUR, *row) for i, row in enumerate(rows)]
    tags = {
        "team": "vision",
        "mlflow.experiment.primaryMetric.name": "val/accuracy",
        "mlflow.experiment.primaryMetric.greaterIsBetter": "True",
    }
    return ExperimentPlan(EXPERIMENT, now - 9 * DAY, runs, _NOTE, tags)


def _run(start: int, name: str, backbone: str, batch_size: int, peak: float, accuracy: float, stride: int) -> RunPlan:
    rng = random.Random(name)
    every = 4.2 * batch_size + 90  # milliseconds per step
    duration = round(STEPS * every) + 2 * MINUTE
    params = {
        "backbone": backbone, "batch_size": batch_size, "peak_learning_rate": peak, "optimizer": "adamw",
        "weight_decay": 0.05, "warmup_steps": 0 if "no-warmup" in name else 300, "steps": STEPS, "image_size": 224,
        "augment": "flip,crop,colour", "classes": len(CLASSES),
    }  # fmt: skip
    return RunPlan(
        name=name, user="mira" if "vit" in name else "jonas", source="train_images.py", commit=_COMMITS[batch_size % 3],
        start=start, duration=duration, params=as_params(params),
        points=_histories(rng, name, start, every, peak, accuracy, stride),
        tags={"model": backbone.split("_")[0], "gpu": "1 x 24 GB"}, datasets=(_PHOTOGRAPHS, _HELD_OUT),
        note="Does not learn without warm-up." if "no-warmup" in name else None,
        files=_files(rng, accuracy),
    )  # fmt: skip


def _histories(
    rng: random.Random, name: str, start: int, every: float, peak: float, accuracy: float, stride: int
) -> list[Metric]:
    count = STEPS // stride
    loss = decay(count, math.log(len(CLASSES)), 2.0 * (1 - accuracy) ** 1.4, 6.0, rng, 0.035)
    if name == SPIKED_RUN:
        loss[SPIKE_STEP // stride] *= 40
    checks = STEPS // 100
    rates = warmup_cosine(STEPS, peak, 1 if "no-warmup" in name else 300)[::25]
    metrics = points("train/loss", loss, start=start, every=every * stride, stride=stride)
    metrics += points("train/learning_rate", rates, start=start, every=every * 25, stride=25)
    for key, values in (
        ("val/accuracy", rise(checks, 0.25, accuracy, 5.0, rng, 0.006)),
        ("val/loss", decay(checks, 1.6, 2.4 * (1 - accuracy), 5.0, rng, 0.02)),
    ):
        metrics += points(key, values, start=start + round(100 * every), every=every * 100, first_step=100, stride=100)
    if name in (SPIKED_RUN, "vit-small-warmup", "efficientnet-b0"):
        for key, values in system_metrics(40, rng, gpu=True).items():
            metrics += points(key, values, start=start, every=STEPS * every / 40)
    return metrics


def _files(rng: random.Random, accuracy: float) -> dict[str, bytes]:
    counts = []
    for truth in range(len(CLASSES)):
        wrong = [round(2540 * (1 - accuracy) * share) for share in _shares(rng, len(CLASSES) - 1)]
        counts.append([*wrong[:truth], 2540 - sum(wrong), *wrong[truth:]])
    rows = [(name, *row) for name, row in zip(CLASSES, counts, strict=True)]
    return {
        "confusion_matrix.png": files.confusion_matrix_png(counts, cell=48),
        "confusion_matrix.csv": files.csv(("true", *CLASSES), rows),
        "classes.txt": files.text("\n".join(CLASSES) + "\n"),
    }


def _shares(rng: random.Random, count: int) -> list[float]:
    """Return random positive numbers that add up to 1."""
    raw = [rng.uniform(0.2, 1.0) for _ in range(count)]
    return [value / sum(raw) for value in raw]
