"""The grammar of a search, for lark: MLflow's own language and mldeck's extensions of it.

MLflow has no grammar. It lets `sqlparse` cut the text up and looks whether the pieces are comparisons; the terminals
below are those of sqlparse's lexer as far as they can end up in a comparison. Which operator and value suit which
entity is not said here but in `check`.
"""

from __future__ import annotations

from mldeck.search.moments import LENGTH
from mldeck.search.names import KEY, PLAIN, QUOTED

# A word ends where no name could go on.
_END = r"(?![\w\-.])"

# Nothing may stick to a number: sqlparse would not take it for one, or would cut it in two.
_NUMBER_END = r"(?![\w.])"

GRAMMAR = rf"""
start: [disjunction]
disjunction: conjunction (OR conjunction)*

// MLflow skips every AND: one may be missing, doubled, or at either end. `parse` confines that to MLflow's language.
conjunction: (AND | _unit)+
_unit: negation | group | _clause
negation: NOT _unit
group: LPAR disjunction RPAR

_clause: comparison | membership | presence | name_match
comparison: field OPERATOR _value
          | field PATTERN string
membership: field (IN | NOT_IN) listing
presence: field IS (NULL | NOT_NULL)
// Not BACKTICKED: those are names of attributes.
name_match: WORD | DOUBLE_QUOTED | SINGLE_QUOTED

field: FIELD | WORD | BACKTICKED | DOUBLE_QUOTED
_value: string | number | duration
string: SINGLE_QUOTED | DOUBLE_QUOTED
number: NUMBER
duration: DURATION
listing: LPAR item (COMMA item)* COMMA? RPAR
// Neighbours are joined: MLflow reads a list as Python would.
item: (SINGLE_QUOTED | DOUBLE_QUOTED)+ | NUMBER

FIELD.1: /(?:{QUOTED}|{PLAIN})\.{KEY}/
WORD: /\w[\w\-]*/
BACKTICKED: /`(?:``|[^`])*`/
// The backslash is in brackets because lark drops it before a quote.
DOUBLE_QUOTED: /"(?:""|[\\]"|[^"])*"/
SINGLE_QUOTED: /'(?:''|[\\]'|[^'])*'/
DURATION.1: /{LENGTH}+{_NUMBER_END}/
// MLflow takes "1e5AND": a number with an exponent may be followed by AND at once.
NUMBER: /-?(?:\d+(?:\.\d+)?[eE]-?\d+(?:{_NUMBER_END}|(?=(?i:and){_END}))|(?:\d+\.\d*|\.\d+|\d+){_NUMBER_END})/
OPERATOR: /[<>=~!]+/
LPAR: "("
RPAR: ")"
COMMA: ","
AND.2: /(?i:and){_END}/
OR.2: /(?i:or){_END}/
NOT.2: /(?i:not){_END}/
IN.2: /(?i:in){_END}/
NOT_IN.3: /(?i:not)\s+(?i:in){_END}/
PATTERN.3: /(?:(?i:not)\s+)?(?i:i?like){_END}/
IS.2: /(?i:is){_END}/
NULL.2: /(?i:null){_END}/
// One space: MLflow takes "NOT  NULL" for something else.
NOT_NULL.3: /(?i:not null){_END}/

%ignore /\s+/
"""
