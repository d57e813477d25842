"""`extra-trees`: extremely randomised trees on edges, texture and colour, nothing pretrained.

Geurts, Ernst and Wehenkel, "Extremely randomized trees" (Machine Learning 2006), the kin of random forests
that draws thresholds, too. `random-forest` is the same recipe by the name under which people look for it.

photos → features (`classical`) → groups of near-duplicates → folds that keep groups together
       → out-of-fold scores of forests without each fold
       → temperature, prediction-set threshold and reference distances from these
       → forest grown from all images
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from fieldguide.backbones.exported import ExportedBackbone
from fieldguide.data.dataset import Dataset
from fieldguide.errors import OptionError
from fieldguide.heads.forest import Forest, grow, grow_for_tags
from fieldguide.heads.onnx_heads import forest_model
from fieldguide.heads.ridge import TagTable
from fieldguide.heads.training_table import FloatArray, IntArray, TrainingTable
from fieldguide.recipes.classical_features import (
    Learning,
    ScoredClassifier,
    body,
    check_known,
    fit_classical,
    learned_rows,
    scored,
)
from fieldguide.recipes.common import Fitted, Options, Run, number_option
from fieldguide.tasks.tags import PRESENT
from fieldguide.tasks.task import EITHER

__all__ = ["OPTIONS", "SEARCH", "SUMMARY", "TASKS", "TREES", "body", "fit"]

SUMMARY = "edges, texture and colour, extremely randomised trees: nothing pretrained, little to tune"
OPTIONS = frozenset({"trees", "share"})
"""`trees`: how many, 1 or more, instead of the preset's; `share`: of the features that each split looks at,
more than 0 and at most 1, instead of the square root of their number."""
TASKS = EITHER
"""What it learns: one label a photo, or any number of tags."""
SEARCH: dict[str, dict[str, Any]] = {
    "trees": {"choices": (100, 200, 400)},
    "share": {"low": 0.005, "high": 0.3, "log": True},
}
"""What :func:`fieldguide.experiments.tune.tune` may vary, by the names of settings."""
TREES = {"fast": 100, "balanced": 200, "best": 400}
"""Trees by preset."""


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
    fitted = fit_classical(dataset, options, run, learner(options))
    return dataclasses.replace(fitted, made_with=("scikit-learn",))


def learner(options: Options) -> Learning:
    """What the recipe makes of a table of features.

    Raises
    ------
    OptionError
        If the preset is unknown, or an option is out of range.
    """
    if options.preset not in TREES:
        raise OptionError(f"preset: must be one of {', '.join(TREES)}; got {options.preset!r}")
    asked = number_option(options, "trees", least=1.0, least_is_allowed=True)
    trees = TREES[options.preset] if asked is None else round(asked)
    chosen_by = f"preset {options.preset}" if asked is None else "as asked for"
    share = number_option(options, "share", least=0.0, most=1.0)

    def learn(table: TrainingTable, network: ExportedBackbone, held: IntArray) -> ScoredClassifier:
        def grown(rows: IntArray) -> Forest:
            return grow(
                _features(table, rows), table.labels[rows], table.n_classes, trees, options.seed, share
            )

        return _classifier(table, held, options.seed, grown, chosen_by)

    def learn_tags(tags: TagTable, network: ExportedBackbone, held: IntArray) -> ScoredClassifier:
        check_known("extra-trees", tags)

        def grown(rows: IntArray) -> Forest:
            shown = tags.indicators[rows] == PRESENT
            return grow_for_tags(_features(tags.table, rows), shown, trees, options.seed, share)

        return _classifier(tags.table, held, options.seed, grown, chosen_by)

    return Learning(learn, learn_tags)


def _classifier(
    table: TrainingTable, held: IntArray, seed: int, grown: Callable[[IntArray], Forest], chosen_by: str
) -> ScoredClassifier:
    """A forest from all images, and what forests without each fold say of its images."""
    rows, summary = learned_rows(table, seed)
    scores: list[FloatArray] = []
    places: list[IntArray] = []
    for fold in np.unique(table.folds[held]):
        hold = np.flatnonzero(table.folds[held] == fold)
        forest = grown(rows[table.folds[rows] != fold])
        scores.append(scored(forest.scores, table, held[hold]))
        places.append(hold)
    answers = np.concatenate(scores)[np.argsort(np.concatenate(places), kind="stable")]
    forest = grown(rows)
    size = f"{len(forest.roots)} extremely randomised trees of {len(forest.threshold):,} nodes"
    return ScoredClassifier(
        answers, forest_model(forest, table.n_features), (*summary, f"forest: {size}: {chosen_by}")
    )


def _features(table: TrainingTable, rows: IntArray) -> FloatArray:
    return np.asarray(table.vectors[rows], dtype=np.float32)
