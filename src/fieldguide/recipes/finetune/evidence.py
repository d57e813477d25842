"""How far the photos are from what the network knows: what decides whether anything but the usual is tried.

Where its probe falls from late to early features, the late layers know what the photos show (Yosinski et al.,
"How transferable are features in deep neural networks?", NeurIPS 2014), and the photos' activations are like
those of what it was trained on. Both cost seconds: the features are there already, and a few dozen photos
tell the statistics of batch normalisation.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fieldguide.heads import calibration
from fieldguide.heads.lda import discriminant
from fieldguide.heads.training_table import TrainingTable
from fieldguide.recipes.finetune.start import Start, passed_through, tapped_of
from fieldguide.recipes.finetune.statistics import StatisticsDistance, distance, measured_statistics
from fieldguide.recipes.networks.images import Images

MOST = 500
"""Photos whose features are compared by depth."""
SHRINKAGE = 0.8
"""The one that the preset `fast` takes without a search."""
LOOKED_AT, FEWEST_LOOKED_AT = 64, 16
"""Photos whose activations are measured, at most and at least."""
UNLIKE = 0.16
"""Nats a channel from which on photos are unlike what the network knows: of everyday photos they are 0.06 to
0.14, of scans, hand signs and letters 0.18 and more (docs/log.md)."""
LATE, CLEARLY = 2, 0.1
"""Unless a stage before so many last ones has a log loss lower by such a share, late layers know what photos
show."""


@dataclass(frozen=True)
class DepthEvidence:
    """What a linear head reaches on the features of each stage alone, on photos that it had not seen."""

    images: int
    stages: tuple[str, ...]
    """From early to late."""
    accuracies: tuple[float, ...]
    log_losses: tuple[float, ...]

    @property
    def best(self) -> int:
        """The stage with the lowest log loss."""
        return int(np.argmin(self.log_losses))

    @property
    def best_is_early(self) -> bool:
        """Whether the last stages are clearly worse than one before them."""
        early, late = self.log_losses[:-LATE], self.log_losses[-LATE:]
        return bool(early) and min(early) < (1 - CLEARLY) * min(late)

    def sentence(self) -> str:
        """The first, the best and the last stage."""
        places = sorted({0, self.best, len(self.stages) - 1})
        said = [
            f"{self.stages[place]} {self.accuracies[place]:.3f} and {self.log_losses[place]:.3f}"
            + (" (the lowest)" if place == self.best else "")
            for place in places
        ]
        return (
            f"evidence by depth: of {self.images} images that it had not seen, a linear head on one stage's "
            f"features has an accuracy and a log loss of {', '.join(said)}"
        )


@dataclass(frozen=True)
class TransferEvidence:
    """What was found; None where there was nothing to measure it by."""

    depth: DepthEvidence | None
    statistics: StatisticsDistance | None

    @property
    def unlike(self) -> bool | None:
        """Whether the photos are unlike what the network knows; None where nothing was found."""
        if self.depth is None and self.statistics is None:
            return None
        far = self.statistics is not None and self.statistics.nats >= UNLIKE
        return far or (self.depth is not None and self.depth.best_is_early)

    def sentences(self) -> tuple[str, ...]:
        """What was found, in numbers."""
        found = () if self.depth is None else (self.depth.sentence(),)
        if self.statistics is None:
            return found
        return (*found, _statistics_sentence(self.statistics))


def _statistics_sentence(found: StatisticsDistance) -> str:
    return (
        f"evidence by batch normalisation: over {found.images} images means in its {found.layers} layers "
        f"lie {found.means:.2f} standard deviations from those that they came with, and variances differ by "
        f"a factor of {found.variances:.1f} ({found.nats:.2f} nats a channel; {UNLIKE:g} and more are unlike)"
    )


def evidence_of(start: Start, images: Images, looked_at: int, seed: int) -> TransferEvidence:
    """Look at the probe's features by depth, and at the activations of a few photos.

    Parameters
    ----------
    start
        The probe of the images learned from; of tags its features are not compared by depth.
    images
        Whose images to learn from are looked at.
    looked_at
        How many are passed through the network; fewer than :data:`FEWEST_LOOKED_AT` are not.
    seed
        Which of them.
    """
    depth = None if start.tags is not None else by_depth(start.table, start.backbone.depths, seed)
    enough = min(looked_at, len(images.learn)) >= FEWEST_LOOKED_AT
    return TransferEvidence(depth, by_statistics(start, images, looked_at, seed) if enough else None)


def by_depth(table: TrainingTable, depths: tuple[tuple[str, int], ...], seed: int) -> DepthEvidence | None:
    """Compare heads on the features of each stage; None where there is one stage, or no fold knows a class.

    Parameters
    ----------
    table
        Features, labels and folds.
    depths
        Name and width of each part of the features, from early to late.
    seed
        Of the sample, where there are more than :data:`MOST` images.
    """
    rows = some_rows(len(table.labels), MOST, seed)
    stages = columns_of_stages(depths)
    if len(stages) < 2:
        return None
    found = [judged(table, rows, columns) for columns in stages.values()]
    if found[0] is None:
        return None
    losses, right = zip(*(some for some in found if some is not None), strict=True)
    return DepthEvidence(
        len(losses[0]),
        tuple(stages),
        tuple(float(some.mean()) for some in right),
        tuple(float(some.mean()) for some in losses),
    )


def columns_of_stages(depths: tuple[tuple[str, int], ...]) -> Mapping[str, NDArray[np.int64]]:
    """Columns of the features of each stage, from early to late.

    Examples
    --------
    >>> found = columns_of_stages((("blocks.3.0:mean", 2), ("blocks.3.1:max", 1), ("final", 2)))
    >>> {name: columns.tolist() for name, columns in found.items()}
    {'blocks.3': [0, 1, 2], 'final': [3, 4]}
    """
    found: dict[str, list[int]] = {}
    first = 0
    for name, width in depths:
        stage = ".".join(name.partition(":")[0].split(".")[:2])
        found.setdefault(stage, []).extend(range(first, first + width))
        first += width
    return {stage: np.array(columns, dtype=np.int64) for stage, columns in found.items()}


def judged(
    table: TrainingTable, rows: NDArray[np.int64], columns: NDArray[np.int64] | slice = slice(None)
) -> tuple[NDArray[np.float64], NDArray[np.bool_]] | None:
    """Log losses of images out of fold, calibrated, and which are right, on some features; None of none."""
    labels = table.labels[rows]
    own = TrainingTable.of(np.asarray(table.vectors[rows][:, columns], np.float32), labels, table.folds[rows])
    if len(np.unique(own.folds)) < 2:
        return None
    scores = discriminant(own).out_of_fold((SHRINKAGE,), np.arange(len(rows)))[0].astype(np.float64)
    known = np.isfinite(scores[np.arange(len(rows)), labels])
    if not known.any():
        return None
    scores, labels = scores[known], labels[known]
    even = np.full(own.n_classes, 1 / own.n_classes)
    answers = calibration.calibrate(scores, labels, even).probabilities(scores)
    losses = -np.log(np.maximum(answers[np.arange(len(labels)), labels], 1e-12))
    return losses, np.asarray(answers.argmax(1) == labels)


def by_statistics(start: Start, images: Images, most: int, seed: int) -> StatisticsDistance | None:
    """Measure how far what `most` photos make of the network's layers is from what these came with."""
    tapped = tapped_of(start)
    rows = images.learn[some_rows(len(images.learn), most, seed)]

    def run() -> int:
        return sum(len(part) for part in passed_through(tapped, images, rows))

    return distance(tapped.network, *measured_statistics(tapped.network, run))


def some_rows(count: int, most: int, seed: int) -> NDArray[np.int64]:
    """Draw at most so many rows, growing."""
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, most, replace=False))
