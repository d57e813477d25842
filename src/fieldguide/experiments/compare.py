"""Ways of training side by side: the same folds, shared features, and which differences are real.

Every image is answered once by each candidate, by a model that has not seen it. Candidates are ranked by
accuracy over all images; each pair is tested on the images that exactly one of the two got right
(:mod:`fieldguide.metrics.paired_tests`), corrected for the number of pairs. Of tags the mean average
precision takes its place (:mod:`fieldguide.evaluation.tag_comparison`). Recommended is not the first of
the ranking but the cheapest of those that nothing tells from it.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldguide import recipes
from fieldguide.data.dataset import Dataset
from fieldguide.errors import DataError, OptionError
from fieldguide.experiments.comparison import Comparison, ComparisonRow, recommend
from fieldguide.experiments.cross_validation import CrossValidation, cross_validation, merged
from fieldguide.experiments.fold_results import FoldResult, error_sentence
from fieldguide.experiments.fold_task import Candidate, FoldTask
from fieldguide.experiments.folds_in_order import FoldsInOrder
from fieldguide.experiments.scoring import AnyOutcomes, measured, paired, score_of
from fieldguide.progress import Progress, silent
from fieldguide.recipes.common import Options

QUICK = ("linear-probe", "svm", "extra-trees")
"""Recipes compared where none are named: those that take seconds, as far as this version has them."""
QUICK_PRESETS = ("fast", "balanced")
"""Presets of these."""


def candidates(
    names: Sequence[str] | None = None,
    *,
    presets: Sequence[str] | None = None,
    backbones: Sequence[str] | None = None,
    options: Options | None = None,
) -> tuple[Candidate, ...]:
    """List the ways to train that a person has asked for.

    Parameters
    ----------
    names
        Recipes; None takes the quick ones that this version has.
    presets
        Tried with each recipe that has presets; None takes :data:`QUICK_PRESETS`, or none where backbones
        are named.
    backbones
        Each tried, at its own size, with each recipe that takes one.
    options
        Seed, weights and settings of all.

    Raises
    ------
    OptionError
        If a recipe or preset is unknown.
    """
    chosen = names or [name for name in QUICK if name in recipes.usable()]
    wanted = presets if presets is not None else () if backbones else QUICK_PRESETS
    base = options or Options()
    found: dict[str, Candidate] = {}
    for recipe in chosen:
        for name, changes in _variants(recipe, wanted, backbones or ()):
            found[name] = Candidate(name, recipe, _changed(base, changes))
    return tuple(found.values())


def compare(
    dataset: Dataset,
    candidates: Sequence[Candidate],
    *,
    folds: int = 5,
    seed: int = 0,
    cache: Path | None = None,
    progress: Progress = silent,
) -> Comparison:
    """Cross-validate candidates over the same folds, and say which differences are real.

    A candidate that fails becomes a row with its error, and the rest goes on. When interrupted, what was
    finished is in the cache, and the same call goes on from there. Where a cluster is in use
    (:func:`~fieldguide.cluster.features.features_on_cluster`), its processes learn the folds.

    Parameters
    ----------
    dataset
        Any; of one with splits only `train` is looked at, so that the others can measure what was chosen.
    candidates
        At least one, with names of their own.
    folds
        How many, 2 or more.
    seed
        Of the folds; the seed of training stands in each candidate's options.
    cache
        Folder where features and finished folds are kept; None keeps them for this comparison only.
    progress
        Callback for progress: the stage `folds`, and of what each fold does.

    Raises
    ------
    OptionError
        If there are no candidates, two have the same name, or `folds` is below 2.
    DataError
        If the data cannot be used, or every candidate failed.
    """
    _check(candidates)
    shared = cross_validation(dataset, candidates, folds=folds, seed=seed, cache=cache, progress=progress)
    with shared as work:
        tried = _tried(work, candidates, progress)
        errors = {name: error_sentence(one.error) for name, one in tried.items() if one.error is not None}
        results = {name: one.results for name, one in tried.items() if one.error is None}
        return _comparison(work, candidates, results, errors, seed)


def _variants(
    recipe: str, presets: Sequence[str], backbones: Sequence[str]
) -> list[tuple[str, Mapping[str, str]]]:
    """Names of candidates, and what they change of the options."""
    module = recipes.find(recipe)
    known: Mapping[str, Any] = getattr(module, "PRESETS", {})
    for preset in presets:
        if known and preset not in known:
            raise OptionError(f"presets: {recipe} has {', '.join(known)}; got {preset!r}")
    changes = [(f"{recipe} {preset}", {"preset": preset}) for preset in presets if known]
    if any(hasattr(preset, "backbone") for preset in known.values()):  # it stands on a pretrained network
        changes += [(f"{recipe} {backbone}", {"backbone": backbone}) for backbone in backbones]
    return list(changes) or [(recipe, {})]


def _changed(options: Options, changes: Mapping[str, str]) -> Options:
    return dataclasses.replace(options, **changes)  # type: ignore[arg-type]


def _check(candidates: Sequence[Candidate]) -> None:
    names = [candidate.name for candidate in candidates]
    if not names:
        raise OptionError("candidates: need at least one recipe to compare, got none")
    for name in names:
        if names.count(name) > 1:
            raise OptionError(f"candidates: each needs a name of its own, got {name!r} twice")


def _tried(
    work: CrossValidation, candidates: Sequence[Candidate], progress: Progress
) -> dict[str, FoldsInOrder]:
    """The folds of each candidate, by its name."""
    count = work.folding.count
    tried = {candidate.name: FoldsInOrder(count) for candidate in candidates}
    tasks = [FoldTask(one, fold, timed=fold == 0) for one in candidates for fold in range(count)]
    progress("folds", 0, len(tasks))
    for task, outcome in work.outcomes(tasks, lambda task: tried[task.candidate.name].wants(task.fold)):
        tried[task.candidate.name].take(task.fold, outcome)
        progress("folds", sum(one.done for one in tried.values()), len(tasks))
    work.rest()
    for task in tasks:
        results = tried[task.candidate.name].results
        if task.timed and results:
            results[0] = work.timed(task, results[0])
    return tried


def _comparison(
    work: CrossValidation,
    candidates: Sequence[Candidate],
    results: Mapping[str, list[FoldResult]],
    errors: Mapping[str, str],
    seed: int,
) -> Comparison:
    if not results:
        summary = "; ".join(f"{name}: {error}" for name, error in errors.items())
        raise DataError(f"no candidate could be trained; {summary}")
    folding = work.folding
    common = _common_rows(results)
    outcomes = {name: _only(*merged(folds), common) for name, folds in results.items()}
    rows = [
        _row(candidate, outcomes[candidate.name], results[candidate.name], folding.dataset)
        for candidate in candidates
        if candidate.name in results
    ]
    rows.sort(key=_rank)
    pairs = paired([row.candidate.name for row in rows], outcomes, folding.groups[common])
    recommended, reason = recommend(rows, pairs)
    failed = [_failed(candidate, errors) for candidate in candidates if candidate.name in errors]
    return Comparison(
        images=len(common),
        folds=folding.count,
        seed=seed,
        classes=folding.dataset.classes,
        rows=(*rows, *failed),
        pairs=pairs,
        recommended=recommended,
        reason=reason,
        refused=folding.refused,
        reused=work.reused,
    )


def _common_rows(results: Mapping[str, list[FoldResult]]) -> NDArray[np.int64]:
    """Images that every candidate answered: all, unless files went while the work went on."""
    common: NDArray[np.int64] | None = None
    for folds in results.values():
        rows = np.concatenate([result.rows for result in folds])
        common = np.sort(rows) if common is None else np.intersect1d(common, rows)
    assert common is not None
    return common


def _only(rows: NDArray[np.int64], outcomes: AnyOutcomes, common: NDArray[np.int64]) -> AnyOutcomes:
    kept = np.isin(rows, common)
    return dataclasses.replace(outcomes, **{name: column[kept] for name, column in vars(outcomes).items()})


def _row(
    candidate: Candidate, outcomes: AnyOutcomes, folds: Sequence[FoldResult], dataset: Dataset
) -> ComparisonRow:
    fit = float(np.median([result.fit_seconds for result in folds]))
    timed = [result.image_seconds for result in folds if not math.isnan(result.image_seconds)]
    image = timed[0] if timed else float("nan")
    passes = image * len(dataset) if any(result.pass_images for result in folds) else 0.0
    return ComparisonRow(
        candidate=candidate,
        evaluation=measured(outcomes, dataset.classes),
        fold_accuracies=tuple(result.accuracy for result in folds),
        fit_seconds=fit,
        train_seconds=fit + passes,
        image_seconds=image,
        megabytes=float(np.mean([result.megabytes for result in folds])),
    )


def _failed(candidate: Candidate, errors: Mapping[str, str]) -> ComparisonRow:
    nothing = float("nan")
    return ComparisonRow(candidate, None, (), nothing, nothing, nothing, nothing, errors[candidate.name])


def _rank(row: ComparisonRow) -> tuple[float, float]:
    assert row.evaluation is not None
    return -score_of(row.evaluation).value, row.evaluation.log_loss
