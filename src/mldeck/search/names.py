"""The names that MLflow's search language knows, and how names may be written.

The rules come from `mlflow/utils/search_utils.py` (class SearchUtils) of MLflow 3.17 and from the lexer of `sqlparse`,
which MLflow uses to read a search.
"""

from __future__ import annotations

from collections.abc import Collection

from mldeck.errors import close_name

METRIC_WORDS = ("metrics", "metric")
PARAM_WORDS = ("params", "param", "parameters", "parameter")
TAG_WORDS = ("tags", "tag")
ATTRIBUTE_WORDS = ("attributes", "attribute", "attr", "run")
DATASET_WORDS = ("dataset", "datasets")

STRING_ATTRIBUTES = ("run_name", "run_id", "status", "user_id", "artifact_uri")
TIME_ATTRIBUTES = ("start_time", "end_time")
DATASET_KEYS = ("name", "digest", "context")

TIME_ALIASES = {"created": "start_time", "Created": "start_time"}
NAME_ALIASES = {"run name": "run_name", "Run name": "run_name", "Run Name": "run_name"}
"""MLflow knows these attributes in a filter, but not in an ORDER BY."""

MEANT_ATTRIBUTES = {
    "name": "run_name",
    "id": "run_id",
    "user": "user_id",
    "author": "user_id",
    "age": "start_time",
    "started": "start_time",
    "ended": "end_time",
    "stage": "lifecycle_stage",
    **NAME_ALIASES,
    **TIME_ALIASES,
}
"""Words that are often written for an attribute, among them those that MLflow accepts in a filter only."""

# A letter for sqlparse's lexer when it ignores case. `×` and `÷` are inside the range, as they are in sqlparse.
_LETTER = "A-Za-zÀ-Üà-ü"

QUOTED = r"""(?:`(?:``|[^`])*`|"(?:""|[\\]"|[^"])*")"""
"""A quoted name by the rules of sqlparse: a doubled quote does not end it. MLflow strips only the outer quotes."""

SINGLE_QUOTED = r"(?:'(?:''|[\\]'|[^'])*')"
"""A name in single quotes: sqlparse takes it for a value, which may follow a dot at the end of a name."""

PLAIN = (
    # These words are keywords to sqlparse, even after a dot.
    r"(?:(?i:(?!(?:case|in|values|using|from|as)\b))"
    # A letter, then word characters.
    rf"[{_LETTER}]\w*"
    # One digit may start a name, unless it starts a number: 1e5, 0xff. Two digits are always a number.
    rf"|(?!\d[eE]-?\d|0[xX][0-9A-Fa-f])\d(?=[_{_LETTER}])[$#\w]*"
    # Letters of other alphabets, and the underscore.
    rf"|(?![{_LETTER}\d])\w[$#\w]*)"
)
"""One part of a name that needs no quotes."""

_PART = rf"(?:{QUOTED}|{SINGLE_QUOTED}(?![.:])|{PLAIN})"
KEY = rf"{_PART}?(?:\.(?:(?i:as)(?=\.)|{_PART})?|::{_PART})*"
"""The part of a name after `metrics.`: parts joined by dots, or by two colons (a type cast in sqlparse); may be empty.
"""


def strip_ends(text: str, quotes: str) -> str:
    """Return `text` without its first and last character if both are the same quote of `quotes`. Nothing is unescaped."""
    if len(text) >= 2 and text[0] in quotes and text[-1] == text[0]:
        return text[1:-1]
    return text


def translate_alias(key: str) -> str:
    """Return the key that MLflow looks for when `key` is asked for (`SearchUtils.translate_key_alias`).

    MLflow does this for every entity: `metrics.created` is the metric `start_time`, and a metric that is really called
    `created` cannot be reached by text.
    """
    return TIME_ALIASES.get(key) or NAME_ALIASES.get(key) or key


def unquote_key(text: str) -> str:
    """Return the key that `text` names, as `SearchUtils._get_identifier` does: it strips quotes first, then backticks."""
    return strip_ends(strip_ends(text, "'\""), "`")


ENTITY_WORDS = (*METRIC_WORDS, *PARAM_WORDS, *TAG_WORDS, *ATTRIBUTE_WORDS, *DATASET_WORDS)

DURATION_ATTRIBUTE = "duration"
"""end_time - start_time; an extension, unknown to MLflow."""

FILTER_ATTRIBUTES = {
    **{name: name for name in (*STRING_ATTRIBUTES, *TIME_ATTRIBUTES, DURATION_ATTRIBUTE)},
    **TIME_ALIASES,
    **NAME_ALIASES,
}
"""The names that a filter may use for attributes, with the canonical name of each."""

ATTRIBUTE_NAMES = frozenset(FILTER_ATTRIBUTES)

RESERVED_WORDS = frozenset({"and", "or", "not", "in", "is", "null", "like", "ilike", "rlike", "between"})
"""Words that are not taken as part of a run's name unless quoted; lower case."""


def attribute_hint(word: str, known: Collection[str], *, may_be_metric: bool) -> str:
    """Return a sentence about the attribute that was probably meant, to be appended to the message; empty if unknown."""
    meant = MEANT_ATTRIBUTES.get(word)
    if meant in known:
        return f" The attribute is {meant}."
    close = close_name(word, known)
    if close is not None:
        return f" Did you mean {close}?"
    return f" For a metric write metrics.{word}." if may_be_metric and word.isidentifier() else ""
