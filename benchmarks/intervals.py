"""How often 95 % intervals hold the true value: fieldguide's against a percentile bootstrap's.

Run: python benchmarks/intervals.py [EVALUATION.json ...]        (prints a Markdown table; some minutes)

Each row simulates a classifier whose every probability of taking one class for another is known, so that the
true accuracy, balanced accuracy, macro F1 and macro precision are too, and draws test sets from it. With
files that ``evaluate --json`` or ``train --json`` wrote there is a row for each: the images measured there
are taken for the world, and test sets are drawn from them with replacement.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from fieldguide.metrics import classification, intervals

DRAWS, BOOTSTRAP_DRAWS, REPLICATES = 1000, 100, 200
MOST_DRAWN = 300
"""Images in a test set drawn from an evaluation."""

MEASURES = {
    "accuracy": (
        lambda c: np.trace(c) / c.sum(),
        lambda c: intervals.share(int(np.trace(c)), int(c.sum())),
    ),
    "balanced accuracy": (classification.balanced_accuracy, intervals.balanced_accuracy),
    "macro F1": (
        lambda c: classification.macro_average(classification.class_scores(c).f1, c),
        intervals.macro_f1,
    ),
    "macro precision": (
        lambda c: classification.macro_average(classification.class_scores(c).precision, c),
        intervals.macro_precision,
    ),
}

# classes, test images, mean recall, images of the largest class / images of the smallest
CASES = [
    (2, 10, 0.9, 1),
    (2, 10, 0.6, 1),
    (10, 50, 0.9, 1),
    (10, 300, 0.9, 1),
    (10, 300, 0.9, 10),
    (5, 100, 0.98, 10),
    (20, 100, 0.7, 5),
    (100, 500, 0.9, 1),
    (2, 200, 0.95, 20),
    (3, 60, 0.8, 1),
]


def population(rng, classes, recall, imbalance):
    """Joint probabilities of true and predicted class, of shape (classes, classes)."""
    sizes = np.geomspace(1, 1 / imbalance, classes)
    recalls = np.clip(recall + rng.normal(0, 0.07, classes), 0.3, 0.995)
    rows = [
        np.insert(rng.dirichlet(np.full(classes - 1, 0.5)) * (1 - r), i, r) for i, r in enumerate(recalls)
    ]
    return np.array(rows) * (sizes / sizes.sum())[:, None]


def percentile_bootstrap(rng, confusion, value_of):
    n = int(confusion.sum())
    draws = rng.multinomial(n, confusion.ravel() / n, size=REPLICATES).reshape(-1, *confusion.shape)
    return np.quantile([value_of(draw) for draw in draws], [0.025, 0.975])


def covered(rng, joint, n):
    """Share of draws covered, of shape (measures, 2): ours, bootstrap."""
    truth = {name: value_of(joint) for name, (value_of, _) in MEASURES.items()}
    hits = np.zeros((len(MEASURES), 2))
    for number in range(DRAWS):
        confusion = rng.multinomial(n, joint.ravel()).reshape(joint.shape)
        for row, (name, (value_of, interval_of)) in enumerate(MEASURES.items()):
            interval = interval_of(confusion)
            hits[row, 0] += (interval.low <= truth[name] <= interval.high) / DRAWS
            if number < BOOTSTRAP_DRAWS:
                low, high = percentile_bootstrap(rng, confusion, value_of)
                hits[row, 1] += (low <= truth[name] <= high) / BOOTSTRAP_DRAWS
    return hits


def measured(path):
    """Joint probabilities from an evaluation, and how many images a test set of it has."""
    answer = json.loads(path.read_text())
    confusion = np.array(answer.get("validation", answer)["confusion"]["matrix"])
    return confusion / confusion.sum(), min(int(confusion.sum()), MOST_DRAWN)


def show(name, hits):
    cells = [f"{ours:.3f} (bootstrap {theirs:.2f})" for ours, theirs in hits]
    print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("evaluations", type=Path, nargs="*")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    print("| classes | images | recall | imbalance | " + " | ".join(MEASURES) + " |")
    print("| " + " | ".join(["---"] * (4 + len(MEASURES))) + " |")
    for classes, n, recall, imbalance in CASES:
        hits = covered(rng, population(rng, classes, recall, imbalance), n)
        show(f"{classes} | {n} | {recall} | {imbalance}", hits)
    for path in options.evaluations:
        joint, n = measured(path)
        show(f"{len(joint)} | {n} | {path.stem} |", covered(rng, joint, n))


if __name__ == "__main__":
    main()
