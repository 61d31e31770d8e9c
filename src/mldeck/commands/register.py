"""`mldeck register`: register a model that a run logged, as the next version of a registered model."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace

from mldeck.commands.options import (
    ALL_EXPERIMENTS,
    RUN_HELP,
    add_artifact_root_option,
    add_connect_option,
    add_write_option,
    artifact_places,
    command_parser,
    confirm_access,
    tell,
)
from mldeck.commands.registry import add_registry_options, open_stores


def run(words: Sequence[str]) -> int:
    parser = command_parser(
        "mldeck register",
        "Register a model that a run logged, as the next version of a registered model.",
        no_experiment=ALL_EXPERIMENTS,
    )
    parser.add_argument("run", metavar="RUN", help=RUN_HELP)
    parser.add_argument(
        "path", metavar="PATH", help="the name of the logged model, or the folder that it was logged to"
    )
    parser.add_argument(
        "model", metavar="MODEL", help="name of the registered model, which is created if it does not exist"
    )
    parser.add_argument("--description", default="", metavar="TEXT", help="description of the version, in Markdown")
    parser.add_argument(
        "--tag", action="append", type=_tag, default=[], metavar="KEY=VALUE", help="tag of the version; may be repeated"
    )
    add_artifact_root_option(parser)
    add_connect_option(parser)
    add_registry_options(parser)
    add_write_option(parser)
    options = parser.parse_args(words)
    from mldeck.artifacts.errors import Unconfirmed
    from mldeck.artifacts.model_files import has_mlmodel
    from mldeck.format import safe

    with open_stores(options) as stores:
        run_id = stores.runs.resolve_run(options.run).run_id
        places = artifact_places(stores.runs.address, stores.settings)

        def has_model(uri: str) -> bool:
            try:
                return has_mlmodel(uri, places, run_id)
            except Unconfirmed as place:
                confirm_access(place, connect=options.connect)
                return has_mlmodel(uri, replace(places, confirmed=places.confirmed | {place.place}), run_id)

        source = stores.runs.registry().source_of_run(run_id, options.path, has_model)
        registered = stores.editor.register(options.model, source, options.description, dict(options.tag))
    if registered.notice:
        tell(registered.notice)
    sys.stdout.write(f"{safe(registered.model)} {registered.version} from {safe(source.source)}\n")
    return 0


def _tag(text: str) -> tuple[str, str]:
    key, mark, value = text.partition("=")
    if not mark:
        raise argparse.ArgumentTypeError(f"{text!r}: write KEY=VALUE")
    return key, value
