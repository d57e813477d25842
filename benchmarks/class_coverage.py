"""Coverage of prediction sets by class: one threshold for all classes beside a threshold a class.

The out-of-fold answers of `linear-probe` are split at random, again and again: two thirds choose the
thresholds, one third measures them.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldguide.data.dataset import Dataset, open_dataset
from fieldguide.files import cache_folder
from fieldguide.heads.calibration import set_threshold
from fieldguide.heads.promises import COVERAGE
from fieldguide.heads.set_thresholds import class_set_thresholds
from fieldguide.recipes import linear_probe
from fieldguide.recipes.common import Options, OutOfFold, Run

SHARE = 2 / 3
"""Of the images, that choose thresholds."""


def main() -> None:
    """Print a line for each set."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path, help="folder of the photo sets")
    parser.add_argument("--sets", nargs="+", default=["clothing", "sign_digits", "brain_mri", "scenes"])
    parser.add_argument("--draws", type=int, default=200)
    options = parser.parse_args()
    for name in options.sets:
        with open_dataset(options.data / name) as dataset:
            held = _answers(dataset.select("train") if "train" in (dataset.splits or ()) else dataset)
        print(json.dumps({"set": name, **_compared(held, options.draws)}), flush=True)


def _answers(dataset: Dataset) -> OutOfFold:
    return linear_probe.fit(dataset, Options(), Run(cache=cache_folder() / "features")).out_of_fold


def _compared(held: OutOfFold, draws: int) -> dict[str, Any]:
    random, rows = np.random.default_rng(0), []
    for _ in range(draws):
        order = random.permutation(len(held.labels))
        chosen, measured = np.split(order, [int(SHARE * len(order))])
        rows.append(_drawn(held, chosen, measured))
    sizes, covered, taken = (np.array(column) for column in zip(*rows, strict=True))
    by_class = np.nanmean(covered, 0)  # of shape (2, n_classes)
    return {
        "images": len(held.labels),
        "classes": held.probabilities.shape[1],
        "names_common": round(float(sizes[:, 0].mean()), 3),
        "names_by_class": round(float(sizes[:, 1].mean()), 3),
        "worst_class_common": round(float(by_class[0].min()), 3),
        "worst_class_by_class": round(float(by_class[1].min()), 3),
        "draws_by_class": round(float(taken.mean()), 3),
    }


def _drawn(
    held: OutOfFold, chosen: NDArray[np.int64], measured: NDArray[np.int64]
) -> tuple[list[float], list[list[float]], bool]:
    """Names a set, coverage by class, each with both kinds of thresholds; whether each class had its own."""
    labels = held.labels.astype(np.int64)
    first, truth = held.probabilities[chosen], labels[chosen]
    common = set_threshold(first[np.arange(len(truth)), truth], COVERAGE)
    floors = class_set_thresholds(first, truth, common, COVERAGE)
    new, own = held.probabilities[measured], labels[measured]
    sizes, covered = [], []
    for limit in (common, common if floors is None else floors):
        members = new >= limit
        sizes.append(float(members.sum(1).mean()))
        right = members[np.arange(len(own)), own]
        covered.append(
            [float(right[own == k].mean()) if (own == k).any() else np.nan for k in range(new.shape[1])]
        )
    return sizes, covered, floors is not None


if __name__ == "__main__":
    main()
