"""Registry: model names and aliases -> loaded models. It knows whether the service is ready."""

import asyncio
import logging
from contextlib import suppress
from enum import Enum
from functools import partial
from pathlib import Path
from weakref import WeakSet

from service.answers import ModelDescription, TaskDescription
from service.budget import BatchLimits
from service.errors import ModelLost, NotReady, RefusedModel, Reloading
from service.loading import load_again, measure_limits
from service.metrics import Metrics, ModelMetrics
from service.placement import Placement
from service.preparers import Preparers
from service.served import ServedModel
from service.settings import Settings
from taggers.catalog import ALIASES, bundled_models, describe, find_model
from taggers.errors import ModelError, ModelNotFound
from taggers.fingerprint import fingerprint
from taggers.pipeline import Tagger, find_device
from taggers.precision import find_precision
from taggers.tasks import Task

logger = logging.getLogger("tagline")

_FINISHING_S = 5
"""What was begun is over by then unless something hangs: requests were waited for before, or told that it is late."""


class Phase(Enum):
    """Where the service is in its life."""

    LOADING = "the models are still loading"
    READY = "ready"
    CLOSING = "the service is shutting down"


class Registry:
    """The models of a service.

    Args:
        settings: Which models, and where they run.
        metrics: What they tell of their work.

    Raises:
        ModelError: A model or the device is not there, or two models have the same name; nothing is loaded yet.
    """

    def __init__(self, settings: Settings, *, metrics: Metrics | None = None) -> None:
        self._settings = settings
        self._metrics = Metrics() if metrics is None else metrics
        self.phase = Phase.LOADING
        find_precision(settings.precision, find_device(settings.device))
        asked = settings.models or tuple(bundled_models())
        self._folders = _find_folders(asked or ("en",))
        aliases = {alias: name for alias, name in ALIASES.items() if name in self._folders}
        self._names = {**aliases, **{name: name for name in self._folders}}
        self.default = self._choose_default(settings.models)
        self._served: dict[str, ServedModel] = {}
        self._replaced: WeakSet[ServedModel] = WeakSet()
        self._reloading: set[str] = set()
        self._limits: dict[str, BatchLimits] = {}
        self._preparers = Preparers(settings.preparers)
        self._placement = Placement(settings)
        self._settling = asyncio.Lock()

    async def load(self) -> None:
        """Load the models and begin to serve them.

        Raises:
            ModelError: A folder is damaged.
        """
        await asyncio.to_thread(self._placement.start)
        for name, folder in self._folders.items():
            version = await asyncio.to_thread(fingerprint, folder)
            tagger = await asyncio.to_thread(self._placement.load, folder, version=version)
            self._limits[name] = await asyncio.to_thread(
                measure_limits,
                tagger,
                max_batch_tokens=self._settings.max_batch_tokens,
                batch_ms=self._settings.batch_ms,
            )
            self._served[name] = self._serve(name, tagger, version)
        for served in self._served.values():
            served.start()
        self.phase = Phase.READY

    async def reload(self, name: str, folder: Path | None = None) -> ModelDescription:
        """Load a model again and serve it from then on; the old one goes on until the new one is loaded and warm.

        Args:
            name: The model's name or alias, which stays whatever name is in the folder.
            folder: Where the new one is; None: where the old one came from.

        Returns:
            What clients may know of the new one.

        Raises:
            NotReady: The models are still loading, or the service is shutting down.
            ModelNotFound: There is none of this name.
            Reloading: It is being loaded already.
            RefusedModel: The folder is damaged; the old model goes on.
        """
        self.check_ready()
        name = self.full_name(name)
        if name in self._reloading:
            raise Reloading(f"model {name!r} is being loaded already")
        folder = folder or self._folders[name]
        self._reloading.add(name)
        outcome = "failed"
        try:
            version = await asyncio.to_thread(fingerprint, folder)
            load = partial(self._placement.load, version=version)
            tagger = await asyncio.to_thread(load_again, folder, load)
            self.check_ready()  # for that took a while
            self._replace(name, tagger, version)
            outcome = "loaded"
        except RefusedModel:
            outcome = "refused"
            raise
        finally:
            self._reloading.remove(name)
            self._metrics.reloads.labels(name, outcome).inc()
        self._folders[name] = folder
        return self.describe(name)

    async def close(self) -> None:
        """Finish what was accepted unless it hangs, take nothing more."""
        ready, self.phase = self.phase is Phase.READY, Phase.CLOSING
        if ready:
            with suppress(TimeoutError):
                async with asyncio.timeout(_FINISHING_S) as limit:
                    for served in [*self._served.values(), *self._replaced]:
                        await served.close()
            if limit.expired():
                logger.error("what was begun is not over after %d s, and is given up", _FINISHING_S)
        self._preparers.shutdown()
        await asyncio.to_thread(self._placement.close)

    def check_ready(self) -> None:
        """Go on only if requests are served.

        Raises:
            NotReady: The models are still loading, or the service is shutting down.
        """
        if self.phase is not Phase.READY:
            raise NotReady(self.phase.value)

    def check_healthy(self) -> None:
        """Go on only if every model can be used.

        Raises:
            NotReady: The models are still loading, or the service is shutting down.
            ModelLost: One has to be loaded again.
        """
        self.check_ready()
        for name, served in self._served.items():
            try:
                self._placement.check_held(served.tagger)
            except ModelLost as error:
                raise ModelLost(f"model {name!r}: {error}") from None

    def find(self, name: str) -> ServedModel:
        """The model of this name or alias.

        Raises:
            NotReady: The models are still loading, or the service is shutting down.
            ModelNotFound: There is none of this name.
            ModelLost: It has to be loaded again.
        """
        self.check_ready()
        served = self._served[self.full_name(name)]
        self._placement.check_held(served.tagger)
        return served

    def describe(self, name: str) -> ModelDescription:
        """What clients may know of a model.

        Raises:
            NotReady: The models are still loading, or the service is shutting down.
            ModelNotFound: There is none of this name.
        """
        self.check_ready()
        name = self.full_name(name)
        return self._describe(name, self._served[name])

    def describe_all(self) -> list[ModelDescription]:
        """What clients may know of the models.

        Raises:
            NotReady: The models are still loading, or the service is shutting down.
        """
        self.check_ready()
        return [self._describe(name, served) for name, served in self._served.items()]

    def full_name(self, name: str) -> str:
        """The own name of the model of this name or alias.

        Raises:
            ModelNotFound: There is none of this name.
        """
        if name not in self._names:
            raise ModelNotFound(name, self._names)
        return self._names[name]

    def move(self, name: str, folder: Path) -> None:
        """Load a model from another folder the next time."""
        self._folders[name] = folder

    @property
    def names(self) -> tuple[str, ...]:
        """The models' own names."""
        return tuple(self._folders)

    @property
    def usable_names(self) -> tuple[str, ...]:
        """The own names of models that need not be loaded again, and their aliases."""
        return tuple(name for name, own in self._names.items() if self._is_held(own))

    def _is_held(self, name: str) -> bool:
        try:
            self._placement.check_held(self._served[name].tagger)
        except ModelLost:
            return False
        return True

    def _choose_default(self, asked: tuple[str, ...]) -> str:
        if asked and asked[0] in self._names:
            return asked[0]
        return "en" if not asked and "en" in self._names else next(iter(self._folders))

    def _serve(self, name: str, tagger: Tagger, version: str) -> ServedModel:
        metrics = ModelMetrics(self._metrics, name)
        metrics.observe_loaded()
        # A model that was loaded again has the limits of the first: while others are served nothing can be measured.
        return ServedModel(
            tagger,
            version=version,
            limits=self._limits[name],
            settings=self._settings,
            metrics=metrics,
            preparers=self._preparers,
            at_once=self._placement.at_once,
            settling=self._settling,
        )

    def _replace(self, name: str, tagger: Tagger, version: str) -> None:
        """From now on requests find the new model; those that found the old one hold it, and nobody else does."""
        served = self._serve(name, tagger, version)
        served.start()
        self._replaced.add(self._served[name])
        self._served[name] = served

    def _describe(self, name: str, served: ServedModel) -> ModelDescription:
        manifest = served.tagger.manifest
        return ModelDescription(
            name=name,
            aliases=sorted(alias for alias, target in self._names.items() if target == name and alias != name),
            default=self._names[self.default] == name,
            language=manifest.language,
            description=manifest.description,
            license=manifest.license,
            tasks={task: _describe_task(task_) for task, task_ in served.tagger.tasks.items()},
            segments=manifest.segmenter is not None,
            scores=manifest.scores,
            precision=served.tagger.precision,
        )


def _find_folders(asked: tuple[str, ...]) -> dict[str, Path]:
    """The folder of each model, by the name that it gives itself."""
    folders: dict[str, Path] = {}
    for wanted in asked:
        folder = find_model(wanted)
        name = describe(folder).name
        if folders.get(name, folder) != folder:
            raise ModelError(f"two models have the name {name!r}: {folders[name]} and {folder}")
        folders[name] = folder
    return folders


def _describe_task(task: Task) -> TaskDescription:
    match task.kind:
        case "span":
            return TaskDescription(kind="span", labels=list(task.span_labels))
        case "lemma":
            return TaskDescription(kind="lemma", num_rules=len(task.labels))
        case _:
            return TaskDescription(kind="token", labels=list(task.labels))
