"""Features by many processes, wherever something learns from features: the same rows, refusals and cache.

Photos are handed to processes in parts (:mod:`fieldguide.cluster.part_workers`); what comes back is put in
order here, and into the cache of this machine, so that a run that was stopped goes on. A process looks into
no cache: it is told the digests that are known, and so needs no folder that machines share.
"""

import contextlib
import functools
import os
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fieldguide.backbones.exported import ExportedBackbone
from fieldguide.backbones.extraction import Features, computed_by, feature_key
from fieldguide.backbones.feature_table import FeatureTable
from fieldguide.backbones.runner import OnnxRunner
from fieldguide.cluster.feature_worker import (
    FeatureJob,
    FeatureWorker,
    ImagePart,
    ImagePartDone,
    KnownDigests,
    KnownImage,
    WorkedImage,
)
from fieldguide.cluster.part_workers import IN_HAND, parts_done
from fieldguide.cluster.ray_session import WAITING, Cluster, cluster_used, ray_for, ray_session
from fieldguide.cluster.sums import ClusterSums
from fieldguide.errors import DataError, OptionError, OutputError, Refusal, RefusedInput
from fieldguide.files import scratch_folder
from fieldguide.heads.scatter import summed_by
from fieldguide.images.content_cache import Entry, FeatureCache
from fieldguide.images.decoding import read_bytes
from fieldguide.images.network_input import network_pixels
from fieldguide.images.preprocessing import Preprocessing
from fieldguide.large_arrays import writable
from fieldguide.progress import Progress, silent
from fieldguide.recipes import NEED_TORCH
from fieldguide.threads import usable_cores

PART_IMAGES = 64
"""Photos of a part at most: seconds of work, some megabytes of features."""
PARTS_A_WORKER = 4
"""Parts that each process gets where there are few photos, so that all end at about the same time."""
ONLY_HERE = frozenset({"missing", "unreadable", "not_a_file"})
"""Refusals of a file that another machine may not see."""
LACKING = "plugin_missing"
"""Refusal of a file for which another machine may lack a package."""


@contextlib.contextmanager
def features_on_cluster(
    cluster: str | None, recipes: Sequence[str] = (), *, cores: int | None = None
) -> Iterator[None]:
    """Have the features of photos computed by a cluster, as long as the context lasts.

    Whatever else can be shared finds the cluster by
    :func:`~fieldguide.cluster.ray_session.cluster_in_use`, as folds do.

    Parameters
    ----------
    cluster
        As for :func:`fieldguide.cluster.ray_session.ray_session`; None leaves everything on this machine. The
        cluster is started or joined once features are needed.
    recipes
        What is to be trained on this machine.
    cores
        Of a cluster that is started; None takes all.

    Raises
    ------
    OptionError
        If a recipe trains a network, which no cluster does here, or Ray is not installed.
    """
    if cluster is None:
        yield
        return
    for recipe in recipes:
        if recipe in NEED_TORCH:
            raise OptionError(
                f"--cluster: computes features, and the recipe {recipe} trains a network instead; leave "
                "--cluster out, or take the recipe linear-probe"
            )
    ray_for(cluster)
    with contextlib.ExitStack() as stack:
        begun: list[Any] = []

        def ray() -> Any:
            if not begun:
                begun.append(stack.enter_context(ray_session(cluster, cores=cores)))
            return begun[0]

        used = Cluster(cluster, ray)
        stack.enter_context(cluster_used(used))
        stack.enter_context(computed_by(ClusterPass(ray, functools.partial(_named, stack))))
        if not used.is_here:  # one process uses its cores as well
            stack.enter_context(summed_by(ClusterSums(ray)))
        yield


def _named(stack: contextlib.ExitStack, cache: Path | None) -> Path:
    """A file in the cache that is gone when the context ends."""
    return stack.enter_context(scratch_folder(writable(cache))) / "features"


@dataclass(frozen=True)
class ClusterPass:
    """Computes features on a cluster; a :class:`~fieldguide.backbones.extraction.FeaturePass`."""

    ray: Callable[[], Any]
    """Gives ``ray``, connected."""
    named: Callable[[Path | None], Path] | None = None
    """Names a file, near a cache, for features that other machines are to read; None gives it no name."""

    def __call__(
        self,
        paths: Sequence[str],
        backbone: ExportedBackbone,
        *,
        flips: bool = False,
        cache: Path | None = None,
        progress: Progress = silent,
    ) -> Features:
        """Compute the features of images.

        Raises
        ------
        DataError
            If a file is on this machine and not where a process of the cluster looks, or such a process lacks
            a package that reads it.
        OutputError
            If there is no room for the vectors, a process ended again and again, or a machine has other
            versions.
        """
        started = time.perf_counter()
        key = feature_key(backbone, OnnxRunner.kind, flips)
        job = FeatureJob(backbone, backbone.path.read_bytes(), flips, key)
        with FeatureCache(cache, key, backbone.features) as kept:
            file = None if self.named is None else functools.partial(self.named, cache)
            table = FeatureTable(len(paths), backbone.features, cache, file)
            merger = _Merger(table, job, paths, kept)
            if paths:
                self._work(job, paths, merger, progress)
        merger.seconds["total"] = time.perf_counter() - started
        return Features.of(merger.table, merger.seconds, merger.cached)

    @property
    def times_as_many_cores(self) -> float:
        """Of this machine's, how many times as many the cluster has; it is started or joined for that."""
        return max(1.0, float(self.ray().cluster_resources().get("CPU", 1)) / usable_cores())

    def _work(self, job: FeatureJob, paths: Sequence[str], merger: "_Merger", progress: Progress) -> None:
        progress("features", 0, len(paths))
        ray = self.ray()
        cores = max(1, int(ray.cluster_resources().get("CPU", 1)))
        size = part_size(len(paths), cores)
        parts = list(range(0, len(paths), size))
        workers = min(cores, len(parts))
        sent = ray.put(job), ray.put(KnownDigests.prefixes_of(merger.kept.digests()))
        actor = ray.remote(num_cpus=1)(FeatureWorker)
        work = (
            ImagePart(number, [os.path.abspath(path) for path in paths[first : first + size]])  # noqa: PTH100
            for number, first in enumerate(parts)
        )
        done: Generator[ImagePartDone] = parts_done(
            ray,
            lambda: actor.remote(*sent),
            workers,
            work,
            ahead=PARTS_A_WORKER * IN_HAND * workers,
            waited=lambda seconds: progress(WAITING, seconds, None),
        )
        with contextlib.closing(done):  # an interrupt must end the processes now
            for one in in_number_order(done):
                merger.add(one, parts[one.number])
                progress("features", min(parts[one.number] + size, len(paths)), len(paths))
        merger.seconds["network"] /= workers


def part_size(count: int, workers: int) -> int:
    """Photos of a part; even, since the network takes them by twos."""
    fair = -(-count // (workers * PARTS_A_WORKER))
    return min(PART_IMAGES, fair + fair % 2)


def in_number_order(done: Iterator[ImagePartDone]) -> Iterator[ImagePartDone]:
    """Put parts, numbered from 0, in order; each is held until those before it are there."""
    early: dict[int, ImagePartDone] = {}
    following = 0
    for one in done:
        early[one.number] = one
        while following in early:
            yield early.pop(following)
            following += 1


def check_seen(path: str, refusal: Refusal, preprocessing: Preprocessing) -> None:
    """See that a file that a machine of the cluster refused is not there, or not to be read, here either.

    Raises
    ------
    DataError
        If it is.
    """
    with contextlib.suppress(RefusedInput):
        if refusal.code in ONLY_HERE:
            read_bytes(path)
            raise DataError(
                f"--cluster: {path} is on this machine, but a machine of the cluster says: "
                f"{refusal.message}; put the photos where all of them find them under the same name"
            )
        if refusal.code == LACKING:
            network_pixels(read_bytes(path), preprocessing)
            raise DataError(
                f"--cluster: {path} can be read here, but a machine of the cluster says: "
                f"{refusal.message}; install the same packages on all"
            )


class _Merger:
    """What came of the parts, in one table and in the cache."""

    def __init__(
        self, table: FeatureTable, job: FeatureJob, paths: Sequence[str], kept: FeatureCache
    ) -> None:
        self.table, self.job, self.paths, self.kept = table, job, paths, kept
        self.seconds = {"total": 0.0, "decode": 0.0, "network": 0.0}
        self.cached = 0

    def add(self, done: ImagePartDone, first: int) -> None:
        """Take the next part, which begins at the photo `first`."""
        for name, seconds in done.seconds.items():
            self.seconds[name] += seconds
        rows: dict[int, Entry] = {}
        for position, image in enumerate(done.images, start=first):
            entry = self._entry(self.paths[position], image)
            if isinstance(entry, Refusal):
                self.table.refused.append(entry)
            else:
                rows[self.table.add(position, entry.digest, entry.signature)] = entry
        if rows:
            self.table.put(list(rows), np.stack([entry.vector for entry in rows.values()]))

    def _entry(self, path: str, image: WorkedImage) -> Entry | Refusal:
        if isinstance(image, Refusal):
            check_seen(path, image, self.job.backbone.preprocessing)
            return Refusal(path, image.code, image.message)
        if isinstance(image, KnownImage):
            entry = self.kept.get(image.digest)
            if entry is None:  # damaged, or gone since
                return self._computed_here(path)
            self.cached += 1
            return entry
        self.kept.add(image)
        return image

    @functools.cached_property
    def _worker_here(self) -> FeatureWorker:
        return FeatureWorker(self.job, np.empty(0, np.uint64))

    def _computed_here(self, path: str) -> Entry | Refusal:
        done = self._worker_here.work(ImagePart(0, [path]))
        if done.failed:
            raise OutputError(done.failed)
        return self._entry(path, done.images[0])
