"""`mldeck experiments`."""

from __future__ import annotations

from collections.abc import Sequence

from mldeck.commands.options import add_print_options, add_workspace_option, command_parser, printed_store


def run(words: Sequence[str]) -> int:
    parser = command_parser("mldeck experiments", "Prints the experiments of a store.")
    add_print_options(parser)
    add_workspace_option(parser)
    options = parser.parse_args(words)
    from mldeck import printing

    return printing.print_experiments(printed_store(options), options.view, options.workspace, options.format)
