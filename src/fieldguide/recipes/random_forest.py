"""`random-forest`: randomised trees on edges, texture and colour, without any pretrained network.

photos → features (`classical`) → groups of near-duplicates → folds that keep groups together
       → out-of-fold scores of forests without each fold
       → temperature, prediction-set threshold and reference distances from these
       → forest grown from all images
"""

from typing import Any

import numpy as np

from fieldguide.backbone_export import ExportedBackbone
from fieldguide.classical_heads import forest_model
from fieldguide.dataset import Dataset
from fieldguide.discriminant import IntArray, Table
from fieldguide.errors import OptionError
from fieldguide.forest import Forest, grow
from fieldguide.recipes.classical import Classifier, body, fit_classical, learned_rows, scored
from fieldguide.recipes.common import Fitted, Setting, number_option

__all__ = ["OPTIONS", "SEARCH", "SUMMARY", "TREES", "body", "fit"]

SUMMARY = "edges, texture and colour, random forest: nothing pretrained, little to tune"
OPTIONS = frozenset({"trees", "share"})
"""`trees`: how many, 1 or more, instead of the preset's; `share`: of the features that each split looks at,
more than 0 and at most 1, instead of the square root of their number."""
SEARCH: dict[str, dict[str, Any]] = {
    "trees": {"choices": (100, 200, 400)},
    "share": {"low": 0.005, "high": 0.3, "log": True},
}
"""What :func:`fieldguide.tune.tune` may vary, by the names of options."""
TREES = {"fast": 100, "balanced": 200, "best": 400}
"""Trees by preset."""


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
    if setting.preset not in TREES:
        raise OptionError(f"preset: must be one of {', '.join(TREES)}; got {setting.preset!r}")
    asked = number_option(setting, "trees", least=1.0, least_is_allowed=True)
    trees = TREES[setting.preset] if asked is None else round(asked)
    chosen_by = f"preset {setting.preset}" if asked is None else "as asked for"
    share = number_option(setting, "share", least=0.0, most=1.0)

    def learn(table: Table, network: ExportedBackbone, held: IntArray) -> Classifier:
        rows, told = learned_rows(table, setting.seed)
        scores = np.empty((len(held), table.n_classes), dtype=np.float32)
        for fold in np.unique(table.folds[held]):
            hold = np.flatnonzero(table.folds[held] == fold)
            forest = _grown(table, rows[table.folds[rows] != fold], trees, setting.seed, share)
            scores[hold] = scored(forest.scores, table, held[hold])
        forest = _grown(table, rows, trees, setting.seed, share)
        why = f"forest: {trees} trees of {len(forest.threshold):,} nodes: {chosen_by}"
        return Classifier(scores, forest_model(forest, table.n_features), (*told, why))

    return fit_classical(dataset, setting, learn)


def _grown(table: Table, rows: IntArray, trees: int, seed: int, share: float | None) -> Forest:
    features = np.asarray(table.vectors[rows], dtype=np.float32)
    return grow(features, table.labels[rows], table.n_classes, trees, seed, share)
