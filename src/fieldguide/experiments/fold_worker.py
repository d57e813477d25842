"""What one process of a cluster does for a cross-validation: learns a fold, from features that are given."""

import dataclasses
import os
import platform
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from fieldguide import errors
from fieldguide.backbones.exported import ExportedBackbone, kept
from fieldguide.backbones.extraction import Features
from fieldguide.backbones.feature_memory import FeatureMemory
from fieldguide.cluster.sums_worker import FeatureFile
from fieldguide.data.folds import Folds
from fieldguide.errors import FieldguideError, Refusal
from fieldguide.experiments.fold_fitting import FittedFold, fit_fold
from fieldguide.experiments.fold_results import FoldResult, UntimedNetwork, code_fingerprint, error_sentence
from fieldguide.experiments.fold_task import FoldTask
from fieldguide.files import cache_folder
from fieldguide.recipes.common import Run
from fieldguide.threads import cores_limited


@dataclass(frozen=True)
class SharedBody:
    """A network as it came, and what it sees in all images."""

    backbone: ExportedBackbone
    """Its file is that of the machine which asks."""
    content: bytes
    """The bytes of that file."""
    features: Features
    """Of all images that were asked for; without vectors where these lie in a file."""
    file: FeatureFile | None = None
    """Vectors that another process of the same machine can read."""

    @classmethod
    def of(cls, backbone: ExportedBackbone, features: Features, *, by_file: bool) -> "SharedBody":
        """What is sent; `by_file` leaves vectors out that lie in a file with a name."""
        file = FeatureFile.of(features.vectors) if by_file else None
        plain: NDArray[Any] = np.asarray(features.vectors).view(np.ndarray)  # no memory map is sent as one
        vectors = plain if file is None else plain[:0].copy()
        bare = dataclasses.replace(features, vectors=vectors)
        return cls(backbone, backbone.path.read_bytes(), bare, file)

    def on_this_machine(self) -> ExportedBackbone:
        """The network, with a file that lies on this machine; raises OutputError if it cannot be written."""
        path, digest = kept(self.content)
        return dataclasses.replace(self.backbone, path=path, digest=digest)

    def whole(self) -> Features:
        """The features, as the process has them that asks."""
        if self.file is None:
            return self.features
        return dataclasses.replace(self.features, vectors=self.file.opened())


@dataclass(frozen=True)
class FoldJob:
    """What a process must know of a cross-validation."""

    folding: Folds
    paths: tuple[str, ...]
    """Of all images that features were asked for, which may be more than those in folds."""
    code: str
    """From :func:`~fieldguide.experiments.fold_results.code_fingerprint` of the machine that asks."""

    @classmethod
    def of(cls, folding: Folds, paths: tuple[str, ...]) -> "FoldJob":
        """As other processes find the images, whose current folder may be another."""
        dataset = dataclasses.replace(
            folding.dataset,
            paths=_absolute(folding.dataset.paths),
            refused=(),
            notes=(),
            doubts=(),
            holder=None,
        )
        return cls(
            dataclasses.replace(folding, dataset=dataset, refused=()), _absolute(paths), code_fingerprint()
        )


@dataclass(frozen=True)
class FoldPart:
    """Work for one process."""

    number: int
    task: FoldTask
    body: Any = None
    """A reference to a :class:`SharedBody`, and its digest; None where the recipe has none."""

    @property
    def title(self) -> str:
        """What a person calls it."""
        return self.task.title


@dataclass(frozen=True)
class FoldDone:
    """What came of it."""

    number: int
    result: FoldResult | None = None
    error: tuple[str, str] = ("", "")
    """Why the candidate failed: name of a kind of error in :mod:`fieldguide.errors`, and a sentence."""
    refused: tuple[Refusal, ...] = ()
    """Photos that this machine could not use."""
    failed: str = field(default="")
    """Why the whole run cannot go on; empty where it can."""


class FoldWorker:
    """Lives in a process of its own and takes its share of the cores.

    Parameters
    ----------
    job
        The cross-validation.
    cores
        For one fold.
    fetch
        Gives what a reference refers to: ``ray.get``.
    """

    def __init__(self, job: FoldJob, cores: int, fetch: Callable[[Any], Any]) -> None:
        self._job, self._cores, self._fetch = job, cores, fetch
        self._bodies: dict[str, ExportedBackbone] = {}

    def ready(self) -> None:
        """Answer once the process is there."""

    @cached_property
    def _cache(self) -> Path:
        return cache_folder() / "features"

    @cached_property
    def _memory(self) -> FeatureMemory:
        return FeatureMemory(self._job.paths, self._cache)

    def work(self, part: FoldPart) -> FoldDone:
        """Learn and answer one fold."""
        if code_fingerprint() != self._job.code:
            return FoldDone(part.number, failed=_other_versions())
        try:
            run = Run(cache=self._cache, memory=self._memory, body=self._body(part))
        except (FieldguideError, OSError, ValueError) as error:  # a full disk, say, or a file that went
            return FoldDone(part.number, failed=f"--cluster: the machine {platform.node()}: {error}")
        try:
            with cores_limited(self._cores), threadpool_limits(self._cores, user_api="blas"):
                fold = fit_fold(self._job.folding, part.task, run)
                return FoldDone(part.number, _with_network(fold, part.task), refused=fold.refused)
        except Exception as error:  # one candidate must not take hours of others with it
            return FoldDone(part.number, error=(type(error).__name__, error_sentence(error)))

    def _body(self, part: FoldPart) -> ExportedBackbone | None:
        """The network whose features the fold learns from, which :attr:`_memory` then holds."""
        if part.body is None:
            return None
        reference, digest = part.body
        if digest not in self._bodies or not self._memory.has(self._bodies[digest]):
            shared: SharedBody = self._fetch(reference)
            self._bodies[digest] = shared.on_this_machine()
            self._memory.give(self._bodies[digest], shared.whole())
        return self._bodies[digest]


def as_error(told: tuple[str, str]) -> FieldguideError:
    """The error that a process told of, of the same kind where it is one of this package's."""
    kind = getattr(errors, told[0], None)
    if isinstance(kind, type) and issubclass(kind, FieldguideError):
        return kind(told[1])
    return FieldguideError(told[1])


def _with_network(fold: FittedFold, task: FoldTask) -> FoldResult:
    """The result; where an answer is to be timed, with what gives it, for the machine that asks."""
    if not task.timed:
        return fold.result
    network = UntimedNetwork(fold.fitted.network.SerializeToString(), fold.fitted.preprocessing)
    return dataclasses.replace(fold.result, untimed=network)


def _absolute(paths: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(os.path.abspath(path) for path in paths)  # noqa: PTH100


def _other_versions() -> str:
    return (
        f"--cluster: the machine {platform.node()} of the cluster has another version of fieldguide or of a "
        "package that it learns with, and its results would differ; install the same versions on all"
    )
