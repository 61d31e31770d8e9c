"""`mldeck experiments`: print the experiments of a store."""

from __future__ import annotations

from collections.abc import Sequence

from mldeck.commands.options import (
    add_experiments_option,
    add_print_options,
    add_workspace_option,
    checked_address,
    command_parser,
)


def run(words: Sequence[str]) -> int:
    parser = command_parser("mldeck experiments", "Print the experiments of a store, or those named.")
    add_experiments_option(parser)
    add_print_options(parser)
    add_workspace_option(parser)
    options = parser.parse_args(words)
    from mldeck import printing

    address = checked_address(options)
    return printing.print_experiments(
        address, options.experiment, options.view, options.workspace, options.format, csv_safe=options.csv_safe
    )
