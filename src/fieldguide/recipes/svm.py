"""`svm`: a support vector machine on edges, texture and colour, without any pretrained network.

photos → features (`classical`) → groups of near-duplicates → folds that keep groups together
       → width of the kernel and C by cross-validation → out-of-fold scores
       → temperature, prediction-set threshold and reference distances from these
       → machine fitted to all images
"""

import dataclasses
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np

from fieldguide.backbones.exported import ExportedBackbone
from fieldguide.data.dataset import Dataset
from fieldguide.errors import OptionError
from fieldguide.heads import calibration
from fieldguide.heads.kernel_machine import KernelProblem, Kind, Labels, Machine, Scaling, scaling
from fieldguide.heads.onnx_heads import machine_model
from fieldguide.heads.ridge import TagTable
from fieldguide.heads.support_vectors import Products
from fieldguide.heads.tag_promises import fit_curves, log_loss
from fieldguide.heads.training_table import FloatArray, IntArray, TrainingTable
from fieldguide.progress import Progress, silent
from fieldguide.recipes.classical_features import (
    Learning,
    ScoredClassifier,
    body,
    check_known,
    fit_classical,
    learned_rows,
    sample,
    scored,
)
from fieldguide.recipes.common import Fitted, Options, Run, number_option
from fieldguide.tasks.tags import PRESENT
from fieldguide.tasks.task import EITHER

__all__ = ["OPTIONS", "PRESETS", "SEARCH", "SUMMARY", "TASKS", "body", "fit"]

SUMMARY = "edges, texture and colour, support vector machine: nothing pretrained, for signs, textures, parts"
OPTIONS = frozenset({"cost", "gamma"})
"""`cost`: what an image on the wrong side costs (C), more than 0; `gamma`: width of the kernel
exp(-gamma d²), where the mean d² of two images is 1, or 0 for a linear machine. What is not given is chosen
from a few."""
TASKS = EITHER
"""What it learns: one label a photo, or any number of tags."""
SEARCH: dict[str, dict[str, Any]] = {
    "cost": {"low": 0.1, "high": 30.0, "log": True},
    "gamma": {"low": 0.2, "high": 4.0, "log": True},
}
"""What :func:`fieldguide.experiments.tune.tune` may vary, by the names of settings."""
MOST_EXACT = 5000
"""Images up to which a machine compares new images with any of them: all pairs fit into memory. With more it
compares them with landmarks."""
CHOOSING = 3000
"""Images that width and C are chosen with; more would cost more than the final machine."""
STAGE = "support vector machines"
"""What progress calls their fitting."""
WEIGHTS = (2.0, 1.0, 0.35, 0.35, 0.35, 1.0)
"""Share of each part of the features (edges twice, texture twice, colours, moments) in a distance."""


@dataclass(frozen=True)
class SvmPreset:
    """What a preset means for this recipe."""

    kinds: tuple[tuple[float | None, tuple[float, ...]], ...]
    """Candidates: a kernel's width (None: linear) and the costs tried with it."""
    landmarks: int
    """Images that a machine of more than :data:`MOST_EXACT` compares new ones with."""


PRESETS = {
    "fast": SvmPreset(((1.5, (4.0,)),), 2000),
    "balanced": SvmPreset(tuple((gamma, (1.0, 4.0)) for gamma in (0.7, 1.5, 3.0)), 4000),
    "best": SvmPreset(tuple((gamma, (1.0, 4.0, 16.0)) for gamma in (0.35, 0.7, 1.5, 3.0)), 4000),
}
LINEAR_COSTS = (0.1, 1.0, 10.0)
"""Costs tried with a linear machine, which is fitted only where `gamma` 0 asks for it: on all data sets tried
the presets' kernels were better (docs/log.md)."""


def fit(dataset: Dataset, options: Options, run: Run) -> Fitted:
    """Learn from a data set.

    Parameters
    ----------
    dataset
        Training images only.
    options
        Preset and seed; the settings are :data:`OPTIONS`.
    run
        Cache and progress.

    Raises
    ------
    DataError
        If without the refused images there are not two classes, or no class has two separate images.
    OptionError
        If the preset is unknown, a backbone is asked for, or an option is out of range.
    """
    fitted = fit_classical(dataset, options, run, learner(options, run))
    return dataclasses.replace(fitted, made_with=("scikit-learn",))


def learner(options: Options, run: Run) -> Learning:
    """What the recipe makes of a table of features.

    Raises
    ------
    OptionError
        If the preset is unknown, or an option is out of range.
    """
    if options.preset not in PRESETS:
        raise OptionError(f"preset: must be one of {', '.join(PRESETS)}; got {options.preset!r}")
    preset = _as_asked(PRESETS[options.preset], options)

    def learn(table: TrainingTable, network: ExportedBackbone, held: IntArray) -> ScoredClassifier:
        scaled = scaling(table, network.depths, WEIGHTS)
        known = _Known(table.labels, table.n_classes, partial(_label_loss, table))
        return _Learning(table, known, scaled, preset, options.seed, run.progress).run(held)

    def learn_tags(tags: TagTable, network: ExportedBackbone, held: IntArray) -> ScoredClassifier:
        check_known("svm", tags)
        scaled = scaling(tags.table, network.depths, WEIGHTS)
        shown = tags.indicators == PRESENT
        known = _Known(shown, shown.shape[1], partial(_tag_loss, tags))
        return _Learning(tags.table, known, scaled, preset, options.seed, run.progress).run(held)

    return Learning(learn, learn_tags)


def _as_asked(preset: SvmPreset, options: Options) -> SvmPreset:
    """The preset, with the candidates that the settings leave."""
    kinds = preset.kinds
    gamma = number_option(options, "gamma", least=0.0, least_is_allowed=True)
    if gamma is not None:
        costs = tuple(sorted({cost for _, several in kinds for cost in several}))
        kinds = ((gamma, costs),) if gamma else ((None, LINEAR_COSTS),)
    cost = number_option(options, "cost", least=0.0)
    if cost is not None:
        kinds = tuple((kernel, (cost,)) for kernel, _ in kinds)
    return SvmPreset(kinds, preset.landmarks)


class _Machines(Protocol):
    """A way to fit machines to rows of a table."""

    def scores(self, kind: Kind, rows: IntArray, held: IntArray) -> FloatArray:
        """Scores of the held rows by a machine fitted to others, of shape (n_held, n_classes)."""

    def machine(self, kind: Kind, rows: IntArray) -> Machine:
        """The machine fitted to some rows."""


@dataclass(frozen=True)
class _Exact:
    """Every image may support a machine."""

    rows: IntArray
    """Rows of the table that `products` knows, growing."""
    products: Products

    def scores(self, kind: Kind, rows: IntArray, held: IntArray) -> FloatArray:
        vectors = self.products.fit(np.searchsorted(self.rows, rows), kind)
        return self.products.scores(vectors, np.searchsorted(self.rows, held))

    def machine(self, kind: Kind, rows: IntArray) -> Machine:
        return self.products.machine(self.products.fit(np.searchsorted(self.rows, rows), kind))


@dataclass(frozen=True)
class _Known:
    """What images are known to show."""

    labels: Labels
    """Class numbers, or which tags they have."""
    count: int
    """Classes or tags."""
    loss: Callable[[FloatArray, IntArray], float]
    """Of out-of-fold scores of some rows, once calibrated."""


def _label_loss(table: TrainingTable, scores: FloatArray, rows: IntArray) -> float:
    labels = table.labels[rows]
    known = np.isfinite(scores[np.arange(len(rows)), labels])
    return calibration.calibrate(scores[known].astype(np.float64), labels[known], table.shares).loss


def _tag_loss(tags: TagTable, scores: FloatArray, rows: IntArray) -> float:
    own = tags.indicators[rows]
    return log_loss(fit_curves(scores, own).probabilities(scores), own)


@dataclass(frozen=True)
class _ByLandmarks:
    """A drawn few stand for all images."""

    table: TrainingTable
    known: _Known
    scaling: Scaling
    landmarks: int
    seed: int

    def scores(self, kind: Kind, rows: IntArray, held: IntArray) -> FloatArray:
        machine = self.machine(kind, rows)
        return scored(lambda features: machine.scores(self.scaling(features)), self.table, held)

    def machine(self, kind: Kind, rows: IntArray) -> Machine:
        features = self.scaling(self.table.vectors[rows])
        landmarks = sample(np.arange(len(rows)), self.landmarks, self.seed)
        problem = KernelProblem(features, self.known.labels[rows], self.known.count, landmarks)
        return problem.fit(kind)


@dataclass(frozen=True)
class _Learning:
    """One table, from the choice of a machine to that machine."""

    table: TrainingTable
    known: _Known
    scaling: Scaling
    preset: SvmPreset
    seed: int
    progress: Progress = silent

    def run(self, held: IntArray) -> ScoredClassifier:
        count = len(self.table.labels)
        rows, summary = learned_rows(self.table, self.seed)
        drawn = sample(rows, CHOOSING, self.seed)
        exact = self._exact(np.arange(count) if count <= MOST_EXACT else drawn)
        final: _Machines = exact if count <= MOST_EXACT else self._by_landmarks()
        kinds = [Kind(cost, gamma) for gamma, costs in self.preset.kinds for cost in costs]
        fitted = self._counter(len(kinds) + (len(drawn) < count))
        trials = {kind: self._out_of_fold(exact, kind, drawn, drawn, fitted) for kind in kinds}
        kind, why = self._chosen(trials, drawn)
        if len(drawn) == count:  # the choice has answered all images out of fold already
            scores = trials[kind][held]
        else:
            scores = self._out_of_fold(final, kind, rows, held, fitted)
        model = machine_model(final.machine(kind, rows), self.scaling)
        fitted()
        return ScoredClassifier(scores, model, (*summary, why))

    def _exact(self, rows: IntArray) -> _Exact:
        features = self.scaling(self.table.vectors[rows])
        return _Exact(rows, Products.of(features, self.known.labels[rows], self.known.count))

    def _by_landmarks(self) -> _ByLandmarks:
        return _ByLandmarks(self.table, self.known, self.scaling, self.preset.landmarks, self.seed)

    def _counter(self, rounds: int) -> Callable[[], None]:
        """Tells of a machine fitted, whenever it is called: one a fold in every round, and the final one."""
        done, total = itertools.count(1), rounds * len(np.unique(self.table.folds)) + 1
        self.progress(STAGE, 0, total)
        return lambda: self.progress(STAGE, next(done), total)

    def _chosen(self, trials: dict[Kind, FloatArray], rows: IntArray) -> tuple[Kind, str]:
        """The kind of machine whose calibrated out-of-fold probabilities suit the labels best."""
        losses = {kind: self.known.loss(scores, rows) for kind, scores in trials.items()}
        chosen = min(losses, key=losses.__getitem__)
        tried = "; ".join(f"{kind}: {loss:.3f}" for kind, loss in losses.items())
        why = "the only one tried" if len(losses) == 1 else "lowest cross-validated log loss"
        return chosen, f"machine: {chosen}: {why} ({tried})"

    def _out_of_fold(
        self, machines: _Machines, kind: Kind, rows: IntArray, held: IntArray, fitted: Callable[[], None]
    ) -> FloatArray:
        """Scores of the held rows by machines that learned from `rows` without their fold."""
        folds = self.table.folds
        scores = np.empty((len(held), self.known.count), dtype=np.float32)
        for fold in np.unique(folds[held]):
            hold = np.flatnonzero(folds[held] == fold)
            scores[hold] = machines.scores(kind, rows[folds[rows] != fold], held[hold])
            fitted()
        return scores
