"""Helpers shared by the commands of the model registry: their options, and the databases they work on."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mldeck.commands.options import add_store_option, store_address
from mldeck.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from mldeck.settings import Settings
    from mldeck.store.address import Address
    from mldeck.store.registry.editor import RegistryEditor
    from mldeck.store.registry.reader import RegistryReader
    from mldeck.store.store import Store


def add_registry_options(parser: argparse.ArgumentParser) -> None:
    add_store_option(parser)
    parser.add_argument(
        "--registry-store",
        metavar="STORE",
        help="database of the model registry, if it is a different one (default: $MLFLOW_REGISTRY_URI)",
    )
    parser.add_argument(
        "--workspace", default="default", metavar="NAME", help="workspace of MLflow 3.10 and later (default: default)"
    )


@dataclass(frozen=True)
class Stores:
    """The store of the runs and the store of the registry; usually both are the same."""

    runs: Store
    registered: Store
    workspace: str
    """The workspace of the registry."""
    settings: Settings

    @property
    def reader(self) -> RegistryReader:
        return self.registered.registry(self.workspace)

    @property
    def editor(self) -> RegistryEditor:
        return self.registered.registry_editor(
            self.workspace, record_transitions=self.settings.record_transitions, tracking=self.runs
        )


def check_model_name(stores: Stores, name: str) -> None:
    """Raise `MldeckError` for a prompt, and `UsageError` if there is neither a registered model nor a version of that name."""
    if stores.reader.model(name) is None:
        stores.reader.check_no_prompt(name)
        meant = did_you_mean(name, (model.name for model in stores.reader.models()))
        raise UsageError(
            f"no registered model {name}{meant} in {stores.registered.address}; `mldeck models` lists them"
        )


@contextmanager
def open_stores(options: argparse.Namespace) -> Iterator[Stores]:
    """Open the stores that the options name, and close them after the block."""
    from mldeck.printing import open_store
    from mldeck.settings import load_settings
    from mldeck.store.address import host_of, registry_address
    from mldeck.store.connect import check_database

    settings = load_settings(
        store=options.store,
        write=getattr(options, "write", False),
        registry_store=options.registry_store,
        record_transitions=not getattr(options, "no_record", False),
        artifact_roots=getattr(options, "artifact_root", ()),
    )
    address = store_address(settings)
    registry = registry_address(settings.registry_store, settings.registry_origin, address)
    with ExitStack() as stack:

        def opened(address: Address) -> Store:
            write = settings.writes_to(host_of(address))
            check_database(address, write=write)
            return stack.enter_context(open_store(address, read_only=settings.read_only, write=write))

        runs = opened(address)
        registered = runs if registry == address else opened(registry)
        yield Stores(runs, registered, options.workspace, settings)
