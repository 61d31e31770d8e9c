"""`mldeck models`: print the registered models, or the versions of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mldeck.commands.options import NO_EXPERIMENTS, add_format_option, checked_filter, command_parser
from mldeck.commands.registry import add_registry_options, check_model_name, open_stores

if TYPE_CHECKING:
    from mldeck.registry.nouns import ModelVersion, RegisteredModel

_MODEL_COLUMNS = ("model", "None", "Staging", "Production", "Archived", "versions", "changed", "aliases", "description")
_VERSION_COLUMNS = ("version", "stage", "aliases", "created", "changed", "run", "source", "description")


def run(words: Sequence[str]) -> int:
    parser = command_parser(
        "mldeck models",
        "Print the registered models with the latest version in each stage, or the versions of one.",
        no_experiment=NO_EXPERIMENTS,
    )
    parser.add_argument("model", nargs="?", metavar="MODEL", help="print the versions of this model")
    parser.add_argument(
        "-f",
        "--filter",
        type=_filter,
        default="",
        metavar="FILTER",
        help="models to print, in MLflow's search language and mldeck's extensions of it: "
        "\"name LIKE 'churn%%' or tags.team = 'growth'\"",
    )
    add_registry_options(parser)
    add_format_option(parser)
    options = parser.parse_args(words)
    from mldeck.printing import print_objects
    from mldeck.registry.nouns import ModelQuery, ModelVersion, RegisteredModel

    form, csv_safe = options.format, options.csv_safe
    with open_stores(options) as stores:
        if options.model is None:
            models = stores.reader.models(ModelQuery(options.filter))
            objects = [_model_object(model) for model in models]
            keys = _model_object(RegisteredModel(""))
            return print_objects(objects, keys, _MODEL_COLUMNS, map(_model_cells, models), form, csv_safe=csv_safe)
        check_model_name(stores, options.model)
        versions = stores.reader.versions(options.model)
    objects = [_version_object(version) for version in versions]
    keys = _version_object(ModelVersion("", 0, ""))
    return print_objects(objects, keys, _VERSION_COLUMNS, map(_version_cells, versions), form, csv_safe=csv_safe)


def _filter(text: str) -> str:
    from mldeck.search.language import MODELS

    return checked_filter(text, MODELS)


def _model_object(model: RegisteredModel) -> dict[str, Any]:
    return {
        "name": model.name,
        "latest_versions": dict(model.latest),
        "versions": model.version_count,
        "aliases": dict(model.aliases),
        "dangling_aliases": dict(model.dangling_aliases),
        "creation_time": model.creation_time,
        "last_updated_time": model.last_updated_time,
        "description": model.description,
        "tags": dict(model.tags),
        "is_orphan": model.is_orphan,
    }


def _version_object(version: ModelVersion) -> dict[str, Any]:
    return {
        "name": version.name,
        "version": version.version,
        "stage": version.stage,
        "status": version.status,
        "status_message": version.status_message,
        "aliases": list(version.aliases),
        "creation_time": version.creation_time,
        "last_updated_time": version.last_updated_time,
        "run_id": version.run_id,
        "run_link": version.run_link,
        "source": version.source,
        "storage_location": version.storage_location,
        "description": version.description,
        "tags": dict(version.tags),
    }


def _model_cells(model: RegisteredModel) -> list[str]:
    from mldeck.format import MISSING, time_or_missing
    from mldeck.printing import first_line
    from mldeck.registry.nouns import STAGES

    aliases = [f"@{alias} {version}" for alias, version in model.aliases.items()]
    aliases += [f"@{alias} {version} (deleted)" for alias, version in model.dangling_aliases.items()]
    return [
        model.name + (" (orphan)" if model.is_orphan else ""),
        *(str(model.latest.get(stage, MISSING)) for stage in STAGES),
        str(model.version_count),
        time_or_missing(model.last_updated_time),
        ", ".join(aliases) or MISSING,
        first_line(model.description),
    ]


def _version_cells(version: ModelVersion) -> list[str]:
    from mldeck.format import MISSING, time_or_missing
    from mldeck.printing import first_line

    return [
        str(version.version),
        version.stage,
        ", ".join(f"@{alias}" for alias in version.aliases) or MISSING,
        time_or_missing(version.creation_time),
        time_or_missing(version.last_updated_time),
        version.run_id or MISSING,
        version.source or MISSING,
        first_line(version.description),
    ]
