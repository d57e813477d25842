"""Accuracy, calibration and coverage of the presets over repeated splits, measured on written model files."""

import argparse
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from fieldguide.data.dataset import Dataset, open_dataset
from fieldguide.data.splits import fold_groups, split_groups
from fieldguide.evaluation.measurement import evaluate
from fieldguide.evaluation.result import Evaluation
from fieldguide.files import cache_folder
from fieldguide.learning.train import TrainOptions, train_dataset
from fieldguide.prediction.predictor import load
from fieldguide.recipes.common import Options, Run

SEEDS = range(5)


def main() -> None:
    """Print one line for each set and preset: means over the splits."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--presets", nargs="+", default=["fast", "balanced", "best"])
    options = parser.parse_args()
    for preset in options.presets:
        for name, splits in _protocols(options.data):
            results = [_measured(training, held, preset) for training, held in splits]
            print(
                json.dumps({"preset": preset, "set": name, "splits": len(results), **_means(results)}),
                flush=True,
            )


def _protocols(data: Path) -> Iterator[tuple[str, list[tuple[Dataset, Dataset]]]]:
    with open_dataset(data / "clothing") as clothing:
        yield "clothing, its own split", [(clothing.select("train"), clothing.select("validation"))]
        yield "clothing, 80/20", [_split(clothing.take(range(len(clothing))), 0.2, seed) for seed in SEEDS]
    with open_dataset(data / "sign_digits") as digits:
        yield "sign_digits, 70/30", [_split(digits, 0.3, seed) for seed in SEEDS]
    with open_dataset(data / "brain_mri") as brain:
        folds = fold_groups(brain.labels, range(len(brain)), 5, 0)
        yield (
            "brain_mri, 5 folds",
            [
                (brain.take(np.flatnonzero(folds != k)), brain.take(np.flatnonzero(folds == k)))
                for k in range(5)
            ],
        )


def _split(dataset: Dataset, fraction: float, seed: int) -> tuple[Dataset, Dataset]:
    held = split_groups(dataset.labels, range(len(dataset)), fraction, seed)
    unsplit = Dataset(dataset.root, dataset.paths, dataset.labels)
    return unsplit.take(np.flatnonzero(~held)), unsplit.take(np.flatnonzero(held))


def _measured(training: Dataset, held: Dataset, preset: str) -> Evaluation:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "model.onnx"
        options, run = Options(preset=preset), Run(cache=cache_folder() / "features")
        unsplit = Dataset(training.root, training.paths, training.labels)
        train_dataset(unsplit, TrainOptions(Path(), out, options=options, run=run))
        return evaluate(load(out), held)


def _means(results: list[Evaluation]) -> dict[str, float]:
    columns = {
        "accuracy": [result.accuracy.value for result in results],
        "balanced_accuracy": [result.balanced_accuracy.value for result in results],
        "log_loss": [result.log_loss for result in results],
        "ece": [result.ece for result in results],
        "coverage": [result.coverage for result in results],
        "mean_set_size": [result.mean_set_size for result in results],
        "unknown_rate": [result.unknown_rate for result in results],
    }
    means = {name: round(float(np.mean(values)), 4) for name, values in columns.items()}
    return means | {"accuracy_spread": round(float(np.ptp(columns["accuracy"])), 4)}


if __name__ == "__main__":
    main()
