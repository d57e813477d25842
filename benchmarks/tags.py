"""What `linear-probe` reaches on tags, and whether its promises hold, over several splits of one set.

    python benchmarks/tagged_sets.py canvases SHARED/clothing/train SHARED/scenes --out canvases
    python benchmarks/tags.py canvases/labels.csv [--splits 10]

Features are computed once (and kept in the cache). For each split a quarter of the photos is held out by
iterative stratification with near-duplicates together; heads, calibration, thresholds and sets are fitted to
the rest as training does, and measured on the quarter. The last line has the means over the splits.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from scipy.special import expit

from fieldguide.data.dataset import open_dataset
from fieldguide.data.folds import deal_tags
from fieldguide.data.splits import duplicate_groups
from fieldguide.data.tagged.stratification import stratified_parts
from fieldguide.evaluation.tag_result import TagOutcomes, measure_tags
from fieldguide.files import cache_folder
from fieldguide.heads.ridge import TagTable
from fieldguide.heads.tag_probe import combinations, fit_tag_probe
from fieldguide.heads.training_table import TrainingTable
from fieldguide.recipes import linear_probe
from fieldguide.recipes.common import Options, Run
from fieldguide.recipes.tagged_features import learn_tags_from
from fieldguide.tasks.task import EITHER

FIGURES = ("map", "micro_f1", "macro_f1", "exact_match", "coverage")


def main() -> None:
    """Print one line a split, and the means."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--splits", type=int, default=10)
    options = parser.parse_args()
    run, wanted = Run(cache=cache_folder() / "features"), Options()
    body = linear_probe.body(wanted, run)
    with open_dataset(options.data, tasks=EITHER) as dataset:
        learned = learn_tags_from(dataset, body, wanted, run)
    features = learned.features
    groups = duplicate_groups(len(learned.kept), features.digests, features.signatures, learned.kept.groups)
    tags = [one for one in learned.kept.tags or () if one is not None]
    rows = []
    for seed in range(options.splits):
        parts = stratified_parts(tags, groups, (0.75, 0.25), seed)
        train, held = np.flatnonzero(parts == 0), np.flatnonzero(parts == 1)
        started = time.perf_counter()
        folds = deal_tags(
            [tags[row] for row in train], np.unique(groups[train], return_inverse=True)[1], seed
        )
        own = learned.tags[train]
        table = TrainingTable.of(features.vectors[train], combinations(own), folds)
        probe = fit_tag_probe(TagTable(table, own), body.depths, seed)
        seconds = time.perf_counter() - started
        logits = np.asarray(features.vectors[held], np.float32) @ probe.head.weights + probe.head.bias
        outcomes = TagOutcomes.of(
            learned.tags[held],
            expit(logits),
            np.ones(len(held)),
            thresholds=probe.promises.thresholds,
            set_threshold=probe.promises.set_threshold,
            unknown_threshold=0.0,
        )
        answer = measure_tags(outcomes, learned.classes).as_dict()
        found = {name: answer[name]["value"] for name in FIGURES} | {
            "ece": answer["ece"],
            "labels": answer["mean_labels"],
            "set": answer["mean_set_size"],
            "seconds": seconds,
        }
        rows.append(found)
        print(
            f"split {seed}: " + ", ".join(f"{name} {value:.3f}" for name, value in found.items()), flush=True
        )
    means = {name: np.mean([row[name] for row in rows]) for name in rows[0]}
    print("mean: " + ", ".join(f"{name} {value:.3f}" for name, value in means.items()))


if __name__ == "__main__":
    main()
