"""`mldeck models`: prints the registered models, or the versions of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mldeck.commands.options import Misread, add_format_option, command_parser, pointed_out
from mldeck.commands.registry import add_registry_options, opened_stores

if TYPE_CHECKING:
    from mldeck.registry.nouns import ModelVersion, RegisteredModel

_MODEL_COLUMNS = ("model", "None", "Staging", "Production", "Archived", "versions", "changed", "aliases", "description")
_VERSION_COLUMNS = ("version", "stage", "aliases", "created", "changed", "run", "source", "description")


def run(words: Sequence[str]) -> int:
    parser = command_parser(
        "mldeck models", "Prints the registered models with the latest version in each stage, or the versions of one."
    )
    parser.add_argument("model", nargs="?", metavar="MODEL", help="print its versions")
    parser.add_argument(
        "-f",
        "--filter",
        type=_search,
        default="",
        metavar="FILTER",
        help="which models, in MLflow's search language: \"name LIKE 'churn%%' and tags.team = 'growth'\"",
    )
    add_registry_options(parser)
    add_format_option(parser)
    options = parser.parse_args(words)
    from mldeck.errors import UsageError
    from mldeck.registry.nouns import ModelQuery

    with opened_stores(options) as stores:
        if options.model is None:
            models = stores.reader.models(ModelQuery(options.filter))
            objects = [_model_object(each) for each in models]
            rows = [_model_cells(each) for each in models]
            return _print(_MODEL_COLUMNS, rows, list(_model_object(_no_model())), objects, options.format)
        if stores.reader.model(options.model) is None:
            raise UsageError(
                f"no registered model {options.model} in {stores.registered.path}; `mldeck models` lists them"
            )
        versions = stores.reader.versions(options.model)
    objects = [_version_object(each) for each in versions]
    rows = [_version_cells(each) for each in versions]
    return _print(_VERSION_COLUMNS, rows, list(_version_object(_no_version())), objects, options.format)


def _search(text: str) -> str:
    """The filter as it was typed, when it can be read."""
    from mldeck.search.errors import SearchError
    from mldeck.search.language import MODELS
    from mldeck.search.parse import parse

    try:
        parse(text, MODELS)
    except SearchError as error:
        raise Misread(pointed_out(text, error)) from None
    return text


def _print(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    keys: Sequence[str],
    objects: Sequence[dict[str, Any]],
    format_name: str,
) -> int:
    """`keys` are those of the objects, also when there are none."""
    from mldeck.output import write, write_csv, write_table
    from mldeck.serial import json_pieces, json_text

    if format_name == "json":
        write(json_pieces(objects))
    elif format_name == "csv":
        write_csv(
            keys,
            (
                [json_text(each) if isinstance(each, dict | list | bool) else each for each in row.values()]
                for row in objects
            ),
        )
    else:
        write_table(columns, rows)
    return 0


def _no_model() -> RegisteredModel:
    from mldeck.registry.nouns import RegisteredModel

    return RegisteredModel("")


def _no_version() -> ModelVersion:
    from mldeck.registry.nouns import ModelVersion

    return ModelVersion("", 0, "")


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
    from mldeck.format import MISSING
    from mldeck.registry.nouns import STAGES

    aliases = [f"@{alias} {version}" for alias, version in model.aliases.items()]
    aliases += [f"@{alias} {version} (deleted)" for alias, version in model.dangling_aliases.items()]
    return [
        model.name + (" (orphan)" if model.is_orphan else ""),
        *(str(model.latest.get(stage, MISSING)) for stage in STAGES),
        str(model.version_count),
        _time(model.last_updated_time),
        ", ".join(aliases) or MISSING,
        _first_line(model.description),
    ]


def _version_cells(version: ModelVersion) -> list[str]:
    from mldeck.format import MISSING

    return [
        str(version.version),
        version.stage,
        ", ".join(f"@{alias}" for alias in version.aliases) or MISSING,
        _time(version.creation_time),
        _time(version.last_updated_time),
        version.run_id or MISSING,
        version.source or MISSING,
        _first_line(version.description),
    ]


def _time(timestamp: int | None) -> str:
    from mldeck.format import MISSING, time_text

    return MISSING if timestamp is None else time_text(timestamp)


def _first_line(text: str | None) -> str:
    return (text or "").partition("\n")[0]
