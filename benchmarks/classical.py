"""`svm` and `random-forest`, nothing pretrained: accuracy and promises over repeated splits."""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from fieldguide.data.dataset import Dataset, open_dataset
from fieldguide.data.splits import split_groups
from fieldguide.evaluation.measurement import evaluate
from fieldguide.files import cache_folder
from fieldguide.learning.train import TrainOptions, train_dataset
from fieldguide.prediction.predictor import load
from fieldguide.recipes.common import Options, Run

TRAINING, TESTED = 10_000, 5_000
"""Of CIFAR-10."""


def main() -> None:
    """Print a line for each split, and the medians of each recipe and set."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--recipes", nargs="+", default=["svm", "random-forest"])
    parser.add_argument("--preset", default="balanced")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    for name, split in (("sign_digits", _digits), ("cifar10_train.zip", _cifar)):
        with open_dataset(options.data / name) as dataset:
            unsplit = Dataset(dataset.root, dataset.paths, dataset.labels)
            for recipe in options.recipes:
                rows = [
                    _measured(*parts, recipe, options.preset)
                    for parts in split(unsplit, range(options.seeds))
                ]
                medians = {key: round(float(np.median([row[key] for row in rows])), 4) for key in rows[0]}
                line = {"recipe": recipe, "preset": options.preset, "set": name, "medians": medians}
                print(json.dumps(line), flush=True)


def _digits(dataset: Dataset, seeds: range) -> Iterator[tuple[Dataset, Dataset]]:
    for seed in seeds:
        held = split_groups(dataset.labels, range(len(dataset)), 0.3, seed)
        yield dataset.take(np.flatnonzero(~held)), dataset.take(np.flatnonzero(held))


def _cifar(dataset: Dataset, seeds: range) -> Iterator[tuple[Dataset, Dataset]]:
    for seed in seeds:
        order = np.random.default_rng(seed).permutation(len(dataset))[: TRAINING + TESTED]
        yield dataset.take(np.sort(order[:TRAINING])), dataset.take(np.sort(order[TRAINING:]))


def _measured(training: Dataset, held: Dataset, recipe: str, preset: str) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "model.onnx"
        options, run = Options(preset=preset), Run(cache=cache_folder() / "features")
        started, cpu = time.perf_counter(), time.process_time()
        train_dataset(training, TrainOptions(Path(), out, recipe=recipe, options=options, run=run))
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
        result = evaluate(load(out), held)
        row = {
            "accuracy": result.accuracy.value,
            "log_loss": result.log_loss,
            "ece": result.ece,
            "coverage": result.coverage,
            "unknown_rate": result.unknown_rate,
            "seconds": seconds,
            "cpu_seconds": cpu,
            "megabytes": out.stat().st_size / 1e6,
        }
    print(json.dumps({"recipe": recipe, **{key: round(value, 4) for key, value in row.items()}}), flush=True)
    return row


if __name__ == "__main__":
    main()
