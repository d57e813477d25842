"""The models that a server answers with, each replaced while it runs when its file is.

A new file is loaded and tried in a process of its own first (`trial`), so that a file that exhausts memory or
crashes takes nothing with it. Until it has passed, and whenever it does not, the old model answers. Requests
hold the model that they began with until they are answered.
"""

import asyncio
import contextlib
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fieldguide.errors import FieldguideError, OptionError
from fieldguide.prediction.predictor import Outputs, Predictor, load
from fieldguide.server.batching import Batcher
from fieldguide.server.logs import event
from fieldguide.server.metrics import Metrics
from fieldguide.server.problems import Problem
from fieldguide.server.settings import Settings
from fieldguide.server.trial import Trial, warm
from fieldguide.threads import usable_cores

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""What a model may be called in an address."""

Stamp = tuple[int, ...] | None
"""What tells one state of a file from another; None where there is no file."""


def named(arguments: list[str]) -> dict[str, Path]:
    """Give models their names: `NAME=PATH`, or the path's own name without its ending.

    Raises
    ------
    OptionError
        If a name cannot stand in an address, or two models have the same.
    """
    places: dict[str, Path] = {}
    for argument in arguments:
        name, equals, path = argument.partition("=")
        if not equals or not NAME.fullmatch(name):
            name, path = Path(argument).stem, argument
        if not NAME.fullmatch(name):
            raise OptionError(
                f"{argument}: a model is named by up to 64 letters, digits, '.', '_' and '-'; got {name!r}; "
                "name it yourself: NAME=PATH"
            )
        if name in places:
            raise OptionError(f"{argument}: two models are named {name!r}; name one yourself: NAME=PATH")
        places[name] = Path(path)
    return places


class Model:
    """One loaded model and the threads that feed it."""

    def __init__(self, name: str, predictor: Predictor, settings: Settings, metrics: Metrics) -> None:
        self.name: str = name
        self.predictor: Predictor = predictor
        batches, seconds = metrics.batches.labels(name), metrics.network.labels(name)

        def report(images: int, spent: float) -> None:
            batches.observe(images)
            seconds.observe(spent)

        def run(pixels: NDArray[np.uint8], alone: bool) -> Outputs:
            return predictor.run(pixels, alone=alone)

        threads = settings.threads or usable_cores()
        self.batcher: Batcher = Batcher(run, settings.batch, report, threads)
        self._features = int(warm(predictor, 1).embedding.shape[1])
        self._users = 0
        self._retired = False

    @property
    def version(self) -> str:
        """The first 16 digits of the model file's seal."""
        return self.predictor.digest[:16]

    @property
    def features(self) -> int:
        """Columns of the embedding."""
        return self._features

    @contextlib.contextmanager
    def used(self) -> Iterator["Model"]:
        """Keep the model as long as a request needs it."""
        self._users += 1
        try:
            yield self
        finally:
            self._users -= 1
            self._close_if_done()

    def retire(self) -> None:
        """Another has taken its place; it ends with its last request."""
        self._retired = True
        self._close_if_done()

    def _close_if_done(self) -> None:
        if self._retired and not self._users:
            self.batcher.close()


@dataclass
class RegisteredModel:
    """A name, the file behind it, and the model that answers for it."""

    name: str
    path: Path
    model: Model
    seen: Stamp
    """The state of the file that was last loaded or found unusable."""
    candidate: Stamp = None
    """A state seen once; a file that is still being written changes until the next look."""
    trouble: str | None = field(default=None)
    """Why the file that lies there now is not the one that answers."""


class ModelRegistry:
    """All models of a server.

    Parameters
    ----------
    paths
        Names and files.
    settings
        For batches, threads, and how often files are looked at.
    metrics
        Counts versions and reloads.

    Raises
    ------
    ModelFileError
        If one of the files cannot be used.
    """

    def __init__(self, paths: Mapping[str, Path], settings: Settings, metrics: Metrics) -> None:
        self._settings, self._metrics = settings, metrics
        self._trial = Trial()
        self._places: dict[str, RegisteredModel] = {}
        for name, path in paths.items():
            seen = stamp_of(path)
            model = Model(name, loaded(path, settings), settings, metrics)
            self._places[name] = RegisteredModel(name, path, model, seen)
            metrics.model.labels(name, model.version).set(1)
            metrics.trouble.labels(name).set(0)

    def places(self) -> list[RegisteredModel]:
        """Every model with its file, in the order given."""
        return list(self._places.values())

    def get(self, name: str) -> Model:
        """The model that answers for a name now.

        Raises
        ------
        Problem
            ``not_found``.
        """
        if name not in self._places:
            raise Problem("not_found", "there is no model of this name; GET /v1/models lists them")
        return self._places[name].model

    async def watch(self) -> None:
        """Look at the files for ever, one after the other, and load what was replaced."""
        while True:
            await asyncio.sleep(self._settings.poll_seconds)
            for place in self.places():
                await self.look(place)

    async def look(self, place: RegisteredModel) -> None:
        """Load the file behind a name if it is another one than before, and lies still."""
        now = stamp_of(place.path)
        if now == place.seen:
            return
        if now != place.candidate:
            place.candidate = now
            return
        place.seen = now
        try:
            model = await asyncio.to_thread(self._tried, place)
        except FieldguideError as error:
            self._keep(place, str(error))
        except Exception as error:  # memory, for one; what goes wrong with one file must not end all looks
            self._keep(place, f"{type(error).__name__}: {error}")
        else:
            self._replace(place, model)

    def _tried(self, place: RegisteredModel) -> Model:
        self._trial(place.path, self._settings.check_seconds)
        return Model(place.name, loaded(place.path, self._settings), self._settings, self._metrics)

    def _keep(self, place: RegisteredModel, why: str) -> None:
        place.trouble = "the file that lies there now cannot be used; the model before it answers"
        self._metrics.reloads.labels(place.name, "refused").inc()
        self._metrics.trouble.labels(place.name).set(1)
        event("reload_refused", logging.ERROR, model=place.name, version=place.model.version, reason=why)

    def _replace(self, place: RegisteredModel, model: Model) -> None:
        old, place.model = place.model, model
        place.trouble = None
        old.retire()
        if old.version != place.model.version:
            self._metrics.model.remove(place.name, old.version)
        self._metrics.model.labels(place.name, place.model.version).set(1)
        self._metrics.reloads.labels(place.name, "loaded").inc()
        self._metrics.trouble.labels(place.name).set(0)
        event("reloaded", model=place.name, version=place.model.version, before=old.version)

    def close(self) -> None:
        """End the threads of all models, and a trial if there is one."""
        self._trial.stop()
        for place in self.places():
            place.model.retire()


def stamp_of(path: Path) -> Stamp:
    """The state of a file as the file system tells it."""
    try:
        status = path.stat()
    except OSError:
        return None
    return (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def loaded(path: Path, settings: Settings) -> Predictor:
    """Load a model and run it once.

    Raises
    ------
    ModelFileError
        If it cannot be used.
    """
    predictor = load(path, threads=settings.threads)
    warm(predictor, settings.batch)
    warm(predictor, settings.batch, alone=False)
    return predictor
