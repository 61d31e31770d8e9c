"""Registers models of runs: reads what there is to choose from, shows the dialog, and reports the new version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from textual.screen import Screen

from mldeck.artifacts.errors import Unconfirmed
from mldeck.artifacts.model_files import has_mlmodel
from mldeck.errors import MldeckError
from mldeck.registry.nouns import NO_REGISTRY, LoggedModel, ModelSource, ModelVersion, RegisteredModel
from mldeck.store.interrupt import Interrupt
from mldeck.ui.kit.keys import key_name
from mldeck.ui.kit.threads import read_off_loop
from mldeck.ui.register.dialog import RegisterDialog, Registration
from mldeck.ui.state.session import Session

if TYPE_CHECKING:
    from mldeck.store.registry.moves import Registered


@dataclass(frozen=True)
class Offer:
    """The models of a run, and the registered models that they could become versions of."""

    run_id: str
    run: str
    """The name of the run."""
    models: tuple[LoggedModel, ...]
    registered: tuple[RegisteredModel, ...]
    versions: tuple[ModelVersion, ...]
    """The versions that came from this run already."""
    has_registry: bool


class RegisterFlow:
    """The steps from a run to a version of a registered model. Call the methods in a worker."""

    def __init__(self, screen: Screen[None], session: Session) -> None:
        self._screen = screen
        self._session = session

    async def register_runs(self, run_ids: Sequence[str]) -> None:
        """Register a model of each run, one after the other. Runs without a model are skipped; Esc ends it.

        Several runs are the marked ones.
        """
        if not run_ids:
            raise MldeckError("There is no run to register a model of")
        skipped: list[str] = []
        for number, run_id in enumerate(run_ids, 1):
            position = f" ({number} of {len(run_ids)} marked)" if len(run_ids) > 1 else ""
            offer = await read_off_loop(lambda interrupt, run_id=run_id: self._read(run_id, interrupt))  # type: ignore[misc]
            if not offer.has_registry:
                raise MldeckError(NO_REGISTRY)
            if not offer.models:
                skipped.append(offer.run)
            elif not await self._register(offer, position):
                return
        if skipped:
            of_all = f"{len(skipped)} of the" if len(skipped) < len(run_ids) else "the"
            runs = skipped[0] if len(skipped) == 1 else f"{of_all} {len(run_ids)} marked runs"
            why = f"{runs} logged no model: use log_model() of its MLflow flavor"
            if len(skipped) == len(run_ids):
                raise MldeckError(why)
            self._say(why)

    async def register_models(self, run_id: str, chosen: LoggedModel | str | None) -> None:
        """Register a model of a run: a logged model, or the run's folder at a path, with an MLmodel file. None asks which."""
        if chosen is None:
            await self.register_runs([run_id])
            return
        offer = await read_off_loop(lambda interrupt: self._read(run_id, interrupt))
        if not offer.has_registry:
            raise MldeckError(NO_REGISTRY)
        model = LoggedModel(chosen, run_id) if isinstance(chosen, str) else chosen
        await self._register(replace(offer, models=(model,)), "")

    def _read(self, run_id: str, interrupt: Interrupt) -> Offer:
        store, registry = self._session.store, self._session.registry
        details = store.run_details(run_id, interrupt)
        if details is None:
            raise MldeckError(f"there is no run {run_id} any more")
        models = store.registry().models_of_run(run_id, interrupt)
        ids = tuple(model.model_id for model in models if model.model_id)
        return Offer(
            run_id,
            details.run.label,
            models,
            tuple(model for model in registry.models(interrupt=interrupt) if not model.is_orphan),
            registry.versions_of_run(run_id, ids, interrupt),
            registry.has_registry,
        )

    async def _register(self, offer: Offer, position: str) -> bool:
        """Show the dialog for a run. Return whether a version was registered.

        `position` is added to the title: the number of the run among several.
        """
        title = f"Register a model of {offer.run}{position}"
        dialog = RegisterDialog(
            title,
            offer.models,
            offer.registered,
            offer.versions,
            lambda registration, interrupt: self._write(offer.run_id, registration, interrupt),
        )
        done = await self._screen.app.push_screen_wait(dialog)
        if done is None:
            return False
        new = " (a new model)" if done.is_new_model else ""
        self._say(f"Registered {done.model} {done.version}{new} from {offer.run} · {key_name('models_place')} shows it")
        if done.notice:
            self._say(done.notice)
        return True

    def _write(self, run_id: str, registration: Registration, interrupt: Interrupt) -> Registered:
        source = self._source(run_id, registration.model, interrupt)
        return self._session.registry_editor.register(
            registration.name, source, registration.description, registration.tags, interrupt
        )

    def _source(self, run_id: str, model: LoggedModel, interrupt: Interrupt) -> ModelSource:
        """Read the source again, because the shown one may be gone. Raises `MldeckError` if it is."""
        session = self._session
        registry = session.store.registry()
        if model.model_id is not None:
            return registry.source_of_logged_model(model.model_id, interrupt)
        places = session.places()
        try:
            return registry.source_of_run(run_id, model.name, lambda uri: has_mlmodel(uri, places, run_id), interrupt)
        except Unconfirmed as error:
            raise MldeckError(
                f"{error}. Open the run's tab Artifacts first, and press {key_name('open')} to be asked."
            ) from error

    def _say(self, text: str) -> None:
        self._screen.notify(text, timeout=6)
