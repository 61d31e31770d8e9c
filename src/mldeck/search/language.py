"""The languages of searches for runs and for registered models. They share a grammar, but know different names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mldeck.search import check
from mldeck.search.errors import SearchError
from mldeck.search.names import ATTRIBUTE_NAMES, ENTITY_WORDS, RESERVED_WORDS, TAG_WORDS, unquote_key
from mldeck.search.tree import MEMBERSHIP, PRESENCE, Comparison, Entity, Node, Span, uses_extension, walk

_MODEL_ATTRIBUTE_WORD = "attribute"
_MODEL_ATTRIBUTES = frozenset({"name"})


@dataclass(frozen=True)
class Language:
    """The names that a search may use, and how they are resolved."""

    noun: str
    """The plural noun for what is found."""
    example: str
    """Two clauses, as examples in messages."""
    other_example: str
    attributes: frozenset[str]
    """Words that start a clause instead of being part of a name."""
    entity_words: tuple[str, ...]
    resolve_field: Callable[[str, int], tuple[Entity, str]]
    """Return the entity and key that a text names; the second argument is its offset. Raises SearchError."""
    uses_extension: Callable[[Node], bool]
    """Return whether MLflow itself rejects a search."""

    def may_become(self, word: str) -> bool:
        """Return whether a bare word is the start of a longer word with a meaning: `met`, `sta`, `an`."""
        prefix = word.lower()
        return any(name.lower().startswith(prefix) for name in (*self.attributes, *self.entity_words, *RESERVED_WORDS))


def _model_field(text: str, start: int) -> tuple[Entity, str]:
    """Resolve a field of a model by the rules of `SearchModelUtils._get_model_search_identifier` of MLflow 3.17.

    Only the key of a tag may have quotes.
    """
    entity, dot, raw_key = text.partition(".")
    end = start + len(text)
    if not dot:
        return Entity.ATTRIBUTE, _model_attribute(text, (start, end))
    key_start = start + len(entity) + 1
    if entity in TAG_WORDS:
        if not raw_key:
            raise SearchError(f"Expected a name after {text}, like tags.team or tags.`a b`.", key_start)
        return Entity.TAG, unquote_key(raw_key)
    if entity == _MODEL_ATTRIBUTE_WORD:
        return Entity.ATTRIBUTE, _model_attribute(raw_key, (key_start, end))
    raise SearchError(f"Expected name or tags, found {entity!r}: models can be searched only by these.", start, end)


def _model_attribute(name: str, span: Span) -> str:
    if name in _MODEL_ATTRIBUTES:
        return name
    hint = f" For a tag write tags.{name}." if name.isidentifier() else ""
    if unquote_key(name) in _MODEL_ATTRIBUTES:
        hint = " MLflow accepts it only without quotes."
    raise SearchError(f"Expected name or tags, found {name!r}.{hint}", *span)


def models_use_extension(tree: Node) -> bool:
    """Return whether MLflow itself rejects this search for models."""
    return any(_is_model_extension(node) for node in walk(tree))


def _is_model_extension(node: Node) -> bool:
    if isinstance(node, Comparison) and node.operator in MEMBERSHIP:
        return node.kind is not Entity.ATTRIBUTE or node.in_parentheses
    return node.is_extension or (isinstance(node, Comparison) and node.operator in PRESENCE)


RUNS = Language(
    "runs",
    "metrics.rmse < 1",
    "params.model = 'lasso'",
    ATTRIBUTE_NAMES,
    ENTITY_WORDS,
    check.resolve_field,
    uses_extension,
)
MODELS = Language(
    "models",
    "name LIKE 'churn%'",
    "tags.team = 'growth'",
    _MODEL_ATTRIBUTES,
    (*TAG_WORDS, _MODEL_ATTRIBUTE_WORD),
    _model_field,
    models_use_extension,
)
