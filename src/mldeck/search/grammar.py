"""The lark grammar of a search: MLflow's own language and mldeck's extensions.

MLflow has no grammar. It lets `sqlparse` split the text and checks whether the pieces are comparisons. The terminals
below are those of sqlparse's lexer as far as they can be part of a comparison. `check` says which operators and values
an entity allows.
"""

from __future__ import annotations

from mldeck.search.moments import LENGTH
from mldeck.search.names import KEY, PLAIN, QUOTED

# A word ends where a name could not continue.
_END = r"(?![\w\-.])"

# Nothing may directly follow a number: sqlparse would not take it for a number, or would split it.
_NUMBER_END = r"(?![\w.])"

GRAMMAR = rf"""
start: [disjunction]
disjunction: conjunction (OR conjunction)*

// MLflow skips every AND: it may be missing, doubled, or at either end. `parse` allows that only in MLflow's language.
conjunction: (AND | _unit)+
_unit: negation | group | _clause
negation: NOT _unit
group: LPAR disjunction RPAR

_clause: comparison | membership | presence | name_match
comparison: field OPERATOR _value
          | field PATTERN string
membership: field (IN | NOT_IN) listing
presence: field IS (NULL | NOT_NULL)
// BACKTICKED is left out: it names attributes.
name_match: WORD | DOUBLE_QUOTED | SINGLE_QUOTED

field: FIELD | WORD | BACKTICKED | DOUBLE_QUOTED
_value: string | number | duration
string: SINGLE_QUOTED | DOUBLE_QUOTED
number: NUMBER
duration: DURATION
listing: LPAR item (COMMA item)* COMMA? RPAR
// Adjacent strings are joined: MLflow reads a list as Python does.
item: (SINGLE_QUOTED | DOUBLE_QUOTED)+ | NUMBER

FIELD.1: /(?:{QUOTED}|{PLAIN})\.{KEY}/
WORD: /\w[\w\-]*/
BACKTICKED: /`(?:``|[^`])*`/
// The backslash is in brackets because lark drops a backslash before a quote.
DOUBLE_QUOTED: /"(?:""|[\\]"|[^"])*"/
SINGLE_QUOTED: /'(?:''|[\\]'|[^'])*'/
DURATION.1: /{LENGTH}+{_NUMBER_END}/
// MLflow accepts "1e5AND": AND may directly follow a number with an exponent.
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
// Exactly one space: MLflow does not read "NOT  NULL" as NOT NULL.
NOT_NULL.3: /(?i:not null){_END}/

%ignore /\s+/
"""
