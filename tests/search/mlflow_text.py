"""Makes texts in MLflow's search language, most of them valid, over what the search fixture holds."""

from __future__ import annotations

import random

_FIELDS = {
    "metric": (
        'metrics.rmse metric.rmse metrics.loss metrics.`val/acc~top-1` metrics."val/acc~top-1" metrics.missing '
        "`metrics`.rmse metrics.end metrics.1a metrics._x metrics.ж metrics.in metrics.a-b metrics.created "
        "metrics.`a`.b metrics.x::y"
    ),
    "param": (
        'params.model param.max_depth parameters.learning_rate parameter.model params.`train~data.path` params."model" '
        "params.select params.a/b params.'model'"
    ),
    "tag": "tags.developer tag.team.name tags.`team.name` tags.mlflow.parentRunId tags.`run~name` tags.order "
    "tags.group",
    "text": (
        'status attributes.status attr.run_name run.user_id run_id `run~name` "Run~Name" attributes.`Run~name` '
        "artifact_uri attribute.run_id run_name run~name lifecycle_stage"
    ),
    "time": "start_time attributes.end_time created attr.Created run.start_time `start_time` end_time",
    "dataset": "dataset.name datasets.digest dataset.context dataset.`name` dataset.foo",
}
_SHAPES = {
    "metric": ("number",),
    "time": ("number",),
    "param": ("text", "text", "null"),
    "tag": ("text", "text", "null"),
    "text": ("text", "text", "list"),
    "dataset": ("text", "list"),
}
_OPERATORS = {
    "number": "< <= > >= = != == <>",
    "text": "= != LIKE ILIKE like iLike NOT~LIKE ==",
    "list": "IN NOT~IN in not~~in",
    "null": "IS~NULL IS~NOT~NULL is~null is~~not~null IS~NOT~~NULL",
}
_VALUES = {
    "number": "7 6.5 -1 0 1e-3 1E5 .5 -.5 7. 1e300 1700864000000 1701728000000 1e999 1e+5 +1 inf 0x1F 1_0 7a",
    "text": (
        "'xgboost' 'r%' \"o'neil\" '' \"\" '%o%' 'FINISHED' 'green' 'ada' 'ADA' 'Brave%' 'run-0__' 'lasso' '8' '0.1' "
        "'it''s' 'a\\'b' 'nlp' '%data%' `x` xgboost 'x\\'"
    ),
    "list": "('a','b') ('green') (\"d1\",~\"d2\") ('train',) () ('d1''d1') (1,2) ('gr'~'een') ('test','train') "
    "('a\\n')",
}


def words(text: str) -> list[str]:
    """The words of a text. A `~` stands for a space inside one."""
    return [each.replace("~", " ") for each in text.split()]


def _pick(rng: random.Random, text: str) -> str:
    return rng.choice(words(text))


def clause(rng: random.Random) -> str:
    kind = rng.choice(list(_FIELDS))
    shape = rng.choice(_SHAPES[kind]) if rng.random() < 0.93 else rng.choice(list(_OPERATORS))
    field, operator = _pick(rng, _FIELDS[kind]), _pick(rng, _OPERATORS[shape])
    if rng.random() < 0.8:
        operator = _pick(rng, " ".join(_OPERATORS[shape].split()[:4])) if shape != "null" else operator
    if shape == "null":
        return f"{field} {operator}"
    glue = rng.choice([" ", " ", "", "  ", "\n"])
    return f"{field}{glue if not operator[0].isalpha() else ' '}{operator}{glue}{_pick(rng, _VALUES[shape])}"


def search(rng: random.Random) -> str:
    """A whole search of one to four clauses."""
    text = rng.choice(["", "", "", "", "AND ", " "]) + clause(rng)
    for _ in range(rng.choice([0, 0, 1, 1, 2, 3])):
        text += rng.choice([" AND ", " and ", " AND ", " And\n", " ", " AND AND ", " or "]) + clause(rng)
    return text + rng.choice(["", "", "", "", "", " AND", " ", ";", " -- c"])
