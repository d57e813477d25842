"""What the recipes on classical features share: the features, and promises from out-of-fold scores."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray

from fieldguide import calibration
from fieldguide.backbone_export import ExportedBackbone
from fieldguide.classical import export_classical
from fieldguide.classical_heads import with_promises
from fieldguide.dataset import Dataset
from fieldguide.discriminant import BLOCK, FloatArray, IntArray, Table
from fieldguide.errors import OptionError
from fieldguide.graph import scored_head_model
from fieldguide.probe import COVERAGE, fit_distance, held_out_sample, told_promises
from fieldguide.recipes.common import Fitted, OutOfFold, Setting
from fieldguide.recipes.material import card_of, learn_from, told_shares

MOST_LEARNED = 40_000
"""Images that a classifier learns from: so many features fit into half a gigabyte."""


@dataclass(frozen=True)
class Classifier:
    """What a recipe makes of a table of features."""

    scores: FloatArray
    """Out-of-fold scores of the held-out rows, of shape (n_held, n_classes); minus infinity where a class was
    not there to learn from."""
    model: onnx.ModelProto
    """From `features` to `scores`, fitted to all images."""
    choices: tuple[str, ...]
    """A sentence for each automatic choice."""


Learn = Callable[[Table, ExportedBackbone, IntArray], Classifier]
"""From a table, where its features come from and the rows that must be answered out of fold."""


def fit_classical(dataset: Dataset, setting: Setting, learn: Learn) -> Fitted:
    """Compute features, have a classifier learn from them, and derive its promises.

    Raises
    ------
    DataError
        If without the refused images there are not two classes, or no class has two separate images.
    OptionError
        If a backbone is asked for.
    """
    started = time.perf_counter()
    network = body(setting)
    prepared = time.perf_counter()
    learned = learn_from(dataset, network, setting)
    extracted = time.perf_counter()
    setting.progress("head", 0, 1)
    table = learned.table()
    held = held_out_sample(len(table.labels), table.n_classes, setting.seed)
    classifier = learn(table, network, held)
    known = np.isfinite(classifier.scores[np.arange(len(held)), table.labels[held]])
    judged, scores = held[known], classifier.scores[known].astype(np.float64)
    calibrated = calibration.calibrate(scores, table.labels[judged], table.shares)
    probabilities = calibrated.probabilities(scores)
    distance, distances = fit_distance(table, network.depths, held, setting.seed)
    truth = probabilities[np.arange(len(judged)), table.labels[judged]]
    typicality = calibration.own_typicality(distances)[known]
    head = scored_head_model(distance, network.features, calibrated.temperature, calibrated.log_priors)
    setting.progress("head", 1, 1)
    side = network.preprocessing.size
    return Fitted(
        body=network,
        head=with_promises(classifier.model, head),
        preprocessing=network.preprocessing,
        classes=learned.classes,
        backbone=card_of(network),
        set_threshold=calibration.set_threshold(truth, COVERAGE),
        out_of_fold=OutOfFold(learned.features.rows[judged], table.labels[judged], probabilities, typicality),
        used=len(learned.kept),
        fingerprint=learned.fingerprint,
        refused=learned.features.refused,
        side=learned.side(),
        choices=(
            f"features: edges, texture and colour computed from {side} × {side} pixels, nothing pretrained",
            learned.folding,
            *classifier.choices,
            *told_promises(calibrated, len(distances)),
            told_shares(learned.kept.labels, bool(calibrated.log_priors.any())),
        ),
        seconds={
            "backbone": prepared - started,
            "features": extracted - prepared,
            "head": time.perf_counter() - extracted,
        },
    )


def body(setting: Setting) -> ExportedBackbone:
    """The network that computes the features.

    Raises
    ------
    OptionError
        If a backbone or weights are asked for.
    """
    if setting.backbone is not None or setting.weights is not None:
        raise OptionError(
            "backbone: this recipe computes its features and has none; leave it out, or take the recipe "
            "linear-probe"
        )
    return export_classical(progress=setting.progress)


def learned_rows(table: Table, seed: int) -> tuple[IntArray, tuple[str, ...]]:
    """Rows to learn from, growing: all, or :data:`MOST_LEARNED` of them and a sentence that says so."""
    rows = sample(np.arange(len(table.labels)), MOST_LEARNED, seed)
    if len(rows) == len(table.labels):
        return rows, ()
    return rows, (f"learned from {len(rows):,} of {len(table.labels):,} images, drawn by seed: memory",)


def sample(rows: IntArray, most: int, seed: int) -> IntArray:
    """At most so many of the rows, growing; at least one of every class is not promised."""
    if len(rows) <= most:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))


def scored(score: Callable[[NDArray[np.float32]], FloatArray], table: Table, rows: IntArray) -> FloatArray:
    """Score rows of a table, a block at a time, by their features as they come."""
    blocks = [
        score(np.asarray(table.vectors[rows[start : start + BLOCK]], dtype=np.float32))
        for start in range(0, len(rows), BLOCK)
    ]
    return np.concatenate(blocks)
