"""What the recipes on classical features share: the features, and promises from out-of-fold scores."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray

from fieldguide.backbones.classical.export import SIZE, export_classical
from fieldguide.backbones.exported import ExportedBackbone
from fieldguide.data.dataset import Dataset
from fieldguide.errors import DataError, OptionError
from fieldguide.heads.linear_head import as_ranking, fit_distance, held_out_sample
from fieldguide.heads.onnx_heads import with_promises
from fieldguide.heads.promises import promise
from fieldguide.heads.ridge import TagTable
from fieldguide.heads.tag_promises import promise_tags
from fieldguide.heads.training_table import BLOCK, FloatArray, IntArray, TrainingTable
from fieldguide.modelfile.graph import scored_head_model
from fieldguide.recipes.common import Fitted, LearnedHead, Options, OutOfFold, Run
from fieldguide.recipes.labelled_features import LabelledFeatures, card_of, learn_from, shares_summary
from fieldguide.recipes.tagged_features import TaggedFeatures, learn_tags_from, tags_summary
from fieldguide.tasks.tags import NOT_KNOWN
from fieldguide.tasks.task import Task

MOST_LEARNED = 40_000
"""Images that a classifier learns from: so many features fit into half a gigabyte."""


@dataclass(frozen=True)
class ScoredClassifier:
    """What a recipe makes of a table of features."""

    scores: FloatArray
    """Out-of-fold scores of the held-out rows, of shape (n_held, n_classes); minus infinity where a class was
    not there to learn from."""
    model: onnx.ModelProto
    """From `features` to `scores`, fitted to all images."""
    choices: tuple[str, ...]
    """A sentence for each automatic choice."""


Learn = Callable[[TrainingTable, ExportedBackbone, IntArray], ScoredClassifier]
"""From a table, where its features come from and the rows that must be answered out of fold."""
LearnTags = Callable[[TagTable, ExportedBackbone, IntArray], ScoredClassifier]
"""The same for tags."""


@dataclass(frozen=True)
class Learning:
    """How a recipe learns from a table of features."""

    labels: Learn
    """Single labels."""
    tags: LearnTags | None = None
    """Tags; None where the recipe learns none."""


def fit_classical(
    dataset: Dataset, options: Options, run: Run, learning: Learning, network: ExportedBackbone | None = None
) -> Fitted:
    """Compute features, have a classifier learn from them, and derive its promises.

    Parameters
    ----------
    dataset, options, run
        As for every recipe.
    learning
        Makes a classifier of the features.
    network
        What computes the features; None takes :func:`body`.

    Raises
    ------
    DataError
        If without the refused images there are not two classes, or no class has two separate images.
    OptionError
        If a backbone is asked for.
    """
    started = time.perf_counter()
    network = network or body(options, run)
    prepared = time.perf_counter()
    learned = (learn_tags_from if dataset.task is Task.MULTIPLE else learn_from)(
        dataset, network, options, run
    )
    extracted = time.perf_counter()
    run.progress("head", 0, 1)
    if isinstance(learned, TaggedFeatures):
        assert learning.tags is not None, "a recipe that learns no tags is given none"
        found = _tags(learned, network, options, learning.tags)
    else:
        found = _labels(learned, network, options, learning.labels)
    run.progress("head", 1, 1)
    return Fitted(
        body=network,
        head=found.head,
        preprocessing=network.preprocessing,
        classes=learned.classes,
        backbone=card_of(network),
        set_threshold=found.set_threshold,
        class_set_thresholds=found.class_set_thresholds,
        tag_thresholds=found.tag_thresholds,
        out_of_fold=found.out_of_fold,
        used=len(learned.kept),
        fingerprint=learned.fingerprint,
        digests=learned.features.digests,
        refused=learned.features.refused,
        side=learned.side(),
        choices=(
            f"features: edges, texture and colour computed from {SIZE} × {SIZE} pixels, nothing pretrained",
            learned.folding,
            *found.choices,
        ),
        seconds={
            "backbone": prepared - started,
            "features": extracted - prepared,
            "head": time.perf_counter() - extracted,
        },
    )


def _labels(
    learned: LabelledFeatures, network: ExportedBackbone, options: Options, learn: Learn
) -> LearnedHead:
    table = learned.table()
    held = held_out_sample(len(table.labels), table.n_classes, options.seed)
    classifier = learn(table, network, held)
    distance, distances = fit_distance(table, network.depths, held, options.seed)
    promises = promise([classifier.scores], table.labels[held], table.shares, distances)
    judged, calibrated = held[promises.known], promises.calibrated
    head = scored_head_model(
        distance,
        network.features,
        calibrated.temperature,
        calibrated.log_priors,
        ranking=as_ranking(promises.ranking),
    )
    rows, truth = learned.features.rows[judged], table.labels[judged]
    return LearnedHead(
        with_promises(classifier.model, head),
        promises.set_threshold,
        OutOfFold(rows, truth, promises.probabilities, promises.typicality),
        (
            *classifier.choices,
            *promises.summary(),
            shares_summary(learned.kept.labels, promises.uses_shares),
        ),
        class_set_thresholds=promises.class_thresholds,
    )


def _tags(
    learned: TaggedFeatures, network: ExportedBackbone, options: Options, learn: LearnTags
) -> LearnedHead:
    tags = learned.table()
    held = held_out_sample(len(tags.folds), tags.indicators.shape[1], options.seed)
    classifier = learn(tags, network, held)
    distance, distances = fit_distance(tags.table, network.depths, held, options.seed)
    promises = promise_tags([classifier.scores], tags.indicators[held], distances)
    curves = promises.curves
    head = scored_head_model(distance, network.features, 1 / curves.slopes, curves.intercepts, Task.MULTIPLE)
    rows, truth = learned.features.rows[held], tags.indicators[held]
    return LearnedHead(
        with_promises(classifier.model, head),
        promises.set_threshold,
        OutOfFold(rows, truth, promises.probabilities, promises.typicality),
        (*classifier.choices, *promises.summary(), tags_summary(learned.tags, learned.classes)),
        promises.thresholds,
    )


def body(options: Options, run: Run) -> ExportedBackbone:
    """The network that computes the features.

    Raises
    ------
    OptionError
        If a backbone or weights are asked for.
    """
    if options.backbone is not None or options.weights is not None:
        raise OptionError(
            "backbone: this recipe computes its features and has none; leave it out, or take the recipe "
            "linear-probe"
        )
    return export_classical()


def check_known(recipe: str, tags: TagTable) -> None:
    """See that it is known of every photo whether it has each tag.

    Raises
    ------
    DataError
        If it is not.
    """
    if (tags.indicators == NOT_KNOWN).any():
        raise DataError(
            f"recipe {recipe}: must know of every photo and tag, got some that are not known; take the "
            "recipe linear-probe, which leaves these out"
        )


def learned_rows(table: TrainingTable, seed: int) -> tuple[IntArray, tuple[str, ...]]:
    """Rows to learn from, growing: all, or :data:`MOST_LEARNED` of them and a sentence that says so."""
    rows = sample(np.arange(len(table.labels)), MOST_LEARNED, seed)
    if len(rows) == len(table.labels):
        return rows, ()
    return rows, (
        f"learned from {len(rows):,} of {len(table.labels):,} images, drawn by seed to save memory",
    )


def sample(rows: IntArray, most: int, seed: int) -> IntArray:
    """At most so many of the rows, growing; at least one of every class is not promised."""
    if len(rows) <= most:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))


def scored(
    score: Callable[[NDArray[np.float32]], FloatArray], table: TrainingTable, rows: IntArray
) -> FloatArray:
    """Score rows of a table, a block at a time, by their features as they come."""
    blocks = [
        score(np.asarray(table.vectors[rows[start : start + BLOCK]], dtype=np.float32))
        for start in range(0, len(rows), BLOCK)
    ]
    return np.concatenate(blocks)
