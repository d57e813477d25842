"""`svm`: a support vector machine on edges, texture and colour, without any pretrained network.

photos → features (`classical`) → groups of near-duplicates → folds that keep groups together
       → kernel, width and C by cross-validation → out-of-fold scores
       → temperature, prediction-set threshold and reference distances from these
       → machine fitted to all images
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fieldguide import calibration
from fieldguide.backbone_export import ExportedBackbone
from fieldguide.classical_heads import machine_model
from fieldguide.dataset import Dataset
from fieldguide.discriminant import FloatArray, IntArray, Table
from fieldguide.errors import OptionError
from fieldguide.kernel_machine import Kind, Machine, Problem, Scaling, scaling
from fieldguide.recipes.classical import Classifier, body, fit_classical, learned_rows, sample, scored
from fieldguide.recipes.common import Fitted, Setting, number_option

__all__ = ["OPTIONS", "PRESETS", "SEARCH", "SUMMARY", "body", "fit"]

SUMMARY = "edges, texture and colour, support vector machine: nothing pretrained, for signs, textures, parts"
OPTIONS = frozenset({"cost", "gamma"})
"""`cost`: what an image on the wrong side costs (C), more than 0; `gamma`: width of the kernel
exp(-gamma d²), where the mean d² of two images is 1, or 0 for a linear machine. What is not given is chosen
from a few."""
SEARCH: dict[str, dict[str, Any]] = {
    "cost": {"low": 0.1, "high": 30.0, "log": True},
    "gamma": {"low": 0.2, "high": 4.0, "log": True},
}
"""What :func:`fieldguide.tune.tune` may vary, by the names of options."""
CHOOSING = 3000
"""Images that kernel, width and C are chosen with; their machines cost more than the final one."""
WEIGHTS = (2.0, 1.0, 0.35, 0.35, 0.35, 1.0)
"""Share of each part of the features (edges twice, texture twice, colours, moments) in a distance."""


@dataclass(frozen=True)
class Preset:
    """What a preset means for this recipe."""

    kinds: tuple[tuple[float | None, tuple[float, ...]], ...]
    """Candidates: a kernel's width (None: linear) and the costs tried with it."""
    landmarks: int = 0
    """Images that a kernel machine compares new ones with."""


_LINEAR = (None, (0.3, 3.0))
PRESETS = {
    "fast": Preset((_LINEAR,)),
    "balanced": Preset((_LINEAR, (0.7, (1.0, 4.0)), (1.5, (1.0, 4.0))), 2000),
    "best": Preset((_LINEAR, *((gamma, (0.5, 2.0, 8.0)) for gamma in (0.35, 0.7, 1.5, 3.0))), 4000),
}


def fit(dataset: Dataset, setting: Setting) -> Fitted:
    """Learn from a data set.

    Parameters
    ----------
    dataset
        Training images only.
    setting
        Preset, seed, cache and progress.

    Raises
    ------
    DataError
        If without the refused images there are not two classes, or no class has two separate images.
    OptionError
        If the preset is unknown, a backbone is asked for, or an option is out of range.
    """
    if setting.preset not in PRESETS:
        raise OptionError(f"preset: must be one of {', '.join(PRESETS)}; got {setting.preset!r}")
    preset = _as_asked(PRESETS[setting.preset], setting)

    def learn(table: Table, network: ExportedBackbone, held: IntArray) -> Classifier:
        return _Learning(table, scaling(table, network.depths, WEIGHTS), preset, setting.seed).run(held)

    return fit_classical(dataset, setting, learn)


def _as_asked(preset: Preset, setting: Setting) -> Preset:
    """The preset, with the candidates that the options leave."""
    kinds, landmarks = preset.kinds, preset.landmarks
    gamma = number_option(setting, "gamma", least=0.0, least_is_allowed=True)
    if gamma is not None:
        costs = tuple(sorted({cost for _, several in kinds for cost in several}))
        kinds, landmarks = ((gamma or None, costs),), landmarks or PRESETS["balanced"].landmarks
    cost = number_option(setting, "cost", least=0.0)
    if cost is not None:
        kinds = tuple((kernel, (cost,)) for kernel, _ in kinds)
    return Preset(kinds, landmarks)


@dataclass(frozen=True)
class _Learning:
    """One table, from the choice of a machine to that machine."""

    table: Table
    scaling: Scaling
    preset: Preset
    seed: int

    def run(self, held: IntArray) -> Classifier:
        rows, told = learned_rows(self.table, self.seed)
        kind, why = self._choose(sample(rows, CHOOSING, self.seed))
        ((_, scores),) = self._out_of_fold(rows, held, kind.gamma, (kind.cost,))
        (machine,) = self._fitted(rows, kind.gamma, (kind.cost,))
        return Classifier(scores, machine_model(machine, self.scaling), (*told, why))

    def _choose(self, rows: IntArray) -> tuple[Kind, str]:
        """The kind of machine whose calibrated out-of-fold probabilities suit the labels best."""
        shares = np.bincount(self.table.labels, minlength=self.table.n_classes) / len(self.table.labels)
        losses: dict[Kind, float] = {}
        for gamma, costs in self.preset.kinds:
            for kind, scores in self._out_of_fold(rows, rows, gamma, costs):
                labels = self.table.labels[rows]
                known = np.isfinite(scores[np.arange(len(rows)), labels])
                trial = calibration.calibrate(scores[known].astype(np.float64), labels[known], shares)
                losses[kind] = trial.loss
        chosen = min(losses, key=losses.__getitem__)
        tried = "; ".join(f"{kind}: {loss:.3f}" for kind, loss in losses.items())
        why = "the only one tried" if len(losses) == 1 else "lowest cross-validated log loss"
        return chosen, f"machine: {chosen}: {why} ({tried})"

    def _out_of_fold(
        self, rows: IntArray, held: IntArray, gamma: float | None, costs: tuple[float, ...]
    ) -> list[tuple[Kind, FloatArray]]:
        """Scores of the held rows by machines that learned from `rows` without their fold."""
        folds = self.table.folds
        scores = np.empty((len(costs), len(held), self.table.n_classes), dtype=np.float32)
        for fold in np.unique(folds[held]):
            hold = np.flatnonzero(folds[held] == fold)
            for number, machine in enumerate(self._fitted(rows[folds[rows] != fold], gamma, costs)):
                scores[number, hold] = scored(self._scorer(machine), self.table, held[hold])
        return [(Kind(cost, gamma), scores[number]) for number, cost in enumerate(costs)]

    def _fitted(self, rows: IntArray, gamma: float | None, costs: tuple[float, ...]) -> list[Machine]:
        features = self.scaling(self.table.vectors[rows])
        landmarks = sample(np.arange(len(rows)), self.preset.landmarks, self.seed)
        problem = Problem(features, self.table.labels[rows], self.table.n_classes, landmarks)
        return problem.fit(gamma, costs)

    def _scorer(self, machine: Machine) -> Callable[[FloatArray], FloatArray]:
        return lambda features: machine.scores(self.scaling(features))
