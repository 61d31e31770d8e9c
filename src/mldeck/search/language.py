"""What a search can be about: runs, or registered models. The grammar is the same; the names that it knows differ."""

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
    things: str
    """What it finds."""
    example: str
    """A clause, and another one."""
    other_example: str
    attributes: frozenset[str]
    """The words that begin a clause rather than being a name."""
    entity_words: tuple[str, ...]
    resolve_field: Callable[[str, int], tuple[Entity, str]]
    """The entity and the key that a text, found at a place, names. Raises `SearchError`."""
    uses_extension: Callable[[Node], bool]
    """Whether MLflow itself would reject a search."""

    def may_become(self, word: str) -> bool:
        """Whether a bare word is the beginning of a longer one that means something: `met`, `sta`, `an`."""
        begun = word.lower()
        return any(each.lower().startswith(begun) for each in (*self.attributes, *self.entity_words, *RESERVED_WORDS))


def _model_field(text: str, start: int) -> tuple[Entity, str]:
    """As `SearchModelUtils._get_model_search_identifier` of MLflow 3.17 does it: nothing but the key of a tag has quotes."""
    entity, dot, raw_key = text.partition(".")
    end = start + len(text)
    if not dot:
        return Entity.ATTRIBUTE, _model_attribute(text, (start, end))
    key_start = start + len(entity) + 1
    if entity in TAG_WORDS:
        if not raw_key:
            raise SearchError(f"Expected a name behind {text}, like tags.team or tags.`a b`.", key_start)
        return Entity.TAG, unquote_key(raw_key)
    if entity == _MODEL_ATTRIBUTE_WORD:
        return Entity.ATTRIBUTE, _model_attribute(raw_key, (key_start, end))
    raise SearchError(f"Expected name or tags, found {entity!r}: models have nothing else to search by.", start, end)


def _model_attribute(name: str, span: Span) -> str:
    if name in _MODEL_ATTRIBUTES:
        return name
    hint = f" For a tag write tags.{name}." if name.isidentifier() else ""
    if unquote_key(name) in _MODEL_ATTRIBUTES:
        hint = " MLflow takes it without quotes only."
    raise SearchError(f"Expected name or tags, found {name!r}.{hint}", *span)


def models_use_extension(tree: Node) -> bool:
    """Whether MLflow itself would reject this search for models."""
    return any(_is_model_extension(node) for node in walk(tree))


def _is_model_extension(node: Node) -> bool:
    if isinstance(node, Comparison) and node.operator in MEMBERSHIP:
        return node.kind is not Entity.ATTRIBUTE or node.in_parentheses
    return node.extension or (isinstance(node, Comparison) and node.operator in PRESENCE)


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
