"""`mldeck runs`: print runs as a table, JSON or CSV."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mldeck.commands.options import (
    UnreadableArgument,
    add_experiments_option,
    add_print_options,
    add_workspace_option,
    checked_address,
    checked_filter,
    command_parser,
    message_with_caret,
    tell,
)

if TYPE_CHECKING:
    from mldeck.model import Column

DEFAULT_LIMIT = 100
_MAX_DIGITS = 19
"""A limit with this many digits or more exceeds what a database can count, and means "all runs"."""


def run(words: Sequence[str]) -> int:
    parser = command_parser("mldeck runs", "Print the runs of all active experiments, or of the experiments named.")
    add_experiments_option(parser)
    parser.add_argument(
        "-f",
        "--filter",
        type=checked_filter,
        default="",
        metavar="FILTER",
        help="runs to print, in MLflow's search language and mldeck's extensions of it: "
        "\"metrics.rmse < 7 and params.model = 'rf'\"",
    )
    parser.add_argument(
        "-o",
        "--order",
        action="append",
        default=[],
        metavar="ORDER",
        help='sort key as MLflow writes it: "metrics.rmse DESC", "params.`a b`"; may be repeated',
    )
    parser.add_argument(
        "--limit",
        type=_limit,
        metavar="N",
        help=f"at most N runs, 0 for all (default: {DEFAULT_LIMIT}, with a notice if there are more)",
    )
    parser.add_argument(
        "--columns",
        type=_columns,
        metavar="COLUMNS",
        help='columns, separated by commas: "run_id,start_time,metrics.rmse,params.`a b`" '
        "(default: all; in a table those that differ between the runs)",
    )
    add_print_options(parser)
    add_workspace_option(parser)
    options = parser.parse_args(words)
    from mldeck import printing
    from mldeck.search.errors import SearchError
    from mldeck.search.order import parse_orders

    try:
        order = parse_orders(options.order)
    except SearchError as error:
        raise UnreadableArgument(message_with_caret(options.order[error.item or 0], error)) from None
    limit = DEFAULT_LIMIT if options.limit is None else options.limit
    left_out = printing.print_runs(
        checked_address(options),
        options.experiment,
        options.workspace,
        options.view,
        options.filter,
        order,
        options.columns,
        limit,
        options.format,
        csv_safe=options.csv_safe,
    )
    if left_out and options.limit is None:
        sys.stdout.flush()
        tell(f"{limit:,} of {limit + left_out:,} runs; --limit 0 prints all")
    return 0


def _columns(text: str) -> dict[Column, str]:
    from mldeck.run_text import COLUMN_ATTRIBUTES
    from mldeck.search.columns import parse_columns
    from mldeck.search.errors import SearchError

    try:
        return parse_columns(text, COLUMN_ATTRIBUTES)
    except SearchError as error:
        raise UnreadableArgument(message_with_caret(text, error)) from None


def _limit(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of runs: write a whole number, 0 for all")
    digits = text.lstrip("0")
    return int(digits or "0") if len(digits) < _MAX_DIGITS else 0
