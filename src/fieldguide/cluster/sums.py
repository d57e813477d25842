"""A head's sums by many processes: the same head within rounding, and memory that no number of photos moves.

What is solved with them, and the out-of-fold answers that promises rest on, stay on the machine that asks.
The features lie in one file there (:func:`fieldguide.backbones.feature_table.allocate`); processes that find
it under the same name read their rows from it, and the parts of others are added up here. So a cluster needs
no folder in common, and gains where it has one.
"""

import contextlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from fieldguide.cluster.part_workers import parts_done
from fieldguide.cluster.sums_worker import (
    FeatureFile,
    SumsDone,
    SumsJob,
    SumsPart,
    SumsWorker,
    added_up,
    ends_checksum,
)
from fieldguide.heads.scatter import MANY, FoldSums, fold_sums_here
from fieldguide.heads.training_table import TrainingTable
from fieldguide.threads import usable_cores

PART_ROWS = 32_768
"""Photos of a part at most: some twenty seconds of one core, for a result of some hundred megabytes."""
MOST_WORKERS = 64
"""Processes at once: more results than these would wait in memory to be added."""


@dataclass(frozen=True)
class ClusterSums:
    """Adds up on a cluster; a :class:`~fieldguide.heads.scatter.SumsPass`."""

    ray: Callable[[], Any]
    """Gives ``ray``, connected."""
    fewest: int = MANY
    """Photos below which this machine is as fast by itself."""
    part_rows: int = PART_ROWS

    def __call__(self, table: TrainingTable) -> FoldSums:
        """Add up a table: here where it is small, or the cluster has no more cores than this machine.

        Raises
        ------
        OutputError
            If a process ended again and again.
        """
        file = FeatureFile.of(table.vectors) if len(table.labels) >= self.fewest else None
        if file is None:
            return fold_sums_here(table)
        ray = self.ray()
        cores = int(ray.cluster_resources().get("CPU", 1))
        if cores <= usable_cores():
            return fold_sums_here(table)
        return self._added(ray, min(cores, MOST_WORKERS), table, file)

    def _added(self, ray: Any, workers: int, table: TrainingTable, file: FeatureFile) -> FoldSums:
        found = FoldSums.empty(table)
        parts = list(self._parts(table))
        job, actor = ray.put(SumsJob.of(table, file)), ray.remote(num_cpus=1)(SumsWorker)
        workers = min(workers, len(parts))
        done: Generator[SumsDone] = parts_done(ray, lambda: actor.remote(job), workers, parts)
        with contextlib.closing(done):  # an interrupt must end the processes now
            # In whatever order: double precision holds sums of such products without rounding.
            for one in done:
                part = parts[one.number]
                got = one if one.seen else added_up(table, part.number, part.rows(table))
                place = int(np.searchsorted(found.names, part.fold))
                found.scatters[place].add(got.scatter)
                found.sums[place, got.classes] += got.sums
        return found

    def _parts(self, table: TrainingTable) -> Iterator[SumsPart]:
        number = 0
        for fold in np.unique(table.folds).tolist():
            rows = np.flatnonzero(table.folds == fold)
            for first in range(0, len(rows), self.part_rows):
                end = min(first + self.part_rows, len(rows))
                yield SumsPart(number, fold, first, end, ends_checksum(table, rows[first:end]))
                number += 1
