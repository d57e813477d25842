"""The head of `linear-probe` learned from few images, with features weighted by relevance and without.

    python benchmarks/few_images.py SHARED/clothing/train SHARED/sign_digits --sizes 50 150 500 --seeds 10

Features are those of `balanced`, extracted once. A seed draws so many images; near-duplicates of them are
neither learned from nor judged. Up to 1,500 of the rest are judged.
"""

import argparse
import os
from pathlib import Path

import numpy as np

from fieldguide.data.dataset import open_dataset
from fieldguide.data.folds import deal
from fieldguide.data.splits import duplicate_groups
from fieldguide.heads import linear_head
from fieldguide.heads.training_table import TrainingTable
from fieldguide.recipes import linear_probe
from fieldguide.recipes.common import Options, Run
from fieldguide.recipes.labelled_features import LabelledFeatures, learn_from

JUDGED = 1500
FORMS = {"as they come": (0, ()), "by relevance": (linear_head.MOST_BY_RELEVANCE, linear_head.FOR_FEW_IMAGES)}


def main() -> None:
    """Print one line a set, size and form."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path, nargs="+")
    parser.add_argument("--sizes", type=int, nargs="+", default=[50, 150, 500])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--cache", type=Path, default=Path(os.environ.get("FIELDGUIDE_CACHE", "cache")))
    options = parser.parse_args()
    for path in options.data:
        learned, depths = _features(path, options.cache)
        for size in options.sizes:
            if size <= 0.8 * len(learned.kept):
                _compare(path.name, learned, depths, size, options.seeds)


def _features(path: Path, cache: Path) -> tuple[LabelledFeatures, tuple[tuple[str, int], ...]]:
    with open_dataset(path) as dataset:
        options, run = Options(), Run(cache=cache)
        body = linear_probe.body(options, run)
        return learn_from(dataset, body, options, run), body.depths


def _compare(
    name: str, learned: LabelledFeatures, depths: tuple[tuple[str, int], ...], size: int, seeds: int
) -> None:
    results = {form: [_once(learned, depths, size, seed, form) for seed in range(seeds)] for form in FORMS}
    before, after = (np.array(rows) for rows in results.values())
    gain = 100 * (after - before)[:, 0]
    error = gain.std(ddof=1) / np.sqrt(seeds)
    for form, rows in results.items():
        accuracy, loss = np.mean(rows, axis=0)
        print(f"{name:16} {size:5} {form:14} accuracy {accuracy:.4f}  log loss {loss:.4f}")
    print(f"{name:16} {size:5} gain {gain.mean():+.2f} ± {error:.2f} points", flush=True)


def _once(
    learned: LabelledFeatures, depths: tuple[tuple[str, int], ...], size: int, seed: int, form: str
) -> tuple[float, float]:
    """Accuracy and log loss on images that were not learned from."""
    features = learned.features
    groups = duplicate_groups(len(learned.kept), features.digests, features.signatures, learned.kept.groups)
    order = np.random.default_rng(seed).permutation(len(groups))
    learn, rest = order[:size], order[size:]
    judged = rest[~np.isin(groups[rest], groups[learn])][:JUDGED]
    folds = deal([learned.kept.labels[row] for row in learn], groups[learn], seed)
    classes, numbers = np.unique(learned.numbers[learn], return_inverse=True)
    table = TrainingTable.of(np.asarray(features.vectors)[learn], numbers, folds)
    linear_head.MOST_BY_RELEVANCE, linear_head.FOR_FEW_IMAGES = FORMS[form]
    head = linear_head.fit_probe(table, depths, seed).head
    judged = judged[np.isin(learned.numbers[judged], classes)]
    truth = np.searchsorted(classes, learned.numbers[judged])
    logits = np.asarray(features.vectors)[judged].astype(np.float64) @ head.weights + head.bias
    log_p = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    return float((log_p.argmax(1) == truth).mean()), float(-log_p[np.arange(len(truth)), truth].mean())


if __name__ == "__main__":
    main()
