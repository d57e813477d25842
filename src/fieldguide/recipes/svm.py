"""`svm`: a support vector machine on edges, texture and colour, without any pretrained network.

photos → features (`classical`) → groups of near-duplicates → folds that keep groups together
       → kernel, width and C by cross-validation → out-of-fold scores
       → temperature, prediction-set threshold and reference distances from these
       → machine fitted to all images
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fieldguide import calibration
from fieldguide.backbone_export import ExportedBackbone
from fieldguide.classical_heads import machine_model
from fieldguide.dataset import Dataset
from fieldguide.discriminant import FloatArray, IntArray, Table
from fieldguide.errors import OptionError
from fieldguide.kernel_machine import Kind, Machine, Problem, Scaling, scaling
from fieldguide.recipes.classical import Classifier, body, fit_classical, learned_rows, sample, scored
from fieldguide.recipes.common import Fitted, Setting

__all__ = ["OPTIONS", "PRESETS", "SUMMARY", "body", "fit"]

SUMMARY = "edges, texture and colour, support vector machine: nothing pretrained, for signs, textures, parts"
OPTIONS: frozenset[str] = frozenset()
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
        If the preset is unknown, or a backbone is asked for.
    """
    if setting.preset not in PRESETS:
        raise OptionError(f"preset: must be one of {', '.join(PRESETS)}; got {setting.preset!r}")
    preset = PRESETS[setting.preset]

    def learn(table: Table, network: ExportedBackbone, held: IntArray) -> Classifier:
        return _Learning(table, scaling(table, network.depths, WEIGHTS), preset, setting.seed).run(held)

    return fit_classical(dataset, setting, learn)


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
        return chosen, f"machine: {chosen}: lowest cross-validated log loss ({tried})"

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
