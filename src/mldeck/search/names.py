"""The names that MLflow's search language knows, and how a name may be written.

Rules come from `mlflow/utils/search_utils.py` (class SearchUtils) of MLflow 3.17 and from the lexer of `sqlparse`,
which MLflow uses to read a search.
"""

from __future__ import annotations

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
"""MLflow knows these as attributes in a filter, but not in an ORDER BY."""

# A letter as sqlparse's lexer sees it when it ignores case; `×` and `÷` are in the range, and that is how it is.
_LETTER = "A-Za-zÀ-Üà-ü"

QUOTED = r"""(?:`(?:``|[^`])*`|"(?:""|[\\]"|[^"])*")"""
"""A quoted name as sqlparse ends it: a doubled quote does not end it. MLflow then strips the ends and nothing else."""

SINGLE_QUOTED = r"(?:'(?:''|[\\]'|[^'])*')"
"""A name in single quotes: to sqlparse a value, which it lets stand behind a dot, at the end of a name."""

PLAIN = (
    # These words are keywords to sqlparse even behind a dot.
    r"(?:(?i:(?!(?:case|in|values|using|from|as)\b))"
    # A letter, then word characters.
    rf"[{_LETTER}]\w*"
    # One digit may begin a name, unless it begins a number: 1e5, 0xff. Two digits are always a number.
    rf"|(?!\d[eE]-?\d|0[xX][0-9A-Fa-f])\d(?=[_{_LETTER}])[$#\w]*"
    # Letters of other alphabets and the underscore.
    rf"|(?![{_LETTER}\d])\w[$#\w]*)"
)
"""One part of a name that needs no quotes."""

_PART = rf"(?:{QUOTED}|{SINGLE_QUOTED}(?![.:])|{PLAIN})"
KEY = rf"{_PART}?(?:\.(?:(?i:as)(?=\.)|{_PART})?|::{_PART})*"
"""What may stand behind `metrics.`: parts, joined by dots or by two colons (to sqlparse a type cast). May be empty."""


def strip_ends(text: str, quotes: str) -> str:
    """`text` without its first and last character if they are the same one of `quotes`. Nothing inside is unescaped."""
    if len(text) >= 2 and text[0] in quotes and text[-1] == text[0]:
        return text[1:-1]
    return text


def translate_alias(key: str) -> str:
    """The key that MLflow looks for when `key` is asked for (`SearchUtils.translate_key_alias`).

    MLflow does this whatever the entity: `metrics.created` is the metric `start_time`, and a metric that is really
    called `created` cannot be reached by text.
    """
    return TIME_ALIASES.get(key) or NAME_ALIASES.get(key) or key


def unquote_key(text: str) -> str:
    """The key that `text` names, as `SearchUtils._get_identifier` finds it: quotes first, then backticks."""
    return strip_ends(strip_ends(text, "'\""), "`")


ENTITY_WORDS = (*METRIC_WORDS, *PARAM_WORDS, *TAG_WORDS, *ATTRIBUTE_WORDS, *DATASET_WORDS)

DURATION_ATTRIBUTE = "duration"
"""end_time - start_time: not known to MLflow."""

FILTER_ATTRIBUTES = {
    **{name: name for name in (*STRING_ATTRIBUTES, *TIME_ATTRIBUTES, DURATION_ATTRIBUTE)},
    **TIME_ALIASES,
    **NAME_ALIASES,
}
"""What a filter may call an attribute, and its canonical name."""

ATTRIBUTE_NAMES = frozenset(FILTER_ATTRIBUTES)

RESERVED_WORDS = frozenset({"and", "or", "not", "in", "is", "null", "like", "ilike", "rlike", "between"})
"""Words that are no name of a run unless quoted; lower case."""
