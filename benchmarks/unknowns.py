"""How well typicality tells photos of other things apart: a model of each set against each other set."""

import argparse
import contextlib
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fieldguide.data.dataset import Dataset, open_dataset
from fieldguide.data.folds import contents_of
from fieldguide.data.splits import duplicate_groups, split_groups
from fieldguide.evaluation.measurement import answers_to, foreign_measured, measured_by
from fieldguide.files import cache_folder
from fieldguide.learning.train import TrainOptions, train_dataset
from fieldguide.prediction.predictor import load
from fieldguide.recipes.common import Options, Run

SETS = {
    "clothing": "clothing",
    "sign_digits": "sign_digits",
    "brain_mri": "brain_mri",
    "cifar10": "cifar10_train.zip",
}
MOST_LEARNED, MOST_FOREIGN = 5000, 1000
HELD_OUT = 0.2


def main() -> None:
    """Print one line for each pair of sets, and then the means over all of them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--preset", default="balanced")
    parser.add_argument("--sets", default=",".join(SETS), help="which of the sets, separated by commas")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        sets = {  # opened once: an archive is unpacked each time
            name: stack.enter_context(open_dataset(options.data / SETS[name]))
            for name in options.sets.split(",")
        }
        rows = [row for name in sets for row in measured(sets, name, options.preset)]
    means = {
        key: round(float(np.mean([row[key]["value"] for row in rows])), 4)
        for key in ("auroc", "auroc_of_probability", "false_alarm_rate", "miss_rate")
    }
    print(json.dumps({"pairs": len(rows), "preset": options.preset, "mean": means}))


def measured(sets: Mapping[str, Dataset], name: str, preset: str) -> list[dict[str, Any]]:
    """Train on a part of one set, and put the rest of it beside each of the others."""
    rows = []
    learned, known = parts(sets[name])
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.onnx"
        options, run = Options(preset=preset), Run(cache=cache_folder() / "features")
        train_dataset(learned, TrainOptions(Path(learned.root), model, options=options, run=run))
        predictor = load(model)
        answers = answers_to(predictor, known)
        own = measured_by(predictor, known, answers)
        for other in sets:
            if other == name:
                continue
            result = foreign_measured(predictor, own, answers, few(sets[other], MOST_FOREIGN)).foreign
            assert result is not None
            rows.append({"model": name, "foreign": other, "known": len(known), **result.as_dict()})
            print(json.dumps(rows[-1]), flush=True)
    return rows


def parts(dataset: Dataset) -> tuple[Dataset, Dataset]:
    """What is learned from, and what is held out: the validation split where there is one."""
    if dataset.splits is not None and "validation" in dataset.splits:
        return few(dataset.select("train"), MOST_LEARNED), few(dataset.select("validation"), MOST_FOREIGN)
    chosen = few(dataset.labelled(), MOST_LEARNED)
    seen = contents_of(chosen.paths)
    chosen = chosen.take(seen.rows)
    groups = duplicate_groups(len(chosen), seen.digests, seen.signatures, chosen.groups)
    held = split_groups(chosen.labels, groups, HELD_OUT, seed=0)
    return chosen.take(np.flatnonzero(~held)), few(chosen.take(np.flatnonzero(held)), MOST_FOREIGN)


def few(dataset: Dataset, most: int) -> Dataset:
    """At most so many images, drawn by chance."""
    return dataset.take(np.sort(np.random.default_rng(0).permutation(len(dataset))[:most]))


if __name__ == "__main__":
    main()
